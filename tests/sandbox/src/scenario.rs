//! What a scenario may say, and its defaults: a healthy pod. A case lists only what differs.
//! `args` and `expect` are for the test that runs the case; the sandbox does not read them.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use crate::{
    capabilities::Capabilities,
    error::{Doing as _, Error, Result},
};

pub(crate) mod agent;
pub(crate) mod hostile;
pub(crate) mod target;

/// The issuer of the sandbox's cluster, unless the scenario has another.
pub(crate) const ISSUER: &str =
    "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
/// The account that the healthy role lives in. Not one of the documentation's: those are a finding of their own.
pub(crate) const ACCOUNT: &str = "814203749616";
/// The healthy role.
pub(crate) const ROLE: &str = "checkout-reader";
/// The cluster, as EKS knows it.
pub(crate) const CLUSTER: &str = "prod";
/// The cluster's.
pub(crate) const REGION: &str = "eu-west-1";
/// The API server's address inside the cluster.
pub(crate) const API_SERVER: &str = "10.100.0.1";
/// The pod's name.
pub(crate) const POD: &str = "checkout-7d9f8b6c5-x2x4q";
/// The pod's uid, in the token as well.
pub(crate) const POD_UID: &str = "5f1d3c62-8f0e-4f3c-a3f5-0f9c7c1b2d3e";
/// The namespace.
pub(crate) const NAMESPACE: &str = "shop";
/// The service account.
pub(crate) const SERVICE_ACCOUNT: &str = "checkout";

/// A situation, as far as it differs from a healthy pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// One line for `--list`.
    pub description: String,
    /// What a test passes to `credprobe` after `check`.
    pub args: Vec<String>,
    /// What a test expects.
    pub expect: Value,
    /// Changes of the environment; `null` removes a default.
    pub env: BTreeMap<String, Option<String>>,
    pub(crate) mechanism: agent::Mechanism,
    pub(crate) process: Process,
    /// Other processes in the command's PID namespace.
    pub(crate) targets: Vec<target::Target>,
    pub(crate) pid_namespace: target::PidNamespace,
    pub(crate) proc: target::Proc,
    pub(crate) probe_has: target::ProbeHas,
    pub(crate) token: Token,
    pub(crate) token_file: TokenFile,
    pub(crate) issuer: Issuer,
    /// The pod can speak to the API server: address in the environment, account's token and CA mounted.
    pub(crate) api_server: Option<ApiServer>,
    /// A shared credentials file, which `AWS_SHARED_CREDENTIALS_FILE` names.
    pub(crate) profile: Option<String>,
    /// Further files of the command's, by path below `/run`, which the pod has to itself.
    pub(crate) files: BTreeMap<String, target::LaidFile>,
    /// A proxy at `proxy.corp.internal:3128`; who uses it, the environment says.
    pub(crate) proxy: Option<Proxy>,
    /// There whenever `mechanism` is about it.
    pub(crate) agent: Option<agent::Agent>,
    #[serde(default = "one")]
    pub(crate) accounts: Vec<Account>,
    pub(crate) wording: Wording,
    pub(crate) clock_offset_seconds: i64,
    pub(crate) fault: Fault,
    pub(crate) answer: Option<Answer>,
    /// The only action that `fault` and `answer` apply to.
    pub(crate) fault_on: Option<String>,
    /// `fault` and `answer` are over after so many requests, or connections where it is those that fail.
    pub(crate) fault_times: Option<u32>,
    /// A server that breaks the rules of TLS or HTTP, whoever it is.
    pub(crate) hostile: Option<hostile::Hostile>,
    /// The role that answers instead of the one asked for.
    pub(crate) answers_as_role: Option<String>,
    /// Opt-in regions that the account has not enabled: STS finds no provider there.
    pub(crate) regions_not_enabled: Vec<String>,
    /// Name (with `*`, which leaves the control name out) to what the resolver does.
    pub(crate) dns: BTreeMap<String, Dns>,
    /// Lines behind the pod's own in `/etc/hosts`.
    pub(crate) hosts: String,
    /// The pod's `/etc/resolv.conf`, instead of kubelet's.
    pub(crate) resolv_conf: Option<String>,
    /// STS's addresses.
    #[serde(default = "ipv4")]
    pub(crate) sts_families: Vec<Family>,
    /// Of those, the ones that the pod has no route to.
    pub(crate) no_route: Vec<Family>,
}

/// Who the command runs as; the default is 65532 throughout.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Process {
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) groups: Option<Vec<u32>>,
    pub(crate) capabilities: Capabilities,
    /// In the bounding set and nowhere else: what `capabilities.add` comes to for a user other than root.
    pub(crate) bounding: Capabilities,
}

/// How the token is minted, and what is done to it afterwards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Token {
    /// Merged over the claims; `null` removes one.
    pub(crate) claims: Map<String, Value>,
    /// Merged over the header; `null` removes.
    pub(crate) header: Map<String, Value>,
    pub(crate) age_seconds: i64,
    pub(crate) ttl_seconds: i64,
    pub(crate) sign_with: SignWith,
    /// The file's whole content instead of a token.
    pub(crate) bytes: Option<String>,
    /// The token in standard base64, as in a Secret's manifest.
    pub(crate) base64: bool,
    /// Text before the token.
    pub(crate) prepend: String,
    /// Text behind the token.
    pub(crate) append: String,
    /// How often all that is in the file: a script that appends.
    pub(crate) repeat: usize,
}

impl Default for Token {
    fn default() -> Self {
        Self {
            claims: Map::new(),
            header: Map::new(),
            age_seconds: 300,
            ttl_seconds: 86_400,
            sign_with: SignWith::Issuer,
            bytes: None,
            base64: false,
            prepend: String::new(),
            append: String::new(),
            repeat: 1,
        }
    }
}

impl Token {
    /// With that audience, unless the scenario has its own.
    pub(crate) fn meant_for(mut self, audience: &str) -> Self {
        self.claims.entry("aud").or_insert_with(|| vec![audience].into());
        self
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignWith {
    Issuer,
    /// A key that the issuer does not publish, under the `kid` of one that it does.
    OtherKey,
    /// No signature.
    Nobody,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenFile {
    /// Nothing is mounted at all.
    pub(crate) missing: bool,
    /// A directory stands where the file should be.
    pub(crate) directory: bool,
    /// A named pipe stands there.
    pub(crate) fifo: bool,
    pub(crate) layout: Layout,
    /// Below `/var/run/secrets`: a volume of the pod spec's own, instead of the webhook's.
    pub(crate) own_volume: Option<String>,
    /// The volume has another source too, a ConfigMap with a CA.
    pub(crate) other_source: bool,
    /// How long ago kubelet wrote the file, by its directory's name and the time of modification; the token's age by default.
    pub(crate) written_seconds_ago: Option<i64>,
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
    #[serde(deserialize_with = "octal")]
    pub(crate) mode: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Layout {
    /// Kubelet's: the file is a link into a directory that is swapped.
    #[default]
    Projected,
    /// A plain file, which somebody has written: it never rotates.
    Copy,
    /// One file of the volume mounted, which kubelet has rotated and removed since: the old content stays.
    SubPath,
}

/// The cluster's issuer, and what is wrong with what it publishes. The world sees the same, STS included,
/// but for `refuse` and `black_hole`: those are the pod's own way there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    /// Of the discovery document.
    pub(crate) missing_field: Option<String>,
    /// In the discovery document, instead of its own URL.
    pub(crate) wrong_issuer: Option<String>,
    /// Of both documents, instead of 200.
    pub(crate) status: Option<u16>,
    /// Where that status sends the client: a `Location` of both documents.
    pub(crate) location: Option<String>,
    /// A page instead of the documents.
    pub(crate) html: bool,
    /// A megabyte of keys.
    pub(crate) huge: bool,
    /// The keys lack the one that signs.
    pub(crate) drop_kid: bool,
    /// What it signs the pod's tokens with.
    pub(crate) key: SigningKey,
    /// How its key set puts that key.
    pub(crate) key_set: KeySet,
    /// Nobody listens.
    pub(crate) refuse: bool,
    /// Accepted, then silence.
    pub(crate) black_hole: bool,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            url: ISSUER.into(),
            missing_field: None,
            wrong_issuer: None,
            status: None,
            location: None,
            html: false,
            huge: false,
            drop_kid: false,
            key: SigningKey::Rs256,
            key_set: KeySet::Plain,
            refuse: false,
            black_hole: false,
        }
    }
}

/// EKS's is the first; KMS and other external signers of Kubernetes's API server have the others.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SigningKey {
    /// Of 2,048 bits.
    Rs256,
    #[serde(rename = "rs256-of-1024-bits")]
    Rs256Of1024,
    #[serde(rename = "rs256-of-1536-bits")]
    Rs256Of1536,
    Es256,
    Es384,
    Es512,
}

/// Sets that are odd, and in which the signing key is nevertheless to be found, but for the last.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeySet {
    Plain,
    /// A zero byte before the modulus, as `BigInteger.toByteArray` of Java has it.
    LeadingZero,
    /// Another key of that `kid` before it, for encryption.
    EncryptionKeyFirst,
    /// Another signing key of that `kid` before it.
    SecondOfKid,
    /// Another key before it whose `kid` is a number.
    NumericKid,
    /// The key is in a certificate alone.
    X5cOnly,
}

impl Issuer {
    pub(crate) fn host(&self) -> &str {
        self.without_scheme().split('/').next().unwrap_or_default()
    }

    fn check(&self) -> Result<()> {
        let is_curve = matches!(self.key, SigningKey::Es256 | SigningKey::Es384 | SigningKey::Es512);
        let is_odd = self.key_set != KeySet::Plain;
        if is_odd && (is_curve || self.key != SigningKey::Rs256 && self.key_set == KeySet::X5cOnly) {
            return Err(Error::new("the issuer's key set cannot have its key so"));
        }
        if self.location.is_some() && !self.status.is_some_and(|status| (300..400).contains(&status)) {
            return Err(Error::new("a location is of a status that redirects"));
        }
        Ok(())
    }

    /// Of the issuer's documents, without a last slash; may be empty.
    pub(crate) fn path(&self) -> &str {
        let path = self.without_scheme().strip_prefix(self.host()).unwrap_or_default();
        path.trim_end_matches('/')
    }

    fn without_scheme(&self) -> &str {
        self.url.trim_start_matches("https://")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApiServer {
    /// `automountServiceAccountToken: false`.
    pub(crate) not_mounted: bool,
    /// The account may not read the keys: the usual cluster role binding is gone.
    pub(crate) forbidden: bool,
    /// The status with which it refuses to change the pod: 403 without the Role, 500 and so on.
    pub(crate) refuses_patch: Option<u16>,
    /// Connections are reset.
    pub(crate) away: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Proxy {
    Works,
    #[serde(rename = "refuse-403")]
    Refuse403,
    /// Lets those pass who bring credentials, whichever.
    #[serde(rename = "require-auth-407")]
    RequireAuth407,
    /// Takes the request, then silence.
    Hang,
    /// Nobody listens.
    Down,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Family {
    Ipv4,
    Ipv6,
}

impl Family {
    pub(crate) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) partition: String,
    pub(crate) providers: Vec<Provider>,
    pub(crate) roles: Vec<Role>,
}

impl Default for Account {
    fn default() -> Self {
        Self { id: ACCOUNT.into(), partition: "aws".into(), providers: one(), roles: one() }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Provider {
    /// The issuer's by default.
    pub(crate) url: Option<String>,
    pub(crate) client_ids: Vec<String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self { url: None, client_ids: vec!["sts.amazonaws.com".into()] }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    /// The document; without one, what AWS's guide tells to write for the healthy service account.
    pub(crate) trust_policy: Option<Value>,
    /// What the role may do; without one, assume every other role.
    pub(crate) policy: Option<Value>,
    pub(crate) max_session_seconds: i64,
}

impl Default for Role {
    fn default() -> Self {
        Self {
            name: ROLE.into(),
            path: "/".into(),
            trust_policy: None,
            policy: None,
            max_session_seconds: 3600,
        }
    }
}

/// Which of STS's two ages speaks: since mid-2026 one text stands for nearly every refused token.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wording {
    Old,
    #[default]
    Generic,
}

/// What is wrong with STS or with the way there.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    #[default]
    None,
    /// Nobody listens.
    Refuse,
    /// Connections are never answered: no SYN-ACK.
    Drop,
    /// The address has no route.
    NoRoute,
    /// Accepted, then silence.
    BlackHole,
    ResetInHandshake,
    ExpiredCertificate,
    /// From an authority that nobody here trusts.
    ForeignCertificate,
    WrongNameCertificate,
    /// TLS and the request pass, then silence.
    NoAnswer,
    Throttled,
    InternalFailure,
    ServiceUnavailable,
    #[serde(rename = "html-403")]
    Html403,
    TruncatedBody,
    SlowDrip,
    HugeBody,
}

/// An answer that a verifying STS has no reason to give: STS's error document with that code and message, or whatever
/// `body` and `headers` are where another server answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: Option<String>,
}

impl Answer {
    fn check(&self) -> Result<()> {
        let speaks = !self.code.is_empty() || !self.message.is_empty();
        match (speaks, &self.body) {
            (true, Some(_)) => Err(Error::new("an answer has a code and a message, or a body")),
            (false, None) => Err(Error::new("an answer says something")),
            (true, None) if !self.headers.is_empty() => {
                Err(Error::new("STS's own answer has its own headers"))
            }
            _ if !(200..600).contains(&self.status) => {
                Err(Error::new(format!("no server answers with status {}", self.status)))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dns {
    Nxdomain,
    Servfail,
    /// Never answers.
    Silent,
    /// Swallows the questions of one family and answers the others.
    SilentA,
    SilentAaaa,
    /// An alias of that name, which must have an address or be an alias in turn.
    Cname(String),
    /// Bytes that are no answer, under the question's id.
    Garbage,
    /// An answer to another question.
    Forged,
    /// "Too long, ask over TCP", where there is silence.
    Truncated,
    /// As many addresses as fit into an answer over TCP, none with a route.
    Many,
}

impl Scenario {
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let scenario = serde_json::from_str(text).doing(|| format!("failed to read scenario `{name}`"))?;
        Self::of(name, scenario)
    }

    pub(crate) fn of(name: &str, value: Value) -> Result<Self> {
        let what = || format!("failed to read scenario `{name}`");
        let mut scenario: Self = serde_json::from_value(value).doing(what)?;
        scenario.settle_agent().doing(what)?;
        scenario.check_targets().doing(what)?;
        scenario.issuer.check().doing(what)?;
        scenario.answer.as_ref().map_or(Ok(()), Answer::check).doing(what)?;
        scenario.files.keys().try_for_each(|path| check_file(path)).doing(what)?;
        Ok(scenario)
    }

    /// What credentials files hold of secrets, wherever they lie.
    pub(crate) fn secrets_in_files(&self) -> impl Iterator<Item = &str> {
        let texts = self.files.values().map(|file| file.text.as_str()).chain(self.profile.as_deref());
        texts.flat_map(str::lines).filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            SECRETS.contains(&name.trim()).then_some(value.trim())
        })
    }
}

/// Settings of a profile that no output may repeat.
const SECRETS: &[&str] = &["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// Everywhere else the pod shares the machine's directories. What is below these is somebody else's already.
fn check_file(path: &str) -> Result<()> {
    const TAKEN: &[&str] = &["secrets", "credprobe-sandbox", "targets"];
    let mut parts = path.split('/');
    let is_below = (parts.next(), parts.next()) == (Some(""), Some("run"));
    let first = parts.next().unwrap_or_default();
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if is_below && plain(first) && !TAKEN.contains(&first) && parts.all(plain) {
        return Ok(());
    }
    Err(Error::new(format!("no file can be laid at `{path}`: below /run, but for {}", TAKEN.join(", "))))
}

fn ipv4() -> Vec<Family> {
    vec![Family::Ipv4]
}

fn one<T: Default>() -> Vec<T> {
    vec![T::default()]
}

/// `"0640"`: JSON has no octal numbers.
fn octal<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(input)?;
    u32::from_str_radix(&text, 8)
        .map(Some)
        .map_err(|_| D::Error::custom(format!("`{text}` is not an octal mode")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_case_is_a_healthy_pod() {
        let scenario = Scenario::parse("x", "{}").unwrap();
        assert_eq!(scenario.accounts.len(), 1);
        assert_eq!(scenario.accounts[0].providers[0].client_ids, ["sts.amazonaws.com"]);
        assert_eq!(scenario.sts_families, [Family::Ipv4]);
        assert_eq!(scenario.needs_root(1000, 1000), None);
        assert_eq!(scenario.needs_pod(), None);
    }

    #[test]
    fn the_issuer_is_taken_apart_with_and_without_a_path() {
        let parts = |url: &str| {
            let issuer = Issuer { url: url.into(), ..Issuer::default() };
            (issuer.host().to_owned(), issuer.path().to_owned())
        };
        assert_eq!(parts("https://issuer.example/a/b/"), ("issuer.example".into(), "/a/b".into()));
        assert_eq!(parts("https://issuer.example"), ("issuer.example".into(), String::new()));
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(Scenario::parse("x", r#"{"tokn": {}}"#).is_err());
        assert!(Scenario::parse("x", r#"{"token_file": {"mode": "0980"}}"#).is_err());
        assert!(Scenario::parse("x", r#"{"issuer": {"statu": 404}}"#).is_err());
        assert!(Scenario::parse("x", r#"{"proxy": "sulks"}"#).is_err());
    }

    fn refused(text: &str) -> bool {
        Scenario::parse("x", text).is_err()
    }

    #[test]
    fn files_lie_where_nothing_of_the_machine_does() {
        let at = |path: &str| refused(&format!(r#"{{"files": {{"{path}": "x"}}}}"#));
        for path in ["/run/app/.aws/config", "/run/config"] {
            assert!(!at(path), "{path}");
        }
        for path in [
            "/home/app/.aws/config",
            "run/config",
            "/run",
            "/run/",
            "/run/../etc/passwd",
            "/run/app//config",
            "/run/secrets/x",
            "/run/credprobe-sandbox/ca.pem",
            "/var/run/config",
        ] {
            assert!(at(path), "{path}");
        }
        let files = |file: &str| {
            Scenario::parse("x", &format!(r#"{{"files": {{"/run/a": {file}}}}}"#)).map(|it| it.files)
        };
        let files_of = files(r#"{"text": "x", "mode": "0600"}"#).unwrap();
        assert_eq!((files_of["/run/a"].text.as_str(), files_of["/run/a"].mode.as_str()), ("x", "0600"));
        assert_eq!(files(r#""x""#).unwrap()["/run/a"].mode, "0644");
        assert!(files(r#"{"texts": "x"}"#).is_err());
    }

    #[test]
    fn keys_in_any_file_are_secrets_and_other_settings_are_not() {
        let text =
            "[a]\nregion = eu-west-1\naws_secret_access_key = one\naws_access_key_id=two\nrole_arn = three";
        let scenario = serde_json::json!({"files": {"/run/a": text}, "profile": "aws_session_token=four"});
        let scenario = Scenario::of("x", scenario).unwrap();
        assert_eq!(scenario.secrets_in_files().collect::<Vec<_>>(), ["one", "two", "four"]);
    }

    #[test]
    fn an_answer_is_stss_or_somebody_elses_as_a_whole() {
        let answer = |fields: &str| refused(&format!(r#"{{"answer": {{"status": 400 {fields}}}}}"#));
        assert!(!answer(r#", "code": "X", "message": "y""#));
        assert!(!answer(r#", "body": "", "headers": {"server": "AmazonEC2"}"#));
        assert!(answer(""));
        assert!(answer(r#", "code": "X", "body": "y""#));
        assert!(answer(r#", "code": "X", "headers": {"server": "AmazonEC2"}"#));
        assert!(refused(r#"{"answer": {"status": 99, "body": "x"}}"#));
    }

    #[test]
    fn issuers_that_cannot_be_are_refused() {
        for issuer in [
            r#"{"key": "es256", "key_set": "leading-zero"}"#,
            r#"{"key": "rs256-of-1024-bits", "key_set": "x5c-only"}"#,
            r#"{"location": "https://elsewhere.example"}"#,
            r#"{"status": 404, "location": "https://elsewhere.example"}"#,
            r#"{"key": "hs256"}"#,
        ] {
            assert!(refused(&format!(r#"{{"issuer": {issuer}}}"#)), "{issuer}");
        }
        assert!(!refused(r#"{"issuer": {"key": "rs256-of-1024-bits", "key_set": "leading-zero"}}"#));
    }
}
