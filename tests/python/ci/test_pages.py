"""Checks that links between pages lead somewhere, and that every place names the same compiler."""

import re
import subprocess
import tomllib

import pytest

from lib.given import ROOT


def tracked() -> list[str]:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True)
    return [it for it in listed.stdout.split("\0") if it and (ROOT / it).is_file()]


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", it).strip().lower().replace(" ", "-") for it in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", [it for it in tracked() if it.endswith(".md")])
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text()):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            broken.append(link)
    assert broken == []


def test_the_pinned_compiler_is_the_one_that_is_promised() -> None:
    pinned = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    promised = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    assert pinned.startswith(f"{promised}.")
    assert f"Rust {pinned}" in (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "probe/docs/architecture.md", "probe/docs/reference/sources.md"])
def test_paths_that_a_page_names_are_there(page: str) -> None:
    named = re.findall(r"`((?:probe|tests)/[\w./-]+)`", (ROOT / page).read_text())
    assert named
    assert [it for it in named if not re.search(r"\b(NAME|FAMILY)\.", it) and not (ROOT / it).exists()] == []
