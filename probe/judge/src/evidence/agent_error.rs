//! Parses the agent's error texts: its own, those of EKS Auth that it passes on, and the SDK's sentence in old agents. Pure.
//! Only the form; source: aws/eks-pod-identity-agent `pkg/errors`, `internal/validation` (sources.md, “The agent's answers”).

use crate::evidence::ErrorSource;

/// The parts of an error text.
#[derive(Debug, Default, PartialEq)]
pub struct Said<'a> {
    /// Who wrote the text.
    pub by: ErrorSource,
    /// The exception, if the text names one.
    pub code: Option<&'a str>,
    /// The sentence for people.
    pub message: &'a str,
    /// The request id of EKS Auth, if the text names it.
    pub request_id: Option<&'a str>,
    /// The HTTP status of EKS Auth's answer, if the text names it.
    pub upstream_status: Option<u16>,
}

/// How the agent's own texts begin.
const OWN: &[&str] = &[
    "Service account token ",
    "JWT signature validation failed",
    "Access Denied. Called agent ",
    "Too Many Requests",
    "404 page not found",
    "unable to fetch credentials from EKS Auth",
    "error getting credentials to cache",
    "fetched credentials are expired or will expire",
    "failed to get pod uid from service account token",
    // From version 0.2 on.
    "chained retriever:",
    "IMDS delegate",
    "delegate returned nil credentials",
    "service account is empty",
    "request to fetch credentials is empty",
    "Unable to serialize credentials",
    "building namespace mapping",
];

/// Parses a response body.
pub fn said(body: &str) -> Said<'_> {
    let text = body.trim();
    passed_on(text).or_else(|| wrapped(text)).unwrap_or_else(|| {
        // New agents print `[]` if there is neither a request id nor an exception.
        let own = text == "[]" || OWN.iter().any(|begin| text.starts_with(begin));
        let by = if own { ErrorSource::Agent } else { ErrorSource::Unknown };
        Said { by, message: text, ..Said::default() }
    })
}

/// Parses `[REQUEST ID]: (EXCEPTION): MESSAGE, fault: client`.
fn passed_on(text: &str) -> Option<Said<'_>> {
    let (request_id, rest) = text.strip_prefix('[')?.split_once("]: (")?;
    let (code, message) = rest.split_once(')')?;
    let message = message.strip_prefix(':').unwrap_or(message).trim();
    let message = match message.rsplit_once(", fault: ") {
        Some((message, "client" | "server" | "unknown")) => message,
        _ => message,
    };
    let request_id = Some(request_id).filter(|id| !id.is_empty());
    is_exception(code).then_some(Said {
        by: ErrorSource::EksAuth,
        code: Some(code),
        message,
        request_id,
        upstream_status: None,
    })
}

/// Parses `…: operation error EKS Auth: AssumeRoleForPodIdentity, … StatusCode: 400, RequestID: ID, EXCEPTION: MESSAGE`.
fn wrapped(text: &str) -> Option<Said<'_>> {
    let (before, rest) = text.split_once("StatusCode: ")?;
    if !before.contains("EKS Auth") && !before.starts_with("error getting credentials to cache") {
        return None;
    }
    let (status, rest) = rest.split_once(',')?;
    let upstream_status = Some(status.parse().ok()?);
    let (request_id, rest) = match rest.trim_start().strip_prefix("RequestID: ") {
        Some(rest) => rest.split_once(',').unwrap_or((rest, "")),
        None => ("", rest),
    };
    let request_id = Some(request_id.trim()).filter(|id| !id.is_empty());
    let rest = rest.trim();
    let sentence = rest.strip_prefix("api error ").unwrap_or(rest);
    Some(match sentence.split_once(": ").filter(|(code, _)| is_exception(code)) {
        Some((code, message)) => {
            Said { by: ErrorSource::EksAuth, code: Some(code), message, request_id, upstream_status }
        }
        None => Said { by: ErrorSource::Agent, code: None, message: text, request_id, upstream_status },
    })
}

/// Whether the name has the form of an exception in the SDKs' models.
fn is_exception(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ages_of_the_agent_name_the_same_exception() {
        let new = "[c0ffee]: (AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the associated role., fault: client\n";
        let old = "unable to fetch credentials from EKS Auth: operation error EKS Auth: AssumeRoleForPodIdentity, https response error StatusCode: 400, RequestID: c0ffee, AccessDeniedException: Unauthorized Exception! EKS does not have permissions to assume the associated role.\n";
        for (body, upstream_status) in [(new, None), (old, Some(400))] {
            let expected = Said {
                by: ErrorSource::EksAuth,
                code: Some("AccessDeniedException"),
                message: "Unauthorized Exception! EKS does not have permissions to assume the associated role.",
                request_id: Some("c0ffee"),
                upstream_status,
            };
            assert_eq!(said(body), expected, "{body}");
        }
    }

    #[test]
    fn a_text_of_nobody_known_is_nobodys() {
        for body in
            ["<html>503</html>", "", "[a]: b", "StatusCode: 400, x", "{\"message\":\"Too Many Requests\"}"]
        {
            assert_eq!(said(body).by, ErrorSource::Unknown, "{body}");
        }
    }
}
