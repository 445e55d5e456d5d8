"""The sandbox's own image: the whole simulation in one container, as somebody without Rust tries it."""

import pytest

from containers import podman
from containers.box import scenario
from containers.stage import Stage

# For namespaces, mounts and the addresses on lo. AppArmor's usual profile forbids mounts.
RIGHTS = ["--cap-add=SYS_ADMIN,NET_ADMIN", "--security-opt=apparmor=unconfined"]


@pytest.mark.parametrize("name", ["healthy", "access-denied", "pod-identity-association-missing", "target-found"])
def test_scenario(name: str, stage: Stage) -> None:
    settings = scenario(name)
    command = ["--pod=always", f"--scenario={name}", "--", "/credprobe", "check", *settings.get("args", [])]
    ran = stage.engine.run("run", "--rm", "--network=none", *RIGHTS, podman.SANDBOX, *command)
    expect = settings["expect"]
    assert ran.code == expect["exit_code"], ran
    assert ran.stdout.split(" ", 2)[2].startswith(f"{expect['class']} {expect['exit_code']}: "), ran
