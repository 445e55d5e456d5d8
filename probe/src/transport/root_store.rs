//! Builds the roots that a peer's chain may end in: the compiled-in ones or a bundle, plus additions. Texts in, a verifier out.
//! The caller reads the files and knows their labels.

use rustls::{
    RootCertStore,
    client::WebPkiServerVerifier,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{error::Error, fmt, sync::Arc};

/// The roots, ready to verify.
#[derive(Clone)]
pub struct RootStore {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    pub(super) provider: Arc<CryptoProvider>,
    label: String,
    idle: Vec<BundleProblem>,
}

impl RootStore {
    /// The additions that add no root, and why.
    pub fn idle(&self) -> &[BundleProblem] {
        &self.idle
    }

    /// What is trusted, for the record: `compiled-in` or the bundle's label, plus `+label` for each addition.
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl fmt::Debug for RootStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Trust({})", self.label)
    }
}

/// A bundle that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleProblem {
    /// The caller's name of the bundle: `AWS_CA_BUNDLE=/path`.
    pub label: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BundleProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` {}", self.label, self.reason)
    }
}

impl Error for BundleProblem {}

/// The roots of `ca_bundle` (instead of the compiled-in roots) and of `additions` (in addition). Each of them is a label such as
/// `AWS_CA_BUNDLE=/path` and the file's content in PEM (RFC 7468).
///
/// A certificate that cannot be a root (version 1 with odd fields, negative serial numbers…) is skipped if another one of
/// the same file can. Old bundles contain such certificates.
///
/// # Errors
/// The bundle is not PEM, holds no certificate, or none that can be a root. An addition never fails: its usable certificates
/// count, and if it adds nothing, [`RootStore::idle`] says so. Additions with the same label, such as the files of a folder, count
/// as one.
pub(crate) fn root_store(
    ca_bundle: Option<(&str, &[u8])>,
    additions: &[(&str, &[u8])],
) -> Result<RootStore, BundleProblem> {
    let (mut roots, mut label) = match ca_bundle {
        Some((label, pem)) => (read(label, pem)?, label.to_owned()),
        None => (RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, COMPILED_IN.to_owned()),
    };
    let mut idle: Vec<BundleProblem> = Vec::new();
    for files in additions.chunk_by(|one, other| one.0 == other.0) {
        let before = roots.len();
        let problems: Vec<BundleProblem> =
            files.iter().filter_map(|(label, pem)| add(label, pem, &mut roots).err()).collect();
        if roots.len() > before {
            label.push('+');
            label.push_str(files[0].0);
        } else {
            idle.extend(problems.into_iter().next());
        }
    }
    // Named explicitly, because otherwise the first crate to install a default would decide.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| BundleProblem { label: label.clone(), reason: error.to_string() })?;
    Ok(RootStore { verifier, provider, label, idle })
}

fn read(label: &str, pem: &[u8]) -> Result<RootCertStore, BundleProblem> {
    let mut roots = RootCertStore::empty();
    add(label, pem, &mut roots).map(|()| roots)
}

/// Adds the certificates of a text, up to the first broken one.
fn add(label: &str, pem: &[u8], roots: &mut RootCertStore) -> Result<(), BundleProblem> {
    let problem = |reason: String| BundleProblem { label: label.to_owned(), reason };
    let before = roots.len();
    let mut seen = 0_usize;
    let mut last_refusal = None;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        seen += 1;
        let certificate = certificate
            .map_err(|error| problem(format!("is broken at its certificate {seen}: {}", why(&error))))?;
        if let Err(error) = roots.add(certificate) {
            last_refusal = Some(error);
        }
    }
    match last_refusal {
        _ if roots.len() > before => Ok(()),
        None => Err(problem("holds no certificate (`-----BEGIN CERTIFICATE-----`)".to_owned())),
        Some(error) => {
            Err(problem(format!("holds {seen} certificates, none of which can be a root ({error})")))
        }
    }
}

/// Omits the offending line: a file given by mistake may be a private key.
fn why(error: &rustls::pki_types::pem::Error) -> &'static str {
    use rustls::pki_types::pem::Error as Pem;
    match error {
        Pem::MissingSectionEnd { .. } => "its `-----END` line is missing",
        Pem::IllegalSectionStart { .. } => "a `-----BEGIN` line is malformed",
        Pem::Base64Decode(_) => "what stands between BEGIN and END is not base64",
        Pem::SectionTooLarge => "it is too large",
        _ => "it can't be read",
    }
}

const COMPILED_IN: &str = "compiled-in";
