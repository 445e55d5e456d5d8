"""Keeps a sandbox open without a probe, and lends its network, variables and files to containers.

The sandbox builds a pod in its own namespaces. Here its command only waits, and containers join the pod's network.
"""

import json
import os
import subprocess
from pathlib import Path

from lib import given

SCENARIOS = given.ROOT / "tests" / "scenarios"
# Prints its process id and its environment with an empty entry at the end, then waits until its input is closed.
WAIT = "HOLDER=$$ env -0; printf '\\0'; exec cat >/dev/null"
# The container has its own values of these.
NOT_LENT = ("CREDPROBE_TERMINATION_LOG", "HOLDER", "PATH", "PWD", "_")
SECRETS = "run/secrets"
OWN = "run/credprobe-sandbox"


def scenario(name: str) -> dict:
    return next(cases[name] for path in SCENARIOS.glob("*.json") if name in (cases := json.loads(path.read_text())))


class Box:
    def __init__(self, sandbox: str, keys: Path, name: str, folder: Path):
        self.sandbox, self.keys, self.name, self.folder = sandbox, keys, name, folder

    def __enter__(self) -> "Box":
        options = [f"--scenario={self.name}", "--pod=always", f"--keys={self.keys}", f"--record={self.folder}/record.json"]
        command = [self.sandbox, *options, "--", "/bin/sh", "-c", WAIT]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = b""
        while not said.endswith(b"\0\0"):
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                raise RuntimeError(f"no pod of {self.name}: {self.process.communicate()[1].decode().strip()}")
            said += part
        entries = [it.split("=", 1) for it in said.decode().split("\0") if it]
        self.environment = {name: value for name, value in entries if name not in NOT_LENT}
        pid = dict(entries)["HOLDER"]
        self.network = Path(f"/proc/{pid}/ns/net")
        self.files = self.folder / "files"
        self.files.mkdir()
        # Keep owners, modes, times and links, because the tests examine the kubelet's layout.
        root = Path(f"/proc/{pid}/root")
        for name in (SECRETS, OWN, "etc/hosts", "etc/resolv.conf"):
            if (root / name).exists():
                (self.files / name).parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", root / name, self.files / name], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.process.stderr.close()

    def record(self) -> dict:
        """The sandbox's record, once the box is closed."""
        return json.loads((self.folder / "record.json").read_text())

    def volumes(self) -> list[tuple[Path, str]]:
        """Source and target: one pair for each of the kubelet's volumes, and for the other mounts of the pod."""
        found = []
        for at in ("eks.amazonaws.com/serviceaccount", "pods.eks.amazonaws.com/serviceaccount", "kubernetes.io/serviceaccount"):
            if (self.files / SECRETS / at).exists():
                found.append((self.files / SECRETS / at, f"/var/run/secrets/{at}"))
        return found

    def settings(self) -> list[tuple[Path, str]]:
        """The pod's names, and what its command is told to trust."""
        names = [("etc/hosts", "/etc/hosts"), ("etc/resolv.conf", "/etc/resolv.conf"), (OWN, f"/{OWN}")]
        return [(self.files / name, at) for name, at in names]
