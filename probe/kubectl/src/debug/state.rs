//! Reads the state of a container from a pod's status: running, ended with a code, or why it does not start. Pure.
//! The output of kubectl is untrusted: only a valid exit code is taken for one.

use serde_json::Value;

/// The state of the debug container.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Ended(u8),
    Failed(String),
    Waiting(String),
}

/// Reasons for which a container ended without having run, so its exit code is meaningless.
const NEVER_RAN: &[&str] = &["StartError", "ContainerCannotRun", "ContainerStatusUnknown"];
/// Temporary reasons.
const STARTING: &[&str] = &["ContainerCreating", "PodInitializing"];

/// The containers of a specification, one kind after the other.
pub(super) fn containers<'a>(pod: &'a Value, kinds: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    kinds.iter().flat_map(|kind| pod["spec"][kind].as_array().into_iter().flatten())
}

fn status<'a>(pod: &'a Value, kinds: &[&str], name: &str) -> Option<&'a Value> {
    let mut all = kinds.iter().flat_map(|kind| pod["status"][kind].as_array().into_iter().flatten());
    all.find(|it| it["name"].as_str() == Some(name))
}

pub(super) fn is_running(pod: &Value, container: &str) -> bool {
    let status = status(pod, &["containerStatuses", "initContainerStatuses"], container);
    status.is_some_and(|it| it.pointer("/state/running").is_some_and(|it| !it.is_null()))
}

/// The user that it runs as, in case only the image names one. Not every cluster reports it.
pub(super) fn ran_as<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    status(pod, &["containerStatuses", "initContainerStatuses"], container)?.pointer("/user/linux")
}

fn debug_state<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    status(pod, &["ephemeralContainerStatuses"], name).map(|it| &it["state"])
}

/// The state of the debug container with that name.
pub(super) fn of(pod: &Value, name: &str) -> State {
    let Some(state) = debug_state(pod, name) else {
        return State::Waiting("not seen by the node yet".to_owned());
    };
    let text = |state: &Value, key: &str| state[key].as_str().unwrap_or_default().to_owned();
    let terminated = &state["terminated"];
    if terminated.is_object() {
        let reason = text(terminated, "reason");
        if NEVER_RAN.contains(&reason.as_str()) {
            return State::Failed(format!("{reason}: {}", text(terminated, "message")));
        }
        return match terminated["exitCode"].as_u64().and_then(|code| u8::try_from(code).ok()) {
            Some(code) => State::Ended(code),
            None => {
                let reason = if reason.is_empty() { "for no reason given".to_owned() } else { reason };
                State::Failed(format!("{reason}: it has no exit code"))
            }
        };
    }
    let waiting = &state["waiting"];
    let reason = text(waiting, "reason");
    if !reason.is_empty() && !STARTING.contains(&reason.as_str()) {
        return State::Failed(format!("{reason}: {}", text(waiting, "message")));
    }
    if state["running"].is_object() {
        return State::Waiting("running".to_owned());
    }
    State::Waiting(if reason.is_empty() { "not seen by the node yet".to_owned() } else { reason })
}

pub(super) fn message(pod: &Value, name: &str) -> String {
    terminated(pod, name, "message")
}

pub(super) fn reason(pod: &Value, name: &str) -> String {
    let reason = terminated(pod, name, "reason");
    if reason.is_empty() { "no reason given".to_owned() } else { reason }
}

fn terminated(pod: &Value, name: &str, key: &str) -> String {
    let state = debug_state(pod, name).map(|it| &it["terminated"][key]);
    state.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_whole_number_of_a_byte_is_an_exit_code() {
        let ended = |code: Value| json!({"status": {"ephemeralContainerStatuses": [{"name": "x", "state": {"terminated": {"exitCode": code}}}]}});
        assert_eq!(of(&ended(json!(53)), "x"), State::Ended(53));
        for code in [json!(null), json!(256), json!(-1), json!(0.5), json!("0; touch x")] {
            assert!(matches!(of(&ended(code), "x"), State::Failed(_)));
        }
        assert!(matches!(of(&json!({}), "x"), State::Waiting(_)));
    }
}
