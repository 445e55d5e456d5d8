"""The init container: healthy as shipped, and thirteen failures, each with its exit code and termination message in the pod's status."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pods
from cluster import Overdue
from results import Result
from stage import Stage, ended, message_problem

TITLE = "Init container: exit code and termination message in the pod's status"


def nothing(stage: Stage, spec: dict) -> None:
    stage.lead(spec)


def whole(stage: Stage, spec: dict) -> None:
    stage.leave_to_webhook(spec)


def half(stage: Stage, spec: dict) -> None:
    stage.lead(spec)
    pods.add_variables(spec, {"AWS_ROLE_ARN": pods.role("checkout-reader")})


def no_mount(stage: Stage, spec: dict) -> None:
    half(stage, spec)
    pods.add_variables(spec, {"AWS_WEB_IDENTITY_TOKEN_FILE": pods.TOKEN_FILE, "AWS_REGION": stage.region})


def wrong_file(stage: Stage, spec: dict) -> None:
    stage.inject(spec)
    api_servers = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    pods.add_variables(spec, {"AWS_WEB_IDENTITY_TOKEN_FILE": api_servers}, over=True)


def malformed(stage: Stage, spec: dict) -> None:
    stage.inject(spec)
    wrong = pods.role("checkout-reader").replace(":role/", ":role:")
    pods.add_variables(spec, {"AWS_ROLE_ARN": wrong}, over=True)


def closed_file(stage: Stage, spec: dict) -> None:
    # No user is stated, so the kubelet does not know who has to read the file, and only root can.
    stage.inject(spec, mode=0o400)


def wrong_audience(stage: Stage, spec: dict) -> None:
    stage.inject(spec, audience="vault.example.com")


def refused(stage: Stage, spec: dict) -> None:
    stage.inject(spec, role="refused")


def other_account(stage: Stage, spec: dict) -> None:
    stage.inject(spec)
    pods.add_variables(spec, {"AWS_ROLE_ARN": "arn:aws:iam::605714829436:role/checkout-reader"}, over=True)


def nobody_there(stage: Stage, spec: dict) -> None:
    stage.inject(spec)
    spec["hostAliases"][0]["ip"] = "127.0.0.1"


def unknown_authority(stage: Stage, spec: dict) -> None:
    stage.inject(spec)
    for container in pods.containers(spec):
        container["env"] = [it for it in container["env"] if it["name"] != "AWS_CA_BUNDLE"]


@dataclass
class Case:
    verdict: str
    code: int
    change: Callable[[Stage, dict], None]
    flags: list[str] = field(default_factory=list)


CASES = (
    Case("ready", 0, whole),
    Case("not-injected", 10, nothing),
    Case("partly-injected", 11, half),
    Case("role-arn-malformed", 12, malformed),
    Case("role-unexpected", 17, whole, [f"--expect-role={pods.role('another')}"]),
    Case("token-file-missing", 20, no_mount),
    Case("token-file-unreadable", 21, closed_file),
    Case("audience-mismatch", 34, wrong_audience),
    Case("subject-mismatch", 35, whole, ["--expect-subject=shop/checkout"]),
    Case("token-kind-wrong", 36, wrong_file),
    Case("connect-refused", 41, nobody_there),
    Case("tls-failed", 44, unknown_authority),
    Case("access-denied", 53, refused),
    Case("token-rejected", 55, other_account),
)
# These cases cannot occur if a webhook injects into every pod of the service account.
WITHOUT_WEBHOOK = {"not-injected", "partly-injected", "token-file-missing"}


def results(stage: Stage) -> list[Result]:
    stage.sts.trust("refused", False)
    start = time.monotonic()
    deployment = stage.deployment("init-container.yaml", "shipped", None)
    stage.cluster.create(deployment)
    probe, started = stage.probe(), {}
    for case in CASES:
        container = {**copy.deepcopy(probe), "args": ["check", *case.flags]}
        spec = {"restartPolicy": "Never", "initContainers": [container], "containers": [stage.images.app()]}
        if stage.webhook and case.verdict in WITHOUT_WEBHOOK:
            # The webhook does not know this service account.
            spec["serviceAccountName"] = "default"
        case.change(stage, spec)
        stage.cluster.create(stage.pod(case.verdict, {"serviceAccountName": pods.SERVICE_ACCOUNT, **spec}))
        started[case.verdict] = time.monotonic()
    found = [one(stage, case, started[case.verdict]) for case in CASES]
    done, said = stage.rolled_out("shipped", 120)
    result = Result("init-container.yaml: rollout", "done", "done" if done else said, (time.monotonic() - start) * 1000)
    return [*found, result]


def one(stage: Stage, case: Case, start: float) -> Result:
    result = Result(case.verdict, case.code)

    def look() -> dict | None:
        pod = stage.cluster.get("pod", case.verdict, stage.namespace)
        how = ended(pod["status"].get("initContainerStatuses"), "credprobe")
        settled = pod["status"]["phase"] in ("Running", "Failed")
        return {**how, "phase": pod["status"]["phase"]} if how and settled else None

    try:
        how = stage.cluster.until(f"pod {case.verdict} has run its init container", look)
    except Overdue as error:
        result.problems.append(str(error))
        return result
    result.milliseconds = (time.monotonic() - start) * 1000
    result.got = how["exitCode"]
    if how["phase"] != ("Running" if case.code == 0 else "Failed"):
        result.problems.append(f"the pod is {how['phase']}")
    if problem := message_problem(how, case.code, case.verdict):
        result.problems.append(problem)
    return result
