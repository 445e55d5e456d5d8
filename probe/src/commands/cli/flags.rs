//! The flags of each command: names, values, help. Each has the environment twin `CREDPROBE_NAME`.
//! What they mean together, `cli` says.

use clap::builder::StyledStr;
use credprobe_judge::catalog::Attribute;
use credprobe_judge::catalog::explain::codes_with;

/// A flag: its name, its value's name (`None`: boolean), its help.
#[derive(Clone, Copy)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) value: Option<&'static str>,
    help: &'static str,
}

impl Flag {
    /// The help; what the class table says stands in it as `{grace}`.
    pub(super) fn help(&self) -> StyledStr {
        match self.help.split_once("{grace}") {
            Some((before, after)) => {
                format!("{before}{}{after}", codes_with(Attribute::EventuallyConsistent)).into()
            }
            None => self.help.into(),
        }
    }
}

const fn flag(name: &'static str, value: &'static str, help: &'static str) -> Flag {
    Flag { name, value: Some(value), help }
}

const fn switch(name: &'static str, help: &'static str) -> Flag {
    Flag { name, value: None, help }
}

const ROLE_ARN: Flag =
    flag("role-arn", "ARN", "The role to ask for [default: AWS_ROLE_ARN, then the active profile]");
const TOKEN_FILE: Flag = flag(
    "token-file",
    "PATH",
    "The token to present [default: AWS_WEB_IDENTITY_TOKEN_FILE, then the active profile]",
);
const SESSION_NAME: Flag = flag(
    "session-name",
    "NAME",
    "The session's name; trust policies may look at it [default: AWS_ROLE_SESSION_NAME, then credprobe-POD]",
);
const LOG_LEVEL: Flag =
    flag("log-level", "error|warn|info|debug|trace", "How much to say on stderr [default: warn]");

const SDK: Flag = flag(
    "sdk",
    "ID|auto",
    "Judge as this SDK would act, its STS host and its order; `credprobe chain` lists the ids",
);
const TARGET_PID: Flag = flag(
    "target-pid",
    "N|auto",
    "Judge another process: its environment, root, token file, ids and capabilities, as with kubectl debug --target; auto takes the entrypoint of the one other container",
);

/// In the order of `check --help`. Each has the environment twin `CREDPROBE_NAME`.
const CHECK_FLAGS: &[Flag] = &[
    flag(
        "mechanism",
        "auto|irsa|pod-identity",
        "How the pod is meant to get its credentials [default: auto, what is completely injected]",
    ),
    ROLE_ARN,
    TOKEN_FILE,
    flag("expect-role", "ARN", "The role that must be asked for and must answer"),
    flag("expect-issuer", "URL", "The issuer that the token must have; a trailing * matches any rest"),
    flag("expect-audience", "AUD", "An audience that the token must have"),
    flag("expect-subject", "NS/SA", "The service account, or the whole subject, that the token must have"),
    flag(
        "region",
        "REGION",
        "The region of the exchange [default: AWS_REGION, AWS_DEFAULT_REGION, the profile, the issuer's]",
    ),
    SDK,
    flag(
        "as-uid",
        "N",
        "Judge the token file for this user, as the app's container has it [default: this process's]",
    ),
    flag(
        "as-gid",
        "N",
        "The same for its group; credprobe's own primary group is then not lent to that user",
    ),
    flag(
        "as-groups",
        "N,N",
        "The same for its supplementary groups; none: it has no group but --as-gid [default: this process's]",
    ),
    TARGET_PID,
    switch("no-network", "The local verdict only; STS is not asked"),
    switch("no-identity", "Skip GetCallerIdentity after the exchange"),
    flag("timeout", "DURATION", "One attempt, all phases together, as in 250ms, 10s, 2m [default: 10s]"),
    flag("wait", "DURATION", "Keep trying this long while the finding is transient [default: 0s]"),
    flag(
        "grace",
        "DURATION",
        "Keep trying this long on refusals that a change of IAM heals in a while: codes {grace} [default: 0s]",
    ),
    flag("start-jitter", "DURATION", "A random delay of at most this before the first call [default: 0s]"),
    SESSION_NAME,
    flag(
        "tolerate",
        "LIST",
        "Class ids, owners or `transient` that exit 0, separated by commas; the report stays as it is",
    ),
    switch("report-only", "Report in full and exit 0 whatever happens"),
    switch("deny-warnings", "A warning decides the exit code too"),
    flag(
        "ca-bundle",
        "PATH",
        "PEM file to trust instead of the compiled-in roots [default: AWS_CA_BUNDLE; SSL_CERT_FILE and SSL_CERT_DIR are added]",
    ),
    switch("allow-http", "Allow a plain http:// endpoint beyond loopback"),
    switch(
        "sts-compatible",
        "STS is Ceph's, SeaweedFS's, MinIO's … behind AWS_ENDPOINT_URL_STS: other ARNs, bare errors, no GetCallerIdentity",
    ),
    flag("output", "text|json", "The report's form [default: text]"),
    flag(
        "termination-log",
        "PATH",
        "Where the one-line verdict goes, if the file exists [default: /dev/termination-log]",
    ),
    LOG_LEVEL,
];

/// Those of `check` that a run without end has no use for: the rest is `serve`'s too.
const ONE_VERDICT: &[&str] =
    &["as-uid", "as-gid", "as-groups", "target-pid", "wait", "grace", "start-jitter", "deny-warnings"];

const ADMIN_LISTEN: Flag = flag(
    "admin-listen",
    "ADDRESS",
    "Loopback address of the page, /report and `credprobe status` [default: 127.0.0.1:9810]",
);

const SERVE_ONLY: &[Flag] = &[
    flag(
        "listen",
        "ADDRESS",
        "Where /livez, /readyz and /metrics are served [default: [::]:9809, IPv4 too; without IPv6 0.0.0.0:9809]",
    ),
    ADMIN_LISTEN,
    flag("interval", "DURATION", "Between two looks at environment, token file and token [default: 15s]"),
    flag(
        "exchange-interval",
        "DURATION",
        "Between two exchanges, give or take a tenth; a rotated token is exchanged at once [default: 1h]",
    ),
    flag(
        "readiness",
        "hold|strict|startup",
        "hold: once ready, a refusal must last (--hold), and network trouble never counts; strict: at once; startup: ready once is ready for good [default: hold]",
    ),
    flag(
        "hold",
        "DURATION",
        "How long three or more exchanges in a row must be refused before a ready pod is not [default: 15m]",
    ),
    flag(
        "readiness-gate",
        "DOMAIN/TYPE",
        "Keep this condition of the own pod up to date; needs POD_NAME, POD_NAMESPACE, POD_UID and RBAC to patch pods/status",
    ),
    flag("metrics", "basic|full", "full: credprobe_class{class} of each class too [default: basic]"),
];

/// In the order of `serve --help`.
fn serve_flags() -> Vec<Flag> {
    let shared = CHECK_FLAGS.iter().filter(|flag| !ONE_VERDICT.contains(&flag.name));
    SERVE_ONLY.iter().chain(shared).copied().collect()
}

const STATUS_FLAGS: &[Flag] = &[ADMIN_LISTEN];

/// The flags of a command by its name.
pub(super) fn of(command: &str) -> Vec<Flag> {
    match command {
        "chain" => CHAIN_FLAGS.to_vec(),
        "check" => CHECK_FLAGS.to_vec(),
        "explain" | "judge" => OUTPUT_FLAGS.to_vec(),
        "serve" => serve_flags(),
        "status" => STATUS_FLAGS.to_vec(),
        "trust" => TRUST_FLAGS.to_vec(),
        _ => Vec::new(),
    }
}

const TRUST_FLAGS: &[Flag] = &[
    flag(
        "policy",
        "FILE|-",
        "The trust policy: the document or the output of aws iam get-role; - is stdin [default: none, print the statement that would match]",
    ),
    ROLE_ARN,
    TOKEN_FILE,
    SESSION_NAME,
    flag("output", "text|json", "The answer's form [default: text]"),
    LOG_LEVEL,
];

const CHAIN_FLAGS: &[Flag] = &[
    flag("sdk", "ID|auto", "Tell of this SDK at length [default: auto, all in a table]"),
    TARGET_PID,
    flag("output", "text|json", "The answer's form [default: text]"),
    LOG_LEVEL,
];

const OUTPUT_FLAGS: &[Flag] = &[flag("output", "text|json", "The answer's form [default: text]")];
