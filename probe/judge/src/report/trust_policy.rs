//! `credprobe trust`: compares a role's trust policy with the token's claims, element by element.
//! Pure: takes evidence and the policy's text, and returns an answer. Without a policy, that is the statement that would match.
//! Under Pod Identity, EKS must be admitted, with what it presents for this pod.

#[cfg(test)]
mod tests;
mod text;

use crate::catalog::Class;
use crate::catalog::texts::common;
use crate::evidence::{self, Collected, Evidence, StageName, TokenShape};
use crate::judge::finding::{Finding, Severity};
use crate::judge::{self, gate};
use crate::options::{ExpectedSubject, Mechanism};
use crate::sdks::EffectiveSettings;
use crate::settings::arn::RoleArn;
use crate::settings::command::{Aws, Tool, Word, words};
use crate::steps::values::Values;
use crate::text::shown;
use crate::trust_policy::context::Context;
use crate::trust_policy::evaluate::{Element, Outcome, Verdict, evaluate};
use crate::trust_policy::fix;
use crate::trust_policy::policy::{Effect, Policy, Statement};
use crate::trust_policy::{pod_identity, statement};
use crate::{report, settings, verdict};
use serde::Serialize;

/// The version of the JSON document. Within a version fields are added, but never changed or removed.
pub const SCHEMA: &str = "credprobe/trust/v1";

/// What to print, and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Printed to stdout.
    Said {
        /// What to print.
        text: String,
        /// The exit code.
        code: u8,
    },
    /// One line to stderr, exit 2.
    Usage(String),
    /// One line to stderr, nothing to stdout, and the class's code.
    Refused(Class, String),
}

/// The question about the policy, apart from the pod's own settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Used in place of the pod's token.
    pub subject: Option<ExpectedSubject>,
    /// `--issuer`: the issuer of the subject's tokens.
    pub issuer: Option<String>,
    /// `--expect-issuer`: an issuer that may be admitted.
    pub expect_issuer: Option<String>,
    /// `None`: `sts.amazonaws.com`.
    pub audience: Option<String>,
    /// Print only the corrected policy.
    pub fix: bool,
    /// Print JSON, in one line.
    pub json: bool,
}

/// The audience that EKS's webhook uses by default.
const AUDIENCE: &str = "sts.amazonaws.com";

/// The document of `--output=json`. The text is made from it too.
#[derive(Debug, Serialize)]
struct TrustReport {
    schema: &'static str,
    /// `null`: no policy was given.
    result: Option<&'static str>,
    /// One sentence.
    summary: String,
    statements: Vec<StatementReport>,
    /// The statement that would admit the token. `null`: a statement already does, or the role's account is not known.
    statement_to_add: Option<serde_json::Value>,
    /// Commands that save the policy, add the statement, and put the policy in force.
    commands: Vec<String>,
    notes: Vec<String>,
    /// The role whose policy it is.
    role: Option<String>,
    token: TokenReport,
}

#[derive(Debug, Serialize)]
struct TokenReport {
    sub: String,
    /// The audience that STS compares: `azp` if the token has it.
    aud: String,
    iss: String,
}

#[derive(Debug, Serialize)]
struct StatementReport {
    /// Counted from 1, as IAM's console does.
    index: usize,
    sid: Option<String>,
    effect: Effect,
    /// `allows`, `refuses`, `denies`, `does-not-apply`, `unknown`.
    outcome: &'static str,
    /// The first element that refuses, or that cannot be decided.
    element: Option<String>,
    presented: Option<String>,
    required: Option<String>,
    slip: Option<SlipReport>,
    /// The element in a form that would admit the token.
    corrected: Option<serde_json::Value>,
    /// Later elements that refuse too.
    then: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SlipReport {
    id: &'static str,
    text: String,
}

/// Evaluates `policy` for the observed or the stated token. Without a policy, prints the statement that would match.
#[must_use]
pub fn answer(mut run: Collected, document: Option<&[u8]>, asked_for: &Asked) -> Answer {
    let policy = match document.map(Policy::parse).transpose() {
        Ok(policy) => policy,
        Err(problem) => return Answer::Usage(format!("--policy: {problem}")),
    };
    let requested = settings::requested(&run.evidence.environment);
    let by_agent = requested.mechanism == Mechanism::PodIdentity;
    let asked = requested.role_arn.as_ref().and_then(|role| RoleArn::parse(&role.value).ok());
    let of_policy = policy.as_ref().and_then(|policy| RoleArn::parse(policy.role_arn.as_deref()?).ok());
    let misplaced = match (&asked, &of_policy) {
        // Under Pod Identity the requested role may be the association's target, and this policy that of the association's own role.
        (Some(asked), Some(theirs)) if asked != theirs && !by_agent => {
            if !same_but_path(asked, theirs) {
                return Answer::Usage(format!(
                    "--policy: it is the policy of {}, and the role asked for is {} ({}); give that role's policy, or the other one as --role-arn",
                    arn(theirs),
                    arn(asked),
                    requested.role_arn.map(|role| role.source).unwrap_or_default()
                ));
            }
            Some(asked)
        }
        _ => None,
    };
    if requested.role_arn.is_none() && !by_agent {
        // The policy names the role, so it is not missing.
        run.evidence.environment.options.role_arn = of_policy.as_ref().map(arn);
    }
    // A stated role may be the association's target, whose account may differ from the cluster's.
    let named = if by_agent {
        run.evidence.environment.options.role_arn.as_deref().and_then(|role| RoleArn::parse(role).ok())
    } else {
        asked.clone()
    };
    let role = of_policy.clone().or(named);
    let context = match &asked_for.subject {
        Some(subject) => stated(subject, policy.as_ref(), role, asked_for, &run),
        None => presented(run, policy.is_some() || by_agent, role, asked_for),
    };
    let context = match context {
        Ok(context) => context,
        Err(answer) => return answer,
    };
    if let (true, Some(policy), Some(document)) = (asked_for.fix, &policy, document) {
        return match misplaced.zip(of_policy.as_ref()) {
            Some((_, theirs)) => Answer::Refused(Class::AccessDenied, other_path(theirs)),
            None => fixed(policy, document, &context, asked_for),
        };
    }
    let (code, mut report) = match &policy {
        Some(policy) => about(policy, &context),
        None => (0, statement_only(&context)),
    };
    let mut code = code;
    if let (Some(asked), Some(theirs)) = (misplaced, &of_policy) {
        // A role name is unique in an account, so no role has the requested ARN.
        code = Class::AccessDenied.code();
        report.result = Some("refuses");
        report.summary = other_path(theirs);
        report.notes.push(format!("the pod asks for {}", arn(asked)));
        report.notes.extend(annotate(&context, theirs).into_iter().flatten());
    }
    if !asked_for.json {
        return Answer::Said { text: text::render(&report), code };
    }
    match shown::serialised(serde_json::to_string(&report)) {
        Ok(text) => Answer::Said { text, code },
        Err(text) => Answer::Said { text, code: Class::InternalError.code() },
    }
}

fn other_path(role: &RoleArn) -> String {
    format!("the role is {}; STS compares the whole ARN, path included", arn(role))
}

/// The request with a stated token.
fn stated(
    subject: &ExpectedSubject,
    policy: Option<&Policy>,
    role: Option<RoleArn>,
    asked_for: &Asked,
    run: &Collected,
) -> Result<Context, Answer> {
    let usage = |problem: String| Err(Answer::Usage(problem));
    if role.is_none() && policy.is_none() {
        return usage("--role-arn: name the role, for the provider is looked up in its account".to_owned());
    }
    let exact = |issuer: &&String| !issuer.ends_with('*');
    let issuer = match asked_for.issuer.as_ref().or(asked_for.expect_issuer.as_ref().filter(exact)) {
        Some(issuer) => issuer.as_str(),
        None => {
            let mut named: Vec<&str> = policy.into_iter().flat_map(fix::issuers).collect();
            named.sort_unstable();
            named.dedup();
            match named.as_slice() {
                [one] => *one,
                _ => {
                    return usage(format!(
                        "--issuer: the policy names {} issuers; say which one is meant, as aws eks describe-cluster --query cluster.identity.oidc.issuer prints it",
                        named.len()
                    ));
                }
            }
        }
    };
    let audience = asked_for.audience.as_deref().unwrap_or(AUDIENCE);
    let is_url = issuer.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\<>`{}".contains(&byte));
    if issuer.contains("://") && !issuer.starts_with("https://") || !is_url {
        return usage(format!("--issuer: `{issuer}` is not an issuer; allowed is https://HOST/PATH"));
    }
    let session_name = run.evidence.environment.options.session_name.clone();
    Ok(Context::stated([&subject.sub(), issuer, audience], role, session_name, run.observed_at))
}

/// The request with the observed token.
fn presented(
    run: Collected,
    may_lack_role: bool,
    role: Option<RoleArn>,
    asked_for: &Asked,
) -> Result<Context, Answer> {
    let settings = EffectiveSettings::from_evidence(&run.evidence);
    let findings = judge::findings(&run.evidence, &settings, run.observed_at);
    let role_is_missing = !may_lack_role && role.is_none();
    let judged = is_judged_by_check(&run.evidence, &settings, &findings, role_is_missing);
    let context = Context::of(&run.evidence, role, run.observed_at).filter(|_| !judged);
    context.ok_or_else(|| as_check_says(run, &settings, findings, asked_for))
}

/// The whole policy, with the statement that admits the token.
fn fixed(policy: &Policy, document: &[u8], context: &Context, asked_for: &Asked) -> Answer {
    let issuers = [&asked_for.issuer, &asked_for.expect_issuer];
    let issuers: Vec<&str> = issuers.into_iter().flatten().map(String::as_str).collect();
    if let Err(why) = fix::may_admit(context, policy, &issuers) {
        return Answer::Usage(format!("--fix: {why}"));
    }
    let Some(before) = fix::document(document) else {
        return Answer::Refused(
            Class::InternalError,
            "the policy was read, and cannot be taken apart".to_owned(),
        );
    };
    let verdict = evaluate(policy, context).verdict;
    let after = match verdict {
        Verdict::Allows => Some(before),
        // The policy may admit the token already, under a condition that a further statement would bypass.
        Verdict::Unknown => None,
        Verdict::Refuses => fix::with_statement(&before, context).filter(|after| {
            let after = Policy::parse(after.as_bytes());
            after.is_ok_and(|after| evaluate(&after, context).verdict == Verdict::Allows)
        }),
    };
    match after {
        Some(text) => Answer::Said { text, code: 0 },
        None => {
            let (code, report) = about(policy, context);
            let class = Class::from_code(code).unwrap_or(Class::Inconclusive);
            let why = "a statement more does not help, and credprobe changes none of the others";
            Answer::Refused(class, format!("{}; {why}", report.summary))
        }
    }
}

/// Whether the token is such that the verdict of `check` is the answer.
fn is_judged_by_check(
    evidence: &Evidence,
    settings: &EffectiveSettings,
    findings: &[Finding],
    role_is_missing: bool,
) -> bool {
    let is_jwt = evidence.token.as_ref().is_some_and(|token| token.shape == TokenShape::Jwt);
    let of_token = |class: Class| matches!(class.info().stage, Some(StageName::TokenFile | StageName::Token));
    let broken = findings
        .iter()
        .any(|it| it.severity == Severity::Error && of_token(it.class) && gate::stops_before_network(it));
    settings.requested.mechanism == Mechanism::None || !is_jwt || role_is_missing || broken
}

/// The local report, with its own class and code.
fn as_check_says(
    run: Collected,
    settings: &EffectiveSettings,
    mut findings: Vec<Finding>,
    asked_for: &Asked,
) -> Answer {
    let mut judgement = verdict::weigh(&run.evidence, findings.clone());
    if judgement.class == Class::Ready {
        // Nothing else is wrong, but the policy was not compared with anything. That must not look like a verdict on it.
        findings.push(
            Finding::new(Class::Inconclusive, "there is nothing to hold against a trust policy")
                .presented("a token without the claims that a trust policy compares")
                .required("a token with iss, sub and aud")
                .transient(false)
                .steps(&Values::default(), &[&common::RUN_IN_POD]),
        );
        judgement = verdict::weigh(&run.evidence, findings);
    }
    let report = super::build_without_options(run, settings, judgement);
    if asked_for.fix {
        return Answer::Refused(report.verdict.class, report.verdict.summary);
    }
    let text = match asked_for.json {
        false => report::text::render(&report, false),
        true => report.json_line().unwrap_or_else(|problem| problem),
    };
    Answer::Said { text, code: report.exit_code }
}

fn about(policy: &Policy, context: &Context) -> (u8, TrustReport) {
    let evaluation = evaluate(policy, context);
    let reports = policy.statements.iter().zip(&evaluation.outcomes).zip(1_usize..);
    let statements: Vec<StatementReport> = reports
        .map(|((statement, outcome), index)| {
            statement_report(index, statement, outcome, (context, policy.variables, evaluation.action))
        })
        .collect();
    let denies = statements.iter().find(|it| it.outcome == "denies");
    let (result, code) = match evaluation.verdict {
        Verdict::Allows => ("allows", 0),
        Verdict::Refuses => ("refuses", Class::AccessDenied.code()),
        Verdict::Unknown => ("unknown", Class::Inconclusive.code()),
    };
    let subject = &context.subject;
    let by = |outcome: &str| statements.iter().find(|it| it.outcome == outcome).map(text::title);
    let summary = match (evaluation.verdict, denies) {
        (Verdict::Allows, _) => {
            format!("{} lets {subject} in", by("allows").unwrap_or_default())
        }
        (Verdict::Refuses, Some(deny)) => format!("{} denies {subject}", text::title(deny)),
        (Verdict::Refuses, None) => match statements.iter().filter(|it| it.effect == Effect::Allow).count() {
            0 => "the policy has no Allow statement".to_owned(),
            1 => format!("the one Allow statement does not let {subject} in"),
            count => format!("none of the {count} Allow statements lets {subject} in"),
        },
        (Verdict::Unknown, _) => {
            format!("it hangs on {} whether {subject} gets in", by("unknown").unwrap_or_default())
        }
    };
    let mut report = TrustReport { statements, ..empty_report(context) };
    report.result = Some(result);
    report.summary = summary;
    let nothing_allows = !report.statements.iter().any(|it| it.outcome == "allows");
    if nothing_allows {
        add_statement(&mut report, context);
    }
    if context.by_eks.is_some() {
        report.notes.push(format!(
            "EKS presents {}, {}, the tags of the session and the source; where the association has disableSessionTags it presents no tag, and needs {} alone",
            pod_identity::PRINCIPAL,
            pod_identity::ACTIONS.join(" and "),
            pod_identity::ACTIONS.first().unwrap_or(&"")
        ));
    }
    if context.role.is_none() {
        report.notes.push(
            "the role is not known: name it with --role-arn, or give the output of aws iam get-role"
                .to_owned(),
        );
    }
    if evaluation.verdict == Verdict::Allows {
        report.notes.push(
            "if the answer is access-denied nevertheless: a policy changed in the last minutes, a resource control policy of the organization, or the policy of a VPC endpoint".to_owned(),
        );
    }
    (code, report)
}

fn statement_only(context: &Context) -> TrustReport {
    let mut report = empty_report(context);
    report.summary = format!("this statement lets {} in", context.subject);
    add_statement(&mut report, context);
    report
}

fn empty_report(context: &Context) -> TrustReport {
    TrustReport {
        schema: SCHEMA,
        result: None,
        summary: String::new(),
        statements: Vec::new(),
        statement_to_add: None,
        commands: Vec::new(),
        notes: Vec::new(),
        role: context.role.as_ref().map(arn),
        token: TokenReport {
            sub: context.subject.clone(),
            aud: context.audience.clone(),
            iss: context.iss.clone(),
        },
    }
}

fn add_statement(report: &mut TrustReport, context: &Context) {
    if context.by_eks.is_some() {
        let account = evidence::Account::of_subject(&context.subject);
        report.statement_to_add =
            account.map(|account| pod_identity::matching_statement(account.namespace, account.name));
        // No command may guess the policy: on a target role the statement would loosen the policy and repair nothing.
        report.notes.push("the statement belongs into the policy of the association's own role, roleArn, and never into that of its target".to_owned());
        return;
    }
    let Some((role, provider)) = context.role.as_ref().zip(context.provider_arn()) else { return };
    let statement =
        statement::matching_statement(&provider, &context.issuer, &context.audience, &context.subject);
    let word = Word::statement(&statement, role, &context.issuer, &context.audience, &context.subject);
    report.commands = statement::add_statement(Aws::unless(false), role, word);
    report.statement_to_add = Some(statement);
}

fn statement_report(
    index: usize,
    statement: &Statement,
    outcome: &Outcome,
    (context, variables, action): (&Context, bool, &str),
) -> StatementReport {
    let (name, element, then) = match (outcome, statement.effect) {
        (Outcome::Matches, Effect::Allow) => ("allows", None, [].as_slice()),
        (Outcome::Matches, Effect::Deny) => ("denies", None, [].as_slice()),
        (Outcome::Not { first, then }, Effect::Allow) => ("refuses", Some(*first), then.as_slice()),
        (Outcome::Not { first, .. }, Effect::Deny) => ("does-not-apply", Some(*first), [].as_slice()),
        (Outcome::Unknown(element), _) => ("unknown", Some(*element), [].as_slice()),
    };
    // An element that keeps a Deny from matching needs no repair, and an unknown element has none.
    let repair = element.filter(|_| name == "refuses");
    let repair = repair
        .map(|element| crate::trust_policy::common_mistakes::of(statement, element, context, variables))
        .unwrap_or_default();
    StatementReport {
        index,
        sid: statement.sid.clone(),
        effect: statement.effect,
        outcome: name,
        element: element.map(|element| element.name(statement)),
        presented: element.map(|element| element.presented(statement, context, action)),
        required: element.map(|element| element.required(statement)),
        slip: repair.slip.map(|slip| SlipReport { id: slip.id, text: slip.text }),
        corrected: repair.corrected,
        then: then.iter().map(|element: &Element| element.name(statement)).collect(),
    }
}

fn same_but_path(one: &RoleArn, other: &RoleArn) -> bool {
    RoleArn { path: String::new(), ..one.clone() } == RoleArn { path: String::new(), ..other.clone() }
}

fn arn(role: &RoleArn) -> String {
    format!("arn:{}:iam::{}:role{}{}", role.partition, role.account, role.path, role.name)
}

/// Lines that write the role's whole ARN into the annotation that the webhook reads.
fn annotate(context: &Context, role: &RoleArn) -> Option<[String; 2]> {
    let account = evidence::Account::of_subject(&context.subject)?;
    let command = Tool::Kubectl.run(words![
        "annotate",
        "serviceaccount",
        "-n",
        Word::label(account.namespace),
        Word::dns(account.name),
        Word::role_arn(&arn(role), false).after("eks.amazonaws.com/role-arn="),
        "--overwrite",
    ])?;
    let remark = "fix: # overwrites the annotation; then delete the pod, so that a new one gets it";
    Some([remark.to_owned(), format!("fix: {command}")])
}
