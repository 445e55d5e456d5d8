"""The readiness gate: a condition that names the class blocks a rollout, and releases it without a new pod. Then what
policy.yaml refuses, on clusters that have such policies."""

import copy
import json
import tempfile
import time

import pods
import sidecars
from cluster import Overdue, Unavailable
from results import Result
from stage import MANIFESTS, Stage, condition

TITLE = "Readiness gate"
GATE = "credprobe.dev/CredentialsUsable"
NAME = "gated"


def results(stage: Stage) -> list[Result]:
    for it in stage.cluster.read(MANIFESTS / "readiness-gate/rbac.yaml"):
        if it["kind"] != "ServiceAccount":
            stage.cluster.create(in_namespace(it, stage.namespace))
    found = []
    try:
        policy(stage)
        with_policy = True
    except Unavailable as error:
        with_policy = False
        lacks = Result("policy.yaml: another pod, another condition", not_run=str(error))
    found.append(rollout(stage))
    found.append(confined(stage) if with_policy else lacks)
    return found


def in_namespace(it: dict, namespace: str) -> dict:
    it = copy.deepcopy(it)
    it["metadata"]["namespace"] = namespace
    for subject in it.get("subjects", []):
        subject["namespace"] = namespace
    return it


def policy(stage: Stage) -> None:
    """Limits the policies to the tests' namespace, under a name of their own."""
    name = f"readiness-gate.{stage.namespace}.credprobe.dev"
    for it in stage.cluster.read(MANIFESTS / "readiness-gate/policy.yaml"):
        it["metadata"]["name"] = name
        if "policyName" in it["spec"]:
            it["spec"]["policyName"] = name
            labels = {"kubernetes.io/metadata.name": stage.namespace}
            it["spec"]["matchResources"] = {"namespaceSelector": {"matchLabels": labels}}
        stage.cluster_wide.append((it["kind"], name))
        stage.cluster.create(it)


def rollout(stage: Stage) -> Result:
    form = "native sidecar" if sidecars.native(stage) else "ordinary container"
    result = Result(f"deployment.yaml, {form}: blocked, released", ["blocked", "AccessDenied", "released"], [])
    start = time.monotonic()
    stage.sts.trust("gate", False)
    deployment = stage.deployment("readiness-gate/deployment.yaml", NAME, "gate")
    spec = deployment["spec"]["template"]["spec"]
    if form != "native sidecar":
        pods.beside(spec)
    stage.cluster.create(deployment)

    def of_gate() -> dict | None:
        (pod,) = stage.pods_of(NAME) or [{"status": {}}]
        return pod if condition(pod, GATE) else None

    stage.cluster.until("the probe has set its condition", of_gate)
    done, said = stage.rolled_out(NAME, 15)
    (pod,) = stage.pods_of(NAME)
    reason = condition(pod, "Ready").get("reason")
    running = all(it["ready"] for it in pod["status"]["containerStatuses"])
    if not done and reason == "ReadinessGatesNotReady" and running:
        result.got.append("blocked")
    else:
        result.problems.append(f"rollout done: {done}; the containers ready: {running}; Ready's reason: {reason}; {said}")
    own = condition(pod, GATE)
    result.got.append(own.get("reason") if own["status"] == "False" else own)
    if "arn:" in own.get("message", ""):
        result.problems.append(f"the condition's message holds an ARN: {own['message']}")
    stage.sts.trust("gate", True)
    done, said = stage.rolled_out(NAME, 150)
    (after,) = stage.pods_of(NAME)
    same = after["metadata"]["uid"] == pod["metadata"]["uid"]
    if done and same and condition(after, GATE)["status"] == "True":
        result.got.append("released")
    else:
        result.problems.append(f"rollout done: {done}; the same pod: {same}; {condition(after, GATE)}; {said}")
    result.milliseconds = (time.monotonic() - start) * 1000
    return result


def confined(stage: Stage) -> Result:
    """Patches with the pod's own token: itself, another pod, another condition.

    kubectl reads before it patches, which the shipped Role does not allow. Until this point the probe ran with that Role.
    """
    may_read = json.dumps([{"op": "add", "path": "/rules/0/verbs/-", "value": "get"}])
    role = ["role", "credprobe-readiness-gate", f"--namespace={stage.namespace}"]
    stage.cluster.must("patch", *role, "--type=json", f"--patch={may_read}")
    start, got = time.monotonic(), []
    result = Result("policy.yaml: another pod, another condition", ["taken", "refused", "refused"])
    stage.cluster.create(stage.pod("other", {"containers": [stage.images.app()]}))
    (own,) = stage.pods_of(NAME)
    name = own["metadata"]["name"]
    bound = ["--bound-object-kind=Pod", f"--bound-object-name={name}", f"--bound-object-uid={own['metadata']['uid']}"]
    token = stage.cluster.must("create", "token", pods.SERVICE_ACCOUNT, f"--namespace={stage.namespace}", *bound).strip()

    config = stage.cluster.json("config", "view", "--raw", "--minify", "--output=json")
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": {"token": token}}]

    def patch(pod: str, kind: str) -> str:
        body = json.dumps({"status": {"conditions": [{"type": kind, "status": "True"}]}})
        what = ["patch", "pod", pod, f"--namespace={stage.namespace}", "--subresource=status", f"--patch={body}"]
        with tempfile.NamedTemporaryFile("w") as file:
            json.dump(config, file)
            file.flush()
            done = stage.cluster.run(*what, f"--kubeconfig={file.name}")
        if done.returncode == 0:
            return "taken"
        # A refusal by anything else is printed in full.
        return "refused" if " only " in done.stderr else done.stderr.strip()

    def look() -> list[str] | None:
        got[:] = [patch(name, GATE), patch("other", GATE), patch(name, "example.com/Other")]
        return got if got == result.expected else None

    # A policy is in force some seconds after it is made.
    try:
        stage.cluster.until("the policy is in force", look, 30)
    except Overdue as error:
        result.problems.append(str(error))
    result.got = list(got)
    result.milliseconds = (time.monotonic() - start) * 1000
    return result
