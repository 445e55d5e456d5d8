"""All suites: they end cleanly when told to, and share a kind of folder."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure() -> None:
    # Ends through the `finally`s: nothing that was started may stay.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=128 + signal.SIGTERM))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """For the pod's user too, to whom pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="credprobe-tests-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
