"""What the runtime really closes, as busybox sees it from inside under the same settings; and what the image does without a network."""

import re

import pytest

from containers import podman
from containers.stage import Stage
from lib.programs import Ran

# From /proc/self/status. No other test would show how credprobe behaves under the default seccomp profile.
EXPECTED = {"Uid": "65532", "Gid": "65532", "CapPrm": "0", "CapEff": "0", "CapBnd": "0", "CapAmb": "0", "NoNewPrivs": "1", "Seccomp": "2"}


def busybox(stage: Stage, *command: str) -> Ran:
    user = stage.engine.must("image", "inspect", "--format={{.User}}", podman.IMAGE)
    options = [*podman.RESTRICTED, "--network=none", f"--user={user}"]
    return stage.engine.run("run", "--rm", *options, podman.WITNESS, "/busybox", *command)


def test_the_runtime_closes_what_it_is_told_to(stage: Stage) -> None:
    ran = busybox(stage, "cat", "/proc/self/status")
    lines = dict(re.findall(r"^(\w+):\s*(\S+)", ran.stdout, re.MULTILINE))
    found = {name: lines.get(name, "?") for name in EXPECTED}
    found |= {name: str(int(value, 16)) for name, value in found.items() if name.startswith("Cap") and value != "?"}
    assert found == EXPECTED, ran


def test_no_file_in_the_root_directory(stage: Stage) -> None:
    ran = busybox(stage, "touch", "/file")
    assert ran.code == 1 and "Read-only file system" in ran.stderr, ran


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--version"], 0, "credprobe "),
        (["explain", "53"], 0, "# access-denied 53: "),
        # Without arguments it runs `check`; nothing is injected here.
        ([], 10, "# ✗ not-injected 10: "),
        (["check", "--no-such-flag"], 2, ""),
    ],
    ids=["version", "explain", "nothing said", "unknown flag"],
)
def test_the_image_by_itself(arguments: list[str], code: int, text: str, stage: Stage) -> None:
    ran = stage.engine.run("run", "--rm", *podman.RESTRICTED, "--network=none", podman.IMAGE, *arguments)
    assert ran.code == code and ran.stdout.startswith(text), ran
