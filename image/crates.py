"""The crates that the binary is made from: names, versions and edges from `cargo tree`, the rest from `cargo metadata` and Cargo.lock.

`cargo metadata` alone is not enough: it has the features, and so the crates, of the whole workspace with its tests.
"""

import json
import re
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Depth, name, version. More may follow: `(*)` for a crate that was listed before and has no children here, the path of one of
# ours, and a note for a macro.
LINE = re.compile(r"^(\d+)(\S+) v(\S+)")


@dataclass
class Crate:
    name: str
    version: str
    needs: set[tuple[str, str]] = field(default_factory=set)
    license: str | None = None
    description: str | None = None
    repository: str | None = None
    # `None` for a crate of this repository.
    sha256: str | None = None
    folder: Path = Path()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def linked(package: str, targets: list[str]) -> list[Crate]:
    """Includes macros, which run in the compiler. The package itself comes first."""
    found: dict[tuple[str, str], Crate] = {}
    for target in targets:
        tree = cargo("tree", f"--package={package}", f"--target={target}", "--edges=normal", "--prefix=depth")
        path: list[Crate] = []
        for line in filter(None, tree.splitlines()):
            depth, name, version = LINE.match(line).groups()
            crate = found.setdefault((name, version), Crate(name, version))
            del path[int(depth) :]
            if path:
                path[-1].needs.add((name, version))
            path.append(crate)
    sums = {(it["name"], it["version"]): it.get("checksum") for it in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    for it in json.loads(cargo("metadata", "--format-version=1"))["packages"]:
        key = (it["name"], it["version"])
        if crate := found.get(key):
            # The slash is how `OR` was written before SPDX.
            crate.license = (it["license"] or "").replace("/", " OR ") or None
            crate.description, crate.repository, crate.sha256 = it["description"], it["repository"], sums[key]
            crate.folder = Path(it["manifest_path"]).parent
    return sorted(found.values(), key=lambda it: (it.name != package, it.name, it.version))


def cargo(command: str, *arguments: str) -> str:
    return subprocess.run(["cargo", command, "--locked", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
