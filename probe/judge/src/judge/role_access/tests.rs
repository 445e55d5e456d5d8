//! Which denial gives which class, owner and people; that our own session policy decides nothing; that nothing is ready without the stated role.

use crate::catalog::{Class, Owner};
use crate::evidence::{
    AccessCall, AccessSession, Collected, Evidence, Exchange, Identity, Network, Profile, StsError,
};
use crate::judge::finding::Severity;
use crate::judge::fixtures::{NOW, ROLE, healthy};
use crate::report::Report;
use crate::sdks::EffectiveSettings;

const ARN: &str = "arn:aws:sts::814203749616:assumed-role/checkout-reader/credprobe";
const BUCKET: &str = "arn:aws:s3:::orders";
const NEXT: &str = "arn:aws:iam::600000000006:role/ledger";

/// A pod whose role has answered.
fn ready() -> Evidence {
    let mut evidence = healthy();
    evidence.environment.options.no_network = false;
    evidence.network = Some(Network::default());
    evidence.exchange = Some(Exchange {
        status: 200,
        from_sts: true,
        issued: true,
        assumed_role_arn: Some(ARN.to_owned()),
        ..Exchange::default()
    });
    evidence.identity =
        Some(Identity { status: Some(200), arn: Some(ARN.to_owned()), ..Identity::default() });
    evidence
}

fn stating(access: &str) -> Evidence {
    let mut evidence = ready();
    evidence.environment.options.expect_access = vec![access.to_owned()];
    evidence
}

fn report(evidence: Evidence) -> Report {
    crate::assess_without_options(Collected { evidence, seen: true, observed_at: NOW, timings: Vec::new() })
}

fn call(action: &str, resource: &str, status: u16, code: &str, message: &str) -> AccessCall {
    AccessCall {
        action: action.to_owned(),
        resource: resource.to_owned(),
        host: "s3.eu-west-1.amazonaws.com".to_owned(),
        status: Some(status),
        error: (!code.is_empty()).then(|| StsError { code: code.to_owned(), message: message.to_owned() }),
        by_aws: true,
        ..AccessCall::default()
    }
}

fn session(calls: Vec<AccessCall>) -> AccessSession {
    AccessSession {
        session_policy: Some("{}".to_owned()),
        session_policy_size: 2,
        calls,
        ..AccessSession::default()
    }
}

fn denied(reason: &str) -> Report {
    let mut evidence = stating(&format!("s3:ListBucket={BUCKET}"));
    let message =
        format!("User: {ARN} is not authorized to perform: s3:ListBucket on resource: \"{BUCKET}\" {reason}");
    evidence.access = vec![session(vec![call("s3:ListBucket", BUCKET, 403, "AccessDenied", &message)])];
    report(evidence)
}

#[test]
fn each_kind_of_policy_has_its_class_and_its_owner() {
    use Class::{PermissionBlocked as Blocked, PermissionMissing as Missing};
    let none = |kind: &str| format!("because no {kind} allows the s3:ListBucket action");
    let deny = |kind: &str| format!("with an explicit deny in {kind}");
    for (reason, class, owner, who) in [
        (none("identity-based policy"), Missing, Owner::Iam, "account 814203749616"),
        (deny("an identity-based policy"), Blocked, Owner::Iam, "account 814203749616"),
        (none("permissions boundary"), Missing, Owner::Iam, "account 814203749616"),
        (deny("a permissions boundary"), Blocked, Owner::Iam, "account 814203749616"),
        (none("service control policy"), Missing, Owner::Org, "Organization"),
        (
            deny("a service control policy: arn:aws:organizations::1:policy/p-1"),
            Blocked,
            Owner::Org,
            "Organization",
        ),
        (deny("a resource control policy"), Blocked, Owner::Org, "Organization"),
        (none("VPC endpoint policy"), Missing, Owner::Network, "VPC endpoint"),
        (deny("a VPC endpoint policy"), Blocked, Owner::Network, "VPC endpoint"),
        (none("resource-based policy"), Missing, Owner::Iam, "owns arn:aws:s3:::orders"),
        (deny("a resource-based policy"), Blocked, Owner::Iam, "owns arn:aws:s3:::orders"),
        (String::new(), Missing, Owner::Iam, "account 814203749616"),
    ] {
        let report = denied(&reason);
        assert_eq!(report.verdict.class, class, "{reason}: {}", report.verdict.summary);
        assert_eq!(report.verdict.owner, Some(owner), "{reason}");
        assert!(report.verdict.who.contains(who), "{reason}: {}", report.verdict.who);
        assert!(report.verdict.steps.iter().any(|step| step.run.is_some()), "{reason}");
    }
}

#[test]
fn the_policys_arn_and_the_statement_to_add_are_in_the_steps() {
    let text = |report: &Report| serde_json::to_string(&report.verdict.steps).unwrap();
    let report =
        denied("with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p-1");
    assert!(text(&report).contains("arn:aws:organizations::1:policy/p-1"), "{}", text(&report));
    let report = denied("because no identity-based policy allows the s3:ListBucket action");
    let steps: Vec<&str> = report.verdict.steps.iter().filter_map(|step| step.run.as_deref()).collect();
    assert_eq!(
        steps[1],
        r#"test "$(aws sts get-caller-identity --query Account --output text)" = 814203749616 && aws iam put-role-policy --role-name checkout-reader --policy-name allow-s3-ListBucket --policy-document '{"Statement":[{"Action":"s3:ListBucket","Effect":"Allow","Resource":"arn:aws:s3:::orders"}],"Version":"2012-10-17"}'"#
    );
}

#[test]
fn what_our_own_session_policy_denied_is_not_the_roles_doing() {
    for reason in [
        "because no session policy allows the s3:ListBucket action",
        "with an explicit deny in a session policy",
    ] {
        let report = denied(reason);
        assert_eq!(
            (report.verdict.class, report.verdict.but),
            (Class::Ready, Some(Class::AccessUnproved)),
            "{reason}"
        );
    }
    // What the action implies is named, so that it can be stated too.
    let mut evidence = stating("sqs:GetQueueAttributes=arn:aws:sqs:eu-west-1:814203749616:jobs");
    let message = format!(
        "User: {ARN} is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:814203749616:key/k because no session policy allows the kms:Decrypt action"
    );
    let resource = "arn:aws:sqs:eu-west-1:814203749616:jobs";
    evidence.access =
        vec![session(vec![call("sqs:GetQueueAttributes", resource, 400, "AccessDeniedException", &message)])];
    let report = report(evidence);
    assert_eq!(report.verdict.but, Some(Class::AccessUnproved));
    assert!(
        report.findings[0].why.contains("kms:Decrypt, which sqs:GetQueueAttributes needs"),
        "{}",
        report.findings[0].why
    );
}

#[test]
fn allowed_is_told_with_what_it_means() {
    let mut evidence = stating(&format!("s3:ListBucket={BUCKET}"));
    evidence.access = vec![session(vec![call("s3:ListBucket", BUCKET, 200, "", "")])];
    let report = report(evidence);
    assert_eq!((report.verdict.class, report.verdict.but), (Class::Ready, None));
    let told = &report.findings[0];
    assert_eq!(told.severity, Severity::Info);
    assert!(told.summary.contains("for this request, from this pod, now"), "{}", told.summary);
}

#[test]
fn what_was_not_asked_is_never_plainly_ready() {
    let report_of = |text: &str| report(stating(text));
    for text in [format!("s3:ListBucket={BUCKET}"), format!("s3:PutObject={BUCKET}/x")] {
        let report = report_of(&text);
        assert_eq!(
            (report.verdict.class, report.verdict.but),
            (Class::Ready, Some(Class::AccessUnproved)),
            "{text}"
        );
    }
    // Before `ready` nothing of access is told.
    let mut evidence = stating(&format!("s3:ListBucket={BUCKET}"));
    evidence.exchange = Some(Exchange {
        status: 403,
        from_sts: true,
        error: Some(StsError { code: "AccessDenied".to_owned(), message: "Not authorized".to_owned() }),
        ..Exchange::default()
    });
    evidence.identity = None;
    let report = report(evidence);
    assert_eq!(report.verdict.class, Class::AccessDenied);
    assert!(report.findings.iter().all(|finding| finding.class != Class::AccessUnproved));
}

/// A profile that goes on to `NEXT`, which is stated.
fn chained() -> Evidence {
    let mut evidence = ready();
    let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let file = evidence.environment.variables["AWS_WEB_IDENTITY_TOKEN_FILE"].clone();
    let source = Profile {
        name: "irsa".to_owned(),
        settings: [setting("role_arn", ROLE), setting("web_identity_token_file", &file)]
            .into_iter()
            .collect(),
        ..Profile::default()
    };
    evidence.environment.profile = Some(Profile {
        name: "ledger".to_owned(),
        settings: [setting("role_arn", NEXT), setting("external_id", "e-1")].into_iter().collect(),
        other_keys: vec!["source_profile".to_owned()],
        source: Some(Box::new(source)),
        ..Profile::default()
    });
    for name in ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
        evidence.environment.variables.remove(name);
    }
    evidence.environment.options.expect_role = Some(NEXT.to_owned());
    evidence
}

fn hop(calls: Vec<AccessCall>) -> Evidence {
    Evidence { access: vec![AccessSession { next_hop: true, ..session(calls) }], ..chained() }
}

fn who_answers(arn: &str) -> AccessCall {
    AccessCall { arn: Some(arn.to_owned()), ..call("sts:GetCallerIdentity", "*", 200, "", "") }
}

#[test]
fn the_hops_are_the_profiles_roles_after_the_first() {
    let evidence = chained();
    let hops = super::hops(&evidence, &EffectiveSettings::from_evidence(&evidence));
    assert_eq!(hops.len(), 1);
    assert_eq!((hops[0].role.as_str(), hops[0].external_id.as_deref()), (NEXT, Some("e-1")));
    let mut other = chained();
    other.environment.options.expect_role = None;
    assert_eq!(super::hops(&other, &EffectiveSettings::from_evidence(&other)), []);
}

#[test]
fn the_stated_last_role_must_have_answered() {
    let assumed = || call("sts:AssumeRole", NEXT, 200, "", "");
    let refusal = |action: &str, reason: &str| {
        let text = format!("User: {ARN} is not authorized to perform: {action} on resource: {NEXT}{reason}");
        vec![call("sts:AssumeRole", NEXT, 403, "AccessDenied", &text)]
    };
    let answered = "arn:aws:sts::600000000006:assumed-role/ledger/credprobe";
    for (evidence, class, who) in [
        (hop(vec![assumed(), who_answers(answered)]), Class::Ready, ""),
        (hop(vec![assumed(), who_answers(ARN)]), Class::IdentityMismatch, ""),
        (hop(vec![assumed()]), Class::Inconclusive, ""),
        (chained(), Class::Inconclusive, ""),
        (
            hop(vec![call("sts:AssumeRole", NEXT, 400, "Throttling", "Rate exceeded")]),
            Class::Inconclusive,
            "",
        ),
        (
            hop(refusal("sts:AssumeRole", " because no session policy allows the sts:AssumeRole action")),
            Class::Inconclusive,
            "",
        ),
        (
            hop(refusal("sts:AssumeRole", "")),
            Class::RoleChainDenied,
            "accounts 814203749616 and 600000000006",
        ),
        (
            hop(refusal("sts:AssumeRole", " because no role trust policy allows the sts:AssumeRole action")),
            Class::RoleChainDenied,
            "account 600000000006",
        ),
        (
            hop(refusal(
                "sts:AssumeRole",
                " because no identity-based policy allows the sts:AssumeRole action",
            )),
            Class::RoleChainDenied,
            "account 814203749616",
        ),
        (hop(refusal("sts:TagSession", "")), Class::RoleChainDenied, "accounts"),
    ] {
        let text = format!("{:?}", evidence.access);
        let report = report(evidence);
        assert_eq!(report.verdict.class, class, "{text}: {}", report.verdict.summary);
        assert!(report.verdict.who.contains(who), "{text}: {}", report.verdict.who);
    }
    let tagged = report(hop(refusal("sts:TagSession", "")));
    assert!(tagged.verdict.summary.contains("sts:TagSession on"), "{}", tagged.verdict.summary);
}
