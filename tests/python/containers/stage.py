"""What all cases share: an engine, boxes, and one way to run the image in a container and to look at what it left."""

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
# What a pod of twelve containers has room for.
LONGEST_MESSAGE = 1024


@dataclass
class Left:
    """By one container."""

    ran: Ran
    message: str

    def report(self) -> dict:
        return json.loads(self.ran.stdout)


@dataclass
class Open:
    """A box, and all that was said in it."""

    box: Box
    said: list[str] = field(default_factory=list)


class Stage:
    def __init__(self, engine: podman.Podman, sandbox: str, folder: Path):
        self.engine, self.sandbox, self.folder = engine, sandbox, folder
        self.numbers = itertools.count(1)
        # Searched by the containers' users.
        folder.chmod(0o755)

    @contextlib.contextmanager
    def box(self, scenario: str) -> Iterator[Open]:
        """Afterwards nothing that its containers said may hold a part of a secret."""
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
        """To its end; with the pod's variables and volumes where no others are given."""
        box = opened.box
        # As kubelet makes it: a file of each container's own, for every user.
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
    """Exit code, report and termination message say the same; the report."""
    assert left.ran.code == code, left.ran
    report = left.report()
    assert (report["verdict"]["class"], report["exit_code"]) == (verdict, code), left.ran
    judge_message(left.message, verdict, report["verdict"]["code"])
    return report


def judge_message(message: str, verdict: str, code: int) -> None:
    # Of a plain `ready` one line.
    assert message.startswith((f"{verdict} {code}: ", f"{verdict} {code}, but ")) and message.count("\n") <= 2, message
    assert len(message.encode()) <= LONGEST_MESSAGE
