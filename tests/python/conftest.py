"""For all suites: they end cleanly when told to, and share a fixture for folders."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure() -> None:
    # Exit with an exception, so that each `finally` ends what was started.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=128 + signal.SIGTERM))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that is open to the pod's user too; pytest's own folders are not."""
    with tempfile.TemporaryDirectory(prefix="credprobe-tests-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
