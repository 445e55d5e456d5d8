//! Restores a line as its author wrote it: without a log's escapes, XML entities, terminal colours and frames.
//! So one grammar can read what reached the log through JSON, XML or Terraform's boxes.

/// Collapses white space to one blank and makes quotation marks ASCII.
pub(super) fn plain(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let mut out = String::with_capacity(line.len());
    let mut rest = line.as_ref();
    while let Some(c) = rest.chars().next() {
        let (shown, length) = match c {
            '\\' => escape(rest),
            '&' => entity(rest).unwrap_or(('&', 1)),
            '\u{1b}' => (' ', colour(rest)),
            '│' | '╷' | '╵' | '┃' | '┆' | '╎' => (' ', c.len_utf8()),
            '‘' | '’' => ('\'', c.len_utf8()),
            '“' | '”' => ('"', c.len_utf8()),
            c => (c, c.len_utf8()),
        };
        rest = &rest[length..];
        if !shown.is_whitespace() {
            out.push(shown);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    // A quotation in a mail or in Markdown, or the frame of a table.
    if out.starts_with("> ") || out.starts_with("| ") {
        out.drain(..2);
    }
    out
}

/// Backslashes, as many as nested logs have, and the character that they escape.
fn escape(text: &str) -> (char, usize) {
    let slashes = text.bytes().take_while(|byte| *byte == b'\\').count();
    let rest = &text[slashes..];
    match rest.chars().next() {
        Some('n' | 'r' | 't') => (' ', slashes + 1),
        Some('u') => {
            let code = rest.get(1..5).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            code.and_then(char::from_u32).map_or((' ', slashes), |c| (c, slashes + 5))
        }
        // Markdown escapes any of these.
        Some(c) if c.is_ascii_punctuation() && c != '&' => (c, slashes + 1),
        _ => (' ', slashes),
    }
}

fn entity(text: &str) -> Option<(char, usize)> {
    const NAMED: &[(&str, char)] =
        &[("quot", '"'), ("apos", '\''), ("lt", '<'), ("gt", '>'), ("amp", '&'), ("nbsp", ' ')];
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let c = match name.strip_prefix('#') {
        Some(code) => {
            let hex = code.strip_prefix(['x', 'X']).map(|code| u32::from_str_radix(code, 16));
            char::from_u32(hex.unwrap_or_else(|| code.parse()).ok()?)?
        }
        None => NAMED.iter().find(|(named, _)| *named == name)?.1,
    };
    Some((c, end + 1))
}

/// The line without the encoding of URLs, if it seems to have that. A form encodes blanks as `+`.
pub(super) fn decoded(line: &str) -> Option<String> {
    if !["%20", "%3A", "%3a", "%253A"].iter().any(|code| line.contains(code)) {
        return None;
    }
    let is_form = !line.contains("%20");
    let mut bytes = Vec::with_capacity(line.len());
    let mut at = 0;
    while let Some(byte) = line.as_bytes().get(at) {
        let code = line.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let code = code.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        at += if code.is_some() { 3 } else { 1 };
        bytes.push(code.unwrap_or(if is_form && *byte == b'+' { b' ' } else { *byte }));
    }
    Some(plain(&bytes))
}

/// The length of a sequence that begins with ESC.
fn colour(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\u{1b}[") else { return 1 };
    let length = rest.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b';')).count();
    2 + length + usize::from(rest.as_bytes().get(length).is_some_and(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn the_wrapping_of_a_log_is_taken_off() {
        for (line, meant) in [
            (
                r#"{"error":"AccessDenied: a\n\tstatus code: 403"}"#,
                r#"{"error":"AccessDenied: a status code: 403"}"#,
            ),
            (r#"msg=\\\"a\\\\n b\\\""#, r#"msg="a b""#),
            ("on resource: &quot;arn:aws:s3:::b&quot;", "on resource: \"arn:aws:s3:::b\""),
            ("│ Error: a\u{1b}[31m b\u{1b}[0m", "Error: a b"),
            (r"\u003cMessage\u003eUser", "<Message>User"),
            ("a&nbsp;b &#x27;c&#x27; &#39;d&#39; &lt;", "a b 'c' 'd' <"),
            ("&#xffffffff; &; &longer-than-that;", "&#xffffffff; &; &longer-than-that;"),
            (r"arn:aws:glue:\*:\*:a\_b", "arn:aws:glue:*:*:a_b"),
            ("doesn’t  \t match ", "doesn't match"),
            ("\\", ""),
            (r"\u12", "u12"),
            ("&", "&"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(plain(line.as_bytes()), meant, "{line}");
        }
    }

    #[test]
    fn the_encoding_of_urls_is_taken_off() {
        for (line, meant) in [
            ("e=User%3A%20a+b%2fc", Some("e=User: a+b/c")),
            ("e=User%3A+a+b%2Fc%22", Some("e=User: a b/c\"")),
            ("e=User%253A", Some("e=User%3A")),
            ("%20%%2%é%c3", Some("%%2%é\u{fffd}")),
            ("100%", None),
        ] {
            assert_eq!(super::decoded(line).as_deref(), meant, "{line}");
        }
    }
}
