"""Tests the image, the manifests and the recipes on the cluster that KUBECONFIG names. See README.md.

    KUBECONFIG=… python3 run.py --image=NAME --sandbox-image=NAME [--only=GROUP] [--cache=FOLDER | --kubectl=PATH]
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

# Leave no bytecode among the sources.
sys.dont_write_bytecode = True

HERE = Path(__file__).parent
# At the end of the path, so that our own modules win.
sys.path.append(str(HERE.parent / "python" / "lib"))

import admission
import debugging
import gates
import identities
import image_volumes
import init_containers
import jobs
import leaks
import results
import rotation
import security
import sidecars
import tools
from cluster import Cluster, Overdue, Refused, Unavailable
from pods import Images
from stage import Stage

GROUPS = {
    "init-containers": init_containers,
    "image-volumes": image_volumes,
    "sidecars": sidecars,
    "gates": gates,
    "debug": debugging,
    "security": security,
    "jobs": jobs,
    "admission": admission,
    "identities": identities,
}
CACHE = Path(f"/var/tmp/credprobe-tools-{os.geteuid()}")
# How each JWT begins: `{"alg":` and `{"kid":` in base64.
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default="credprobe:0.1.0", help="the probe's, where the nodes pull from")
    parser.add_argument("--sandbox-image", default="credprobe-sandbox:dev", help="the sandbox's, likewise")
    parser.add_argument("--pull-policy", choices=("Always", "IfNotPresent", "Never"), help="instead of the cluster's default")
    parser.add_argument("--only", choices=[*GROUPS, "rotation"], help="one group of rows")
    parser.add_argument("--without-rotation", action="store_true", help="which takes ten minutes")
    port = os.environ.get("CREDPROBE_TOKEN_WEBHOOK")
    about = "where on loopback the API server asks about unknown tokens [default: what the trial cluster says]"
    parser.add_argument("--token-webhook", type=int, metavar="PORT", default=port, help=about)
    parser.add_argument("--kubectl", help="instead of the pinned one")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the pinned kubectl is kept")
    chosen = parser.parse_args()
    # Exit with an exception, so that each `finally` removes what was made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="credprobe-cluster-") as folder:
        return ran(chosen, Path(folder) / "kubectl")


def ran(chosen: argparse.Namespace, kubectl: Path) -> int:
    try:
        # The plugin looks for kubectl under this name.
        kubectl.symlink_to(Path(chosen.kubectl or tools.pinned("kubectl", chosen.cache)).absolute())
        cluster = Cluster(kubectl)
        print(f"{cluster.version}, issuer {cluster.issuer}", flush=True)
        stage = Stage(cluster, Images(chosen.image, chosen.sandbox_image, chosen.pull_policy), chosen.token_webhook)
    except (tools.Unavailable, Refused, OSError) as error:
        nothing = [results.Result("all", not_run=f"no cluster: {error}")]
        results.show("No cluster can be reached", nothing)
        # The run was asked for and did nothing, so it is not a success anywhere.
        return results.summary(nothing) or 1
    found: list[results.Result] = []
    try:
        ready = shown("The sandbox's STS and the webhook", lambda: [set_up(stage)])
        found += ready
        if ready[0].verdict() == "ok":
            found += tested(stage, chosen)
    finally:
        stage.tear_down()
    return results.summary(found)


def tested(stage: Stage, chosen: argparse.Namespace) -> list[results.Result]:
    found = [webhook(stage)]
    results.show("Injection", found)
    with_rotation = chosen.only == "rotation" or (not chosen.only and not chosen.without_rotation)
    # It starts first because it takes longest.
    began = rotation.begin(stage) if with_rotation else None
    for name, group in GROUPS.items():
        if chosen.only in (None, name):
            found += shown(group.TITLE, lambda group=group: group.results(stage))
    if began:
        found += shown(rotation.TITLE, lambda: rotation.results(stage, began))
    elif not chosen.only:
        skipped = [results.Result("rotation", not_run="--without-rotation")]
        results.show(rotation.TITLE, skipped)
        found += skipped
    return found + shown("Secrets", lambda: [leaked(stage)])


def shown(title: str, run) -> list[results.Result]:
    """A group that cannot continue is one failure, and the other groups still run."""
    try:
        found = run()
    except Unavailable as error:
        found = [results.Result("all", not_run=str(error))]
    except (Overdue, Refused) as error:
        found = [results.Result("all", "-", "-", problems=[str(error)])]
    results.show(title, found)
    sys.stdout.flush()
    return found


def set_up(stage: Stage) -> results.Result:
    start = time.monotonic()
    stage.set_up()
    return results.Result(f"STS as {stage.sts.host}", milliseconds=(time.monotonic() - start) * 1000)


def webhook(stage: Stage) -> results.Result:
    if stage.webhook:
        return results.Result("variables and token by the cluster's EKS webhook")
    why = "no EKS webhook in this cluster: the tests write into each pod what it would"
    return results.Result("variables and token by the cluster's EKS webhook", not_run=why)


def leaked(stage: Stage) -> results.Result:
    """Searches logs, statuses and events of all containers for STS's credentials and for anything that looks like a token."""
    result = results.Result("no token and no credential in logs, statuses, events")
    said, issued = stage.said(), stage.sts.record()["secrets"]
    if not said or not issued:
        result.problems.append("nothing was said, or nothing was issued: there is nothing to look into")
    # This compares in the other direction than leaks.find, which would take minutes with so many secrets.
    parts = {part for secret in issued for part in leaks.parts(secret)}
    for length in {len(part) for part in parts}:
        at = next((at for at in range(len(said)) if said[at : at + length] in parts), None)
        if at is not None:
            result.problems.append(f"a part of a secret at character {at} of what was said")
    if token := JWT.search(said):
        result.problems.append(f"a token begins at {token.start()} of what was said")
    return result


if __name__ == "__main__":
    sys.exit(main())
