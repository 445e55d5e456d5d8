"""credprobe in the app's own container, by an image volume: the app gets no traffic before the verdict, and the pod's events
contain the verdict. Also a case that an init container cannot see: only the app's container is without credentials."""

import copy
import time

from cluster import Overdue, Refused, Unavailable
from results import Result
from stage import Stage, condition

TITLE = "Image volume: the startup probe of the app's own container"
MANIFEST = "image-volume.yaml"
CASES = ("trusted: the app becomes ready", "refused: unready, the event names the class", "the app's container is skipped")


def results(stage: Stage) -> list[Result]:
    try:
        runs(stage)
    except Unavailable as error:
        return [Result(case, not_run=str(error)) for case in CASES]
    stage.sts.trust("refused", False)
    return [
        row(stage, CASES[0], "volume-trusted", "checkout-reader", ready),
        row(stage, CASES[1], "volume-refused", "refused", told("access-denied 53")),
        row(stage, CASES[2], "volume-skipped", None, told("not-injected 10")),
    ]


def runs(stage: Stage) -> None:
    """Checks that the server keeps the volume, and that the runtime can execute a file of it."""
    name = "volume-runs"
    spec = of_manifest(stage, ["--version"])
    try:
        seen, _ = stage.cluster.tried(stage.pod(name, copy.deepcopy(spec)))
    except Refused as error:
        raise Unavailable(f"{stage.cluster.version} takes no image volume (1.31 on, by default from 1.35): {error}") from error
    if "image" not in seen["spec"]["volumes"][0]:
        raise Unavailable(f"{stage.cluster.version} drops image volumes (1.31 on, by default from 1.35)")
    stage.cluster.create(stage.pod(name, spec))

    def settled() -> str | None:
        if ready(stage, name):
            return "runs"
        # The runtime's own message when the kubelet starts the program.
        said = events(stage, name)
        return said if "permission denied" in said or "Failed to pull" in said else None

    said = stage.cluster.until("a program on an image volume runs", settled)
    if said != "runs":
        raise Unavailable(f"the container runtime runs nothing on an image volume: {said}")


def of_manifest(stage: Stage, arguments: list[str] | None = None) -> dict:
    """The shipped probe and volume around the tests' app."""
    spec = stage.manifest(MANIFEST)["spec"]["template"]["spec"]
    ((shipped,), (volume,)) = (spec["containers"], spec["volumes"])
    probe = {**shipped["startupProbe"], "periodSeconds": 1}
    program, *shipped_arguments = probe["exec"]["command"]
    probe["exec"] = {"command": [program, *(arguments or shipped_arguments)]}
    volume["image"]["reference"] = stage.images.probe
    if stage.images.policy:
        volume["image"]["pullPolicy"] = stage.images.policy
    return {"containers": [stage.images.app(startupProbe=probe, volumeMounts=shipped["volumeMounts"])], "volumes": [volume]}


def row(stage: Stage, case: str, name: str, role: str | None, look) -> Result:
    start = time.monotonic()
    result = Result(case, "as described")
    spec = of_manifest(stage)
    if role:
        stage.inject(spec, role)
    else:
        # This is how the webhook leaves a container that its annotation names; it does not know the service account.
        spec["serviceAccountName"] = "default"
        stage.lead(spec)
    stage.cluster.create(stage.pod(name, spec))
    try:
        stage.cluster.until(case, lambda: look(stage, name))
        result.got = "as described"
    except Overdue as error:
        result.problems.append(f"{error}: {events(stage, name)}")
    result.milliseconds = (time.monotonic() - start) * 1000
    return result


def ready(stage: Stage, name: str) -> bool:
    return condition(stage.cluster.get("pod", name, stage.namespace), "Ready").get("status") == "True"


def told(verdict: str):
    def look(stage: Stage, name: str) -> bool:
        (status,) = stage.cluster.get("pod", name, stage.namespace)["status"].get("containerStatuses") or [{}]
        # The container runs: this form delays traffic, not the start.
        unready = "running" in status.get("state", {}) and not status["started"]
        return unready and f"Startup probe failed: {verdict}" in events(stage, name)

    return look


def events(stage: Stage, name: str) -> str:
    where = [f"--namespace={stage.namespace}", f"--field-selector=involvedObject.name={name}", "--output=json"]
    return "\n".join(it.get("message", "") for it in stage.cluster.json("get", "events", *where)["items"])
