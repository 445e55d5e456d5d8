"""buildah with a storage of its own, so that nothing is left on the machine and nothing of the machine comes in."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Unavailable(Exception):
    """Which program is missing."""


class Failed(Exception):
    """What a program said that could not do it."""


@contextmanager
def built(containerfile: Path, context: Path, architecture: str, labels: dict[str, str], time: int) -> Iterator[Path]:
    """An OCI layout that is there for as long as the block runs."""
    program = shutil.which("buildah")
    if not program:
        raise Unavailable("buildah is not installed (Debian's package buildah)")
    with tempfile.TemporaryDirectory(prefix="credprobe-image-", dir="/var/tmp") as folder:
        store = [f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=vfs"]
        build = ["build", "--isolation=chroot", "--format=oci", "--layers=false", "--quiet"]
        # Its own version would be a label; times and owners would be the context's.
        build += ["--identity-label=false", f"--timestamp={time}", f"--arch={architecture}", "--os=linux"]
        build += [f"--label={name}={value}" for name, value in sorted(labels.items())]
        layout = Path(folder) / "layout"
        run([program, *store, *build, f"--file={containerfile}", "--tag=localhost/image", context])
        run([program, *store, "push", "--quiet", "localhost/image", f"oci:{layout}"])
        yield layout


def run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}".rstrip())
