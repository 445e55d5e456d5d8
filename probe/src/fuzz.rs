//! One function for each target in `tests/fuzz`: it runs bytes through the parsers and judges that ship and asserts invariants.
//! Only the fuzzer compiles it.
#![expect(clippy::expect_used, reason = "a property that does not hold ends the fuzzer's run")]
#![expect(clippy::print_stderr, clippy::disallowed_methods, reason = "`tell`")]

use crate::collect;
use crate::collect::subject::{Subject, SubjectSelector};
use crate::commands::cli;
use crate::process::clock;
use crate::transport::secret::Secret;
use crate::transport::{self, Proxies, ResolverConfig, Wire};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credprobe_judge::evidence::{
    self, Agent, Collected, Evidence, Failure, FailureKind, Liveness, Network, Phase, Tls,
};
use credprobe_judge::options::Mechanism;
use credprobe_judge::report::{self, Report, ReportOptions, rejudge, trust_policy};
use credprobe_judge::sdks::EffectiveSettings;
use credprobe_judge::text::redactor::Redactor;
use credprobe_judge::verdict::Tolerate;
use credprobe_judge::{judge, settings};
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::LazyLock;
use std::time::Duration;

/// A marker inside the token. No part of it may be printed.
const IN_TOKEN: &str = "MarkOfTheTokenThatNobodyMayPrint";
/// A marker inside the credentials of the seeds. No part of it may be printed.
const IN_CREDENTIALS: &str = "MarkOfTheKeysWhichNobodyMayPrint";
/// The length, in bytes, from which a piece counts as part of a secret (security.md).
const PART: usize = 16;

/// 2026-11-21T10:00:00Z.
const NOW: i64 = 1_795_255_200;
const HEADER: &str = r#"{"alg":"RS256","kid":"073895fd1a2c6bf116077e16528d7eafd23204bb"}"#;
const ROLE: &str = "arn:aws:iam::814203749616:role/checkout-reader";
const ISSUER: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";

fn good_token(audience: &str) -> String {
    let claims = format!(
        r#"{{"aud":["{audience}"],"exp":{},"iat":{NOW},"nbf":{NOW},"iss":"{ISSUER}","sub":"system:serviceaccount:shop:checkout"}}"#,
        NOW + 86_400
    );
    let [header, claims] = [HEADER, &claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}.{claims}.{IN_TOKEN}")
}

/// A pod without faults so far.
fn pod(mechanism: Mechanism) -> (Evidence, Secret) {
    let mut evidence = Evidence::default();
    let mut set = |name: &str, value: &str| {
        evidence.environment.variables.insert(name.to_owned(), value.to_owned());
    };
    set("AWS_REGION", "eu-west-1");
    let token = match mechanism {
        Mechanism::PodIdentity => {
            set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
            set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token");
            good_token("pods.eks.amazonaws.com")
        }
        _ => {
            set("AWS_ROLE_ARN", ROLE);
            set("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
            good_token("sts.amazonaws.com")
        }
    };
    evidence.token = Some(collect::token(token.as_bytes()));
    (evidence, Secret::new(token.into_bytes()))
}

/// All outputs of the verdict, joined. Asserts that judging again gives the same result.
fn judged(evidence: Evidence) -> String {
    let tolerate = Tolerate::default();
    let options = ReportOptions { tolerate: &tolerate, report_only: false, attempts: 1, flapped: false };
    let report = credprobe_judge::assess(
        Collected { evidence, seen: true, observed_at: NOW, timings: Vec::new() },
        &options,
    );
    let shown = shown(&report);
    let json = serde_json::to_vec(&report).expect("a report serialises");
    let again = rejudge::rejudge(&json).expect("a report is read again");
    assert_eq!(again.verdict.class, report.verdict.class, "judged again it is another class");
    shown
}

fn shown(report: &Report) -> String {
    assert!(report.verdict.code < 100 && report.verdict.class.code() == report.verdict.code);
    tell(&report.verdict.class.to_string());
    let lines = report::termination::lines(report);
    assert!(lines.len() <= 400 && lines.lines().count() <= 3 && !lines.contains('\u{1b}'), "{lines:?}");
    let text = report::text::render(report, false);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    let json = serde_json::to_string(report).expect("a report serialises");
    [lines, text, json].join("\n")
}

/// For `tests/fuzz/run.py`, which checks that the seeds reach what they should.
fn tell(reached: &str) {
    static IS_ASKED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("CREDPROBE_FUZZ_TELL").is_some());
    if *IS_ASKED {
        eprintln!("told {reached}");
    }
}

fn holds_none_of(output: &str, marker: &str) {
    for part in marker.as_bytes().windows(PART) {
        let found = output.as_bytes().windows(PART).any(|window| window == part);
        assert!(!found, "a part of a secret is printed");
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the event loop starts");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

fn config() -> transport::Config {
    static TRUST: LazyLock<transport::RootStore> =
        LazyLock::new(|| transport::root_store(None, &[]).map_err(drop).expect("the compiled-in roots"));
    transport::Config {
        trust: TRUST.clone(),
        of_target: None,
        proxies: Proxies::none(),
        deadline: clock::deadline(Duration::from_secs(5)),
        body_limit: transport::BODY_LIMIT,
        resolver: ResolverConfig::parse(None, None).into(),
        allow_http: false,
        peers: transport::AddressPolicy::default(),
    }
}

/// The content of a token file.
pub fn token(bytes: &[u8]) {
    for mechanism in [Mechanism::Irsa, Mechanism::PodIdentity] {
        let (mut evidence, _) = pod(mechanism);
        evidence.token = Some(collect::token(bytes));
        let output = judged(evidence);
        // Any content may be a secret, except the issuer, the subject and the audience that it names.
        if !claims_hold_marker(bytes) {
            holds_none_of(&output, IN_TOKEN);
        }
    }
}

/// Header and claims are shown by design. Only the signature, and content that is not a token, must stay hidden.
fn claims_hold_marker(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.split('.').any(|part| {
        let decoded = URL_SAFE_NO_PAD.decode(part.trim()).unwrap_or_default();
        IN_TOKEN.as_bytes().windows(PART).any(|marker| decoded.windows(PART).any(|window| window == marker))
    })
}

/// A response of STS, to the exchange and then to GetCallerIdentity.
pub fn sts_answer(bytes: &[u8]) {
    let (mut evidence, token) = pod(Mechanism::Irsa);
    let endpoint =
        EffectiveSettings::from_evidence(&evidence).route.endpoint.expect("a healthy pod has an endpoint");
    let request = collect::Request { endpoint: &endpoint, role_arn: ROLE, session_name: "credprobe" };
    transport::canned::answer_with(bytes);
    let mut are_marked = false;
    block_on(async {
        let wire = Wire::new(config());
        let mut redactor = Redactor::default();
        let (network, exchange, credentials) =
            collect::exchange(&wire, &request, &token, &mut redactor).await;
        (evidence.network, evidence.exchange) = (network, exchange);
        if let Some(credentials) = credentials {
            are_marked = credentials.hold(IN_CREDENTIALS);
            evidence.identity = Some(collect::identity(&wire, &endpoint, credentials, &redactor).await);
        }
    });
    let output = judged(evidence);
    holds_none_of(&output, IN_TOKEN);
    if are_marked {
        holds_none_of(&output, IN_CREDENTIALS);
    }
}

/// A response of the Pod Identity agent, or of another server on its port.
pub fn agent_answer(bytes: &[u8]) {
    let (mut evidence, token) = pod(Mechanism::PodIdentity);
    let endpoint =
        settings::agent::endpoint(&evidence).and_then(Result::ok).expect("a healthy pod has an agent");
    transport::canned::answer_with(bytes);
    let (network, liveness) = block_on(collect::agent::liveness(&Wire::new(config()), &endpoint));
    let uri = "http://169.254.170.23/v1/credentials".to_owned();
    let is_agent = liveness.as_ref().is_some_and(judge::is_agent);
    evidence.network = Some(network);
    evidence.agent = Some(Agent { uri: uri.clone(), liveness, ..Agent::default() });
    if !is_agent {
        judged(evidence.clone());
    }
    let authorization = collect::agent::authorization(&token).expect("the token can stand in a header");
    let mut redactor = Redactor::default();
    transport::canned::answer_with(bytes);
    let wire = Wire::new(config());
    let asked = collect::agent::agent(&wire, &endpoint, authorization, &mut redactor);
    let (network, answer, credentials) = block_on(asked);
    let are_marked = credentials.is_some_and(|credentials| credentials.hold(IN_CREDENTIALS));
    let liveness = Liveness {
        status: 404,
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        excerpt: "404 page not found".to_owned(),
    };
    evidence.network = Some(network);
    evidence.agent = Some(Agent { uri, liveness: Some(liveness), answer, ..Agent::default() });
    let output = judged(evidence);
    holds_none_of(&output, IN_TOKEN);
    if are_marked {
        holds_none_of(&output, IN_CREDENTIALS);
    }
}

/// A response of the issuer's host, requested after a refusal that leaves the cause open.
pub fn issuer_documents(bytes: &[u8]) {
    let (mut evidence, token) = pod(Mechanism::Irsa);
    let subject = Subject::new(SubjectSelector::Own).expect("the root directory opens");
    let process = evidence.process.clone();
    let said = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Code>InvalidIdentityToken</Code><Message>Provided Token is invalid.</Message></Error></ErrorResponse>"#;
    let length = said.len();
    let generic = format!("HTTP/1.1 400 -\r\nx-amzn-RequestId: r\r\nContent-Length: {length}\r\n\r\n{said}");
    let endpoint =
        EffectiveSettings::from_evidence(&evidence).route.endpoint.expect("a healthy pod has an endpoint");
    let request = collect::Request { endpoint: &endpoint, role_arn: ROLE, session_name: "credprobe" };
    block_on(async {
        transport::canned::answer_with(generic.as_bytes());
        let wire = Wire::new(config());
        let (network, exchange, _) =
            collect::exchange(&wire, &request, &token, &mut Redactor::default()).await;
        (evidence.network, evidence.exchange) = (network, exchange);
        transport::canned::answer_with(bytes);
        let kid = Some("073895fd1a2c6bf116077e16528d7eafd23204bb");
        evidence.issuer =
            Some(collect::issuer(&subject, &process, &config(), ISSUER, kid, &token, false).await);
    });
    holds_none_of(&judged(evidence), IN_TOKEN);
}

/// A certificate that a peer presents, and a configured CA bundle.
pub fn certificate(bytes: &[u8]) {
    tell(if transport::root_store(Some(("bundle", bytes)), &[]).is_ok() { "bundle" } else { "no bundle" });
    let (mut evidence, _) = pod(Mechanism::Irsa);
    let chain = vec![transport::certificate(bytes)];
    tell(if chain[0].not_after != 0 { "certificate" } else { "no certificate" });
    for kind in [FailureKind::TlsUnknownIssuer, FailureKind::TlsWrongName, FailureKind::TlsExpired] {
        let failure = Failure { phase: Phase::Tls, kind, peer: None, errno: None, detail: String::new() };
        evidence.network = Some(Network {
            endpoint: "https://sts.eu-west-1.amazonaws.com".to_owned(),
            tls: Some(Tls { chain: chain.clone(), ..Tls::default() }),
            failure: Some(failure),
            ..Network::default()
        });
        judged(evidence.clone());
    }
}

/// The files `/proc/PID/status`, `environ` and `mountinfo`.
pub fn proc_files(bytes: &[u8]) {
    for (file, is_read) in collect::proc_files(bytes) {
        tell(&format!("{file} {}", if is_read { "read" } else { "not read" }));
    }
}

/// A response of a nameserver, and the files that configure nameservers.
pub fn dns(bytes: &[u8]) {
    tell(if transport::dns(bytes) { "addresses" } else { "no addresses" });
    let text = String::from_utf8_lossy(bytes);
    let _ = ResolverConfig::parse(Some(&text), Some(&text));
}

/// A trust policy, bare or in the form that `aws iam get-role` prints.
pub fn trust_policy(bytes: &[u8]) {
    for (json, fix) in [(false, false), (true, false), (false, true)] {
        let (evidence, _) = pod(Mechanism::Irsa);
        let run = evidence::Collected { evidence, seen: true, observed_at: NOW, timings: Vec::new() };
        let asked = trust_policy::Asked { json, fix, ..trust_policy::Asked::default() };
        match trust_policy::answer(run, Some(bytes), &asked) {
            trust_policy::Answer::Said { text, code } => {
                assert!(code < 100);
                holds_none_of(&text, IN_TOKEN);
                tell(&format!("code {code}"));
            }
            _ => tell("no policy"),
        }
    }
}

/// The two profile files, separated by a line of dashes.
pub fn profile_files(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (config, credentials) = text.split_once("\n---\n").unwrap_or((&text, ""));
    let mut contents: HashMap<OsString, Vec<u8>> = HashMap::new();
    contents.insert("/config".into(), config.as_bytes().to_vec());
    contents.insert("/credentials".into(), credentials.as_bytes().to_vec());
    let variables = [("AWS_CONFIG_FILE", "/config"), ("AWS_SHARED_CREDENTIALS_FILE", "/credentials")];
    let profile = block_on(collect::profile_of_files(contents, &variables, &mut Redactor::default()));
    for mechanism in [Mechanism::Irsa, Mechanism::None] {
        let (mut evidence, _) = pod(Mechanism::Irsa);
        if mechanism == Mechanism::None {
            evidence.environment.variables.clear();
        }
        evidence.environment.profile.clone_from(&profile);
        judged(evidence);
    }
}

/// Arguments, one per line. After a NUL byte follows the environment, as lines of the form NAME=VALUE.
pub fn arguments(bytes: &[u8]) {
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let lines = |half: Option<&[u8]>| -> Vec<OsString> {
        half.unwrap_or_default()
            .split(|byte| *byte == b'\n')
            .map(|line| OsString::from_vec(line.to_vec()))
            .collect()
    };
    let (arguments, environment) = (lines(halves.next()), lines(halves.next()));
    let variable = |name: &str| {
        environment.iter().find_map(|line| {
            let (key, value) = line.to_str()?.split_once('=')?;
            (key == name).then(|| OsString::from(value))
        })
    };
    let _ = cli::is_report_only(&arguments, &variable);
    let _ = cli::disabled(&variable);
    match cli::parse(&arguments, &variable) {
        Err(error) => {
            assert!(!error.0.contains('\n') && !error.0.is_empty(), "{:?}", error.0);
            tell("usage error");
        }
        Ok(_) => tell("parsed"),
    }
}

/// A saved report.
pub fn saved_report(bytes: &[u8]) {
    let Ok(report) = rejudge::rejudge(bytes) else { return tell("no report") };
    shown(&report);
    let json = serde_json::to_vec(&report).expect("a report serialises");
    let again = rejudge::rejudge(&json).expect("a report of ours is read again");
    assert_eq!(again.verdict.class, report.verdict.class, "judged again it is another class");
}
