"""The folder with Python and PyPI's packages from which the tests run; made once for each requirements.txt.

A pod's process may be another user than ours, so the interpreter and the folder must be open to all.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
DESCRIBE = """\
import os, sys, venv
print(sys.version_info[:2] >= %r, os.path.realpath(sys.executable), os.__file__, sep="\\n")
"""


class Unavailable(Exception):
    """Nothing can run here; the message says why."""


def prepare(cache: Path, requirements: Path) -> Path:
    """The interpreter that has the packages."""
    base = interpreter()
    recipe = requirements.read_bytes() + os.fsencode(base)
    folder = cache.absolute() / f"venv-{hashlib.sha256(recipe).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if not python.exists():
        # Remains of an interpreter that no longer exists.
        shutil.rmtree(folder, ignore_errors=True)
        make(folder, base, requirements)
    if must_be_open() and not is_open(folder / "pyvenv.cfg"):
        raise Unavailable(f"{folder} is closed to other users, such as the pod's: name an open folder in CREDPROBE_TESTS_CACHE")
    return python


def make(folder: Path, base: str, requirements: Path) -> None:
    """Builds beside the folder and renames it, so that an existing folder is complete."""
    print(f"installing {requirements.name} into {folder}", file=sys.stderr)
    part = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        run([base, "-m", "venv", "--without-pip", part])
        pip = [sys.executable, "-m", "pip", "--python", part / "bin" / "python", "--disable-pip-version-check"]
        run([*pip, "install", "--quiet", "--only-binary=:all:", "--requirement", requirements])
        part.rename(folder)
    except OSError:
        # Another run was faster.
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def interpreter() -> str:
    """The running interpreter, unless the pod's user could not start it: pyenv's is in a home that is closed."""
    running = getattr(sys, "_base_executable", sys.executable)
    named = [shutil.which("python3.11"), shutil.which("python3"), "/usr/bin/python3"]
    for candidate in filter(None, [running, *named]):
        found = subprocess.run([candidate, "-I", "-c", DESCRIBE % (OLDEST,)], capture_output=True, text=True)
        new_enough, *files = found.stdout.splitlines() or ["False"]
        if new_enough == "True" and (not must_be_open() or all(is_open(Path(file)) for file in files)):
            return files[0]
    oldest = ".".join(map(str, OLDEST))
    raise Unavailable(f"no Python from {oldest} on that every user of this machine may start")


def must_be_open() -> bool:
    """As root, the sandbox runs its command as another user, otherwise as the caller."""
    return os.geteuid() == 0


def is_open(path: Path) -> bool:
    """Whether any user can get there and read it."""
    enterable = all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)
    return enterable and path.stat().st_mode & 0o004 != 0


def run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, umask=0o022)
    if done.returncode != 0:
        raise Unavailable(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
