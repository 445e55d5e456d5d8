"""Checks that a comment above each direct dependency says what it is for."""

import re
import tomllib

import pytest

from lib.given import ROOT

HEADING = re.compile(r"\[+([^\]]+)\]+")
KEY = re.compile(r"""["']?([\w-]+)["']?(?:\.[\w-]+)*\s*=""")
# A comment with fewer words says nothing.
WORDS = 3


def without_reason(text: str) -> list[str]:
    """The names of dependencies, of every kind, without a comment directly above."""
    found: dict[str, bool] = {}
    above, section = "", ""
    for line in map(str.strip, text.splitlines()):
        if heading := HEADING.match(line):
            section = heading[1]
            head, _, name = section.rpartition(".")
            # [dependencies.NAME] is a dependency too.
            if is_of_dependencies(head):
                found[f"{head} {name}"] = is_reason(above)
        elif (key := KEY.match(line)) and is_of_dependencies(section):
            found[f"{section} {key[1]}"] = is_reason(above)
        above = line
    named = {f"{section} {name}" for section, names in sections(tomllib.loads(text)) for name in names}
    unread = [f"{it} (in a form that this check cannot read)" for it in sorted(named - found.keys())]
    return [it for it, has_reason in found.items() if not has_reason] + unread


def is_of_dependencies(section: str) -> bool:
    return section.split(".")[-1] in ("dependencies", "dev-dependencies", "build-dependencies")


def is_reason(line: str) -> bool:
    return line.startswith("# ") and len(line.split()) > WORDS


def sections(table: dict, path: str = "") -> list[tuple[str, list[str]]]:
    """All tables of dependencies, including those of targets and of the workspace."""
    found = []
    for key, value in table.items():
        # In the form of a heading, where 'cfg(unix)' is quoted.
        name = key if re.fullmatch(r"[\w-]+", key) else repr(key)
        here = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            found += [(here, list(value))] if is_of_dependencies(here) else sections(value, here)
    return found


def test_each_dependency_has_its_reason() -> None:
    manifests = [it for it in ROOT.rglob("Cargo.toml") if "target" not in it.relative_to(ROOT).parts]
    assert len(manifests) > 3
    bad = [f"{it.relative_to(ROOT)}: {name}" for it in sorted(manifests) for name in without_reason(it.read_text())]
    assert bad == [], "no line of reason stands above"


def test_a_reason_passes() -> None:
    assert without_reason('[dependencies]\n# What it is for.\nserde = "1"\n') == []


@pytest.mark.parametrize(
    "text",
    [
        '[dependencies]\nserde = "1"\n',
        '[dependencies]\n# What it is for.\nbytes = "1"\nserde = "1"\n',
        '[dependencies]\n# What it is for.\n\nserde = "1"\n',
        '[dependencies]\n# serde.\nserde = "1"\n',
        '[dependencies]\nserde.version = "1"\n',
        '[dependencies.serde]\nversion = "1"\n',
        '[dev-dependencies]\nserde = { version = "1" }\n',
        '[build-dependencies]\nserde = "1"\n',
        "[target.'cfg(unix)'.dependencies]\nserde = \"1\"\n",
        '[workspace.dependencies]\nserde = "1"\n',
        'dependencies = { serde = "1" }\n',
    ],
)
def test_what_has_none_is_named(text: str) -> None:
    (bare,) = without_reason(text)
    assert "serde" in bare
