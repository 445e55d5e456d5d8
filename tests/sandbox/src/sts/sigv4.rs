//! Verifies signature version 4, written from AWS's description and with aws-lc: it has nothing in common with the SDK's
//! signer. The order of the checks is form, scope, clock, key, signature.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, hmac};
use time::{Duration, OffsetDateTime};

use super::{Endpoint, Refusal, Request};
use crate::{
    clock,
    key::{hex, sha256_hex},
    session::Session,
};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far a signature's time may be from STS's.
const WINDOW: Duration = Duration::minutes(5);

pub(super) fn verify(
    request: &Request<'_>,
    service: &str,
    region: Option<&str>,
    now: OffsetDateTime,
    session: impl FnOnce(&str) -> Option<Session>,
) -> Result<Session, Refusal> {
    let authorization = Authorization::read(request)?;
    let date = header(request, "x-amz-date").unwrap_or_default();
    let time = clock::parse_basic(&date).ok_or_else(|| {
        incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    })?;
    authorization.scope(&date, service, region)?;
    window(time, now)?;
    let session = session(authorization.key_id).ok_or_else(unknown_key)?;
    let expected = authorization.sign(request, &date, &session.secret);
    // A comparison in constant time, out of habit.
    match constant_time::verify_slices_are_equal(expected.as_bytes(), authorization.signature.as_bytes()) {
        Ok(()) => Ok(session),
        Err(_) => Err(mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
             and signing method. Consult the service documentation for details.",
        )),
    }
}

/// How long a signature in a query is valid, whatever the query says.
const PRESIGNED: Duration = Duration::minutes(15);

/// Verifies a signature in the query: the same keys, but another canonical request.
pub(super) fn verify_query(
    request: &Request<'_>,
    region: Option<&str>,
    now: OffsetDateTime,
    session: impl FnOnce(&str) -> Option<Session>,
) -> Result<Session, Refusal> {
    let parameters = request.parameters();
    let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let credential: Vec<&str> = get("X-Amz-Credential").split('/').collect();
    let [key_id, day, its_region, service, "aws4_request"] = credential[..] else {
        return Err(incomplete("Authorization query parameters are not complete."));
    };
    let date = get("X-Amz-Date");
    let time =
        clock::parse_basic(date).ok_or_else(|| incomplete("X-Amz-Date must be in the ISO8601 form."))?;
    if region.is_some_and(|region| region != its_region) || service != "sts" || !date.starts_with(day) {
        return Err(mismatch("Credential should be scoped to a valid region"));
    }
    if time > now + WINDOW || time + PRESIGNED < now {
        return Err(mismatch("Signature expired or not yet current"));
    }
    let session = session(key_id).ok_or_else(unknown_key)?;
    let signed: Vec<&str> =
        request.query.split('&').filter(|pair| !pair.starts_with("X-Amz-Signature=")).collect();
    let mut canonical =
        format!("{}\n{}\n{}\n", request.method, request.path, canonical_query(&signed.join("&")));
    let headers = get("X-Amz-SignedHeaders");
    for name in headers.split(';') {
        let _ = writeln!(canonical, "{name}:{}", header(request, name).unwrap_or_default());
    }
    let _ = write!(canonical, "\n{headers}\n{}", sha256_hex(request.body));
    let scope = format!("{day}/{its_region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let mut key = format!("AWS4{}", session.secret).into_bytes();
    for part in [day, its_region, service, "aws4_request"] {
        key = mac(&key, part);
    }
    let expected = hex(&mac(&key, &to_sign));
    match constant_time::verify_slices_are_equal(expected.as_bytes(), get("X-Amz-Signature").as_bytes()) {
        Ok(()) if headers.split(';').any(|name| name == "host") => Ok(session),
        _ => Err(mismatch("The request signature we calculated does not match the signature you provided.")),
    }
}

pub(super) fn unknown_key() -> Refusal {
    Refusal::new(403, "InvalidClientTokenId", "The security token included in the request is invalid")
}

fn mismatch(message: impl Into<String>) -> Refusal {
    Refusal::new(403, "SignatureDoesNotMatch", message)
}

fn incomplete(message: &str) -> Refusal {
    Refusal::new(400, "IncompleteSignature", message)
}

/// The parsed header `Authorization`.
#[derive(Debug)]
struct Authorization<'a> {
    key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        let missing =
            || Refusal::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
        let value = request.headers.get("authorization").ok_or_else(missing)?;
        let parsed = value.to_str().ok().and_then(Self::parse);
        parsed.ok_or_else(|| incomplete("Authorization header is not of the form that AWS4-HMAC-SHA256 has."))
    }

    fn parse(value: &'a str) -> Option<Self> {
        let rest = value.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let part =
            |name: &str| rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let mut credential = part("Credential")?.split('/');
        let mut next = || credential.next();
        let (Some(key_id), Some(date), Some(region), Some(service), Some("aws4_request"), None) =
            (next(), next(), next(), next(), next(), next())
        else {
            return None;
        };
        let (signed_headers, signature) = (part("SignedHeaders")?, part("Signature")?);
        Some(Self { key_id, date, region, service, signed_headers, signature })
    }

    fn scope(&self, date: &str, service: &str, region: Option<&str>) -> Result<(), Refusal> {
        let known = region.map_or_else(|| Endpoint::is_region(self.region), |region| region == self.region);
        if !known {
            return Err(mismatch("Credential should be scoped to a valid region"));
        }
        if self.service != service {
            return Err(mismatch(format!("Credential should be scoped to correct service: '{service}'.")));
        }
        if !date.starts_with(self.date) || self.date.len() != 8 {
            return Err(mismatch(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
            ));
        }
        // The signature must cover the host and the date.
        let signed = |name: &str| self.signed_headers.split(';').any(|signed| signed == name);
        if signed("host") && signed("x-amz-date") {
            Ok(())
        } else {
            Err(mismatch("'Host' and 'X-Amz-Date' must be 'SignedHeader's in the AWS Authorization."))
        }
    }

    fn sign(&self, request: &Request<'_>, date: &str, secret: &str) -> String {
        // All services except S3 encode the path once more.
        let path =
            if self.service == "s3" { request.path.to_owned() } else { request.path.replace('%', "%25") };
        let mut canonical = format!("{}\n{path}\n{}\n", request.method, canonical_query(request.query));
        for name in self.signed_headers.split(';') {
            // Writing to a String cannot fail.
            let _ = writeln!(canonical, "{name}:{}", header(request, name).unwrap_or_default());
        }
        let _ = write!(canonical, "\n{}\n{}", self.signed_headers, sha256_hex(request.body));
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [self.date, self.region, self.service, "aws4_request"] {
            key = mac(&key, part);
        }
        hex(&mac(&key, &to_sign))
    }
}

fn window(time: OffsetDateTime, now: OffsetDateTime) -> Result<(), Refusal> {
    let (signed, here) = (clock::basic(time), clock::basic(now));
    if time < now - WINDOW {
        let limit = clock::basic(now - WINDOW);
        return Err(mismatch(format!(
            "Signature expired: {signed} is now earlier than {limit} ({here} - 5 min.)"
        )));
    }
    if time > now + WINDOW {
        let limit = clock::basic(now + WINDOW);
        return Err(mismatch(format!(
            "Signature not yet current: {signed} is still later than {limit} ({here} + 5 min.)"
        )));
    }
    Ok(())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// All values of a header; each run of blanks becomes one.
fn header(request: &Request<'_>, name: &str) -> Option<String> {
    let values = request.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let values: Vec<String> =
        values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Sorted. SDKs send the names and values already encoded.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    pairs.join("&")
}

#[cfg(test)]
mod tests;
