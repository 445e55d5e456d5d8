//! Commands to paste: every value in single quotes where it needs them. Pure.
//! A value with control characters gives no command at all.

/// The words as one shell command; `None`: a word cannot be shown safely.
#[must_use]
pub(crate) fn command(words: &[&str]) -> Option<String> {
    let quoted: Option<Vec<String>> = words.iter().map(|word| quote(word)).collect();
    quoted.map(|words| words.join(" "))
}

/// One word of a POSIX shell.
#[must_use]
pub(super) fn quote(word: &str) -> Option<String> {
    if word.chars().any(|c| c.is_control() || is_bidi(c)) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Some(word.to_owned());
    }
    Some(format!("'{}'", word.replace('\'', r"'\''")))
}

/// Characters that change the direction of text: a pasted command must be what it looks like (CVE-2021-42574).
pub(crate) const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_quoted_where_they_need_it() {
        assert_eq!(
            command(&["aws", "--role-name", "it's; rm -rf /"]).as_deref(),
            Some(r"aws --role-name 'it'\''s; rm -rf /'")
        );
        assert_eq!(command(&["aws", "a\nb"]), None);
        assert_eq!(command(&["aws", ""]).as_deref(), Some("aws ''"));
    }

    proptest! {
        #[test]
        fn a_shell_reads_back_the_word(word in "[ -~é]{1,40}") {
            let quoted = quote(&word).unwrap();
            let output = std::process::Command::new("sh").args(["-c", &format!("printf %s {quoted}")]).output().unwrap();
            prop_assert_eq!(output.stdout, word.into_bytes());
        }
    }
}
