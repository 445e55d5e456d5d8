//! Tests the reading of good and hostile certificates.
//! rustls verifies them; `tls` tests that.

use super::super::certificate::read;
use rcgen::{CertificateParams, DnType, DnValue, KeyPair, SanType, date_time_ymd};

fn certificate() -> Vec<u8> {
    let mut params = CertificateParams::new(vec!["sts.test".to_owned(), "*.sts.test".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress("192.0.2.1".parse().unwrap()));
    params.subject_alt_names.push(SanType::IpAddress("2001:db8::1".parse().unwrap()));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "US");
    params.distinguished_name.push(DnType::OrganizationName, "Firm, Inc. + Sons");
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 5]), "7");
    params.distinguished_name.push(DnType::CommonName, DnValue::BmpString("#a\nb ".try_into().unwrap()));
    params.not_before = date_time_ymd(1999, 12, 31);
    params.not_after = date_time_ymd(2052, 2, 29);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

#[test]
fn names_dates_and_addresses_are_read_as_the_rfcs_write_them() {
    let read = read(&certificate());
    assert_eq!(read.subject, "CN=\\#a\\0Ab\\ ,2.5.4.5=#0c0137,O=Firm\\, Inc. \\+ Sons,C=US");
    assert_eq!(read.issuer, read.subject);
    assert_eq!(read.names, ["sts.test", "*.sts.test", "192.0.2.1", "2001:db8::1"]);
    assert_eq!((read.not_before, read.not_after), (946_598_400, 2_592_777_600));
}

#[test]
fn what_is_no_certificate_says_so() {
    assert_eq!(read(b"hello").subject, "(not a readable certificate, 5 bytes)");
    assert_eq!(read(b"").subject, "(not a readable certificate, 0 bytes)");
}

#[test]
fn no_cut_and_no_flipped_byte_makes_the_reader_panic() {
    let whole = certificate();
    for length in 0..whole.len() {
        let _ = read(&whole[..length]);
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = whole.clone();
            bad[length] ^= flip;
            let read = read(&bad);
            assert!(read.subject.len() < 5_000 && read.names.len() <= 50);
        }
    }
}
