"""A laptop: a home, kubectl and aws in the PATH, and runs of the plugin in it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kubectl import cluster
from kubectl.api_server import ApiServer
from kubectl.aws import Aws
from lib import given

CLUSTER = f"arn:aws:eks:eu-west-1:{cluster.ACCOUNT}:cluster/prod"
LIMIT = 120


@dataclass
class Done:
    code: int
    out: str
    err: str
    # The verbs of the requests to the API server, without discovery.
    verbs: list[str]
    # The bodies of the token requests.
    tokens: list[bytes]

    def json(self) -> dict:
        return json.loads(self.out)

    def classes(self) -> dict[str, str]:
        """The class of each container or workload; `-` means no verdict."""
        of = lambda row: row["verdict"]["class"] if row["verdict"] else "-"
        return {f"{row['workload'].partition('/')[2]}/{row['container']}": of(row) for row in self.json()["workloads"]}


def run(folder: Path, objects: list[dict], aws: Aws | None, *arguments: str, denied: set[str] = frozenset(), stdin: str = "", **variables: str) -> Done:
    bin = folder / "bin"
    bin.mkdir(exist_ok=True)
    if not (bin / "kubectl").is_symlink():
        (bin / "kubectl").symlink_to(given.kubectl())
    if aws:
        aws.wrapper(bin)
    with ApiServer(objects, issuer=cluster.ISSUER, denied=denied) as api:
        config = {
            "clusters": [{"name": CLUSTER, "cluster": {"server": api.url}}],
            "contexts": [{"name": "loopback", "context": {"cluster": CLUSTER, "user": "dev", "namespace": "shop"}}],
            "users": [{"name": "dev", "user": {}}],
            "current-context": "loopback",
        }
        (folder / "kubeconfig").write_text(json.dumps(config))
        keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}
        home = {"PATH": f"{bin}:/usr/bin:/bin", "HOME": str(folder), "KUBECONFIG": str(folder / "kubeconfig"), "TMPDIR": str(folder), **keys}
        done = subprocess.run(
            [given.kubectl_plugin(), *arguments], env={**home, **variables}, cwd=folder, input=stdin, capture_output=True, text=True, timeout=LIMIT
        )
        return Done(done.returncode, done.stdout, done.stderr, list(api.asked), list(api.tokens))
