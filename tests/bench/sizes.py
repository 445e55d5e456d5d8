"""The size of the programs on disk, and how much of the probe is in the image and in the binary."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import contenders

IMAGE = Path(__file__).resolve().parents[2] / "image"
sys.path[:0] = [str(IMAGE)]

import crates

# The line that `image/build.py` prints for each architecture.
COMPRESSED = re.compile(r"compressed ([\d,]+) of")
LOADED = re.compile(r"(/\S+) \(0x")


def of_files(probe: str, floor: str, python: Path) -> dict[str, int]:
    """In bytes, including what a program needs to run: libraries, or an interpreter's packages."""
    packages = sum(file.stat().st_size for file in python.parents[1].rglob("*") if file.is_file() and not file.is_symlink())
    curl = "/usr/bin/curl"
    libraries = LOADED.findall(subprocess.run(["ldd", curl], capture_output=True, text=True, check=True).stdout)
    own = os.path.getsize(probe)
    return {
        contenders.CHECK: own,
        contenders.LOCAL: own,
        contenders.TRUST: own,
        contenders.FLOOR: os.path.getsize(floor),
        contenders.CURL: os.path.getsize(curl) + sum(os.path.getsize(it) for it in libraries),
        contenders.AWS: packages,
        contenders.BOTO3: packages,
    }


def of_what_ships(probe: str) -> dict[str, int | None]:
    """`image` is `None` if no image can be built."""
    host = re.search(r"host: (\S+)", subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout)[1]
    with tempfile.TemporaryDirectory(prefix="credprobe-image-", dir="/var/tmp") as out:
        build = [sys.executable, IMAGE / "build.py", f"--out={out}", f"--binary={host}={probe}"]
        built = subprocess.run(build, capture_output=True, text=True)
    compressed = COMPRESSED.search(built.stdout)
    if not compressed:
        print(f"NOT RUN: the image's size: {built.stderr.strip()}", file=sys.stderr)
    return {
        "binary": os.path.getsize(probe),
        "image": int(compressed[1].replace(",", "")) if compressed else None,
        # As `cargo tree` counts them, including the probe itself and macros, which run in the compiler.
        "crates": len({it.name for it in crates.linked("credprobe", [host])}),
    }
