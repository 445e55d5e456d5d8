//! What a printed command does to the world: nothing, or what it changes. Pure.
//! One table for all commands; a command that is not in it has no known effect, which a test over all scenarios refuses.

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing is different afterwards.
    Looks,
    /// What is different afterwards.
    Changes(String),
    /// The table does not have it.
    Unknown,
}

/// The effects of all programs that the line starts.
pub(crate) fn effect(command: &str) -> Effect {
    let mut changes: Vec<String> = Vec::new();
    for part in parts(command) {
        match effect_of_one(&part) {
            Effect::Looks => {}
            Effect::Changes(what) => changes.push(what),
            Effect::Unknown => return Effect::Unknown,
        }
    }
    if changes.is_empty() { Effect::Looks } else { Effect::Changes(changes.join(", and ")) }
}

/// What a command that only looks shows, as a sentence.
pub(crate) fn shows(command: &str) -> String {
    let parts = parts(command);
    let words: Vec<&str> = parts.first().into_iter().flatten().map(String::as_str).collect();
    match started(&words) {
        ["aws", _, verb, ..] => {
            let subject = verb.split_once('-').map_or(*verb, |(_, subject)| subject);
            format!("This shows the {} from AWS.", subject.replace('-', " "))
        }
        ["kubectl", words @ ..] => match plain(words).as_slice() {
            ["logs", ..] => "This shows the log.".to_owned(),
            [_, kind, ..] => format!("This shows the {kind} from the cluster."),
            _ => "This shows what the cluster has.".to_owned(),
        },
        ["credprobe", "check", ..] => "This runs credprobe again.".to_owned(),
        _ => "This only looks.".to_owned(),
    }
}

fn effect_of_one(words: &[String]) -> Effect {
    if let Some(file) = words.iter().position(|word| word == ">").and_then(|at| words.get(at + 1)) {
        return Effect::Changes(format!("the file {file} in the current folder"));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match started(&words) {
        ["aws", service, verb, options @ ..] => aws(service, verb, options),
        ["kubectl", words @ ..] => kubectl(words),
        ["chronyc", "makestep"] => Effect::Changes("the node's clock".to_owned()),
        ["chronyc", "tracking"]
        | ["ausearch" | "cat" | "credprobe" | "curl" | "cut" | "echo" | "grep" | "iptables-save" | "jq", ..]
        | ["ls" | "printf" | "read" | "test" | "wc", ..]
        // An assignment keeps what the command in it prints.
        | [] => Effect::Looks,
        _ => Effect::Unknown,
    }
}

/// Without what stands before a program: assignments, keywords of the shell, `env`, `xargs`.
fn started<'a, 'w>(mut words: &'a [&'w str]) -> &'a [&'w str] {
    loop {
        words = match words {
            ["do" | "done" | "then" | "while" | "env" | "sudo", rest @ ..] | ["-u", _, rest @ ..] => rest,
            ["xargs", rest @ ..] => rest.strip_prefix(&["-n1"]).unwrap_or(rest),
            [first, rest @ ..] if is_assignment(first) => rest,
            _ => return words,
        }
    }
}

fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && is_name(name))
}

fn aws(service: &str, verb: &str, options: &[&str]) -> Effect {
    let looks = ["describe-", "filter-", "get-", "list-", "lookup-", "simulate-"];
    if looks.iter().any(|prefix| verb.starts_with(prefix)) {
        return Effect::Looks;
    }
    let of = |name: &str| option(options, name).unwrap_or("the reader's choice");
    Effect::Changes(match (service, verb) {
        ("account", "enable-region") => {
            format!("the account's list of regions: {} is enabled", of("--region-name"))
        }
        ("ec2", "authorize-security-group-ingress") => {
            "the endpoint's security group: one rule is added".to_owned()
        }
        ("ec2", "create-vpc-endpoint") => {
            format!("the VPC of the node: an interface endpoint for {} is added", of("--service-name"))
        }
        ("eks", "create-addon" | "update-addon") => {
            format!("the cluster's add-on {}, on all nodes", of("--addon-name"))
        }
        (
            "eks",
            "create-pod-identity-association"
            | "delete-pod-identity-association"
            | "update-pod-identity-association",
        ) => "the Pod Identity association of the service account, for all its pods".to_owned(),
        ("eks", "create-access-entry") => "the cluster's access entries: one is added".to_owned(),
        ("iam", "add-client-id-to-open-id-connect-provider") => {
            format!("the audiences of the OIDC provider: {} is added", of("--client-id"))
        }
        ("iam", "create-open-id-connect-provider") => {
            "the account's OIDC providers: one is added for this issuer".to_owned()
        }
        ("iam", "update-open-id-connect-provider-thumbprint") => {
            "the OIDC provider's list of thumbprints, which is replaced".to_owned()
        }
        ("iam", "attach-role-policy") => {
            format!("the policies of role {}: {} is attached", of("--role-name"), of("--policy-arn"))
        }
        ("iam", "put-role-policy") => {
            format!("the inline policies of role {}: {} is put", of("--role-name"), of("--policy-name"))
        }
        ("iam", "update-assume-role-policy") => {
            format!("the trust policy of role {}, which is replaced", of("--role-name"))
        }
        ("iam", "set-security-token-service-preferences") => {
            "the account's setting for tokens of the global STS endpoint".to_owned()
        }
        _ => return Effect::Unknown,
    })
}

fn kubectl(words: &[&str]) -> Effect {
    let namespace = option(words, "-n");
    let inside = |text: String| match namespace {
        Some(namespace) => Effect::Changes(format!("{text} in namespace {namespace}")),
        None => Effect::Changes(text),
    };
    let mut plain = plain(words).into_iter();
    match (plain.next(), plain.next(), plain.next()) {
        (Some("get" | "logs" | "describe"), ..) => Effect::Looks,
        (Some("set"), Some("env"), Some(target)) => {
            inside(format!("the environment of all containers of {target}, whose pods are replaced,"))
        }
        (Some("patch"), Some(target), _) => inside(format!("the spec of {target}, whose pods are replaced,")),
        (Some("rollout"), Some("restart"), Some(target)) => {
            inside(format!("the pods of {target}, which are replaced,"))
        }
        (Some("delete"), Some("pod"), Some(name)) => inside(format!("pod {name}, which is deleted,")),
        (Some("delete"), Some("pod"), None) => {
            inside("the pods that the command selects, which are deleted,".to_owned())
        }
        (Some("annotate"), Some(kind), Some(name)) => inside(format!("the annotations of {kind} {name}")),
        (Some("edit" | "create"), Some(kind), name) => {
            inside(format!("{kind} {}", name.unwrap_or("of your choice")))
        }
        (Some("debug"), Some(pod), _) => inside(format!("pod {pod}: a debug container is added")),
        _ => Effect::Unknown,
    }
}

/// The value of an option, as a word of its own or behind `=`.
fn option<'w>(words: &[&'w str], name: &str) -> Option<&'w str> {
    let joined = |word: &&'w str| word.strip_prefix(name)?.strip_prefix('=');
    let separate = || words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1)).copied();
    separate().or_else(|| words.iter().find_map(joined))
}

/// Verb and names, without options and their values.
fn plain<'w>(words: &[&'w str]) -> Vec<&'w str> {
    const WITH_VALUE: &[&str] = &["-n", "-o", "-l", "-p", "--field-selector"];
    let mut plain = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(word) {
            words.next();
        } else if !word.starts_with('-') {
            plain.push(*word);
        }
    }
    plain
}

/// The line's programs, each as its words; what is quoted, or substituted for, stays one word.
fn parts(command: &str) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    let mut word = String::new();
    let (mut quoted, mut depth) = (false, 0_u32);
    let end = |word: &mut String, parts: &mut Vec<Vec<String>>| {
        if !word.is_empty()
            && let Some(part) = parts.last_mut()
        {
            part.push(std::mem::take(word));
        }
    };
    let mut last = ' ';
    for c in command.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted && (last == '$' || depth > 0) => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        match c {
            _ if quoted || depth > 0 => word.push(c),
            '|' | ';' | '&' => {
                end(&mut word, &mut parts);
                parts.push(Vec::new());
            }
            ' ' => end(&mut word, &mut parts),
            '\'' | '"' | ')' => {}
            c => word.push(c),
        }
        last = c;
    }
    end(&mut word, &mut parts);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_changes_nothing() {
        for command in [
            "kubectl -n kube-system get configmap coredns -o yaml",
            "aws iam get-role --role-name a --query 'Role.[Arn]'",
            r#"cluster="$(aws eks list-clusters --query 'clusters[]' | xargs -n1 aws eks describe-cluster --name | cut -f2)""#,
            "env -u CREDPROBE_EXPECT_ROLE credprobe check",
            "iptables-save | grep 169.254.170.23",
            "credprobe check --wait=2m",
            "chronyc tracking",
            "CREDPROBE_X=1 credprobe check",
            "grep '^[UG]id:' /proc/[0-9]*/status",
            "kubectl get pods -o 'jsonpath={range .items[?(@.a==true)]}{\"\\n\"}{end}'",
        ] {
            assert_eq!(effect(command), Effect::Looks, "{command}");
        }
    }

    #[test]
    fn what_a_command_changes_is_named() {
        for (command, changes) in [
            (
                "kubectl set env -n shop deployment/checkout A=b C-",
                "the environment of all containers of deployment/checkout, whose pods are replaced, in namespace shop",
            ),
            (
                "kubectl annotate serviceaccount -n shop checkout a=b --overwrite",
                "the annotations of serviceaccount checkout in namespace shop",
            ),
            ("kubectl get --raw /openid/v1/jwks > keys.json", "the file keys.json in the current folder"),
            (
                "aws iam update-assume-role-policy --role-name a --policy-document file://b.json",
                "the trust policy of role a, which is replaced",
            ),
            (
                "aws ec2 describe-instances --query 'a[0].[b]' | while read -r vpc; do aws ec2 create-vpc-endpoint --service-name x.sts --vpc-id \"$vpc\"; done",
                "the VPC of the node: an interface endpoint for x.sts is added",
            ),
            (
                r#"echo '{"a":1}' | kubectl debug -n shop checkout-1 --image="$(kubectl get pod -n shop checkout-1 -o 'jsonpath={.x}')" --attach -- check"#,
                "pod checkout-1: a debug container is added in namespace shop",
            ),
            (
                "kubectl -n kube-system delete pod -l a=b --field-selector c=d",
                "the pods that the command selects, which are deleted, in namespace kube-system",
            ),
        ] {
            assert_eq!(effect(command), Effect::Changes(changes.to_owned()), "{command}");
        }
    }

    #[test]
    fn a_command_that_nobody_explained_says_what_it_shows() {
        for (command, sentence) in [
            ("aws iam get-role --role-name a", "This shows the role from AWS."),
            ("kubectl get events -n shop", "This shows the events from the cluster."),
            ("kubectl -n kube-system logs -l a=b", "This shows the log."),
            ("env -u CREDPROBE_EXPECT_ROLE credprobe check", "This runs credprobe again."),
            ("chronyc tracking", "This only looks."),
        ] {
            assert_eq!(shows(command), sentence);
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_not_taken_for_a_look() {
        for command in ["rm -rf x", "aws iam delete-role --role-name a", "kubectl drain a", "ls | tee a"] {
            assert_eq!(effect(command), Effect::Unknown, "{command}");
        }
    }
}
