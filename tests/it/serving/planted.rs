//! Plants a secret in each variable, flag, flag's variable, profile setting and downward API field of a `serve`: no surface
//! shows it. `plan` makes the secrets outside the pod, and the starter of the pod searches everything that is printed.

use super::{
    Told, must, say,
    server::{ADMIN, PUBLIC, Server, get, until},
    world::{conditions, record},
};
use crate::support::names;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

/// The name of the plan's file, beside the probe.
pub(crate) const FILE: &str = "planted.json";

/// How many variables one server gets. With more, one refusal would hide too many others.
const AT_ONCE: usize = 16;
const DOWNWARD: [&str; 4] = ["POD_NAME", "POD_NAMESPACE", "POD_UID", "NODE_NAME"];
const GATE: &str = "--readiness-gate=credprobe.dev/CredentialsUsable";
/// Variables of the pod that all runs have.
const FIXED: [&str; 3] = ["HOME", "CREDPROBE_DISABLED", "CREDPROBE_TERMINATION_LOG"];

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Each entry is one server's environment.
    variables: Vec<BTreeMap<String, String>>,
    /// Name and value. A trial shows whether the flag accepts it.
    flags: Vec<(String, String)>,
    /// Each entry is one server's `AWS_CONFIG_FILE`.
    profiles: Vec<String>,
}

/// Everything that is planted, and each secret in it.
pub(crate) fn plan() -> (Plan, Vec<String>) {
    let mut secrets = Secrets::default();
    let mut plan = Plan::default();
    let forms: [fn(&mut Secrets) -> String; 3] = [Secrets::token, Secrets::url, Secrets::in_a_path];
    let variables: Vec<String> =
        names::variables().into_iter().filter(|name| !FIXED.contains(&name.as_str())).collect();
    let flags = names::flags("serve");
    let settings: Vec<String> = names::settings().into_iter().collect();
    for form in forms {
        for names in variables.chunks(AT_ONCE) {
            plan.variables.push(names.iter().map(|name| (name.clone(), form(&mut secrets))).collect());
        }
        plan.variables.push([("CREDPROBE_DISABLED".to_owned(), form(&mut secrets))].into());
        plan.flags.extend(flags.iter().map(|flag| (flag.clone(), form(&mut secrets))));
        for settings in settings.chunks(settings.len().div_ceil(3)) {
            let lines = settings.iter().map(|setting| format!("{setting} = {}\n", form(&mut secrets)));
            plan.profiles.push(format!("[default]\n{}", lines.collect::<String>()));
        }
    }
    // The gate sends the pod's name and uid, so each is planted while the others are sound.
    for name in DOWNWARD {
        plan.variables.extend(forms.map(|form| [(name.to_owned(), form(&mut secrets))].into()));
    }
    (plan, secrets.0)
}

/// Secrets that all differ in every sixteen bytes.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(self.0.len() as u64 + 1);
        std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
    }

    fn keep(&mut self, secret: String) -> String {
        self.0.push(secret.clone());
        secret
    }

    fn token(&mut self) -> String {
        let claims = format!(r#"{{"iss":"https://another.example","sub":"other","jti":{}}}"#, self.0.len());
        let signature: [u8; 90] = self.bytes();
        let parts = [br#"{"alg":"RS256","kid":"another"}"#.as_slice(), claims.as_bytes(), &signature];
        let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        self.keep(token)
    }

    /// A URL with a password. Between its halves are characters that people usually do not escape.
    fn url(&mut self) -> String {
        let between = ["", "/", "?", "#", "@", "://"][self.0.len() % 6];
        let (one, other): ([u8; 18], [u8; 18]) = (self.bytes(), self.bytes());
        let one = self.keep(URL_SAFE_NO_PAD.encode(one));
        let other = self.keep(URL_SAFE_NO_PAD.encode(other.map(|byte| byte ^ 0x5a)));
        format!("http://user:{one}{between}{other}@127.0.0.1:1/a")
    }

    fn in_a_path(&mut self) -> String {
        format!("/var/run/{}/x", self.token())
    }
}

/// How many servers there were, and how many refused to start.
#[derive(Default)]
struct Count {
    served: usize,
    refused: usize,
}

impl Count {
    fn live(&mut self, command: &mut Command) -> Told {
        let count = if look(command)? { &mut self.served } else { &mut self.refused };
        *count += 1;
        Ok(())
    }

    fn enough(&self, servers: usize) -> Told {
        let Self { served, refused } = self;
        say(&format!("measured: {served} servers with planted secrets, and {refused} that refused to start"));
        must(*served >= servers, || format!("{served} served, {refused} refused"))
    }
}

fn planted(probe: &str) -> Result<Plan, String> {
    let text =
        fs::read_to_string(Path::new(probe).with_file_name(FILE)).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

pub(super) fn in_variables(probe: &str) -> Told {
    let (plan, mut count) = (planted(probe)?, Count::default());
    for variables in &plan.variables {
        count.live(serve(probe).envs(variables))?;
        // Without the gate these do not make it refuse to start; with the gate they are sent.
        if DOWNWARD.iter().any(|name| variables.contains_key(*name)) {
            count.live(serve(probe).arg(GATE).envs(variables))?;
        }
    }
    must(!conditions()?.is_empty(), || "no condition was sent".to_owned())?;
    count.enough(20)
}

pub(super) fn in_profiles_and_flags(probe: &str) -> Told {
    let (plan, mut count) = (planted(probe)?, Count::default());
    let profile = std::env::temp_dir().join(format!("credprobe-planted-{}", std::process::id()));
    for text in &plan.profiles {
        fs::write(&profile, text).map_err(|error| error.to_string())?;
        count.live(
            serve(probe)
                .env("AWS_CONFIG_FILE", &profile)
                .env_remove("AWS_ROLE_ARN")
                .env_remove("AWS_WEB_IDENTITY_TOKEN_FILE")
                .env_remove("AWS_REGION"),
        )?;
    }
    let _ = fs::remove_file(&profile);
    for flags in plan.flags.chunks(plan.flags.len() / 3) {
        let taken = taken(probe, flags)?;
        let arguments = taken.iter().map(|(flag, value)| format!("--{flag}={value}"));
        count.live(serve(probe).args(arguments))?;
        let twin = |flag: &str| format!("CREDPROBE_{}", flag.to_ascii_uppercase().replace('-', "_"));
        count.live(serve(probe).envs(taken.iter().map(|(flag, value)| (twin(flag), value))))?;
    }
    count.enough(12)
}

fn serve(probe: &str) -> Command {
    let mut command = Command::new(probe);
    command.args(["serve", "--interval=100ms", "--timeout=500ms", "--output=json", "--log-level=trace"]);
    command.arg("--metrics=full").env("POD_UID", "5f1d3c62-8f0e-4f3c-a3f5-0f9c7c1b2d3e");
    command
}

/// The flags that accept this value: with a port in use, nothing else is wrong.
fn taken<'p>(probe: &str, flags: &'p [(String, String)]) -> Result<Vec<&'p (String, String)>, String> {
    let _in_use = TcpListener::bind(PUBLIC).map_err(|error| error.to_string())?;
    let mut taken = Vec::new();
    for flag in flags {
        let output = serve(probe).arg(format!("--{}={}", flag.0, flag.1)).stdout(Stdio::null()).output();
        let said = String::from_utf8_lossy(&output.map_err(|error| error.to_string())?.stderr).into_owned();
        say(&said);
        if said.contains("cannot be listened on")
            && said.contains(PUBLIC.rsplit(':').next().unwrap_or_default())
        {
            taken.push(flag);
        }
    }
    must(!taken.is_empty(), || "no flag takes a text".to_owned())?;
    Ok(taken)
}

/// Asks for everything that can be asked. Returns whether it served.
fn look(command: &mut Command) -> Result<bool, String> {
    let before = conditions()?.len();
    let has_gate = command.get_args().any(|word| word == GATE);
    let mut child = command.stdin(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let mut code = None;
    let up = until("it listens, or ends", || {
        code = child.try_wait().map_err(|error| error.to_string())?;
        Ok(code.is_some() || get(PUBLIC, "/livez").is_ok_and(|answer| answer.status == 200))
    });
    if code.is_some() {
        return Ok(false);
    }
    let server = Server::of(child);
    up?;
    let verdict = |body: &str| !body.contains("no verdict");
    until("a verdict", || Ok(get(PUBLIC, "/readyz").is_ok_and(|answer| verdict(&answer.body))))?;
    for path in ["/livez", "/readyz", "/metrics"] {
        get(PUBLIC, path)?;
    }
    for path in ["/", "/report", "/status"] {
        // One of the planted flags may be this listener's address.
        let _ = get(ADMIN, path);
    }
    if has_gate {
        let _ = until("a patch", || Ok(conditions()?.len() > before || patches()? > 0));
        say(&seen_by_the_api_server()?);
    }
    server.stop()?;
    let termination_log = std::env::var("CREDPROBE_TERMINATION_LOG").unwrap_or_default();
    say(&fs::read_to_string(termination_log).unwrap_or_default());
    Ok(true)
}

fn patches() -> Result<usize, String> {
    Ok(record()?["patches"].as_array().map_or(0, Vec::len))
}

fn seen_by_the_api_server() -> Result<String, String> {
    let record = record()?;
    Ok(["conditions", "patches", "api_server_requests"].map(|list| record[list].to_string()).join("\n"))
}
