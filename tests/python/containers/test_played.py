"""The README's init container in front of an application, run by podman as a pod. What podman leaves to the kubelet is mounted
from host paths."""

import json
import re
from pathlib import Path

import pytest

from containers import podman
from containers.box import scenario
from containers.stage import TERMINATION_LOG, Open, Stage, judge_message
from lib.given import ROOT

README = ROOT / "README.md"
POD = "credprobe-played"
# podman 4.3 cannot fill these in. The namespace is the box's; credprobe runs without the others.
NOT_PODMANS = ("metadata.namespace", "metadata.uid", "spec.nodeName")
SCENARIOS = (("healthy", 0), ("access-denied", 53), ("token-file-missing", 20), ("not-injected", 10))


@pytest.mark.parametrize(("name", "code"), SCENARIOS)
def test_the_application_starts_behind_a_probe_that_is_content(name: str, code: int, stage: Stage) -> None:
    with stage.box(name) as opened:
        play(stage, opened, name, code)


def play(stage: Stage, opened: Open, name: str, code: int) -> None:
    box, engine = opened.box, stage.engine
    log = box.folder / "message"
    log.touch()
    log.chmod(0o666)
    manifest = box.folder / "pod.yaml"
    manifest.write_text(pod(opened, log))
    # A pod of podman's cannot join a network, but it can use its caller's.
    played = engine.run("kube", "play", "--network=host", manifest, inside=box.network)
    try:
        ran = engine.run("logs", f"{POD}-credprobe")
        opened.said += [played.stdout, played.stderr, ran.stdout, ran.stderr, log.read_text()]
        ended = engine.run("container", "inspect", "--format={{.State.ExitCode}}", f"{POD}-credprobe").stdout.strip()
        assert ended == str(code), f"{played}\n{ran}"
        judge_message(log.read_text(), scenario(name)["expect"]["class"], code)
        year = engine.run("container", "inspect", "--format={{.State.StartedAt.Year}}", f"{POD}-app").stdout.strip()
        assert (year not in ("", "1")) == (code == 0), f"started in the year {year}\n{played}"
    finally:
        engine.run("pod", "rm", "--force", "--time=0", POD)


def pod(opened: Open, log: Path) -> str:
    """The unchanged snippet, and around it what webhook and kubelet add, as the JSON subset of YAML."""
    box = opened.box
    mounts, volumes = [], []
    for number, (source, to) in enumerate([*box.volumes(), *box.settings(), (log, TERMINATION_LOG)]):
        kind = "Directory" if source.is_dir() else "File"
        mounts.append({"name": f"volume-{number}", "mountPath": to, "readOnly": to != TERMINATION_LOG})
        volumes.append({"name": f"volume-{number}", "hostPath": {"path": str(source), "type": kind}})
    variables = [{"name": name, "value": value} for name, value in box.environment.items() if name != "POD_NAME"]
    snippet = fitted(readme(), variables, mounts)
    app = {"name": "app", "image": podman.WITNESS, "command": ["/busybox", "true"], "imagePullPolicy": "Never"}
    # Otherwise podman removes the container as soon as it has succeeded.
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
