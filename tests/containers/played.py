"""The README's init container before an application, played by podman as a pod. What podman leaves to kubelet is given as host paths."""

import json
import re
import time
from pathlib import Path

import podman
from box import scenario
from results import Result
from stage import TERMINATION_LOG, Open, Stage, message_problem

TITLE = "The README's init container, by podman kube play"
README = Path(__file__).parents[2] / "README.md"
POD = "credprobe-played"
# What podman 4.3 cannot fill in; the namespace is the box's, without the others credprobe does.
NOT_PODMANS = ("metadata.namespace", "metadata.uid", "spec.nodeName")
SCENARIOS = (("healthy", 0), ("access-denied", 53), ("token-file-missing", 20), ("not-injected", 10))


def results(stage: Stage) -> list[Result]:
    found: list[Result] = []
    for name, code in SCENARIOS:
        with stage.box(name, found) as opened:
            found.append(result(stage, opened, name, code))
    return found


def result(stage: Stage, opened: Open, name: str, code: int) -> Result:
    box, engine = opened.box, stage.engine
    log = box.folder / "message"
    log.touch()
    log.chmod(0o666)
    manifest = box.folder / "pod.yaml"
    manifest.write_text(pod(opened, log))
    start = time.monotonic()
    # A pod of podman's cannot join a network, but it can have its caller's.
    played = engine.run("kube", "play", "--network=host", manifest, inside=box.network)
    milliseconds = (time.monotonic() - start) * 1000
    try:
        try:
            init = engine.inspect(f"{POD}-credprobe")
        except podman.Unavailable:
            return Result(name, code, problems=[f"podman made no such container\n{played}"])
        ran = engine.run("logs", f"{POD}-credprobe")
        opened.said += [played.stdout, played.stderr, ran.stdout, ran.stderr, log.read_text()]
        it = Result(name, code, init["State"]["ExitCode"], milliseconds)
        verdict = scenario(name)["expect"]["class"]
        if problem := message_problem(log.read_text(), verdict, code):
            it.problems.append(f"{problem}\n{ran}\n{played}")
        # The application starts behind a probe that is content, and only there.
        started = engine.run("container", "inspect", "--format={{.State.StartedAt.Year}}", f"{POD}-app").stdout.strip() not in ("", "1")
        if started != (code == 0):
            it.problems.append(f"the application was {'' if started else 'not '}started\n{played}")
    finally:
        engine.run("pod", "rm", "--force", "--time=0", POD)
    return it


def pod(opened: Open, log: Path) -> str:
    """The snippet as it stands, and around it what webhook and kubelet add, in YAML's JSON."""
    box = opened.box
    mounts, volumes = [], []
    for number, (source, to) in enumerate([*box.volumes(), *box.settings(), (log, TERMINATION_LOG)]):
        kind = "Directory" if source.is_dir() else "File"
        mounts.append({"name": f"volume-{number}", "mountPath": to, "readOnly": to != TERMINATION_LOG})
        volumes.append({"name": f"volume-{number}", "hostPath": {"path": str(source), "type": kind}})
    variables = [{"name": name, "value": value} for name, value in box.environment.items() if name != "POD_NAME"]
    snippet = fitted(readme(), variables, mounts)
    app = {"name": "app", "image": podman.WITNESS, "command": ["/busybox", "true"], "imagePullPolicy": "Never"}
    # Otherwise podman removes the container as soon as it has ended well.
    kept = {"io.podman.annotations.init.container.type": "always"}
    head = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD, "namespace": "shop", "annotations": kept}}
    lines = [f"{key}: {json.dumps(value)}" for key, value in head.items()]
    after = {"hostNetwork": True, "restartPolicy": "Never", "containers": [app], "volumes": volumes}
    return "\n".join([*lines, snippet, *(f"  {key}: {json.dumps(value)}" for key, value in after.items())]) + "\n"


def readme() -> str:
    return re.search(r"^## In a pod\n\n(?:<!-- .*? -->\n)?```yaml\n(.*?)\n```$", README.read_text(), re.MULTILINE | re.DOTALL)[1]


def fitted(snippet: str, variables: list[dict], mounts: list[dict]) -> str:
    lines = []
    for line in snippet.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        if any(path in line for path in NOT_PODMANS):
            continue
        if line.strip().startswith("image:"):
            line = f"{indent}image: {podman.IMAGE}\n{indent}imagePullPolicy: Never\n{indent}volumeMounts: {json.dumps(mounts)}"
        if line.strip() == "env:":
            line = "\n".join([line, *(f"{indent}  - {json.dumps(it)}" for it in variables)])
        lines.append(line)
    return "\n".join(lines)
