//! Names who acts next, by what people administer, because credprobe knows no names of teams.
//! Whoever chose a value acts. If another server than STS is used, whoever runs that server acts.

use crate::catalog::Owner;
use crate::evidence::Evidence;
use crate::sdks::EffectiveSettings;
use crate::settings::arn::RoleArn;

/// The people who can repair it. Empty if nothing is wrong.
pub(super) fn who(owner: Option<Owner>, evidence: &Evidence, settings: &EffectiveSettings) -> String {
    let Some(owner) = owner else { return String::new() };
    let options = &evidence.environment.options;
    if options.sts_compatible && matches!(owner, Owner::Iam | Owner::Aws) {
        // Neither IAM nor AWS is involved: another server has its own roles and its own outages.
        return match &settings.route.endpoint {
            Ok(endpoint) => format!("whoever runs the STS at {}", endpoint.host),
            Err(_) => "whoever runs the STS that this pod uses".to_owned(),
        };
    }
    let requested = settings.requested.role_arn.as_ref().map(|role| role.value.as_str());
    let roles = [requested, options.expect_role.as_deref()];
    match roles.into_iter().flatten().find_map(|role| RoleArn::parse(role).ok()) {
        Some(role) if owner == Owner::Iam => format!("whoever administers IAM in account {}", role.account),
        _ => owner.people().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Mechanism;

    fn whom(owner: Owner, evidence: &Evidence) -> String {
        who(Some(owner), evidence, &EffectiveSettings::from_evidence(evidence))
    }

    #[test]
    fn people_are_called_by_what_they_administer_and_where() {
        let mut evidence = Evidence::default();
        evidence.environment.options.mechanism = Some(Mechanism::Irsa);
        assert_eq!(whom(Owner::Iam, &evidence), "whoever administers IAM in the role’s account");
        let role = |account| format!("arn:aws:iam::{account}:role/checkout-reader");
        evidence.environment.options.expect_role = Some(role("814203749661"));
        assert_eq!(whom(Owner::Iam, &evidence), "whoever administers IAM in account 814203749661");
        evidence.environment.variables.insert("AWS_ROLE_ARN".to_owned(), role("814203749616"));
        assert_eq!(whom(Owner::Iam, &evidence), "whoever administers IAM in account 814203749616");
        assert_eq!(whom(Owner::Pod, &evidence), "whoever deploys this pod");
        for owner in Owner::ALL {
            assert!(!whom(owner, &evidence).is_empty(), "{owner}");
        }
        assert_eq!(who(None, &evidence, &EffectiveSettings::from_evidence(&evidence)), "");
    }

    #[test]
    fn under_sts_compatible_it_is_whoever_runs_the_server() {
        let mut evidence = Evidence::default();
        let options = &mut evidence.environment.options;
        options.mechanism = Some(Mechanism::Irsa);
        options.sts_compatible = true;
        let url = "https://minio.shop.svc:9000".to_owned();
        evidence.environment.variables.insert("AWS_ENDPOINT_URL_STS".to_owned(), url);
        for owner in [Owner::Iam, Owner::Aws] {
            assert_eq!(whom(owner, &evidence), "whoever runs the STS at minio.shop.svc");
        }
        assert_eq!(whom(Owner::Pod, &evidence), "whoever deploys this pod");
    }
}
