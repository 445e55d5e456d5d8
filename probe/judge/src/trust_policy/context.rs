//! The request context of the judged call: its condition keys and their values.
//! Pure. A key is present, certainly absent, or unknown. A guess could make the verdict wrong.
//!
//! Keys: IAM user guide, "IAM and AWS STS condition context keys" (OIDC federation) and "AWS global condition
//! context keys". AssumeRoleWithWebIdentity is unsigned, so all keys about a signing principal are absent.
//! `pod_identity` has what EKS presents for Pod Identity.

use super::evaluate::ACTION;
use super::pod_identity::{self, Presented};
use crate::evidence::{Account, Evidence, Token};
use crate::options::Mechanism;
use crate::settings::arn::RoleArn;
use crate::{sdks, settings};

/// The value of one condition key in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The values that the request has.
    Present(Vec<String>),
    /// One value of which only the beginning is known. A `*` in it marks an unknown part, and more text follows.
    Begins(String),
    /// The request does not have the key.
    Absent,
    /// It is not known, for this reason.
    Unknown(&'static str),
}

impl Value {
    pub(crate) fn one(text: &str) -> Self {
        Self::Present(vec![text.to_owned()])
    }

    pub(crate) fn of(text: Option<&str>, why_not: &'static str) -> Self {
        text.map_or(Self::Unknown(why_not), Self::one)
    }
}

/// One request as a trust policy sees it.
#[derive(Debug, Clone)]
pub struct Context {
    /// As in the token.
    pub(crate) iss: String,
    /// The issuer without `https://`, as IAM writes it.
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// The `aud` claim.
    pub(crate) audiences: Vec<String>,
    /// The audience that STS compares.
    pub(crate) audience: String,
    has_azp: bool,
    /// The kubelet or the API server made the token, so all its claims are known.
    kubernetes: bool,
    /// The role whose policy it is. `None`: neither policy nor environment name it.
    pub(crate) role: Option<RoleArn>,
    /// `None`: the SDK invents it.
    session_name: Option<String>,
    region: Option<String>,
    pub(crate) now: i64,
    /// What EKS presents in place of the token. `None`: the pod presents the token itself.
    pub(crate) by_eks: Option<Presented>,
}

/// The claims that STS turns into condition keys.
const CLAIMS: &[&str] = &["sub", "aud", "oaud", "amr", "email"];

/// Keys that are documented for signed requests, or for calls of other services, and so never for this one.
const NEVER_HERE: &[&str] = &[
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:tokenissuetime",
    "aws:username",
    "sts:externalid",
];

impl Context {
    /// The request that an SDK with this evidence would make for `role`.
    ///
    /// `None`: the token lacks claims that STS needs.
    #[must_use]
    pub fn of(evidence: &Evidence, role: Option<RoleArn>, now: i64) -> Option<Self> {
        let token = evidence.token.as_ref()?;
        let issuer = token.iss.as_deref()?;
        let session_name = settings::session_name(&evidence.environment, &evidence.process, Some(token));
        Some(Self {
            iss: issuer.to_owned(),
            issuer: issuer.strip_prefix("https://").unwrap_or(issuer).to_owned(),
            subject: token.sub.clone()?,
            audience: audience(token)?.to_owned(),
            audiences: token.aud.clone(),
            has_azp: token.azp.is_some(),
            kubernetes: token.service_account.is_some() && token.namespace.is_some(),
            role,
            // A name that the probe invented says nothing about the app's session.
            session_name: (session_name.source != settings::OWN_SOURCE).then_some(session_name.value),
            region: region(evidence),
            now,
            by_eks: (settings::requested(&evidence.environment).mechanism == Mechanism::PodIdentity)
                .then(|| Presented::of(token)),
        })
    }

    /// The actions that the policy must allow, all of them.
    pub(crate) fn actions(&self) -> &'static [&'static str] {
        if self.by_eks.is_some() { pod_identity::ACTIONS } else { &[ACTION] }
    }

    /// The request with a stated token: one that the kubelet would make for this subject, issuer and audience.
    #[must_use]
    pub fn stated(
        [subject, issuer, audience]: [&str; 3],
        role: Option<RoleArn>,
        session_name: Option<String>,
        now: i64,
    ) -> Self {
        let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
        Self {
            iss: format!("https://{issuer}"),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: audience.to_owned(),
            audiences: vec![audience.to_owned()],
            has_azp: false,
            kubernetes: Account::of_subject(subject).is_some(),
            role,
            session_name,
            region: None,
            now,
            by_eks: None,
        }
    }

    /// The ARN of the token's provider. `None`: the account is not known.
    #[must_use]
    pub fn provider_arn(&self) -> Option<String> {
        Some(self.role.as_ref()?.provider_arn(&self.issuer))
    }

    /// The value of `key` in the request. Keys have no case.
    #[must_use]
    pub fn value(&self, key: &str) -> Value {
        let key = key.to_lowercase();
        if let Some(presented) = &self.by_eks {
            return presented.value(&key, self);
        }
        if let Some(claim) =
            key.strip_prefix(&self.issuer.to_lowercase()).and_then(|rest| rest.strip_prefix(':'))
        {
            return self.claim(claim);
        }
        let account = self.role.as_ref().map(|role| role.account.as_str());
        match key.as_str() {
            "sts:rolesessionname" => Value::of(
                self.session_name.as_deref(),
                "the SDK makes the session's name up; set AWS_ROLE_SESSION_NAME, or say it with --session-name",
            ),
            "aws:currenttime" => Value::one(&crate::text::rfc3339(self.now)),
            "aws:epochtime" => Value::one(&self.now.to_string()),
            "aws:securetransport" => Value::one("true"),
            "aws:requestedregion" => {
                Value::of(self.region.as_deref(), "no region is set, so that each SDK chooses one")
            }
            "aws:resourceaccount" => Value::of(account, "the role's account is not known"),
            "aws:sourceip" | "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip" => {
                Value::Unknown("only STS sees where the call comes from")
            }
            "sts:sourceidentity" | "aws:tagkeys" | "sts:transitivetagkeys" => self.other_claim(),
            _ if key.starts_with("aws:requesttag/") => self.other_claim(),
            _ if key.starts_with("aws:principaltag/") || key.starts_with("saml:") => Value::Absent,
            _ if NEVER_HERE.contains(&key.as_str()) || is_of_another_provider(&key) => Value::Absent,
            _ => Value::Unknown("what STS has for this key is not documented for this call"),
        }
    }

    fn claim(&self, claim: &str) -> Value {
        match claim {
            "sub" => Value::one(&self.subject),
            // With `azp`, `aud` is the value of `azp`, and the audience moves to `oaud`.
            "aud" if self.has_azp => Value::one(&self.audience),
            "aud" => Value::Present(self.audiences.clone()),
            "oaud" if self.has_azp => Value::Present(self.audiences.clone()),
            "oaud" => Value::Absent,
            _ => self.other_claim(),
        }
    }

    /// A service account token has no other claims that STS reads (kubernetes `pkg/serviceaccount/claims.go`).
    fn other_claim(&self) -> Value {
        if self.kubernetes { Value::Absent } else { Value::Unknown("it depends on claims that are not kept") }
    }
}

/// If the token has `azp`, STS compares that (IAM user guide, OIDC condition keys).
fn audience(token: &Token) -> Option<&str> {
    token.azp.as_deref().or_else(|| token.aud.first().map(String::as_str))
}

/// The region that every SDK would call. A region from the issuer is the probe's own fallback and does not count.
fn region(evidence: &Evidence) -> Option<String> {
    let route = sdks::route(&evidence.environment, evidence.token.as_ref());
    let region = route.region.filter(|region| region.source != settings::ISSUER_SOURCE)?;
    let endpoint = route.endpoint.ok()?;
    (endpoint.configured_by.is_none() && !endpoint.global).then_some(region.value)
}

/// Whether the key is `HOST/PATH:claim` of a provider that did not issue this token, or was meant to be one.
pub(crate) fn is_of_another_provider(key: &str) -> bool {
    match key.rsplit_once(':') {
        // Prefixes of services have neither a dot nor a slash.
        Some((provider, claim)) => {
            provider.contains(['.', '/', '<', '$', '{'])
                || CLAIMS.contains(&claim) && !["aws", "sts", "iam"].contains(&provider)
        }
        None => CLAIMS.contains(&key),
    }
}
