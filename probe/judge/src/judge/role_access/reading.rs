//! What a denial says of itself, by the grammar that `explain` has too: which kind of policy, which action. Pure.

use crate::denial::{self, Effect};

pub(super) use crate::denial::PolicyKind as Kind;

impl Kind {
    /// As AWS calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::VpcEndpoint => "VPC endpoint policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
        }
    }

    /// With its article.
    pub(super) fn words(self) -> String {
        let article = if self == Self::Identity { "an" } else { "a" };
        format!("{article} {}", self.name())
    }
}

/// What the text tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// `None`: it does not say.
    pub(super) kind: Option<Kind>,
    /// A policy denies it, rather than none allows it.
    pub(super) explicit: bool,
    /// The policy's ARN, where AWS names it.
    pub(super) policy: Option<String>,
    /// The action that was refused; services write it in any case.
    pub(super) action: Option<String>,
}

impl Reading {
    pub(super) fn of(message: &str) -> Self {
        let read = denial::read(message).unwrap_or_default();
        Self {
            kind: read.kind,
            explicit: read.effect == Some(Effect::Explicit),
            policy: read.policy,
            action: read.action,
        }
    }
}
