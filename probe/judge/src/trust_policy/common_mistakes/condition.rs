//! Mistakes in conditions: keys that this request does not have, and values that nearly equal the token's.
//! `condition` says which values match. Here is only what was probably meant.

use super::{Slip, issuer};
use crate::evidence::Account;
use crate::trust_policy::condition::{Operator, Test, Truth};
use crate::trust_policy::context::{Context, Value};
use crate::trust_policy::evaluate::provider_of;
use crate::trust_policy::pattern::Pattern;
use crate::trust_policy::policy::Condition;

/// What is wrong with a condition, and its corrected form.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) slip: Option<Slip>,
    pub(crate) corrected: Option<Condition>,
}

impl Found {
    fn slip(id: &'static str, text: impl Into<String>) -> Self {
        Self { slip: Some(Slip::new(id, text)), corrected: None }
    }
}

/// How to correct a value.
enum Correction {
    /// Replace it with the token's value.
    Replace,
    /// Add the token's value, because others may need the present one.
    Add,
    /// Leave it: the pod or its token should change.
    Leave,
}

pub(crate) fn look_at(condition: &Condition, context: &Context, variables: bool) -> Found {
    let Some(operator) = Operator::parse(&condition.operator).filter(|operator| !operator.negated) else {
        // An exclusion is intended.
        return Found::default();
    };
    match context.value(&condition.key) {
        Value::Absent => key(condition, context, variables),
        Value::Present(_) if operator.test != Test::Null => value(condition, operator, context),
        Value::Present(_) | Value::Begins(_) | Value::Unknown(_) => Found::default(),
    }
}

/// Examines a key that no request with this token has.
fn key(condition: &Condition, context: &Context, variables: bool) -> Found {
    let lower = condition.key.to_lowercase();
    if lower == "sts:externalid" {
        return Found::slip(
            "external-id",
            "AssumeRoleWithWebIdentity carries no external id, so that this condition never holds",
        );
    }
    if ["aws:", "sts:", "saml:"].iter().any(|prefix| lower.starts_with(prefix)) {
        return Found::slip(
            "never-in-this-call",
            format!(
                "{} is never there in this call, for it is not signed by an AWS principal",
                condition.key
            ),
        );
    }
    let (written, claim) = condition.key.rsplit_once(':').unwrap_or(("", &condition.key));
    let (slip, is_meant) = if written.is_empty() {
        let text = format!("the key needs the issuer in front: {}:{claim}", context.issuer);
        (Slip::new("key-without-issuer", text), true)
    } else if let Some((.., inner)) = provider_of(written) {
        let text =
            "the key begins with the provider's whole ARN; only what follows oidc-provider/ belongs there";
        (Slip::new("key-is-provider-arn", text), issuer::is_meant(inner, &context.issuer))
    } else if written.eq_ignore_ascii_case(&context.issuer) {
        let text = format!("STS makes no key of a claim `{claim}`; there are sub, aud, oaud, amr and email");
        return Found::slip("no-such-claim", text);
    } else {
        issuer::slip(written, &context.issuer)
    };
    let claim = claim.to_lowercase();
    let corrected = (is_meant && (claim == "sub" || claim == "aud")).then(|| {
        let key = format!("{}:{claim}", context.issuer);
        let condition = Condition { key, ..condition.clone() };
        let holds = Operator::parse(&condition.operator)
            .map(|operator| operator.holds(&condition.key, &condition.values, context, variables));
        if holds == Some(Truth::Yes) {
            return Some(condition);
        }
        look_at(&condition, context, variables).corrected
    });
    Found { slip: Some(slip), corrected: corrected.flatten() }
}

/// Examines a right key with wrong values.
fn value(condition: &Condition, operator: Operator, context: &Context) -> Found {
    let lower = condition.key.to_lowercase();
    let is_subject = lower.ends_with(":sub") && !lower.starts_with("aws:");
    let is_audience = lower.ends_with(":aud");
    let presented = if is_subject { &context.subject } else { &context.audience };
    if !is_subject && !is_audience {
        return Found::default();
    }
    if let Some(found) = operator_slip(condition, operator, presented) {
        return found;
    }
    let slip_in = |value: &String| {
        let common = value_slip(value, presented);
        common.or_else(|| if is_subject { subject(value, context) } else { audience(value, context) })
    };
    let nearly = condition.values.iter().find_map(|it| Some((it, slip_in(it)?)));
    let Some((wrong, (slip, correction))) = nearly else {
        return Found { corrected: with(condition, presented), ..Found::default() };
    };
    let corrected = match correction {
        Correction::Leave => None,
        Correction::Add => with(condition, presented),
        // Under an operator for ARNs or numbers, no value of the token can be right.
        Correction::Replace if !compares_strings(condition) => None,
        Correction::Replace => {
            let right = condition.values.iter().map(|it| if it == wrong { presented } else { it });
            let right: Vec<String> = right.cloned().collect();
            Some(Condition { values: right, ..condition.clone() })
        }
    };
    Found { slip: Some(slip), corrected }
}

/// The condition with the token's value in addition.
fn with(condition: &Condition, presented: &str) -> Option<Condition> {
    compares_strings(condition).then(|| {
        let mut values = condition.values.clone();
        values.push(presented.to_owned());
        Condition { values, ..condition.clone() }
    })
}

fn compares_strings(condition: &Condition) -> bool {
    condition.operator.contains("String")
}

/// The value would match under another operator.
fn operator_slip(condition: &Condition, operator: Operator, presented: &str) -> Option<Found> {
    let would_do = |value: &String| value.contains(['*', '?']) && Pattern::glob(value).matches(presented);
    let (id, text) = match operator.test {
        Test::Equals | Test::EqualsIgnoreCase if condition.values.iter().any(would_do) => (
            "wildcard-in-equals",
            "StringEquals takes * and ? as they are; StringLike takes them as wildcards",
        ),
        Test::Arn if condition.values.iter().any(|it| Pattern::glob(it).matches(presented)) => {
            ("arn-operator", "the token's value is no ARN; StringLike compares strings")
        }
        _ => return None,
    };
    let (set, base) = condition.operator.rsplit_once(':').map_or(("", ""), |(set, base)| (set, base));
    let base = if base.is_empty() { condition.operator.as_str() } else { base };
    let if_exists = if base.ends_with("IfExists") { "IfExists" } else { "" };
    let colon = if set.is_empty() { "" } else { ":" };
    let right = format!("{set}{colon}StringLike{if_exists}");
    Some(Found {
        corrected: Some(Condition { operator: right, ..condition.clone() }),
        ..Found::slip(id, text)
    })
}

fn value_slip(value: &str, presented: &str) -> Option<(Slip, Correction)> {
    let inner = value.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    let slip = if inner != value && inner == presented {
        Slip::new("white-space", "white space or quotation marks stand around the value")
    } else if issuer::is_template(value, presented) {
        Slip::new("placeholder", "a placeholder was not filled in")
    } else if inner.eq_ignore_ascii_case(presented) {
        Slip::new("value-case", "capital and small letters count in values")
    } else {
        return None;
    };
    Some((slip, Correction::Replace))
}

const PREFIX: &str = "system:serviceaccount:";

fn subject(value: &str, context: &Context) -> Option<(Slip, Correction)> {
    let replace = |id, text: String| Some((Slip::new(id, text), Correction::Replace));
    if context.audiences.iter().any(|audience| audience == value) || value == "sts.amazonaws.com" {
        let text = "the audience stands under :sub; the subject belongs here, the audience under :aud";
        return replace("keys-swapped", text.to_owned());
    }
    let ours = Account::of_subject(&context.subject)?;
    let (namespace, name) = (ours.namespace, ours.name);
    let short = [
        format!("{namespace}:{name}"),
        format!("{namespace}/{name}"),
        format!("{PREFIX}{namespace}/{name}"),
        format!("serviceaccount:{namespace}:{name}"),
        format!("system:serviceaccounts:{namespace}:{name}"),
        format!("system:{namespace}:{name}"),
        format!("{PREFIX}{name}"),
        name.to_owned(),
    ];
    if short.iter().any(|short| short == value) {
        return replace(
            "subject-form",
            format!("a subject is {PREFIX}NAMESPACE:NAME in full; {}", context.subject),
        );
    }
    let theirs = Account::of_subject(value)?;
    if (theirs.namespace, theirs.name) == (name, namespace) {
        return replace("subject-swapped", "namespace and service account have changed places".to_owned());
    }
    let like = |pattern: &str, text: &str| Pattern::glob(pattern).matches(text);
    Some(match (like(theirs.namespace, namespace), like(theirs.name, name)) {
        (true, false) if name == "default" => (
            Slip::new(
                "pod-runs-as-default",
                format!(
                    "the pod runs as service account `default`, the policy is for `{}`: spec.serviceAccountName is missing in the pod spec, or wrong",
                    theirs.name
                ),
            ),
            Correction::Leave,
        ),
        (true, false) => (
            Slip::new(
                "another-service-account",
                format!("the policy is for service account `{}`, the pod runs as `{name}`", theirs.name),
            ),
            Correction::Add,
        ),
        (false, true) => (
            Slip::new(
                "another-namespace",
                format!("the policy is for namespace `{}`, the pod is in `{namespace}`", theirs.namespace),
            ),
            Correction::Add,
        ),
        _ => (
            Slip::new(
                "another-service-account",
                format!(
                    "the policy is for service account `{}/{}`, the pod runs as `{namespace}/{name}`",
                    theirs.namespace, theirs.name
                ),
            ),
            Correction::Add,
        ),
    })
}

fn audience(value: &str, context: &Context) -> Option<(Slip, Correction)> {
    if value == context.subject || value.starts_with(PREFIX) {
        let text = "the subject stands under :aud; the audience belongs here, the subject under :sub";
        return Some((Slip::new("keys-swapped", text), Correction::Replace));
    }
    // The webhook's default in every partition, including China (eksctl `pkg/iam/oidc/api.go`).
    let usual = "sts.amazonaws.com";
    if context.audience == usual {
        let text = format!("the audience of EKS tokens is {usual} in every partition and region");
        return Some((Slip::new("wrong-audience", text), Correction::Replace));
    }
    (value == usual).then(|| {
        let text = format!(
            "the policy wants the usual audience and the token's is {}: correct the token, by the annotation eks.amazonaws.com/audience or the projected volume",
            context.audience
        );
        (Slip::new("unusual-token", text), Correction::Leave)
    })
}
