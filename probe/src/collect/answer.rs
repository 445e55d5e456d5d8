//! Reads STS responses leniently: error fields by their local name, at any place, whatever the root and the namespace.
//! The SDK does not keep `Date` and gives up on bare `<Error>` documents.

use aws_smithy_types::date_time::{DateTime, Format};
use http::HeaderMap;
use xmlparser::{ElementEnd, Token, Tokenizer};

/// The XML namespace of every STS document.
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Elements are three levels deep in an error document. A deeper document is not one.
const DEPTH_LIMIT: usize = 16;

/// The fields of an error document.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// Whether the root has STS's namespace or is `ErrorResponse`. Other AWS services have other namespaces.
    pub(super) from_sts: bool,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
}

/// Reads an error document; empty if `body` is not XML.
pub(super) fn error(body: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let from_sts = elements(body, |element, text| answer.take(element, text));
    Answer { from_sts: from_sts == Some(true), ..if from_sts.is_some() { answer } else { Answer::default() } }
}

/// Calls `take` with each element's local name and text. Returns whether the document has STS's form. `None`: it is a web page.
pub(super) fn elements(body: &[u8], mut take: impl FnMut(&str, &str)) -> Option<bool> {
    let mut from_sts = false;
    let Ok(text) = std::str::from_utf8(body) else { return Some(false) };
    let mut path: Vec<&str> = Vec::new();
    let mut elements = 0_usize;
    for token in Tokenizer::from(text) {
        let Ok(token) = token else { break };
        match token {
            Token::ElementStart { local, .. } => {
                if elements == 0 && local.as_str().eq_ignore_ascii_case("html") {
                    return None;
                }
                from_sts |= elements == 0 && local == "ErrorResponse";
                elements += 1;
                path.push(local.as_str());
                if path.len() > DEPTH_LIMIT {
                    break;
                }
            }
            Token::Attribute { prefix, local, value, .. } if elements == 1 => {
                from_sts |= prefix.is_empty() && local == "xmlns" && value == NAMESPACE;
            }
            Token::ElementEnd { end: ElementEnd::Close(..) | ElementEnd::Empty, .. } => {
                path.pop();
            }
            Token::Text { text } | Token::Cdata { text, .. } => {
                take(path.last().copied().unwrap_or_default(), text.as_str());
            }
            _ => {}
        }
    }
    Some(from_sts)
}

impl Answer {
    fn take(&mut self, element: &str, text: &str) {
        let text = text.trim();
        let slot = match element {
            "Code" => &mut self.code,
            "Message" => &mut self.message,
            "RequestId" | "RequestID" => &mut self.request_id,
            _ => return,
        };
        if !text.is_empty() && slot.is_none() {
            *slot = Some(unescape(text));
        }
    }
}

/// Resolves the five entities of XML and numeric references. Anything else stays unchanged.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.split_once(';').map(|(entity, _)| entity).filter(|e| e.len() <= 9);
        let Some((entity, c)) = entity.and_then(|e| Some((e, character(&e[1..])?))) else {
            out.push('&');
            rest = &rest[1..];
            continue;
        };
        out.push(c);
        rest = &rest[entity.len() + 1..];
    }
    out.push_str(rest);
    out
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// A header as trimmed text (STS has been seen to send a blank before a request id).
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| text.chars().take(128).collect())
}

/// The `Date` header, in seconds since the epoch.
pub(super) fn http_date(headers: &HeaderMap) -> Option<i64> {
    let text = header(headers, "date")?;
    DateTime::from_str(&text, Format::HttpDate).ok().map(|date| date.secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_shape_is_read() {
        let body = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error>
    <Type>Sender</Type>
    <Code>InvalidIdentityToken</Code>
    <Message>Couldn't retrieve &amp; verify &#x41;</Message>
  </Error>
  <RequestId> 00000000-0000-0000-0000-000000000000</RequestId>
</ErrorResponse>"#;
        assert_eq!(
            error(body.as_bytes()),
            Answer {
                from_sts: true,
                code: Some("InvalidIdentityToken".to_owned()),
                message: Some("Couldn't retrieve & verify A".to_owned()),
                request_id: Some("00000000-0000-0000-0000-000000000000".to_owned()),
            }
        );
    }

    #[test]
    fn a_bare_error_without_namespace_is_read() {
        let answer =
            error(b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message></Message></Error>");
        assert_eq!((answer.code.as_deref(), answer.from_sts), (Some("AccessDenied"), false));
    }

    #[test]
    fn a_page_is_no_answer() {
        assert_eq!(error(b"<html><body><Code>403</Code></body></html>"), Answer::default());
        assert_eq!(error(b"{\"Code\":1}"), Answer::default());
    }
}
