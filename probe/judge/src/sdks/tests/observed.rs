//! Observations of real SDKs in the second round (sources.md, “SDKs”), row by row: which stop, what they take, which hosts they call.

use super::*;

const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");
const DEFAULT: (&str, &str) = ("AWS_DEFAULT_REGION", "eu-west-1");

fn ids(environment: &Environment, of: impl Fn(&SdkChain) -> bool) -> Vec<&'static str> {
    chain(environment).iter().filter(|it| of(it)).map(|it| it.sdk.id).collect()
}

fn picked(chain: &SdkChain) -> Option<Provider> {
    chain.picks().map(|picked| picked.provider)
}

/// The SDKs that end up without credentials.
fn stopping(variables: &[Variables<'_>]) -> Vec<&'static str> {
    ids(&environment(&variables.concat()), |it| it.succeeds_with().is_none())
}

#[test]
fn those_who_send_the_agents_address_into_a_proxy_are_the_observed_ones() {
    let proxy = ("HTTP_PROXY", "http://proxy:1");
    let captured = |variables: Variables<'_>| -> Vec<&str> {
        agent_proxied_by(&environment(variables)).iter().map(|sdk| sdk.id).collect()
    };
    let all = ["go-v1", "go-v2", "rust", "deltalake", "rust-object-store", "minio-go", "reqsign"];
    assert_eq!(captured(&[URI, AUTH, proxy]), all);
    for no_proxy in ["169.254.170.23", "169.254.0.0/16", "10.0.0.1,*"] {
        assert!(captured(&[URI, AUTH, proxy, ("NO_PROXY", no_proxy)]).is_empty(), "{no_proxy}");
    }
    assert_eq!(captured(&[URI, AUTH, proxy, ("NO_PROXY", ".svc,localhost")]), all);
    assert!(captured(&[URI, AUTH, ("HTTPS_PROXY", "http://proxy:1")]).is_empty());
    let rust = ["rust", "deltalake", "rust-object-store", "reqsign"];
    assert_eq!(captured(&[URI, AUTH, ("ALL_PROXY", "http://proxy:1")]), rust);
}

#[test]
fn each_value_stops_those_who_were_seen_to_stop() {
    let rust = ["js-v3", "rust", "ruby", "deltalake", "rust-object-store"];
    for (variables, who) in [
        (&[REGION, DEFAULT][..], &[][..]),
        (
            &[("AWS_REGION", ""), DEFAULT],
            &["aws-cli-v2", "js-v3", "rust", "ruby", "deltalake", "rust-object-store", "s3cmd"],
        ),
        (&[REGION, ("AWS_DEFAULT_REGION", "")], &["botocore"]),
        (&[REGION, DEFAULT, ("AWS_PROFILE", "")], &["botocore", "aws-cli-v2"]),
        (&[REGION, DEFAULT, ("AWS_DEFAULT_PROFILE", "")], &["botocore", "aws-cli-v2"]),
        (&[REGION, DEFAULT, ("AWS_ROLE_SESSION_NAME", "")], &rust),
        (&[REGION, DEFAULT, ("AWS_ENDPOINT_URL", "")], &["rust", "ruby"]),
        (&[REGION, DEFAULT, ("AWS_ENDPOINT_URL_STS", "")], &rust[1..]),
        (&[REGION, DEFAULT, ("AWS_ACCESS_KEY_ID", "empty"), ("AWS_SECRET_ACCESS_KEY", "empty")], &rust[3..]),
        (&[REGION, DEFAULT, ID], &["botocore", "aws-cli-v2", "rust-object-store", "minio-go", "s3cmd"]),
        (&[REGION, DEFAULT, SECRET], &["rust-object-store", "minio-go"]),
        (&[REGION, DEFAULT, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "1")], &["go-v2"]),
        (&[REGION, DEFAULT, ("AWS_STS_REGIONAL_ENDPOINTS", "true")], &["botocore", "go-v1", "js-v2"]),
        (&[REGION, DEFAULT, ("AWS_STS_REGIONAL_ENDPOINTS", "Regional")], &["botocore"]),
        (&[REGION, DEFAULT, ("AWS_STS_REGIONAL_ENDPOINTS", "legacy")], &["ruby"]),
        (&[("AWS_REGION", "aws-global"), DEFAULT], &["js-v3", "ruby"]),
        (&[REGION, DEFAULT, ("AWS_RETRY_MODE", "none")], &["botocore", "aws-cli-v2"]),
        (&[REGION, DEFAULT, ("AWS_MAX_ATTEMPTS", "0")], &["botocore", "aws-cli-v2"]),
        (&[], &["go-v2", "rust", "ruby"]),
    ] {
        let all = [&[ROLE, FILE, ("AWS_STS_REGIONAL_ENDPOINTS", "regional")], variables];
        let stopping: Vec<&str> =
            stopping(&all).into_iter().filter(|id| *id != "go-v1" || !variables.is_empty()).collect();
        let who: Vec<&str> = who
            .iter()
            .copied()
            .chain(["deltalake", "s3cmd"].into_iter().filter(|_| variables.is_empty()))
            .collect();
        assert_eq!(stopping, who, "{variables:?}");
    }
}

#[test]
fn a_profile_that_no_file_has_stops_python_and_go_v2() {
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        let mut environment = environment(&[ROLE, FILE, REGION, DEFAULT, (name, "ghost")]);
        environment.profile_missing.push(name.to_owned());
        assert_eq!(
            ids(&environment, |it| it.picks().is_none()),
            ["botocore", "aws-cli-v2", "go-v2"],
            "{name}"
        );
    }
}

#[test]
fn an_empty_or_missing_half_of_irsa_keeps_some_from_the_agent() {
    const POD_IDENTITY: Variables<'_> = &[URI, AUTH, REGION, DEFAULT];
    let without_role = ["botocore", "aws-cli-v2", "go-v1", "go-v2", "minio-go", "minio-py"];
    assert_eq!(stopping(&[POD_IDENTITY, &[FILE]]), without_role);
    let with_empty_role: Vec<&str> = stopping(&[POD_IDENTITY, &[FILE, ("AWS_ROLE_ARN", "")]]);
    let others = ["rust", "ruby", "deltalake", "rust-object-store"];
    assert!(without_role.iter().chain(&others).all(|id| with_empty_role.contains(id)), "{with_empty_role:?}");
    assert_eq!(with_empty_role.len(), without_role.len() + others.len());
    assert_eq!(stopping(&[POD_IDENTITY, &[ROLE, ("AWS_WEB_IDENTITY_TOKEN_FILE", "")]]), others);
    // It does not know Pod Identity, and the node's metadata answers it.
    assert!(stopping(&[POD_IDENTITY, &[ROLE]]).is_empty());
}

#[test]
fn an_endpoint_with_a_scheme_breaks_the_web_identity_of_cpp_and_crt_which_go_on() {
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
        let environment =
            environment(&[ROLE, FILE, URI, AUTH, REGION, DEFAULT, (name, "http://127.0.0.1:8333")]);
        let goes_on = |it: &SdkChain| {
            picked(it) == Some(Provider::WebIdentity) && it.succeeds_with() == Some(Provider::Container)
        };
        assert_eq!(ids(&environment, goes_on), ["cpp", "crt"], "{name}");
    }
}

#[test]
fn old_key_names_are_keys_to_those_who_read_them() {
    let environment = environment(&[ROLE, FILE, ("AWS_ACCESS_KEY", "set"), ("AWS_SECRET_KEY", "set")]);
    let keys = |it: &SdkChain| picked(it) == Some(Provider::Keys);
    let expected = ["go-v1", "go-v2", "java-v1", "java-v2", "ruby", "minio-go", "minio-py", "s3cmd"];
    assert_eq!(ids(&environment, keys), expected);
}

#[test]
fn the_profile_of_aws_default_profile_is_that_of_those_who_read_it() {
    let mut environment = environment(&[URI, AUTH, ("AWS_DEFAULT_PROFILE", "shop")]);
    environment.default_profile = with_profile(&[], KEYS_OF_PROFILE).profile;
    let by_profile = |it: &SdkChain| picked(it).is_some_and(Provider::is_profile);
    assert_eq!(
        ids(&environment, by_profile),
        ["botocore", "aws-cli-v2", "go-v1", "go-v2", "ruby", "cpp", "gdal"]
    );
}

#[test]
fn the_config_file_waits_for_aws_sdk_load_config_in_go_v1_and_javascript_v2() {
    for loaded in [false, true] {
        let mut environment = with_profile(&[URI, AUTH], &["credential_process"]);
        environment.profile.as_mut().unwrap().in_credentials.clear();
        environment.variables.extend(loaded.then(|| ("AWS_SDK_LOAD_CONFIG".to_owned(), "1".to_owned())));
        let of = |profile| if loaded { profile } else { Provider::Container };
        assert_eq!(picks("go-v1", &environment), Some(of(Provider::ProfileProcess)));
        assert_eq!(picks("go-v2", &environment), Some(Provider::ProfileProcess));
        let keys = KEYS_OF_PROFILE.iter().map(|key| (*key).to_owned()).collect();
        environment.profile.as_mut().unwrap().other_keys = keys;
        assert_eq!(picks("js-v2", &environment), Some(of(Provider::ProfileKeys)));
    }
}

#[test]
fn variables_win_before_a_profiles_web_identity_in_cpp_and_crt_which_assume_no_role() {
    let web_identity = with_profile(&[ROLE, FILE, REGION, DEFAULT], &["role_arn", "web_identity_token_file"]);
    let assumes = with_profile(&[ROLE, FILE, REGION, DEFAULT], &["role_arn", "source_profile"]);
    for id in ["cpp", "crt"] {
        assert_eq!(picks(id, &web_identity), Some(Provider::WebIdentity), "{id}");
        assert_eq!(picks(id, &assumes), Some(Provider::WebIdentity), "{id}");
    }
    let without_source = with_profile(&[ROLE, FILE, REGION, DEFAULT], &["role_arn"]);
    assert_eq!(picks("js-v3", &without_source), Some(Provider::WebIdentity));
    assert_eq!(picks("rust", &without_source), Some(Provider::ProfileAssumeRole));
}

/// Which host each calls if the config file names an endpoint, FIPS, or that endpoints are ignored.
#[test]
fn settings_of_the_config_file_lead_those_who_read_them() {
    let ids = [
        "botocore",
        "aws-cli-v2",
        "js-v3",
        "rust",
        "go-v2",
        "ruby",
        "js-v2",
        "deltalake",
        "rust-object-store",
    ];
    let us = "sts.us-east-1.amazonaws.com";
    let variable = ("AWS_ENDPOINT_URL_STS", "https://sts.example");
    let fips = "sts-fips.us-east-1.amazonaws.com";
    let (file, example) = ("file.example", "sts.example");
    for (setting, variables, hosts) in [
        (
            ("endpoint_url_sts", "https://file.example"),
            &[][..],
            [file, file, file, file, file, file, us, us, us],
        ),
        (("endpoint_url", "https://file.example"), &[], [file, file, file, file, us, file, us, us, us]),
        (
            ("ignore_configured_endpoint_urls", "true"),
            &[variable],
            [us, us, us, example, us, us, us, example, example],
        ),
        (("use_fips_endpoint", "true"), &[], [fips, fips, fips, fips, fips, fips, fips, us, us]),
    ] {
        let both = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
        ];
        let mut environment = with_profile(&[&both[..], variables].concat(), &[]);
        let settings = &mut environment.profile.as_mut().unwrap().settings;
        settings.insert(setting.0.to_owned(), setting.1.to_owned());
        for (id, host) in ids.iter().zip(hosts) {
            let called = call(by_id(id).unwrap(), &environment).unwrap().host;
            assert_eq!(called.as_deref(), Some(host), "{id} {setting:?}");
        }
    }
}

/// The older SDKs and the third-party ones. `-`: the SDK fails.
#[test]
fn old_and_foreign_sdks_call_the_hosts_that_were_observed() {
    const G: &str = "sts.amazonaws.com";
    let ids = ["go-v1", "js-v2", "ruby", "cpp", "crt", "reqsign", "minio-go", "s3cmd", "gdal"];
    let west = "sts.us-west-2.amazonaws.com";
    let central = "sts.eu-central-1.amazonaws.com";
    let us = "sts.us-east-1.amazonaws.com";
    let bahrain = "sts.me-south-1.amazonaws.com";
    let (china, nowhere) = ("sts.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com");
    let (region, default) = ("AWS_REGION", "AWS_DEFAULT_REGION");
    let regional = ("AWS_STS_REGIONAL_ENDPOINTS", "regional");
    let legacy = ("AWS_STS_REGIONAL_ENDPOINTS", "legacy");
    for (variables, hosts) in [
        (&[(region, "us-west-2")][..], [G, G, west, west, west, G, west, G, west]),
        (&[(default, "us-west-2")], [G, G, west, west, west, G, G, G, us]),
        (&[], [G, G, "-", "-", "-", G, G, G, us]),
        (&[(region, "us-west-2"), (default, "eu-central-1")], [G, G, west, central, west, G, west, G, west]),
        (&[(region, "us-west-2"), (default, "us-west-2"), regional], [west; 9]),
        (&[(region, "us-east-1"), (default, "us-east-1"), legacy], [G, G, us, us, us, G, us, G, G]),
        // Not among the older regions.
        (
            &[(region, "me-south-1"), (default, "me-south-1")],
            [bahrain, G, bahrain, bahrain, bahrain, G, bahrain, G, bahrain],
        ),
        (
            &[(region, "cn-north-1"), (default, "cn-north-1"), regional],
            [china, china, china, china, china, china, china, nowhere, nowhere],
        ),
        (
            &[(region, "us-east-1"), (default, "us-east-1"), ("AWS_ENDPOINT_URL_STS", "https://sts.example")],
            [G, G, "sts.example", us, us, G, us, G, us],
        ),
    ] {
        let environment = environment(variables);
        for (id, host) in ids.iter().zip(hosts) {
            let called = call(by_id(id).unwrap(), &environment).unwrap().host;
            assert_eq!(called.as_deref().unwrap_or("-"), host, "{id} {variables:?}");
        }
    }
}

#[test]
fn javascript_takes_true_in_lower_case_alone_and_go_v2_no_endpoint_for_all() {
    let us = [("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1")];
    let host = |id: &str, other: (&str, &str)| {
        call(by_id(id).unwrap(), &environment(&[us[0], us[1], other])).unwrap().host.unwrap()
    };
    assert_eq!(host("js-v3", ("AWS_USE_FIPS_ENDPOINT", "TRUE")), "sts.us-east-1.amazonaws.com");
    assert_eq!(host("rust", ("AWS_USE_FIPS_ENDPOINT", "TRUE")), "sts-fips.us-east-1.amazonaws.com");
    let endpoint = ("AWS_ENDPOINT_URL", "https://aws.example");
    for (id, expected) in [("boto3", "aws.example"), ("go-v2", "sts.us-east-1.amazonaws.com")] {
        assert_eq!(host(id, endpoint), expected);
    }
    assert_eq!(host("go-v2", ("AWS_ENDPOINT_URL_STS", "https://sts.example")), "sts.example");
}

#[test]
fn no_proxy_of_rust_knows_neither_asterisks_nor_ports_and_all_proxy_counts() {
    let host = "sts.eu-west-1.amazonaws.com";
    for (no_proxy, direct) in [
        ("*", true),
        (".amazonaws.com", true),
        ("*.amazonaws.com", false),
        ("sts.eu-west-1.amazonaws.com:443", false),
    ] {
        let environment = environment(&[("ALL_PROXY", "http://proxy:1"), ("NO_PROXY", no_proxy)]);
        assert_eq!(way(Proxying::Rust, &environment, host) == Some(Way::Direct), direct, "{no_proxy}");
        assert_eq!(way(Proxying::Go, &environment, host), Some(Way::Direct));
    }
    let environment = environment(&[("HTTP_PROXY", "http://proxy:1")]);
    assert!(matches!(way(Proxying::Ruby, &environment, host), Some(Way::Proxy { .. })));
}

#[test]
fn javascript_takes_any_word_but_false_for_metadata_that_is_off() {
    for (value, asks) in [("1", false), ("false", true), ("true", false)] {
        let environment = environment(&[("AWS_EC2_METADATA_DISABLED", value)]);
        assert_eq!(picks("js-v3", &environment).is_some(), asks, "{value}");
        assert_eq!(picks("boto3", &environment).is_some(), value != "true", "{value}");
    }
}

#[test]
fn java_takes_the_agents_address_of_the_family_that_the_metadata_mode_names() {
    let ipv6 = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]/v1/credentials");
    let mode = ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
    let java = ["java-v1", "java-v2", "hadoop-s3a"];
    let failing = |variables: Variables<'_>| {
        ids(&environment(variables), |it| {
            java.contains(&it.sdk.id) && it.picks().is_some_and(|it| it.broken.is_some())
        })
    };
    assert_eq!(failing(&[ipv6, AUTH]), java);
    assert!(failing(&[ipv6, AUTH, mode]).is_empty());
    assert_eq!(failing(&[URI, AUTH, mode]), java);
    assert!(failing(&[URI, AUTH]).is_empty());
}

#[test]
fn half_of_a_pair_of_keys_in_the_profile_ends_the_search_where_it_was_seen_to() {
    let (id, secret) = ("aws_access_key_id", "aws_secret_access_key");
    let failing = |variables: Variables<'_>, keys: &[&str], in_config: &[&str]| {
        let mut environment = with_profile(&[&[REGION, DEFAULT], variables].concat(), keys);
        let profile = environment.profile.as_mut().unwrap();
        profile.other_keys.extend(in_config.iter().map(|key| (*key).to_owned()));
        ids(&environment, |it| it.succeeds_with().is_none())
    };
    let rust = ["go-v2", "rust", "deltalake"];
    assert_eq!(failing(&[ROLE, FILE], &[id], &[]), rust);
    assert_eq!(failing(&[ROLE, FILE], &[secret], &[]), rust);
    // Of two files, only Rust and boto3 make one profile.
    assert_eq!(failing(&[ROLE, FILE], &[id], &[secret]), ["go-v2"]);
    assert!(failing(&[ROLE, FILE], &[id, secret], &[]).is_empty());
    assert_eq!(failing(&[URI, AUTH], &[id], &[]), ["botocore", "aws-cli-v2", "go-v2", "rust", "deltalake"]);
    assert_eq!(failing(&[URI, AUTH], &[secret], &[]), rust);
}
