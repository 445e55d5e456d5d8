//! The issuer of a scenario: its URL, its keys, and the faults of what it publishes.

use serde::Deserialize;

use super::ISSUER;
use crate::error::{Error, Result};

/// The cluster's issuer, and the faults of what it publishes. Everyone sees the same faults, STS included, except for `refuse`
/// and `black_hole`: those affect only the pod's own way to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    /// The field that is missing from the discovery document.
    pub(crate) missing_field: Option<String>,
    /// The issuer in the discovery document, instead of its own URL.
    pub(crate) wrong_issuer: Option<String>,
    /// The status of both documents, instead of 200.
    pub(crate) status: Option<u16>,
    /// The `Location` of both documents, to which that status redirects the client.
    pub(crate) location: Option<String>,
    /// A page instead of the documents.
    pub(crate) html: bool,
    /// A megabyte of keys.
    pub(crate) huge: bool,
    /// The published keys lack the one that signs.
    pub(crate) drop_kid: bool,
    /// The key that signs the pod's tokens.
    pub(crate) key: SigningKey,
    /// The form in which the key set publishes that key.
    pub(crate) key_set: KeySet,
    /// Nobody listens.
    pub(crate) refuse: bool,
    /// Connections are accepted, then there is silence.
    pub(crate) black_hole: bool,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            url: ISSUER.into(),
            missing_field: None,
            wrong_issuer: None,
            status: None,
            location: None,
            html: false,
            huge: false,
            drop_kid: false,
            key: SigningKey::Rs256,
            key_set: KeySet::Plain,
            refuse: false,
            black_hole: false,
        }
    }
}

/// EKS's issuer has the first. KMS and other external signers of Kubernetes's API server have the others.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SigningKey {
    /// A key of 2,048 bits.
    Rs256,
    #[serde(rename = "rs256-of-1024-bits")]
    Rs256Of1024,
    #[serde(rename = "rs256-of-1536-bits")]
    Rs256Of1536,
    Es256,
    Es384,
    Es512,
}

/// Unusual key sets. All of them but the last still contain the signing key as a key.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeySet {
    Plain,
    /// A zero byte before the modulus, as Java's `BigInteger.toByteArray` writes it.
    LeadingZero,
    /// Before it, another key with that `kid`, for encryption.
    EncryptionKeyFirst,
    /// Before it, another signing key with that `kid`.
    SecondOfKid,
    /// Before it, another key whose `kid` is a number.
    NumericKid,
    /// The key is only in a certificate.
    X5cOnly,
}

impl Issuer {
    pub(crate) fn host(&self) -> &str {
        self.without_scheme().split('/').next().unwrap_or_default()
    }

    pub(super) fn check(&self) -> Result<()> {
        let is_curve = matches!(self.key, SigningKey::Es256 | SigningKey::Es384 | SigningKey::Es512);
        let is_odd = self.key_set != KeySet::Plain;
        if is_odd && (is_curve || self.key != SigningKey::Rs256 && self.key_set == KeySet::X5cOnly) {
            return Err(Error::new("the issuer's key set cannot have its key so"));
        }
        if self.location.is_some() && !self.status.is_some_and(|status| (300..400).contains(&status)) {
            return Err(Error::new("a location is of a status that redirects"));
        }
        Ok(())
    }

    /// The path of the issuer's documents, without a trailing slash; may be empty.
    pub(crate) fn path(&self) -> &str {
        let path = self.without_scheme().strip_prefix(self.host()).unwrap_or_default();
        path.trim_end_matches('/')
    }

    fn without_scheme(&self) -> &str {
        self.url.trim_start_matches("https://")
    }
}
