//! Explains a refusal by rustls in plain words, with both sides.
//! Pure: error, trusted roots and presented chain in, fault out.

use super::fault::Fault;
use credprobe_judge::evidence::{Certificate, FailureKind};
use rustls::{CertificateError, Error, InvalidMessage, pki_types::UnixTime};
use std::time::{Duration, UNIX_EPOCH};

/// `roots`: what was trusted, as the record names it. `chain`: what the peer presented, leaf first.
pub(super) fn of(error: &Error, roots: &str, chain: &[Certificate]) -> Fault {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error, roots, chain),
        Error::AlertReceived(alert) => {
            let alert = format!("{alert:?}");
            Fault::new(
                FailureKind::TlsAlert,
                format!("the peer ended TLS with the alert `{}`", snake_case(&alert)),
            )
        }
        // The first bytes are not a TLS record. That port speaks plain HTTP, SSH or another protocol.
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => Fault::new(FailureKind::TlsNotTls, "the peer's answer is not TLS (plain HTTP on that port?)"),
        other => Fault::new(FailureKind::TlsOther, format!("TLS failed: {other}")),
    }
}

fn of_certificate(error: &CertificateError, roots: &str, chain: &[Certificate]) -> Fault {
    let leaf = chain.first().map_or("(none)", |leaf| leaf.subject.as_str());
    match error {
        CertificateError::UnknownIssuer => {
            let issuer = chain.last().map_or("(none)", |last| last.issuer.as_str());
            let detail =
                format!("the chain of `{leaf}` ends with the issuer `{issuer}`, which `{roots}` lacks");
            Fault::new(FailureKind::TlsUnknownIssuer, detail)
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            let presented = presented_names(chain);
            let detail = format!("the certificate is for {presented}; asked for was `{}`", expected.to_str());
            Fault::new(FailureKind::TlsWrongName, detail)
        }
        CertificateError::NotValidForName => {
            let detail =
                format!("the certificate is for {}, not for the host asked for", presented_names(chain));
            Fault::new(FailureKind::TlsWrongName, detail)
        }
        CertificateError::ExpiredContext { time, not_after } => {
            let end = not_after.as_secs();
            let whose = whose(chain, |certificate| certificate.not_after, end).unwrap_or(leaf);
            let detail = format!("the certificate `{whose}` expired at {}; it is {}", shown(end), now(*time));
            Fault::new(FailureKind::TlsExpired, detail)
        }
        CertificateError::Expired => {
            Fault::new(FailureKind::TlsExpired, format!("the chain of `{leaf}` has expired"))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let begin = not_before.as_secs();
            let whose = whose(chain, |certificate| certificate.not_before, begin).unwrap_or(leaf);
            let detail =
                format!("the certificate `{whose}` is valid from {}; it is {}", shown(begin), now(*time));
            Fault::new(FailureKind::TlsNotYetValid, detail)
        }
        CertificateError::NotValidYet => {
            Fault::new(FailureKind::TlsNotYetValid, format!("the chain of `{leaf}` is not valid yet"))
        }
        other => Fault::new(FailureKind::TlsOther, format!("the certificate `{leaf}` was refused: {other}")),
    }
}

/// The first names of the leaf.
fn presented_names(chain: &[Certificate]) -> String {
    let names = chain.first().map(|leaf| leaf.names.as_slice()).unwrap_or_default();
    if names.is_empty() {
        return "no host at all".to_owned();
    }
    let more = if names.len() > SHOWN_NAMES {
        format!(" and {} more", names.len() - SHOWN_NAMES)
    } else {
        String::new()
    };
    let first: Vec<String> = names.iter().take(SHOWN_NAMES).map(|name| format!("`{name}`")).collect();
    first.join(", ") + &more
}

/// The subject of the certificate that has this date. Often it is not the leaf.
fn whose(chain: &[Certificate], date: impl Fn(&Certificate) -> i64, seconds: u64) -> Option<&str> {
    let dated = chain.iter().find(|certificate| u64::try_from(date(certificate)) == Ok(seconds));
    dated.map(|certificate| certificate.subject.as_str())
}

fn now(time: UnixTime) -> String {
    format!("{} by this node's clock", shown(time.as_secs()))
}

/// The time in RFC 3339, or in seconds for years after 9999, which RFC 3339 cannot express.
fn shown(seconds: u64) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
        Some(time) if seconds < YEAR_10000 => humantime::format_rfc3339_seconds(time).to_string(),
        _ => format!("{seconds} s after 1970"),
    }
}

/// `HandshakeFailure` → `handshake_failure`, `UnknownCA` → `unknown_ca`, as RFC 8446 §6 spells them.
fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let lower = |index: Option<usize>| {
        index.and_then(|index| characters.get(index)).is_some_and(char::is_ascii_lowercase)
    };
    let mut out = String::with_capacity(name.len() + 4);
    for (index, character) in characters.iter().enumerate() {
        let begins_word = lower(index.checked_sub(1)) || lower(index.checked_add(1));
        if character.is_ascii_uppercase() && index > 0 && begins_word {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out.replace("recognised", "recognized")
}

/// The text has one line; the record has all names.
const SHOWN_NAMES: usize = 5;

/// 10000-01-01T00:00:00Z.
const YEAR_10000: u64 = 253_402_300_800;
