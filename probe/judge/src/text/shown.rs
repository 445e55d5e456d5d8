//! Decides what may be printed of a text from outside: no token, no key id, no user info of a URL, no invisible character.
//! Values pass `value` or `url` on input, evidence passes `redacted`, and all output passes `escaped` or `json`.

use super::internal_error_line;
use crate::text::redactor::{Redactor, percent_decoded};
use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memchr3, memchr3_iter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt::Write as _;

pub(crate) const A_TOKEN: &str = "[a token]";
const A_KEY_ID: &str = "[a key id]";
const NOT_SHOWN: &str = "[not shown]";

/// The length, in bytes, from which a piece counts as part of a secret.
const PART: usize = 16;

/// The schemes that may come before a password in a URL. Any other word there may be half of a password.
const SCHEMES: &[&str] =
    &["http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h", "tcp", "unix", "file"];

/// A flag, a variable, a setting or a field of the downward API. All of it is one value, including blanks.
#[must_use]
pub fn value(text: &str) -> String {
    match scheme_of(text) {
        Some(start) => without_secrets(&format!("{}{}", &text[..start], url(&text[start..]))).into_owned(),
        None if is_user_at_host(text) => url(text),
        None => without_secrets(text).into_owned(),
    }
}

/// Whether the text is `user:password@host`. IAM names and file names may also contain an `@`.
fn is_user_at_host(text: &str) -> bool {
    let user_info = text.rsplit_once('@').map(|(user_info, _)| user_info);
    user_info.is_some_and(|user_info| user_info.contains(':'))
        && !text.starts_with("arn:")
        && !text.starts_with('/')
        && !text.split_whitespace().all(is_access)
}

/// Whether the text is `s3:ListBucket=arn:…@us-east-2`, as in `--expect-access`, where a region follows the `@`.
fn is_access(text: &str) -> bool {
    let Some((action, rest)) = text.split_once('=') else { return false };
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_region = |text: &str| text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    action.split_once(':').is_some_and(|(service, name)| is_word(service) && is_word(name))
        && (rest.starts_with("arn:") || rest == "*" || rest.strip_prefix("*@").is_some_and(is_region))
}

/// An argument: a flag and its value, or one of them. `redactor` knows the credentials in the environment.
#[must_use]
pub fn argument(text: &str, redactor: &Redactor) -> String {
    let scrubbed = redactor.hide(text);
    let text = scrubbed.as_deref().unwrap_or(text);
    match text.split_once('=').filter(|_| text.starts_with("--")) {
        Some((flag, given)) => format!("{}={}", value(flag), value(given)),
        None => value(text),
    }
}

/// A URL without user info, query and fragment: proxies have passwords in the user info, presigned URLs have keys in the query.
/// Passwords often contain an unescaped `@`, `/`, `?` or `#`. The last `@` ends the user info. If one of the other characters
/// comes before it, host and password cannot be told apart, and neither is shown.
#[must_use]
pub fn url(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| {
        let is_scheme = SCHEMES.iter().any(|known| scheme.trim().eq_ignore_ascii_case(known));
        if is_scheme || !text.contains('@') { (scheme, rest) } else { ("", text) }
    });
    let until = |rest: &str, ends: &[char]| rest.find(ends).unwrap_or(rest.len());
    let shown = match rest.rfind('@') {
        Some(at) if at > until(rest, &['/', '?', '#']) => NOT_SHOWN,
        at => {
            let rest = &rest[at.map_or(0, |at| at + 1)..];
            &rest[..until(rest, &['?', '#'])]
        }
    };
    let separator = if scheme.is_empty() { "" } else { "://" };
    without_secrets(&format!("{scheme}{separator}{shown}")).into_owned()
}

/// The typical length of evidence as JSON, in bytes. A growing buffer would be copied and wiped each time.
const USUAL_LENGTH: usize = 6 * 1024;

/// `seen` without what `redactor` knows, and without tokens, key ids and user info, in any field.
/// `None`: it does not survive the way through JSON, which is a bug. Then nothing of it may be kept.
#[must_use]
pub(crate) fn seen<T: Serialize + DeserializeOwned>(seen: T, redactor: &Redactor) -> Option<T> {
    let mut json = Vec::with_capacity(USUAL_LENGTH);
    serde_json::to_writer(&mut json, &seen).ok()?;
    let json = String::from_utf8(json).ok()?;
    if is_clean(&json, redactor) {
        return Some(seen);
    }
    match each_string(&json, &|text| kept(text, redactor)) {
        None => Some(seen),
        Some(json) => serde_json::from_slice(json.as_bytes()).ok(),
    }
}

/// Whether, after one pass, no string can contain what `kept` looks for. That is true for nearly all evidence.
/// `false` proves nothing: an escape may be any character. A URL loses something only if it has one of three characters.
fn is_clean(json: &str, redactor: &Redactor) -> bool {
    let bytes = json.as_bytes();
    memchr(b'\\', bytes).is_none()
        && memchr3(b'@', b'?', b'#', bytes).is_none()
        && !may_hold_one(bytes)
        && holds_nothing_known(json, redactor)
}

/// Checks the strings of a document that has no escapes.
fn holds_nothing_known(json: &str, redactor: &Redactor) -> bool {
    let mut start = 0;
    memchr_iter(b'"', json.as_bytes()).all(|quote| {
        let text = &json[start..quote];
        start = quote + 1;
        text.len() < PART || redactor.hide(text).is_none()
    })
}

/// A serialised document, ready for output. A failure is a bug, and the error is the line that says so. Only this crate serialises
/// a report, so that its code exists once.
pub(crate) fn serialised(document: serde_json::Result<String>) -> Result<String, String> {
    match document {
        Ok(document) => Ok(json(&document)),
        Err(error) => Err(internal_error_line(&format!("the answer does not serialise ({error})"))),
    }
}

/// A JSON document of an earlier run, reduced to what `seen` would have kept.
#[must_use]
pub fn document(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    // A document from outside may escape any character.
    if !may_hold_one(bytes) && memchr(b'@', bytes).is_none() && !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    each_string(json, &|text| kept(text, &Redactor::default())).map_or(Cow::Borrowed(json), Cow::Owned)
}

/// A JSON document for output. Invisible characters are escaped, which does not change its values.
#[must_use]
pub fn json(document: &str) -> String {
    let cut = may_hold_one(document.as_bytes())
        .then(|| each_string(document, &|text| changed(text, without_secrets(text))))
        .flatten();
    let document = cut.as_deref().unwrap_or(document);
    if document.bytes().all(|byte| byte < 0x7f) {
        return document.to_owned();
    }
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        // ASCII control characters except DEL are escaped already, or are the document's own line breaks.
        if c >= '\u{7f}' && hides(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A text for a terminal, a log, a page or the termination message. Invisible characters become `\u{…}`.
#[must_use]
pub fn escaped(text: &str) -> String {
    let text = without_secrets(text);
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A text for the prose of a report, whose lines are shell comments. If it is pasted, none of it may be executed or left open.
/// Apostrophes and quotation marks become typographic; other shell characters and invisible characters become `·`.
#[must_use]
pub fn prose(text: &str) -> String {
    let text = without_secrets(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' => out.push('’'),
            '"' if out.ends_with([' ', '·', '“', '=']) || out.is_empty() => out.push('“'),
            '"' => out.push('”'),
            '`' | '$' | '\\' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '*'
            | '?' | '~' | '^' | '#' | '!' => out.push('·'),
            c if hides(c) => out.push('·'),
            c => out.push(c),
        }
    }
    out
}

/// Control characters, characters that change the direction of text (CVE-2021-42574), and characters without width.
const fn hides(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{61c}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Where a URL begins.
fn scheme_of(text: &str) -> Option<usize> {
    let end = text.find("://")?;
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    Some(text[..end].trim_end_matches(of_scheme).len())
}

/// A string of the evidence. A peer's sentence may contain several URLs; a value is one word.
fn kept(text: &str, redactor: &Redactor) -> Option<String> {
    let scrubbed = redactor.hide(text);
    let kept = scrubbed.as_deref().unwrap_or(text);
    let mut words = String::new();
    // Hardly any string has a colon, and a search for three characters at once costs more.
    if memchr(b':', kept.as_bytes()).is_some() && kept.contains("://") {
        for word in kept.split_inclusive([' ', '\n', '\t', '"', '`', '\'']) {
            match scheme_of(word) {
                Some(start) => {
                    let bare = word.trim_end_matches([' ', '\n', '\t', '"', '`', '\'']);
                    let _ = write!(words, "{}{}{}", &word[..start], url(&bare[start..]), &word[bare.len()..]);
                }
                None => words.push_str(word),
            }
        }
    }
    let kept = if words.is_empty() { kept } else { &words };
    changed(text, without_secrets(kept))
}

fn changed(before: &str, after: Cow<'_, str>) -> Option<String> {
    (after != before).then(|| after.into_owned())
}

/// Cuts the text where a token begins, because quotes or line breaks may split the token and only its beginning can be
/// recognised. People put the token itself where its path belongs.
fn without_secrets(text: &str) -> Cow<'_, str> {
    if text.len() < PART || !may_hold_one(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let start = match percent_decoded(text.as_bytes()) {
        None => token_at(text.as_bytes()),
        Some((decoded, places)) => token_at(&decoded).map(|at| places[at]),
    };
    let text = match start {
        Some(start) => Cow::Owned(format!("{}{A_TOKEN}", &text[..start])),
        None => Cow::Borrowed(text),
    };
    without_key_ids(text)
}

/// Whether a part of a token or a key id may begin in the text, or it is percent-encoded. Hardly any text qualifies.
fn may_hold_one(text: &[u8]) -> bool {
    // This runs for everything that is shown, so it looks for the rarest byte of `eyJ`, `ZX`, `A?IA`, `.ey`, `.ew` and `%`.
    let before = |place: usize, back: usize, byte: u8| {
        place.checked_sub(back).and_then(|place| text.get(place)).is_some_and(|there| *there == byte)
    };
    let behind = |place: usize, bytes: &[u8]| text[place + 1..].starts_with(bytes);
    memchr3_iter(b'J', b'Z', b'I', text).any(|place| match text[place] {
        b'J' => before(place, 1, b'y') && before(place, 2, b'e'),
        b'Z' => behind(place, b"X"),
        _ => behind(place, b"A") && before(place, 2, b'A'),
    }) || memchr2_iter(b'.', b'%', text)
        .any(|place| text[place] == b'%' || behind(place, b"ey") || behind(place, b"ew"))
}

/// Where JSON objects in base64url begin: a header with claims after it, at any place, or the beginning of a header after a
/// character that is not part of it. `ZXlK` is a header encoded again in base64, as in a Secret's `data`.
pub(crate) fn token_at(text: &[u8]) -> Option<usize> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let end_of = |start: usize| {
        text[start..].iter().position(|byte| !is_part(byte)).map_or(text.len(), |length| start + length)
    };
    let is_object = |at: usize| matches!(&text[at..], [b'e', b'y' | b'w', ..]);
    let mut start = 0;
    while start < text.len() {
        let end = end_of(start);
        let part = &text[start..end];
        if part.len() >= PART && [b"eyJ".as_slice(), b"ZXlK"].iter().any(|begin| part.starts_with(begin)) {
            return Some(start);
        }
        let next = end + 1;
        if text.get(end) == Some(&b'.') && next < text.len() && is_object(next) && end_of(next) - next >= PART
        {
            let header = (start..end.saturating_sub(PART / 2)).find(|at| is_object(*at));
            if header.is_some() {
                return header;
            }
        }
        start = next;
    }
    None
}

/// Hides `AKIA` or `ASIA` with sixteen more characters (IAM user guide, unique identifiers): the id of a user's or a session's key.
fn without_key_ids(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text.as_ref();
    while let Some((at, length)) = key_id_at(rest) {
        out.push_str(&rest[..at]);
        out.push_str(A_KEY_ID);
        rest = &rest[at + length..];
    }
    if out.is_empty() {
        return text;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn key_id_at(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("IA").map(|at| from + at) {
        from = at + 2;
        let Some(start) = at.checked_sub(2) else { continue };
        if !matches!(text.as_bytes()[start..at], [b'A', b'K' | b'S']) {
            continue;
        }
        let id = &text.as_bytes()[start..];
        let of_id = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let length = id.iter().position(|byte| !of_id(byte)).unwrap_or(id.len());
        if length >= 20 {
            return Some((start, length));
        }
    }
    None
}

/// Replaces strings of a JSON document. `None`: there is nothing to replace.
fn each_string(json: &str, replaced: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut kept_until = 0;
    let mut at = 0;
    while let Some(start) = memchr(b'"', &json.as_bytes()[at..]).map(|quote| at + quote + 1) {
        let mut end = start;
        let mut is_escaped = false;
        loop {
            end += memchr2(b'"', b'\\', &json.as_bytes()[end..])?;
            if json.as_bytes()[end] == b'"' {
                break;
            }
            is_escaped = true;
            // In valid JSON, an escape begins with an ASCII character.
            end += 2;
            if !json.is_char_boundary(end) {
                return None;
            }
        }
        at = end + 1;
        let raw = &json[start..end];
        let text = if is_escaped {
            let text = serde_json::from_slice::<String>(&json.as_bytes()[start - 1..at]);
            Cow::Owned(text.unwrap_or_else(|_| raw.to_owned()))
        } else {
            Cow::Borrowed(raw)
        };
        // A name is either ours, which a file's content must not change, or from outside, so that it may contain anything.
        let is_name = json.as_bytes()[at..].trim_ascii_start().starts_with(b":");
        let new = if is_name { changed(&text, without_secrets(&text)) } else { replaced(&text) };
        if let Some(replaced) = new.and_then(|text| serde_json::to_string(&text).ok()) {
            out.push_str(&json[kept_until..start - 1]);
            out.push_str(&replaced);
            kept_until = at;
        }
    }
    if out.is_empty() {
        return None;
    }
    out.push_str(&json[kept_until..]);
    Some(out)
}

#[cfg(test)]
mod tests;
