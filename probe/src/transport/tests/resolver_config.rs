//! Tests the parsing of `resolv.conf` and the hosts file.
//! `resolve` tests the questions.

use super::super::resolver_config::ResolverConfig;
use proptest::prelude::*;
use std::{net::IpAddr, time::Duration};

fn parse(resolv_conf: &str) -> ResolverConfig {
    ResolverConfig::parse(None, Some(resolv_conf))
}

#[test]
fn missing_files_mean_the_local_nameserver_and_the_defaults() {
    let config = ResolverConfig::parse(None, None);
    assert_eq!(config.nameservers, ["127.0.0.1:53".parse().unwrap()]);
    assert_eq!((config.ndots, config.timeout, config.attempts), (1, Duration::from_secs(5), 2));
}

#[test]
fn a_pods_file_is_read_whole() {
    let config = parse(
        "search ns.svc.cluster.local svc.cluster.local. cluster.local\nnameserver 172.20.0.10\n\
         nameserver fd00::a\noptions ndots:5 timeout:2 attempts:3 use-vc no-aaaa edns0\n",
    );
    assert_eq!(config.nameservers, ["172.20.0.10:53".parse().unwrap(), "[fd00::a]:53".parse().unwrap()]);
    assert_eq!(config.search, ["ns.svc.cluster.local", "svc.cluster.local", "cluster.local"]);
    assert_eq!((config.ndots, config.timeout, config.attempts), (5, Duration::from_secs(2), 3));
    assert!(config.tcp_only && config.no_aaaa);
}

#[test]
fn options_keep_to_the_c_librarys_limits() {
    for (options, ndots, timeout, attempts) in [
        ("ndots:99 timeout:99 attempts:99", 15, 30, 5),
        ("ndots:0 timeout:0 attempts:0", 0, 1, 1),
        ("ndots:x timeout:x attempts", 0, 1, 1),
        ("ndots:70000 timeout:99999999999", 15, 1, 2),
        ("# ndots:7", 1, 5, 2),
    ] {
        let config = parse(&format!("options {options}"));
        let found = (config.ndots, config.timeout.as_secs(), config.attempts);
        assert_eq!(found, (ndots, timeout, attempts), "{options}");
    }
}

#[test]
fn the_last_of_search_and_domain_counts() {
    assert_eq!(parse("domain a.example\nsearch b.example c.example").search, ["b.example", "c.example"]);
    assert_eq!(parse("search b.example c.example\ndomain a.example").search, ["a.example"]);
    assert_eq!(parse("search .").search, Vec::<String>::new());
}

#[test]
fn comments_and_indented_lines_are_not_read() {
    let config =
        parse("# nameserver 1.1.1.1\n;nameserver 1.1.1.1\n nameserver 1.1.1.1\nnameserver\t9.9.9.9 # two\n");
    assert_eq!(config.nameservers, ["9.9.9.9:53".parse().unwrap()]);
}

#[test]
fn the_fourth_nameserver_and_unusable_ones_are_skipped_with_a_reason() {
    let config = parse(
        "nameserver ten\nnameserver fe80::1%eth0\nnameserver fe80::1%3\nnameserver 1.1.1.1\nnameserver 2.2.2.2\n\
         nameserver 3.3.3.3\n",
    );
    assert_eq!(config.nameservers.len(), 3);
    assert_eq!(config.nameservers[0].to_string(), "[fe80::1%3]:53");
    assert_eq!(config.skipped.len(), 3);
    assert!(config.skipped[0].starts_with("ten (") && config.skipped[1].starts_with("fe80::1%eth0 ("));
}

#[test]
fn all_lines_of_the_hosts_file_count_and_case_does_not() {
    let hosts = "127.0.0.1 localhost\n10.1.2.3 STS.example sts # sts2\nfd00::1\tsts.example\nbad sts.example\n\
                 10.1.2.3 sts.example\n";
    let config = ResolverConfig::parse(Some(hosts), None);
    let expected: Vec<IpAddr> = vec!["10.1.2.3".parse().unwrap(), "fd00::1".parse().unwrap()];
    assert_eq!(config.known("Sts.Example."), Some((true, expected)));
    assert_eq!(config.known("sts2"), None);
}

#[test]
fn localhost_needs_no_file_and_yields_to_one() {
    let config = ResolverConfig::parse(None, None);
    let both = Some((false, vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()]));
    assert_eq!(config.known("localhost"), both);
    assert_eq!(config.known("sts.LOCALHOST."), both);
    assert_eq!(config.known("notlocalhost"), None);
    let config = ResolverConfig::parse(Some("10.0.0.1 localhost"), None);
    assert_eq!(config.known("localhost"), Some((true, vec!["10.0.0.1".parse().unwrap()])));
}

#[test]
fn names_are_asked_in_the_c_librarys_order() {
    let config = parse("search a.example b.example\noptions ndots:2");
    assert_eq!(config.candidates("sts.test"), ["sts.test.a.example", "sts.test.b.example", "sts.test"]);
    assert_eq!(
        config.candidates("sts.eu.test"),
        ["sts.eu.test", "sts.eu.test.a.example", "sts.eu.test.b.example"]
    );
    assert_eq!(config.candidates("sts.test."), ["sts.test"]);
    assert_eq!(parse("search a.example\noptions ndots:0").candidates("sts"), ["sts", "sts.a.example"]);
}

#[test]
fn nothing_of_a_hostile_file_is_kept_without_limit() {
    let long = "x".repeat(1_000_000);
    let config = parse(&format!("nameserver {long}\nsearch {long} a.example\n"));
    assert!(config.skipped[0].len() < 100);
    assert_eq!(config.search, ["a.example"]);
    assert_eq!(parse(&format!("search{}", " a.example".repeat(200_000))).search.len(), 32);
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text in "(?s)((nameserver|search|options|domain|#)?[ \t]?.{0,40}\n){0,12}", name in ".{0,30}") {
        let config = ResolverConfig::parse(Some(&text), Some(&text));
        prop_assert!(!config.nameservers.is_empty() && config.nameservers.len() <= 3);
        prop_assert!(config.ndots <= 15 && (1..=5).contains(&config.attempts) && (1..=30).contains(&config.timeout.as_secs()));
        let _ = (config.known(&name), config.candidates(&name));
    }
}
