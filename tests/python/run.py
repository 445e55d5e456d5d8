"""Makes the folder with PyPI's packages and runs pytest in it, with the given arguments. See README.md.

    CREDPROBE_BIN=… CREDPROBE_SANDBOX_BIN=… python3 run.py [manifests] [-k WORDS] [-m 'not nightly']
"""

import os
import sys
from pathlib import Path

# Leave no bytecode among the sources.
sys.dont_write_bytecode = True

from lib import given, packages

HERE = Path(__file__).resolve().parent


def main() -> None:
    try:
        python = packages.prepare(given.CACHE, HERE / "requirements.txt")
    except packages.Unavailable as error:
        print(f"\nNOT RUN{', which fails in CI' if given.IN_CI else ''}: {error}")
        sys.exit(int(given.IN_CI))
    os.chdir(HERE)
    os.execv(python, [str(python), "-B", "-m", "pytest", *sys.argv[1:]])


if __name__ == "__main__":
    main()
