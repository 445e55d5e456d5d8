//! Removes known secrets from what peers say and from everything that is shown.
//! The program says what is a secret.

use super::shown::{A_TOKEN, token_at};
use super::truncate;
use zeroize::Zeroizing;

/// The length, in bytes, from which a piece counts as part of the secret.
const WINDOW: usize = 16;

/// The longest quotation of a peer, in bytes.
const QUOTE_LIMIT: usize = 512;

/// Removes every part of the known secrets from a text.
///
/// A hash table holds all windows of the secrets, so each place of a text needs one lookup, however long the secrets are.
/// A hostile peer must not be able to waste the pod's time.
#[derive(Default)]
pub struct Redactor {
    known: Zeroizing<Vec<u8>>,
    /// Places in `known`, counted from 1, by a hash of the window there. 0 is free. At most half of the table is used.
    table: Vec<u32>,
    windows: usize,
}

impl Redactor {
    /// Adds a secret. A text that is shorter than a window is ignored.
    pub fn add(&mut self, secret: &[u8]) {
        let start = self.known.len();
        self.known.extend_from_slice(secret);
        let windows = (secret.len() + 1).saturating_sub(WINDOW);
        let wanted = 2 * (self.windows + windows);
        if wanted > self.table.len() {
            let table = std::mem::take(&mut self.table);
            self.table = vec![0; wanted.next_power_of_two()];
            for place in table.into_iter().filter(|place| *place != 0) {
                self.insert(place);
            }
        }
        self.windows += windows;
        for place in start..start + windows {
            self.insert(u32::try_from(place + 1).unwrap_or_default());
        }
    }

    /// Whether no secret is known yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.windows == 0
    }

    #[inline(always)]
    fn insert(&mut self, place: u32) {
        let Some(window) = self.window(place).copied() else { return };
        let (slot, known) = self.slot(&window);
        if !known {
            self.table[slot] = place;
        }
    }

    #[inline(always)]
    fn window(&self, place: u32) -> Option<&[u8; WINDOW]> {
        self.known.get((place as usize).checked_sub(1)?..)?.first_chunk()
    }

    /// The slot of a window in the table, and whether the window is there.
    #[inline(always)]
    fn slot(&self, window: &[u8; WINDOW]) -> (usize, bool) {
        let word = u128::from_ne_bytes(*window);
        #[expect(clippy::cast_possible_truncation, reason = "the halves are hashed")]
        let (low, high) = (word as u64, (word >> 64) as u64);
        let hash = (low.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ high.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)) >> 32;
        let mut slot = hash as usize & (self.table.len() - 1);
        loop {
            match self.table[slot] {
                0 => return (slot, false),
                // Compare as numbers, which is one comparison instead of a call.
                place if self.window(place).map(|known| u128::from_ne_bytes(*known)) == Some(word) => {
                    return (slot, true);
                }
                _ => slot = (slot + 1) & (self.table.len() - 1),
            }
        }
    }

    /// `text` with `[secret]` for each part of a known secret, also if it is percent-encoded. `None`: it contains none.
    /// A hidden run becomes one word, because its length would reveal something.
    #[must_use]
    pub fn hide(&self, text: &str) -> Option<String> {
        self.hidden(text.as_bytes()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn hidden(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.windows == 0 || text.len() < WINDOW {
            return None;
        }
        let (decoded, places) = percent_decoded(text).unzip();
        let decoded = decoded.as_deref().unwrap_or(text);
        let place = |at: usize| match &places {
            None => at,
            Some(places) => places.get(at).copied().unwrap_or(text.len()),
        };
        let end = self.stranger_at(decoded).unwrap_or(decoded.len());
        let known = &text[..place(end)];
        let hidden = self.replaced(known, &decoded[..end], place);
        if end == decoded.len() {
            return hidden;
        }
        let mut out = hidden.unwrap_or_else(|| known.to_vec());
        out.extend_from_slice(A_TOKEN.as_bytes());
        Some(out)
    }

    /// Where a token begins that is not fully known. Two tokens of one issuer begin alike, so the beginning would be hidden, and
    /// without it the rest would not be recognised as a token.
    fn stranger_at(&self, text: &[u8]) -> Option<usize> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let mut from = 0;
        loop {
            let start = from + token_at(&text[from..])?;
            let rest = &text[start..];
            let mut word = &rest[..rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len())];
            from = start + word.len();
            while let Some(shorter) = word.strip_suffix(b".") {
                word = shorter;
            }
            let mut windows = word.windows(WINDOW).filter_map(<[u8]>::first_chunk);
            if word.len() < WINDOW || !windows.all(|window| self.slot(window).1) {
                return Some(start);
            }
        }
    }

    /// `place` maps the position of a byte in `decoded` to its position in `text`.
    fn replaced(&self, text: &[u8], decoded: &[u8], place: impl Fn(usize) -> usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let (mut kept, mut until) = (0, 0);
        for (start, window) in decoded.windows(WINDOW).enumerate() {
            if !window.first_chunk().is_some_and(|window| self.slot(window).1) {
                continue;
            }
            // Keep nothing between two parts that touch.
            if out.is_empty() || start > until {
                out.extend_from_slice(&text[kept..place(start)]);
                out.extend_from_slice(b"[secret]");
            }
            until = start + WINDOW;
            kept = place(until);
        }
        if out.is_empty() {
            return None;
        }
        out.extend_from_slice(&text[kept..]);
        Some(out)
    }

    /// `text` without any 16-byte part of a known secret, white space collapsed, cut to 512 bytes.
    #[must_use]
    pub fn redact_and_truncate(&self, text: &[u8]) -> String {
        let text = &text[..text.len().min(16 * QUOTE_LIMIT)];
        let hidden = self.hidden(text);
        let text = String::from_utf8_lossy(hidden.as_deref().unwrap_or(text));
        let mut quoted = String::new();
        for word in text.split_whitespace() {
            if !quoted.is_empty() {
                quoted.push(' ');
            }
            quoted.push_str(word);
            if quoted.len() > QUOTE_LIMIT {
                break;
            }
        }
        truncate(&mut quoted, QUOTE_LIMIT);
        quoted
    }
}

/// The bytes with `%XX` decoded, and the original position of each. `None`: nothing is encoded.
pub(crate) fn percent_decoded(text: &[u8]) -> Option<(Vec<u8>, Vec<usize>)> {
    text.contains(&b'%').then_some(())?;
    let digit = |at: usize| text.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let (mut decoded, mut places) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()));
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        places.push(at);
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(16 * high + low).unwrap_or_default());
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    Some((decoded, places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_part_of_sixteen_bytes_is_taken_out() {
        let mut redactor = Redactor::default();
        redactor.add(b"abcdefghijklmnopqrstuvwxyz");
        assert_eq!(
            redactor.redact_and_truncate(b"before xefghijklmnopqrstuy after"),
            "before x[secret]y after"
        );
    }

    #[test]
    fn a_part_of_fifteen_bytes_stays() {
        let mut redactor = Redactor::default();
        redactor.add(b"abcdefghijklmnopqrstuvwxyz");
        assert_eq!(redactor.redact_and_truncate(b"efghijklmnopqrs"), "efghijklmnopqrs");
    }

    #[test]
    fn parts_of_several_secrets_are_taken_out_encoded_or_not() {
        let mut redactor = Redactor::default();
        for secret in ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "short"] {
            redactor.add(secret.as_bytes());
        }
        assert_eq!(
            redactor.redact_and_truncate(
                b"abcdefghijklmnopqrst, EFGHIJKLMNOPQRSTABCDEFGHIJKLMNOP, %61bcdefghijklmno%70q short"
            ),
            "[secret], [secret], [secret] short"
        );
        // The end of one secret and the beginning of the next are not part of either.
        assert_eq!(redactor.redact_and_truncate(b"stuvwxyzABCDEFGH"), "stuvwxyzABCDEFGH");
    }

    #[test]
    fn of_a_token_that_begins_as_a_known_one_nothing_is_left() {
        let token = |end: &str| format!("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhbm90aGVyIiwic3ViIjoib3RoZXIi{end}");
        let known = token("LCJqdGkiOjB9.c2lnbmF0dXJlLW9mLXRoZS1vbmU");
        let other = token("LCJqdGkiOjF9.YW5vdGhlci1zaWduYXR1cmUtYWx0b2dldGhlcg");
        let mut redactor = Redactor::default();
        redactor.add(known.as_bytes());
        let quote = |text: &str| redactor.redact_and_truncate(text.as_bytes());
        assert_eq!(quote(&format!("{known} is refused, {known}.")), "[secret] is refused, [secret].");
        assert_eq!(quote(&format!("no {other} here")), "no [a token]");
        assert_eq!(quote(&format!("{known},{other}")), "[secret],[a token]");
        assert_eq!(quote(&other.replace('.', "%2E")), "[a token]");
        assert_eq!(quote(&other.replace('.', "\".\"")), "[secret]\".\"[a token]");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it measures")]
    fn a_long_answer_to_a_long_token_costs_little() {
        let bytes = |seed: u32, length: u32| -> Vec<u8> {
            let letter = |n: u32| b"0123456789abcdefghijklmnopqrstuv"[(n.wrapping_mul(seed) >> 27) as usize];
            (0..length).map(letter).collect()
        };
        let watch = Instant::now();
        let mut redactor = Redactor::default();
        redactor.add(&bytes(2_654_435_761, 19_000));
        let _ = redactor.redact_and_truncate(&bytes(2_246_822_519, 60_000));
        // For a debug build on a busy machine. To compare each place with each takes seconds.
        assert!(watch.elapsed() < Duration::from_millis(200), "{:?}", watch.elapsed());
    }

    #[test]
    fn a_quotation_is_cut_at_512_bytes_on_a_character() {
        let quoted = Redactor::default().redact_and_truncate("é".repeat(600).as_bytes());
        assert!(quoted.len() <= QUOTE_LIMIT && quoted.ends_with('…'), "{}", quoted.len());
    }
}
