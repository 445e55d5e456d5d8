//! The issuer of a case: its URL, its keys, and what is wrong with what it publishes.

use serde::Deserialize;

use super::ISSUER;
use crate::error::{Error, Result};

/// The cluster's issuer, and what is wrong with what it publishes. The world sees the same, STS included,
/// but for `refuse` and `black_hole`: those are the pod's own way there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    /// Of the discovery document.
    pub(crate) missing_field: Option<String>,
    /// In the discovery document, instead of its own URL.
    pub(crate) wrong_issuer: Option<String>,
    /// Of both documents, instead of 200.
    pub(crate) status: Option<u16>,
    /// Where that status sends the client: a `Location` of both documents.
    pub(crate) location: Option<String>,
    /// A page instead of the documents.
    pub(crate) html: bool,
    /// A megabyte of keys.
    pub(crate) huge: bool,
    /// The keys lack the one that signs.
    pub(crate) drop_kid: bool,
    /// What it signs the pod's tokens with.
    pub(crate) key: SigningKey,
    /// How its key set puts that key.
    pub(crate) key_set: KeySet,
    /// Nobody listens.
    pub(crate) refuse: bool,
    /// Accepted, then silence.
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

/// EKS's is the first; KMS and other external signers of Kubernetes's API server have the others.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SigningKey {
    /// Of 2,048 bits.
    Rs256,
    #[serde(rename = "rs256-of-1024-bits")]
    Rs256Of1024,
    #[serde(rename = "rs256-of-1536-bits")]
    Rs256Of1536,
    Es256,
    Es384,
    Es512,
}

/// Sets that are odd, and in which the signing key is nevertheless to be found, but for the last.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeySet {
    Plain,
    /// A zero byte before the modulus, as `BigInteger.toByteArray` of Java has it.
    LeadingZero,
    /// Another key of that `kid` before it, for encryption.
    EncryptionKeyFirst,
    /// Another signing key of that `kid` before it.
    SecondOfKid,
    /// Another key before it whose `kid` is a number.
    NumericKid,
    /// The key is in a certificate alone.
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

    /// Of the issuer's documents, without a last slash; may be empty.
    pub(crate) fn path(&self) -> &str {
        let path = self.without_scheme().strip_prefix(self.host()).unwrap_or_default();
        path.trim_end_matches('/')
    }

    fn without_scheme(&self) -> &str {
        self.url.trim_start_matches("https://")
    }
}
