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
    // A quotation in a mail or in Markdown.
    if out.starts_with("> ") {
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
        Some(c @ ('"' | '\'' | '/')) => (c, slashes + 1),
        _ => (' ', slashes),
    }
}

fn entity(text: &str) -> Option<(char, usize)> {
    const ENTITIES: &[(&str, char)] = &[
        ("&quot;", '"'),
        ("&#34;", '"'),
        ("&#39;", '\''),
        ("&apos;", '\''),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&amp;", '&'),
    ];
    ENTITIES.iter().find(|(name, _)| text.starts_with(name)).map(|(name, c)| (*c, name.len()))
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
            ("doesn’t  \t match ", "doesn't match"),
            ("\\", ""),
            (r"\u12", "u12"),
            ("&", "&"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(plain(line.as_bytes()), meant, "{line}");
        }
    }
}
