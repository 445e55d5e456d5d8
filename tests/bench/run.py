"""Compares the probe with curl, the AWS CLI, boto3 and the smallest Rust program, in the sandbox's pod, in one run. See README.md.

    CREDPROBE_BIN=… CREDPROBE_SANDBOX_BIN=… CREDPROBE_PEAK_BIN=… CREDPROBE_FLOOR_BIN=…
        python3 run.py [--cache=FOLDER] [--turns=200] [--scrapes=10000] [--write=FILE]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Leave no bytecode among the sources.
sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "python" / "lib")]

import packages
import sizes
import table

IN_POD = ("measure.py", "contenders.py", "scrape.py", "ask_boto3.py")
PROGRAMS = {"credprobe": "CREDPROBE_BIN", "peak": "CREDPROBE_PEAK_BIN", "floor": "CREDPROBE_FLOOR_BIN"}
# The exit code if a budget is exceeded.
BROKEN = 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cache = Path(f"/var/tmp/credprobe-peers-{os.getuid()}")
    parser.add_argument("--cache", type=Path, default=cache, help="where packages are kept (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--scrapes", type=int, default=10_000)
    parser.add_argument("--write", type=Path, help="put the tables into this page's block")
    chosen = parser.parse_args()
    for variable in (*PROGRAMS.values(), "CREDPROBE_SANDBOX_BIN"):
        if not os.access(os.environ.get(variable, ""), os.X_OK):
            print(f"{variable} names no program: run make bench", file=sys.stderr)
            return 2
    try:
        if not shutil.which("curl"):
            raise packages.Unavailable("there is no curl: install Debian's")
        python = packages.prepare(chosen.cache, HERE / "requirements.txt")
        measured = in_the_pod(str(python), chosen.turns, chosen.scrapes)
    except packages.Unavailable as error:
        in_ci = os.environ.get("CI", "") not in ("", "false")
        print(f"\nNOT RUN: {error}{' (which fails in CI)' if in_ci else ''}")
        return int(in_ci)
    files = sizes.of_files(os.environ["CREDPROBE_BIN"], os.environ["CREDPROBE_FLOOR_BIN"], python)
    shipped = sizes.of_what_ships(os.environ["CREDPROBE_BIN"])
    text, broken = table.tables(measured, files, shipped)
    print(text)
    if chosen.write:
        chosen.write.write_text(table.with_block(chosen.write.read_text(), "bench", text))
    for budget in broken:
        print(f"OVER ITS BUDGET: {budget}")
    return BROKEN if broken else 0


def in_the_pod(python: str, turns: int, scrapes: int) -> dict:
    # The pod's user can enter neither the checkout nor the folder of the build.
    with tempfile.TemporaryDirectory(prefix="credprobe-bench-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        for name in IN_POD:
            shutil.copy(HERE / name, folder)
        for name, variable in PROGRAMS.items():
            shutil.copy(os.environ[variable], Path(folder) / name)
        with tempfile.TemporaryDirectory(prefix="credprobe-keys-") as keys:
            sandbox = [os.environ["CREDPROBE_SANDBOX_BIN"], "--scenario=healthy", "--pod=always", f"--keys={keys}", "--"]
            # -B: the pod's user may not write to the folder of the scripts.
            asked = [python, "-B", f"{folder}/measure.py", folder, python, str(turns), str(scrapes)]
            done = subprocess.run([*sandbox, *asked], capture_output=True, text=True)
    if done.returncode == 125:
        raise packages.Unavailable(f"no pod can be built here: {done.stderr.strip()}")
    if done.returncode != 0:
        raise SystemExit(f"the run ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
