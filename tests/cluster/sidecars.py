"""`serve` beside an application: not ready before the first success, then ready, then not ready again. As a native sidecar and
as an ordinary container."""

import time

import pods
from results import Result
from stage import Stage, condition

TITLE = "Sidecar: readiness of the pod follows the verdict"
# The shipped sidecar asks once an hour and holds readiness for 15 minutes, which is too slow for a test.
QUICK = ["--readiness=strict", "--interval=1s", "--exchange-interval=5s"]


def results(stage: Stage) -> list[Result]:
    found = []
    if native(stage):
        found.append(followed(stage, "native sidecar", False))
    else:
        lacks = f"{stage.cluster.version} drops restartPolicy of init containers (SidecarContainers, 1.29 on)"
        found.append(Result("native sidecar", not_run=lacks))
    found.append(followed(stage, "ordinary container", True))
    return found


def native(stage: Stage) -> bool:
    container = {"name": "sidecar", "image": "x", "restartPolicy": "Always"}
    seen, _ = stage.cluster.tried(stage.pod("native", {"initContainers": [container], "containers": [stage.images.app()]}))
    return seen["spec"]["initContainers"][0].get("restartPolicy") == "Always"


def followed(stage: Stage, case: str, ordinary: bool) -> Result:
    start, name = time.monotonic(), case.replace(" ", "-")
    result = Result(case, ["False", "True", "False", "True"], [])
    stage.sts.trust("sidecar", False)
    before = len(stage.sts.exchanges("sidecar"))
    deployment = stage.deployment("native-sidecar.yaml", name, "sidecar")
    spec = deployment["spec"]["template"]["spec"]
    (sidecar,) = spec["initContainers"]
    sidecar["args"] = ["serve", *QUICK]
    sidecar["readinessProbe"]["periodSeconds"] = 1
    sidecar["readinessProbe"]["failureThreshold"] = 1
    if ordinary:
        pods.beside(spec)
    stage.cluster.create(deployment)

    def running() -> dict | None:
        (pod,) = stage.pods_of(name) or [{"status": {}}]
        states = pod["status"].get("containerStatuses", [{}])
        return pod if all("running" in it.get("state", {}) for it in states) else None

    def becomes(wanted: str) -> None:
        stage.cluster.until(f"{name} is Ready={wanted}", lambda: condition(stage.pods_of(name)[0], "Ready").get("status") == wanted)
        result.got.append(wanted)

    stage.cluster.until(f"{name} runs", running)
    # Long enough for several exchanges and probes: the pod must stay unready.
    stage.cluster.until("STS has refused it", lambda: len(stage.sts.exchanges("sidecar")) >= before + 2)
    becomes("False")
    for trusting in (True, False, True):
        stage.sts.trust("sidecar", trusting)
        becomes(str(trusting))
    restarts = sum(it["restartCount"] for it in stage.pods_of(name)[0]["status"]["containerStatuses"])
    if restarts:
        result.problems.append(f"containers were restarted {restarts} times")
    stage.cluster.must("delete", "deployment", name, f"--namespace={stage.namespace}", "--wait=false")
    result.milliseconds = (time.monotonic() - start) * 1000
    return result
