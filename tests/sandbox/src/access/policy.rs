//! IAM's evaluation of all kinds of policy for one request, and AWS's sentence about the policy that refuses it.
//! An element that it does not know, such as a condition, is an error, so that no policy is half understood.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::{Doing as _, Error, Result},
    policy::{OneOrMany, wildcard},
};

/// A policy of which every element was understood.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
    /// The policy's ARN, which a scenario may give as `Id`.
    arn: Option<String>,
}

#[derive(Clone, Debug)]
struct Statement {
    denies: bool,
    /// `None`: this is not a resource-based policy.
    principals: Option<Vec<String>>,
    actions: Covered,
    resources: Covered,
}

/// What a statement covers: the listed names, or all names except those.
#[derive(Clone, Debug)]
enum Covered {
    These(Vec<String>),
    Others(Vec<String>),
}

impl Covered {
    fn of(these: Option<OneOrMany<String>>, others: Option<OneOrMany<String>>, what: &str) -> Result<Self> {
        match (these, others) {
            (Some(these), None) => Ok(Self::These(these.into_vec())),
            (None, Some(others)) => Ok(Self::Others(others.into_vec())),
            _ => Err(Error::new(format!("a policy's statement has one of {what} and Not{what}"))),
        }
    }

    fn covers(&self, value: &str) -> bool {
        let named =
            |names: &[String]| names.iter().any(|name| wildcard(&name.to_lowercase(), &value.to_lowercase()));
        match self {
            Self::These(names) => named(names),
            Self::Others(names) => !named(names),
        }
    }
}

/// The request to decide on.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    /// The ARN of the caller's session; `role` is the ARN of its role.
    pub(crate) session: &'a str,
    pub(crate) role: &'a str,
    pub(crate) account: &'a str,
    /// The account that owns the resource.
    pub(crate) owner: &'a str,
    /// True for a KMS key: its own policy must admit the caller, or delegate to the account's policies.
    pub(crate) needs_resource_policy: bool,
    /// The resource's own policy admits the role; that was checked elsewhere.
    pub(crate) resource_suffices: bool,
}

/// All policies that apply to a request; `None`: there is no such policy.
#[derive(Debug, Default)]
pub(crate) struct Applying<'a> {
    /// Each of them must allow the request.
    pub(crate) service_control: &'a [Policy],
    /// They can only deny.
    pub(crate) resource_control: &'a [Policy],
    /// `None`: everything is allowed.
    pub(crate) identity: Option<&'a Policy>,
    pub(crate) boundary: Option<&'a Policy>,
    pub(crate) session: Option<&'a Policy>,
    pub(crate) vpc_endpoint: Option<&'a Policy>,
    pub(crate) resource: Option<&'a Policy>,
}

/// Why a request is denied.
#[derive(Debug, PartialEq)]
pub(crate) enum Denial {
    /// `because no …` or `with an explicit deny in …`, as AWS writes it.
    Told(String),
    /// AWS does not give the reason when caller and resource are in different accounts.
    Untold,
}

impl Policy {
    pub(crate) fn parse(document: &Value) -> Result<Self> {
        let document = Document::deserialize(document).doing(|| "failed to read a policy".into())?;
        let statements =
            document.statement.into_vec().into_iter().map(Statement::parse).collect::<Result<_>>()?;
        Ok(Self { statements, arn: document.id })
    }

    fn any(&self, denies: bool, asking: &Asking<'_>) -> bool {
        self.statements.iter().any(|it| it.denies == denies && it.matches(asking))
    }

    fn allows(&self, asking: &Asking<'_>) -> bool {
        self.any(false, asking)
    }

    fn denies(&self, asking: &Asking<'_>) -> bool {
        self.any(true, asking)
    }

    /// How the resource's own policy admits the caller: by the session's name, by the role's, or by delegating to the account.
    fn admits(&self, asking: &Asking<'_>) -> Option<Admitted> {
        let names = self.statements.iter().filter(|it| !it.denies && it.matches(asking));
        let names = names.flat_map(|it| it.principals.iter().flatten());
        names.filter_map(|name| admitted(name, asking)).min()
    }
}

/// How a resource's policy admits a caller. The first variant reaches farthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Admitted {
    /// It names the session: no implicit denial of the caller's own policies applies.
    Session,
    /// It names the role: the identity-based policy need not allow the request too.
    Role,
    /// It names the account: the account's own policies decide.
    Account,
}

fn admitted(principal: &str, asking: &Asking<'_>) -> Option<Admitted> {
    let root = asking.role.split(":role").next().map(|account| format!("{account}:root"));
    if principal == asking.session {
        Some(Admitted::Session)
    } else if principal == asking.role || principal == "*" {
        Some(Admitted::Role)
    } else if principal == asking.account || Some(principal) == root.as_deref() {
        Some(Admitted::Account)
    } else {
        None
    }
}

impl Statement {
    fn parse(raw: RawStatement) -> Result<Self> {
        let denies = match raw.effect.as_str() {
            "Allow" => false,
            "Deny" => true,
            other => return Err(Error::new(format!("policy: unknown Effect `{other}`"))),
        };
        let principals = raw.principal.map(|principal| match principal {
            RawPrincipal::All(all) if all == "*" => Ok(vec![all]),
            RawPrincipal::All(other) => Err(Error::new(format!("policy: unknown principal `{other}`"))),
            RawPrincipal::Aws { aws } => Ok(aws.into_vec()),
        });
        Ok(Self {
            denies,
            principals: principals.transpose()?,
            actions: Covered::of(raw.action, raw.not_action, "Action")?,
            resources: Covered::of(raw.resource, raw.not_resource, "Resource")?,
        })
    }

    fn matches(&self, asking: &Asking<'_>) -> bool {
        let named = |names: &Vec<String>| names.iter().any(|name| admitted(name, asking).is_some());
        self.principals.as_ref().is_none_or(named)
            && self.actions.covers(asking.action)
            && self.resources.covers(asking.resource)
    }
}

impl Applying<'_> {
    /// Returns the first refusal, in the order of IAM's guide.
    pub(crate) fn decide(&self, asking: &Asking<'_>) -> std::result::Result<(), Denial> {
        let foreign = asking.owner != asking.account;
        let told = |text: String| if foreign { Denial::Untold } else { Denial::Told(text) };
        let one = |policy: Option<&Policy>| policy.into_iter().cloned().collect::<Vec<_>>();
        for (kind, policies) in [
            ("a service control policy", self.service_control.to_vec()),
            ("a resource control policy", self.resource_control.to_vec()),
            ("a VPC endpoint policy", one(self.vpc_endpoint)),
            ("a resource-based policy", one(self.resource)),
            ("an identity-based policy", one(self.identity)),
            ("a permissions boundary", one(self.boundary)),
            ("a session policy", one(self.session)),
        ] {
            if let Some(policy) = policies.iter().find(|policy| policy.denies(asking)) {
                let arn = policy.arn.as_ref().map(|arn| format!(": {arn}")).unwrap_or_default();
                return Err(told(format!("with an explicit deny in {kind}{arn}")));
            }
        }
        let action = asking.action;
        let missing = |kind: &str| Err(told(format!("because no {kind} allows the {action} action")));
        if self.service_control.iter().any(|policy| !policy.allows(asking)) {
            return missing("service control policy");
        }
        if self.vpc_endpoint.is_some_and(|policy| !policy.allows(asking)) {
            return missing("VPC endpoint policy");
        }
        let by_resource = self.resource.and_then(|policy| policy.admits(asking));
        let alone = by_resource.filter(|_| !foreign);
        if alone == Some(Admitted::Session) {
            return Ok(());
        }
        let handed_over = alone.is_some() || self.resource.is_none();
        if foreign && by_resource.is_none() || asking.needs_resource_policy && !handed_over {
            return missing("resource-based policy");
        }
        let suffices = alone == Some(Admitted::Role) || asking.resource_suffices;
        if !suffices && self.identity.is_some_and(|policy| !policy.allows(asking)) {
            return missing("identity-based policy");
        }
        if self.boundary.is_some_and(|policy| !policy.allows(asking)) {
            return missing("permissions boundary");
        }
        if self.session.is_some_and(|policy| !policy.allows(asking)) {
            return missing("session policy");
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "Version")]
    _version: Option<String>,
    id: Option<String>,
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawStatement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: String,
    principal: Option<RawPrincipal>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPrincipal {
    All(String),
    Aws {
        #[serde(rename = "AWS")]
        aws: OneOrMany<String>,
    },
}
