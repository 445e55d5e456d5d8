//! Turns verdicts into rows. Containers of one workload with the same result share a row, which counts their pods. Pure.
//! Defines order and groups for every output form.

use crate::unit::{self, PodView};
use crate::verdict::{self, Judged};
use crate::world::{Found, Role, World};
use credprobe_judge::catalog::{Class, Owner};
use credprobe_judge::judge::finding::Severity;
use credprobe_judge::report::Report;
use credprobe_judge::trust_policy::Policy;
use credprobe_judge::trust_policy::outside::{Breadth, admitted};
use std::collections::{BTreeMap, BTreeSet};

/// One row.
#[derive(Debug)]
pub(crate) struct Row {
    pub namespace: String,
    pub workload: String,
    pub container: String,
    pub service_account: String,
    pub mechanism: &'static str,
    pub role: Option<String>,
    /// The pods with this result. Empty: there is none yet.
    pub pods: Vec<String>,
    /// `None`: nothing in it asks for AWS.
    pub report: Option<Report>,
    pub only_in_pod: Vec<String>,
}

/// The result of a row, in the order of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Fails(Class),
    /// The verdict is not known.
    Unknown,
    /// `ready`, but this class will cause a failure.
    But(Class),
    Ready,
    Nothing,
}

impl Row {
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.report {
            None => Outcome::Nothing,
            Some(report) => match (report.verdict.class, report.verdict.but) {
                (Class::Ready, Some(but)) => Outcome::But(but),
                (Class::Ready, None) => Outcome::Ready,
                (Class::Inconclusive, _) => Outcome::Unknown,
                (class, _) => Outcome::Fails(class),
            },
        }
    }

    /// The sentence that rows are grouped by.
    pub(crate) fn summary(&self) -> &str {
        let Some(report) = &self.report else { return "" };
        match report.verdict.but {
            Some(_) => report.findings.first().map_or("", |finding| finding.summary.as_str()),
            None => &report.verdict.summary,
        }
    }
}

/// The containers to judge.
pub(crate) enum Which<'a> {
    All,
    Named(&'a str),
}

/// Judges everything. `asked`: the user named these pods, so none may be left out.
pub(crate) fn rows(world: &World, which: &Which<'_>, asked: bool, now: i64) -> Vec<Row> {
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    for pod in unit::views(world) {
        let wanted = pod.containers().filter(|it| match which {
            Which::All => true,
            Which::Named(name) => it.name == *name,
        });
        let judged: Vec<(String, Judged)> =
            wanted.map(|it| (it.name.clone(), verdict::judged(world, &pod, it, now))).collect();
        let all_silent = judged.iter().all(|(_, it)| it.silent);
        for (container, judged) in judged {
            let silent = judged.silent && !(asked && all_silent);
            add(&mut rows, &pod, container, judged, silent);
        }
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    rows.sort_by(|one, other| {
        let place = |row: &Row| {
            (row.outcome(), row.summary().to_owned(), row.namespace.clone(), row.workload.clone())
        };
        place(one).cmp(&place(other))
    });
    rows
}

/// Namespace, workload, container, account, role, class, summaries.
type Key = (String, String, String, String, Option<String>, Vec<(Class, String)>);

fn add(rows: &mut BTreeMap<Key, Row>, pod: &PodView<'_>, container: String, judged: Judged, silent: bool) {
    let news = |report: &Report| {
        let told = report.findings.iter().filter(|it| it.severity != Severity::Info);
        told.map(|it| (it.class, without(&it.summary, pod.meta.name.as_str()))).collect()
    };
    let report = (!silent).then_some(judged.report);
    let key = (
        pod.namespace.to_owned(),
        pod.workload.clone(),
        container.clone(),
        pod.account().to_owned(),
        judged.role.clone(),
        report.as_ref().map(news).unwrap_or_default(),
    );
    let row = rows.entry(key).or_insert_with(|| Row {
        namespace: pod.namespace.to_owned(),
        workload: pod.workload.clone(),
        container,
        service_account: pod.account().to_owned(),
        mechanism: judged.mechanism.id(),
        role: judged.role,
        pods: Vec::new(),
        report,
        only_in_pod: judged.only_in_pod,
    });
    row.pods.extend(pod.pod_name().map(str::to_owned));
}

/// Removes the pod's name, node and age, so that equal pods of one workload share a row.
fn without(summary: &str, pod: &str) -> String {
    let digits = |it: char| if it.is_ascii_digit() { '0' } else { it };
    let summary = if pod.is_empty() { summary.to_owned() } else { summary.replace(pod, "") };
    let summary = summary.split("; it was created at ").next().unwrap_or_default();
    match summary.split_once("on node ") {
        Some((before, _)) => before.to_owned(),
        None if summary.contains("it was created at") => summary.chars().map(digits).collect(),
        None => summary.to_owned(),
    }
}

/// The findings that `--fail-on` covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FailOn {
    classes: BTreeSet<Class>,
    owners: Vec<Owner>,
    errors: bool,
    warnings: bool,
}

impl FailOn {
    pub(crate) fn parse(list: &str) -> Result<Self, String> {
        let mut all = Self::default();
        for word in list.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
            let owner = Owner::ALL.into_iter().find(|owner| owner.id() == word);
            match (word, Class::from_id(word), owner) {
                ("error", ..) => all.errors = true,
                ("warning", ..) => all.warnings = true,
                (_, Some(class), _) => drop(all.classes.insert(class)),
                (_, _, Some(owner)) => all.owners.push(owner),
                _ => {
                    return Err(format!(
                        "--fail-on takes ids of classes, owners, error and warning, not `{}`",
                        credprobe_judge::text::shown::escaped(word)
                    ));
                }
            }
        }
        Ok(all)
    }

    /// The code of the first covered class, in the table's order; 0 if there is none.
    pub(crate) fn code(&self, rows: &[Row]) -> u8 {
        let findings = rows.iter().filter_map(|row| row.report.as_ref()).flat_map(|report| &report.findings);
        let told = findings.filter(|it| it.explained_by.is_none() && it.severity != Severity::Info);
        let covered = told.filter(|it| {
            let error = it.severity == Severity::Error;
            let named = self.classes.contains(&it.class)
                || it.owner.is_some_and(|owner| self.owners.contains(&owner));
            named || (error && self.errors) || (!error && self.warnings)
        });
        covered.map(|it| it.class).min().map_or(0, Class::code)
    }
}

/// A statement of a role's trust policy, and the service accounts of this cluster that it admits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    pub role: String,
    pub statement: usize,
    /// As written in the policy. Empty: no condition on the subject.
    pub subjects: Vec<String>,
    /// Whether it admits more than the service accounts that it names.
    pub wide: bool,
    /// The existing service accounts, as `shop/checkout`.
    pub could_assume: Vec<String>,
}

/// The trust of every role that was read and trusts this cluster's issuer.
pub(crate) fn trust(world: &World) -> Vec<Trust> {
    let Some(issuer) = world.issuer_path() else { return Vec::new() };
    let used = world.iam.roles.values().filter_map(|found| match found {
        Found::There(role) => Some(role),
        Found::Missing | Found::Unseen => None,
    });
    let roles: BTreeMap<&str, &Role> =
        used.chain(&world.iam.others).map(|role| (role.arn.as_str(), role)).collect();
    let accounts: Vec<(String, String)> = world
        .accounts
        .known()
        .map(|all| {
            let subject = |(namespace, name): &(String, String)| {
                (format!("{namespace}/{name}"), format!("system:serviceaccount:{namespace}:{name}"))
            };
            all.keys().map(subject).collect()
        })
        .unwrap_or_default();
    let mut all = Vec::new();
    for role in roles.into_values() {
        let Ok(policy) = Policy::parse(&role.answer) else { continue };
        for breadth in admitted(&policy, issuer) {
            let could_assume = accounts
                .iter()
                .filter(|(_, subject)| breadth.admits(subject))
                .map(|(name, _)| name.clone())
                .collect();
            let wide = is_wide(&breadth);
            let Breadth { statement, subjects } = breadth;
            all.push(Trust { role: role.arn.clone(), statement, subjects, wide, could_assume });
        }
    }
    all
}

fn is_wide(breadth: &Breadth) -> bool {
    breadth.subjects.is_empty() || breadth.subjects.iter().any(|it| it.contains(['*', '?']))
}

/// Annotated service accounts and associations that no workload uses: account, mechanism, role.
pub(crate) fn unused(world: &World, rows: &[Row]) -> Vec<(String, &'static str, String)> {
    let used: BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (row.namespace.as_str(), row.service_account.as_str())).collect();
    let mut all = Vec::new();
    for ((namespace, name), account) in world.accounts.known().into_iter().flatten() {
        let role = account.metadata.annotations.get(crate::inject::ROLE);
        if let Some(role) = role.filter(|_| !used.contains(&(namespace.as_str(), name.as_str()))) {
            all.push((format!("{namespace}/{name}"), "irsa", role.clone()));
        }
    }
    for ((namespace, name), association) in world.iam.associations.known().into_iter().flatten() {
        if !used.contains(&(namespace.as_str(), name.as_str())) {
            all.push((format!("{namespace}/{name}"), "pod-identity", association.role.clone()));
        }
    }
    all
}
