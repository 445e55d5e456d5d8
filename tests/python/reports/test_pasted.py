"""Every class's report pasted into interactive shells, and reports that quote hostile texts. See README.md."""

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

# What STS, a web filter or a process name could say.
HOSTILE = ["`touch x`", "$(touch x)", "; touch x", "& touch x", "' ; touch x ; '", '" ; touch x ; "', "\ntouch x\n", "!touch", "# touch x", "> kept.json"]


class Pasting:
    """One shell for many texts: a new one where a text has broken it."""

    def __init__(self, shell: Shell) -> None:
        given.program(shell.name)
        self.shell, self.folder = shell, tempfile.TemporaryDirectory(prefix="pasted-")
        self.bench = Bench(Path(self.folder.name))
        # To be found when a text makes it run.
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
        expected = Counter(call for command in it.commands if command not in open_ended for call in bench.alone(command))
        # What runs of a pipeline whose variable is not set.
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
        # Of what the commands say themselves nothing is missed: it is only counted.
        if "curl x" in new:
            bad = Text("x", bad.text.replace("curl x", "# x\rcurl x"), ("x",))
        limit, paste.LIMIT = paste.LIMIT, 2
        try:
            assert pasting.problems(bad)
        finally:
            paste.LIMIT = limit


def planted(hostile: str) -> list[Text]:
    """Reports that quote what others say, with this in their mouths."""
    found = []
    for file in texts.kept():
        saved = json.loads(file.read_text())
        evidence = saved["evidence"]
        places = []
        exchange = evidence.get("exchange") or {}
        if file.stem in ("access-denied", "sts-service-failure", "invalid-identity-token") and exchange.get("error"):
            exchange["error"]["message"] += hostile
            places.append("message")
        if file.stem in ("not-sts", "access-denied") and exchange.get("excerpt"):
            exchange["excerpt"] = f"<h1>Access {hostile} blocked</h1> {hostile}"
            places.append("page")
        target = evidence.get("target") or {}
        if file.stem.startswith("target-") and target.get("comm"):
            target["comm"] = f"a{hostile}"[:15]
            places.append("process")
        if places and not any(it.classes == texts.told(saved) for it in found):
            found.append(Text(f"{file.stem} with {hostile!r} as {places[0]}", texts.judged(json.dumps(saved)), texts.told(saved)))
    return [it for it in found if not texts.not_yet() & set(it.classes)]


@pytest.mark.parametrize("shell", SHELLS, ids=str)
def test_what_others_say_is_never_run(shell: Shell) -> None:
    with Pasting(shell) as pasting:
        tried = [it for hostile in HOSTILE for it in planted(hostile)]
        assert tried
        found = [problem for it in tried for problem in pasting.problems(it)]
    assert not found, f"{len(found)} problems:\n" + "\n".join(found)
