//! Tests the wire below the SDK, and its log.
//! The code that reads the SDK's errors has tests for their meaning.

use super::super::{Wire, sdk::WireFailure};
use super::support::{answering, assert_no_secret, config, request, server};
use credprobe_judge::evidence::{FailureKind, Phase};
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn a_request_dropped_by_its_caller_is_still_in_the_log() {
    let address = server(|mut stream, _| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let wire = Wire::new(config());
    let sending = wire.send(request(&format!("http://{address}/")));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(40), sending).await.is_err());
    let log = wire.records();
    assert_eq!(log.len(), 1);
    let failure = log[0].failure.clone().unwrap();
    assert_eq!((failure.phase, failure.kind), (Phase::Processing, FailureKind::TimedOut));
}

#[tokio::test]
async fn debug_of_a_wire_shows_nothing() {
    assert_eq!(format!("{:?}", Wire::new(config())), "Wire");
}

#[tokio::test]
async fn the_sdk_gets_the_typed_failure_and_the_log_the_exchange() {
    use aws_sdk_sts::config::{
        BehaviorVersion, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
        retry::RetryConfig, timeout::TimeoutConfig,
    };
    let client = |wire: &Wire, url: String| {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .http_client(wire.clone())
            .endpoint_url(url)
            .credentials_provider(Credentials::for_tests())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled());
        aws_sdk_sts::Client::from_conf(config.build())
    };
    let wire = Wire::new(config());
    let error =
        client(&wire, "http://127.0.0.1:1".to_owned()).get_caller_identity().send().await.unwrap_err();
    let failure = WireFailure::find(&error).unwrap().failure.clone();
    assert_eq!((failure.phase, failure.kind), (Phase::Connect, FailureKind::Refused));
    assert_eq!(wire.records()[0].failure, Some(failure));
    assert!(wire.last_response_head().is_none());

    let address = answering("HTTP/1.1 200 OK\r\nContent-Length: 167\r\n\r\n<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>").await;
    let wire = Wire::new(config());
    let _ = client(&wire, format!("http://{address}")).get_caller_identity().send().await;
    let log = wire.records();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].failure, None);
    assert_eq!(wire.last_response_head().unwrap().status, 200);
    assert_no_secret(&log[0]);
}
