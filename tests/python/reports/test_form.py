"""Checks the form of every report and every `explain`. See README.md."""

import dataclasses
from pathlib import Path

import pytest

from lib import given
from reports import form, texts
from reports.texts import Text

SHELLS = {"bash": ["bash"], "dash": ["dash"], "zsh": ["zsh", "-f"]}
# The share of failing reports that must fit the rows; the limit of rows is for names of at most 20 characters.
FITTING = 0.85


def none(found: list[str]) -> None:
    assert not found, f"{len(found)} problems:\n" + "\n".join(found)


def test_prose_and_commands() -> None:
    none([f"{it.name}: {problem}" for it in texts.everything() for problem in form.problems(it)])


def test_a_failing_report_says_who_acts_what_restarts_and_what_to_do() -> None:
    failing = [it for it in texts.reports() if it.fails]
    assert failing
    none([f"{it.name}: {problem}" for it in failing for problem in form.of_a_failure(it)])


def test_rows_of_a_terminal(capsys: pytest.CaptureFixture) -> None:
    rows = sorted((form.rows(it), it.name) for it in texts.reports() if it.fails)
    fitting = sum(count <= form.ROWS for count, _ in rows) / len(rows)
    with capsys.disabled():
        print(f"\nrows at 80 columns: median {rows[len(rows) // 2][0]}, 90th percentile {rows[len(rows) * 9 // 10][0]}, most {rows[-1][0]}")
        print(f"failing reports that fit {form.ROWS} rows: {fitting:.1%} of {len(rows)}")
        several = sorted((form.rows(it), it.name) for it in texts.reports() if it.fails and form.findings(it) > 1)
        print(f"of several findings: {len(several)}, most rows {several[-1][0]}, over {form.MOST_ROWS}: {sum(count > form.MOST_ROWS for count, _ in several)}")
    of_one = {it.name for it in texts.reports() if form.findings(it) == 1}
    none([f"{name}: {count} rows" for count, name in rows if count > form.MOST_ROWS and name in of_one])
    assert fitting >= FITTING


@pytest.mark.parametrize("shell", SHELLS)
def test_is_a_script(shell: str, tmp_path: Path) -> None:
    given.program(shell)
    none(form.refused(SHELLS[shell], texts.everything(), tmp_path))
    open_quote = Text("x", "# A step:\necho 'a", ())
    assert form.refused(SHELLS[shell], [open_quote], tmp_path)


GOOD = Text(
    "good",
    "# ✗ access-denied 53: a role\n#   who      you\n#   restart  new pod\n#   why      so\n\n# 1. Look, on a terminal:\naws iam get-role\n\n"
    "#   info     a·b\n#   chain    ! environment ✓ token – identity",
    ("access-denied",), True, "it says a·b", "access-denied 53: a\nwho: you\nnext: x",
)


def test_a_good_report_has_no_problem() -> None:
    assert form.problems(GOOD) + form.of_a_failure(GOOD) == []


@pytest.mark.parametrize("why", form.DENIED)
def test_the_deny_list_finds(why: str) -> None:
    _, line = form.DENIED[why]
    bad = dataclasses.replace(GOOD, text=GOOD.text.replace("aws iam get-role", line))
    assert [it for it in form.problems(bad) if f"a command that {why}" in it]


@pytest.mark.parametrize(
    "old, new",
    [
        ("a role", "a role " + "x " * 60), ("a role", "a rol…"), ("so\n", "so " + "long " * 20 + "\n"), ("so\n", "it's\n"), ("so\n", "a `b`\n"), ("so\n", "wait!\n"),
        ("so\n", "number # 3\n"), ("#   who ", "#   wer "), ("#   restart ", "#   again "), ("new pod", "new pod: step 2 needs it"), ("#   why ", "#   wherefore "), ("# 1. ", "# Then "),
        ("\naws iam", "\n aws iam"), ("terminal:", "terminal."), ("terminal:\n", "terminal:\n\n"), ("\n\n# 1", "\n\n\n# 1"), ("# 1", "#1"), ("so\n", "so:\n"), ("so\n", "so· no\n"), ("aws iam get-role\n", ""),
    ],
)
def test_each_rule_finds(old: str, new: str) -> None:
    assert old in GOOD.text
    bad = dataclasses.replace(GOOD, text=GOOD.text.replace(old, new))
    assert form.problems(bad) + form.of_a_failure(bad)


@pytest.mark.parametrize("message", ["a" * 401 + "\nb\nc", "one\ntwo", "one\ntwo\nthree\nfour"])
def test_a_termination_message_is_short(message: str) -> None:
    assert form.of_a_failure(dataclasses.replace(GOOD, message=message))
