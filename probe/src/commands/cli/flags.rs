//! The table of commands and flags. Parsing, help, completion and suggestions are made from it.
//! `cli` says what the values mean. Each flag has the environment twin `CREDPROBE_NAME`.

use credprobe_judge::catalog::Attribute;
use credprobe_judge::catalog::explain::codes_with;

/// A command: its name, its argument, what it does, and an example.
pub(super) struct Command {
    pub(super) name: &'static str,
    /// The argument's placeholder: `REPORT.json` if it is required, `[CLASS|CODE]` if it is optional, empty if there is none.
    pub(super) argument: &'static str,
    pub(super) about: &'static str,
    pub(super) example: &'static str,
    /// The last paragraph of its help.
    pub(super) notes: &'static str,
    bit: Commands,
}

/// A set of commands, one bit each.
type Commands = u16;

const CHECK: Commands = 1;
const SERVE: Commands = 1 << 1;
const STATUS: Commands = 1 << 2;
const CHAIN: Commands = 1 << 3;
const EXPLAIN: Commands = 1 << 4;
const JUDGE: Commands = 1 << 5;
const TRUST: Commands = 1 << 6;
const ACCESS: Commands = 1 << 7;
const JUDGING: Commands = CHECK | SERVE;

const fn command(
    bit: Commands,
    name: &'static str,
    argument: &'static str,
    about: &'static str,
    example: &'static str,
    notes: &'static str,
) -> Command {
    Command { name, argument, about, example, notes, bit }
}

/// In the order that `credprobe help` prints them.
pub(super) const COMMANDS: &[Command] = &[
    command(
        CHECK,
        "check",
        "",
        "Judge once, print the report, exit with the class's code (the default)",
        "credprobe --expect-role=arn:aws:iam::814203749616:role/checkout-reader --wait=30s",
        "CREDPROBE_DISABLED=\"why\" prints the reason and exits 0 at once.",
    ),
    command(
        SERVE,
        "serve",
        "",
        "Judge again and again; answer probes, Prometheus and people over HTTP; keep a readiness gate up to date",
        "credprobe serve --readiness=strict --readiness-gate=credprobe.dev/CredentialsUsable",
        "CREDPROBE_DISABLED=\"why\" and --report-only keep /readyz at 200. SIGTERM ends it with exit code 0. Each change of the verdict is printed.",
    ),
    command(
        STATUS,
        "status",
        "",
        "Ask the `serve` of this pod, for exec probes: exit 0 while it is ready, else its class's code",
        "credprobe status",
        "",
    ),
    command(
        CHAIN,
        "chain",
        "",
        "Show which provider each AWS SDK would pick in this container, and what it does when that provider fails",
        "credprobe chain --sdk=boto3",
        "",
    ),
    command(
        EXPLAIN,
        "explain",
        "[CLASS|CODE|TEXT|-]",
        "Show what a class, a code or an error text means, who owns it, how to repair it; without one, the table of all classes and exit codes",
        "kubectl logs POD | credprobe explain -",
        "TEXT is any error line, or a whole log with - for stdin. Exit code 0: it is known; 3: nothing in it is known.",
    ),
    command(
        JUDGE,
        "judge",
        "REPORT.json",
        "Judge the evidence of a saved JSON report again, with its own time as the clock",
        "credprobe judge report.json",
        "",
    ),
    command(
        TRUST,
        "trust",
        "",
        "Hold a role's trust policy against the token and say which element refuses; without a policy, print the statement that would match",
        "aws iam get-role --role-name checkout-reader --output json | credprobe trust --policy=- --subject=shop/checkout",
        "--subject or --report takes the place of the pod's token, so that it can run anywhere. Without --issuer it is the one provider that the policy names, without --audience sts.amazonaws.com.",
    ),
    command(
        ACCESS,
        "access",
        "",
        "Say whether EKS maps a role or user to a user of Kubernetes, by which line of aws-auth or access entry; if not, which one nearly does",
        "kubectl get configmap -n kube-system aws-auth -o yaml | credprobe access --aws-auth=- --principal=arn:aws:iam::814203749616:role/checkout-reader",
        "",
    ),
    command(0, "help", "[COMMAND]", "Show the flags of a command", "credprobe help check", ""),
    command(0, "version", "", "Show the version", "credprobe version", ""),
    command(
        0,
        "completion",
        "bash|zsh|fish",
        "Print the completion script of a shell",
        "source <(credprobe completion bash)",
        "",
    ),
];

/// A flag: the commands that have it, its group in the help, its name, its value's name (`None`: boolean) and its help.
pub(super) struct Flag {
    of: Commands,
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) value: Option<&'static str>,
    help: &'static str,
}

impl Flag {
    /// The help text. `{grace}` becomes the codes that the class table lists for it.
    pub(super) fn help(&self) -> String {
        self.help.replacen("{grace}", &codes_with(Attribute::EventuallyConsistent), 1)
    }

    /// The words that the flag takes. `FILE|-` and `N|auto` have an upper-case part and are not lists of words.
    pub(super) fn choices(&self) -> Option<Vec<&'static str>> {
        let is_choice = |value: &&str| value.contains('|') && !value.contains(char::is_uppercase);
        self.value.filter(is_choice).map(|value| value.split('|').collect())
    }

    /// The environment twin, `CREDPROBE_NAME`.
    pub(super) fn twin(&self) -> String {
        format!("CREDPROBE_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }

    /// Whether the flag may be repeated. Then each word of its variable is a value.
    pub(super) fn repeats(&self) -> bool {
        self.name == "expect-access" || self.name == EXPECT_KUBERNETES_ACCESS
    }

    /// The one-letter form, if there is one.
    pub(super) fn short(&self) -> Option<char> {
        (self.name == "output").then_some('o')
    }
}

const fn flag(
    of: Commands,
    group: &'static str,
    name: &'static str,
    value: &'static str,
    help: &'static str,
) -> Flag {
    Flag { of, group, name, value: Some(value), help }
}

const fn switch(of: Commands, group: &'static str, name: &'static str, help: &'static str) -> Flag {
    Flag { of, group, name, value: None, help }
}

const SERVER: &str = "Server";
const POLICY: &str = "Policy";
const ENTRIES: &str = "Who has access";
const CLUSTER: &str = "Cluster";
const IDENTITY: &str = "Identity";
const EXPECTATIONS: &str = "Expectations";
const SUBJECT: &str = "Another user or process";
const NETWORK: &str = "Network";
const WAITING: &str = "Waiting";
const VERDICT: &str = "Verdict";
const OUTPUT: &str = "Output";

/// A repeatable flag that several files name.
pub(super) const EXPECT_KUBERNETES_ACCESS: &str = "expect-kubernetes-access";

/// In the order that the help prints them; flags of a group are adjacent.
pub(super) const FLAGS: &[Flag] = &[
    flag(
        SERVE,
        SERVER,
        "listen",
        "ADDRESS",
        "Where /livez, /readyz and /metrics are served [default: [::]:9809, IPv4 too; without IPv6 0.0.0.0:9809]",
    ),
    flag(
        SERVE | STATUS,
        SERVER,
        "admin-listen",
        "ADDRESS",
        "Loopback address of the page, /report and `credprobe status` [default: 127.0.0.1:9810]",
    ),
    flag(
        SERVE,
        SERVER,
        "interval",
        "DURATION",
        "Between two looks at environment, token file and token [default: 15s]",
    ),
    flag(
        SERVE,
        SERVER,
        "exchange-interval",
        "DURATION",
        "Between two exchanges, give or take a tenth; a rotated token is exchanged at once [default: 1h]",
    ),
    flag(
        SERVE,
        SERVER,
        "readiness",
        "hold|strict|startup",
        "hold: once ready, a refusal must last (--hold), and network trouble never counts; strict: at once; startup: ready once is ready for good [default: hold]",
    ),
    flag(
        SERVE,
        SERVER,
        "hold",
        "DURATION",
        "How long three or more exchanges in a row must be refused before a ready pod is not ready [default: 15m]",
    ),
    flag(
        SERVE,
        SERVER,
        "readiness-gate",
        "DOMAIN/TYPE",
        "Keep this condition of the own pod up to date; needs POD_NAME, POD_NAMESPACE, POD_UID and RBAC to patch pods/status",
    ),
    flag(
        SERVE,
        SERVER,
        "metrics",
        "basic|full",
        "full: credprobe_class{class} of each class too [default: basic]",
    ),
    flag(
        TRUST,
        POLICY,
        "policy",
        "FILE|-",
        "The trust policy: the document or the output of aws iam get-role; - is stdin [default: none, print the statement that would match]",
    ),
    switch(
        TRUST,
        POLICY,
        "fix",
        "Print the whole policy with one statement added that admits the subject, and nothing else; needs --policy and --role-arn",
    ),
    flag(
        ACCESS,
        ENTRIES,
        "aws-auth",
        "FILE|-",
        "The output of kubectl get configmap -n kube-system aws-auth -o yaml; - is stdin",
    ),
    flag(
        ACCESS,
        ENTRIES,
        "access-entries",
        "FILE|-",
        "The output of aws eks describe-access-entry, one or more; - is stdin",
    ),
    flag(
        ACCESS,
        ENTRIES,
        "principal",
        "ARN",
        "Who asks: a role, a session, a user [default: the role of --role, then AWS_ROLE_ARN]",
    ),
    flag(
        ACCESS,
        ENTRIES,
        "role",
        "FILE|-",
        "The output of aws iam get-role; shows an access entry that is older than the role",
    ),
    flag(
        TRUST,
        IDENTITY,
        "subject",
        "NS/SA",
        "The service account, or the whole subject, in place of the pod's token",
    ),
    flag(
        TRUST,
        IDENTITY,
        "issuer",
        "URL",
        "The issuer of that subject's tokens; with --fix the one that is meant",
    ),
    flag(
        TRUST,
        IDENTITY,
        "audience",
        "AUD",
        "The audience of that subject's tokens [default: sts.amazonaws.com]",
    ),
    flag(TRUST, IDENTITY, "report", "FILE|-", "A saved JSON report, in place of the pod's token; - is stdin"),
    flag(
        JUDGING,
        IDENTITY,
        "mechanism",
        "auto|irsa|pod-identity",
        "How the pod is meant to get its credentials [default: auto, what is completely injected]",
    ),
    flag(
        JUDGING | TRUST,
        IDENTITY,
        "role-arn",
        "ARN",
        "The role to ask for [default: AWS_ROLE_ARN, then the active profile]",
    ),
    flag(
        JUDGING | TRUST,
        IDENTITY,
        "token-file",
        "PATH",
        "The token to present [default: AWS_WEB_IDENTITY_TOKEN_FILE, then the active profile]",
    ),
    flag(
        JUDGING | TRUST,
        IDENTITY,
        "session-name",
        "NAME",
        "The session's name; trust policies may look at it [default: AWS_ROLE_SESSION_NAME, then credprobe-POD]",
    ),
    flag(
        JUDGING,
        IDENTITY,
        "sdk",
        "ID|auto",
        "Judge as this SDK would act, its STS host and its order: an id of `credprobe chain`, or a program’s name such as terraform",
    ),
    flag(
        CHAIN,
        IDENTITY,
        "sdk",
        "ID|auto",
        "Tell of this SDK, or of a program’s, at length [default: auto, all in a table]",
    ),
    flag(
        JUDGING,
        IDENTITY,
        "workload",
        "KIND/NAME",
        "The object that repairs name, as in statefulset/db [default: guessed from the pod's name]",
    ),
    flag(JUDGING, EXPECTATIONS, "expect-role", "ARN", "The role that must be asked for and must answer"),
    flag(
        EXPLAIN,
        EXPECTATIONS,
        "expect-role",
        "ARN",
        "The role that is meant to call, for the caller in a denial [default: AWS_ROLE_ARN]",
    ),
    flag(
        JUDGING | TRUST,
        EXPECTATIONS,
        "expect-issuer",
        "URL",
        "The issuer that the token must have; a trailing * matches any rest",
    ),
    flag(JUDGING, EXPECTATIONS, "expect-audience", "AUD", "An audience that the token must have"),
    flag(
        JUDGING,
        EXPECTATIONS,
        "expect-subject",
        "NS/SA",
        "The service account, or the whole subject, that the token must have",
    ),
    flag(
        JUDGING,
        EXPECTATIONS,
        "expect-access",
        "ACTION=RESOURCE[@REGION]",
        "After ready: may the role do this? Up to 8; asked by calls that read no data and change nothing",
    ),
    switch(
        JUDGING,
        EXPECTATIONS,
        "access-with-full-credentials",
        "Let --expect-access and the next role of a profile use the credentials of Pod Identity, which cannot be narrowed",
    ),
    flag(
        JUDGING,
        CLUSTER,
        "cluster",
        "NAME",
        "Once ready: does this EKS cluster accept the identity? Needs --kubeconfig, or --cluster-endpoint with --cluster-ca",
    ),
    flag(JUDGING, CLUSTER, "kubeconfig", "FILE", "The server and CA of --cluster; nothing in it is executed"),
    flag(JUDGING, CLUSTER, "context", "NAME", "The context in --kubeconfig [default: its current one]"),
    flag(
        JUDGING,
        CLUSTER,
        "cluster-endpoint",
        "URL|in-cluster",
        "The server of --cluster; in-cluster: this pod's own API server",
    ),
    flag(
        JUDGING,
        CLUSTER,
        "cluster-ca",
        "FILE",
        "The CA of --cluster-endpoint [default with in-cluster: the mounted one]",
    ),
    flag(
        JUDGING,
        CLUSTER,
        EXPECT_KUBERNETES_ACCESS,
        "VERB:RESOURCE[:NAMESPACE]",
        "What the identity must be allowed to do in --cluster; up to 8, repeated or separated by white space",
    ),
    flag(
        CHECK,
        SUBJECT,
        "as-uid",
        "N",
        "Judge the token file for this user, as the app's container has it [default: this process's]",
    ),
    flag(
        CHECK,
        SUBJECT,
        "as-gid",
        "N",
        "The same for its group; credprobe's own primary group is then not lent to that user",
    ),
    flag(
        CHECK,
        SUBJECT,
        "as-groups",
        "N,N",
        "The same for its supplementary groups; none: it has no group but --as-gid [default: this process's]",
    ),
    flag(
        CHECK | CHAIN,
        SUBJECT,
        "target-pid",
        "N|auto",
        "Judge another process: its environment, root, token file, ids and capabilities, as with kubectl debug --target; auto takes the entrypoint of the one other container",
    ),
    flag(
        JUDGING,
        NETWORK,
        "region",
        "REGION",
        "The region of the exchange [default: AWS_REGION, AWS_DEFAULT_REGION, the profile, the issuer's]",
    ),
    switch(JUDGING, NETWORK, "no-network", "The local verdict only; STS is not asked"),
    switch(JUDGING, NETWORK, "no-identity", "Skip GetCallerIdentity after the exchange"),
    flag(
        JUDGING,
        NETWORK,
        "ca-bundle",
        "PATH",
        "PEM file to trust instead of the compiled-in roots [default: AWS_CA_BUNDLE; SSL_CERT_FILE and SSL_CERT_DIR are added]",
    ),
    switch(JUDGING, NETWORK, "allow-http", "Allow a plain http:// endpoint beyond loopback"),
    switch(
        JUDGING,
        NETWORK,
        "sts-compatible",
        "STS is Ceph's, SeaweedFS's, MinIO's … behind AWS_ENDPOINT_URL_STS: other ARNs, bare errors, no GetCallerIdentity",
    ),
    flag(
        JUDGING,
        WAITING,
        "timeout",
        "DURATION",
        "One attempt, all phases together, as in 250ms, 10s, 2m [default: 10s]",
    ),
    flag(
        CHECK,
        WAITING,
        "wait",
        "DURATION",
        "Keep trying this long while the finding is transient [default: 0s]",
    ),
    flag(
        CHECK,
        WAITING,
        "grace",
        "DURATION",
        "Keep trying this long on refusals that a change of IAM heals in a while: codes {grace} [default: 0s]",
    ),
    flag(
        CHECK,
        WAITING,
        "start-jitter",
        "DURATION",
        "A random delay of at most this before the first call [default: 0s]",
    ),
    flag(
        JUDGING,
        VERDICT,
        "tolerate",
        "LIST",
        "Class ids, owners or `transient` that exit 0, separated by commas; the report stays as it is",
    ),
    switch(JUDGING, VERDICT, "report-only", "Report in full and exit 0 whatever happens"),
    switch(CHECK, VERDICT, "deny-warnings", "A warning decides the exit code too"),
    flag(
        JUDGING | CHAIN | EXPLAIN | JUDGE | TRUST | ACCESS,
        OUTPUT,
        "output",
        "text|json",
        "The form of the answer; JSON is one line unless stdout is a terminal [default: text]",
    ),
    flag(
        JUDGING,
        OUTPUT,
        "termination-log",
        "PATH",
        "Where the one-line verdict goes, if the file exists [default: /dev/termination-log]",
    ),
    flag(
        JUDGING | CHAIN | TRUST | ACCESS,
        OUTPUT,
        "log-level",
        "error|warn|info|debug|trace",
        "How much to say on stderr [default: warn]",
    ),
];

pub(super) fn command_named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

impl Command {
    /// The command's flags, in the order of its help.
    pub(super) fn flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        let bit = self.bit;
        FLAGS.iter().filter(move |flag| flag.of & bit != 0)
    }
}
