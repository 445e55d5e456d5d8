//! A type for secrets that cannot be printed.
//! The transport decides where a secret may go; the redactor removes it from what peers say.

use zeroize::Zeroizing;

/// Bytes that are wiped on drop and have neither `Debug` nor `Display`.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for sending or comparing.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}
