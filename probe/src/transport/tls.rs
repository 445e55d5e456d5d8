//! The TLS handshake. It keeps the chain that the peer presented, even if the chain is refused.
//! `root_store` builds the roots; `certificate` reads certificates.

use super::endpoint::Host;
use super::fault::Fault;
use super::record::Record;
use super::root_store::RootStore;
use super::{Config, certificate, tls_fault};
use credprobe_judge::evidence::TargetTrust;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{fmt, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Speaks TLS 1.3 or 1.2 with the peer of `stream`, which must have a certificate for `host`.
///
/// Sends no ALPN: without it a server speaks HTTP/1.1 (RFC 9112), the only version that this code speaks.
///
/// # Errors
/// The `Tls…` kinds; `Broken` if the connection breaks in the handshake; `Unusable` if `host` cannot be verified.
pub(super) async fn handshake(
    stream: TcpStream,
    host: &Host,
    Config { trust, of_target, .. }: &Config,
    record: &Record,
) -> Result<TlsStream<TcpStream>, Fault> {
    let shown = match host {
        Host::Address(address) => address.to_string(),
        // Certificates and SNI have no trailing dot (RFC 6066 §3).
        Host::Name(name) => name.trim_end_matches('.').to_owned(),
    };
    record.tls(&shown, trust.label());
    let name = ServerName::try_from(shown.clone()).map_err(|_| {
        Fault::unusable(format!("`{shown}` can't be verified by a certificate: it is no DNS name"))
    })?;
    let connector = TlsConnector::from(Arc::new(config(trust, of_target.clone(), record)?));
    match connector.connect(name, stream).await {
        Ok(stream) => {
            let version = stream.get_ref().1.protocol_version().and_then(|version| version.as_str());
            record.tls_version(version.unwrap_or("unknown").to_owned());
            Ok(stream)
        }
        Err(error) => Err(match error.downcast::<Error>() {
            Ok(error) => tls_fault::of(&error, trust.label(), &record.presented()),
            Err(error) => Fault::broken(&error, "in the TLS handshake"),
        }),
    }
}

/// The configuration for one connection, because the verifier writes into that connection's record.
fn config(trust: &RootStore, of_target: Option<RootStore>, record: &Record) -> Result<ClientConfig, Fault> {
    let verifier = Recording { verifier: Arc::clone(&trust.verifier), of_target, record: record.clone() };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&trust.provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::unusable(format!("no TLS version can be used: {error}")))?;
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    // A resumed session presents no chain, but the next connection must show one.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Verifies exactly like rustls and records the presented chain.
struct Recording {
    verifier: Arc<WebPkiServerVerifier>,
    /// Only for the record; does not affect the handshake.
    of_target: Option<RootStore>,
    record: Record,
}

impl fmt::Debug for Recording {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Recording")
    }
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented = std::iter::once(end_entity).chain(intermediates).take(MAX_CHAIN);
        let of_target = self.of_target.as_ref().map(|trust| TargetTrust {
            roots: trust.label().to_owned(),
            accepts: trust
                .verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .is_ok(),
        });
        self.record.chain(presented.map(|der| certificate::read(der)).collect(), of_target);
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Real chains have two to five certificates, but a peer may send as many as fit into 64 KiB.
const MAX_CHAIN: usize = 10;
