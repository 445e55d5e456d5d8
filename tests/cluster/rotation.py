"""A token of 600 seconds, which is the shortest: the kubelet replaces it, and `serve` sees that and exchanges the new one."""

import time

import pods
from results import Result
from stage import Stage, condition

TITLE = "Rotation of a token of 600 seconds"
NAME = "rotated"
# The kubelet renews a token at 80 % of its lifetime, with jitter, when it next syncs the pod.
SECONDS = 720


def begin(stage: Stage) -> float:
    """Starts the case, which runs beside all others. Returns when it began."""
    deployment = stage.deployment("native-sidecar.yaml", NAME, "rotation")
    pods.beside(deployment["spec"]["template"]["spec"])
    stage.cluster.create(deployment)
    return time.monotonic()


def results(stage: Stage, start: float) -> list[Result]:
    def tokens() -> list[str]:
        return list(dict.fromkeys(it["token_sha256"] for it in stage.sts.exchanges("rotation") if it["status"] == 200))

    left = max(30.0, SECONDS - (time.monotonic() - start))
    stage.cluster.until("STS has seen two tokens of one pod", lambda: len(tokens()) >= 2, left)
    result = Result("serve: two tokens exchanged, the pod ready", (2, "True"))
    result.milliseconds = (time.monotonic() - start) * 1000
    (pod,) = stage.pods_of(NAME)
    result.got = (len(tokens()), condition(pod, "Ready").get("status"))
    return [result]
