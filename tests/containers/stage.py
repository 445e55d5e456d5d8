"""What all cases share: an engine, boxes, and one way to run the image in a container and to look at what it left."""

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import podman
from box import Box
from results import Result

sys.path.append(str(Path(__file__).parents[1] / "python" / "lib"))
import leaks  # noqa: E402

TERMINATION_LOG = "/dev/termination-log"
# Contract 2.
LONGEST_MESSAGE = 1024


@dataclass
class Left:
    """By one container."""

    ran: podman.Ran
    message: str
    milliseconds: float

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
    def box(self, scenario: str, results: list[Result]) -> Iterator[Open]:
        """Afterwards nothing that its containers said may hold a part of a secret."""
        folder = self.folder / f"{next(self.numbers)}-{scenario}"
        folder.mkdir()
        box = Box(self.sandbox, self.folder, scenario, folder)
        opened = Open(box)
        with box:
            yield opened
        where = leaks.find(box.record()["secrets"], "\n".join(opened.said))
        if where and results:
            results[-1].problems.append(f"{where} of what the containers of {scenario} said")

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
        start = time.monotonic()
        ran = self.engine.run(*command, *options, podman.IMAGE, *arguments)
        milliseconds = (time.monotonic() - start) * 1000
        message = log.read_text()
        opened.said += [ran.stdout, ran.stderr, message]
        return Left(ran, message, milliseconds)


def judged(case: str, left: Left, code: int, verdict: str | None) -> Result:
    """Exit code, report and termination message say the same."""
    result = Result(case, code, left.ran.code, left.milliseconds)
    try:
        report = left.report()
    except ValueError:
        result.problems.append(f"no report\n{left.ran}")
        return result
    got = report["verdict"]["class"]
    if verdict and got != verdict:
        result.problems.append(f"the report says {got}, expected {verdict}")
    if report["exit_code"] != left.ran.code:
        result.problems.append(f"the report says exit code {report['exit_code']}")
    if result.got != result.expected:
        result.problems.append(f"{report['verdict']['summary']}\n{left.ran.stderr}")
    if problem := message_problem(left.message, got, report["verdict"]["code"]):
        result.problems.append(problem)
    return result


def message_problem(message: str, verdict: str, code: int) -> str | None:
    line = message.removesuffix("\n")
    if not line.startswith(f"{verdict} ({code}): ") or "\n" in line or len(message.encode()) > LONGEST_MESSAGE:
        return f"the termination message is {message!r}"
    return None
