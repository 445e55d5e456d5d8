"""The recipes R1, R2 and R3 and the plugin in a running pod, as in manifests/debug/README.md."""

import os
import time

from cluster import PATIENCE
from results import Result
from stage import MANIFESTS, Stage, condition, ended

TITLE = "Debug recipes: a running application of user 1000, judged from beside it"
NAME = "debugged"
USER = {"runAsUser": 1000, "runAsGroup": 1000}
RECIPES = MANIFESTS / "debug"
CASES = ("plugin (R1)", "R2", "R3", "plugin (R1) after IAM has changed its mind")


def results(stage: Stage) -> list[Result]:
    resource = stage.cluster.serves("pods/ephemeralcontainers")
    if not resource or resource["kind"] != "Pod":
        why = f"{stage.cluster.version} takes no debug container from kubectl (ephemeral containers as part of the pod, 1.22 on)"
        return [Result(case, not_run=why) for case in CASES]
    spec = {"containers": [stage.images.app()], "securityContext": USER}
    stage.inject(spec, "refused")
    stage.sts.trust("refused", True)
    stage.cluster.create(stage.pod(NAME, spec))
    ready = lambda: condition(stage.cluster.get("pod", NAME, stage.namespace), "Ready").get("status") == "True"  # noqa: E731
    stage.cluster.until("the application runs", ready)
    found = [plugin(stage, CASES[0], 0)]
    for case, number, profile, file in ((CASES[1], 2, "restricted", "profile-r2.json"), (CASES[2], 3, "general", "profile-r3.json")):
        found.append(recipe(stage, case, f"credprobe-{number}", profile, file))
    stage.sts.trust("refused", False)
    return [*found, plugin(stage, CASES[3], 53)]


def plugin(stage: Stage, case: str, code: int) -> Result:
    start = time.monotonic()
    where = [NAME, f"--namespace={stage.namespace}", f"--image={stage.images.probe}"]
    # `make kubectl` builds it, and the make targets that run this name it.
    done = stage.cluster.run(*where, path=os.environ["CREDPROBE_KUBECTL_BIN"], limit=PATIENCE)
    result = Result(case, code, done.returncode, (time.monotonic() - start) * 1000)
    if result.got != code or (code == 0) != ("ready" in done.stdout.splitlines()[:1][0]):
        result.problems.append(done.stdout + done.stderr)
    return result


def recipe(stage: Stage, case: str, name: str, profile: str, file: str) -> Result:
    start = time.monotonic()
    command = ["debug", NAME, f"--namespace={stage.namespace}", "-c", name, f"--image={stage.images.probe}", f"--profile={profile}"]
    command += [f"--custom={RECIPES / file}", "--target=app", "--attach", "--arguments-only", "--", "check", "--target-pid=auto"]
    done = stage.cluster.run(*command, limit=PATIENCE)

    def look() -> dict | None:
        status = stage.cluster.get("pod", NAME, stage.namespace)["status"]
        return ended(status.get("ephemeralContainerStatuses"), name)

    how = stage.cluster.until(f"debug container {name} has ended ({done.stderr.strip()})", look)
    result = Result(case, 0, how["exitCode"], (time.monotonic() - start) * 1000)
    if result.got != 0:
        result.problems.append(stage.cluster.run("logs", NAME, f"--namespace={stage.namespace}", "-c", name).stdout)
    return result
