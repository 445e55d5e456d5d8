"""The image in real containers, under the rights that Pod Security's restricted level leaves. See README.md.

    CREDPROBE_SANDBOX_BIN=… python3 run.py --images=FOLDER [--only=GROUP]
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

# Nothing is left among the sources.
sys.dont_write_bytecode = True

import boxed
import closed
import files
import played
import podman
import processes
import results
import scenarios
import served
from stage import Stage

GROUPS = {
    "closed": closed,
    "scenarios": scenarios,
    "files": files,
    "processes": processes,
    "played": played,
    "served": served,
    "boxed": boxed,
}
ARCHIVES = ("credprobe.oci.tar", "credprobe-sandbox.oci.tar")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="where `make image sandbox-image` left its archives")
    parser.add_argument("--only", choices=GROUPS, help="one group of cases")
    chosen = parser.parse_args()
    sandbox = os.environ.get("CREDPROBE_SANDBOX_BIN", "")
    if not os.access(sandbox, os.X_OK):
        raise SystemExit(f"CREDPROBE_SANDBOX_BIN names no program ({sandbox!r}): run make containers")
    # Ends through the `finally`s: nothing that was started may stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Tokens lie on a tmpfs, as kubelet's do; images do not.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(prefix="credprobe-", dir="/var/tmp") as store,
        tempfile.TemporaryDirectory(prefix="credprobe-containers-", dir=memory) as pods,
    ):
        try:
            found = tested(Path(store), Path(pods), os.path.abspath(sandbox), chosen)
        finally:
            podman.unmount(Path(store))
    return results.summary(found)


def tested(store: Path, pods: Path, sandbox: str, chosen: argparse.Namespace) -> list[results.Result]:
    """By every group, or the one that was chosen; shown as they come."""
    try:
        engine = podman.prepare(store, *(chosen.images.absolute() / name for name in ARCHIVES))
    except podman.Unavailable as error:
        nothing = [results.Result("all", not_run=str(error))]
        results.show("No container can be run", nothing)
        return nothing
    stage, found = Stage(engine, sandbox, pods), []
    try:
        print(f"{engine.must('--version')}, {engine.settings()}")
        for name, group in GROUPS.items():
            if chosen.only in (None, name):
                part = group.results(stage)
                results.show(group.TITLE, part)
                found += part
    finally:
        engine.run("rm", "--all", "--force", "--time=0")
        engine.run("pod", "rm", "--all", "--force")
    return found


if __name__ == "__main__":
    sys.exit(main())
