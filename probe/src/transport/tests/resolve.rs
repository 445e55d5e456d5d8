//! Tests the stub resolver against a nameserver that answers as told.
//! `resolver_config` tests the parsing of files.

use super::super::record::Record;
use super::super::resolve::resolve;
use super::super::*;
use super::nameserver::{Act, nameserver};
use super::support::{fail, send, within};
use credprobe_judge::evidence::{FailureKind, Resolution};
use domain::base::iana::Rcode;
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, net::UdpSocket};

fn config(nameservers: &[SocketAddr], search: &[&str]) -> ResolverConfig {
    let mut config = ResolverConfig::parse(None, None);
    config.nameservers = nameservers.to_vec();
    config.search = search.iter().map(|domain| (*domain).to_owned()).collect();
    config.timeout = Duration::from_millis(50);
    config
}

/// The addresses or the kind of failure, and the record.
async fn ask(config: ResolverConfig, host: &str) -> (Result<Vec<IpAddr>, FailureKind>, Resolution) {
    let record = Record::new(String::new());
    let outcome = resolve(&Arc::new(config), host, &record).await;
    let outcome = outcome.map(|found| found.addresses).map_err(|fault| fault.in_phase(Phase::Resolve).kind);
    (outcome, record.snapshot().resolution.unwrap())
}

fn addresses(texts: &[&str]) -> Result<Vec<IpAddr>, FailureKind> {
    Ok(texts.iter().map(|text| text.parse().unwrap()).collect())
}

fn outcomes(resolution: &Resolution) -> Vec<String> {
    let line = |question: &credprobe_judge::evidence::Question| {
        let tcp = if question.nameserver.ends_with("/tcp") { " tcp" } else { "" };
        format!("{} {} {} {}{tcp}", question.name, question.record_type, question.outcome, question.answers)
    };
    let mut lines: Vec<String> = resolution.questions.iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn both_families_are_asked_and_ipv6_stands_first() {
    let server =
        nameserver(&[("sts.test", Act::Has(vec!["192.0.2.1", "2001:db8::1", "192.0.2.2"], None))]).await;
    let (found, resolution) = ask(config(&[server], &["search.test"]), "STS.test").await;
    assert_eq!(found, addresses(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
    assert_eq!(outcomes(&resolution), ["STS.test A NOERROR 2", "STS.test AAAA NOERROR 1"]);
    assert_eq!(resolution.addresses.len(), 3);
    assert_eq!(resolution.nameservers, [server.to_string()]);
}

#[tokio::test]
async fn addresses_behind_a_cname_with_compressed_names_are_found() {
    let server = nameserver(&[("sts.test", Act::Has(vec!["192.0.2.1"], Some("sts.region.test")))]).await;
    assert_eq!(ask(config(&[server], &[]), "sts.test").await.0, addresses(&["192.0.2.1"]));
}

#[tokio::test]
async fn nxdomain_everywhere_is_name_not_found_after_the_search_list() {
    let server = nameserver(&[]).await;
    let (found, resolution) = ask(config(&[server], &["a.test", "b.test"]), "sts").await;
    assert_eq!(found, Err(FailureKind::NameNotFound));
    assert_eq!(resolution.questions.len(), 6);
    assert_eq!(resolution.questions[0].name, "sts.a.test");
    assert_eq!(resolution.questions[5].name, "sts");
    assert!(resolution.questions.iter().all(|question| question.outcome == "NXDOMAIN"));
}

#[tokio::test]
async fn a_name_found_through_the_search_list_counts() {
    let server = nameserver(&[("sts.b.test", Act::Has(vec!["192.0.2.1"], None))]).await;
    assert_eq!(ask(config(&[server], &["a.test", "b.test"]), "sts").await.0, addresses(&["192.0.2.1"]));
    assert_eq!(ask(config(&[server], &["a.test", "b.test"]), "sts.").await.0, Err(FailureKind::NameNotFound));
}

#[tokio::test]
async fn no_data_is_a_name_without_address() {
    let server = nameserver(&[("sts.test", Act::Has(vec![], None))]).await;
    assert_eq!(ask(config(&[server], &["a.test"]), "sts.test").await.0, Err(FailureKind::NameWithoutAddress));
}

#[tokio::test]
async fn servfail_and_refused_lead_to_the_next_nameserver() {
    let good = nameserver(&[("sts.test", Act::Has(vec!["192.0.2.1"], None))]).await;
    for rcode in [Rcode::SERVFAIL, Rcode::REFUSED, Rcode::NOTIMP, Rcode::FORMERR] {
        let bad = nameserver(&[("sts.test", Act::Says(rcode))]).await;
        let (found, resolution) = ask(config(&[bad, good], &[]), "sts.test").await;
        assert_eq!(found, addresses(&["192.0.2.1"]));
        assert_eq!(resolution.questions[0].outcome, rcode.to_string());
    }
}

#[tokio::test]
async fn servfail_from_all_is_nameserver_failed_after_all_attempts() {
    let server = nameserver(&[("sts.test", Act::Says(Rcode::SERVFAIL))]).await;
    let (found, resolution) = ask(config(&[server], &["a.test"]), "sts.test").await;
    assert_eq!(found, Err(FailureKind::NameserverFailed));
    assert_eq!(resolution.questions.len(), 6, "two attempts of two types, then the search list");
}

#[tokio::test]
async fn a_nameserver_that_is_not_there_refuses_at_once() {
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let began = Instant::now();
    let mut config = config(&[nobody], &[]);
    config.timeout = Duration::from_secs(5);
    let (found, resolution) = ask(config, "sts.test").await;
    assert_eq!(found, Err(FailureKind::NameserverFailed));
    assert_eq!(resolution.questions[0].outcome, "ECONNREFUSED");
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn silence_is_recorded_as_timeout_and_the_next_nameserver_asked() {
    let silent = nameserver(&[("sts.test", Act::Silent)]).await;
    let good = nameserver(&[("sts.test", Act::Has(vec!["192.0.2.1"], None))]).await;
    let (found, resolution) = ask(config(&[silent, good], &[]), "sts.test").await;
    assert_eq!(found, addresses(&["192.0.2.1"]));
    assert_eq!(resolution.questions[0].outcome, "timeout");
}

#[tokio::test]
async fn the_deadline_ends_the_wait_for_a_silent_nameserver_and_keeps_what_was_asked() {
    let silent = nameserver(&[("sts.test", Act::Silent)]).await;
    let mut settings = within(60);
    settings.resolver = ResolverConfig { timeout: Duration::from_secs(5), ..config(&[silent], &[]) }.into();
    let (network, failure) = fail(settings, "https://sts.test/").await;
    assert_eq!((failure.phase, failure.kind), (Phase::Resolve, FailureKind::TimedOut));
    let questions = network.resolution.unwrap().questions;
    assert_eq!(questions.len(), 2);
    assert!(questions.iter().all(|question| question.outcome == "timeout"));
    assert!(network.phases_ms.resolve.unwrap() >= 50.0 && network.phases_ms.connect.is_none());
}

#[tokio::test]
async fn the_addresses_of_one_family_do_not_wait_for_a_silent_one() {
    for (silent, address, expected) in [
        ("AAAA", "192.0.2.1", ["sts.test A NOERROR 1", "sts.test AAAA timeout 0"]),
        ("A", "2001:db8::1", ["sts.test A timeout 0", "sts.test AAAA NOERROR 1"]),
    ] {
        let server = nameserver(&[("sts.test", Act::SilentOn(silent, vec![address]))]).await;
        let began = Instant::now();
        let config = ResolverConfig { timeout: Duration::from_secs(5), ..config(&[server], &[]) };
        let (found, resolution) = ask(config, "sts.test").await;
        assert!(began.elapsed() < Duration::from_secs(1), "{silent}: {:?}", began.elapsed());
        assert_eq!(found, addresses(&[address]));
        assert_eq!(outcomes(&resolution), expected);
    }
}

#[tokio::test]
async fn a_name_that_one_family_denies_does_not_wait_for_a_silent_one() {
    let zone = [("sts.a.test", Act::SilentOn("AAAA", vec![])), ("sts", Act::Has(vec!["192.0.2.1"], None))];
    let server = nameserver(&zone).await;
    let began = Instant::now();
    let config = ResolverConfig { timeout: Duration::from_secs(5), ..config(&[server], &["a.test"]) };
    assert_eq!(ask(config, "sts").await.0, addresses(&["192.0.2.1"]));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn addresses_that_come_late_are_connected_to_when_the_first_ones_fail() {
    let port = super::support::server(|mut stream, _| async move {
        super::support::read_request(&mut stream).await;
        let _ = stream.write_all(super::support::ok("hi").as_bytes()).await;
    });
    let port = port.await.port();
    // Nobody listens at 127.0.0.2, so the first connection fails at once.
    let act = Act::LateOnAaaa("127.0.0.2", "::ffff:127.0.0.1");
    let server = nameserver(&[("sts.test", act)]).await;
    let mut settings = within(5000);
    settings.resolver = ResolverConfig { timeout: Duration::from_secs(5), ..config(&[server], &[]) }.into();
    let (network, answer) = send(settings, &format!("http://sts.test:{port}/")).await;
    assert_eq!(answer.unwrap().status(), 200);
    assert_eq!(network.addresses.len(), 2);
    assert_eq!(network.resolution.unwrap().addresses.len(), 2);
}

#[tokio::test]
async fn a_refusal_is_told_although_the_other_family_is_silent() {
    let server = nameserver(&[("sts.test", Act::SilentOn("AAAA", vec!["127.0.0.1"]))]).await;
    let port = super::support::closed_port().await.port();
    let mut settings = within(10_000);
    settings.resolver = ResolverConfig { timeout: Duration::from_secs(20), ..config(&[server], &[]) }.into();
    let (_, failure) = fail(settings, &format!("http://sts.test:{port}/")).await;
    assert_eq!((failure.phase, failure.kind), (Phase::Connect, FailureKind::Refused));
}

#[tokio::test]
async fn a_name_with_few_dots_is_what_the_search_list_makes_of_it() {
    let zone = [
        ("sts.test", Act::Has(vec!["192.0.2.11"], None)),
        ("sts.test.b.test", Act::Has(vec!["192.0.2.66"], None)),
    ];
    let server = nameserver(&zone).await;
    let asked = |ndots| {
        let config = ResolverConfig { ndots, ..config(&[server], &["a.test", "b.test"]) };
        async move { ask(config, "sts.test").await }
    };
    let (found, resolution) = asked(5).await;
    assert_eq!(found, addresses(&["192.0.2.66"]));
    assert_eq!(resolution.found_as.as_deref(), Some("sts.test.b.test"));
    assert_eq!(Ok(resolution.as_written), addresses(&["192.0.2.11"]));
    assert_eq!(Ok(resolution.addresses), addresses(&["192.0.2.66"]));
    let (found, resolution) = asked(1).await;
    assert_eq!(found, addresses(&["192.0.2.11"]));
    assert_eq!((resolution.found_as, resolution.questions.len()), (None, 2));
}

#[tokio::test]
async fn silence_for_a_searched_name_leaves_time_for_the_name_itself() {
    let zone = [("sts.a.test", Act::Silent), ("sts", Act::Has(vec!["192.0.2.1"], None))];
    let server = nameserver(&zone).await;
    let (found, resolution) = ask(config(&[server], &["a.test", "b.test"]), "sts").await;
    assert_eq!(found, addresses(&["192.0.2.1"]));
    assert!(resolution.questions.iter().all(|question| question.name != "sts.b.test"));
}

#[tokio::test]
async fn no_resolv_conf_makes_a_report_that_is_too_long() {
    let nameservers: Vec<SocketAddr> = vec![
        nameserver(&[]).await,
        nameserver(&[("*", Act::Says(Rcode::SERVFAIL))]).await,
        nameserver(&[("*", Act::Truncates)]).await,
    ];
    let domain = "d".repeat(60);
    let resolv_conf = format!("search{}\n", format!(" {domain}.test").repeat(200_000));
    let hosts: String =
        (0..60_000_u32).map(|n| format!("{} sts.test\n", std::net::Ipv4Addr::from(n))).collect();
    let mut config = ResolverConfig::parse(Some(&hosts), Some(&resolv_conf));
    assert_eq!(config.known("sts.test").map(|(_, addresses)| addresses.len()), Some(16));
    config.nameservers = nameservers.into_iter().rev().collect();
    (config.ndots, config.attempts, config.timeout) = (15, 5, Duration::from_millis(50));
    let (_, resolution) = ask(config, "sts.unknown").await;
    assert_eq!(resolution.search.len(), 32);
    assert!(resolution.questions.len() <= 512, "{}", resolution.questions.len());
    assert!(serde_json::to_string(&resolution).unwrap().len() < 512 * 1024);
}

#[tokio::test]
async fn truncation_leads_to_tcp() {
    let server = nameserver(&[("sts.test", Act::Truncates)]).await;
    let (found, resolution) = ask(config(&[server], &[]), "sts.test").await;
    assert_eq!(found, addresses(&["192.0.2.9"]));
    let a: Vec<_> = outcomes(&resolution).into_iter().filter(|line| line.contains(" A ")).collect();
    assert_eq!(a, ["sts.test A NOERROR 1 tcp", "sts.test A truncated 0"]);
}

#[tokio::test]
async fn use_vc_asks_over_tcp_only() {
    let server = nameserver(&[("sts.test", Act::Truncates)]).await;
    let (_, resolution) = ask(ResolverConfig { tcp_only: true, ..config(&[server], &[]) }, "sts.test").await;
    assert!(resolution.questions.iter().all(|question| question.nameserver.ends_with("/tcp")));
}

#[tokio::test]
async fn answers_with_another_id_or_question_are_waited_past() {
    for act in [Act::WrongIdFirst, Act::WrongQuestionFirst] {
        let server = nameserver(&[("sts.test", act)]).await;
        assert_eq!(ask(config(&[server], &[]), "sts.test").await.0, addresses(&["192.0.2.1"]));
    }
}

#[tokio::test]
async fn garbage_is_a_bad_reply() {
    for act in [Act::Raw(b"hello".to_vec()), Act::Raw(vec![0xff; 40]), Act::CutShort] {
        let server = nameserver(&[("sts.test", act)]).await;
        let (found, resolution) = ask(config(&[server], &[]), "sts.test").await;
        assert_eq!(found, Err(FailureKind::NameserverFailed));
        assert_eq!(resolution.questions[0].outcome, "bad-reply");
    }
}

#[tokio::test]
async fn names_that_cannot_be_names_are_unusable() {
    let long = format!("{}.test", "a".repeat(64));
    for name in [long.as_str(), "a..test", "a\\b.test"] {
        assert_eq!(
            ask(config(&["127.0.0.1:1".parse().unwrap()], &[]), name).await.0,
            Err(FailureKind::Unusable)
        );
    }
}

#[tokio::test]
async fn the_hosts_file_answers_without_a_question() {
    let mut config = config(&[], &[]);
    config.hosts = vec![("sts.test".to_owned(), "192.0.2.7".parse().unwrap())];
    let (found, resolution) = ask(config, "sts.test").await;
    assert_eq!(found, addresses(&["192.0.2.7"]));
    assert!(resolution.from_hosts_file && resolution.questions.is_empty());
}

#[tokio::test]
async fn no_aaaa_asks_for_ipv4_only() {
    let server = nameserver(&[("sts.test", Act::Has(vec!["192.0.2.1"], None))]).await;
    let (_, resolution) = ask(ResolverConfig { no_aaaa: true, ..config(&[server], &[]) }, "sts.test").await;
    assert_eq!(outcomes(&resolution), ["sts.test A NOERROR 1"]);
}
