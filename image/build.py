"""Builds the image, its SBOM, its licences and their checksums. See README.md.

    python3 build.py --out=FOLDER --binary=TARGET=FILE [--binary=TARGET=FILE …]
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Leave no bytecode among the sources.
sys.dont_write_bytecode = True

import buildah
import crates
import licenses
import oci
import sbom

HERE = Path(__file__).parent
PACKAGE = "credprobe"
# The key is the first part of Rust's name for the target.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# In bytes. Every pod that starts has to pull the probe's image.
LIMIT = 2_450_000
# This program's exit code if another program is missing.
UNAVAILABLE = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--binary", action="append", required=True, metavar="TARGET=FILE", help="one for each architecture")
    chosen = parser.parse_args()
    binaries = dict(it.split("=", 1) for it in chosen.binary)
    time = int(os.environ.get("SOURCE_DATE_EPOCH") or 0)
    chosen.out.mkdir(parents=True, exist_ok=True)
    linked = crates.linked(PACKAGE, list(binaries))
    version = linked[0].version
    files = {name: chosen.out / f"{PACKAGE}.{name}" for name in ("oci.tar", "cdx.json", "licenses.txt")}
    try:
        digest = image(files["oci.tar"], version, binaries, time)
    except buildah.Unavailable as error:
        print(f"NOT BUILT: {error}", file=sys.stderr)
        return UNAVAILABLE
    except (buildah.Failed, TooLarge) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    files["cdx.json"].write_text(sbom.written(linked, time))
    files["licenses.txt"].write_text(licenses.listed(linked))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files.values()]
    (chosen.out / "SHA256SUMS").write_text("".join(sums))
    print("".join(sums), end="")
    print(f"{PACKAGE}:{version}@{digest}")
    return 0


class TooLarge(Exception):
    """The image is larger than its limit."""


def image(file: Path, version: str, binaries: dict[str, str], time: int) -> str:
    archive = oci.Archive()
    for target, binary in sorted(binaries.items()):
        with tempfile.TemporaryDirectory(prefix="credprobe-context-", dir="/var/tmp") as context:
            # Copied, because the checkout's mode depends on its umask.
            shutil.copyfile(binary, Path(context) / PACKAGE)
            (Path(context) / PACKAGE).chmod(0o755)
            architecture = ARCHITECTURES[target.split("-")[0]]
            with buildah.built(HERE / "Containerfile", Path(context), architecture, labels(version), time) as layout:
                archive.add(layout)
        size = archive.layer_sizes[architecture]
        print(f"{architecture}: {os.path.getsize(binary):,} bytes, compressed {size:,} of at most {LIMIT:,}")
        if size > LIMIT:
            raise TooLarge(f"the image for {architecture} is {size - LIMIT:,} bytes over its {LIMIT:,}")
    return archive.write(file, f"{PACKAGE}:{version}", time)


def labels(version: str) -> dict[str, str]:
    named = {"org.opencontainers.image.version": version}
    # Only if the sources are exactly this revision.
    if git("status", "--porcelain") == "" and (revision := git("rev-parse", "HEAD")):
        named["org.opencontainers.image.revision"] = revision.strip()
    return named


def git(*arguments: str) -> str | None:
    """`None` outside a repository."""
    if not shutil.which("git"):
        return None
    done = subprocess.run(["git", "-C", HERE, *arguments], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
