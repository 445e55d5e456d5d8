"""The image of the sandbox: the sandbox, the probe, and the shared libraries that a development build needs. See README.md.

    python3 sandbox.py --out=FOLDER --sandbox=FILE --probe=FILE
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Leave no bytecode among the sources.
sys.dont_write_bytecode = True

import buildah
import oci

HERE = Path(__file__).parent
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Folders of the container that the sandbox reads or mounts something over.
FOLDERS = ("etc", "proc", "run", "tmp", "var")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("out", "sandbox", "probe"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    # This is a development build: large, and not shipped. A lower level is enough.
    archive = oci.Archive(level=6)
    with tempfile.TemporaryDirectory(prefix="credprobe-context-", dir="/var/tmp") as folder:
        context = Path(folder)
        for name in FOLDERS:
            (context / name).mkdir(mode=0o755)
        (context / "var" / "run").symlink_to("/run")
        # A runtime mounts its own files over these, unless there is no network.
        for name in ("hosts", "resolv.conf"):
            (context / "etc" / name).touch(mode=0o644)
        for file, to in (
            (chosen.sandbox, "credprobe-sandbox"),
            (chosen.probe, "credprobe"),
            *((library, str(library).lstrip("/")) for library in libraries(chosen.sandbox)),
        ):
            (context / to).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, context / to)
            (context / to).chmod(0o755)
        architecture = subprocess.run(["uname", "-m"], check=True, capture_output=True, text=True).stdout.strip()
        try:
            with buildah.built(HERE / "sandbox.Containerfile", context, ARCHITECTURES[architecture], {}, 0) as layout:
                archive.add(layout)
        except (buildah.Unavailable, buildah.Failed) as error:
            print(f"NOT BUILT: {error}", file=sys.stderr)
            return 1
    archive.write(chosen.out / "credprobe-sandbox.oci.tar", "credprobe-sandbox:dev", 0)
    print(chosen.out / "credprobe-sandbox.oci.tar")
    return 0


def libraries(program: Path) -> list[Path]:
    """The paths at which the loader finds them, including the loader itself."""
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return [Path(it) for it in re.findall(r"(/\S+) \(0x", listed)]


if __name__ == "__main__":
    sys.exit(main())
