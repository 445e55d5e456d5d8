//! Tests which URLs and addresses requests may go to.
//! Nothing leaves loopback: for other addresses the policy is asked, but nothing is sent.

use super::super::{AddressPolicy, Config, Wire};
use super::support::{config, fail};
use credprobe_judge::evidence::FailureKind;
use std::sync::Arc;

#[tokio::test]
async fn plain_http_goes_to_loopback_and_the_agent_only_unless_allowed() {
    let mut settings = config();
    Arc::make_mut(&mut settings.resolver).hosts =
        vec![("named.test".to_owned(), "192.0.2.1".parse().unwrap())];
    for url in ["http://192.0.2.1/", "http://[2001:db8::1]/", "http://169.254.169.254/", "http://named.test/"]
    {
        let (network, failure) = fail(settings.clone(), url).await;
        assert_eq!(failure.kind, FailureKind::Unusable, "{url}");
        assert!(network.addresses.is_empty(), "nothing was sent");
    }
    // Asks the policy instead of sending, because a test must not leave loopback.
    let allowed = Wire::new(Config { allow_http: true, ..settings });
    let endpoint = super::super::Endpoint::of(&"http://named.test/".parse().unwrap()).ok().unwrap();
    assert!(allowed.admit(&endpoint, "192.0.2.1".parse().unwrap()).is_ok());
    for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "169.254.170.23", "fd00:ec2::23"] {
        assert!(super::super::plain_http_is_local(address.parse().unwrap()), "{address}");
    }
    let (_, failure) = fail(config(), "http://localhost:1/").await;
    assert_eq!(failure.kind, FailureKind::Refused);
}

#[tokio::test]
async fn an_issuers_url_does_not_reach_metadata_or_this_host() {
    for url in [
        "https://169.254.169.254/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
    ] {
        for peers in [AddressPolicy::DenyMetadata, AddressPolicy::DenyLocal] {
            assert_eq!(fail(Config { peers, ..config() }, url).await.1.kind, FailureKind::Unusable, "{url}");
        }
    }
    for url in ["https://localhost:1/", "https://127.0.0.1:1/", "https://0.0.0.0:1/"] {
        assert_eq!(
            fail(Config { peers: AddressPolicy::DenyLocal, ..config() }, url).await.1.kind,
            FailureKind::Unusable
        );
        assert_eq!(
            fail(Config { peers: AddressPolicy::DenyMetadata, ..config() }, url).await.1.kind,
            FailureKind::Refused
        );
    }
}

#[tokio::test]
async fn urls_that_cannot_be_used_say_so_and_show_no_user_info() {
    for url in [
        "ftp://sts.test/",
        "/path",
        "https://user:pw-of-the-url@sts.test/",
        "https://sts.test:0/",
        "https://sts.test:99999/",
    ] {
        let (network, failure) = fail(config(), url).await;
        assert_eq!(failure.kind, FailureKind::Unusable, "{url}");
        assert!(!format!("{network:?}").contains("pw-of-the-url"));
    }
}

#[tokio::test]
async fn the_default_port_is_in_neither_endpoint_nor_host_header() {
    let uri = "https://STS.test:443/".parse().unwrap();
    let endpoint = super::super::Endpoint::of(&uri).ok().unwrap();
    assert_eq!(
        (endpoint.to_string().as_str(), endpoint.authority.as_str()),
        ("https://STS.test", "STS.test")
    );
}
