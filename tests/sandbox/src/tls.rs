//! Makes a certificate for each name that a client asks for, from an authority of this run.
//! A scenario may want that certificate to be faulty.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use time::{Duration, OffsetDateTime};

use crate::{
    error::{Doing as _, Result},
    scenario::Fault,
};

/// A certificate authority of this run.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// The fault of a server's certificates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    None,
    Expired,
    WrongName,
}

/// Makes a certificate for each name once.
pub(crate) struct Resolver {
    authority: Arc<Authority>,
    flaw: Flaw,
    /// For clients that send no name.
    default_name: String,
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let what = || format!("failed to make the certificate authority `{name}`");
        let mut params = CertificateParams::new(Vec::new()).doing(what)?;
        params.distinguished_name.push(DnType::OrganizationName, "credprobe sandbox");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = around_now(Duration::days(1), Duration::days(30));
        let key = KeyPair::generate().doing(what)?;
        let pem = params.self_signed(&key).doing(what)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    fn certificate(&self, name: &str, flaw: Flaw) -> Result<CertifiedKey> {
        let what = || format!("failed to make a certificate for {name}");
        let subject = if flaw == Flaw::WrongName { "proxy.corp.example" } else { name };
        let mut params = CertificateParams::new(vec![subject.to_owned()]).doing(what)?;
        params.distinguished_name.push(DnType::CommonName, subject);
        (params.not_before, params.not_after) = match flaw {
            Flaw::Expired => around_now(Duration::days(90), Duration::days(-1)),
            Flaw::None | Flaw::WrongName => around_now(Duration::hours(2), Duration::days(7)),
        };
        let key = KeyPair::generate().doing(what)?;
        let certificate = params.signed_by(&key, &self.issuer).doing(what)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = ring::sign::any_supported_type(&key).doing(what)?;
        Ok(CertifiedKey::new(vec![CertificateDer::from(certificate.der().to_vec())], key))
    }
}

/// The period from `past` ago until `future` ahead.
fn around_now(past: Duration, future: Duration) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now.saturating_sub(past), now.saturating_add(future))
}

impl Flaw {
    pub(crate) fn under(fault: Fault) -> Self {
        match fault {
            Fault::ExpiredCertificate => Self::Expired,
            Fault::WrongNameCertificate => Self::WrongName,
            _ => Self::None,
        }
    }
}

impl Resolver {
    pub(crate) fn config(
        authority: Arc<Authority>,
        flaw: Flaw,
        default_name: &str,
    ) -> Result<Arc<ServerConfig>> {
        let resolver = Self { authority, flaw, default_name: default_name.into(), made: Mutex::default() };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .doing(|| "failed to set TLS up".into())?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(&self.default_name).to_owned();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = made.get(&name) {
            return Some(Arc::clone(certificate));
        }
        // Without a certificate the handshake ends in an alert, which shows the problem well enough.
        let certificate = Arc::new(self.authority.certificate(&name, self.flaw).ok()?);
        made.insert(name, Arc::clone(&certificate));
        Some(certificate)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Resolver").field("flaw", &self.flaw).finish_non_exhaustive()
    }
}
