//! The readiness gate: keeps one condition of this pod equal to `/readyz` (KEP-580), through the API server.
//! Trouble with the API server is reported once and retried; it affects nothing else.

use super::Shared;
use super::state::ReadinessReason;
use crate::collect::subject::{Subject, SubjectSelector};
use crate::collect::{self, ApiServer, NoApiServer, observer};
use crate::process::aside::{Aside, GRACE, Stuck};
use crate::process::clock;
use crate::serve::options::ConditionType;
use bytes::Bytes;
use credprobe_judge::evidence::Failure;
use credprobe_judge::text::{rfc3339, shown, truncate};
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The limit for one PATCH with all its phases.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a failed PATCH waits for its retry, unless the condition changes.
const BETWEEN_TRIES: Duration = Duration::from_secs(60);
/// In bytes. The response holds the pod, which has a few kilobytes; its annotations have at most 256 KiB.
const ANSWER_LIMIT: usize = 512 * 1024;
/// In bytes: how much of the API server's message a log line repeats.
const QUOTE_LIMIT: usize = 256;

/// Each exchange sends the condition again, because somebody may have removed it, but not more often than this.
const BETWEEN_REPEATS: Duration = Duration::from_secs(10);

/// The condition to keep, and the pod that has it.
#[derive(Clone)]
pub(super) struct Gate {
    condition: String,
    pod: String,
    namespace: String,
    /// A pod of the same name may have replaced this one, and we must not patch that.
    uid: String,
}

/// What the condition should say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Desired {
    ready: bool,
    reason: &'static str,
    message: String,
}

/// Why the condition could not be set.
#[derive(Debug, Clone)]
enum Trouble {
    NoApiServer(NoApiServer),
    Request,
    Network(Failure),
    /// A file that the PATCH needs does not answer.
    Stuck(String),
    /// The API server's status and message.
    Status(u16, String),
}

impl Trouble {
    /// Whether this is the same kind of trouble, so that it is not reported again. A port, a time or a resource version in its
    /// text may differ each time.
    fn is_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NoApiServer(a), Self::NoApiServer(b)) => a == b,
            (Self::Request, Self::Request) | (Self::Stuck(_), Self::Stuck(_)) => true,
            (Self::Network(a), Self::Network(b)) => (a.phase, a.kind) == (b.phase, b.kind),
            (Self::Status(a, _), Self::Status(b, _)) => a == b,
            _ => false,
        }
    }
}

impl Gate {
    /// # Errors
    /// The downward API does not say which pod this is. The error is one line.
    pub(super) fn new(subject: &Subject, condition: &ConditionType) -> Result<Self, String> {
        let field = |variable: &str, path: &str| {
            subject.own_text(variable).map(shown::value).ok_or_else(|| {
                format!(
                    "--readiness-gate needs {variable}: add {{name: {variable}, valueFrom: {{fieldRef: {{fieldPath: {path}}}}}}} to the container's env"
                )
            })
        };
        let gate = Self {
            condition: condition.as_str().to_owned(),
            pod: field("POD_NAME", "metadata.name")?,
            namespace: field("POD_NAMESPACE", "metadata.namespace")?,
            uid: field("POD_UID", "metadata.uid")?,
        };
        // The names become parts of a URL path.
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
        if is_name(&gate.pod) && is_name(&gate.namespace) {
            return Ok(gate);
        }
        Err("--readiness-gate: POD_NAME or POD_NAMESPACE is not a name that Kubernetes gives".to_owned())
    }

    /// Patches on every change and after every exchange, and retries failures. Never returns.
    pub(super) async fn keep(&self, shared: &Shared) {
        let mut set: Option<(Desired, u64)> = None;
        let patcher = match self.patcher() {
            Ok(patcher) => patcher,
            Err(error) => {
                tracing::error!("the condition {} is not set: {error}", self.condition);
                return std::future::pending().await;
            }
        };
        let mut last_ready: Option<bool> = None;
        let mut trouble: Option<Trouble> = None;
        let mut tried: Option<(Desired, Instant)> = None;
        loop {
            let desired = desired(shared);
            let exchanges = exchanges(shared);
            let is_set = set.as_ref().is_some_and(|set| set.0 == desired && set.1 == exchanges);
            let pause = if set.is_some() { BETWEEN_REPEATS } else { BETWEEN_TRIES };
            // A change is sent at once. A retry or a repetition waits for its pause.
            let again_at = tried
                .as_ref()
                .filter(|(last, _)| last.ready == desired.ready && last.reason == desired.reason)
                .map(|(_, at)| *at + pause);
            let now = clock::instant();
            if !is_set && again_at.is_none_or(|at| at <= now) {
                let transition = (last_ready != Some(desired.ready)).then(clock::now);
                let until = clock::deadline(TIMEOUT + GRACE);
                let outcome = patcher.ask(self.body(&desired, transition), until).await;
                let outcome =
                    outcome.unwrap_or_else(|Stuck(path)| Err(Trouble::Stuck(path.unwrap_or_default())));
                if outcome.is_ok() {
                    last_ready = Some(desired.ready);
                }
                self.tell(&mut trouble, outcome.as_ref().err());
                set = outcome.ok().map(|()| (desired.clone(), exchanges));
                tried = Some((desired, now));
                continue;
            }
            let wake = again_at.filter(|_| !is_set);
            tokio::select! {
                () = shared.changed.notified() => {}
                () = async { match wake { Some(at) => sleep_until(at).await, None => std::future::pending().await } } => {}
            }
        }
    }

    /// Patches on a separate thread, because each patch reads files of the service account.
    fn patcher(&self) -> std::io::Result<Aside<Value, Result<(), Trouble>>> {
        let gate = self.clone();
        Aside::new(move || {
            let place = observer::begin(SubjectSelector::Own);
            move |body: Value| match &place {
                Ok((runtime, subject)) => runtime.block_on(gate.patch(subject, &body)),
                Err(why) => Err(Trouble::Stuck(why.clone())),
            }
        })
    }

    async fn patch(&self, subject: &Subject, body: &Value) -> Result<(), Trouble> {
        let process = collect::process(subject);
        let api_server = collect::api_server(subject, &process).map_err(Trouble::NoApiServer)?;
        let deadline = clock::deadline(TIMEOUT);
        let wire =
            api_server.wire(collect::resolver_config(subject, &mut Vec::new()), deadline, ANSWER_LIMIT);
        let request = self.request(&api_server, body);
        let request = request.map_err(|_| Trouble::Request)?;
        let response = match wire.send(request).await {
            (_, Ok(response)) => response,
            (_, Err(failure)) => return Err(Trouble::Network(failure)),
        };
        if response.status().is_success() {
            return Ok(());
        }
        let status: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let said = status.get("message").and_then(Value::as_str).unwrap_or_default();
        let mut said = api_server.redactor.redact_and_truncate(said.as_bytes());
        truncate(&mut said, QUOTE_LIMIT);
        Err(Trouble::Status(response.status().as_u16(), said))
    }

    fn request(&self, api_server: &ApiServer, body: &Value) -> http::Result<Request<Bytes>> {
        let (namespace, pod) = (&self.namespace, &self.pod);
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/status?fieldManager=credprobe");
        Request::patch(format!("{}{path}", api_server.base))
            .header(AUTHORIZATION, api_server.authorization.clone())
            .header(CONTENT_TYPE, "application/strategic-merge-patch+json")
            .header(ACCEPT, "application/json")
            .body(Bytes::from(body.to_string()))
    }

    /// The body of a strategic merge patch. It merges by the condition's type, so it leaves all other conditions alone, and also the
    /// fields of this one that it omits. `lastTransitionTime` is the time of the last change of status (core/v1 `PodStatus`,
    /// `PodCondition`).
    fn body(&self, desired: &Desired, transition: Option<i64>) -> Value {
        let mut condition = json!({
            "type": self.condition,
            "status": if desired.ready { "True" } else { "False" },
            "reason": desired.reason,
            "message": desired.message,
        });
        if let Some(time) = transition {
            condition["lastTransitionTime"] = rfc3339(time).into();
        }
        json!({"metadata": {"uid": self.uid}, "status": {"conditions": [condition]}})
    }

    /// Logs one line for each new kind of trouble, and one when it is over.
    fn tell(&self, before: &mut Option<Trouble>, now: Option<&Trouble>) {
        match now {
            Some(trouble) if !before.as_ref().is_some_and(|before| before.is_as(trouble)) => {
                tracing::error!("{}", self.told(trouble));
            }
            None if before.is_some() => tracing::warn!("the condition {} is set again", self.condition),
            _ => {}
        }
        *before = now.cloned();
    }

    fn told(&self, trouble: &Trouble) -> String {
        let Self { condition, pod, namespace, uid } = self;
        let what = format!("the condition {condition} of pod {namespace}/{pod} is not set");
        let rule = format!(
            "{{apiGroups: [\"\"], resources: [\"pods/status\"], verbs: [\"patch\"]}} in namespace {namespace}"
        );
        match trouble {
            Trouble::NoApiServer(why) => format!("{what}: {why}"),
            Trouble::Stuck(path) => format!("{what}: {path} did not answer in time"),
            Trouble::Request => format!("{what}: the API server's URL cannot be used"),
            Trouble::Network(failure) => {
                format!("{what}: the API server cannot be asked: {}", failure.detail)
            }
            Trouble::Status(401, said) => {
                format!("{what}: the API server does not accept the service account's token (401): {said}")
            }
            Trouble::Status(403, said) => {
                format!(
                    "{what}: the service account lacks the RBAC rule {rule}, or an admission policy refuses (403): {said}"
                )
            }
            Trouble::Status(404, said) => format!(
                "{what}: there is no such pod (404), do POD_NAME and POD_NAMESPACE come from the downward API? {said}"
            ),
            Trouble::Status(409, said) => {
                format!(
                    "{what}: a pod of that name has another uid than {uid} (409), this one was replaced: {said}"
                )
            }
            Trouble::Status(status, said) => format!("{what}: the API server answers {status}: {said}"),
        }
    }
}

fn exchanges(shared: &Shared) -> u64 {
    let state = shared.state();
    state.succeeded + state.failed
}

/// What `/readyz` says. The message has no ARN, because everyone who may read pods can read it.
fn desired(shared: &Shared) -> Desired {
    let (ready, because) = shared.state().readyz(clock::instant());
    let reason = match (&because, because.class()) {
        (ReadinessReason::Disabled(_), _) => "Disabled",
        (_, Some(class)) => class.reason(),
        (_, None) => "ReportOnly",
    };
    Desired { ready, reason, message: because.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credprobe_judge::evidence::{FailureKind, Phase};

    #[test]
    fn trouble_is_told_anew_when_its_kind_changes_not_when_its_words_do() {
        let network = |phase, detail: &str| {
            let kind = FailureKind::TimedOut;
            Trouble::Network(Failure { phase, kind, peer: None, errno: None, detail: detail.to_owned() })
        };
        let status = |status, said: &str| Trouble::Status(status, said.to_owned());
        assert!(network(Phase::Connect, "after 3.01 s").is_as(&network(Phase::Connect, "after 3.02 s")));
        assert!(status(409, "resourceVersion 7").is_as(&status(409, "resourceVersion 8")));
        let kinds = [
            network(Phase::Connect, ""),
            network(Phase::Tls, ""),
            status(403, ""),
            status(409, ""),
            Trouble::Request,
            Trouble::Stuck(String::new()),
            Trouble::NoApiServer(NoApiServer::Variables),
            Trouble::NoApiServer(NoApiServer::File(String::new())),
        ];
        for (index, one) in kinds.iter().enumerate() {
            let alike: Vec<usize> = (0..kinds.len()).filter(|other| one.is_as(&kinds[*other])).collect();
            assert_eq!(alike, [index]);
        }
    }
}
