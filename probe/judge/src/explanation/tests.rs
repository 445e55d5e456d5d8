//! Tests that real texts are read correctly in every wrapping, the headings of the pages, and that nothing hostile gets through.

mod properties;

use super::{Explanation, Log};
use serde::Deserialize;
use serde_json::Value;

pub(super) fn explained(text: &str, expected: Option<&str>) -> Option<Explanation> {
    let mut log = Log::default();
    log.take(text.as_bytes());
    log.explain(expected)
}

fn json(text: &str, expected: Option<&str>) -> Value {
    let explanation = explained(text, expected).unwrap_or_else(|| panic!("not recognised: {text}"));
    serde_json::from_str(&explanation.json(false).unwrap()).unwrap()
}

/// A published text and what it means. Only the words of AWS, Kubernetes and the SDKs are quoted.
#[derive(Deserialize)]
struct Case {
    text: String,
    source: String,
    class: Option<String>,
    owner: String,
    policy: Option<String>,
    caller: String,
    effect: Option<String>,
    action: Option<String>,
    resource: Option<String>,
    expect_role: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("tests/denials.json")).unwrap()
}

#[test]
fn real_texts_are_read_right() {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = Vec::new();
    let mut table =
        String::from("| text | class | owner | policy | caller | source |\n|---|---|---|---|---|---|\n");
    for case in &cases {
        let Some(said) = explained(&case.text, case.expect_role.as_deref()) else {
            wrong.push(format!("not recognised: {}", case.text));
            continue;
        };
        let said: Value = serde_json::from_str(&said.json(false).unwrap()).unwrap();
        for (field, said, meant) in [
            ("class", &said["class"], case.class.as_deref()),
            ("owner", &said["owner"], Some(case.owner.as_str())),
            ("policy", &said["policy"]["kind"], case.policy.as_deref()),
            ("caller", &said["caller"]["kind"], Some(case.caller.as_str())),
            ("effect", &said["effect"], case.effect.as_deref()),
            ("action", &said["action"], case.action.as_deref()),
            ("resource", &said["resource"], case.resource.as_deref()),
        ] {
            if said.as_str() != meant {
                wrong.push(format!("{field} is {said}, meant {meant:?}: {}", case.text));
            }
        }
        let short: String =
            case.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(110).collect();
        table.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            short.replace('|', "\\|"),
            case.class.as_deref().unwrap_or("–"),
            case.owner,
            case.policy.as_deref().unwrap_or("–"),
            case.caller,
            case.source
        ));
    }
    if let Some(path) = option_env!("CREDPROBE_TABLE_OF_TEXTS") {
        write_table(path, &table);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "a table for people, where they ask for it")]
fn write_table(path: &str, table: &str) {
    std::fs::write(path, table).unwrap();
}

const DENIAL: &str = "User: arn:aws:sts::814203749616:assumed-role/checkout-reader/botocore-session-1764000000 is not authorized \
    to perform: s3:GetObject on resource: \"arn:aws:s3:::shop-data/a.csv\" because no identity-based policy allows the s3:GetObject action";

#[test]
fn the_wrapping_does_not_matter() {
    let plain = json(DENIAL, None);
    assert_eq!(plain["class"], "permission-missing");
    assert_eq!(plain["resource"], "arn:aws:s3:::shop-data/a.csv");
    let quoted = serde_json::to_string(DENIAL).unwrap();
    let twice = serde_json::to_string(&quoted).unwrap();
    for wrapped in [
        format!(
            "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation: {DENIAL}"
        ),
        format!(
            "aws: [ERROR]: An error occurred (AccessDenied) when calling the GetObject operation: {DENIAL}"
        ),
        format!(
            "AccessDenied: {DENIAL}\n\tstatus code: 403, request id: 15614FDC57801E91, host id: 6Av1FXprlxRXDazevV+VEmp2Y9A="
        ),
        format!(
            "operation error S3: GetObject, https response error StatusCode: 403, RequestID: X, HostID: y, api error AccessDenied: {DENIAL}"
        ),
        format!(
            "software.amazon.awssdk.services.s3.model.S3Exception: {DENIAL} (Service: S3, Status Code: 403, Request ID: X)\n\tat a.b.C.d(C.java:1)"
        ),
        format!(
            "com.amazonaws.services.s3.model.AmazonS3Exception: {DENIAL} (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)"
        ),
        format!(
            "AccessDenied: {DENIAL}\n    at throwDefaultError (/app/node_modules/@smithy/smithy-client/dist-cjs/index.js:388:20) {{\n  '$fault': 'client',"
        ),
        format!(
            "service error: unhandled error (AccessDenied): Error {{ code: \"AccessDenied\", message: {quoted} }}"
        ),
        format!(
            "Amazon.S3.AmazonS3Exception: {DENIAL}\n ---> Amazon.Runtime.Internal.HttpErrorResponseException: Exception"
        ),
        format!(
            "│ Error: reading S3 Object: api error AccessDenied: {DENIAL}\n│ \n│   with data.aws_s3_object.a,\n│   on main.tf line 1\n╵"
        ),
        format!("{{\"level\":\"error\",\"msg\":{quoted},\"ts\":1764000000.1}}"),
        format!("{{\"log\":{twice},\"stream\":\"stderr\"}}"),
        format!("time=\"2025-11-24T16:00:00Z\" level=error msg={quoted}"),
        format!(
            "<Error><Code>AccessDenied</Code><Message>{}</Message><RequestId>X</RequestId></Error>",
            DENIAL.replace('"', "&quot;")
        ),
        DENIAL.replace(" on resource", "\non resource").replace(" because", "\nbecause"),
        DENIAL
            .replace("is not authorized to", "is not authorized\nto")
            .replace("identity-based policy", "identity-based\r\n  policy"),
        DENIAL.replace("perform: ", "perform:\n     | ").replace(" on resource: ", " on resource:\n     | "),
        format!("> {}", DENIAL.replace(" because", " \n> because")),
        format!(
            "GET /error?e={} HTTP/1.1",
            DENIAL.replace(':', "%3A").replace('/', "%2f").replace('"', "%22").replace(' ', "%20")
        ),
        DENIAL.replace(':', "%3A").replace('/', "%2F").replace('"', "%22").replace(' ', "+"),
        DENIAL.replace(' ', "&nbsp;").replace('"', "&#x27;"),
        format!("{DENIAL}\n2025-11-24T16:00:01Z retrying in 5s\n"),
    ] {
        assert_eq!(json(&wrapped, None), plain, "{wrapped}");
    }
}

#[test]
fn a_node_that_is_not_known_is_told_of_its_own_entry_and_401_of_others_is_not_the_clusters() {
    let kubelet =
        explained("kubelet[1]: \"Failed to ensure lease exists, will retry\" err=\"Unauthorized\"", None);
    let said = kubelet.unwrap().text();
    assert!(said.contains("EC2_LINUX") && said.contains("system:nodes"), "{said}");
    for text in [
        "kubelet[1]: \"Failed to pull image\" err=\"failed to authorize: unexpected status: 401 Unauthorized\"",
        "failed to fetch the chart: HTTP Error 401: Unauthorized",
        "failed to log in: UnauthorizedException: no session",
    ] {
        assert!(explained(text, None).is_none(), "{text}");
    }
    let agent = "failed to refresh: (AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role";
    assert_eq!(json(agent, None)["class"], "agent-access-denied");
    let ec2 = "failed to provision volume: UnauthorizedOperation: You are not authorized to perform this operation.";
    assert_eq!(json(ec2, None)["class"], "permission-missing");
}

#[test]
fn a_refusal_of_the_file_system_or_of_another_server_is_not_awss() {
    for text in [
        "java.nio.file.AccessDeniedException: /var/lib/app/data.csv",
        "Caused by: java.nio.file.AccessDeniedException: C:\\data\\s3.csv",
        "failed to resolve reference \"registry.example.com/a:1\": unexpected status: 403 Forbidden",
        "User is not authorized to perform this action",
        "Access denied for user 'root'@'localhost'",
    ] {
        assert!(explained(text, None).is_none(), "{text}");
    }
}

#[test]
fn a_log_of_powershell_is_utf_16() {
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let text = format!("\u{feff}first\r\n{DENIAL}\r\nlast");
        let mut log = Log::default();
        log.take(&text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>());
        let said: Value = serde_json::from_str(&log.explain(None).unwrap().json(false).unwrap()).unwrap();
        assert_eq!(said, json(DENIAL, None));
    }
}

#[test]
fn who_called_is_held_against_the_pods_own_role() {
    let own = "arn:aws:iam::814203749616:role/team/checkout-reader";
    assert_eq!(json(DENIAL, Some(own))["caller"]["kind"], "pod-role");
    assert_eq!(json(DENIAL, Some(own))["owner"], "iam");
    for other in [
        "arn:aws:iam::814203749616:role/checkout",
        "arn:aws:iam::814203749617:role/checkout-reader",
        "arn:aws-cn:iam::814203749616:role/checkout-reader",
    ] {
        let said = json(DENIAL, Some(other));
        assert_eq!(
            (&said["caller"]["kind"], &said["owner"]),
            (&Value::from("other"), &Value::from("pod")),
            "{other}"
        );
    }
    assert_eq!(json(DENIAL, None)["caller"]["kind"], "other");
    // A session of the node is the node's, whatever its role is called.
    let node = DENIAL.replace("botocore-session-1764000000", "i-0ee6bc34b33c65e12");
    let said = json(&node, Some(own));
    assert_eq!((&said["caller"]["kind"], &said["owner"]), (&Value::from("node-role"), &Value::from("pod")));
    let pod_identity = DENIAL
        .replace("botocore-session-1764000000", "eks-prod-checkout-7-16f667fa-1fcd-4d5c-8a1a-0123456789ab");
    assert_eq!(json(&pod_identity, None)["caller"]["kind"], "pod-identity");
    assert_eq!(json(&pod_identity, Some(own))["caller"]["kind"], "pod-role");
}

#[test]
fn the_last_recognised_line_decides_and_the_others_are_counted() {
    let log = format!("Unable to locate credentials\nnothing\n{DENIAL}\n{DENIAL}\nRate exceeded\nthe end\n");
    let said = explained(&log, None).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&said.json(true).unwrap()).unwrap()["class"], "throttled");
    let text = said.text();
    assert!(text.contains("also     not-injected once, permission-missing 2 times"), "{text}");
    assert!(explained("nothing\nof this is known", None).is_none());
    assert!(explained("", None).is_none());
}

#[test]
fn a_text_that_only_wraps_yields_to_the_cause_above_it() {
    let wrapper = "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255";
    assert_eq!(json(wrapper, None)["class"], Value::Null);
    let cause = "An error occurred (AccessDenied) when calling the AssumeRole operation: Roles may not be assumed by root accounts.";
    let said = explained(&format!("{cause}\n{wrapper}\nand more\n{wrapper}"), None).unwrap();
    assert!(said.text().starts_with("# ✗ role-chain-denied 66: "), "{}", said.text());
    assert!(said.text().contains("also     another known text 2 times"), "{}", said.text());
    // What happened long before is another matter, and what follows decides as ever.
    let far = format!("{cause}\n{}{wrapper}", "a line\n".repeat(40));
    assert_eq!(json(&far, None)["class"], Value::Null);
    assert_eq!(json(&format!("{wrapper}\n{cause}"), None)["class"], "role-chain-denied");
}

#[test]
fn the_fields_are_the_contracts() {
    let said = json(DENIAL, None);
    let names: Vec<&String> = said.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "action", "caller", "class", "effect", "owner", "policy", "resource", "schema", "steps",
            "summary", "who"
        ]
    );
    assert_eq!(said["schema"], "credprobe/explanation/v1");
    for step in said["steps"].as_array().unwrap() {
        let names: Vec<&String> = step.as_object().unwrap().keys().collect();
        assert_eq!(names, ["changes", "kind", "run", "say", "when"]);
        assert_eq!(step["kind"] == "change", !step["changes"].is_null(), "{step}");
    }
}

#[test]
fn the_statement_to_add_has_exactly_that_action_and_resource() {
    let said = json(DENIAL, None);
    let runs: Vec<&str> =
        said["steps"].as_array().unwrap().iter().filter_map(|step| step["run"].as_str()).collect();
    let put = runs.iter().find(|run| run.contains("put-role-policy")).unwrap();
    assert!(put.starts_with("test \"$(aws sts get-caller-identity --query Account --output text)\" = 814203749616 && aws iam put-role-policy --role-name checkout-reader --policy-name allow-GetObject-"), "{put}");
    assert!(put.ends_with(r#"--policy-document '{"Statement":[{"Action":"s3:GetObject","Effect":"Allow","Resource":"arn:aws:s3:::shop-data/a.csv"}],"Version":"2012-10-17"}'"#), "{put}");
    for (hostile, why) in [
        (DENIAL.replace("s3:GetObject", "iam:PassRole"), "it hands out rights"),
        (DENIAL.replace("s3:GetObject", "IAM:PutRolePolicy"), "IAM ignores the case"),
        (DENIAL.replace("s3:GetObject", "kms:PutKeyPolicy"), "a key’s policy"),
        (DENIAL.replace("s3:GetObject", "s3:PutBucketPolicy"), "a bucket’s policy"),
        (DENIAL.replace("s3:GetObject", "lambda:AddPermission"), "a function’s policy"),
        (DENIAL.replace("s3:GetObject", "eks:CreateAccessEntry"), "who may enter a cluster"),
        (
            DENIAL.replace("s3:GetObject", "sts:AssumeRole").replace("\"arn:aws:s3:::shop-data/a.csv\"", "*"),
            "every role",
        ),
        (
            DENIAL.replace("checkout-reader/", "check\u{1b}[1mout-reader/"),
            "a role’s name with an escape in it",
        ),
        (DENIAL.replace("checkout-reader/", "check\nout-reader/"), "a role’s name with a line’s end in it"),
        (DENIAL.replace("checkout-reader/", "checkout.../"), "a shortened name"),
        (DENIAL.replace("checkout-reader/", "checkout-<env>/"), "a placeholder"),
        (DENIAL.replace("shop-data/a.csv", "shop-data/$(touch x)"), "a substitution"),
        (DENIAL.replace("shop-data/a.csv", "shop-data/a'b"), "a quotation mark"),
        (
            DENIAL.replace("shop-data/a.csv", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            "what looks like a secret",
        ),
        (DENIAL.replace("assumed-role/checkout-reader", "assumed-role/--help"), "an option"),
        (DENIAL.replace("814203749616", "8142"), "no account"),
    ] {
        let said = json(&hostile, None);
        let runs = said["steps"].as_array().unwrap().iter().filter_map(|step| step["run"].as_str());
        assert!(runs.into_iter().all(|run| !run.contains("put-role-policy")), "{why}: {hostile}");
    }
}

#[test]
fn the_encoded_part_is_decoded_and_not_said_again() {
    let encoded =
        "0l-KPWQJ8q5z3YatP3Ybgb5lf0dibDhN6KaE3jQ5Bu4hNkP1BxfK_Ou0od0P3xrofimLgvlM48imjT5fahAkH-Yxaqlb";
    let said = explained(&format!("UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: {encoded}"), None).unwrap();
    let (text, json) = (said.text(), said.json(false).unwrap());
    assert!(text.contains("--encoded-message \"${encoded:?is not set}\""), "{text}");
    for part in encoded.as_bytes().windows(16) {
        let part = std::str::from_utf8(part).unwrap();
        assert!(!text.contains(part) && !json.contains(part));
    }
}

#[test]
fn each_heading_of_the_pages_is_found_again() {
    let rows = super::texts::PAGES.iter().flat_map(|rows| rows.iter());
    let wrong = rows.filter_map(|row| {
        let said = explained(row.docs.heading, None).map(|said| said.class);
        (said != Some(row.class)).then(|| format!("{}: {said:?}", row.docs.heading))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks the form of a report: a headline, comments without characters that a shell reads, and commands at column 0.
pub(super) fn is_in_form(text: &str) {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("# ✗ ") && first.chars().count() <= 100, "{first}");
    for line in lines {
        let Some(prose) = line.strip_prefix("# ") else {
            assert!(
                line.is_empty()
                    || ["aws ", "kubectl ", "credprobe ", "test "]
                        .iter()
                        .any(|begin| line.starts_with(begin)),
                "{line:?}"
            );
            continue;
        };
        assert!(
            !prose.contains([
                '`', '$', '\'', '"', '\\', ';', '&', '|', '<', '>', '(', ')', '[', ']', '{', '}', '*', '?',
                '~', '^', '#', '!'
            ]),
            "{line}"
        );
        assert!(
            line.chars().count() <= 80 || prose.split_whitespace().any(|word| word.chars().count() > 30),
            "{line}"
        );
        assert!(!line.chars().any(|c| c.is_control()), "{line:?}");
    }
}

#[test]
fn the_texts_form_is_a_script_whose_prose_is_comments() {
    for case in cases() {
        is_in_form(&explained(&case.text, None).unwrap().text());
    }
    for row in super::texts::PAGES.iter().flat_map(|rows| rows.iter()) {
        if let Some(said) = explained(row.docs.heading, None) {
            is_in_form(&said.text());
        }
    }
}

fn said_of(text: &str, expected: Option<&str>) -> String {
    explained(text, expected)
        .unwrap()
        .text()
        .split_whitespace()
        .filter(|word| *word != "#")
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn what_to_do_depends_on_who_called_and_on_the_action() {
    let node = |action: &str| {
        DENIAL.replace("botocore-session-1764000000", "i-0ee6bc34b33c65e12").replace("s3:GetObject", action)
    };
    let user = "User: arn:aws:iam::814203749616:user/team/ci is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::b/k\"";
    let assumes = |role: &str| {
        format!(
            "User: arn:aws:sts::814203749616:assumed-role/cert-manager/1675610660 is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{role}"
        )
    };
    let tags = |session: &str| {
        format!(
            "User: arn:aws:sts::814203749616:assumed-role/a/{session} is not authorized to perform: sts:TagSession on resource: arn:aws:iam::814203749617:role/b"
        )
    };
    let key = "User: arn:aws:sts::814203749616:assumed-role/a/s is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because";
    let forbidden = |user: &str| {
        format!(
            "Error from server (Forbidden): pods is forbidden: User \"{user}\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
        )
    };
    for (text, expected, meant, never) in [
        (node("ecr:BatchGetImage"), None, "AmazonEC2ContainerRegistryPullOnly", "Do not give"),
        (node("ssmmessages:CreateControlChannel"), None, "AmazonSSMManagedInstanceCore", "Do not give"),
        (node("ec2:AssignPrivateIpAddresses"), None, "AmazonEKS_CNI_Policy", "Do not give"),
        (node("s3:GetObject"), None, "Do not give this permission", "attach"),
        (node("eks-auth:AssumeRoleForPodIdentity"), None, "Attach AmazonEKSWorkerNodePolicy", "Do not give"),
        (
            DENIAL.to_owned(),
            Some("arn:aws:iam::814203749617:role/app"),
            "assumes that one on purpose",
            "put-role-policy",
        ),
        (user.to_owned(), None, "aws iam list-attached-user-policies --user-name ci", "role-name"),
        (assumes("814203749616:role/cert-manager"), None, "told to assume itself", "add one for"),
        (assumes("814203749617:role/cert-manager"), None, "add one for role cert-manager", "itself"),
        (tags("token-file-web-identity"), None, "role-skip-session-tagging", "Pod Identity"),
        (
            tags("eks-prod-a-7-16f667fa-1fcd-4d5c-8a1a-0123456789ab"),
            None,
            "EKS Pod Identity carry",
            "role-skip",
        ),
        (
            DENIAL
                .replace("botocore-session-1764000000", "eks-deploy-prod-us-east-1")
                .replace("identity-based", "session"),
            None,
            "passed with AssumeRole",
            "association",
        ),
        (
            format!("{key} no identity-based policy allows the kms:Decrypt action"),
            None,
            "on the key of that ciphertext",
            "on all",
        ),
        (
            format!(
                "{key} the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
            ),
            None,
            "in another region, or deleted",
            "policies of the role",
        ),
        (DENIAL.replace("s3:GetObject", "s3:*"), None, "AWS names one action", "Add a statement"),
        ("api error Forbidden: Forbidden".to_owned(), None, "A HEAD request has no body", "stated access"),
        (
            forbidden("system:serviceaccount:shop:checkout"),
            None,
            "RBAC does not let service account shop/checkout",
            "aws-auth",
        ),
        (forbidden("system:serviceaccount:shop:default"), None, "a service account of its own", "aws-auth"),
        (forbidden("system:kube-scheduler"), None, "Restore the bindings", "aws-auth"),
        (forbidden("system:node:i-0ee6bc34b33c65e12"), None, "type EC2_LINUX", "access policy"),
        (forbidden("alice"), None, "A line of aws-auth maps it", "rbac.create"),
    ] {
        let said = said_of(&text, expected);
        assert!(said.contains(meant) && !said.contains(never), "{meant:?}, not {never:?}: {text}\n{said}");
    }
}
