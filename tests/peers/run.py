"""Real peers: boto3 beside the probe in the sandbox and on SeaweedFS's STS, SDKs beside `chain`. See README.md.

    CREDPROBE_BIN=… CREDPROBE_SANDBOX_BIN=… python3 run.py [--cache=FOLDER] [--only=sandbox|seaweedfs|chain]
"""

import argparse
import os
import signal
import sys
from pathlib import Path

# Nothing is left among the sources.
sys.dont_write_bytecode = True

import chain
import on_sandbox
import outcome
import packages
import programs

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cache = os.environ.get("CREDPROBE_PEERS_CACHE") or HERE.parents[1] / "target" / "peers"
    parser.add_argument("--cache", type=Path, default=cache, help="where packages are kept (default: %(default)s)")
    parser.add_argument("--only", choices=("sandbox", "seaweedfs", "chain"), help="one of them")
    chosen = parser.parse_args()
    probe, sandbox = programs.programs()
    try:
        python = packages.prepare(chosen.cache)
    except packages.Unavailable as error:
        nothing = [outcome.Outcome("all", not_run=str(error))]
        outcome.show("Nothing can be compared", nothing)
        return outcome.summary(nothing)
    if not os.path.samefile(sys.prefix, python.parents[1]):
        os.execv(python, [python, *sys.argv])

    # Ends through the `finally`s: nothing that was started may stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    found = []
    if chosen.only in (None, "chain"):
        title, compared = chain.outcomes(probe, str(python), chosen.cache)
        outcome.show(title, compared)
        found += compared
    if chosen.only in (None, "sandbox"):
        title, compared = on_sandbox.outcomes(probe, sandbox, str(python))
        outcome.show(title, compared)
        found += compared
    if chosen.only in (None, "seaweedfs"):
        import on_seaweedfs  # Needs the packages.

        compared = on_seaweedfs.outcomes(probe, str(python))
        outcome.show("On SeaweedFS's STS", compared)
        found += compared
    return outcome.summary(found)


if __name__ == "__main__":
    sys.exit(main())
