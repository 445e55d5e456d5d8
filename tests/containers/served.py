"""`serve` as a sidecar has it: /readyz over the pod's network, `status` as an exec probe, a token that goes and comes, the end on SIGTERM."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import podman
from box import Box
from results import Result
from stage import Open, Stage

TITLE = "serve, with status as exec probe"
NAME = "credprobe-served"
# The pod's own, as the sandbox has it: kubelet's probes come from outside of loopback.
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
# Contract 6: within a second; podman and runtime take theirs.
STOP = 3


def results(stage: Stage) -> list[Result]:
    found: list[Result] = []
    with stage.box("healthy", found) as opened, serving(stage, opened):
        found += asked(stage, opened, "healthy", 200, 0, "ready")
        dated = removed(opened.box)
        found += asked(stage, opened, "the token is gone", 503, 20, "token-file-missing")
        restored(opened.box, dated)
        found += asked(stage, opened, "the token is back", 200, 0, "ready")
        found.append(stopped(stage))
    with stage.box("access-denied", found) as opened, serving(stage, opened):
        found += asked(stage, opened, "access-denied", 503, 53, "access-denied")
        found.append(stopped(stage))
    return found


@contextmanager
def serving(stage: Stage, opened: Open) -> Iterator[None]:
    """Detached; what it said is kept for the leak scan."""
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


def asked(stage: Stage, opened: Open, case: str, ready: int, code: int, verdict: str) -> list[Result]:
    expected_body = f"{verdict} ({code})"
    (status, body), milliseconds = until(lambda: get(opened, "/readyz"), lambda it: it[0] == ready and expected_body in it[1])
    found = [Result(f"{case}: /readyz", ready, status, milliseconds)]
    if expected_body not in body:
        found[-1].problems.append(f"/readyz says {body!r}")
    found.append(Result(f"{case}: /livez", 200, get(opened, "/livez")[0]))
    start = time.monotonic()
    ran = stage.engine.run("exec", NAME, "/credprobe", "status")
    opened.said += [ran.stdout, ran.stderr]
    found.append(Result(f"{case}: credprobe status", code, ran.code, (time.monotonic() - start) * 1000))
    _, metrics = get(opened, "/metrics")
    shown = re.search(r"^credprobe_verdict_code(?:\{\})? (\d+)", metrics, re.MULTILINE)
    found.append(Result(f"{case}: credprobe_verdict_code", code, int(shown[1]) if shown else metrics[:200]))
    return found


def until(ask: Callable[[], tuple[int, str]], enough: Callable[[tuple[int, str]], bool]) -> tuple[tuple[int, str], float]:
    """The last answer, and after how many milliseconds it came."""
    start = time.monotonic()
    while True:
        answer = ask()
        waited = time.monotonic() - start
        if enough(answer) or waited > PATIENCE:
            return answer, waited * 1000
        time.sleep(0.1)


def get(opened: Open, path: str) -> tuple[int, str]:
    """Status and body; 0 while nobody listens."""
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
    """As kubelet swaps it: by a rename."""
    ((volume, _),) = box.volumes()
    (volume / "..data_tmp").symlink_to(dated)
    (volume / "..data_tmp").rename(volume / "..data")


def stopped(stage: Stage) -> Result:
    start = time.monotonic()
    ran = stage.engine.run("stop", "--time=10", NAME)
    seconds = time.monotonic() - start
    result = Result("SIGTERM", 0, stage.engine.inspect(NAME)["State"]["ExitCode"], seconds * 1000)
    if ran.code != 0 or seconds > STOP:
        result.problems.append(f"after {seconds:.1f} s\n{ran}")
    return result
