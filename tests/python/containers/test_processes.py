"""Two containers in one PID namespace, as `kubectl debug --target` makes them: first the application, and the probe beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from containers import podman
from containers.box import OWN
from containers.stage import Open, Stage, judge
from containers.test_files import DEFAULT, DROPPED

TARGET = "credprobe-target"
READY = (0, "ready")
INCONCLUSIVE = (3, "inconclusive")


@dataclass
class Case:
    name: str
    user: str
    expected: tuple[int, str]
    rights: list[str]
    options: tuple[str, ...] = ()


CASES = (
    Case("the same user and group", "1000:1000", READY, DROPPED),
    Case("the same user, gid 0", "1000:0", INCONCLUSIVE, DROPPED),
    Case("the image's user", "65532:65532", INCONCLUSIVE, DROPPED),
    Case("the image's user, SYS_PTRACE added", "65532:65532", INCONCLUSIVE, DROPPED, ("--cap-add=SYS_PTRACE",)),
    Case("root, all capabilities dropped", "0:0", INCONCLUSIVE, DROPPED),
    Case("root with SYS_PTRACE", "0:0", READY, DEFAULT, ("--cap-add=SYS_PTRACE",)),
)


@pytest.fixture(scope="module")
def opened(stage: Stage) -> Iterator[Open]:
    with stage.box("healthy") as opened, application(stage, opened):
        yield opened


@pytest.mark.parametrize("case", CASES, ids=lambda it: it.name)
def test_who_can_look_into_the_application(case: Case, stage: Stage, opened: Open) -> None:
    # It gets nothing of the application, and the box's CA instead of the public roots.
    environment = {"SSL_CERT_FILE": f"/{OWN}/ca.pem"}
    options = [f"--pid=container:{TARGET}", f"--user={case.user}", *case.options]
    settings = {"environment": environment, "volumes": [], "rights": case.rights}
    left = stage.run(opened, ["check", "--target-pid=auto", "--output=json"], *options, **settings)
    assert judge(left, *case.expected)["subject"]["source"] == "target-pid", "the report is not about the application"


@contextmanager
def application(stage: Stage, opened: Open) -> Iterator[None]:
    """An application of user 1000, with a token that only this user can read."""
    box = opened.box
    ((volume, at),) = box.volumes()
    token = volume / "..data" / "token"
    os.chown(token, 1000, 0)
    token.chmod(0o600)
    mounts = [f"--volume={source}:{to}:ro" for source, to in [(volume, at), *box.settings()]]
    variables = [f"--env={name}={value}" for name, value in box.environment.items()]
    command = ["run", "--detach", f"--name={TARGET}", *DROPPED, "--user=1000:1000", f"--network=ns:{box.network}"]
    stage.engine.must(*command, *mounts, *variables, podman.WITNESS, "/busybox", "sleep", "600")
    try:
        yield
    finally:
        stage.engine.run("rm", "--force", "--time=0", TARGET)
