//! Secrets that cannot print, and the scrubber that takes them out of what peers say.
//! Where secrets may go, the wire decides.

use zeroize::Zeroizing;

/// Bytes that are wiped on drop and have neither `Debug` nor `Display`.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for sending or for comparing.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// The shortest part of a secret that counts as the secret.
const WINDOW: usize = 16;

/// The longest quotation of a peer, in bytes.
const QUOTE_LIMIT: usize = 512;

/// Takes every part of the known secrets out of a text.
#[derive(Default)]
pub struct Scrubber(Vec<Secret>);

impl Scrubber {
    /// From now on `secret` is known.
    pub fn add(&mut self, secret: &[u8]) {
        self.0.push(Secret::new(secret.to_vec()));
    }

    /// `text` without any 16-byte part of a known secret, white space collapsed, cut to 512 bytes.
    #[must_use]
    pub fn quote(&self, text: &[u8]) -> String {
        let mut bytes = Zeroizing::new(text[..text.len().min(16 * QUOTE_LIMIT)].to_vec());
        let mut hidden = vec![false; bytes.len()];
        for secret in &self.0 {
            for (start, window) in bytes.windows(WINDOW).enumerate() {
                if contains(secret.expose(), window) {
                    hidden[start..start + WINDOW].fill(true);
                }
            }
        }
        for (byte, hidden) in bytes.iter_mut().zip(&hidden) {
            if *hidden {
                *byte = b'*';
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut quoted = String::new();
        for word in text.split_whitespace() {
            if !quoted.is_empty() {
                quoted.push(' ');
            }
            quoted.push_str(&collapse_stars(word));
            if quoted.len() > QUOTE_LIMIT {
                break;
            }
        }
        truncate(&mut quoted, QUOTE_LIMIT);
        quoted
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// A hidden run becomes `[secret]`, whatever its length: the length would tell too.
fn collapse_stars(word: &str) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some(start) = rest.find(&"*".repeat(WINDOW)) {
        let run = rest[start..].chars().take_while(|c| *c == '*').count();
        out.push_str(&rest[..start]);
        out.push_str("[secret]");
        rest = &rest[start + run..];
    }
    out.push_str(rest);
    out
}

/// Cuts at a character boundary and says that it did.
pub(crate) fn truncate(text: &mut String, limit: usize) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_sixteen_bytes_is_taken_out() {
        let mut scrubber = Scrubber::default();
        scrubber.add(b"abcdefghijklmnopqrstuvwxyz");
        assert_eq!(scrubber.quote(b"before xefghijklmnopqrstuy after"), "before x[secret]y after");
    }

    #[test]
    fn a_part_of_fifteen_bytes_stays() {
        let mut scrubber = Scrubber::default();
        scrubber.add(b"abcdefghijklmnopqrstuvwxyz");
        assert_eq!(scrubber.quote(b"efghijklmnopqrs"), "efghijklmnopqrs");
    }

    #[test]
    fn a_quotation_is_cut_at_512_bytes_on_a_character() {
        let quoted = Scrubber::default().quote("é".repeat(600).as_bytes());
        assert!(quoted.len() <= QUOTE_LIMIT && quoted.ends_with('…'), "{}", quoted.len());
    }
}
