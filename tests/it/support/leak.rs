//! The leak scan: whether a text contains any part of a secret. A part is sixteen bytes, or a whole access key id.
//! It says where, never what.

use std::collections::HashMap;

/// The shortest part of a secret that counts as the secret (security.md).
const WINDOW: usize = 16;
/// An access key id only names a key and is redacted as a whole: its first sixteen bytes are useless to anyone.
const KEY_ID: usize = 20;

/// The secrets to search for.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Each part, and the number of the secret to which it belongs.
    parts: HashMap<Vec<u8>, usize>,
    count: usize,
}

impl Secrets {
    /// From now on `secret` is searched for.
    pub(crate) fn add(&mut self, secret: &[u8]) {
        self.count += 1;
        let is_key_id =
            secret.len() == KEY_ID && (secret.starts_with(b"ASIA") || secret.starts_with(b"AKIA"));
        let window = if is_key_id { KEY_ID } else { WINDOW.min(secret.len()) };
        if window > 0 {
            self.parts.extend(secret.windows(window).map(|part| (part.to_vec(), self.count)));
        }
    }

    /// Where in `text` the first part of a secret is.
    pub(crate) fn find(&self, text: &[u8]) -> Option<String> {
        let mut lengths: Vec<usize> = self.parts.keys().map(Vec::len).collect();
        lengths.sort_unstable();
        lengths.dedup();
        lengths.into_iter().find_map(|length| {
            text.windows(length).enumerate().find_map(|(at, part)| {
                let secret = self.parts.get(part)?;
                Some(format!("{length} bytes of secret {secret} of {} at byte {at}", self.count))
            })
        })
    }
}
