"""Checks that everything that comments point to is in the repository."""

import re
from pathlib import PurePosixPath

import pytest

from ci.test_pages import tracked
from lib.given import ROOT

# Data of tests, and texts of others.
PASSED_OVER = re.compile(r"LICENSE$|Cargo\.lock$|package-lock\.json$|^tests/(fuzz/corpus|it/golden|scenarios/reports)/|\.svg$")
# Documents that comments once cited. A reader cannot open them.
ELSEWHERE = [
    r"[Cc]ontract(\.md|'s)? ?(§|\d)",
    r"\bby the contract\b|\bthe contract'?s?\b|\(contract\b",
    r"\([Ff]acts: [^&]|\bFacts: [a-z]|\bfacts/|\bthe facts\b",
    r"\bsdks-observed|\birsa-failures\b|\bsdk-chains\.json|\bpod-identity §?\d\.\d",
]
# Pages of others, which are named with their address.
OF_OTHERS = re.compile(r"https?://\S+")

FILES = tracked()
TEXTS = {it: text for it in FILES if not PASSED_OVER.search(it) and it != "tests/python/ci/test_citations.py"
         for text in [(ROOT / it).read_bytes().decode(errors="ignore")]}


def prose(name: str, line: str) -> str:
    """Only the comments of a Rust file, because a variable may be called `facts`."""
    return line.partition("//")[2] if name.endswith(".rs") else line


@pytest.mark.parametrize("pattern", ELSEWHERE)
def test_nothing_cites_a_document_that_is_elsewhere(pattern: str) -> None:
    cited = [f"{name}:{number}: {line.strip()}" for name, text in TEXTS.items()
             for number, line in enumerate(text.splitlines(), 1) if re.search(pattern, prose(name, line))]
    assert cited == []


def test_each_file_that_a_comment_names_is_there() -> None:
    parts = [PurePosixPath(it).parts for it in FILES]
    ends = {"/".join(it[at:]) for it in parts for at in range(len(it))}
    named = re.compile(r"[\w./-]*\w\.md\b|(?<![\w/.-])(?:tests|probe|image|manifests)/[\w/.-]+\.(?:py|rs|toml|txt|json)\b")
    missing = [f"{name}: {file}" for name, text in TEXTS.items() if not name.endswith(".md") for line in text.splitlines()
               for file in named.findall(OF_OTHERS.sub("", prose(name, line))) if file.replace("../", "").removeprefix("./") not in ends]
    assert missing == []


def test_headings_that_comments_name_are_there() -> None:
    reference = ROOT / "probe" / "docs" / "reference"
    named = {(name, page, heading) for name, text in TEXTS.items()
             for page, heading in re.findall(r"([\w-]+\.md), “([^”]+)”", text)}
    assert len(named) > 10
    assert [it for it in sorted(named) if f"\n## {it[2]}\n" not in (reference / it[1]).read_text()] == []
