//! What was observed, raw: the only input of the judges, and what a saved report keeps of the pod.
//! Draws no conclusions and contains no secret. Times are in seconds since the epoch, durations in milliseconds.

mod access;
mod agent;
pub mod agent_error;
mod cluster;
mod collected;
mod environment;
mod exchange;
mod issuer;
pub mod kept;
mod network;
mod process;
mod service_account;
mod stage;
pub mod target;
mod token;
mod token_file;

use crate::text::redactor::Redactor;
use crate::text::shown;
use serde::{Deserialize, Serialize};

pub use access::{AccessCall, AccessSession};
pub use agent::{Agent, AgentAnswer, ErrorSource, Liveness};
pub use cluster::{AccessReview, Cluster, KubernetesUser};
pub use collected::Collected;
pub use environment::{Environment, Profile, TrustProblem, UnreadableFile, Unseen};
pub use exchange::{Exchange, Identity, StsError};
pub use issuer::{Document, Issuer, KeySource, Origin, OtherRegion, Signature};
pub use network::{
    AddressAttempt, AddressOutcome, Certificate, ControlName, Failure, FailureKind, Network, Phase, PhasesMs,
    Question, Resolution, TargetTrust, Tls,
};
pub use process::Process;
pub use service_account::Account;
pub use stage::{StageName, Timing};
pub use target::Target;
pub use token::{Token, TokenShape};
pub use token_file::{
    AclEntry, AclTag, FileKind, Mount, Opener, PathComponent, Proof, TOKEN_LIMIT, TokenFile,
};

/// Everything observed in one run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The process whose credentials are judged.
    pub process: Process,
    /// What was observed of another process. `None`: no flag asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The path that had not answered when the time was up; empty if no path was the cause. Then nothing else was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<String>,
    /// Its variables, its profile, and what the user of the probe stated.
    pub environment: Environment,
    /// `None`: there was no path.
    pub token_file: Option<TokenFile>,
    /// `None`: there were no bytes.
    pub token: Option<Token>,
    /// `None`: the network was not reached.
    pub network: Option<Network>,
    /// The cluster's own name, resolved for comparison if the name of STS did not resolve. `None`: not needed, or no cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_name: Option<ControlName>,
    /// `None`: STS was not asked, or no answer arrived.
    pub exchange: Option<Exchange>,
    /// `None`: the Pod Identity agent was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// `None`: not asked.
    pub identity: Option<Identity>,
    /// The results of the access checks, by set of credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<AccessSession>,
    /// `None`: no refusal needed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
    /// `None`: no refusal needed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_region: Option<OtherRegion>,
    /// `None`: no cluster was stated, or the run did not get that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
}

impl Evidence {
    /// The evidence without what `redactor` knows, and without tokens, key ids and user info, in any field.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        shown::seen(self, redactor).unwrap_or_default()
    }
}

impl Environment {
    /// Redacts all fields, because a value may be in a place where it does not belong.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        shown::seen(self, redactor).unwrap_or_default()
    }
}

impl KeySource {
    /// The redacted source. `None`: nothing of it may be kept.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Option<Self> {
        shown::seen(self, redactor)
    }
}
