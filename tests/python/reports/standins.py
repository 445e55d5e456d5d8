"""Stand-in programs that record how they were called instead of doing anything, and the calls that a command makes by itself."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

STAND_INS = ("aws", "kubectl", "jq", "chronyc", "curl", "credprobe", "ausearch", "iptables-save", "openssl", "istioctl", "linkerd", "systemctl")
# Real programs that commands use beside the stand-ins. Any other word in a command's place is not found.
REAL = (
    "awk", "base64", "cat", "cut", "date", "env", "getent", "getfacl", "grep", "head", "id", "ls", "mktemp", "namei", "ps", "sed", "seq", "sh", "sort",
    "stat", "tail", "tee", "tr", "uniq", "wc", "xargs",
)
# Writes in one piece, because the programs of a pipeline write at the same time. Each call prints a word.
RECORDER = """\
#!/bin/sh
printf '%s\\0' "${0##*/}" "$@" "$END" >>"$RECORD"
echo "$WORD"
"""
END = "\x1e"
# Long enough for a thumbprint.
WORD = "9" * 40
# `${role:?is not set}`: the reader or an earlier command sets it.
VARIABLE = re.compile(r"\$\{([a-z_]+):\?")
FILE = re.compile(r"(?<![\w/.-])([\w.-]+\.(?:json|pem|crt|yaml|yml|txt))\b")
VALUES = {
    "account": "814203749616", "region": "eu-west-1", "role_arn": "arn:aws:iam::814203749616:role/checkout-reader", "pid": "7",
    "provider_arn": "arn:aws:iam::814203749616:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A", "workload": "deployment/checkout",
    "principal": "arn:aws:iam::814203749616:role/checkout-reader", "action": "s3:GetObject", "resource": "arn:aws:s3:::reports/a",
    "statement": '{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}', "variable": "AWS_PROFILE", "second": "AWS_REGION",
    "no_proxy": "NO_PROXY=a", "association": "a-0123456789abcdef0", "thumbprint": "9" * 40, "subject": "system:serviceaccount:shop:checkout",
    "issuer_url": "https://oidc.eks.eu-west-1.amazonaws.com/id/A", "endpoint": "https://sts.eu-west-1.amazonaws.com", "vpc": "vpc-0123456789abcdef0",
    "address": "10.0.12.31", "user": "1000", "group": "1000",
}

Call = tuple[str, ...]


class Bench:
    """A working folder, with the programs and what they recorded."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.work, self.record = folder / "bin", folder / "work", folder / "record"
        self.bin.mkdir()
        self.work.mkdir()
        script = folder / "recorder"
        script.write_text(RECORDER)
        script.chmod(0o755)
        for name in STAND_INS:
            (self.bin / name).symlink_to(script)
        for name in REAL:
            if found := shutil.which(name):
                (self.bin / name).symlink_to(found)
        self.environment = {"PATH": str(self.bin), "HOME": str(self.work), "RECORD": str(self.record), "END": END, "WORD": WORD, "LC_ALL": "C.UTF-8"}

    def calls(self) -> list[Call]:
        text = self.record.read_text() if self.record.exists() else ""
        return [tuple(call.split("\0")[:-1]) for call in text.split(f"{END}\0")[:-1]]

    def clear(self) -> None:
        self.record.write_text("")

    def alone(self, command: str, **variables: str) -> list[Call]:
        """The calls that bash makes for this line alone."""
        self.clear()
        environment = {**self.environment, **variables}
        subprocess.run([shutil.which("bash"), "-c", command], env=environment, cwd=self.work, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        return self.calls()

    def whole(self, command: str) -> list[Call]:
        """The same with each variable set and each guard open, so that every part runs."""
        variables = {name: VALUES.get(name, "example") for name in VARIABLE.findall(command)}
        return self.alone(f"test() {{ :; }}; [() {{ :; }}; set +e\n{command}" if "[(" not in command else command, **variables)


def all_calls(bench: Bench, commands: list[str]) -> dict[Call, str]:
    """Each call once, with a command that makes it."""
    found: dict[Call, str] = {}
    for command in dict.fromkeys(commands):
        calls = bench.whole(command)
        assert calls or not any(re.search(rf"(^|[|&(;] *){name} ", command) for name in STAND_INS), f"called nothing: {command}"
        for call in calls:
            found.setdefault(call, command)
    return found


def with_files(bench: Bench, commands: list[str]) -> list[Path]:
    """Makes the files that the commands name. None of them may lose its content."""
    names = {name for command in commands for name in FILE.findall(command)}
    files = [bench.work / name for name in sorted(names)]
    for file in files:
        file.write_text("kept\n")
    return files


def dumped(calls: list[Call]) -> str:
    return json.dumps([list(call[1:]) for call in calls])


def clean_environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
