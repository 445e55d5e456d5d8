"""What the runtime really closes, seen from inside by busybox under the same settings; and what the image does without a network."""

import re

import podman
from results import Result
from stage import Stage

TITLE = "The container is closed, and the image enough by itself"
# Of /proc/self/status.
EXPECTED = {"Uid": "65532", "Gid": "65532", "CapPrm": "0", "CapEff": "0", "CapBnd": "0", "CapAmb": "0", "NoNewPrivs": "1", "Seccomp": "2"}


def results(stage: Stage) -> list[Result]:
    return [*status(stage), root(stage), *alone(stage)]


def status(stage: Stage) -> list[Result]:
    ran = busybox(stage, "cat", "/proc/self/status")
    lines = dict(re.findall(r"^(\w+):\s*(\S+)", ran.stdout, re.MULTILINE))
    found = []
    for name, expected in EXPECTED.items():
        got = lines.get(name, "?")
        got = str(int(got, 16)) if name.startswith("Cap") and got != "?" else got
        result = Result(f"/proc/self/status {name}", expected, got)
        if name == "Seccomp" and got != expected:
            print("\nTHE DEFAULT SECCOMP PROFILE IS NOT APPLIED HERE: nothing below says how credprobe does under it\n")
        found.append(result)
    return found


def root(stage: Stage) -> Result:
    ran = busybox(stage, "touch", "/file")
    result = Result("a file in the root directory", 1, ran.code)
    if "Read-only file system" not in ran.stderr:
        result.problems.append(str(ran))
    return result


def busybox(stage: Stage, *command: str) -> podman.Ran:
    user = stage.engine.must("image", "inspect", "--format={{.User}}", podman.IMAGE)
    options = [*podman.RESTRICTED, "--network=none", f"--user={user}"]
    return stage.engine.run("run", "--rm", *options, podman.WITNESS, "/busybox", *command)


def alone(stage: Stage) -> list[Result]:
    """By the image's own settings; `check` is what it does when nothing is said."""
    found = []
    for case, arguments, code, text in (
        ("--version", ["--version"], 0, "credprobe "),
        ("explain 53", ["explain", "53"], 0, "access-denied"),
        ("no arguments, no network, nothing injected", [], 10, "not-injected (10)"),
        ("an unknown flag", ["check", "--no-such-flag"], 2, ""),
    ):
        ran = stage.engine.run("run", "--rm", *podman.RESTRICTED, "--network=none", podman.IMAGE, *arguments)
        result = Result(case, code, ran.code)
        if not ran.stdout.startswith(text):
            result.problems.append(str(ran))
        found.append(result)
    return found
