//! AWS partitions: which one a region, a host or an issuer belongs to. Pure.
//! Source: botocore `data/partitions.json` (region expressions and DNS suffixes).

/// One AWS partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// As it stands in ARNs.
    pub id: &'static str,
    /// What stands before `-WORD-DIGITS` in its region names.
    region_prefixes: &'static [&'static str],
    /// Ends of its hosts, dual-stack ends included; `amazonaws.com` and `api.aws` are shared with GovCloud.
    host_suffixes: &'static [&'static str],
}

/// In the order in which botocore tries them: the first match wins.
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

impl Partition {
    /// The partition whose id stands in an ARN.
    #[must_use]
    pub fn named(id: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| partition.id == id)
    }

    /// The partition of a region; `None`: the value has not the form of a region.
    #[must_use]
    pub fn of_region(region: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| {
            let mut prefixes = partition.region_prefixes.iter();
            prefixes.any(|prefix| has_region_form(region, prefix))
        })
    }

    /// What its hosts end with, dual-stack hosts aside.
    #[must_use]
    pub fn dns_suffix(&self) -> &'static str {
        self.host_suffixes.first().copied().unwrap_or("amazonaws.com")
    }

    /// The partition of an AWS host; `None`: not an AWS host.
    #[must_use]
    pub fn of_host(host: &str) -> Option<&'static Self> {
        let named = host.split('.').find_map(Self::of_region);
        let suffixed = PARTITIONS.iter().find(|partition| {
            let mut suffixes = partition.host_suffixes.iter();
            suffixes.any(|suffix| host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
        })?;
        // GovCloud shares its suffixes with `aws`; only the region tells them apart.
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

/// The host of a URL, without user info and port; `None`: no `scheme://host`.
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

/// The region in the host of an EKS issuer, `oidc.eks.REGION.…`; EKS mints this form also in IPv6 clusters.
#[must_use]
pub fn region_of_issuer(issuer: &str) -> Option<&str> {
    let region = host_of(issuer)?.strip_prefix("oidc.eks.")?.split('.').next()?;
    Partition::of_region(region).map(|_| region)
}

/// The endpoint of partition `aws` that is in no region; what it is asked is signed for us-east-1 (botocore `endpoints.json`).
pub const GLOBAL_STS: &str = "sts.amazonaws.com";

/// The region that an STS host signs for: `sts.REGION.…`, `sts-fips.REGION.…`, the global endpoint's.
#[must_use]
pub fn region_of_sts_host(host: &str) -> Option<&str> {
    if host == GLOBAL_STS {
        return Some("us-east-1");
    }
    let rest = host.strip_prefix("sts.").or_else(|| host.strip_prefix("sts-fips."))?;
    let region = rest.split('.').next()?;
    Partition::of_region(region).map(|_| region)
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
    fn only_an_eks_issuer_names_a_region() {
        assert_eq!(region_of_issuer("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC"), Some("eu-west-1"));
        assert_eq!(region_of_issuer("https://oidc.eu-west-1.eks.amazonaws.com/id/ABC"), None);
        assert_eq!(region_of_issuer("https://s3.eu-west-1.amazonaws.com/bucket"), None);
    }
}
