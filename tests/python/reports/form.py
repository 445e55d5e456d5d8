"""Checks the form of a text, and returns a list of problems."""

import re
import subprocess
from pathlib import Path

from reports import texts
from reports.texts import Text

# Characters that a shell interprets; a second `#` is one too.
FORBIDDEN = set("`$'\"\\;&|<>()[]{}*?~^#!")
MARK = re.compile(r"^# [✓✗!] ")
# Marks that the report itself writes.
OF_THE_CHAIN = re.compile(r"^#   chain    |(?<= )! (?=[a-z])")
# A word that cannot be wrapped.
LONG_WORD = re.compile(r"\S{60,}")
FIRST_LINE, WIDTH = 100, 80
ROWS, MOST_ROWS = 24, 30
MESSAGE = 400

# The key says what a command would do. The second part of each pair is a line that does it.
DENIED = {
    "changes the whole VPC": (r"\bcreate-vpc-endpoint\b", "aws ec2 create-vpc-endpoint --vpc-id vpc-1"),
    "changes the whole account": (
        r"\bset-security-token-service-preferences\b", "aws iam set-security-token-service-preferences --version v2Token",
    ),
    "takes HTTPS out of the mesh": (r"excludeOutboundPorts|skip-outbound-ports", "kubectl annotate pod x a/excludeOutboundPorts=443"),
    "admits the service account default": (r"system:serviceaccount:[\w-]+:default\b", "jq '\"system:serviceaccount:shop:default\"'"),
    "waits for input": (r"\bread\b(?! *-only)(?=[^|]*(?:;|$|do))|kubectl edit", "kubectl edit deployment/x -n shop"),
    "prints secret values": (r"set env\b.*--list|get secrets?\b.*-o ?(yaml|json\b)", "kubectl set env deployment/x --list"),
    "moves another service's traffic": (r"AWS_ENDPOINT_URL-", "kubectl set env deployment/x AWS_ENDPOINT_URL-"),
    "deletes a pod that nothing may make anew": (r"\bdelete pods?\b", "kubectl delete pod x -n shop"),
    "is no repair": (r"credprobe check\b.*--(wait|grace)", "credprobe check --wait=30s"),
    "can empty a file": (r"(^|[^0-9>&=-])>(?![&=>])(?!\s*/dev/null)", "aws iam get-role > trust.json"),
    "has a placeholder": (r"<[A-Z][A-Z_-]*>", "aws iam get-role --role-name <ROLE>"),
    "sets what the reader should": (r"\$\{?[A-Z]", "aws iam get-role --role-name $ROLE"),
    "runs another history line": (r"(?<![=!<>(\[ ])!(?![=(])|(?<= )!(?=\w)", "echo hello!world"),
    "has a remark behind it": (r"\s#\s", "kubectl get pods # all of them"),
}


# `explain` prints these in full after this sentence.
BEYOND = "# What follows helps as well, and changes more than this pod:"
ALLOWED_BEYOND = {"changes the whole VPC", "changes the whole account", "takes HTTPS out of the mesh"}


def quoted_away(command: str) -> str:
    """The command without single-quoted parts, because jq and JSONPath have their own operators."""
    return re.sub(r"'[^']*'", "''", command)


def denied(command: str, beyond: bool = False) -> list[str]:
    # A word matters inside quotes too, an operator only outside.
    outside = {"can empty a file", "has a remark behind it", "sets what the reader should", "runs another history line"}
    found = []
    for why, (pattern, _) in DENIED.items():
        if beyond and why in ALLOWED_BEYOND:
            continue
        if re.search(pattern, quoted_away(command) if why in outside else command):
            found.append(f"a command that {why}: {command}")
    return found


def without_marks(line: str, number: int) -> str:
    body = line[1:]
    if number == 0 or MARK.match(line):
        body = body.replace("! ", "", 1)
    return OF_THE_CHAIN.sub("", body.replace(" ! ", " ")) if "chain" in line[:10] or line.startswith("#" + " " * 12) else body


def problems(it: Text, widest: int = WIDTH) -> list[str]:
    found, lines = [], it.lines
    if lines[0].endswith("…"):
        found.append(f"the first line is cut at its end: {lines[0]}")
    if len(lines[0]) > FIRST_LINE:
        found.append(f"the first line has {len(lines[0])} columns: {lines[0]}")
    for number, line in enumerate(lines):
        if line.startswith("#"):
            first = number == 0 or MARK.match(line)
            if not first and len(line) > widest and not LONG_WORD.search(line):
                found.append(f"prose of {len(line)} columns: {line}")
            if first and len(line) > FIRST_LINE:
                found.append(f"a first line of {len(line)} columns: {line}")
            # Our own prose contains no character that would have to be replaced.
            if ours := [word for word in re.split(r"[\s=]+", line[1:]) if "·" in word and texts.alike(word) not in texts.alike(it.outside)]:
                found.append(f"{' '.join(ours)}: words of ours with what a shell reads: {line}")
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if line.endswith(":") and line != BEYOND and re.match(r"$|# \d", following):
                found.append(f"a colon, and no command follows: {line}")
            if not line.startswith("# "):
                found.append(f"prose without a blank: {line}")
            if bad := FORBIDDEN & set(without_marks(line, number)):
                found.append(f"{' '.join(sorted(bad))} in prose: {line}")
        elif line.strip():
            found += denied(line, BEYOND in lines[:number])
            if line != line.strip():
                found.append(f"a command that is not at column 0: {line!r}")
            if number == 0 or not re.search(r":$", lines[number - 1]) or not lines[number - 1].startswith("#"):
                found.append(f"a command without a sentence that ends with a colon: {line}")
        elif number + 1 < len(lines) and not lines[number + 1].startswith("# "):
            found.append("two blank lines, or one before a command")
    return found


def of_a_failure(it: Text) -> list[str]:
    found = [f"no {label}" for label in ("#   who ", "#   restart ", "#   why ") if f"\n{label}" not in it.text]
    if not re.search(r"^# 1a?\. ", it.text, re.MULTILINE):
        found.append("no step")
    for named in re.findall(r"^#   restart  new pod: steps? ([0-9a-z and]+?) needs? it", it.text, re.MULTILINE):
        found += [f"restart names step {label}, which is not there" for label in named.split(" and ") if f"\n# {label}. " not in it.text]
    if it.message is not None:
        size, lines = len(it.message.encode()), it.message.count("\n") + 1
        if size > MESSAGE or lines != 3:
            found.append(f"a termination message of {size} bytes in {lines} lines")
    return found


def rows(it: Text) -> int:
    return sum(max(1, -(-len(line) // 80)) for line in it.lines)


def findings(it: Text) -> int:
    """Each has an owner and steps of its own."""
    return sum(bool(MARK.match(line)) for line in it.lines)


def refused(shell: list[str], tried: list[Text], folder: Path) -> list[str]:
    """The texts that this shell does not accept as a script."""
    found = []
    for it in tried:
        done = subprocess.run([*shell, "-n"], input=it.text + "\n", capture_output=True, text=True, cwd=folder)
        if done.returncode != 0 or done.stderr:
            found.append(f"{it.name}: {' '.join(shell)}: {done.stderr.strip()}")
    return found
