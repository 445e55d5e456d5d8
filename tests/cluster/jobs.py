"""Jobs: a permanent failure ends a Job at once, a transient one costs no try; and restarts in place."""

import time

import pods
from results import Result
from stage import Stage, ended

TITLE = "Jobs"
# Instead of half a minute of retries, because these cases do not heal.
QUICK = ["check", "--tolerate=probe"]


def results(stage: Stage) -> list[Result]:
    rows = [
        row("job.yaml: access-denied ends it at once", stage, "job.yaml", "podFailurePolicy", "1.26 on", denied),
        row("job.yaml: connect-refused costs no try", stage, "job.yaml", "podFailurePolicy", "1.26 on", unreachable),
        row("restart-rules.yaml: connect-refused restarts in place", stage, "restart-rules.yaml", "restartPolicyRules", "1.34 on", restarted),
    ]
    return rows


def row(case: str, stage: Stage, manifest: str, field: str, since: str, run) -> Result:
    start = time.monotonic()
    name = f"job-{run.__name__}"
    made = pods.placed(stage.manifest(manifest), stage.namespace, name, stage.images)
    seen, _ = stage.cluster.tried(made)
    containers = seen["spec"]["template"]["spec"].get("initContainers", [{}])
    if field not in seen["spec"] and field not in containers[0]:
        return Result(case, not_run=f"{stage.cluster.version} drops {field} ({since})")
    spec = made["spec"]["template"]["spec"]
    spec["initContainers"][0]["args"] = QUICK
    result: Result = run(stage, made, Result(case))
    result.milliseconds = (time.monotonic() - start) * 1000
    stage.cluster.must("delete", "job", name, f"--namespace={stage.namespace}", "--wait=false")
    return result


def denied(stage: Stage, made: dict, result: Result) -> Result:
    stage.sts.trust("refused", False)
    stage.inject(made["spec"]["template"]["spec"], "refused")
    stage.cluster.create(made)
    name = made["metadata"]["name"]

    def failed() -> dict | None:
        conditions = stage.cluster.get("job", name, stage.namespace)["status"].get("conditions", [])
        return next((it for it in conditions if it["type"] == "Failed" and it["status"] == "True"), None)

    reason = stage.cluster.until("the Job has failed", failed)["reason"]
    result.expected, result.got = ("PodFailurePolicy", 1), (reason, len(of_job(stage, name)))
    return result


def unreachable(stage: Stage, made: dict, result: Result) -> Result:
    closed(stage, made)
    name = made["metadata"]["name"]
    # There are more failures than tries.
    stage.cluster.until("five pods have failed", lambda: len(of_job(stage, name)) >= 5, 240)
    job = stage.cluster.get("job", name, stage.namespace)
    result.expected, result.got = (0, []), (job["status"].get("failed", 0), job["status"].get("conditions", []))
    return result


def restarted(stage: Stage, made: dict, result: Result) -> Result:
    closed(stage, made)
    name = made["metadata"]["name"]

    def twice() -> list | None:
        found = of_job(stage, name)
        statuses = [it["status"].get("initContainerStatuses") for it in found]
        if found and statuses[0] and statuses[0][0]["restartCount"] >= 2:
            return [len(found), (ended(statuses[0], "credprobe") or {}).get("exitCode")]
        return None

    result.expected, result.got = [1, 41], stage.cluster.until("the init container was restarted twice", twice)
    return result


def closed(stage: Stage, made: dict) -> None:
    spec = made["spec"]["template"]["spec"]
    stage.inject(spec)
    spec["hostAliases"][0]["ip"] = "127.0.0.1"
    stage.cluster.create(made)


def of_job(stage: Stage, name: str) -> list[dict]:
    return stage.pods_of(name, label="job-name")
