//! The output of `credprobe chain`: one struct, printed as a table for people and as JSON for machines.
//! Contains only names of variables, settings and profiles, never the value of a credential.

use super::caveat::{Caveat, caveats};
use super::proxy::agent_way;
use super::sdk::{Fact, Half, Sdk};
use super::table::AS_OF;
use super::{Alias, OnFailure, Present, Provider, SdkChain, Way, call, chain, joined, names, programs, way};
use crate::evidence::{Environment, Process};
use crate::settings;
use crate::text::shown::{self, escaped};
use serde::Serialize;
use std::fmt::Write as _;

/// The version of the JSON document. Within a version fields are added, but never changed or removed.
const SCHEMA: &str = "credprobe/chain/v1";

/// Everything that `chain` prints.
#[derive(Debug, Serialize)]
pub struct Page {
    schema: &'static str,
    /// The date of the sources and runs behind it, because SDKs change.
    as_of: &'static str,
    mechanism: &'static str,
    subject: Subject,
    /// `null`: neither profile file has the active profile.
    profile: Option<Profile>,
    sdks: Vec<Row>,
    caveats: Vec<Caveat>,
    /// With `--sdk`: one row in detail.
    #[serde(skip)]
    at_length: bool,
}

#[derive(Debug, Serialize)]
struct Subject {
    source: String,
    pid: u32,
}

#[derive(Debug, Serialize)]
struct Profile {
    name: String,
    keys: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    id: &'static str,
    names: &'static [&'static str],
    packages: &'static [&'static str],
    /// `null`: it finds none, or stops before it looks.
    picks: Option<Provider>,
    /// Whose credentials it has in the end, as far as the settings tell. `null`: it has none.
    takes: Option<Provider>,
    /// Values at which it stops, or at which the provider that it picks fails.
    stops: Vec<String>,
    because: Vec<&'static str>,
    /// The providers that are configured here, in its order. The first is picked.
    providers: Vec<Present>,
    when_it_fails: OnFailure,
    /// `null`: it does not call STS for this, or whom it calls was not observed.
    sts: Option<StsRow>,
    agent: AgentRow,
    /// What takes precedence and cannot be seen from outside.
    unseen: Option<&'static str>,
    /// The documented minimum version for the mechanism. `null`: it needs none.
    min_version: Option<&'static str>,
    min_versions: MinVersions,
    /// A regular expression for the session in CloudTrail, unless `AWS_ROLE_SESSION_NAME` is set.
    session_name: Option<&'static str>,
    /// What it does with `AWS_WEB_IDENTITY_TOKEN_FILE` alone. `null`: not known.
    with_half_a_pair: Option<&'static str>,
    note: Option<&'static str>,
    /// Programs that contain it.
    programs: Vec<&'static Alias>,
    /// The sources of this row, in one line.
    source: String,
    facts: &'static [Fact],
}

#[derive(Debug, Serialize)]
struct StsRow {
    /// `null`: it fails before it calls any host.
    host: Option<String>,
    by: String,
    /// `direct`, or the variable that names the proxy. `null`: not known.
    way: Option<&'static str>,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct AgentRow {
    ipv6: &'static str,
    proxy: &'static str,
    /// The same for the agent.
    way: Option<&'static str>,
    both_uris: &'static str,
    both_tokens: &'static str,
    timeout: Option<&'static str>,
    drops_agent_body: bool,
}

#[derive(Debug, Serialize)]
struct MinVersions {
    irsa: &'static str,
    pod_identity: &'static str,
}

impl Page {
    /// The JSON document, in one line.
    ///
    /// # Errors
    /// A bug; the error is the line to print instead.
    pub fn json_line(&self) -> Result<String, String> {
        shown::serialised(serde_json::to_string(self))
    }

    /// `only`: one SDK, in detail.
    #[must_use]
    pub fn new(environment: &Environment, process: &Process, only: Option<&'static Sdk>) -> Self {
        let chains = chain(environment);
        let caveats = caveats(environment, &chains);
        let asked = |chain: &&SdkChain| only.is_none_or(|sdk| sdk.id == chain.sdk.id);
        let about = |caveat: &Caveat| only.is_none_or(|sdk| caveat.is_about(sdk));
        Self {
            schema: SCHEMA,
            as_of: AS_OF,
            mechanism: settings::requested(environment).mechanism.id(),
            subject: Subject { source: process.source.clone(), pid: process.pid },
            profile: environment.profile.as_ref().map(|profile| Profile {
                name: profile.name.clone(),
                keys: profile.settings.keys().chain(&profile.other_keys).cloned().collect(),
            }),
            sdks: chains.iter().filter(asked).map(|chain| row(chain, environment)).collect(),
            caveats: caveats.into_iter().filter(about).collect(),
            at_length: only.is_some(),
        }
    }
}

fn row(chain: &SdkChain, environment: &Environment) -> Row {
    let sdk = chain.sdk;
    let picked = chain.picks();
    let provider = picked.map(|picked| picked.provider);
    let call = call(sdk, environment).filter(|_| provider.is_some_and(asks_sts));
    let sts = call.map(|call| StsRow {
        way: call.host.as_deref().and_then(|host| way(sdk.proxy, environment, host)).map(way_word),
        host: call.host,
        by: call.by,
        source: sdk.facts.last().map_or("", |fact| fact.source),
    });
    Row {
        id: sdk.id,
        names: sdk.names,
        packages: sdk.packages,
        picks: provider,
        takes: chain.succeeds_with(),
        stops: chain.stops.iter().map(|stop| stop.why()).collect(),
        because: picked.map(|picked| picked.because.clone()).unwrap_or_default(),
        providers: chain.providers.clone(),
        when_it_fails: chain.on_failure.clone(),
        sts,
        agent: AgentRow {
            ipv6: sdk.container.ipv6.words(),
            proxy: sdk.container.proxy.words(),
            way: agent_way(sdk, environment).map(way_word),
            both_uris: sdk.container.both_uris,
            both_tokens: sdk.container.both_tokens,
            timeout: sdk.container.timeout,
            drops_agent_body: sdk.container.drops_agent_body,
        },
        unseen: sdk.unseen,
        min_version: provider.and_then(|provider| min_version(sdk, provider)),
        min_versions: MinVersions { irsa: sdk.min_version.irsa, pod_identity: sdk.min_version.pod_identity },
        session_name: sdk.session_name,
        with_half_a_pair: match sdk.half {
            Half::Stops => Some("stops"),
            Half::GoesOn => Some("goes-on"),
            Half::Unknown => None,
        },
        note: sdk.note,
        programs: programs(sdk).collect(),
        source: sources(sdk),
        facts: sdk.facts,
    }
}

fn way_word(way: Way<'_>) -> &'static str {
    match way {
        Way::Direct => "direct",
        Way::Proxy { variable, .. } => variable,
    }
}

fn sources(sdk: &Sdk) -> String {
    let sources: Vec<String> =
        sdk.facts.iter().map(|fact| format!("{}: {}", fact.about, fact.source)).collect();
    sources.join("; ")
}

fn asks_sts(provider: Provider) -> bool {
    matches!(provider, Provider::WebIdentity | Provider::ProfileWebIdentity)
}

fn min_version(sdk: &Sdk, provider: Provider) -> Option<&'static str> {
    match provider {
        provider if asks_sts(provider) => Some(sdk.min_version.irsa),
        Provider::Container => Some(sdk.min_version.pod_identity),
        _ => None,
    }
}

/// The page as text.
#[must_use]
pub fn text(page: &Page) -> String {
    let mut out = String::new();
    legend(&mut out, page);
    out.push('\n');
    if page.at_length {
        for row in &page.sdks {
            at_length(&mut out, row);
        }
    } else {
        table(&mut out, page);
    }
    if !page.caveats.is_empty() {
        out.push('\n');
    }
    for caveat in &page.caveats {
        let names = if page.at_length { String::new() } else { format!(": {}", names(&caveat.sdks)) };
        let _ = writeln!(out, "{}: {}{names}", caveat.because, escaped(&caveat.text));
    }
    let _ = writeln!(out, "\nSDKs as of {}", page.as_of);
    out
}

/// Explains the providers, and what configures each of them here.
fn legend(out: &mut String, page: &Page) {
    let mut told: Vec<&Present> = Vec::new();
    for present in page.sdks.iter().flat_map(|row| &row.providers) {
        let known = |other: &&Present| other.provider == present.provider && other.because == present.because;
        if !told.iter().any(known) {
            told.push(present);
        }
    }
    told.sort_by_key(|present| present.provider);
    if told.is_empty() {
        out.push_str("no provider is configured here\n");
    }
    for present in told {
        let because = if present.because.is_empty() {
            "where the node's metadata can be reached".to_owned()
        } else {
            format!("by {}", present.because())
        };
        let words = present.provider.words();
        let _ = writeln!(out, "{:<21} {words}, {}", id(present.provider), escaped(&because));
    }
}

fn table(out: &mut String, page: &Page) {
    let head = ["SDK", "takes", "when that fails", "asks STS at", "since"].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(head).chain(page.sdks.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text.push_str(&line[4]);
        let _ = writeln!(out, "{}", text.trim_end());
    }
}

fn cells(row: &Row) -> [String; 5] {
    let broken = row.picks.is_some() && row.providers.first().is_some_and(|present| present.broken.is_some());
    let nothing = if row.stops.is_empty() { "nothing" } else { "nothing (stops)" };
    let takes = row.picks.map_or_else(|| nothing.to_owned(), id);
    let takes = if broken { format!("{takes} (fails)") } else { takes };
    let sts = match &row.sts {
        Some(StsRow { host: Some(host), .. }) => escaped(host),
        Some(StsRow { host: None, .. }) => "nowhere: no endpoint".to_owned(),
        None if row.picks.is_some_and(asks_sts) => "not observed".to_owned(),
        None => "-".to_owned(),
    };
    [row.id.to_owned(), takes, fails(&row.when_it_fails), sts, row.min_version.unwrap_or("-").to_owned()]
}

fn fails(on_failure: &OnFailure) -> String {
    match on_failure {
        OnFailure::Stops => "stops".to_owned(),
        OnFailure::GoesOn { to } => format!("goes on to {}", id(*to)),
        OnFailure::HasNoOther => "has no other".to_owned(),
        OnFailure::Warns => "warns, and calls without".to_owned(),
    }
}

fn at_length(out: &mut String, row: &Row) {
    let mut line = |label: &str, text: &str| {
        let _ = writeln!(out, "  {label:<14} {}", escaped(text));
    };
    line("SDK", &format!("{}: {} ({})", row.id, joined(row.names), row.packages.join(", ")));
    line("unseen", row.unseen.unwrap_or("-"));
    for stop in &row.stops {
        line("stops", stop);
    }
    for (place, present) in (1..).zip(&row.providers) {
        let broken = present.broken.as_deref().map(|why| format!(", which fails: {why}")).unwrap_or_default();
        line(&format!("takes {place}."), &format!("{}{broken}", present.provider.words()));
    }
    line("when 1. fails", &fails(&row.when_it_fails));
    match &row.sts {
        Some(sts) => {
            let host = sts.host.as_deref().unwrap_or("nowhere");
            let way = sts.way.unwrap_or("not known");
            line("asks STS at", &format!("{host}, by {} (way: {way})", sts.by));
        }
        None => line("asks STS at", "-"),
    }
    let timeout = row.agent.timeout.unwrap_or("its own");
    let body = if row.agent.drops_agent_body { "; its error leaves out what the agent said" } else { "" };
    line(
        "asks agent",
        &format!("IPv6 {}, proxy {}, timeout {timeout}{body}", row.agent.ipv6, row.agent.proxy),
    );
    let versions = &row.min_versions;
    line("since", &format!("IRSA {}; Pod Identity {}", versions.irsa, versions.pod_identity));
    line("session name", row.session_name.unwrap_or("not known"));
    line("note", row.note.unwrap_or("-"));
    for program in &row.programs {
        let between = if program.note.is_empty() { "" } else { ": " };
        line("program", &format!("{}{between}{}", program.name, program.note));
    }
    for fact in row.facts {
        line("source", &format!("{} ({}): {}", fact.about, fact.as_of, fact.source));
    }
}

fn id(provider: Provider) -> String {
    provider.id().to_owned()
}
