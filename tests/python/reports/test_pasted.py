"""Pastes the report of every class into interactive shells, and reports that quote hostile texts. See README.md."""

import functools
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from lib import given
from reports import paste, standins, texts
from reports.paste import SHELLS, Session, Shell, Stuck
from reports.standins import Bench
from reports.texts import Text

# What STS, a web filter or a process name could contain.
HOSTILE = ["`touch x`", "$(touch x)", "; touch x", "& touch x", "' ; touch x ; '", '" ; touch x ; "', "\ntouch x\n", "!touch", "# touch x", "> kept.json"]


class Pasting:
    """One shell for many texts. It is replaced if a text has broken it."""

    def __init__(self, shell: Shell) -> None:
        given.program(shell.name)
        self.shell, self.folder = shell, tempfile.TemporaryDirectory(prefix="pasted-")
        self.bench = Bench(Path(self.folder.name))
        # A real `touch`, so that a text that runs it leaves a file.
        (self.bench.bin / "touch").symlink_to(shutil.which("touch"))
        self.session: Session | None = None

    def __enter__(self) -> "Pasting":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.folder.cleanup()

    def end(self) -> None:
        if self.session:
            self.session.close()
        self.session = None

    def problems(self, it: Text) -> list[str]:
        try:
            return [f"{it.name} in {self.shell}: {problem}" for problem in self.tried(it)]
        except Stuck as stuck:
            self.end()
            return [f"{it.name}: {stuck}"]

    def tried(self, it: Text) -> list[str]:
        found, bench = [], self.bench
        open_ended = [command for command in it.commands if standins.VARIABLE.search(command)]
        sure = [command for command in it.commands if command not in open_ended]
        if open_ended and str(self.shell) == "zsh-bracketed":
            # In zsh with bracketed paste an unset variable ends everything that was pasted with it.
            sure = it.commands[: it.commands.index(open_ended[0])]
        expected = Counter(call for command in sure for call in bench.alone(command))
        # The other commands may run too, as far as their variables are set.
        perhaps = {call[0] for command in open_ended for call in bench.whole(command)}
        for old in bench.work.iterdir():
            old.unlink()
        files = standins.with_files(bench, it.commands)
        bench.clear()
        self.session = self.session or Session(self.shell, bench)
        for times in (1, 2):
            self.session.paste(it.text)
            allowed = {"#"} if self.shell.name == "zsh" else set()
            if words := set(self.session.unknown_words()) - allowed:
                found.append(f"runs words of the prose, or programs that nobody has: {sorted(words)}")
            ran = Counter(bench.calls())
            missing = {call: count for call, count in expected.items() if ran[call] < count * times}
            if missing:
                found.append(f"pasted {times} times, has not run {list(missing)}")
            more = [call for call in ran if call not in expected and call[0] not in perhaps]
            if more:
                found.append(f"has run what no command says: {more}")
        found += [f"{file.name} has lost what was in it" for file in files if not file.exists() or not file.read_text().startswith("kept\n")]
        made = {file.name for file in bench.work.iterdir()} - {file.name for file in files} - {".zsh_history", ".bash_history"}
        return found + [f"the file {name!r} was made" for name in sorted(made)]


@pytest.mark.parametrize("shell", SHELLS, ids=str)
def test_a_pasted_report_runs_its_commands_and_nothing_else(shell: Shell) -> None:
    with Pasting(shell) as pasting:
        found = [problem for it in texts.of_each_class() for problem in pasting.problems(it)]
    assert not found, f"{len(found)} problems:\n" + "\n".join(found)


@pytest.mark.parametrize("shell", SHELLS, ids=str)
@pytest.mark.parametrize(
    "old, new",
    [
        ("# 1. Look:", "1. Look:"), ("# so", "it's so"), ("# 1. Look:", "# 1. Look:\ntrue > kept.json"), ("aws a", "kubectl b 'c"),
        ("# so", "# so\ncurl x"), ("aws a | tee -a kept.json", "aws a | tee kept.json"), ("# so", "touch x"),
    ],
)
def test_what_is_no_such_report_is_found(shell: Shell, old: str, new: str) -> None:
    good = Text("x", "# ✗ so\n# so\n\n# 1. Look:\naws a | tee -a kept.json\n\n# 2. Look at its role:\naws b \"${role:?is not set}\"", ("x",))
    with Pasting(shell) as pasting:
        assert pasting.problems(good) == []
        bad = Text("x", good.text.replace(old, new), ("x",))
        # A call that the commands make themselves would not be noticed, because calls are only counted.
        if "curl x" in new:
            bad = Text("x", bad.text.replace("curl x", "# x\rcurl x"), ("x",))
        limit, paste.LIMIT = paste.LIMIT, 2
        try:
            assert pasting.problems(bad)
        finally:
            paste.LIMIT = limit


# Where the evidence contains the words of others: messages of STS and of the agent, a page in place of STS, a process name.
SAID_BY_OTHERS = [("exchange", "error", "message"), ("exchange", "excerpt"), ("agent", "answer", "message"), ("target", "comm")]


def with_words(saved: dict, place: tuple[str, ...], hostile: str) -> str | None:
    """The report, judged again with this text in its evidence; `None`: it has no such place."""
    changed = json.loads(json.dumps(saved))
    found = changed["evidence"]
    for name in place[:-1]:
        found = found.get(name) or {}
    if not isinstance(found.get(place[-1]), str):
        return None
    said = f"{found[place[-1]]}{hostile}" if place[-1] == "message" else f"a {hostile}"
    found[place[-1]] = said[:15] if place[-1] == "comm" else said
    return texts.judged(json.dumps(changed))


@functools.cache
def quoting() -> list[tuple[str, dict, tuple[str, ...]]]:
    """For each class and place one report that quotes the text at that place."""
    found = {}
    for file in texts.kept():
        saved = json.loads(file.read_text())
        classes = texts.told(saved)
        for place in SAID_BY_OTHERS:
            if (classes[0], place) not in found:
                if "hostword" in (with_words(saved, place, " hostword") or ""):
                    found[classes[0], place] = (file.stem, saved, place)
    assert {place for _, place in found} == set(SAID_BY_OTHERS), "a place that no report quotes"
    return list(found.values())


def planted(hostile: str, turn: int) -> list[Text]:
    tried = [(name, saved, place, with_words(saved, place, hostile)) for name, saved, place in quoting()[turn % 3 :: 3]]
    return [Text(f"{name} with {hostile!r} in {'.'.join(place)}", text, texts.told(saved)) for name, saved, place, text in tried]


@pytest.mark.parametrize("shell", SHELLS, ids=str)
def test_what_others_say_is_never_run(shell: Shell) -> None:
    with Pasting(shell) as pasting:
        # Each text goes into some of the reports.
        tried = [it for turn, hostile in enumerate(HOSTILE) for it in planted(hostile, turn)]
        assert tried
        found = [problem for it in tried for problem in pasting.problems(it)]
    assert not found, f"{len(found)} problems:\n" + "\n".join(found)
