//! The gates of a run: may the file be read, is there any point in sending the token, what must be looked at afterwards.
//! Small pure functions; the program asks them between two steps, and each step is taken or left by their answer.

use super::facts::Facts;
use super::finding::{Basis, Finding, Severity};
use super::{access, before_the_network, cluster, exchange, of_target};
use crate::catalog::{Attribute, Class};
use crate::evidence::{Evidence, Process, TokenFile};
use crate::sdks::EffectiveSettings;

/// Whether the ids of `process` may read the file, by what the kernel shows of the way to it.
#[must_use]
pub fn may_read(file: &TokenFile, process: &Process) -> bool {
    access::may_read(file, process) == access::Access::Granted
}

/// Whether there is no point in sending anything.
///
/// Only what is certain stops: a guess or a clock never makes an outage of our own.
#[must_use]
pub fn stops_before_network(finding: &Finding) -> bool {
    is_certain(finding.class, finding.severity, finding.expectation)
}

/// The same of a finding that was reported.
#[must_use]
pub fn is_certain(class: Class, severity: Severity, expectation: Basis) -> bool {
    let stated = expectation == Basis::Explicit;
    let certain = class.has(Attribute::Certain) || stated && class.has(Attribute::CertainIfStated);
    certain && severity == Severity::Error
}

/// What is certain before anything is sent, so that nothing need be sent; only judges that need no answer are asked.
#[must_use]
pub fn exchange_blocked(evidence: &Evidence, settings: &EffectiveSettings, now: i64) -> Option<Finding> {
    // Of a process that could not be looked at there is nothing else to judge.
    if of_target(evidence).iter().any(|finding| finding.severity == Severity::Error) {
        return None;
    }
    let facts = Facts::new(evidence, settings, now);
    before_the_network(&facts).into_iter().find(stops_before_network)
}

/// aws-iam-authenticator, `pkg/token/token.go`, `maxTokenLenBytes`: a longer token is not read.
pub const CLUSTER_TOKEN_LIMIT: usize = 4_096;

/// Whether EKS would refuse any token that this configuration makes for the stated cluster.
#[must_use]
pub fn cluster_refuses(evidence: &Evidence, settings: &EffectiveSettings, now: i64) -> bool {
    cluster::refused(&Facts::new(evidence, settings, now)).is_some()
}

/// What else must be looked at before a refusal can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowUps {
    /// What the issuer publishes.
    pub issuer: bool,
    /// What STS says in the issuer's region.
    pub other_region: bool,
}

/// Only a generic or key-related refusal leaves questions: everything else says its cause itself.
#[must_use]
pub fn follow_ups_needed(evidence: &Evidence, settings: &EffectiveSettings, now: i64) -> FollowUps {
    let findings = exchange::judge(&Facts::new(evidence, settings, now));
    let any = |attribute| findings.iter().any(|finding| finding.class.has(attribute));
    FollowUps {
        issuer: any(Attribute::AsksIssuer),
        other_region: any(Attribute::AsksOtherRegion) && !evidence.environment.options.sts_compatible,
    }
}
