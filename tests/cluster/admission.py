"""The admission policies: how a pod looks after them, and what they print. The pods are tried with a dry run, not made."""

import copy
import time

from cluster import Unavailable
from results import Result
from stage import MANIFESTS, Stage

TITLE = "Admission policies"
LABEL = {"credprobe.dev/inject": "true"}
WARNED = "webhook-skipped.yaml: warns of a pod without variables, not of one with"
INJECTED = "mutating-admission-policy.yaml: puts the init container first"


def results(stage: Stage) -> list[Result]:
    return [row(stage, WARNED, "webhook-skipped.yaml", warned), row(stage, INJECTED, "mutating-admission-policy.yaml", injected)]


def row(stage: Stage, case: str, manifest: str, look) -> Result:
    start = time.monotonic()
    try:
        objects = stage.cluster.read(MANIFESTS / "admission" / manifest)
    except Unavailable as error:
        return Result(case, not_run=str(error))
    name = f"{manifest.removesuffix('.yaml')}.{stage.namespace}.credprobe.dev"
    for it in objects:
        it["metadata"]["name"] = name
        if "policyName" in it["spec"]:
            it["spec"]["policyName"] = name
            own = {"kubernetes.io/metadata.name": stage.namespace}
            it["spec"]["matchResources"] = {"namespaceSelector": {"matchLabels": own}}
        stage.cluster_wide.append((it["kind"], name))
        stage.cluster.create(it)
    result = Result(case, "as described")
    # A policy is in force some seconds after it is made.
    result.got = stage.cluster.until(f"{manifest} is in force", lambda: look(stage), 30)
    result.milliseconds = (time.monotonic() - start) * 1000
    return result


def labelled(stage: Stage, spec: dict) -> dict:
    return stage.pod("tried", {"serviceAccountName": "default", **spec}, labels=LABEL)


def warned(stage: Stage) -> str | None:
    spec = {"containers": [stage.images.app()]}
    _, without = stage.cluster.tried(labelled(stage, copy.deepcopy(spec)))
    stage.inject(spec, mode=0o644)
    _, injected = stage.cluster.tried(labelled(stage, spec))
    return "as described" if "not-injected" in without and "not-injected" not in injected else None


def injected(stage: Stage) -> str | None:
    app = stage.images.app(name="first")
    # A quota on limits.cpu would require this of each container.
    app["resources"] = {"limits": {"cpu": "100m", "memory": "64Mi"}}
    app["securityContext"] = {**app["securityContext"], "runAsUser": 1000, "runAsNonRoot": True}
    seen, _ = stage.cluster.tried(labelled(stage, {"initContainers": [app], "containers": [{**app, "name": "app"}]}))
    probe = seen["spec"]["initContainers"][0]
    bare, _ = stage.cluster.tried(stage.pod("tried", {"containers": [app]}))
    took = probe.get("securityContext", {})
    right = probe["name"] == "credprobe" and took.get("runAsUser") == 1000 and took.get("runAsNonRoot") is True
    right = right and probe["resources"] == seen["spec"]["containers"][0]["resources"]
    return "as described" if right and not bare["spec"].get("initContainers") else None
