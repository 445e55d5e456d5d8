//! Secrets that cannot print.
//! Where secrets may go, the transport decides; what peers say of them, the redactor takes out.

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
