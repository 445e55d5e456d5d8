//! Which names belong to STS: every region's plain, FIPS and dual-stack host, an interface endpoint's own, and the global one.
//! As in AWS, a region that does not exist has no name.

/// A host of STS and the region it signs for.
#[derive(Debug, PartialEq)]
pub(crate) struct Endpoint {
    pub(crate) partition: &'static str,
    pub(crate) region: &'static str,
}

/// Partition, DNS suffix, dual-stack suffix, regions.
const PARTITIONS: &[(&str, &str, &str, &[&str])] = &[
    (
        "aws",
        "amazonaws.com",
        "api.aws",
        &[
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
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        ],
    ),
    ("aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", &["cn-north-1", "cn-northwest-1"]),
    ("aws-us-gov", "amazonaws.com", "api.aws", &["us-gov-east-1", "us-gov-west-1"]),
    ("aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", &["eusc-de-east-1"]),
    ("aws-iso", "c2s.ic.gov", "api.aws.ic.gov", &["us-iso-east-1", "us-iso-west-1"]),
    ("aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", &["us-isob-east-1", "us-isob-west-1"]),
];

/// FIPS hosts exist in North America only. GovCloud's plain host is a FIPS host.
const FIPS: &[&str] = &["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1"];

impl Endpoint {
    pub(crate) fn of(host: &str) -> Option<Self> {
        if host == "sts.amazonaws.com" {
            return Some(Self { partition: "aws", region: "us-east-1" });
        }
        let endpoint = host.strip_suffix(".vpce.amazonaws.com").and_then(|name| name.split_once(".sts."));
        if let Some((id, region)) = endpoint {
            return Self::of(&format!("sts.{region}.amazonaws.com")).filter(|_| id.starts_with("vpce-"));
        }
        let (service, rest) = host.split_once('.')?;
        let (region, suffix) = rest.split_once('.')?;
        PARTITIONS.iter().find_map(|(partition, plain, dual, regions)| {
            let region = regions.iter().find(|known| **known == region)?;
            let exists = match service {
                "sts" => suffix == *plain || suffix == *dual,
                "sts-fips" => (suffix == *plain || suffix == *dual) && FIPS.contains(region),
                _ => false,
            };
            exists.then_some(Self { partition, region })
        })
    }

    pub(crate) fn is_region(name: &str) -> bool {
        PARTITIONS.iter().any(|(_, _, _, regions)| regions.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_sts_are_known_with_their_region() {
        for (host, partition, region) in [
            ("sts.eu-west-1.amazonaws.com", "aws", "eu-west-1"),
            ("sts.amazonaws.com", "aws", "us-east-1"),
            ("sts.eu-west-1.api.aws", "aws", "eu-west-1"),
            ("sts-fips.us-east-2.amazonaws.com", "aws", "us-east-2"),
            ("sts.cn-north-1.amazonaws.com.cn", "aws-cn", "cn-north-1"),
            ("sts.us-gov-west-1.amazonaws.com", "aws-us-gov", "us-gov-west-1"),
            ("sts.us-iso-east-1.c2s.ic.gov", "aws-iso", "us-iso-east-1"),
            ("vpce-0a1b2c3d-x1.sts.eu-west-1.vpce.amazonaws.com", "aws", "eu-west-1"),
        ] {
            assert_eq!(Endpoint::of(host), Some(Endpoint { partition, region }), "{host}");
        }
    }

    #[test]
    fn what_does_not_exist_is_not_known() {
        for host in [
            "sts.eu-west-9.amazonaws.com",
            "sts.cn-north-1.amazonaws.com",
            "sts-fips.eu-west-1.amazonaws.com",
            "s3.eu-west-1.amazonaws.com",
            "sts.eu-west-1.amazonaws.com.shop.svc.cluster.local",
            "localhost",
        ] {
            assert_eq!(Endpoint::of(host), None, "{host}");
        }
    }
}
