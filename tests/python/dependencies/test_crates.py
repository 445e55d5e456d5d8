"""Applies the rules of deny.toml to `cargo metadata`, so that CI needs no cargo-deny: licences, sources, duplicates, wildcards.

cargo-deny does more: it reads the texts of licences (image/licenses.py fails if there is none) and advisories.
"""

import functools
import json
import re
import subprocess
import tomllib
from collections import defaultdict

import pytest

from lib.given import ROOT

RULES = tomllib.loads((ROOT / "deny.toml").read_text())
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
TARGETS = RULES["graph"]["targets"]


@functools.cache
def metadata(target: str) -> dict:
    command = ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={target}"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def shipped(metadata: dict) -> list[dict]:
    """The packages that the workspace needs to be built, without excluded ones and without those of tests."""
    packages = {it["id"]: it for it in metadata["packages"]}
    nodes = {it["id"]: it for it in metadata["resolve"]["nodes"]}
    excluded = RULES["graph"]["exclude"]
    todo = [it for it in metadata["workspace_members"] if packages[it]["name"] not in excluded]
    found = set()
    while todo:
        if (one := todo.pop()) not in found:
            found.add(one)
            todo += [it["pkg"] for it in nodes[one]["deps"] if any(kind["kind"] != "dev" for kind in it["dep_kinds"])]
    return [packages[it] for it in sorted(found)]


def problems(metadata: dict) -> list[str]:
    found, versions = [], defaultdict(set)
    skipped = {it["crate"] for it in RULES["bans"]["skip"]}
    for it in shipped(metadata):
        name = f"{it['name']} {it['version']}"
        if it["source"] not in (None, CRATES_IO):
            found.append(f"{name}: comes from {it['source']}")
        if not is_allowed(it["license"] or ""):
            found.append(f"{name}: licence {it['license']}")
        found += [f"{name}: any version of {need['name']}" for need in it["dependencies"] if is_wildcard(need)]
        # If a crate may be present in two versions, `skip` names the older one: `syn@2`.
        if not any(name.startswith(f"{one.replace('@', ' ')}.") for one in skipped):
            versions[it["name"]].add(it["version"])
    return found + [f"{name}: {', '.join(sorted(all))}" for name, all in versions.items() if len(all) > 1]


def is_allowed(licence: str) -> bool:
    """Whether an SPDX expression has an alternative of which all parts are allowed. `/` is the old form of OR."""
    tokens = re.findall(r"[()]|[^\s()/]+|/", licence)

    def either() -> bool:
        found = both()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            found = both() or found
        return found

    def both() -> bool:
        found = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            found = one() and found
        return found

    def one() -> bool:
        token = tokens.pop(0) if tokens else ""
        if token == "(":
            found = either()
            return tokens.pop(0) == ")" and found
        if tokens and tokens[0] == "WITH":
            token += f" WITH {tokens[1]}"
            del tokens[:2]
        return token in RULES["licenses"]["allow"]

    return either() and not tokens


def is_wildcard(need: dict) -> bool:
    return need["req"] == "*" and not need.get("path") and need["kind"] != "dev"


@pytest.mark.parametrize("target", TARGETS)
def test_crates_keep_the_rules(target: str) -> None:
    assert len(shipped(metadata(target))) > 50
    assert problems(metadata(target)) == []


def test_the_sandbox_and_what_only_tests_need_are_not_looked_at() -> None:
    names = {it["name"] for it in shipped(metadata(TARGETS[0]))}
    assert "credprobe" in names and not names & {"credprobe-sandbox", "proptest"}


def package(name: str, version: str = "1.0.0", **more: object) -> dict:
    return {"id": f"{name} {version}", "name": name, "version": version, "source": CRATES_IO, "license": "MIT", "dependencies": [], **more}


def tree(*packages: dict, kind: str | None = None) -> dict:
    """A workspace with one package that needs all the others."""
    first, *others = packages
    deps = [{"pkg": it["id"], "dep_kinds": [{"kind": kind, "target": None}]} for it in others]
    nodes = [{"id": first["id"], "deps": deps}, *({"id": it["id"], "deps": []} for it in others)]
    return {"packages": list(packages), "resolve": {"nodes": nodes}, "workspace_members": [first["id"]]}


OURS = package("ours", source=None)
NEED = {"name": "b", "req": "*", "kind": None}


@pytest.mark.parametrize(
    "broken",
    [
        tree(OURS, package("a", license="GPL-3.0-only")),
        tree(OURS, package("a", license=None)),
        tree(OURS, package("a", license="MIT AND GPL-3.0-only")),
        tree(OURS, package("a", source="registry+https://crates.example.com/index")),
        tree(OURS, package("a", source="git+https://github.com/a/a#1")),
        tree(OURS, package("a"), package("a", "2.0.0")),
        tree(OURS, package("a"), package("a", "1.1.0"), kind="build"),
        tree(OURS, package("syn", "3.0.0"), package("syn", "4.0.0")),
        tree(OURS, package("a", dependencies=[NEED])),
        tree(package("ours", source=None, license="GPL-3.0-only")),
    ],
)
def test_each_rule_finds_what_breaks_it(broken: dict) -> None:
    assert len(problems(broken)) == 1


@pytest.mark.parametrize(
    "kept",
    [
        tree(OURS, package("syn", "2.0.1"), package("syn", "3.0.0")),
        tree(OURS, package("a", license="GPL-3.0-only"), kind="dev"),
        tree(OURS, package("a", dependencies=[NEED | {"path": "/here"}, NEED | {"kind": "dev"}])),
        tree(OURS, package("a", license="(MIT OR GPL-3.0-only) AND Unicode-3.0")),
    ],
)
def test_what_the_rules_allow_passes(kept: dict) -> None:
    assert problems(kept) == []


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT/Apache-2.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", True),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("MIT OR Apache-2.0 AND GPL-3.0-only", True),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("MIT MIT", False),
        ("", False),
    ],
)
def test_licences_are_read_as_spdx_has_them(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) is allowed
