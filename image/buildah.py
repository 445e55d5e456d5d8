"""Runs buildah with its own storage, so that it leaves nothing on the machine and takes nothing from it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Unavailable(Exception):
    """A program is missing; the message says which."""


class Failed(Exception):
    """A program failed; the message is what it printed."""


@contextmanager
def built(containerfile: Path, context: Path, architecture: str, labels: dict[str, str], time: int) -> Iterator[Path]:
    """An OCI layout that exists until the block ends."""
    program = shutil.which("buildah")
    if not program:
        raise Unavailable("buildah is not installed (Debian's package buildah)")
    with tempfile.TemporaryDirectory(prefix="credprobe-image-", dir="/var/tmp") as folder:
        store = [f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=vfs"]
        build = ["build", "--isolation=chroot", "--format=oci", "--layers=false", "--quiet"]
        # buildah's own version would become a label. Without a timestamp, times would come from the context.
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
