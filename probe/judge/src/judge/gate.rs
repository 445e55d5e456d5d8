//! The gates of a run: may the file be read, is there any point in sending the token, what must be looked at afterwards.
//! Small pure functions; the program asks them between two steps, and each step is taken or left by their answer.

use super::facts::Facts;
use super::finding::{Basis, Finding, Severity};
use super::{access, before_the_network, exchange, of_target};
use crate::catalog::Class;
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
    let certain = matches!(
        class,
        Class::NotInjected
            | Class::PartlyInjected
            | Class::RoleArnMalformed
            // An error only when no endpoint can be chosen.
            | Class::RegionMissing
            | Class::PartitionMismatch
            | Class::SettingsInvalid
            | Class::RoleUnexpected
            | Class::TokenFileMissing
            | Class::TokenFileUnreadable
            | Class::TokenFileEmpty
            | Class::TokenFileInvalid
            | Class::TokenMalformed
            | Class::TokenKindWrong
            | Class::AgentUriRefused
    );
    let mismatch = matches!(class, Class::IssuerMismatch | Class::AudienceMismatch | Class::SubjectMismatch);
    severity == Severity::Error && (certain || mismatch && expectation == Basis::Explicit)
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
    let any = |classes: &[Class]| findings.iter().any(|finding| classes.contains(&finding.class));
    FollowUps {
        issuer: any(&[
            Class::TokenRejected,
            Class::IssuerUnavailable,
            Class::ThumbprintMismatch,
            // By the words of another server alone.
            Class::SignatureInvalid,
            Class::IssuerUnusable,
        ]),
        other_region: any(&[Class::TokenRejected, Class::ProviderMissing])
            && !evidence.environment.options.sts_compatible,
    }
}
