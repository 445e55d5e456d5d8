//! The columns of the class table: what a row can say about a class, as types, with the words that explain them.
//! The rows are in `catalog`; who reads a column decides nothing by ids or numbers.

use crate::evidence::StageName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who can repair the broken link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The pod's specification or its service account.
    Pod,
    /// Webhook, kubelet, API server, or the Pod Identity association.
    Cluster,
    /// DNS, routes, firewalls, proxies, VPC endpoints.
    Network,
    /// Roles, policies and identity providers of the account.
    Iam,
    /// Service and resource control policies of the AWS Organization.
    Org,
    /// AWS itself; waiting is all that is left.
    Aws,
    /// The probe or how it was called.
    Probe,
}

impl Owner {
    /// Every owner, in the order of the documentation.
    pub const ALL: [Self; 7] =
        [Self::Pod, Self::Cluster, Self::Network, Self::Iam, Self::Org, Self::Aws, Self::Probe];

    /// The name in JSON, flags and reports.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Cluster => "cluster",
            Self::Network => "network",
            Self::Iam => "iam",
            Self::Org => "org",
            Self::Aws => "aws",
            Self::Probe => "probe",
        }
    }

    /// The people, by what they administer.
    pub(crate) const fn people(self) -> &'static str {
        match self {
            Self::Pod => "whoever deploys this pod",
            Self::Cluster => "whoever runs the cluster",
            Self::Network => "whoever administers DNS, egress and VPC endpoints",
            Self::Iam => "whoever administers IAM in the role’s account",
            Self::Org => "whoever administers the AWS Organization’s policies",
            Self::Aws => "nobody here, try again",
            Self::Probe => "whoever runs credprobe",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// What a class does to a pod that was ready before, under `serve --readiness=hold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// Nothing: nobody was asked, or the app goes on.
    Keeps,
    /// The next renewal of the credentials fails whatever STS thinks, so the pod is unready at once.
    AtOnce,
    /// STS, IAM or the agent said no, which counts after several exchanges in a row and the hold.
    IfItLasts,
}

impl Readiness {
    /// What `explain` says.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Keeps => "a pod that was ready stays ready",
            Self::AtOnce => "makes a pod unready at once",
            Self::IfItLasts => "makes a pod unready when it lasts over several exchanges",
        }
    }
}

/// What a class has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// Waiting may heal it, unless a finding says why not.
    Transient,
    /// Restarting the container cannot heal it; a new pod can.
    RecreatePod,
    /// A warning unless the evidence makes it an error.
    Warning,
    /// As an error it stops a run before anything is sent.
    Certain,
    /// The same, where the finding is held against something that was stated.
    CertainIfStated,
    /// A fresh provider, role or association is refused with it for seconds to minutes.
    EventuallyConsistent,
    /// What is measured by the credentials themselves; it stays an error when they were issued.
    StandsOnceIssued,
    /// Nobody rotates this token.
    NotRotated,
    /// STS itself gives it as an answer to the exchange; what AWS's order of checks rules out, another server's does not.
    OfSts,
    /// What the issuer publishes may tell more.
    AsksIssuer,
    /// What STS says in the issuer's region may tell more.
    AsksOtherRegion,
    /// A new pod passes the webhook again, gets a new token, and may come to another node; who answers in place of STS
    /// may do so for a moment. A Job counts it as a failure and tries again.
    NewPodMayHeal,
}

impl Attribute {
    /// Every attribute with its name in JSON and what `explain` says; nothing where the kind of the class says it.
    pub const ALL: &[(Self, &str, &str)] = &[
        (Self::Transient, "transient", ""),
        (Self::RecreatePod, "recreate_pod", ""),
        (Self::Warning, "warning", ""),
        (Self::Certain, "certain", "as an error it stops the run before anything is sent"),
        (
            Self::CertainIfStated,
            "certain_if_stated",
            "against a stated value it stops the run before anything is sent",
        ),
        (Self::EventuallyConsistent, "eventually_consistent", "--grace keeps trying on it"),
        (
            Self::StandsOnceIssued,
            "stands_once_issued",
            "an error stays one although the credentials were issued",
        ),
        (Self::NotRotated, "not_rotated", "nobody rotates this token"),
        (Self::OfSts, "of_sts", "STS answers so"),
        (Self::AsksIssuer, "asks_issuer", "the issuer's public documents are looked at afterwards"),
        (Self::AsksOtherRegion, "asks_other_region", "STS in the issuer's region is asked afterwards"),
        (Self::NewPodMayHeal, "new_pod_may_heal", "a Job may try again with a new pod"),
    ];
}

/// What must be started anew before a repair is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Nothing: the next try passes.
    None,
    /// The container: what it opened once, such as a profile or a CA bundle, is another by then.
    Container,
    /// The pod: a container that starts again in the same pod heals nothing.
    Pod,
}

/// What a finding is about, where a row of the table asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// A date or a time.
    Time,
    /// Which host is asked, and how its name is resolved.
    Host,
    /// Whose certificates are trusted.
    CaBundle,
    /// The call goes to the global endpoint.
    GlobalEndpoint,
    /// The proxy through which the probe itself went.
    OwnProxy,
    /// White space behind a token that is good otherwise.
    WhiteSpace,
    /// The stated cluster's API server: nothing of the exchange explains it.
    Cluster,
    /// What the role may do, or the role that it goes on to.
    Access,
}

/// When a class explains another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Wherever both were found.
    Always,
    /// Where the explained finding is about a date or a time.
    AboutTime,
    /// Where the explaining finding is an error.
    AsError,
    /// Where the explaining finding is about this.
    By(Topic),
    /// Under `--sts-compatible`, where one refusal stands for every cause.
    Compatible,
}

impl Condition {
    /// The condition as a remark; empty where there is none.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Always => "",
            Self::AboutTime => "about dates and times",
            Self::AsError => "only as an error",
            Self::By(Topic::Time) => "only by a time",
            Self::By(Topic::Host) => "only by a setting that chooses the host",
            Self::By(Topic::CaBundle) => "only by the CA bundle",
            Self::By(Topic::GlobalEndpoint) => "only where the call went to the global endpoint",
            Self::By(Topic::OwnProxy) => "only where the probe went through that proxy",
            Self::By(Topic::Access) => "only by what the role may do",
            Self::By(Topic::WhiteSpace) => "only by white space after the token",
            Self::By(Topic::Cluster) => "only on the way to the cluster",
            Self::Compatible => "under --sts-compatible",
        }
    }
}

/// The names that rows use: short, and apart where two columns share a word.
pub(super) mod row {
    use super::{Condition, Owner, StageName, Topic};

    pub(crate) mod owner {
        use super::Owner;
        pub(crate) const NOBODY: Option<Owner> = None;
        pub(crate) const POD: Option<Owner> = Some(Owner::Pod);
        pub(crate) const CLUSTER: Option<Owner> = Some(Owner::Cluster);
        pub(crate) const NETWORK: Option<Owner> = Some(Owner::Network);
        pub(crate) const IAM: Option<Owner> = Some(Owner::Iam);
        pub(crate) const AWS: Option<Owner> = Some(Owner::Aws);
        pub(crate) const PROBE: Option<Owner> = Some(Owner::Probe);
    }

    pub(crate) mod stage {
        use super::StageName;
        pub(crate) const NONE: Option<StageName> = None;
        pub(crate) const ENVIRONMENT: Option<StageName> = Some(StageName::Environment);
        pub(crate) const TOKEN_FILE: Option<StageName> = Some(StageName::TokenFile);
        pub(crate) const TOKEN: Option<StageName> = Some(StageName::Token);
        pub(crate) const NETWORK: Option<StageName> = Some(StageName::Network);
        pub(crate) const EXCHANGE: Option<StageName> = Some(StageName::Exchange);
        pub(crate) const IDENTITY: Option<StageName> = Some(StageName::Identity);
        pub(crate) const ACCESS: Option<StageName> = Some(StageName::Access);
        pub(crate) const CLUSTER: Option<StageName> = Some(StageName::Cluster);
    }

    pub(crate) mod condition {
        use super::{Condition, Topic};
        pub(crate) const ALWAYS: Condition = Condition::Always;
        pub(crate) const ABOUT_TIME: Condition = Condition::AboutTime;
        pub(crate) const AS_ERROR: Condition = Condition::AsError;
        pub(crate) const COMPATIBLE: Condition = Condition::Compatible;
        pub(crate) const BY_HOST: Condition = Condition::By(Topic::Host);
        pub(crate) const BY_CA_BUNDLE: Condition = Condition::By(Topic::CaBundle);
        pub(crate) const BY_GLOBAL_ENDPOINT: Condition = Condition::By(Topic::GlobalEndpoint);
        pub(crate) const BY_OWN_PROXY: Condition = Condition::By(Topic::OwnProxy);
        pub(crate) const BY_WHITE_SPACE: Condition = Condition::By(Topic::WhiteSpace);
    }
}
