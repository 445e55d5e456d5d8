//! One run's evidence with what follows from it: the names that every judge puts into its texts. Pure.

use crate::evidence::{Account, Evidence, Token};
use crate::options::Mechanism;
use crate::sdks::{self, EffectiveSettings, SdkChain};
use crate::settings::agent::{AgentEndpoint, AgentProblem};
use crate::settings::arn::RoleArn;
use crate::settings::{self, Requested, StsRoute, partition};
use std::cell::OnceCell;

/// What the judges look at.
pub(super) struct Facts<'a> {
    pub(super) evidence: &'a Evidence,
    /// Seconds since the epoch.
    pub(super) now: i64,
    pub(super) requested: &'a Requested,
    pub(super) route: &'a StsRoute,
    /// The role asked for, where its ARN is one.
    pub(super) role: &'a Option<RoleArn>,
    /// The Pod Identity agent; `None`: no variable names one.
    pub(super) agent: &'a Option<Result<AgentEndpoint, AgentProblem>>,
    chains: OnceCell<Vec<SdkChain>>,
}

/// What the webhook gives a pod for one mechanism (`amazon-eks-pod-identity-webhook`, `main.go`), and who takes the token.
pub(super) struct MechanismDefaults {
    /// In every partition (eksctl `pkg/iam/oidc/api.go`).
    pub(super) audience: &'static str,
    pub(super) mount: &'static str,
    /// Of the token in that directory.
    pub(super) file: &'static str,
    /// The variable that names the file.
    pub(super) variable: &'static str,
    pub(super) recipient: &'static str,
}

const IRSA: MechanismDefaults = MechanismDefaults {
    audience: "sts.amazonaws.com",
    mount: settings::IRSA_MOUNT,
    file: "token",
    variable: "AWS_WEB_IDENTITY_TOKEN_FILE",
    recipient: "STS",
};

const POD_IDENTITY: MechanismDefaults = MechanismDefaults {
    audience: "pods.eks.amazonaws.com",
    mount: settings::POD_IDENTITY_MOUNT,
    file: "eks-pod-identity-token",
    variable: settings::agent::TOKEN_FILE_VARIABLE,
    recipient: "EKS Auth",
};

impl<'a> Facts<'a> {
    /// A whole run has ended without credentials: what other SDKs would do is no news beside that.
    pub(super) fn is_refused(&self) -> bool {
        !super::issued(self.evidence) && !self.evidence.environment.options.no_network
    }

    pub(super) fn new(evidence: &'a Evidence, settings: &'a EffectiveSettings, now: i64) -> Self {
        let EffectiveSettings { requested, route, role, agent } = settings;
        Self { evidence, now, requested, route, role, agent, chains: OnceCell::new() }
    }

    /// Every SDK in this environment, worked out for the first judge that asks.
    pub(super) fn chains(&self) -> &[SdkChain] {
        self.chains.get_or_init(|| sdks::chain(&self.evidence.environment))
    }

    pub(super) fn by_agent(&self) -> bool {
        self.requested.mechanism == Mechanism::PodIdentity
    }

    /// Of the mechanism under test.
    pub(super) fn defaults(&self) -> &'static MechanismDefaults {
        if self.by_agent() { &POD_IDENTITY } else { &IRSA }
    }

    /// The mechanism that is not under test: its audience, and its token in words.
    pub(super) fn other_token(&self) -> (&'static str, &'static str) {
        if self.by_agent() {
            (IRSA.audience, "the token for IRSA")
        } else {
            (POD_IDENTITY.audience, "the token for EKS Pod Identity")
        }
    }

    /// The pod's node, by the downward API, else by the token.
    pub(super) fn node(&self) -> Option<&'a str> {
        let by_token = || self.token()?.node_name.as_deref();
        self.evidence.process.node_name.as_deref().or_else(by_token)
    }

    /// Behind the endpoint stands another server that speaks STS's protocol.
    pub(super) fn compatible(&self) -> bool {
        self.evidence.environment.options.sts_compatible
    }

    /// The token, where it is one whose claims can be judged.
    pub(super) fn token(&self) -> Option<&'a Token> {
        self.evidence.token.as_ref().filter(|token| token.shape == crate::evidence::TokenShape::Jwt)
    }

    /// Whether the issuer is known and is not one of EKS.
    pub(super) fn is_self_hosted(&self) -> bool {
        let by_token = self.token().and_then(|token| token.iss.as_deref());
        let issuer = by_token.or(self.evidence.process.api_server_issuer.as_deref());
        !self.compatible() && issuer.is_some_and(|issuer| partition::region_of_issuer(issuer).is_none())
    }

    /// Whether the pod's own variable leads to a host that is not STS's: an endpoint, or a region that does not exist.
    pub(super) fn chose_wrong_host(&self) -> bool {
        let Ok(endpoint) = &self.route.endpoint else { return false };
        if self.missed_endpoint().is_some() {
            return true;
        }
        match (endpoint.configured_by, &self.route.region) {
            (Some(_), _) => partition::region_of_sts_host(&endpoint.host).is_none(),
            (None, Some(region)) => {
                region.source != settings::ISSUER_SOURCE
                    && !partition::is_known_region(partition::without_fips(&region.value).0)
                    && region.value != partition::GLOBAL_REGION
            }
            (None, None) => false,
        }
    }

    /// The pod's own setting names an endpoint that is none of AWS's, by name: a MinIO or a Ceph that is meant, or a mistake.
    pub(super) fn leads_to_another_server(&self) -> bool {
        let endpoint = self.route.endpoint.as_ref().ok();
        endpoint
            .is_some_and(|it| it.configured_by.is_some() && partition::Partition::of_host(&it.host).is_none())
    }

    /// STS in the pod's region, where the SDK that is stated makes another host of the region, which is not STS's: it knows no
    /// partitions.
    pub(super) fn missed_endpoint(&self) -> Option<String> {
        let endpoint =
            self.route.endpoint.as_ref().ok().filter(|endpoint| endpoint.configured_by.is_none())?;
        let url = partition::sts_url(&self.route.region.as_ref()?.value, false, false).ok()?;
        let missed = partition::host_of(&url)? != endpoint.host;
        (missed && partition::region_of_sts_host(&endpoint.host).is_none()).then_some(url)
    }

    /// The pod's service account: by the token, else by the token for the API server.
    pub(super) fn account(&self) -> Option<Account<'a>> {
        let by_token = self.token().and_then(|token| token.sub.as_deref());
        let subject = by_token.or(self.evidence.process.api_server_subject.as_deref())?;
        Account::of_subject(subject)
    }

    /// The pod's name: by the downward API, else by the token, else by the hostname.
    pub(super) fn pod_name(&self) -> Option<&'a str> {
        let process = &self.evidence.process;
        let by_token = || self.token()?.pod_name.as_deref();
        process.pod_name.as_deref().or_else(by_token).or_else(|| process.pod())
    }

    /// `role checkout-reader of account 814203749616`, or the value as it is.
    pub(super) fn role_text(&self) -> String {
        match (self.role, &self.requested.role_arn) {
            (_, Some(role)) => role.value.clone(),
            _ => "no role".to_owned(),
        }
    }

    /// `system:serviceaccount:shop:checkout`, or that the token has none.
    pub(super) fn subject_text(&self) -> String {
        let subject = self.token().and_then(|token| token.sub.clone());
        subject.unwrap_or_else(|| "a token without subject".to_owned())
    }

    /// Subject, audience and issuer: the identity presented.
    pub(super) fn identity_text(&self) -> String {
        self.token().map_or_else(
            || "no readable token".to_owned(),
            |token| {
                format!(
                    "subject {}, audience {}, issuer {}",
                    token.sub.as_deref().unwrap_or("(none)"),
                    list(&token.aud),
                    token.iss.as_deref().unwrap_or("(none)")
                )
            },
        )
    }

    /// The issuer without `https://`, as IAM writes it in ARNs and condition keys.
    pub(super) fn issuer_path(&self) -> Option<&'a str> {
        let issuer = self.token()?.iss.as_deref()?;
        Some(issuer.strip_prefix("https://").unwrap_or(issuer))
    }

    /// The ARN of the OIDC provider that the role's account needs.
    pub(super) fn provider_arn(&self) -> Option<String> {
        Some(self.role.as_ref()?.provider_arn(self.issuer_path()?))
    }

    /// The pod's namespace: by its account, else by the downward API or DNS.
    pub(super) fn namespace(&self) -> Option<&'a str> {
        let by_account = self.account().map(|account| account.namespace);
        by_account.or_else(|| self.evidence.process.namespace())
    }
}

/// `a`, `a and b`, `(none)`.
pub(super) fn list(values: &[String]) -> String {
    match values {
        [] => "(none)".to_owned(),
        values => values.join(" and "),
    }
}

/// A span in the two largest units that matter: `3 h 20 min`, `45 s`.
pub(super) fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// RFC 3339, UTC, whole seconds.
pub(super) fn time(seconds: i64) -> String {
    crate::text::rfc3339(seconds)
}
