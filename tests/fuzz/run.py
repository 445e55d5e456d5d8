"""Builds the fuzz targets, checks that the seeds reach what they should, and runs each target for some seconds:
`run.py --seconds=N --cache=DIR [TARGET...]`, as many at a time as there are processors.

The cache folder keeps what the fuzzer finds on its way. An input that breaks something is put into artifacts/ and is a failure.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# The limits hold for inputs that are shorter than this (tests/fuzz/src/lib.rs).
LONGEST = 1_000_000
# Seconds for one input, and megabytes for the whole process.
SLOW, MEMORY = 5, 1024
# What the seeds reach at least. A fuzzer whose seeds all end at the first check tests nothing.
REACHED = json.loads((HERE / "reached.json").read_text())


# What `cargo fuzz build --sanitizer=none` sets, without what only makes the build slower. libFuzzer and LLVM's coverage do not
# need a nightly compiler. A sanitizer would, and looks for errors that safe code cannot have.
FLAGS = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
]


def build(targets: list[str], folder: pathlib.Path) -> pathlib.Path:
    version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = re.search(r"host: (\S+)", version)[1]
    # With a target named, the flags do not apply to build scripts and macros.
    command = ["cargo", "build", "--release", "--locked", f"--manifest-path={HERE / 'Cargo.toml'}", f"--target={host}"]
    command += [f"--bin={target}" for target in targets]
    subprocess.run(command, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(folder), "RUSTFLAGS": " ".join(FLAGS)})
    return folder / host / "release"


def run(command: list, **more: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "RUST_BACKTRACE": "0", **more}
    return subprocess.run(command, check=False, capture_output=True, text=True, errors="replace", env=environment)


def said(stderr: str) -> str:
    """What broke and where the input is; the last lines if none of them says so."""
    lines = stderr.splitlines()
    telling = [line for at, line in enumerate(lines) if any(word in "\n".join(lines[max(0, at - 1):at + 1]) for word in
        ("panicked at", "ERROR: libFuzzer", "Test unit written"))]
    return "\n".join(f"  {line[:400]}" for line in telling or lines[-20:])


def laid_out(target: str, cache: pathlib.Path) -> pathlib.Path:
    """The seeds as libFuzzer wants them, a file each. In the repository one file holds them, with a character for each byte."""
    folder = cache / "seeds" / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, seed in enumerate(json.loads((HERE / "corpus" / f"{target}.json").read_text())):
        (folder / f"{number:03}").write_bytes(seed.encode("latin-1"))
    return folder


def unreached(target: str, binary: pathlib.Path, seeds: pathlib.Path) -> str | None:
    ran = run([binary, *sorted(seeds.iterdir())], CREDPROBE_FUZZ_TELL="1")
    if ran.returncode != 0:
        return f"  a seed breaks it\n{said(ran.stderr)}"
    missing = set(REACHED[target]) - set(re.findall(r"^told (.+)$", ran.stderr, re.MULTILINE))
    return f"  its seeds do not reach: {', '.join(sorted(missing))}" if missing else None


def fuzz(target: str, binary: pathlib.Path, cache: pathlib.Path, seconds: int) -> tuple[str, str | None]:
    """One line about what it did, and what it found."""
    seeds = laid_out(target, cache)
    if problem := unreached(target, binary, seeds):
        return f"{target}: not run", problem
    found, artifacts = cache / "corpus" / target, HERE / "artifacts" / target
    found.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    command = [binary, found, seeds, f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOW}",
        f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={artifacts}/", "-print_final_stats=1"]
    began = time.monotonic()
    ran = run(command)
    stats = dict(re.findall(r"stat::(\w+):\s*(\d+)", ran.stderr))
    covered = re.findall(r"\bcov: (\d+)", ran.stderr)
    executed = int(stats.get("number_of_executed_units", 0))
    line = (f"{target}: {executed:,} inputs in {time.monotonic() - began:.0f} s, {covered[-1] if covered else 0} edges, "
        f"{stats.get('peak_rss_mb', '?')} MB, slowest {stats.get('slowest_unit_time_sec', '?')} s")
    # A target that ran no input has proved nothing.
    return line, said(ran.stderr) if ran.returncode != 0 or executed == 0 else None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="keeps what was found and, without CARGO_TARGET_DIR, what was built")
    parser.add_argument("targets", nargs="*")
    arguments = parser.parse_args()
    every = sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))
    targets = arguments.targets or every
    binaries = build(targets, pathlib.Path(os.environ.get("CARGO_TARGET_DIR", arguments.cache / "target")))
    at_once = os.cpu_count() or 1
    print(f"{len(targets)} targets, {arguments.seconds} s each, {at_once} at a time", flush=True)
    broken = []
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        runs = {pool.submit(fuzz, target, binaries / target, arguments.cache, arguments.seconds): target for target in targets}
        for run in concurrent.futures.as_completed(runs):
            line, finding = run.result()
            print(line, flush=True)
            if finding is not None:
                broken.append(runs[run])
                print(finding, flush=True)
    if broken:
        print(f"these targets found something, inputs are in tests/fuzz/artifacts: {', '.join(sorted(broken))}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
