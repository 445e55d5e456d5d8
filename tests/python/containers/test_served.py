"""`serve` in a sidecar: /readyz over the pod's network, `status` as an exec probe, a token that disappears and returns, the end
on SIGTERM."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from containers import podman
from containers.box import Box
from containers.stage import Open, Stage

NAME = "credprobe-served"
# The pod's own address in the sandbox, because the kubelet's probes do not come from loopback.
AT = ("10.0.3.17", "9809")
GET = """\
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=5)
connection.request("GET", sys.argv[3])
answer = connection.getresponse()
print(answer.status, answer.read().decode(), sep="\\n", end="")
"""
# In seconds: an interval, an exchange, and a busy machine.
PATIENCE = 20
# credprobe promises one second; podman and the runtime take some time too.
STOP = 3


def test_a_token_that_goes_and_comes(stage: Stage) -> None:
    with stage.box("healthy") as opened, serving(stage, opened):
        ask(stage, opened, 200, 0, "ready")
        dated = removed(opened.box)
        ask(stage, opened, 503, 20, "token-file-missing")
        restored(opened.box, dated)
        ask(stage, opened, 200, 0, "ready")
        stop(stage)


def test_a_refusal(stage: Stage) -> None:
    with stage.box("access-denied") as opened, serving(stage, opened):
        ask(stage, opened, 503, 53, "access-denied")
        stop(stage)


@contextmanager
def serving(stage: Stage, opened: Open) -> Iterator[None]:
    """Runs it detached. Its output is kept for the leak scan."""
    box = opened.box
    mounts = [f"--volume={source}:{to}:ro" for source, to in [*box.volumes(), *box.settings()]]
    variables = [f"--env={name}={value}" for name, value in box.environment.items()]
    command = ["run", "--detach", f"--name={NAME}", *podman.RESTRICTED, f"--network=ns:{box.network}", *mounts, *variables]
    stage.engine.must(*command, podman.IMAGE, "serve", "--interval=1s")
    try:
        yield
    finally:
        logs = stage.engine.run("logs", NAME)
        opened.said += [logs.stdout, logs.stderr]
        stage.engine.run("rm", "--force", "--time=0", NAME)


def ask(stage: Stage, opened: Open, ready: int, code: int, verdict: str) -> None:
    """Checks that all who can be asked give the same answer."""
    status, body = until(lambda: get(opened, "/readyz"), lambda it: it[0] == ready and f"{verdict} {code}" in it[1])
    assert status == ready and f"{verdict} {code}" in body, (status, body)
    assert get(opened, "/livez")[0] == 200
    ran = stage.engine.run("exec", NAME, "/credprobe", "status")
    opened.said += [ran.stdout, ran.stderr]
    assert ran.code == code, ran
    _, metrics = get(opened, "/metrics")
    assert re.findall(r"^credprobe_verdict_code(?:\{\})? (\d+)", metrics, re.MULTILINE) == [str(code)]


def until(ask: Callable[[], tuple[int, str]], enough: Callable[[tuple[int, str]], bool]) -> tuple[int, str]:
    """The last answer."""
    start = time.monotonic()
    while not enough(answer := ask()) and time.monotonic() - start < PATIENCE:
        time.sleep(0.1)
    return answer


def get(opened: Open, path: str) -> tuple[int, str]:
    """Status and body; status 0 while nobody listens."""
    command = ["nsenter", f"--net={opened.box.network}", "--", sys.executable, "-I", "-c", GET, *AT, path]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    status, _, body = done.stdout.partition("\n")
    opened.said.append(body)
    return int(status or 0), body


def removed(box: Box) -> str:
    ((volume, _),) = box.volumes()
    dated = os.readlink(volume / "..data")
    (volume / "..data").unlink()
    return dated


def restored(box: Box, dated: str) -> None:
    """Swaps the volume as the kubelet does: by a rename."""
    ((volume, _),) = box.volumes()
    (volume / "..data_tmp").symlink_to(dated)
    (volume / "..data_tmp").rename(volume / "..data")


def stop(stage: Stage) -> None:
    start = time.monotonic()
    ran = stage.engine.run("stop", "--time=10", NAME)
    seconds = time.monotonic() - start
    assert ran.code == 0 and seconds < STOP, f"after {seconds:.1f} s\n{ran}"
    assert stage.engine.inspect(NAME)["State"]["ExitCode"] == 0
