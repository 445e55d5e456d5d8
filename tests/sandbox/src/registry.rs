//! What IAM and EKS store: accounts with their OIDC providers, roles and trust policies, and the cluster's associations.
//! A trust policy that the evaluator does not understand ends the run here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    access::policy::Policy,
    error::{Error, Result},
    policy::{IdentityPolicy, TrustPolicy},
    scenario::{
        self, NAMESPACE, SERVICE_ACCOUNT, Scenario,
        agent::{Association, Mechanism, TokenKind},
    },
};

#[derive(Debug)]
pub(crate) struct Registry {
    accounts: Vec<Account>,
    associations: Vec<Association>,
    resources: BTreeMap<String, Policy>,
    endpoints: BTreeMap<String, Policy>,
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) partition: String,
    pub(crate) providers: Vec<Provider>,
    pub(crate) roles: Vec<Role>,
    pub(crate) service_control: Vec<Policy>,
    pub(crate) resource_control: Vec<Policy>,
}

#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) url: String,
    pub(crate) arn: String,
    pub(crate) client_ids: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) trust_policy: TrustPolicy,
    /// `None`: the role may assume every role.
    pub(crate) policy: Option<IdentityPolicy>,
    /// The same policy, as the services evaluate it; `None`: the role may do everything.
    pub(crate) access: Option<Policy>,
    pub(crate) boundary: Option<Policy>,
    pub(crate) max_session_seconds: i64,
}

/// A role's ARN in its parts: `arn:aws:iam::814203749616:role/path/name`.
#[derive(Debug, PartialEq)]
pub(crate) struct RoleArn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> RoleArn<'a> {
    /// IAM's grammar: a path may have every printable character, a name fewer.
    pub(crate) fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut next = || parts.next();
        let (Some("arn"), Some(partition), Some("iam"), Some(""), Some(account), Some(resource)) =
            (next(), next(), next(), next(), next(), next())
        else {
            return None;
        };
        let path = resource.strip_prefix("role/")?;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        let fits = partition.starts_with("aws")
            && partition
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && path.bytes().all(|byte| byte.is_ascii_graphic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.@+=,".contains(&byte));
        fits.then_some(Self { partition, account, name })
    }
}

impl Registry {
    pub(crate) fn of(scenario: &Scenario) -> Result<Self> {
        let account = |account| Account::new(account, &scenario.issuer.url, scenario.mechanism);
        Ok(Self {
            accounts: scenario.accounts.iter().map(account).collect::<Result<_>>()?,
            resources: policies(
                scenario.resources.iter().filter_map(|(arn, it)| Some((arn, it.policy.as_ref()?))),
            )?,
            endpoints: policies(scenario.endpoint_policies.iter())?,
            associations: scenario.agent.iter().flat_map(|agent| agent.associations.clone()).collect(),
        })
    }

    pub(crate) fn account(&self, partition: &str, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id && account.partition == partition)
    }

    pub(crate) fn resource_policy(&self, arn: &str) -> Option<&Policy> {
        self.resources.get(arn)
    }

    /// The policy of that service's VPC endpoint.
    pub(crate) fn endpoint_policy(&self, service: &str) -> Option<&Policy> {
        self.endpoints.get(service)
    }

    pub(crate) fn association(&self, namespace: &str, service_account: &str) -> Option<&Association> {
        let is_theirs = |association: &&Association| {
            association.namespace == namespace && association.service_account == service_account
        };
        self.associations.iter().find(is_theirs)
    }
}

fn policies<'a>(
    documents: impl Iterator<Item = (&'a String, &'a Value)>,
) -> Result<BTreeMap<String, Policy>> {
    documents.map(|(name, document)| Ok((name.clone(), Policy::parse(document)?))).collect()
}

impl Account {
    fn new(account: &scenario::Account, issuer: &str, mechanism: Mechanism) -> Result<Self> {
        if account.id.len() != 12 || !account.id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(format!("`{}` is not an account id", account.id)));
        }
        let iam = format!("arn:{}:iam::{}", account.partition, account.id);
        let provider_arn = |url: &str| format!("{iam}:oidc-provider/{}", url.trim_start_matches("https://"));
        let providers = account.providers.iter().map(|provider| {
            let url = provider.url.as_deref().unwrap_or(issuer);
            Provider { url: url.into(), arn: provider_arn(url), client_ids: provider.client_ids.clone() }
        });
        let roles = account.roles.iter().map(|role| {
            let standard = || standard_trust_policy(&provider_arn(issuer), issuer, mechanism);
            Ok(Role {
                name: role.name.clone(),
                arn: format!("{iam}:role{}{}", role.path, role.name),
                trust_policy: TrustPolicy::parse(&role.trust_policy.clone().unwrap_or_else(standard))?,
                policy: role.policy.as_ref().map(IdentityPolicy::parse).transpose()?,
                access: role.policy.as_ref().map(Policy::parse).transpose()?,
                boundary: role.boundary.as_ref().map(Policy::parse).transpose()?,
                max_session_seconds: role.max_session_seconds,
            })
        });
        Ok(Self {
            id: account.id.clone(),
            partition: account.partition.clone(),
            providers: providers.collect(),
            roles: roles.collect::<Result<_>>()?,
            service_control: account.service_control.iter().map(Policy::parse).collect::<Result<_>>()?,
            resource_control: account.resource_control.iter().map(Policy::parse).collect::<Result<_>>()?,
        })
    }

    pub(crate) fn provider(&self, url: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.url == url)
    }

    /// Finds a role by its whole ARN, because a role with a path is not the role without it.
    pub(crate) fn role(&self, arn: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.arn == arn)
    }
}

/// The trust policy that EKS's guide tells users to write.
fn standard_trust_policy(provider_arn: &str, issuer: &str, mechanism: Mechanism) -> Value {
    let issuer = issuer.trim_start_matches("https://");
    let statement = |kind: &TokenKind| match kind {
        TokenKind::WebIdentity => json!({
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {
                format!("{issuer}:sub"): format!("system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"),
                format!("{issuer}:aud"): "sts.amazonaws.com",
            }},
        }),
        TokenKind::PodIdentity => json!({
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }),
    };
    let statements: Vec<Value> = mechanism.tokens().iter().map(statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_arns_are_told_from_what_only_looks_like_them() {
        let arn = RoleArn::parse("arn:aws-cn:iam::814203749616:role/team/app").unwrap();
        assert_eq!(arn, RoleArn { partition: "aws-cn", account: "814203749616", name: "app" });
        let arn = RoleArn::parse("arn:aws:iam::814203749616:role/team:a/!~/app").unwrap();
        assert_eq!(arn.name, "app");
        for bad in [
            "arn:aws:iam::::1234567890:role/example",
            "arn:aws:iam::814203749616:role:checkout-reader",
            "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
            "arn:aws:iam:::role/x",
            "arn:aws:iam::814203749616:role/",
            "\"arn:aws:iam::814203749616:role/x\"",
            "arn:aws:iam::814203749616:role/x\n",
            "arn:aws:iam::814203749616:role/team/a:b",
        ] {
            assert_eq!(RoleArn::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_path_is_part_of_the_role() {
        let role = scenario::account::Role { path: "/team/".into(), ..scenario::account::Role::default() };
        let account = scenario::Account { roles: vec![role], ..scenario::Account::default() };
        let account = Account::new(&account, scenario::ISSUER, Mechanism::Irsa).unwrap();
        assert!(account.role("arn:aws:iam::814203749616:role/team/checkout-reader").is_some());
        assert!(account.role("arn:aws:iam::814203749616:role/checkout-reader").is_none());
    }
}
