//! Checks that the leak scan finds secrets; otherwise the scan of the end-to-end tests would prove nothing.
//! It is here because the scenarios have their own harness.

use crate::support::leak::Secrets;

const TOKEN: &[u8] = b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ";

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    for secret in [TOKEN, b"ASIAPCGMMHEPJKKRN4OW", b"7luhNPNyq1PUglWIH9p9kZOHX4+SA3ogbWOixqjT", b"short"] {
        secrets.add(secret);
    }
    secrets
}

#[test]
fn a_whole_secret_is_found() {
    for secret in [TOKEN, b"ASIAPCGMMHEPJKKRN4OW", b"short"] {
        let text = [b"before ".as_slice(), secret, b" after"].concat();
        assert!(secrets().find(&text).is_some_and(|place| place.contains("at byte 7")));
    }
}

#[test]
fn sixteen_bytes_from_anywhere_in_a_secret_are_found() {
    for part in TOKEN.windows(16) {
        assert!(secrets().find(&[b"...", part, b"\xff\xff"].concat()).is_some());
    }
}

#[test]
fn fifteen_bytes_and_a_part_of_a_key_id_are_not() {
    assert_eq!(secrets().find(&TOKEN[..15]), None);
    assert_eq!(secrets().find(b"ASIAPCGMMHEPJKKRN4O"), None);
    assert_eq!(secrets().find(b""), None);
}

#[test]
fn the_message_does_not_repeat_the_secret() {
    let place = secrets().find(TOKEN).unwrap();
    assert_eq!(secrets().find(place.as_bytes()), None);
}
