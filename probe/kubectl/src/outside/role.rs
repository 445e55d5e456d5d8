//! Checks the role, its trust policy and its provider against the token that the pod will have. Pure.
//! The order is that of STS: provider, audience, role, trust policy.

use super::{Case, Outside, words};
use crate::world::{Association, Found, Role};
use credprobe_judge::catalog::Class;
use credprobe_judge::evidence::{Agent, AgentAnswer, ErrorSource, Evidence, Exchange, Liveness, StsError};
use credprobe_judge::judge::finding::Finding;
use credprobe_judge::settings::arn::RoleArn;
use credprobe_judge::trust_policy::outside::{Answer, AssumeRole, Refusal, assume_role, web_identity};
use credprobe_judge::trust_policy::{Context, Policy};
use std::collections::BTreeMap;

fn role_of(case: &Case<'_, '_>) -> Option<RoleArn> {
    case.settings.role.clone()
}

/// Checks the role of IRSA.
pub(super) fn irsa(case: &Case<'_, '_>, outside: &mut Outside) {
    let Some(asked) = case.settings.requested.role_arn.as_ref() else { return };
    outside.role = Some(asked.value.clone());
    let Some(role) = role_of(case) else { return };
    provider(case, &role, outside);
    let found = case.world.iam.roles.get(&asked.value).unwrap_or(&Found::Unseen);
    let context = Context::of(&case.seen.evidence, Some(role.clone()), case.now);
    match found {
        Found::Unseen => {}
        Found::Missing => {
            outside.iam = true;
            let summary = format!("account {} has no role {}", role.account, words(&role.name));
            let finding = Finding { summary, ..denied(case) };
            outside.findings.push(
                finding
                    .presented(format!("role {}", words(&asked.value)))
                    .required("a role with exactly this ARN"),
            );
        }
        Found::There(found) if found.arn != asked.value => {
            outside.iam = true;
            let finding = Finding {
                summary: format!(
                    "the role is {}, and the pod asks for {}: STS compares the whole ARN, path included",
                    words(&found.arn),
                    words(&asked.value)
                ),
                ..denied(case)
            };
            outside.findings.push(finding.presented(words(&asked.value)).required(words(&found.arn)));
        }
        Found::There(found) => {
            outside.iam = true;
            let Some(context) = context else { return };
            match Policy::parse(&found.answer).map(|policy| web_identity(&policy, &context)) {
                Ok(Answer::Allows) => {}
                Ok(Answer::Refuses(refusal)) => outside.findings.push(refused(case, &role, &refusal)),
                Ok(Answer::Unknown(element)) => outside.only_in_pod.push(hangs(&role.name, &element)),
                Err(problem) => outside.only_in_pod.push(format!(
                    "whether role {} lets {} in: its trust policy cannot be read here, {}",
                    words(&role.name),
                    case.account(),
                    words(&problem)
                )),
            }
        }
    }
}

fn hangs(role: &str, element: &str) -> String {
    format!("whether role {} lets the pod in: it hangs on {}", words(role), words(element))
}

fn refused(case: &Case<'_, '_>, role: &RoleArn, refusal: &Refusal) -> Finding {
    let told = Told::of(case, refusal);
    let cause = refusal.mistake.as_deref().map_or_else(|| told.short.clone(), words);
    let finding = Finding {
        summary: format!("role {} does not admit {}: {cause}", words(&role.name), case.account()),
        ..denied(case)
    };
    finding.presented(told.presented).required(told.required).why(told.why)
}

/// Where a policy refuses, and both sides of it.
struct Told {
    short: String,
    why: String,
    presented: String,
    required: String,
}

impl Told {
    fn of(case: &Case<'_, '_>, refusal: &Refusal) -> Self {
        let (presented, required) = (words(&refusal.presented), words(&refusal.required));
        let sid = refusal.sid.as_ref().map(|sid| format!(", {}", words(sid))).unwrap_or_default();
        let statement = format!("statement {}{sid}", refusal.statement);
        match (refusal.statement, refusal.denies) {
            (0, _) => Self {
                short: "no statement of its trust policy is about it".to_owned(),
                why: "The trust policy has no Allow statement for this request.".to_owned(),
                presented,
                required: "an Allow statement for it".to_owned(),
            },
            (_, true) => Self {
                short: format!("{statement} denies it"),
                why: format!("In the trust policy {statement} is a Deny, and it matches this request."),
                presented: "a request that a Deny of the trust policy is about".to_owned(),
                required: "no Deny that matches".to_owned(),
            },
            (_, false) => {
                // Drop the issuer's long name, because it is the cluster's own and tells nothing here.
                let issuer = case.world.issuer_path().map(|issuer| format!("{issuer}:")).unwrap_or_default();
                let element = words(&refusal.element);
                let short = if issuer.is_empty() { element.clone() } else { element.replace(&issuer, "") };
                let mistake =
                    refusal.mistake.as_ref().map(|text| format!(" {}.", words(text))).unwrap_or_default();
                Self {
                    short: format!("{short} of {statement} differs"),
                    why: format!(
                        "The nearest is {statement}. Its {short} wants {required}, the pod presents {presented}.{mistake}"
                    ),
                    presented,
                    required,
                }
            }
        }
    }
}

/// The refusal as STS will word it.
fn denied(case: &Case<'_, '_>) -> Finding {
    case.will_be(Class::AccessDenied, |evidence| {
        answered(evidence, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    })
}

fn answered(evidence: &mut Evidence, code: &str, message: &str) {
    evidence.exchange = Some(Exchange {
        status: 400,
        from_sts: true,
        error: Some(StsError { code: code.to_owned(), message: message.to_owned() }),
        ..Exchange::default()
    });
}

/// Checks the IAM OIDC provider of the role's account, and its client IDs.
fn provider(case: &Case<'_, '_>, role: &RoleArn, outside: &mut Outside) {
    let Some(issuer) = case.world.issuer_path() else { return };
    let arn = role.provider_arn(issuer);
    let found = case.world.iam.providers.get(&arn).unwrap_or(&Found::Unseen);
    let token = case.seen.evidence.token.as_ref();
    let audience = token.and_then(|token| token.aud.first()).map(String::as_str).unwrap_or_default();
    match found {
        Found::Unseen => {}
        Found::Missing => {
            outside.iam = true;
            let finding = case.will_be(Class::ProviderMissing, |evidence| {
                answered(evidence, "InvalidIdentityToken", "No OpenIDConnect provider found in your account");
            });
            outside.findings.push(finding);
            // If AWS can never reach the issuer's name, that is why there is no provider.
            outside.findings.extend(case.may_be(Class::IssuerUnusable, |evidence| {
                answered(evidence, "InvalidIdentityToken", "No OpenIDConnect provider found in your account");
            }));
        }
        Found::There(provider) => {
            outside.iam = true;
            if !audience.is_empty() && !provider.client_ids.iter().any(|id| id == audience) {
                let finding = case.will_be(Class::AudienceNotRegistered, |evidence| {
                    answered(evidence, "InvalidIdentityToken", "Incorrect token audience");
                });
                // An unusual audience is the cause, as in the pod.
                outside.findings.extend(case.may_be(Class::AudienceMismatch, |evidence| {
                    answered(evidence, "InvalidIdentityToken", "Incorrect token audience");
                }));
                let ids = provider.client_ids.join(" and ");
                let ids = if ids.is_empty() {
                    "no client id".to_owned()
                } else {
                    format!("client ids {}", words(&ids))
                };
                outside
                    .findings
                    .push(finding.presented(format!("audience {}; the provider has {ids}", words(audience))));
            }
        }
    }
}

/// Checks Pod Identity: the association, its role, and the target role that this role assumes.
pub(super) fn associated(case: &Case<'_, '_>, outside: &mut Outside) {
    let Some(associations) = case.world.iam.associations.known() else { return };
    outside.iam = true;
    let key = (case.pod.namespace.to_owned(), case.pod.account().to_owned());
    let Some(association) = associations.get(&key) else {
        let finding = case.will_be(Class::AssociationMissing, |evidence| {
            refused_by_eks(evidence, 404, "ResourceNotFoundException", "no association");
        });
        let summary = format!("EKS has no association for service account {}", case.account());
        let finding = Finding { summary, ..finding };
        outside.findings.push(finding.presented(format!(
            "{} associations in the cluster, none for {}",
            associations.len(),
            case.account()
        )));
        return;
    };
    outside.role = Some(association.target_role.as_ref().unwrap_or(&association.role).clone())
        .filter(|it| !it.is_empty());
    own_role(case, association, outside);
    target_role(case, association, outside);
}

fn own_role(case: &Case<'_, '_>, association: &Association, outside: &mut Outside) {
    let request = AssumeRole {
        principal: "pods.eks.amazonaws.com".to_owned(),
        tags: !association.tags_disabled,
        keys: keys(case, association),
        absent: if association.tags_disabled {
            vec!["aws:requesttag/", "aws:tagkeys", "sts:externalid"]
        } else {
            vec!["sts:externalid"]
        },
    };
    judge_role(case, &association.role, &request, "the associated role", outside);
}

/// What EKS presents to the role, as far as it is known here.
fn keys(case: &Case<'_, '_>, association: &Association) -> BTreeMap<String, String> {
    let cluster = &case.world.cluster;
    let mut keys = BTreeMap::new();
    let mut add = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            keys.insert(key.to_owned(), value.to_owned());
        }
    };
    add("aws:sourceaccount", cluster.account.as_deref());
    add("aws:sourcearn", cluster.arn.as_deref());
    if !association.tags_disabled {
        add("aws:requesttag/kubernetes-namespace", Some(case.pod.namespace));
        add("aws:requesttag/kubernetes-service-account", Some(case.pod.account()));
        add("aws:requesttag/eks-cluster-name", cluster.name.as_deref());
        add("aws:requesttag/eks-cluster-arn", cluster.arn.as_deref());
        add("aws:requesttag/kubernetes-pod-name", case.pod.pod_name());
        add("aws:requesttag/kubernetes-pod-uid", case.pod.pod_name().map(|_| case.pod.meta.uid.as_str()));
    }
    keys
}

fn target_role(case: &Case<'_, '_>, association: &Association, outside: &mut Outside) {
    let Some(target) = &association.target_role else { return };
    let mut absent =
        if association.tags_disabled { vec!["aws:requesttag/", "aws:tagkeys"] } else { Vec::new() };
    let mut keys = BTreeMap::new();
    match &association.external_id {
        Some(id) => drop(keys.insert("sts:externalid".to_owned(), id.clone())),
        None => absent.push("sts:externalid"),
    }
    let request =
        AssumeRole { principal: association.role.clone(), tags: !association.tags_disabled, keys, absent };
    judge_role(case, target, &request, "the association’s target role", outside);
}

fn judge_role(case: &Case<'_, '_>, arn: &str, request: &AssumeRole, what: &str, outside: &mut Outside) {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let denied = || {
        case.will_be(Class::AgentAccessDenied, |evidence| {
            refused_by_eks(
                evidence,
                400,
                "AccessDeniedException",
                "Unauthorized Exception! EKS does not have permissions to assume the associated role.",
            );
        })
    };
    match case.world.iam.roles.get(arn).unwrap_or(&Found::Unseen) {
        Found::Unseen => {}
        Found::Missing => {
            let summary = format!("{what} {} does not exist", words(name));
            let finding = Finding { summary, ..denied() };
            outside.findings.push(finding.presented(words(arn)).required("a role with exactly this ARN"));
        }
        Found::There(Role { answer, .. }) => {
            match Policy::parse(answer).map(|it| assume_role(&it, request)) {
                Ok(Answer::Allows) => {}
                Ok(Answer::Refuses(refusal)) => {
                    let told = Told::of(case, &refusal);
                    let who = words(&request.principal);
                    let summary = format!("{what} {} does not admit {who}: {}", words(name), told.short);
                    let finding = Finding { summary, ..denied() };
                    outside
                        .findings
                        .push(finding.presented(told.presented).required(told.required).why(told.why));
                }
                Ok(Answer::Unknown(element)) => outside.only_in_pod.push(hangs(name, &element)),
                Err(problem) => outside.only_in_pod.push(format!(
                    "whether role {} lets EKS in: its trust policy cannot be read here, {}",
                    words(name),
                    words(&problem)
                )),
            }
        }
    }
}

fn refused_by_eks(evidence: &mut Evidence, status: u16, code: &str, message: &str) {
    let uri = evidence.environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").unwrap_or_default().to_owned();
    evidence.agent = Some(Agent {
        uri,
        liveness: Some(Liveness {
            status: 404,
            content_type: Some("text/plain; charset=utf-8".to_owned()),
            excerpt: "404 page not found".to_owned(),
        }),
        answer: Some(AgentAnswer {
            status,
            content_type: Some("text/plain; charset=utf-8".to_owned()),
            said_by: ErrorSource::EksAuth,
            code: Some(code.to_owned()),
            message: message.to_owned(),
            ..AgentAnswer::default()
        }),
        ..Agent::default()
    });
}
