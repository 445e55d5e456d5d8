"""The sandbox's own image: the whole box in one container, as someone without Rust tries it."""

import time

import podman
from box import scenario
from results import Result
from stage import Stage

TITLE = "The sandbox's image"
# For namespaces, mounts and the addresses on lo; AppArmor's usual profile forbids mounts.
RIGHTS = ["--cap-add=SYS_ADMIN,NET_ADMIN", "--security-opt=apparmor=unconfined"]
NAMES = ("healthy", "access-denied", "pod-identity-association-missing", "target-found")


def results(stage: Stage) -> list[Result]:
    found = []
    for name in NAMES:
        settings = scenario(name)
        start = time.monotonic()
        command = ["--pod=always", f"--scenario={name}", "--", "/credprobe", "check", *settings.get("args", [])]
        ran = stage.engine.run("run", "--rm", "--network=none", *RIGHTS, podman.SANDBOX, *command)
        milliseconds = (time.monotonic() - start) * 1000
        expect = settings["expect"]
        result = Result(name, expect["exit_code"], ran.code, milliseconds)
        if not ran.stdout.startswith(f"{expect['class']} ({expect['exit_code']}): "):
            result.problems.append(str(ran))
        found.append(result)
    return found
