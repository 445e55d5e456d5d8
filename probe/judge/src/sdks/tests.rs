//! Compares the table with what was read and observed: which provider wins, and which host each SDK calls.
//! Deviations from `winners.json` (as of 2026-11-21) are listed with their reason.

mod observed;

use super::*;
use crate::evidence::Profile;
use std::collections::BTreeMap;

type Variables<'v> = &'v [(&'v str, &'v str)];

const ROLE: (&str, &str) = ("AWS_ROLE_ARN", "arn:aws:iam::814203749616:role/checkout-reader");
const FILE: (&str, &str) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
const URI: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
const AUTH: (&str, &str) = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/pod-identity-token");
const ID: (&str, &str) = ("AWS_ACCESS_KEY_ID", "set");
const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "set");

fn environment(variables: Variables<'_>) -> Environment {
    Environment {
        variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..Environment::default()
    }
}

fn with_profile(variables: Variables<'_>, keys: &[&str]) -> Environment {
    let kept = ["role_arn", "web_identity_token_file", "region", "sts_regional_endpoints"];
    let (settings, other_keys): (Vec<&str>, Vec<&str>) = keys.iter().partition(|key| kept.contains(key));
    Environment {
        profile: Some(Profile {
            name: "default".to_owned(),
            settings: settings.into_iter().map(|key| (key.to_owned(), "x".to_owned())).collect(),
            other_keys: other_keys.into_iter().map(str::to_owned).collect(),
            in_credentials: keys.iter().map(|key| (*key).to_owned()).collect(),
            source: None,
        }),
        ..environment(variables)
    }
}

const KEYS_OF_PROFILE: &[&str] = &["aws_access_key_id", "aws_secret_access_key"];

fn picks(id: &str, environment: &Environment) -> Option<Provider> {
    chain_of(by_id(id).unwrap(), environment).picks().map(|picked| picked.provider)
}

/// The provider in the spelling of `winners.json`.
fn spelled(provider: Option<Provider>) -> &'static str {
    match provider {
        Some(Provider::Keys) => "env",
        Some(Provider::WebIdentity) => "web_identity",
        Some(Provider::Container) => "container",
        Some(Provider::Imds) => "imds",
        Some(_) => "profile",
        None => "none",
    }
}

/// Where the table differs from `winners.json`: SDK, situation, what the table says, and its source.
const DEVIATIONS: &[(&str, &str, &str, &str)] = &[(
    "rust-object-store",
    "profile_creds_and_pod_identity",
    "container",
    "it does not know profiles (a note beside its row)",
)];

#[test]
fn winners_are_those_that_were_seen() {
    let winners: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("tests/winners.json")).unwrap();
    assert_eq!(winners.len(), 16);
    let situations = [
        ("irsa_and_pod_identity", environment(&[ROLE, FILE, URI, AUTH])),
        ("static_env_and_irsa", environment(&[ROLE, FILE, ID, SECRET])),
        ("static_env_and_pod_identity", environment(&[URI, AUTH, ID, SECRET])),
        ("profile_creds_and_irsa", with_profile(&[ROLE, FILE], KEYS_OF_PROFILE)),
        ("profile_creds_and_pod_identity", with_profile(&[URI, AUTH], KEYS_OF_PROFILE)),
    ];
    for sdk in SDKS {
        // The CLI v2 contains botocore, so `winners.json` has one row for both.
        let row = winners.get(if sdk.id == "aws-cli-v2" { "botocore" } else { sdk.id });
        // Third-party SDKs were observed only in the second round.
        let Some(row) = row else {
            assert_eq!(sdk.kind, Kind::ThirdParty, "{}", sdk.id);
            continue;
        };
        for (situation, environment) in &situations {
            let deviation = DEVIATIONS.iter().find(|it| (it.0, it.1) == (sdk.id, *situation));
            let expected = deviation.map_or(row[*situation].as_str(), |it| it.2);
            assert_eq!(spelled(picks(sdk.id, environment)), expected, "{} {situation}", sdk.id);
        }
    }
}

#[test]
fn ids_and_names_are_unique() {
    let mut seen = std::collections::BTreeSet::new();
    for sdk in SDKS {
        assert!(seen.insert(sdk.id.to_ascii_lowercase()), "{}", sdk.id);
        let names = sdk.names.iter().chain(sdk.packages).copied();
        let aliases = ALIASES.iter().filter(|alias| alias.sdk == sdk.id).map(|alias| alias.name);
        let mut own = std::collections::BTreeSet::from([sdk.id.to_ascii_lowercase()]);
        for name in names.chain(aliases).filter(|name| own.insert(name.to_ascii_lowercase())) {
            assert!(seen.insert(name.to_ascii_lowercase()), "{name}");
        }
        assert!(!sdk.facts.is_empty(), "{}", sdk.id);
    }
    for (name, id) in [
        ("boto3", "botocore"),
        ("@aws-sdk/client-s3", "js-v3"),
        ("aws-sdk", "js-v2"),
        ("aws", "aws-cli-v2"),
        ("Terraform", "go-v2"),
        ("github.com/aws/aws-sdk-go-v2/config", "go-v2"),
        ("duckdb", "cpp"),
        ("polars", "rust-object-store"),
        ("restic", "minio-go"),
    ] {
        assert_eq!(by_id(name).map(|sdk| sdk.id), Some(id), "{name}");
    }
    for alias in ALIASES {
        assert_eq!(by_id(alias.name).map(|sdk| sdk.id), Some(alias.sdk), "{}", alias.name);
    }
}

#[test]
fn a_name_that_is_none_gets_those_that_are_like_it() {
    for (given, meant) in
        [("boto", "botocore"), ("terrafrom", "terraform"), ("go-v", "go-v1"), ("rcloen", "rclone")]
    {
        assert!(by_id(given).is_none(), "{given}");
        assert!(similar(given).contains(&meant), "{given}: {:?}", similar(given));
    }
    assert!(similar("cobol-85").is_empty());
}

#[test]
fn the_id_in_json_is_the_id_in_text() {
    for provider in [Provider::Keys, Provider::ProfileWebIdentity, Provider::WebIdentity, Provider::Imds] {
        assert_eq!(serde_json::to_value(provider).unwrap(), provider.id());
    }
}

/// The hosts that AWS's own SDKs called (sources.md, “SDKs”). `-`: the SDK fails.
#[test]
fn each_sdk_calls_the_host_that_was_observed() {
    const REGION: &str = "AWS_REGION";
    const DEFAULT: &str = "AWS_DEFAULT_REGION";
    const LEGACY: (&str, &str) = ("AWS_STS_REGIONAL_ENDPOINTS", "legacy");
    let us = [(REGION, "us-east-1"), (DEFAULT, "us-east-1")];
    let and = |other: (&'static str, &'static str)| [us[0], us[1], other];
    let both = |region: &'static str| vec![(REGION, region), (DEFAULT, region)];
    let ids = ["botocore", "aws-cli-v2", "js-v3", "go-v2", "rust"];
    let (global, ireland, virginia) =
        ("sts.amazonaws.com", "sts.eu-west-1.amazonaws.com", "sts.us-east-1.amazonaws.com");
    let fips = "sts-fips.us-east-1.amazonaws.com";
    let dual_stack = "sts.us-east-1.api.aws";
    for (variables, hosts) in [
        (vec![(REGION, "eu-west-1")], [global, ireland, ireland, ireland, ireland]),
        (vec![(DEFAULT, "eu-west-1")], [ireland, ireland, virginia, ireland, ireland]),
        (
            vec![(REGION, "us-east-1"), (DEFAULT, "eu-west-1")],
            [ireland, virginia, virginia, virginia, virginia],
        ),
        (vec![], [global, global, virginia, "-", "-"]),
        (and(LEGACY).to_vec(), [global, virginia, virginia, virginia, virginia]),
        (and(("AWS_STS_REGIONAL_ENDPOINTS", "regional")).to_vec(), [virginia; 5]),
        (and(("AWS_USE_FIPS_ENDPOINT", "true")).to_vec(), [fips; 5]),
        (and(("AWS_USE_DUALSTACK_ENDPOINT", "true")).to_vec(), [dual_stack; 5]),
        (both("cn-north-1"), ["sts.cn-north-1.amazonaws.com.cn"; 5]),
        (both("us-gov-west-1"), ["sts.us-gov-west-1.amazonaws.com"; 5]),
    ] {
        let environment = environment(&variables);
        for (id, host) in ids.iter().zip(hosts) {
            let called = call(by_id(id).unwrap(), &environment).unwrap().host;
            assert_eq!(called.as_deref().unwrap_or("-"), host, "{id} {variables:?}");
        }
    }
}

#[test]
fn configured_endpoints_are_ignored_by_those_who_read_that_they_should_be() {
    let environment = environment(&[
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_STS", "https://sts.example"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ]);
    for (id, host) in [("botocore", "sts.us-east-1.amazonaws.com"), ("rust", "sts.example")] {
        assert_eq!(call(by_id(id).unwrap(), &environment).unwrap().host.as_deref(), Some(host), "{id}");
    }
}

#[test]
fn half_a_pair_of_keys_ends_the_search_of_boto3_alone() {
    let environment = environment(&[ROLE, FILE, ID]);
    let boto3 = chain_of(by_id("boto3").unwrap(), &environment);
    assert!(boto3.picks().unwrap().broken.is_some());
    assert_eq!(picks("go-v2", &environment), Some(Provider::WebIdentity));
}

#[test]
fn a_token_file_without_role_goes_to_the_node_in_rust_and_stops_boto3() {
    let environment = environment(&[FILE]);
    assert_eq!(picks("rust", &environment), Some(Provider::Imds));
    assert!(chain_of(by_id("boto3").unwrap(), &environment).picks().unwrap().broken.is_some());
}

#[test]
fn a_profile_that_assumes_a_role_beats_irsa_in_boto3_and_one_with_a_token_file_does_not() {
    let assumes = with_profile(&[ROLE, FILE], &["role_arn", "source_profile"]);
    assert_eq!(picks("boto3", &assumes), Some(Provider::ProfileAssumeRole));
    let web_identity = with_profile(&[ROLE, FILE], &["role_arn", "web_identity_token_file"]);
    assert_eq!(picks("boto3", &web_identity), Some(Provider::WebIdentity));
    let alone = with_profile(&[], &["role_arn", "web_identity_token_file"]);
    assert_eq!(picks("boto3", &alone), Some(Provider::ProfileWebIdentity));
}

#[test]
fn keys_are_left_out_by_javascript_with_a_profile() {
    let environment = environment(&[ID, SECRET, ROLE, FILE, ("AWS_PROFILE", "shop")]);
    assert_eq!(picks("js-v3", &environment), Some(Provider::WebIdentity));
    assert_eq!(picks("boto3", &environment), Some(Provider::Keys));
}

#[test]
fn a_refusal_goes_on_to_the_node_in_java_and_stops_boto3() {
    let environment = environment(&[ROLE, FILE]);
    let after = |id: &str| chain_of(by_id(id).unwrap(), &environment).on_failure;
    assert_eq!(after("java-v2"), OnFailure::GoesOn { to: Provider::Imds });
    assert_eq!(after("boto3"), OnFailure::Stops);
}

#[test]
fn a_container_excludes_the_node_where_the_sdk_says_so() {
    let environment = environment(&[URI, AUTH]);
    let after = |id: &str| chain_of(by_id(id).unwrap(), &environment).on_failure;
    assert_eq!(after("java-v2"), OnFailure::GoesOn { to: Provider::Imds });
    assert_eq!(after("java-v1"), OnFailure::HasNoOther);
    assert_eq!(after("ruby"), OnFailure::Warns);
}

#[test]
fn metadata_that_is_switched_off_is_asked_by_those_alone_who_do_not_read_it() {
    let environment = environment(&[("AWS_EC2_METADATA_DISABLED", "true")]);
    for sdk in SDKS {
        let asks = picks(sdk.id, &environment) == Some(Provider::Imds);
        let never = ["rust-object-store", "minio-go", "minio-py", "s3cmd", "gdal"].contains(&sdk.id);
        assert_eq!(asks, never, "{}", sdk.id);
    }
}

#[test]
fn the_lower_case_proxy_wins_in_python_and_the_upper_case_one_in_go() {
    let environment = environment(&[("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:1")]);
    let variable = |proxying| match way(proxying, &environment, "sts.eu-west-1.amazonaws.com") {
        Some(Way::Proxy { variable, .. }) => variable,
        other => panic!("{other:?}"),
    };
    assert_eq!(variable(Proxying::Python), "https_proxy");
    assert_eq!(variable(Proxying::Go), "HTTPS_PROXY");
}

#[test]
fn an_empty_lower_case_variable_switches_the_proxy_off_in_python_alone() {
    let environment = environment(&[("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "")]);
    assert_eq!(way(Proxying::Python, &environment, "sts.amazonaws.com"), Some(Way::Direct));
    assert_ne!(way(Proxying::Go, &environment, "sts.amazonaws.com"), Some(Way::Direct));
}

#[test]
fn no_proxy_is_read_differently() {
    let host = "sts.eu-west-1.amazonaws.com";
    for (no_proxy, python, go) in [
        ("*", true, true),
        (".amazonaws.com", true, true),
        ("amazonaws.com", true, true),
        ("*.amazonaws.com", false, true),
        ("sts.eu-west-1.amazonaws.com:443", false, true),
        (" example , STS.eu-west-1.amazonaws.com", true, true),
        ("example,", false, false),
        ("maws.com", false, false),
    ] {
        let environment = environment(&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", no_proxy)]);
        let direct = |proxying| way(proxying, &environment, host) == Some(Way::Direct);
        assert_eq!((direct(Proxying::Python), direct(Proxying::Go)), (python, go), "{no_proxy}");
    }
}

#[test]
fn only_commands_with_one_sdk_tell_it() {
    assert_eq!(by_command("python3.12").map(|sdk| sdk.id), Some("botocore"));
    assert!(by_command("node").is_none());
    assert!(by_command("java").is_none());
}

#[test]
fn names_are_counted_from_the_shorter_side() {
    let all = ["a", "b", "c", "d", "e"];
    assert_eq!(enumerate(&["a", "b"], &all), "a and b");
    assert_eq!(enumerate(&["a", "b", "c", "d"], &all), "every SDK except e");
    assert_eq!(enumerate(&all, &all), "every SDK");
}
