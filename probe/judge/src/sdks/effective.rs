//! What an SDK in this environment would use in the end: mechanism, role, token file, region, endpoint. Pure.
//! `--sdk` picks the SDK whose reading of the variables counts; without it the usual reading does.

use super::sts;
use super::view::as_read;
use crate::evidence::{Environment, Evidence, Token};
use crate::options::Mechanism;
use crate::settings::agent::{self, AgentEndpoint, AgentProblem};
use crate::settings::arn::RoleArn;
use crate::settings::{
    Endpoint, Requested, RouteProblem, Sourced, StsRoute, endpoint, partition, region, requested,
};

/// The settings of one run, derived once and passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveSettings {
    /// Mechanism, role and token file.
    pub requested: Requested,
    /// Region and endpoint.
    pub route: StsRoute,
    /// The requested role, if its ARN is valid.
    pub role: Option<RoleArn>,
    /// The Pod Identity agent; `None`: no variable names one.
    pub agent: Option<Result<AgentEndpoint, AgentProblem>>,
}

impl EffectiveSettings {
    /// Derives the settings from flags, variables, profile, and the token's issuer.
    #[must_use]
    pub fn from_evidence(evidence: &Evidence) -> Self {
        let environment = &evidence.environment;
        let requested = of_stated_profile(environment, requested(environment));
        let mut route = route(environment, evidence.token.as_ref());
        if evidence.target.is_some() {
            let stated = environment.options.endpoint.as_deref();
            route.endpoint = route.endpoint.and_then(|endpoint| trusted(endpoint, stated));
        }
        let compatible = environment.options.sts_compatible;
        let role =
            requested.role_arn.as_ref().and_then(|role| RoleArn::parse_for(&role.value, compatible).ok());
        let agent = agent::endpoint(evidence);
        Self { requested, route, role, agent }
    }
}

/// Chooses region and endpoint as an SDK would in this environment. If no region is set, uses the issuer's.
#[must_use]
pub fn route(environment: &Environment, token: Option<&Token>) -> StsRoute {
    // With `--sdk`, read the variables as that SDK does, if that is known.
    if let Some((sdk, rules)) = super::stated(environment).and_then(|sdk| Some((sdk, sdk.sts.as_ref()?))) {
        return sts::route(rules, &as_read(sdk, environment));
    }
    let region = region(environment, token);
    let endpoint = endpoint(environment, region.as_ref());
    StsRoute { region, endpoint }
}

/// Where the stated SDK takes a profile's web identity first and the stated role is that profile's, that role is what the pod
/// asks for, with the same token.
fn of_stated_profile(environment: &Environment, requested: Requested) -> Requested {
    let own = || {
        let chain = super::chain_of(super::stated(environment)?, environment);
        chain.picks().filter(|it| it.provider == super::Provider::ProfileWebIdentity)?;
        let first = environment.profile.as_ref()?;
        let setting = |name: &str| first.settings.get(name);
        let role =
            setting("role_arn").filter(|role| environment.options.expect_role.as_ref() == Some(*role))?;
        let file = requested.token_file.as_ref()?;
        let is_own = setting("web_identity_token_file").is_some_and(|other| is_same_file(other, &file.value));
        (is_own && requested.mechanism == Mechanism::Irsa && environment.options.role_arn.is_none())
            .then(|| Sourced::new(role, format!("role_arn of profile {}", first.name)))
    };
    match own() {
        Some(role) => Requested { role_arn: Some(role), ..requested },
        None => requested,
    }
}

/// In images `/var/run` is a link to `/run`.
pub(crate) fn is_same_file(one: &str, other: &str) -> bool {
    one.strip_prefix("/var").unwrap_or(one) == other.strip_prefix("/var").unwrap_or(other)
}

/// `stated`: the endpoint of the probe's own environment.
fn trusted(endpoint: Endpoint, stated: Option<&str>) -> Result<Endpoint, RouteProblem> {
    if partition::is_sts_url(&endpoint.url) || stated == Some(endpoint.url.as_str()) {
        return Ok(endpoint);
    }
    let name = endpoint.configured_by.unwrap_or("AWS_REGION");
    Err(RouteProblem::Untrusted { name, url: endpoint.url, host: endpoint.host })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ISSUER_SOURCE;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Environment::default()
        }
    }

    const ROLE: (&str, &str) = ("AWS_ROLE_ARN", "arn:aws:iam::814203749616:role/checkout-reader");
    const FILE: (&str, &str) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");

    #[test]
    fn a_token_of_another_process_goes_to_sts_or_where_the_probe_says_too() {
        for (url, stated, sent) in [
            ("https://sts.eu-west-1.amazonaws.com", None, true),
            ("https://vpce-0a1b.sts.eu-west-1.vpce.amazonaws.com", None, true),
            ("HTTPS://STS.eu-west-1.amazonaws.com.:443/", None, true),
            ("http://sts.eu-west-1.amazonaws.com", None, false),
            ("https://sts.eu-west-1.amazonaws.com:8443", None, false),
            ("https://sts.eu-west-1.amazonaws.com/path", None, false),
            ("https://sts.s3.amazonaws.com", None, false),
            ("https://sts.c1abc.us-east-1.rds.amazonaws.com:5432", None, false),
            ("https://a.sts.b.s3.amazonaws.com", None, false),
            ("https://sts.lambda-url.eu-west-1.on.aws", None, false),
            ("https://sts.internal.example", None, false),
            ("https://sts.s3.amazonaws.com.example", None, false),
            ("https://loot.s3.amazonaws.com", None, false),
            ("http://127.0.0.1:4566", None, false),
            ("http://127.0.0.1:4566", Some("http://127.0.0.1:4566"), true),
        ] {
            let mut environment = environment(&[ROLE, FILE, ("AWS_ENDPOINT_URL_STS", url)]);
            environment.options.endpoint = stated.map(str::to_owned);
            let own = Evidence { environment, ..Evidence::default() };
            let of_target = Evidence { target: Some(Default::default()), ..own.clone() };
            assert!(EffectiveSettings::from_evidence(&own).route.endpoint.is_ok(), "its own: {url}");
            assert_eq!(EffectiveSettings::from_evidence(&of_target).route.endpoint.is_ok(), sent, "{url}");
        }
    }

    #[test]
    fn the_endpoint_follows_region_fips_and_dual_stack() {
        for (variables, url) in [
            (&[("AWS_REGION", "eu-west-1")][..], "https://sts.eu-west-1.amazonaws.com"),
            (
                &[("AWS_REGION", "us-east-1"), ("AWS_USE_FIPS_ENDPOINT", "true")],
                "https://sts-fips.us-east-1.amazonaws.com",
            ),
            (
                &[("AWS_REGION", "us-east-1"), ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE")],
                "https://sts.us-east-1.api.aws",
            ),
            (&[("AWS_REGION", "cn-north-1")], "https://sts.cn-north-1.amazonaws.com.cn"),
            // This version knows neither region. SDKs ask them anyway, and so does the probe.
            (&[("AWS_REGION", "moon-1")], "https://sts.moon-1.amazonaws.com"),
            (&[("AWS_REGION", "aws-global")], "https://sts.amazonaws.com"),
            (&[("AWS_REGION", "fips-us-east-1")], "https://sts-fips.us-east-1.amazonaws.com"),
            (&[("AWS_REGION", "us-east-2-fips")], "https://sts-fips.us-east-2.amazonaws.com"),
            (&[("AWS_DEFAULT_REGION", "us-gov-west-1")], "https://sts.us-gov-west-1.amazonaws.com"),
            (&[ROLE], "https://sts.amazonaws.com"),
            (
                &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "https://localhost:8443")],
                "https://localhost:8443",
            ),
            (
                &[
                    ("AWS_REGION", "eu-west-1"),
                    ("AWS_ENDPOINT_URL", "https://localhost:8443"),
                    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
                ],
                "https://sts.eu-west-1.amazonaws.com",
            ),
        ] {
            let route = route(&environment(variables), None);
            assert_eq!(route.endpoint.map(|e| e.url).as_deref(), Ok(url), "{variables:?}");
        }
    }

    #[test]
    fn what_no_sdk_accepts_gives_no_endpoint() {
        for variables in [
            &[("AWS_REGION", "moon_1")][..],
            &[("AWS_REGION", "eu-west-1 ")],
            &[],
            &[("AWS_ROLE_ARN", "arn:aws-cn:iam::814203749616:role/x")],
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "not a url")],
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "sts.example.com")],
            &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL_STS", "ftp://sts.example.com")],
            &[
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ENDPOINT_URL_STS", "https://localhost"),
                ("AWS_USE_FIPS_ENDPOINT", "true"),
            ],
        ] {
            assert!(route(&environment(variables), None).endpoint.is_err(), "{variables:?}");
        }
    }

    #[test]
    fn without_a_region_the_exchange_goes_to_the_issuers() {
        let token = Token {
            iss: Some("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC".to_owned()),
            ..Token::default()
        };
        let route = route(&environment(&[ROLE]), Some(&token));
        assert_eq!(route.region.map(|region| region.source).as_deref(), Some(ISSUER_SOURCE));
        assert_eq!(route.endpoint.unwrap().url, "https://sts.eu-west-1.amazonaws.com");
    }
}
