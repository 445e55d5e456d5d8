//! STS's two documents, a result and an error, in wire format.
//! Also how a document reaches the client: whole or damaged.

use crate::scenario::{self, Fault};

/// A document and how it is delivered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// All headers except the date.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) delivery: Delivery,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Delivery {
    Whole,
    /// A proxy's page instead.
    Html,
    /// Half of it, then the connection ends.
    Truncated,
    /// A byte now and then.
    Drip,
    /// The document, and after it far more than any STS answer.
    Huge,
    Never,
}

/// Why STS refuses a request.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }
}

impl Delivery {
    pub(crate) fn under(fault: Fault) -> Self {
        match fault {
            Fault::Html403 => Self::Html,
            Fault::TruncatedBody => Self::Truncated,
            Fault::SlowDrip => Self::Drip,
            Fault::HugeBody => Self::Huge,
            Fault::NoAnswer => Self::Never,
            // These happen before a request is read, or have their own text.
            Fault::None
            | Fault::Refuse
            | Fault::Drop
            | Fault::NoRoute
            | Fault::BlackHole
            | Fault::ResetInHandshake
            | Fault::ExpiredCertificate
            | Fault::ForeignCertificate
            | Fault::WrongNameCertificate
            | Fault::Throttled
            | Fault::InternalFailure
            | Fault::ServiceUnavailable => Self::Whole,
        }
    }
}

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

impl Answer {
    pub(crate) fn success(request_id: String, action: &str, result: &str, delivery: Delivery) -> Self {
        let body = format!(
            "<{action}Response xmlns=\"{NAMESPACE}\">\n  <{action}Result>\n{result}  </{action}Result>\n  \
             <ResponseMetadata>\n    <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n</{action}Response>\n"
        );
        Self { status: 200, headers: own_headers(request_id), body, delivery }
    }

    pub(crate) fn refusal(request_id: String, refusal: &Refusal, delivery: Delivery) -> Self {
        let at_fault = if refusal.status < 500 { "Sender" } else { "Receiver" };
        let body = format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>{at_fault}</Type>\n    <Code>{}</Code>\n    \
             <Message>{}</Message>\n  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
            escape(&refusal.code),
            escape(&refusal.message),
        );
        Self { status: refusal.status, headers: own_headers(request_id), body, delivery }
    }

    /// Another server's answer, unchanged.
    pub(crate) fn foreign(canned: &scenario::Answer, body: &str) -> Self {
        let headers = canned.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
        Self {
            status: canned.status,
            headers: headers.collect(),
            body: body.into(),
            delivery: Delivery::Whole,
        }
    }
}

fn own_headers(request_id: String) -> Vec<(String, String)> {
    vec![("x-amzn-requestid".into(), request_id), ("content-type".into(), "text/xml".into())]
}

/// Text for an XML element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_looks_like_the_captured_one() {
        let refusal = Refusal::new(400, "InvalidIdentityToken", "Incorrect token audience");
        let answer =
            Answer::refusal("b214072d-5c22-46e6-a6bd-b6a28c08a7f2".into(), &refusal, Delivery::Whole);
        assert_eq!(
            answer.body,
            r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error>
    <Type>Sender</Type>
    <Code>InvalidIdentityToken</Code>
    <Message>Incorrect token audience</Message>
  </Error>
  <RequestId>b214072d-5c22-46e6-a6bd-b6a28c08a7f2</RequestId>
</ErrorResponse>
"#
        );
    }

    #[test]
    fn markup_in_a_message_is_text() {
        let refusal = Refusal::new(503, "X", "a <b> & c");
        let answer = Answer::refusal("x".into(), &refusal, Delivery::Whole);
        assert!(answer.body.contains("<Message>a &lt;b&gt; &amp; c</Message>"));
        assert!(answer.body.contains("<Type>Receiver</Type>"));
    }
}
