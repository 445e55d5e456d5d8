"""The engine in which all containers run; started once."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers import podman
from containers.stage import Stage
from lib import given

ARCHIVES = ("credprobe.oci.tar", "credprobe-sandbox.oci.tar")


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    # Tokens are on a tmpfs, as the kubelet's are; images are not.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(prefix="credprobe-", dir="/var/tmp") as store,
        tempfile.TemporaryDirectory(prefix="credprobe-containers-", dir=memory) as pods,
    ):
        try:
            engine = podman.prepare(Path(store), *(given.images() / name for name in ARCHIVES))
        except podman.Unavailable as error:
            podman.unmount(Path(store))
            given.not_run(error)
        print(f"{engine.must('--version')}, {engine.settings()}")
        try:
            yield Stage(engine, given.sandbox(), Path(pods))
        finally:
            engine.run("rm", "--all", "--force", "--time=0")
            engine.run("pod", "rm", "--all", "--force")
            podman.unmount(Path(store))
