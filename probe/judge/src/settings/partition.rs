//! AWS partitions: which one a region, a host or an issuer belongs to. Pure.
//! Source: botocore `data/partitions.json` (region expressions and DNS suffixes).

/// One AWS partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The id in ARNs.
    pub id: &'static str,
    /// What comes before `-WORD-DIGITS` in its region names.
    region_prefixes: &'static [&'static str],
    /// The suffixes of its hosts, including dual-stack ones. `amazonaws.com` and `api.aws` are shared with GovCloud.
    host_suffixes: &'static [&'static str],
}

/// In the order in which botocore tries them. The first match wins.
const PARTITIONS: &[Partition] = &[
    Partition { id: "aws-us-gov", region_prefixes: &["us-gov"], host_suffixes: &[] },
    Partition {
        id: "aws-iso",
        region_prefixes: &["us-iso"],
        host_suffixes: &["c2s.ic.gov", "api.aws.ic.gov"],
    },
    Partition {
        id: "aws-iso-b",
        region_prefixes: &["us-isob"],
        host_suffixes: &["sc2s.sgov.gov", "api.aws.scloud"],
    },
    Partition {
        id: "aws-iso-e",
        region_prefixes: &["eu-isoe"],
        host_suffixes: &["cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"],
    },
    Partition {
        id: "aws-iso-f",
        region_prefixes: &["us-isof"],
        host_suffixes: &["csp.hci.ic.gov", "api.aws.hci.ic.gov"],
    },
    Partition {
        id: "aws-cn",
        region_prefixes: &["cn"],
        host_suffixes: &["amazonaws.com.cn", "api.amazonwebservices.com.cn"],
    },
    Partition {
        id: "aws-eusc",
        region_prefixes: &["eusc-de"],
        host_suffixes: &["amazonaws.eu", "api.amazonwebservices.eu"],
    },
    Partition {
        id: "aws",
        region_prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
        host_suffixes: &["amazonaws.com", "api.aws"],
    },
];

/// The URL of STS in a region by the endpoint rules of the SDKs. A test of the program compares the two.
///
/// # Errors
/// The error text of the SDKs.
pub fn sts_url(region: &str, fips: bool, dual_stack: bool) -> Result<String, String> {
    let partition = Partition::of_any(region);
    if !is_host_label(region) {
        return Err("invalid value for field: `region` - must be a valid host label".to_owned());
    }
    let suffix = if dual_stack { partition.dual_stack_suffix() } else { partition.dns_suffix() };
    // GovCloud's ordinary endpoint already is a FIPS endpoint.
    let host = if fips && (dual_stack || partition.id != "aws-us-gov") { "sts-fips" } else { "sts" };
    Ok(format!("https://{host}.{region}.{suffix}"))
}

/// Resolves pseudo regions that old SDKs took for FIPS (botocore `regions.py`, `_resolve_endpoint_as_builtin…`): the region
/// that is meant, and whether FIPS is.
#[must_use]
pub fn without_fips(region: &str) -> (&str, bool) {
    match region.strip_prefix("fips-").or_else(|| region.strip_suffix("-fips")) {
        Some(meant) => (meant, true),
        None => (region, false),
    }
}

/// The pseudo region of the global endpoint.
pub const GLOBAL_REGION: &str = "aws-global";

/// Whether the value can be a label of a host name.
#[must_use]
pub fn is_host_label(region: &str) -> bool {
    (1..=63).contains(&region.len())
        && !region.starts_with('-')
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether this version knows the region. New regions come every year, so nothing is refused because it is missing here.
#[must_use]
pub fn is_known_region(region: &str) -> bool {
    REGIONS.contains(&region)
}

/// From botocore's `endpoints.json` in September 2026.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

impl Partition {
    /// The partition in which SDKs look for a region; `aws` if its name does not tell.
    fn of_any(region: &str) -> &'static Self {
        const AWS: &Partition = &PARTITIONS[PARTITIONS.len() - 1];
        let global = || Self::named(region.strip_suffix("-global")?);
        Self::of_region(region).or_else(global).unwrap_or(AWS)
    }

    /// The partition with this id, as in an ARN.
    #[must_use]
    pub fn named(id: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| partition.id == id)
    }

    /// The partition of a region. `None`: the value does not have the form of a region.
    #[must_use]
    pub fn of_region(region: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| {
            let mut prefixes = partition.region_prefixes.iter();
            prefixes.any(|prefix| has_region_form(region, prefix))
        })
    }

    /// The suffix of its hosts, except dual-stack hosts.
    #[must_use]
    pub fn dns_suffix(&self) -> &'static str {
        self.suffixes().first().copied().unwrap_or("amazonaws.com")
    }

    /// The suffix of its hosts, then that of its dual-stack hosts.
    fn suffixes(&self) -> &'static [&'static str] {
        // GovCloud has the suffixes of `aws`.
        if self.host_suffixes.is_empty() { &["amazonaws.com", "api.aws"] } else { self.host_suffixes }
    }

    /// The suffix of its dual-stack hosts.
    #[must_use]
    pub fn dual_stack_suffix(&self) -> &'static str {
        self.host_suffixes.get(1).copied().unwrap_or("api.aws")
    }

    /// The partition of an AWS host. `None`: it is not an AWS host.
    #[must_use]
    pub fn of_host(host: &str) -> Option<&'static Self> {
        let named = host.split('.').find_map(Self::of_region);
        let suffixed = PARTITIONS.iter().find(|partition| {
            let mut suffixes = partition.host_suffixes.iter();
            suffixes.any(|suffix| host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
        })?;
        // GovCloud shares its suffixes with `aws`, and only the region tells them apart.
        Some(named.unwrap_or(suffixed))
    }
}

fn has_region_form(region: &str, prefix: &str) -> bool {
    let Some(rest) = region.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')) else {
        return false;
    };
    rest.split_once('-').is_some_and(|(word, digits)| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The host of a URL, without user info and port. `None`: there is no `scheme://host`.
#[must_use]
pub fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(literal) => literal.split_once(']')?.0,
        None => host.split_once(':').map_or(host, |(host, _)| host),
    };
    (!host.is_empty()).then_some(host)
}

/// The port of a URL; without one, that of its scheme.
#[must_use]
pub fn port_of(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next();
    let port = authority.and_then(|authority| authority.rsplit_once(':')).map(|(_, port)| port);
    let port = port.filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_plain = url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    port.unwrap_or(if is_plain { "80" } else { "443" })
}

/// The region in the host of an EKS issuer, `oidc.eks.REGION.…`. EKS uses this form also in IPv6 clusters.
#[must_use]
pub fn region_of_issuer(issuer: &str) -> Option<&str> {
    let region = host_of(issuer)?.strip_prefix("oidc.eks.")?.split('.').next()?;
    Partition::of_region(region).map(|_| region)
}

/// The endpoint of partition `aws` that is in no region. Its requests are signed for us-east-1 (botocore `endpoints.json`).
pub const GLOBAL_STS: &str = "sts.amazonaws.com";

/// The region that a host of STS signs for. `None`: it is not a host of STS. `host` is in lower case, without a trailing dot.
///
/// Accepts only the exact forms, because AWS gives everybody names that contain `sts` (a bucket, a database): the global endpoint,
/// `sts.REGION.SUFFIX`, `sts-fips.REGION.SUFFIX`, and the interface endpoint's `vpce-….sts.REGION.vpce.SUFFIX`.
#[must_use]
pub fn region_of_sts_host(host: &str) -> Option<&str> {
    if host == GLOBAL_STS {
        return Some("us-east-1");
    }
    let is_label = |label: &str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let (first, rest) = host.split_once('.')?;
    let interface = first.strip_prefix("vpce-").is_some_and(|id| !id.is_empty() && is_label(id));
    let (service, rest) = if interface { rest.split_once('.')? } else { (first, rest) };
    let (region, suffix) = rest.split_once('.').filter(|_| matches!(service, "sts" | "sts-fips"))?;
    let suffixes = Partition::of_region(region)?.suffixes();
    let fits = if interface {
        suffix.strip_prefix("vpce.").is_some_and(|suffix| suffixes.first() == Some(&suffix))
    } else {
        suffixes.contains(&suffix)
    };
    (fits && is_label(region)).then_some(region)
}

/// Whether `url` is STS and nothing else: over TLS, at its own port, without user info, path, query or fragment.
#[must_use]
pub fn is_sts_url(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    let host = url.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let host = host.map(|host| host.strip_suffix(":443").unwrap_or(host));
    let host = host.map(|host| host.strip_suffix('.').unwrap_or(host));
    host.is_some_and(|host| region_of_sts_host(host).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_belongs_to_its_partition() {
        for (region, id) in [
            ("eu-west-1", Some("aws")),
            ("us-gov-west-1", Some("aws-us-gov")),
            ("cn-north-1", Some("aws-cn")),
            ("us-iso-east-1", Some("aws-iso")),
            ("us-isob-east-1", Some("aws-iso-b")),
            ("eu-isoe-west-1", Some("aws-iso-e")),
            ("us-isof-south-1", Some("aws-iso-f")),
            ("eusc-de-east-1", Some("aws-eusc")),
            ("mx-central-1", Some("aws")),
            ("moon-1", None),
            ("us-east-1 ", None),
            ("us-east", None),
            ("eu-west-1a", None),
            ("", None),
        ] {
            assert_eq!(Partition::of_region(region).map(|p| p.id), id, "{region}");
        }
    }

    #[test]
    fn each_host_belongs_to_its_partition() {
        for (host, id) in [
            ("sts.amazonaws.com", Some("aws")),
            ("sts.eu-west-1.amazonaws.com", Some("aws")),
            ("sts.us-gov-west-1.amazonaws.com", Some("aws-us-gov")),
            ("sts.cn-north-1.amazonaws.com.cn", Some("aws-cn")),
            ("sts.us-east-1.api.aws", Some("aws")),
            ("sts.us-iso-east-1.c2s.ic.gov", Some("aws-iso")),
            ("sts.eusc-de-east-1.amazonaws.eu", Some("aws-eusc")),
            ("notamazonaws.com", None),
            ("localhost", None),
        ] {
            assert_eq!(Partition::of_host(host).map(|p| p.id), id, "{host}");
        }
    }

    #[test]
    fn hosts_are_cut_out_of_urls() {
        for (url, host) in [
            ("https://sts.eu-west-1.amazonaws.com", Some("sts.eu-west-1.amazonaws.com")),
            ("http://user:pass@[::1]:8443/path", Some("::1")),
            ("https://localhost:4566?x", Some("localhost")),
            ("localhost:4566", None),
            ("https://", None),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }

    #[test]
    fn ports_are_cut_out_of_urls() {
        for (url, port) in [
            ("https://sts.eu-west-1.amazonaws.com", "443"),
            ("http://localstack.svc:4566/x", "4566"),
            ("https://[::1]:8443", "8443"),
            ("https://[fd00::1]", "443"),
            ("http://minio", "80"),
        ] {
            assert_eq!(port_of(url), port, "{url}");
        }
    }

    #[test]
    fn hosts_of_sts_have_exact_forms() {
        for (host, region) in [
            ("sts.amazonaws.com", Some("us-east-1")),
            ("sts.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("sts-fips.us-east-1.amazonaws.com", Some("us-east-1")),
            ("sts.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("sts.us-gov-west-1.api.aws", Some("us-gov-west-1")),
            ("sts.us-east-1.api.aws", Some("us-east-1")),
            ("sts.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("sts.us-iso-east-1.c2s.ic.gov", Some("us-iso-east-1")),
            ("vpce-0a1b-x.sts.eu-west-1.vpce.amazonaws.com", Some("eu-west-1")),
            ("vpce-0a1b-x-eu-west-1a.sts-fips.us-east-1.vpce.amazonaws.com", Some("us-east-1")),
            ("vpce-0a1b-x.sts.cn-north-1.vpce.amazonaws.com.cn", Some("cn-north-1")),
            ("sts.s3.amazonaws.com", None),
            ("sts.eu-west-1.s3.amazonaws.com", None),
            ("sts.c1abc.us-east-1.rds.amazonaws.com", None),
            ("a.sts.b.s3.amazonaws.com", None),
            ("sts.lambda-url.eu-west-1.on.aws", None),
            ("sts.execute-api.eu-west-1.amazonaws.com", None),
            ("vpce-0a1b.vpce-svc-0c.eu-west-1.vpce.amazonaws.com", None),
            ("vpce-a.b.sts.eu-west-1.vpce.amazonaws.com", None),
            ("evil.sts.eu-west-1.vpce.amazonaws.com", None),
            ("vpce-.sts.eu-west-1.vpce.amazonaws.com", None),
            ("sts.eu-west-1.vpce.amazonaws.com", None),
            ("sts.cn-north-1.amazonaws.com", None),
            ("sts.eu-west-1.amazonaws.com.cn", None),
            ("sts.eu-west-1.amazonaws.com.example", None),
            ("sts.eu-west-1.amazonaws.com..", None),
            ("sts.amazonaws.com.cn", None),
            ("sts..amazonaws.com", None),
            ("xn--sts-abc.eu-west-1.amazonaws.com", None),
            ("sts.xn--eu-west-1.amazonaws.com", None),
            ("ѕts.eu-west-1.amazonaws.com", None),
            ("sts.eu-west-1.аmazonaws.com", None),
            ("sts.eu-west-1。amazonaws.com", None),
            ("iam.amazonaws.com", None),
        ] {
            assert_eq!(region_of_sts_host(host), region, "{host}");
        }
    }

    #[test]
    fn an_sts_url_is_nothing_but_its_host() {
        for url in ["https://sts.eu-west-1.amazonaws.com", "HTTPS://STS.Eu-West-1.amazonaws.com.:443/"] {
            assert!(is_sts_url(url), "{url}");
        }
        let host = "sts.eu-west-1.amazonaws.com";
        for url in [
            format!("http://{host}"),
            format!("//{host}"),
            host.to_owned(),
            format!("https://user@{host}"),
            format!("https://{host}@evil.example"),
            format!("https://{host}:443@evil.example"),
            format!("https://evil.example/@{host}"),
            format!("https://{host}#@evil.example"),
            format!("https://{host}?x"),
            format!("https://{host}/#"),
            format!("https://{host}//"),
            format!("https://{host}\\@evil.example"),
            format!("https://{host}:8443"),
            format!("https://{host}:"),
            format!("https://{host}:443:443"),
            format!("https://{host}.."),
            format!("https:// {host}"),
            format!("https://{host}\u{0}"),
            format!("https://{host} "),
            format!("https://[{host}]"),
        ] {
            assert!(!is_sts_url(&url), "{url}");
        }
    }

    proptest::proptest! {
        /// A second implementation, which splits into labels. The hosts are made of parts of real ones.
        #[test]
        fn only_the_exact_forms_are_sts(labels in proptest::collection::vec(proptest::sample::select(vec![
            "sts", "sts-fips", "eu-west-1", "us-gov-west-1", "cn-north-1", "amazonaws", "com", "cn", "api", "aws", "vpce",
            "vpce-0a", "s3", "rds", "STS", "", "xn--sts", "elb", "on", "lambda-url", "example",
        ]), 1..9)) {
            let host = labels.join(".");
            let (interface, rest) = match labels.split_first() {
                Some((&"vpce-0a", rest)) => (true, rest),
                _ => (false, labels.as_slice()),
            };
            let suffix = |region: &str| match region {
                "eu-west-1" | "us-gov-west-1" => vec![vec!["amazonaws", "com"], vec!["api", "aws"]],
                "cn-north-1" => vec![vec!["amazonaws", "com", "cn"]],
                _ => vec![],
            };
            let expected = match rest {
                ["sts", "amazonaws", "com"] => !interface,
                ["sts" | "sts-fips", region, "vpce", end @ ..] if interface => suffix(region).first().is_some_and(|it| it == end),
                ["sts" | "sts-fips", region, end @ ..] if !interface => suffix(region).iter().any(|it| it == end),
                _ => false,
            };
            proptest::prop_assert_eq!(region_of_sts_host(&host).is_some(), expected, "{}", host);
            proptest::prop_assert_eq!(is_sts_url(&format!("https://{host}:443/")), is_sts_url(&format!("https://{host}.")), "{}", host);
        }

        #[test]
        fn nothing_around_an_sts_host_is_sts(before in "[ -~]{0,4}", after in "[ -~]{0,4}") {
            let host = "sts.eu-west-1.amazonaws.com";
            let exact = before.is_empty() && ["", ".", "/", "./", ":443", ".:443"].contains(&after.as_str());
            proptest::prop_assume!(before != "vpce");
            proptest::prop_assert_eq!(is_sts_url(&format!("https://{before}{host}{after}")), exact);
        }
    }

    #[test]
    fn only_an_eks_issuer_names_a_region() {
        assert_eq!(region_of_issuer("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC"), Some("eu-west-1"));
        assert_eq!(region_of_issuer("https://oidc.eu-west-1.eks.amazonaws.com/id/ABC"), None);
        assert_eq!(region_of_issuer("https://s3.eu-west-1.amazonaws.com/bucket"), None);
    }
}
