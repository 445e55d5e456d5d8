//! Runs `credprobe check` in a debug container next to a pod's container and returns its exit code, which `kubectl debug` does not.
//! Creates only that ephemeral container. Never lists, watches or attaches.

mod profile;
mod state;

use crate::child::{self, Failed};
use crate::cli::Debug;
use crate::kubectl::Kubectl;
use crate::run::{Stop, say, talk};
use credprobe_judge::text::shown::escaped;
use serde_json::Value;
use state::State;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Ends a request without an answer after half a minute.
const TIMEOUT: &str = "--request-timeout=30s";

struct Session {
    kubectl: Kubectl,
    pod: String,
    /// The pod as it was last read.
    seen: Value,
}

pub(crate) fn run(asked: &Debug) -> Result<u8, Stop> {
    let mut flags = asked.place.kubectl.clone();
    flags.extend(asked.place.namespace.iter().map(|it| format!("--namespace={it}")));
    flags.push(TIMEOUT.to_owned());
    let mut session = Session { kubectl: Kubectl { flags }, pod: asked.pod.clone(), seen: Value::Null };
    session.look().map_err(Stop::unread)?;
    let phase = session.seen.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Stop::unread(format!(
            "pod {} has ended: a debug container would not start in it",
            asked.pod
        )));
    }
    let container = container(&session.seen, asked)?;
    let (chosen, custom) = profile_of(&session.seen, asked, &container)?;
    let name = new_name(&session.seen);
    let mut arguments = vec!["check".to_owned()];
    let running = state::is_running(&session.seen, &container);
    let names_target = asked.check.iter().any(|it| it == "--target-pid" || it.starts_with("--target-pid="));
    if !running {
        talk(&format!(
            "container {container} is not running: its specification is judged, not its process; a token mounted by subPath looks fresh there"
        ));
    } else if !names_target {
        arguments.push("--target-pid=auto".to_owned());
    }
    arguments.extend(asked.check.iter().cloned());
    talk(&format!(
        "adding debug container {name} to pod {}, for container {container}, profile {chosen}; waiting up to {} s",
        asked.pod, asked.within
    ));
    session.add(asked, &name, &chosen, &custom, running.then_some(container.as_str()), &arguments)?;
    let code = session.wait(asked, &name)?;
    match session.logs(&name) {
        Ok(report) => say(&String::from_utf8_lossy(&report)),
        Err(failed) => {
            talk(&format!("no report: {}", failed.why));
            // The probe also writes its verdict to the termination message.
            let message = state::message(&session.seen, &name);
            if !message.is_empty() {
                say(&format!("{}\n", message.lines().map(escaped).collect::<Vec<_>>().join("\n")));
            }
        }
    }
    // The probe has no exit code this high.
    if code >= 128 {
        talk(&format!("debug container {name} was killed: {}", state::reason(&session.seen, &name)));
    }
    Ok(code)
}

impl Session {
    /// Reads the pod. The output of kubectl may not be JSON, or not a pod.
    fn look(&mut self) -> Result<(), String> {
        let seen =
            child::output(&mut self.kubectl.command(&["get", "pod", &self.pod, "--output=json"]), None)
                .map_err(|failed| format!("cannot get pod {}: {}", self.pod, failed.why))?;
        let seen: Value = serde_json::from_slice(&seen).unwrap_or_default();
        if seen.pointer("/spec/containers/0/name").and_then(Value::as_str).is_none() {
            return Err(format!("cannot get pod {}: what kubectl printed is not a pod", self.pod));
        }
        self.seen = seen;
        Ok(())
    }

    /// Does not attach: that would wait forever for a container that never starts, and could miss its first output.
    fn add(
        &self,
        asked: &Debug,
        name: &str,
        profile: &str,
        custom: &Custom,
        target: Option<&str>,
        arguments: &[String],
    ) -> Result<(), Stop> {
        let (file, input) = custom.handed_over()?;
        let mut words = vec![
            "debug".to_owned(),
            asked.pod.clone(),
            "--quiet".to_owned(),
            format!("--container={name}"),
            format!("--image={}", asked.image),
            format!("--profile={profile}"),
            format!("--custom={}", file.path()),
        ];
        words.extend(target.map(|target| format!("--target={target}")));
        words.extend(["--arguments-only".to_owned(), "--".to_owned()]);
        words.extend(arguments.iter().cloned());
        let added = child::output(&mut self.kubectl.command(&words), input.as_deref());
        drop(file);
        added.map(drop).map_err(|failed| {
            Stop::unread(format!("cannot add a debug container to pod {}: {}", asked.pod, failed.why))
        })
    }

    /// Waits for the exit code of the debug container.
    fn wait(&mut self, asked: &Debug, name: &str) -> Result<u8, Stop> {
        let until = Instant::now() + Duration::from_secs(asked.within);
        loop {
            let state = match self.look() {
                Ok(()) => state::of(&self.seen, name),
                // The API server may be away for a moment, but a pod that is gone does not come back.
                Err(why) if why.contains("(NotFound)") => return Err(Stop::unread(why)),
                Err(why) => State::Waiting(why),
            };
            let doing = match state {
                State::Ended(code) => return Ok(code),
                State::Failed(why) => {
                    return Err(Stop::unread(format!("debug container {name} did not start: {why}")));
                }
                State::Waiting(doing) => doing,
            };
            if Instant::now() >= until {
                let namespace =
                    asked.place.namespace.as_ref().map(|it| format!(" -n {it}")).unwrap_or_default();
                return Err(Stop::unread(format!(
                    "debug container {name} did not end within {} s ({doing}); see: kubectl logs -f {} -c {name}{namespace}",
                    asked.within, asked.pod
                )));
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    fn logs(&self, name: &str) -> Result<Vec<u8>, Failed> {
        let container = format!("--container={name}");
        let mut command = self.kubectl.command(&["logs", self.pod.as_str(), &container]);
        child::output(&mut command, None).map(|bytes| bytes.to_vec())
    }
}

/// The container that is asked for, the only one, or the pod's default.
fn container(pod: &Value, asked: &Debug) -> Result<String, Stop> {
    let names: Vec<&str> =
        state::containers(pod, &["containers"]).filter_map(|it| it["name"].as_str()).collect();
    let listed = names.join(", ");
    if let Some(name) = &asked.container {
        let mut all = state::containers(pod, &["containers", "initContainers"]);
        return if all.any(|it| it["name"].as_str() == Some(name)) {
            Ok(name.clone())
        } else {
            Err(Stop::usage(format!("pod {} has no container {name}; it has {listed}", asked.pod)))
        };
    }
    if let [one] = names.as_slice() {
        return Ok((*one).to_owned());
    }
    let default = pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"].as_str();
    let found = default.filter(|default| names.contains(default));
    found.map(str::to_owned).ok_or_else(|| {
        Stop::usage(format!("pod {} has several containers, name one with -c: {listed}", asked.pod))
    })
}

/// The custom profile for kubectl.
enum Custom {
    Made(Vec<u8>),
    Given(String),
}

/// Where kubectl finds the profile. A temporary file is deleted afterwards.
enum Handed {
    Path(String),
    Temporary(PathBuf),
}

impl Handed {
    fn path(&self) -> String {
        match self {
            Self::Path(path) => path.clone(),
            Self::Temporary(path) => path.to_string_lossy().into_owned(),
        }
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        if let Self::Temporary(path) = self {
            // The file may contain the pod's variables.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Custom {
    /// Passes the profile through a pipe if possible, so that no file contains the pod's variables.
    fn handed_over(&self) -> Result<(Handed, Option<Vec<u8>>), Stop> {
        match self {
            Self::Given(path) => Ok((Handed::Path(path.clone()), None)),
            Self::Made(profile) if cfg!(unix) => {
                Ok((Handed::Path("/dev/stdin".to_owned()), Some(profile.clone())))
            }
            Self::Made(profile) => {
                let path = std::env::temp_dir().join(format!("credprobe-{}.json", random_name()));
                let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
                written
                    .and_then(|mut file| std::io::Write::write_all(&mut file, profile))
                    .map_err(|error| Stop::unread(format!("cannot write the profile: {error}")))?;
                Ok((Handed::Temporary(path), None))
            }
        }
    }
}

fn profile_of(pod: &Value, asked: &Debug, container: &str) -> Result<(String, Custom), Stop> {
    let uid = profile::uid(pod, container);
    let chosen = asked.profile.clone().unwrap_or_else(|| {
        // The custom profile has the container's own security context, and `restricted` would add settings in which the two differ.
        let open = uid == Some(0) || profile::has_more(pod, container);
        if open { "baseline" } else { "restricted" }.to_owned()
    });
    if let Some(file) = &asked.custom {
        return Ok((chosen, Custom::Given(file.clone())));
    }
    if uid.is_none() {
        talk(&format!(
            "which user container {container} runs as is in its image only: if the report is inconclusive, use --custom with its runAsUser and runAsGroup"
        ));
    }
    let made = serde_json::to_vec(&profile::made(pod, container))
        .map_err(|error| Stop::unread(format!("cannot make the profile: {error}")))?;
    Ok((chosen, Custom::Made(made)))
}

fn new_name(pod: &Value) -> String {
    let taken: Vec<&str> = state::containers(pod, &["containers", "initContainers", "ephemeralContainers"])
        .filter_map(|it| it["name"].as_str())
        .collect();
    loop {
        let name = format!("credprobe-{}", random_name());
        if !taken.contains(&name.as_str()) {
            return name;
        }
    }
}

/// Five hex digits. The standard library seeds its hashers randomly.
fn random_name() -> String {
    format!("{:05x}", RandomState::new().hash_one(Instant::now()) & 0xf_ffff)
}
