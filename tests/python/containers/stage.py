"""What all cases share: an engine, boxes, and one way to run the image in a container and to read its output."""

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from containers import podman
from containers.box import Box
from lib import leaks
from lib.programs import Ran

TERMINATION_LOG = "/dev/termination-log"
# The room that a pod of twelve containers has for each message.
LONGEST_MESSAGE = 1024


@dataclass
class Left:
    """What one container left."""

    ran: Ran
    message: str

    def report(self) -> dict:
        return json.loads(self.ran.stdout)


@dataclass
class Open:
    """A box, and everything that its containers printed."""

    box: Box
    said: list[str] = field(default_factory=list)


class Stage:
    def __init__(self, engine: podman.Podman, sandbox: str, folder: Path):
        self.engine, self.sandbox, self.folder = engine, sandbox, folder
        self.numbers = itertools.count(1)
        # The containers' users need to enter it.
        folder.chmod(0o755)

    @contextlib.contextmanager
    def box(self, scenario: str) -> Iterator[Open]:
        """Opens a box. After it is closed, nothing that its containers printed may contain a part of a secret."""
        folder = self.folder / f"{next(self.numbers)}-{scenario}"
        folder.mkdir()
        box = Box(self.sandbox, self.folder, scenario, folder)
        opened = Open(box)
        with box:
            yield opened
        where = leaks.find(box.record()["secrets"], "\n".join(opened.said))
        assert where is None, f"{where} of what the containers of {scenario} said"

    def run(
        self,
        opened: Open,
        arguments: list[str],
        *options: str,
        environment: dict[str, str] | None = None,
        volumes: list[tuple[Path, str]] | None = None,
        rights: list[str] = podman.RESTRICTED,
    ) -> Left:
        """Runs a container to its end, by default with the pod's variables and volumes."""
        box = opened.box
        # Like the kubelet's: each container has its own file, writable by every user.
        log = box.folder / f"message-{next(self.numbers)}"
        log.touch()
        log.chmod(0o666)
        mounts = box.volumes() if volumes is None else volumes
        mounts = [f"--volume={at}:{to}:ro" for at, to in [*mounts, *box.settings()]]
        variables = box.environment if environment is None else environment
        command = ["run", "--rm", *rights, f"--network=ns:{box.network}", *mounts]
        command += [f"--volume={log}:{TERMINATION_LOG}:rw", *(f"--env={name}={value}" for name, value in variables.items())]
        ran = self.engine.run(*command, *options, podman.IMAGE, *arguments)
        message = log.read_text()
        opened.said += [ran.stdout, ran.stderr, message]
        return Left(ran, message)


def judge(left: Left, code: int, verdict: str) -> dict:
    """Checks that exit code, report and termination message agree. Returns the report."""
    assert left.ran.code == code, left.ran
    report = left.report()
    assert (report["verdict"]["class"], report["exit_code"]) == (verdict, code), left.ran
    judge_message(left.message, verdict, report["verdict"]["code"])
    return report


def judge_message(message: str, verdict: str, code: int) -> None:
    # One line for a plain `ready`, else at most three.
    assert message.startswith((f"{verdict} {code}: ", f"{verdict} {code}, but ")) and message.count("\n") <= 2, message
    assert len(message.encode()) <= LONGEST_MESSAGE
