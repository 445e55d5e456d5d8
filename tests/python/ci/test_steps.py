"""Checks that the steps of CI are written once, in the Makefile, and that each is one of its targets."""

import re

import pytest

from lib.given import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {it for line in re.findall(r"^([a-z -]+):(?!=)", MAKEFILE, re.MULTILINE) for it in line.split()}


def steps(tier: str) -> list[str]:
    return re.search(rf"^{tier}_STEPS := (.+)$", MAKEFILE, re.MULTILINE)[1].split()


@pytest.mark.parametrize("tier", ["CI", "NIGHTLY"])
def test_each_step_is_a_target(tier: str) -> None:
    assert [it for it in steps(tier) if it not in TARGETS] == []


def test_ci_runs_the_list_and_nothing_beside_it() -> None:
    run = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^(?:exec )?make (.*)$", run, re.MULTILINE) == ["ci"]


def test_the_readmes_test_command_is_a_step() -> None:
    (command,) = re.findall(r"^make (\S+) +# all tests", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert command in steps("CI")


def test_each_promise_names_how_it_is_tested() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    assert set(re.findall(r"`make ([a-z-]+)", text)) - TARGETS == set()
    promised = text.split("## What is promised")[1].split("## What is not promised")[0]
    promises = re.findall(r"^\| (?!promise|---)(.*) \| (.*) \|$", promised, re.MULTILINE)
    assert len(promises) > 10
    assert [promise for promise, test in promises if not re.search(r"`make |\]\(", test)] == []
