"""Packs the plugin as krew wants it: an archive for each binary, and the manifest with their hashes.

    python3 krew.py --out=FOLDER --binary=x86_64-unknown-linux-gnu=PATH [--url=https://…] [--homepage=https://…]
"""

import argparse
import gzip
import hashlib
import io
import os
import re
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Rust's targets as krew selects platforms.
SYSTEMS = {"linux": "linux", "darwin": "darwin", "windows": "windows"}
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
HEAD = """\
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: credprobe
spec:
  version: v{version}
{homepage}  shortDescription: Why pods on EKS don't get AWS credentials
  description: |
    Says why a pod, a workload or a service account on Amazon EKS will not get
    its AWS credentials (IRSA, EKS Pod Identity), which of all workloads use
    which role and which of them will fail, and the same of manifests that are
    not applied yet. Asks the cluster by your kubectl and IAM by your AWS CLI,
    and reads only.
  caveats: |
    `why` and `fleet` ask IAM and EKS by the AWS CLI, where it is installed.
    `debug` adds an ephemeral container and needs an image with credprobe:
    --image=IMAGE or CREDPROBE_IMAGE.
  platforms:
"""
PLATFORM = """\
    - selector:
        matchLabels:
          os: {os}
          arch: {arch}
      uri: {url}/v{version}/{archive}
      sha256: {sha256}
      files:
        - from: "{bin}"
          to: .
        - from: LICENSE
          to: .
      bin: {bin}
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--binary", action="append", required=True, help="TARGET=PATH")
    workspace = (ROOT / "Cargo.toml").read_text()
    # Nothing is published yet. This name never resolves (RFC 2606), so that nobody else's site is named.
    parser.add_argument("--url", default="https://releases.invalid/credprobe", help="the folder of the releases")
    parser.add_argument("--homepage")
    given = parser.parse_args()
    version = re.search(r'^version = "(.+)"$', workspace, re.MULTILINE)[1]
    given.out.mkdir(parents=True, exist_ok=True)
    manifest = HEAD.format(version=version, homepage=f"  homepage: {given.homepage}\n" if given.homepage else "")
    for binary in given.binary:
        target, _, path = binary.partition("=")
        machine, system = target.split("-")[0], next(it for it in SYSTEMS if it in target)
        name = "kubectl-credprobe.exe" if system == "windows" else "kubectl-credprobe"
        archive = f"kubectl-credprobe-{SYSTEMS[system]}-{MACHINES[machine]}.tar.gz"
        packed = pack({name: Path(path), "LICENSE": ROOT / "LICENSE"})
        (given.out / archive).write_bytes(packed)
        manifest += PLATFORM.format(
            os=SYSTEMS[system], arch=MACHINES[machine], url=given.url, version=version, archive=archive, bin=name,
            sha256=hashlib.sha256(packed).hexdigest(),
        )
    (given.out / "credprobe.yaml").write_text(manifest)


def pack(files: dict[str, Path]) -> bytes:
    """The same bytes of the same files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, path in files.items():
            it = tarfile.TarInfo(name)
            it.size, it.mode = path.stat().st_size, 0o755 if os.access(path, os.X_OK) else 0o644
            with path.open("rb") as content:
                tar.addfile(it, content)
    return gzip.compress(raw.getvalue(), mtime=0)


main()
