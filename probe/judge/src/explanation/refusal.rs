//! What a denial by IAM means: owner, who acts, headline and steps, by its caller, its action and the kind of policy.
//! `denial` reads the sentence.

use super::answer::{ORG, blank, capital, class, named, people};
use super::caller::{Parts, caller, is_account, is_pod_identity, parts};

use super::steps::{
    allow, chain, change, check, decode, hands_out_rights, is_cut, keys, look, policies, policy, role, when,
};
use super::{Caller, CallerKind, Explanation, Policy};
use crate::catalog::{Class, Owner};
use crate::denial::{Denial, Effect, PolicyKind};
use crate::settings::arn::RoleArn;
use crate::settings::command::{Aws, words};
use crate::steps::{Step, StepKind};

/// What the node itself does with its role: the actions, who calls them, and the managed policy for them.
const OF_NODES: &[(&[&str], &str, &str)] = &[
    (
        &["ecr:batchgetimage", "ecr:getdownloadurlforlayer", "ecr:getauthorizationtoken"],
        "The kubelet pulled an image",
        "AmazonEC2ContainerRegistryPullOnly",
    ),
    (
        &[
            "ssm:updateinstanceinformation",
            "ssm:listassociations",
            "ssm:listinstanceassociations",
            "ssmmessages:",
            "ec2messages:",
        ],
        "The node’s SSM agent called",
        "AmazonSSMManagedInstanceCore",
    ),
    (
        &[
            "ec2:assignprivateipaddresses",
            "ec2:unassignprivateipaddresses",
            "ec2:attachnetworkinterface",
            "ec2:detachnetworkinterface",
            "ec2:createnetworkinterface",
            "ec2:deletenetworkinterface",
            "ec2:modifynetworkinterfaceattribute",
        ],
        "aws-node called, and its service account has no role",
        "AmazonEKS_CNI_Policy",
    ),
];

/// A situation in which the kind of policy does not decide what to do.
struct Special {
    owner: (&'static str, String),
    headline: String,
    why: &'static str,
    steps: Vec<Step>,
}

/// A denial and what follows from it.
pub(super) struct Refusal<'a> {
    denial: Denial,
    caller: Caller,
    expected: Option<&'a RoleArn>,
    class: Option<Class>,
}

impl<'a> Refusal<'a> {
    pub(super) fn new(denial: Denial, expected: Option<&'a RoleArn>) -> Self {
        let caller = caller(denial.caller.as_deref(), expected);
        let class = class(&denial);
        Self { denial, caller, expected, class }
    }

    fn parts(&self) -> Option<Parts<'_>> {
        self.caller.arn.as_deref().and_then(parts)
    }

    pub(super) fn explanation(self) -> Explanation {
        let special = self.special().unwrap_or_else(|| Special {
            owner: self.owner(),
            headline: self.headline(),
            why: "",
            steps: self.steps(),
        });
        let (owner, who) = special.owner;
        let mut explanation = blank(self.class, owner, &who);
        explanation.headline = special.headline;
        explanation.summary = self.summary(&explanation.headline, special.why);
        explanation.steps = special.steps;
        let Denial { action, resource, kind, policy, effect, .. } = self.denial;
        explanation.caller = self.caller;
        explanation.action = action;
        explanation.resource = resource;
        explanation.policy = Policy { kind, arn: policy };
        explanation.effect = effect;
        explanation
    }

    fn special(&self) -> Option<Special> {
        let (subject, action) = (self.subject(), self.action());
        let parts = self.parts();
        let is_anonymous = |name: &str| name.eq_ignore_ascii_case("anonymous");
        // A policy that refuses by address or network refuses signed requests too.
        let is_explicit = self.denial.effect == Some(Effect::Explicit);
        if self.denial.caller.as_deref().is_some_and(is_anonymous) && !is_explicit {
            return Some(Special {
                owner: named(Owner::Pod),
                headline: format!("the request was not signed: {action} refused to anonymous"),
                why: "The service saw no signature, so the credentials of the pod played no part.",
                steps: vec![change(
                    "Let the client sign its requests with SigV4 and the pod’s credentials: OpenSearch clients have a signer \
                     for it, Grafana and Fluent Bit a setting. Do not admit anonymous callers in the resource’s policy.",
                    None,
                    "the client’s configuration",
                )],
            });
        }
        if self.denial.policy.as_deref().is_some_and(|arn| arn.contains("AWSCompromisedKeyQuarantine")) {
            let name = parts.as_ref().and_then(|parts| parts.user);
            let mut steps: Vec<Step> = name.map(keys).into_iter().collect();
            steps.push(change(
                "Make that key inactive, then delete it, and remove it from where it was published. Look in CloudTrail for what \
                 it did, and give the pod a role in its place. Only then detach the quarantine policy.",
                None,
                "the access key: whatever uses it stops",
            ));
            return Some(Special {
                owner: self.owner(),
                headline: format!("AWS found an access key of {subject} in public and quarantined it"),
                why: "AWS attaches this policy to a user whose access key was published. Others may have the key.",
                steps,
            });
        }
        if action.contains('*') {
            return Some(Special {
                owner: self.owner(),
                headline: format!("{action} is not an action that AWS refuses"),
                why: "AWS names one action in each refusal, so somebody has changed this text.",
                steps: vec![look("Look for the action in the original log, and explain that line.", None)],
            });
        }
        if self.caller.kind == CallerKind::NodeRole
            && let Some((_, who, policy)) = self.of_node()
        {
            let mut steps: Vec<Step> = self.see_policies().into_iter().collect();
            steps.push(when(
                who,
                change(&format!("attach {policy} to the node’s role."), None, "the node’s role"),
            ));
            steps.push(when(
                "A pod called that has a role of its own",
                look("run credprobe check in that pod, as it took the node’s credentials.", None),
            ));
            return Some(Special {
                owner: self.owner(),
                headline: format!("the node’s {subject} may not call {action}"),
                why: "The node itself needs this action, with its own role.",
                steps,
            });
        }
        let next = self.denial.resource.as_deref().filter(|_| self.class == Some(Class::RoleChainDenied))?;
        let role = next.rsplit_once('/').map(|(_, name)| name)?;
        let accounts = (parts.as_ref()?.account, account_of(next));
        let is_other = matches!(accounts, (Some(own), Some(next)) if own != next);
        if parts?.role != Some(role) || is_cut(role) || is_other || !self.is_by_policy() {
            return None;
        }
        Some(Special {
            owner: named(Owner::Pod),
            headline: format!("{subject} is told to assume itself"),
            why: "The pod has this role already, and its configuration states it a second time. AWS lets a role assume \
                  itself only where its own trust policy names it.",
            steps: vec![
                look(
                    "See where the role is stated: role of a cert-manager issuer, roleArn of sigv4, role_arn of a profile, \
                     or the configuration of Velero, Vault or an operator.",
                    None,
                ),
                change(
                    "Remove the role there. The pod’s own credentials are enough.",
                    None,
                    "the client’s configuration",
                ),
            ],
        })
    }

    /// Whether a policy of the caller or of the next role decides, and not one above them.
    fn is_by_policy(&self) -> bool {
        self.denial.kind.is_none_or(|kind| matches!(kind, PolicyKind::Trust | PolicyKind::Identity))
    }

    fn of_node(&self) -> Option<&'static (&'static [&'static str], &'static str, &'static str)> {
        let action = self.action().to_ascii_lowercase();
        let is_missing = self.denial.effect != Some(Effect::Explicit)
            && matches!(self.denial.kind, None | Some(PolicyKind::Identity));
        let mut rows = OF_NODES.iter().filter(|_| is_missing);
        rows.find(|(actions, ..)| {
            actions.iter().any(|of| action == *of || (of.ends_with(':') && action.starts_with(of)))
        })
    }

    /// Whether the caller is not the identity that the pod should have. Then no policy needs a repair.
    fn is_wrong_caller(&self) -> bool {
        let is_agent = self.class == Some(Class::AgentAccessDenied);
        match self.caller.kind {
            CallerKind::NodeRole => !is_agent && self.of_node().is_none(),
            CallerKind::User | CallerKind::Other => self.expected.is_some() && self.caller.arn.is_some(),
            CallerKind::PodRole | CallerKind::PodIdentity | CallerKind::Unknown => false,
        }
    }

    fn owner(&self) -> (&'static str, String) {
        if self.is_wrong_caller() {
            return named(Owner::Pod);
        }
        let account = self.parts().and_then(|parts| parts.account.map(str::to_owned));
        let iam = |account: Option<&str>| {
            let who = account.map_or_else(
                || people("iam").to_owned(),
                |account| format!("whoever administers IAM in account {account}"),
            );
            (Owner::Iam.id(), who)
        };
        let of_resource = self.denial.resource.as_deref().and_then(account_of);
        match self.denial.kind {
            Some(PolicyKind::ServiceControl | PolicyKind::ResourceControl) => (ORG, people(ORG).to_owned()),
            Some(PolicyKind::VpcEndpoint) => {
                (Owner::Network.id(), "whoever runs the VPC endpoint".to_owned())
            }
            Some(PolicyKind::Session) if self.caller.kind == CallerKind::PodIdentity => named(Owner::Cluster),
            Some(PolicyKind::Session) => {
                (Owner::Pod.id(), "whoever assumes this role with a session policy".to_owned())
            }
            Some(PolicyKind::Resource) => (
                Owner::Iam.id(),
                of_resource.map_or_else(
                    || "whoever owns the resource and its policy".to_owned(),
                    |account| format!("whoever owns the resource and its policy, in account {account}"),
                ),
            ),
            Some(PolicyKind::Trust) => iam(of_resource),
            None if self.class == Some(Class::RoleChainDenied) => iam(of_resource.or(account.as_deref())),
            Some(PolicyKind::Identity | PolicyKind::Boundary) | None => iam(account.as_deref()),
        }
    }

    /// For example `role checkout-reader`.
    fn subject(&self) -> String {
        match self.parts() {
            Some(Parts { role: Some(role), .. }) => format!("role {role}"),
            Some(Parts { user: Some(user), .. }) => format!("user {user}"),
            Some(Parts { federated: Some(name), .. }) => format!("federated user {name}"),
            _ => "the caller".to_owned(),
        }
    }

    fn action(&self) -> &str {
        self.denial.action.as_deref().unwrap_or("this operation")
    }

    /// The resource in a sentence, never a piece of its name.
    fn on(&self) -> String {
        match self.denial.resource.as_deref() {
            Some(name) if name.ends_with('…') => "the resource, whose name this text cuts".to_owned(),
            Some(name) => name.to_owned(),
            None if self.is_of("kms:decrypt") || self.is_of("kms:reencrypt") => {
                "the key of that ciphertext".to_owned()
            }
            None => "the resource".to_owned(),
        }
    }

    fn is_of(&self, prefix: &str) -> bool {
        self.action().to_ascii_lowercase().starts_with(prefix)
    }

    fn see_policies(&self) -> Option<Step> {
        let parts = self.parts()?;
        parts
            .role
            .map(|name| policies("role", name))
            .or_else(|| parts.user.map(|name| policies("user", name)))
    }

    fn headline(&self) -> String {
        let (subject, action) = (self.subject(), self.action());
        let explicit = self.denial.effect == Some(Effect::Explicit);
        if self.is_wrong_caller() {
            let whose = match self.caller.kind {
                CallerKind::NodeRole => "the node’s ",
                _ => "",
            };
            return format!("{whose}{subject} called, not the pod’s: {action} refused");
        }
        let may = |of: &str| match explicit {
            true => format!("{of} denies {action} to {subject}"),
            false => format!("{of} does not allow {action} to {subject}"),
        };
        match self.denial.kind {
            Some(PolicyKind::Identity) if explicit => format!("a policy of {subject} denies {action}"),
            Some(PolicyKind::Identity) => format!("no policy of {subject} allows {action}"),
            Some(PolicyKind::Boundary) => may("the permissions boundary"),
            Some(PolicyKind::Session) => may("the session policy"),
            Some(PolicyKind::ServiceControl) if explicit => may("a service control policy"),
            Some(PolicyKind::ServiceControl) => {
                format!("no service control policy allows {action} to {subject}")
            }
            Some(PolicyKind::ResourceControl) => may("a resource control policy"),
            Some(PolicyKind::VpcEndpoint) => may("the policy of the VPC endpoint"),
            Some(PolicyKind::Resource) if self.denial.effect.is_none() => {
                format!("KMS refuses {action} to {subject}: no such key here, or its policy")
            }
            Some(PolicyKind::Resource) => may("the resource’s own policy"),
            Some(PolicyKind::Trust) => may("the trust policy of the next role"),
            None if self.denial.public_access => format!("S3 Block Public Access refuses {action}"),
            None if explicit => format!("a policy denies {action} to {subject}"),
            None => format!("{subject} may not call {action}, and AWS names no policy"),
        }
    }

    fn summary(&self, headline: &str, why: &str) -> String {
        let mut out = format!("{}. ", capital(headline));
        match self.denial.resource.as_deref() {
            Some(name) if is_cut(name) => out.push_str("The text lacks a part of the resource’s name. "),
            Some(name) => out.push_str(&format!("The resource is {name}. ")),
            None => {}
        }
        if !why.is_empty() {
            out.push_str(why);
            return out;
        }
        if self.is_wrong_caller() {
            out.push_str(match self.caller.kind {
                CallerKind::NodeRole => {
                    "The session is an EC2 instance’s, so the SDK found no credentials of the pod, or did not use \
                     them, and took the node’s."
                }
                CallerKind::User => "A user’s own keys come first in the SDK’s chain.",
                _ => "Another role than the expected one called. That is the fault, unless the app assumes a second role.",
            });
            return out;
        }
        if let Some(arn) = &self.denial.policy {
            out.push_str(&format!("AWS names the policy: {arn}. "));
        }
        out.push_str(match (self.denial.kind, self.denial.effect) {
            (Some(PolicyKind::ServiceControl | PolicyKind::ResourceControl), _) => {
                "Nobody within the account can allow it."
            }
            (Some(PolicyKind::Boundary), _) => "Other policies cannot give what the boundary leaves out.",
            (Some(PolicyKind::Session), _) if self.caller.kind == CallerKind::PodIdentity => {
                "The session is of EKS Pod Identity, so the association has a policy that narrows it."
            }
            (Some(PolicyKind::Session), _) => "Whoever made the session narrowed it.",
            (Some(PolicyKind::Resource), None) => "AWS gives three reasons together and does not say which one it is.",
            (Some(PolicyKind::Resource), Some(Effect::Implicit)) => {
                "In another account both sides must allow it; in the same one, for a KMS key, the key’s policy must."
            }
            (Some(_), Some(Effect::Explicit)) => "A statement that allows it does not help against a deny.",
            (Some(_), _) => "One such statement is all that is missing, unless another policy refuses next.",
            (None, Some(Effect::Explicit)) if self.denial.public_access => "It is a setting of the bucket or account.",
            (None, _) if self.denial.encoded => "The reason stands in the encoded part.",
            (None, _) => "Which kind of policy refused cannot be known from this text.",
        });
        out
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.is_wrong_caller() {
            steps.extend([chain(), check()]);
            let own = |say| change(say, None, "the pod’s specification or its service account");
            if self.caller.kind == CallerKind::Other {
                steps.push(when(
                    "The app assumes no second role",
                    own("repair what they name, so that the pod’s own role is taken."),
                ));
                let say = format!(
                    "leave the pod as it is. {} needs {}: the same text with --expect-role of that role gives the steps.",
                    capital(&self.subject()),
                    self.action()
                );
                steps.push(when("The app assumes that one on purpose", look(&say, None)));
                return steps;
            }
            steps.push(own(
                "Repair what they name, so that the pod’s own role is taken. Do not give this permission to the \
                 role or user that called: others use it too.",
            ));
            return steps;
        }
        if self.denial.encoded {
            steps.push(decode());
        }
        match self.class {
            Some(Class::RoleChainDenied) if self.is_by_policy() => {
                self.next_role(&mut steps);
            }
            Some(Class::AccessDenied) => steps.push(check()),
            Some(Class::AgentAccessDenied) => {
                steps.push(check());
                steps.push(change(
                    "Attach AmazonEKSWorkerNodePolicy to the node’s role, or allow eks-auth:AssumeRoleForPodIdentity in a policy of its own.",
                    None,
                    "the policies of the node’s role",
                ));
                return steps;
            }
            _ => {}
        }
        steps.extend(self.denial.policy.as_deref().and_then(policy));
        self.of_kind(&mut steps);
        steps
    }

    fn of_kind(&self, steps: &mut Vec<Step>) {
        let action = self.action();
        let role_name = self.parts().and_then(|parts| parts.role.map(str::to_owned));
        let (on, subject) = (self.on(), self.subject());
        let of_subject = format!("a policy of {subject}");
        let explicit = self.denial.effect == Some(Effect::Explicit);
        let has_change = steps.iter().any(|step| step.kind == StepKind::Change);
        match self.denial.kind {
            _ if self.class == Some(Class::RoleChainDenied) && !explicit && has_change => {}
            Some(PolicyKind::Identity) if explicit => {
                steps.extend(self.see_policies());
                steps.push(change(
                    &format!("Narrow the statement that denies {action}, or take {subject} out of its reach."),
                    None,
                    &of_subject,
                ));
            }
            Some(PolicyKind::Identity) => self.missing(steps),
            Some(PolicyKind::Boundary) => {
                if let Some(name) = role_name.as_deref() {
                    let account = self.parts().and_then(|parts| parts.account.map(str::to_owned));
                    steps.push(role(name, account.as_deref(), "Role.PermissionsBoundary", "See which boundary the role has"));
                }
                let what = if explicit { "Narrow the deny of" } else { "Add" };
                steps.push(change(
                    &format!("{what} {action} on {on} in the boundary; it may be the boundary of other roles too."),
                    None,
                    "the boundary, for every role that has it",
                ));
            }
            Some(PolicyKind::Session) if self.caller.kind == CallerKind::PodIdentity => steps.push(change(
                &format!("Add {action} on {on} to the policy of the Pod Identity association, or remove that policy."),
                None,
                "what the association’s pods may do; new pods have it",
            )),
            Some(PolicyKind::Session) if subject.starts_with("federated") => steps.push(change(
                &format!("Add {action} on {on} to the policy that is passed with GetFederationToken. Without one, such a session has no permissions."),
                None,
                "the call that makes the session",
            )),
            Some(PolicyKind::Session) => steps.push(change(
                &format!("Add {action} on {on} to the policy that is passed with AssumeRole, or pass none."),
                None,
                "the call that makes the session",
            )),
            Some(PolicyKind::ServiceControl | PolicyKind::ResourceControl) => steps.push(change(
                &format!("Ask the organization’s administrators for an exception for {action} on {on}, with the caller’s ARN."),
                None,
                "a policy of the organization",
            )),
            Some(PolicyKind::VpcEndpoint) => {
                let endpoints = Aws::unless(false).and_then(|aws| {
                    aws.run(words![
                        "ec2",
                        "describe-vpc-endpoints",
                        "--query",
                        "VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]",
                        "--output",
                        "text",
                    ])
                });
                steps.push(look("See the policies of the endpoints, in the region and account of the nodes’ VPC.", endpoints));
                let what = if explicit { "Narrow the deny of" } else { "Add" };
                steps.push(change(
                    &format!("{what} {action} on {on} for {subject} in the policy of that service’s endpoint."),
                    None,
                    "one VPC endpoint’s policy",
                ));
            }
            Some(PolicyKind::Resource) if self.denial.effect.is_none() => steps.extend([
                when(
                    "The key is another one, in another region, or deleted",
                    change("state the right key by its full ARN where the data or the client names it.", None, "the client’s configuration"),
                ),
                when(
                    "The key’s policy allows it to nobody like this caller",
                    change(&format!("allow {action} for {subject} there."), None, "the key’s policy"),
                ),
                when(
                    "The key’s policy denies it",
                    change(&format!("narrow that statement for {subject}."), None, "the key’s policy"),
                ),
            ]),
            Some(PolicyKind::Resource) => {
                let what = if explicit { "Narrow the deny of" } else { "Allow" };
                steps.push(change(
                    &format!("{what} {action} for {subject} in the policy of {on}."),
                    None,
                    "the resource’s own policy",
                ));
            }
            Some(PolicyKind::Trust) => steps.push(change(
                &format!("Correct the statement for {subject} in the trust policy of {on}."),
                None,
                "the trust policy of the next role",
            )),
            None if self.denial.public_access => steps.push(change(
                "Keep the bucket closed and serve the objects another way, or turn that one setting off for this bucket.",
                None,
                "who can read the bucket",
            )),
            None if explicit => {
                steps.extend(self.see_policies());
                steps.push(change(
                    &format!("Find the statement that denies {action}: in the policies of {subject}, the boundary, the resource’s policy and the organization."),
                    None,
                    "the policy that denies it",
                ));
            }
            None => {
                steps.extend(self.see_policies());
                let none = if self.see_policies().is_some() { "none" } else { "no policy of the caller" };
                steps.push(change(
                    &format!("If {none} allows {action} on {on}, add it there; else look at the resource’s policy, the boundary and the organization."),
                    None,
                    &of_subject,
                ));
            }
        }
    }

    /// The steps if no policy of the role allows the action.
    fn missing(&self, steps: &mut Vec<Step>) {
        let parts = self.parts();
        let role_name = parts.as_ref().and_then(|parts| parts.role);
        if role_name.is_some_and(|role| role.starts_with("AWSReservedSSO_")) {
            steps.push(change(
                &format!(
                    "Add {} to the permission set in IAM Identity Center: its roles are not changed in IAM.",
                    self.action()
                ),
                None,
                "the permission set, for everybody who has it",
            ));
            return;
        }
        steps.extend(self.see_policies());
        let resource = self.denial.resource.as_deref();
        let allow =
            parts.as_ref().zip(resource).and_then(|(parts, resource)| allow(parts, self.action(), resource));
        steps.push(allow.unwrap_or_else(|| {
            let action = self.action();
            let on = match resource {
                Some(name) if name.contains('*') && self.class == Some(Class::RoleChainDenied) => {
                    "the one role that it is to assume".to_owned()
                }
                None if !self.is_of("kms:") => "the resource, which AWS does not name".to_owned(),
                _ => self.on(),
            };
            let caution = match hands_out_rights(action) {
                true => " It can give more rights, so first ask whether the caller needs it.",
                false => "",
            };
            change(
                &format!(
                    "Add a statement that allows {action} on {on} to a policy of {}.{caution}",
                    self.subject()
                ),
                None,
                "a policy of the caller",
            )
        }));
    }

    /// The steps for `sts:AssumeRole` and `sts:TagSession`, which need the caller's policy and the trust policy of the next role.
    fn next_role(&self, steps: &mut Vec<Step>) {
        let next = self.denial.resource.as_deref();
        let name = next.and_then(|arn| RoleArn::parse(arn).ok());
        if let Some(next) = &name {
            let query = "Role.[Arn,AssumeRolePolicyDocument]";
            steps.push(role(
                &next.name,
                Some(&next.account),
                query,
                "See whether the next role exists, and whom its trust policy admits",
            ));
        }
        let action = self.action();
        if action.eq_ignore_ascii_case("sts:TagSession") {
            let is_of_association = match self.parts() {
                Some(parts) => is_pod_identity(parts.session),
                None => self.caller.arn.is_none(),
            };
            let (tags, none, whose) = match is_of_association {
                true => (
                    "sessions of EKS Pod Identity carry their tags on",
                    "disable session tags in the Pod Identity association.",
                    "the tags of new sessions of that association",
                ),
                false => (
                    "the client passes session tags",
                    "let the client pass none, in configure-aws-credentials with role-skip-session-tagging.",
                    "the client’s configuration",
                ),
            };
            steps.push(change(
                &format!(
                    "Allow sts:TagSession beside sts:AssumeRole for {} in that trust policy: {tags}.",
                    self.subject()
                ),
                None,
                "the trust policy of the next role",
            ));
            steps.push(when(
                "The trust policy names the whole account",
                change(
                    "allow sts:TagSession on that role in a policy of the caller, too.",
                    None,
                    "a policy of the caller",
                ),
            ));
            steps.push(when("Nobody reads the tags", change(none, None, whose)));
            return;
        }
        match self.denial.kind {
            Some(PolicyKind::Identity) => self.missing(steps),
            Some(_) => steps.push(change(
                &format!("Add a statement for {} to the trust policy of the next role.", self.subject()),
                None,
                "the trust policy of the next role",
            )),
            None => {
                steps.push(when(
                    "No statement admits the caller",
                    change(
                        &format!("add one for {} to that trust policy.", self.subject()),
                        None,
                        "the trust policy of the next role",
                    ),
                ));
                steps.push(when(
                    "A statement admits the caller or its account",
                    change(
                        &format!("allow {action} on that role in a policy of {}.", self.subject()),
                        None,
                        "a policy of the caller",
                    ),
                ));
            }
        }
    }
}

/// The account of an ARN, which is its fifth part. ARNs of S3 have none.
fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|id| is_account(id))
}
