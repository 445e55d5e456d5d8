//! The Pod Identity agent as a pod sees it: curl runs inside the pod, over the real addresses, and the record is read
//! afterwards. Each text is compared as a whole. Unit tests cover which check answers.

#![expect(clippy::unwrap_used, reason = "in a test, that is the report")]

use std::{fs, process::Command};

use serde_json::{Value, json};

/// The exit code for failures of the sandbox itself.
const SANDBOX_ERROR: i32 = 125;
/// What an SDK does: it sends the file's content as it is, without a scheme.
const FETCH: &str = r#"curl -sS -g -i --max-time 5 -H "Authorization: $(cat $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)" \
                       $AWS_CONTAINER_CREDENTIALS_FULL_URI"#;

/// The result of a script in the pod.
struct Run {
    code: Option<i32>,
    stdout: String,
    record: Value,
}

impl Run {
    /// `None` where this machine cannot build the pod.
    fn of(scenario: &str, script: &str) -> Option<Self> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_credprobe-sandbox"))
            .arg(format!("--keys={}", env!("CARGO_TARGET_TMPDIR")))
            .arg(format!("--record={}", file.path().display()))
            .args([&format!("--scenario={scenario}"), "--pod=always", "--", "sh", "-c", script])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(SANDBOX_ERROR) {
            let why = format!("{scenario}: {}", stderr.trim());
            assert!(std::env::var_os("CI").is_none(), "CI must build the pod, and could not: {why}");
            say(&format!("NOT TESTED HERE: {why}"));
            return None;
        }
        Some(Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            record: serde_json::from_str(&fs::read_to_string(file.path()).unwrap()).unwrap(),
        })
    }

    /// Status, content type and body.
    fn answer(&self) -> (u16, &str, &str) {
        let (head, body) = self.stdout.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let content_type = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
        (status, content_type, body)
    }
}

#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// Checks that the healthy request gets this text in each scenario.
fn agree(rows: &[(&str, u16, &str)]) {
    for (scenario, status, text) in rows {
        let Some(run) = Run::of(scenario, FETCH) else { return };
        assert_eq!(
            run.answer(),
            (*status, "text/plain; charset=utf-8", format!("{text}\n").as_str()),
            "{scenario}"
        );
        assert!(run.stdout.contains("x-content-type-options: nosniff\r\n"), "{}", run.stdout);
    }
}

#[test]
fn credentials_are_given_at_both_addresses_and_nobody_else_is_asked() {
    for (scenario, host) in
        [("pod-identity-healthy", "169.254.170.23"), ("pod-identity-healthy-ipv6", "[fd00:ec2::23]")]
    {
        let Some(run) = Run::of(scenario, FETCH) else { return };
        let (status, content_type, body) = run.answer();
        assert_eq!((status, content_type), (200, "application/json"), "{body}");
        let names: Vec<&str> = body.split('"').skip(1).step_by(4).collect();
        assert_eq!(names, ["AccessKeyId", "SecretAccessKey", "Token", "AccountId", "Expiration"]);
        let credentials: Value = serde_json::from_str(body).unwrap();
        assert_eq!(credentials["AccountId"], "814203749616");
        for secret in ["AccessKeyId", "SecretAccessKey", "Token"] {
            assert!(run.record["secrets"].as_array().unwrap().contains(&credentials[secret]), "{secret}");
        }
        let request = json!({
            "method": "GET", "path": "/v1/credentials", "host": host,
            "authorized": true, "raw_jwt": true, "status": 200,
        });
        assert_eq!(run.record["agent_requests"], json!([request]));
        assert_eq!(run.record["agent_connections"], 1);
        assert_eq!((&run.record["imds_connections"], &run.record["sts_connections"]), (&json!(0), &json!(0)));
    }
}

#[test]
fn sts_knows_whose_credentials_they_are() {
    let script = r#"
        body=$(curl -sS --max-time 5 -H "Authorization: $(cat $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)" \
               $AWS_CONTAINER_CREDENTIALS_FULL_URI)
        part() { printf %s "$body" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
        curl -sS --max-time 5 --cacert $AWS_CA_BUNDLE --aws-sigv4 aws:amz:eu-west-1:sts \
             --user "$(part AccessKeyId):$(part SecretAccessKey)" -H "x-amz-security-token: $(part Token)" \
             --data 'Action=GetCallerIdentity&Version=2011-06-15' https://sts.eu-west-1.amazonaws.com/"#;
    let Some(run) = Run::of("pod-identity-healthy", script) else { return };
    let (_, rest) = run.stdout.split_once("<Arn>").unwrap();
    let (arn, _) = rest.split_once("</Arn>").unwrap();
    let start = "arn:aws:sts::814203749616:assumed-role/checkout-reader/eks-prod-checkout-7-";
    assert_eq!(arn.strip_prefix(start).map(str::len), Some(36), "{arn}");
    assert!(arn.rsplit('/').next().unwrap().len() <= 64, "{arn}");
}

const UNAUTHORIZED: &str =
    "Unauthorized Exception! EKS does not have permissions to assume the associated role.";
const INVALID: &str = "The specified Kubernetes service account token is invalid.";
const NOT_FOUND: &str = "The specified resource could not be found.";

#[test]
fn a_new_agent_passes_on_what_eks_auth_says() {
    let says = |code: &str, message: &str| {
        format!("[c0ffee00-0000-4000-8000-000000000001]: ({code}): {message}, fault: client")
    };
    agree(&[
        ("pod-identity-trust-without-tag-session", 400, &says("AccessDeniedException", UNAUTHORIZED)),
        ("pod-identity-trust-of-irsa", 400, &says("AccessDeniedException", UNAUTHORIZED)),
        ("pod-identity-association-missing", 404, &says("ResourceNotFoundException", NOT_FOUND)),
        ("pod-identity-association-missing-ipv6", 404, &says("ResourceNotFoundException", NOT_FOUND)),
        ("pod-identity-audience-mismatch", 400, &says("InvalidTokenException", INVALID)),
        ("pod-identity-audience-of-sts", 400, &says("InvalidTokenException", INVALID)),
    ]);
}

#[test]
fn an_old_agent_wraps_it_into_a_500() {
    let says = |status: u16, code: &str, message: &str| {
        format!(
            "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, https response \
             error StatusCode: {status}, RequestID: c0ffee00-0000-4000-8000-000000000001, {code}: {message}"
        )
    };
    agree(&[
        (
            "pod-identity-trust-without-tag-session-old-agent",
            500,
            &says(400, "AccessDeniedException", UNAUTHORIZED),
        ),
        (
            "pod-identity-association-missing-old-agent",
            500,
            &says(404, "ResourceNotFoundException", NOT_FOUND),
        ),
        ("pod-identity-audience-mismatch-old-agent", 500, &says(400, "InvalidTokenException", INVALID)),
    ]);
}

#[test]
fn the_agent_itself_refuses_what_needs_no_eks_auth() {
    agree(&[
        (
            "pod-identity-token-expired",
            400,
            "Service account token failed basic claim validations: token is expired",
        ),
        (
            "pod-identity-token-not-yet-valid",
            400,
            "Service account token failed basic claim validations: token is not valid yet",
        ),
        (
            "pod-identity-token-bearer",
            400,
            "Service account token cannot be parsed: token is malformed: could not base64 decode header: \
             illegal base64 data at input byte 6",
        ),
        (
            "pod-identity-token-without-pod",
            500,
            "failed to get pod uid from service account token: token missing pod claims",
        ),
        ("pod-identity-rate-limited", 429, "Too Many Requests"),
        ("pod-identity-uri-wrong-path", 404, "404 page not found"),
    ]);
}

#[test]
fn without_a_token_or_under_another_name_nothing_is_given() {
    let script = r#"uri=$AWS_CONTAINER_CREDENTIALS_FULL_URI
        curl -sS --max-time 5 $uri; curl -sS --max-time 5 http://169.254.170.23/
        curl -sS --max-time 5 -H "Host: agent.local:80" $uri"#;
    let Some(run) = Run::of("pod-identity-healthy", script) else { return };
    assert_eq!(
        run.stdout,
        "Service account token cannot be empty\n404 page not found\n\
         Access Denied. Called agent through invalid address, please use either [169.254.170.23 fd00:ec2::23] address not agent.local\n"
    );
    let requests = run.record["agent_requests"].as_array().unwrap();
    let seen: Vec<_> = requests.iter().map(|seen| (&seen["authorized"], &seen["status"])).collect();
    let no = json!(false);
    assert_eq!(seen, [(&no, &json!(400)), (&no, &json!(404)), (&no, &json!(403))]);
}

#[test]
fn another_server_answers_with_a_page() {
    for (scenario, status) in [
        ("pod-identity-not-agent", 404),
        ("pod-identity-not-agent-200", 200),
        ("pod-identity-not-agent-503", 503),
    ] {
        let Some(run) = Run::of(scenario, FETCH) else { return };
        let (actual, content_type, body) = run.answer();
        assert_eq!((actual, content_type), (status, "text/html"));
        assert!(body.starts_with("<!DOCTYPE html>"), "{body}");
    }
}

/// curl's exit codes: 7 means that it could not connect, 28 that the time is up.
#[test]
fn where_nobody_answers_curl_ends_with_its_own_code() {
    let fetch = "curl -sS -g --max-time 1 $AWS_CONTAINER_CREDENTIALS_FULL_URI 2>/dev/null";
    for (scenario, code, connections) in [
        ("pod-identity-agent-silent", 28, json!(1)),
        ("pod-identity-agent-dropped", 28, json!(null)),
        ("pod-identity-agent-dropped-ipv6", 28, json!(null)),
        ("pod-identity-agent-down", 7, json!(null)),
        ("pod-identity-agent-down-ipv6", 7, json!(null)),
        ("pod-identity-without-agent", 7, json!(null)),
    ] {
        let Some(run) = Run::of(scenario, fetch) else { return };
        assert_eq!(run.code, Some(code), "{scenario}");
        assert_eq!(run.record["agent_connections"], connections, "{scenario}");
        assert_eq!(run.record["agent_requests"], json!([]), "{scenario}");
    }
}

#[test]
fn the_pod_has_what_the_webhook_injects_and_nothing_of_irsa() {
    let script = "env | grep -E '^AWS_(ROLE|WEB|CONT)' | sort; cd /run/secrets; echo */serviceaccount/*; \
                  readlink pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token";
    let Some(run) = Run::of("pod-identity-healthy", script) else { return };
    assert_eq!(
        run.stdout,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token\n\
         AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials\n\
         pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token\n..data/eks-pod-identity-token\n"
    );
    let run = Run::of("pod-identity-both", script).unwrap();
    for part in [
        "AWS_ROLE_ARN=arn:aws:iam::814203749616:role/checkout-reader\n",
        "AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/eks.amazonaws.com/serviceaccount/token\n",
        "eks.amazonaws.com/serviceaccount/token pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token\n",
    ] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    let irsa = Run::of("healthy", script).unwrap();
    assert!(!irsa.stdout.contains("AWS_CONTAINER"), "{}", irsa.stdout);
    assert_eq!(irsa.record["agent_connections"], json!(null));
}
