"""What the caller gives to the tests, and the one place that says NOT RUN."""

import functools
import os
import shutil
from pathlib import Path
from typing import NoReturn

from lib import tools

ROOT = Path(__file__).resolve().parents[3]
IN_CI = os.environ.get("CI", "") not in ("", "false")
# Open to all users, because the pod's user runs from it.
CACHE = Path(os.environ.get("CREDPROBE_TESTS_CACHE") or f"/var/tmp/credprobe-peers-{os.getuid()}").absolute()
# Closed to other users.
TOOLS = Path(f"/var/tmp/credprobe-tools-{os.getuid()}")


def not_run(why: object) -> NoReturn:
    import pytest

    if IN_CI:
        pytest.fail(f"NOT RUN, which fails in CI: {why}", pytrace=False)
    pytest.skip(f"NOT RUN: {why}")


def probe() -> str:
    return named("CREDPROBE_BIN", "make build")


def sandbox() -> str:
    return named("CREDPROBE_SANDBOX_BIN", "make sandbox")


def kubectl_plugin() -> str:
    return named("CREDPROBE_KUBECTL_BIN", "make kubectl")


def images() -> Path:
    """The folder in which `make image sandbox-image` left its archives."""
    return Path(os.environ.get("CREDPROBE_IMAGES") or not_run("CREDPROBE_IMAGES names no folder: make image sandbox-image"))


def named(variable: str, make: str) -> str:
    path = os.environ.get(variable, "")
    if not os.access(path, os.X_OK):
        not_run(f"{variable} names no program ({path!r}): {make}")
    return os.path.abspath(path)


def program(name: str, package: str = "") -> str:
    return shutil.which(name) or not_run(f"{name} is not installed (Debian's package {package or name})")


def kubectl() -> str:
    return pinned("kubectl")


def helm() -> str:
    return pinned("helm")


def pinned(name: str) -> str:
    """The pinned program, or another one that KUBECTL or HELM names."""
    if other := os.environ.get(name.upper()):
        return os.path.abspath(other)
    if isinstance(found := fetched(name), tools.Unavailable):
        not_run(found)
    return str(found)


@functools.cache
def fetched(name: str) -> Path | tools.Unavailable:
    """Tried only once, because a missing network makes each attempt slow."""
    try:
        return tools.pinned(name, TOOLS)
    except tools.Unavailable as error:
        return error
