//! Reads the fields of a presented certificate that a report shows, from its DER (RFC 5280 §4.1). No input makes it fail.
//! Verifies nothing: rustls has already accepted or refused the certificate.

use credprobe_judge::evidence::Certificate;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Subject, issuer, names and dates of `der`. A field that cannot be read stays empty.
///
/// It is written by hand because strict parsers refuse some of the certificates that cause a refused handshake. It also adds
/// no crate (x509-cert adds five, x509-parser fifteen).
pub(super) fn read(der: &[u8]) -> Certificate {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    let sha1 = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut certificate = Certificate { sha1, ..Certificate::default() };
    if walk(der, &mut certificate).is_none() && certificate.subject.is_empty() {
        certificate.subject = format!("(not a readable certificate, {} bytes)", der.len());
    }
    certificate
}

fn walk(der: &[u8], certificate: &mut Certificate) -> Option<()> {
    let mut body = Der(Der(Der(der).expect(SEQUENCE)?).expect(SEQUENCE)?);
    let (tag, _version_or_serial) = body.next()?;
    if tag == CONTEXT_0 {
        body.next()?;
    }
    let _signature_algorithm = body.next()?;
    certificate.issuer = name(body.expect(SEQUENCE)?);
    let mut validity = Der(body.expect(SEQUENCE)?);
    certificate.not_before = time(validity.next()?)?;
    certificate.not_after = time(validity.next()?)?;
    certificate.subject = name(body.expect(SEQUENCE)?);
    let _public_key = body.next()?;
    while let Some((tag, content)) = body.next() {
        if tag == CONTEXT_3 {
            certificate.names = alternative_names(content).unwrap_or_default();
        }
    }
    Some(())
}

/// A sequence of DER elements (X.690 §8.1).
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Tag and content of the next element. `None`: the end, or bytes that are not an element.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // The long form. Four length bytes exceed any handshake message.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

/// A name in the order of RFC 4514 §2: the last relative name comes first.
fn name(content: &[u8]) -> String {
    let mut sequence = Der(content);
    let mut relative_names = Vec::new();
    while let Some(set) = sequence.expect(SET) {
        let mut set = Der(set);
        let mut attributes = Vec::new();
        while let Some(attribute) = set.expect(SEQUENCE) {
            let mut attribute = Der(attribute);
            let parts = attribute.expect(OBJECT_IDENTIFIER).zip(attribute.next());
            attributes.extend(parts.map(|(oid, (tag, value))| named(oid, tag, value)));
        }
        relative_names.push(attributes.join("+"));
    }
    relative_names.reverse();
    let mut text = relative_names.join(",");
    shorten(&mut text);
    text
}

fn named(oid: &[u8], tag: u8, value: &[u8]) -> String {
    let keyword = KEYWORDS.iter().find(|(known, _)| *known == oid).map(|(_, keyword)| *keyword);
    match (keyword, text(tag, value)) {
        (Some(keyword), Some(text)) => format!("{keyword}={}", escaped(&text)),
        (keyword, _) => {
            // RFC 4514 §2.4: without a keyword or a text the encoding is shown in hexadecimal.
            let keyword = keyword.map_or_else(|| dotted(oid), str::to_owned);
            let length = u8::try_from(value.len()).ok().filter(|length| *length < 0x80);
            let header = [tag].into_iter().chain(length);
            let encoding = header.chain(value.iter().copied()).take(MAX_TEXT / 2);
            format!("{keyword}=#{}", encoding.map(|byte| format!("{byte:02x}")).collect::<String>())
        }
    }
}

/// The text of the X.520 string types that occur in names.
fn text(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, NumericString, PrintableString, IA5String. The last three are ASCII.
        0x0c | 0x12 | 0x13 | 0x16 => Some(String::from_utf8_lossy(value).into_owned()),
        // TeletexString, which is Latin-1 in practice.
        0x14 => Some(value.iter().copied().map(char::from).collect()),
        // BMPString.
        0x1e => {
            let units = value.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(u16::from_be_bytes);
            Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        _ => None,
    }
}

/// Escapes as RFC 4514 §2.4 does, and control characters too, so that the text stays one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        let at_edge = (index == 0 && matches!(character, ' ' | '#')) || (index == last && character == ' ');
        if character.is_control() {
            let mut utf8 = [0; 4];
            for byte in character.encode_utf8(&mut utf8).bytes() {
                out.push_str(&format!("\\{byte:02X}"));
            }
            continue;
        }
        if at_edge || matches!(character, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn dotted(oid: &[u8]) -> String {
    let mut arcs: Vec<String> = Vec::new();
    let mut arc: u64 = 0;
    for byte in oid.iter().take(MAX_OID) {
        arc = arc.wrapping_shl(7) | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if arcs.is_empty() {
            // X.690 §8.19.4: one number encodes the first two arcs.
            let first = (arc / 40).min(2);
            arcs.push(first.to_string());
            arc -= first * 40;
        }
        arcs.push(arc.to_string());
        arc = 0;
    }
    arcs.join(".")
}

/// DNS names and addresses of the subject alternative name extension (RFC 5280 §4.2.1.6).
fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut extensions = Der(Der(extensions).expect(SEQUENCE)?);
    let mut names = Vec::new();
    while let Some(extension) = extensions.expect(SEQUENCE) {
        let mut extension = Der(extension);
        if extension.expect(OBJECT_IDENTIFIER)? != SUBJECT_ALTERNATIVE_NAME {
            continue;
        }
        // The optional `critical` may come before the value.
        let value = std::iter::from_fn(|| extension.next()).find(|(tag, _)| *tag == OCTET_STRING)?.1;
        let mut general_names = Der(Der(value).expect(SEQUENCE)?);
        while let Some((tag, value)) = general_names.next() {
            let name = match tag {
                DNS_NAME => Some(String::from_utf8_lossy(value).escape_debug().to_string()),
                IP_ADDRESS => address(value).map(|address| address.to_string()),
                _ => None,
            };
            let Some(mut name) = name else { continue };
            shorten(&mut name);
            names.push(name);
            if names.len() == MAX_NAMES {
                return Some(names);
            }
        }
    }
    Some(names)
}

fn address(value: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(value).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(value).map(|octets| Ipv6Addr::from(octets).into())).ok()
}

/// Seconds since the epoch, from UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5: with seconds, in UTC.
fn time((tag, value): (u8, &[u8])) -> Option<i64> {
    let digits = value.strip_suffix(b"Z")?;
    let number = |range: std::ops::Range<usize>| {
        digits
            .get(range)?
            .iter()
            .try_fold(0, |sum: i64, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let (year, rest) = match (tag, digits.len()) {
        // A year of two digits means 1950 to 2049.
        (UTC_TIME, 12) => (number(0..2).map(|year| if year < 50 { 2000 + year } else { 1900 + year })?, 2),
        (GENERALIZED_TIME, 14) => (number(0..4)?, 4),
        _ => return None,
    };
    let part = |index: usize| number(rest + 2 * index..rest + 2 * index + 2);
    let (month, day, hour, minute, second) = (part(0)?, part(1)?, part(2)?, part(3)?, part(4)?);
    Some(days_since_epoch(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days in the proleptic Gregorian calendar. The year begins in March here, so that the leap day is its last day.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + day_of_year - DAYS_FROM_MARCH_0000_TO_EPOCH)
}

fn shorten(text: &mut String) {
    if let Some((cut, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(cut);
        text.push('…');
    }
}

const DAYS_FROM_MARCH_0000_TO_EPOCH: i64 = 719_468;

const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;

/// OID 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The keywords of RFC 4514 §3.
const KEYWORDS: [(&[u8], &str); 9] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x09], "STREET"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01], "UID"),
];

/// In bytes. People read the report, and X.520 allows names of 64 characters.
const MAX_TEXT: usize = 512;

/// The certificate of an interception proxy may list hundreds of names; fifty show whose it is.
const MAX_NAMES: usize = 50;

/// In bytes. No real identifier is longer, and each byte adds text.
const MAX_OID: usize = 32;
