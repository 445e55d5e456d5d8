"""The texts under test: each scenario's report as `credprobe judge` prints it, and `credprobe explain` for each class."""

import functools
import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lib import given


@dataclass(frozen=True)
class Text:
    name: str
    text: str
    # The classes whose steps it contains, the deciding one first.
    classes: tuple[str, ...]
    fails: bool = False
    # Everything that was observed, in the form of prose.
    outside: str = ""
    # The termination message; `None`: there is none.
    message: str | None = None

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def commands(self) -> list[str]:
        return [line for line in self.lines if line and not line.startswith("#")]


def printed(*words: str, text: str | None = None) -> str:
    # The probe must not see the variables of the tests.
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run([given.probe(), *words], input=text, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout, done
    return done.stdout.removesuffix("\n")


def kept() -> list[Path]:
    folder = os.environ.get("CREDPROBE_REPORTS", "")
    files = sorted(Path(folder).glob("*.json")) if folder else []
    return files or given.not_run("CREDPROBE_REPORTS names no folder with reports: make test")


def told(report: dict) -> tuple[str, ...]:
    """The classes whose steps the text contains."""
    news = [it["class"] for it in report["findings"] if not it["explained_by"] and it["severity"] != "info"]
    return tuple(dict.fromkeys([report["verdict"]["class"], *news]))


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [it for item in items for it in strings(item)]


def as_prose(text: str) -> str:
    """A character that a shell interprets becomes a dot; an apostrophe and quotation marks become typographic ones."""
    return re.sub(r"[`$\\;&|<>()\[\]{}*?~^#!]|[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", "·", text)


def alike(text: str) -> str:
    """With one kind of quotation marks, whether or not they were escaped, and without any at the ends."""
    return re.sub("·?['\"“”’]", "’", text.strip(",.:")).strip("’")


def judged(report: str) -> str:
    return printed("judge", "-", text=report)


def report(file: Path) -> Text:
    saved = file.read_text()
    message = file.with_suffix(".termination")
    text, again = judged(saved), json.loads(printed("judge", "--output=json", "-", text=saved))
    said = message.read_text() if message.exists() else None
    outside = "\n".join(as_prose(it) for it in strings(again["evidence"]))
    return Text(file.stem, text, told(again), not text.startswith("# ✓"), outside, said)


@functools.cache
def reports() -> list[Text]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(report, kept()))


@functools.cache
def explained() -> list[Text]:
    classes = [it["class"] for it in json.loads(printed("explain", "--output=json"))["classes"]]
    return [Text(f"explain {it}", printed("explain", it), (it,)) for it in classes]


def everything() -> list[Text]:
    return reports() + explained()


@functools.cache
def of_each_class() -> list[Text]:
    """One report for each deciding class: the one with the most commands."""
    best: dict[str, Text] = {}
    for it in reports():
        key = it.classes[0] if it.fails else "ready"
        key = it.classes[1] if key == "ready" and len(it.classes) > 1 else key
        if key not in best or len(it.commands) > len(best[key].commands):
            best[key] = it
    return [best[key] for key in sorted(best)]
