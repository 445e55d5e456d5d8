//! Runs each word, from its flags to its exit code.
//! Decides nothing about what was read; the judges do.

use crate::aws::{self, Aws, Extent};
use crate::child::Failed;
use crate::cli::{self, Asked, AwsFlags, Fleet, Where, Why};
use crate::inject;
use crate::kubectl::{self, Kubectl, Scope, Wanted};
use crate::objects::{List, Pod, Workload};
use crate::print::{self, Form, Said};
use crate::rows::{self, Row, Which};
use crate::unit;
use crate::world::World;
use credprobe_judge::catalog::Class;
use credprobe_judge::steps::script::Look;
use credprobe_judge::text::shown::escaped;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// Why a run ends without a verdict: a code, and one line for stderr.
pub(crate) struct Stop {
    pub code: u8,
    pub line: String,
}

impl Stop {
    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self { code: Class::UsageError.code(), line: line.into() }
    }

    pub(crate) fn unread(line: impl Into<String>) -> Self {
        Self { code: Class::Inconclusive.code(), line: line.into() }
    }
}

/// Runs the program and returns its exit code.
#[must_use]
pub fn run(args: &[OsString], variable: &dyn Fn(&str) -> Option<String>) -> u8 {
    let asked = cli::parse(args, variable).map_err(Stop::usage);
    let ended = asked.and_then(|asked| match asked {
        Asked::Print(text) => {
            say(&text);
            Ok(0)
        }
        Asked::Why(asked) => why(asked, variable),
        Asked::Fleet(asked) => fleet(asked, variable),
        Asked::Lint(asked) => crate::lint::run(&asked),
        Asked::Debug(asked) => crate::debug::run(&asked),
    });
    match ended {
        Ok(code) => code,
        Err(Stop { code, line }) => {
            talk(&line);
            if code == Class::UsageError.code() {
                talk("see kubectl credprobe --help");
            }
            code
        }
    }
}

/// Writes data to stdout. Ignores errors, because a reader that has closed the pipe wants no more.
pub(crate) fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Writes a message to stderr, in one line without control characters.
pub(crate) fn talk(line: &str) {
    let _ = writeln!(std::io::stderr(), "kubectl credprobe: {}", escaped(line));
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs());
    i64::try_from(since.unwrap_or_default()).unwrap_or_default()
}

impl Where {
    fn kubectl(&self) -> Kubectl {
        Kubectl { flags: self.kubectl.clone() }
    }

    fn namespace(&self, kubectl: &Kubectl) -> Result<String, Stop> {
        match &self.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => kubectl.namespace().map_err(|failed| Stop::unread(failed.why)),
        }
    }
}

fn unread(what: &str) -> impl FnOnce(Failed) -> Stop {
    let what = what.to_owned();
    move |failed| Stop::unread(format!("cannot read {what}: {}", failed.why))
}

fn fleet(asked: Fleet, variable: &dyn Fn(&str) -> Option<String>) -> Result<u8, Stop> {
    let kubectl = asked.place.kubectl();
    let scope = if asked.all { Scope::All } else { Scope::Namespace(asked.place.namespace(&kubectl)?) };
    let mut world = kubectl::gather(&kubectl, Wanted::Fleet(scope)).map_err(unread("pods"))?;
    name_cluster(&kubectl, &asked.aws, &mut world);
    let extent = Extent { all_roles: asked.all_roles, all_associations: asked.all };
    ask_aws(&asked.aws, &mut world, extent, variable, &mut |line| talk(line));
    let rows = rows::rows(&world, &Which::All, false, now());
    print_fleet(&world, &rows, asked.form);
    Ok(asked.fail_on.code(&rows))
}

pub(crate) fn print_fleet(world: &World, rows: &[Row], form: Form) {
    let (trust, unused) = (rows::trust(world), rows::unused(world, rows));
    let said = Said { world, rows, trust: &trust, unused: &unused };
    say(&print::fleet(&said, form, std::io::stdout().is_terminal()));
}

fn why(asked: Why, variable: &dyn Fn(&str) -> Option<String>) -> Result<u8, Stop> {
    let kubectl = asked.place.kubectl();
    let namespace = asked.place.namespace(&kubectl)?;
    let (pods, workloads) = subject(&kubectl, &namespace, &asked.subject)?;
    let wanted = Wanted::These { pods, workloads, namespace };
    let mut world = kubectl::gather(&kubectl, wanted).map_err(unread("the cluster"))?;
    name_cluster(&kubectl, &asked.aws, &mut world);
    ask_aws(&asked.aws, &mut world, Extent::default(), variable, &mut |_| {});
    if asked.exchange {
        crate::exchange::attempt(
            &kubectl,
            &mut world,
            asked.aws.profile.as_deref(),
            asked.container.as_deref(),
        );
    }
    let which = asked.container.as_deref().map_or(Which::All, Which::Named);
    let rows = rows::rows(&world, &which, true, now());
    if rows.is_empty() {
        let names: BTreeSet<String> = unit::views(&world)
            .iter()
            .flat_map(|pod| pod.containers().map(|it| it.name.clone()).collect::<Vec<_>>())
            .collect();
        let names: Vec<String> = names.into_iter().collect();
        return Err(Stop::usage(format!("there is no such container; there are {}", names.join(", "))));
    }
    let trust = rows::trust(&world);
    let said = Said { world: &world, rows: &rows, trust: &trust, unused: &[] };
    let stdout = std::io::stdout().is_terminal();
    let colour = stdout && variable("NO_COLOR").is_none_or(|value| value.is_empty());
    let look = Look { colour, ..Look::default() };
    say(&print::why(&said, asked.form, look, stdout));
    let code = rows
        .iter()
        .filter_map(|row| row.report.as_ref())
        .map(|report| report.verdict.class)
        .filter(|class| *class != Class::Ready)
        .min();
    Ok(code.map_or(0, Class::code))
}

/// The pods that the user asks about, and the workloads that make them.
fn subject(kubectl: &Kubectl, namespace: &str, subject: &str) -> Result<(Vec<Pod>, Vec<Workload>), Stop> {
    let (kind, name) = subject.split_once('/').unwrap_or(("pod", subject));
    let ok = |it: u8| it.is_ascii_alphanumeric() || b"-.".contains(&it);
    let is_name = |text: &str| !text.is_empty() && !text.starts_with('-') && text.bytes().all(ok);
    if !is_name(kind) || !is_name(name) {
        return Err(Stop::usage(format!("`{subject}` is neither POD nor KIND/NAME nor sa/NAME")));
    }
    let place = format!("--namespace={namespace}");
    let pods = |more: &[&str]| {
        kubectl.get::<List<Pod>>(&[&["pods", place.as_str()], more].concat()).map(|list| list.items)
    };
    match kind.to_ascii_lowercase().as_str() {
        "pod" | "pods" | "po" => {
            let pod = kubectl
                .get::<Pod>(&["pod", name, &place])
                .map_err(unread(&format!("pod {namespace}/{name}")))?;
            Ok((vec![pod], Vec::new()))
        }
        "sa" | "serviceaccount" | "serviceaccounts" => {
            let all = pods(&[]).map_err(unread("pods"))?;
            let used: Vec<Pod> =
                all.into_iter().filter(|pod| inject::account_name(&pod.spec) == name).collect();
            let next = if used.is_empty() { vec![imagined(namespace, name)] } else { Vec::new() };
            Ok((used, next))
        }
        _ => {
            let workload = kubectl.get::<Workload>(&[kind, name, &place]).map_err(unread(subject))?;
            if workload.template().is_none() {
                return Err(Stop::usage(format!("{subject} makes no pods")));
            }
            let made = unit::name_of(&workload.kind, &workload.metadata.name);
            let selector = selector(&workload);
            let more: Vec<&str> = selector.as_deref().into_iter().collect();
            let of = pods(&more).map_err(unread("pods"))?;
            let own = |pod: &Pod| {
                unit::workload_of(&pod.metadata) == made
                    || pod
                        .metadata
                        .owner_references
                        .iter()
                        .any(|owner| unit::name_of(&owner.kind, &owner.name) == made)
            };
            Ok((of.into_iter().filter(own).collect(), vec![workload]))
        }
    }
}

/// A workload with the service account, for an account that no pod uses.
fn imagined(namespace: &str, account: &str) -> Workload {
    let mut pod = Pod::default();
    pod.spec.service_account_name = account.to_owned();
    pod.spec.containers.push(crate::objects::Container { name: "any".to_owned(), ..Default::default() });
    let mut workload = Workload { kind: "sa".to_owned(), ..Workload::default() };
    workload.metadata.name = account.to_owned();
    workload.metadata.namespace = namespace.to_owned();
    workload.spec.template = Some(pod);
    workload
}

/// `--selector=app=checkout`. Covers only labels that must be equal.
fn selector(workload: &Workload) -> Option<String> {
    let labels = workload.spec.selector.as_ref()?.get("matchLabels")?.as_object()?;
    let pairs: Vec<String> =
        labels.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    (!pairs.is_empty()).then(|| format!("--selector={}", pairs.join(",")))
}

fn name_cluster(kubectl: &Kubectl, flags: &AwsFlags, world: &mut World) {
    world.cluster = kubectl.cluster();
    if let Some(name) = &flags.cluster {
        let same = world.cluster.name.as_ref() == Some(name);
        let region = world.cluster.region.take();
        world.cluster = if same { std::mem::take(&mut world.cluster) } else { Default::default() };
        world.cluster.name = Some(name.clone());
        world.cluster.region = region;
    }
    if flags.region.is_some() {
        world.cluster.region.clone_from(&flags.region);
    }
    if flags.issuer.is_some() {
        world.issuer.clone_from(&flags.issuer);
    }
    if world.cluster.region.is_none() {
        let of_issuer =
            world.issuer.as_deref().and_then(credprobe_judge::settings::partition::region_of_issuer);
        world.cluster.region = of_issuer.map(str::to_owned);
    }
}

fn ask_aws(
    flags: &AwsFlags,
    world: &mut World,
    extent: Extent,
    _variable: &dyn Fn(&str) -> Option<String>,
    progress: &mut dyn FnMut(&str),
) {
    if flags.no_aws {
        world
            .unseen
            .push(crate::world::Unseen { what: "IAM and EKS".to_owned(), why: "--no-aws".to_owned() });
        return;
    }
    let mut roles = BTreeSet::new();
    let mut accounts = BTreeSet::new();
    for pod in unit::views(world) {
        accounts.insert((pod.namespace.to_owned(), pod.account().to_owned()));
        if let inject::Meant::Irsa { role } = inject::meant(world, pod.namespace, pod.account()) {
            roles.insert(role);
        }
        let given = pod.containers().flat_map(|it| &it.env).filter(|it| it.name == "AWS_ROLE_ARN");
        roles.extend(given.filter_map(|it| it.value.clone()));
    }
    let aws = Aws { profile: flags.profile.clone() };
    aws::gather(&aws, world, &roles, &accounts, extent, progress);
}
