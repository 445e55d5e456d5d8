"""Counts with valgrind the instructions of the pure part, and compares them with the recorded figures. See README.md.

    CREDPROBE_BIN=… python3 instructions.py [--record]

Wall time says little on a shared machine; the instructions of one file are the same in each run.
"""

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDED = HERE / "instructions.json"
# An old output of `check --output=json` for the scenario access-denied, so that each run has the same input.
REPORT = HERE / "report.json"
# In percent. A new release of a compiler or of the C library changes less than that.
TOLERANCE = 10
COUNTED = re.compile(r"Collected : (\d+)")
ROLE = "arn:aws:iam::814203749616:role/checkout-reader"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="make what is counted now the measure")
    chosen = parser.parse_args()
    probe = os.environ.get("CREDPROBE_BIN", "")
    if not os.access(probe, os.X_OK):
        print("CREDPROBE_BIN names no binary: make build", file=sys.stderr)
        return 2
    valgrind = shutil.which("valgrind")
    if not valgrind:
        in_ci = os.environ.get("CI", "") not in ("", "false")
        print(f"NOT RUN: there is no valgrind: install Debian's{' (which fails in CI)' if in_ci else ''}")
        return int(in_ci)
    # A name of constant length, because the probe prints paths.
    with tempfile.TemporaryDirectory(prefix="credprobe-count-", dir="/var/tmp") as folder:
        token = Path(folder) / "token"
        token.write_text(minted())
        commands = {
            "check --no-network": ["check", "--no-network"],
            "judge": ["judge", str(REPORT)],
            "trust": ["trust"],
            "explain": ["explain"],
        }
        counted = {}
        for name, words in commands.items():
            counted[name] = count([valgrind, "--tool=callgrind", f"--callgrind-out-file={folder}/out"], [probe, *words], token)
    if chosen.record:
        RECORDED.write_text(json.dumps(counted, indent=2) + "\n")
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return judged(counted, recorded)


def judged(counted: dict[str, int], recorded: dict[str, int]) -> int:
    """Prints the comparison. Returns 1 if something takes more than the tolerance, or if there is no recorded figure."""
    bad = 0
    for name, instructions in counted.items():
        before = recorded.get(name)
        if before is None:
            verdict, more = "NOT RECORDED: --record", ""
        else:
            change = 100 * (instructions - before) / before
            verdict, more = ("TOO MANY" if change > TOLERANCE else "ok"), f"{change:+.1f} %"
        bad += verdict != "ok"
        print(f"{name:<20} {instructions:>12,} instructions {more:>9}  {verdict}")
    for name in recorded.keys() - counted.keys():
        bad += 1
        print(f"{name:<20} is recorded and no longer counted")
    print(f"{len(counted) - bad} within {TOLERANCE} %, {bad} not")
    return int(bad > 0)


def count(valgrind: list[str], command: list[str], token: Path) -> int:
    # Pass on none of the caller's variables, because the loader and the probe read all of them.
    environment = {
        "AWS_REGION": "eu-west-1",
        "AWS_ROLE_ARN": ROLE,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run([*valgrind, *command], capture_output=True, text=True, env=environment, cwd="/")
    found = COUNTED.search(done.stderr)
    # A run that fails early would look fast, so only runs that did their work count.
    worked = done.returncode == 0 or command[1] == "judge" and done.returncode == 53
    if not found or not worked or not done.stdout:
        raise SystemExit(f"{' '.join(command)} did not do its work, exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return int(found[1])


def minted() -> str:
    """A fresh token as the kubelet writes it, always of the same length. Nothing here verifies its signature."""
    now = int(time.time())
    header = {"alg": "RS256", "kid": "a" * 40, "typ": "JWT"}
    claims = {
        "aud": ["sts.amazonaws.com"],
        "exp": now + 86_340,
        "iat": now - 60,
        "iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/9F3C1A7B52E64D08A1C07D2E5B8F4A63",
        "jti": "2a5d7a9c-61f2-4a34-9d0e-0f6b1d3f8c11",
        "kubernetes.io": {
            "namespace": "shop",
            "node": {"name": "ip-10-0-1-17", "uid": "7d1f2c3b-0a64-4a5e-8b1f-9a2c3d4e5f60"},
            "pod": {"name": "checkout-7d9f8b6c5-x2x4q", "uid": "0b2ad5a6-5d2e-4a9b-8a4e-3f0c9a7d1e22"},
            "serviceaccount": {"name": "checkout", "uid": "c9f0e8d7-b6a5-4c3d-9e2f-1a0b9c8d7e6f"},
        },
        "nbf": now - 60,
        "sub": "system:serviceaccount:shop:checkout",
    }
    parts = [json.dumps(part).encode() for part in (header, claims)] + [b"\x5a" * 256]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


if __name__ == "__main__":
    sys.exit(main())
