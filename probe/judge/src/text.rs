//! Text for people and shells: escaping, truncating, times, quoting. Pure; no other room is used here.
//! The other rooms decide what to say.

mod indent;
pub mod redactor;
pub mod shown;

use time::{Date, Month, OffsetDateTime};

pub use indent::indented;

/// The time in RFC 3339, UTC, whole seconds.
#[must_use]
pub fn rfc3339(seconds: i64) -> String {
    let time =
        OffsetDateTime::from_unix_timestamp(seconds).ok().filter(|time| (1..=9_999).contains(&time.year()));
    time.map_or_else(
        || format!("{seconds} s after 1970"),
        |time| {
            let (year, month, day) = time.to_calendar_date();
            let (hour, minute, second) = time.to_hms();
            let month = u8::from(month);
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        },
    )
}

/// Seconds since the epoch; `None`: not RFC 3339 in UTC.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    // As the SDKs write it: no offset, and no blank between date and time.
    let text = text.strip_suffix('Z')?;
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let bytes = text.as_bytes();
    let number = |from: usize, length: usize| {
        let digits = bytes.get(from..from + length)?;
        let more =
            |number: u16, digit: &u8| digit.is_ascii_digit().then(|| 10 * number + u16::from(digit - b'0'));
        digits.iter().try_fold(0, more)
    };
    let two = |from: usize| number(from, 2).and_then(|number| u8::try_from(number).ok());
    let between =
        [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')].iter().all(|(at, c)| bytes.get(*at) == Some(c));
    let is_rfc3339 = bytes.len() == 19
        && between
        && matches!(bytes.get(10), Some(b'T' | b't'))
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let month = Month::try_from(two(5)?).ok().filter(|_| is_rfc3339)?;
    let date = Date::from_calendar_date(i32::from(number(0, 4)?), month, two(8)?).ok()?;
    let time = date.with_hms(two(11)?, two(14)?, two(17)?).ok()?;
    Some(time.assume_utc().unix_timestamp())
}

/// Characters that change the direction of text. A pasted command must be what it looks like (CVE-2021-42574).
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Control and bidirectional characters, Unicode line breaks, and characters without width.
fn is_unseen(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}'
        | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    c.is_control() || is_bidi(c) || invisible
}

/// A step in one line, whatever it quotes: after a line break in a comment, a command would begin.
#[must_use]
pub(crate) fn one_line(text: String) -> String {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !text.contains(is_unseen) {
        return text;
    }
    let escaped = |c: char| if is_unseen(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// Two words that an eye would take for one: at most three characters between a common beginning and a common end.
#[must_use]
pub(crate) fn differ_little(one: &str, other: &str) -> bool {
    let is_word = |text: &str| text.len() >= 8 && !text.contains(' ');
    if one == other || !is_word(one) || !is_word(other) {
        return false;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let shorter = one.len().min(other.len());
    let head = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let tail =
        one.iter().rev().zip(other.iter().rev()).take(shorter - head).take_while(|(a, b)| a == b).count();
    one.len().max(other.len()) - head - tail <= 3
}

/// Our own words as prose of a report, where they were written for JSON: no backticks, no parentheses, no semicolons.
#[must_use]
pub(crate) fn plain(text: &str) -> String {
    let (mut out, mut open) = (String::with_capacity(text.len()), true);
    for c in text.chars() {
        match c {
            '`' => {
                out.push(if open { '“' } else { '”' });
                open = !open;
            }
            '(' if out.ends_with(' ') => {
                out.pop();
                out.push_str(", ");
            }
            '(' | ')' | '[' | ']' => {}
            ';' => out.push(','),
            c => out.push(c),
        }
    }
    out
}

/// Truncates at a character boundary and marks the place with `…`.
pub fn truncate(text: &mut String, limit: usize) {
    if text.len() > limit {
        let ellipsis = '…';
        let mut end = limit.saturating_sub(ellipsis.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push(ellipsis);
    }
}

/// Names no address: whoever distributed the image knows where to report bugs.
macro_rules! report_it {
    ($what:expr) => {
        concat!("internal-error (1): ", $what, "; please report it to whoever gave you credprobe")
    };
}

/// The last line of a process without stack or memory. It is a constant, because nothing can be built then.
pub const STARVED_LINE: &str = concat!(report_it!("credprobe ran out of stack or memory"), "\n");

/// The last line of a process that ends because of a bug.
#[must_use]
pub fn internal_error_line(what: &str) -> String {
    format!(report_it!("{}"), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back() {
        assert_eq!(rfc3339(1_764_000_000), "2025-11-24T16:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        assert_eq!(parse_rfc3339("2025-11-24T16:00:00Z"), Some(1_764_000_000));
        assert_eq!(parse_rfc3339("2025-11-24t16:00:00.999Z"), Some(1_764_000_000));
        assert!(rfc3339(i64::MAX).contains("after 1970"));
        for other in [
            "2025-11-24T16:00:00+00:00",
            "2025-11-24 16:00:00Z",
            "2025-11-24T24:00:00Z",
            "2025-02-29T00:00:00Z",
            "Z",
            "",
        ] {
            assert_eq!(parse_rfc3339(other), None, "{other}");
        }
    }

    #[test]
    fn our_own_words_lose_what_a_shell_reads() {
        assert_eq!(
            plain("`a.b` does not exist (NXDOMAIN); see [::1]:53"),
            "“a.b” does not exist, NXDOMAIN, see ::1:53"
        );
    }

    #[test]
    fn a_step_is_one_line_that_shows_all_it_has() {
        let hostile = "# under https://x\ntouch y\r\u{9b}\u{202e}\u{2028}\u{200b}é".to_owned();
        assert_eq!(one_line(hostile), r"# under https://x\u{a}touch y\u{d}\u{9b}\u{202e}\u{2028}\u{200b}é");
    }
}
