"""Pod Security's level `restricted`: it admits the manifest that is made for it, which then runs, and refuses the other one."""

import time

import pods
from cluster import Refused
from results import Result
from stage import Stage

TITLE = "Pod Security level restricted"
NAME = "restricted"


def results(stage: Stage) -> list[Result]:
    cases = ("init-container-restricted.yaml: admitted and rolled out", "init-container.yaml: refused")
    if not enforced(stage):
        why = f"{stage.cluster.version} admits a privileged pod into a namespace with level restricted (PodSecurity, 1.23 on)"
        return [Result(case, not_run=why) for case in cases]
    start = time.monotonic()
    made = stage.deployment("init-container-restricted.yaml", NAME, "checkout-reader", stage.restricted)
    # The sandbox's image names no user; an application's image does.
    made["spec"]["template"]["spec"]["securityContext"]["runAsUser"] = pods.IMAGE_USER
    # Every role trusts service accounts of the other namespace, so the probe only has to run here.
    made["spec"]["template"]["spec"]["initContainers"][0]["args"] = ["check", "--report-only"]
    stage.cluster.create(made)
    done, said = stage.rolled_out(NAME, 60, stage.restricted)
    rows = [Result(cases[0], "done", "done" if done else said, (time.monotonic() - start) * 1000)]
    other = stage.deployment("init-container.yaml", "unrestricted", "checkout-reader", stage.restricted)
    rows.append(Result(cases[1], "refused", admitted(stage, other["spec"]["template"]["spec"])))
    return rows


def admitted(stage: Stage, spec: dict) -> str:
    pod = stage.pod("tried", spec)
    pod["metadata"]["namespace"] = stage.restricted
    try:
        stage.cluster.tried(pod)
    except Refused as error:
        if "violates PodSecurity" in str(error):
            return "refused"
        raise
    return "admitted"


def enforced(stage: Stage) -> bool:
    privileged = stage.images.app(securityContext={"privileged": True})
    return admitted(stage, {"serviceAccountName": "default", "containers": [privileged]}) == "refused"
