"""Each direct dependency says in a line above it what it is for; a new one without a reason fails `make lint`.

    python3 run.py [CARGO_TOML …]
"""

import re
import sys
import tomllib
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADING = re.compile(r"\[+([^\]]+)\]+")
KEY = re.compile(r"""["']?([\w-]+)["']?(?:\.[\w-]+)*\s*=""")
# Fewer say nothing.
WORDS = 3


def without_reason(text: str) -> list[str]:
    """Names of the dependencies, of every kind, above which there is no comment of its own."""
    found: dict[str, bool] = {}
    above, section = "", ""
    for line in map(str.strip, text.splitlines()):
        if heading := HEADING.match(line):
            section = heading[1]
            head, _, name = section.rpartition(".")
            # [dependencies.NAME] is one too.
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
    """All tables of dependencies, those of targets and of the workspace included."""
    found = []
    for key, value in table.items():
        # As it stands in a heading: 'cfg(unix)' is quoted there.
        name = key if re.fullmatch(r"[\w-]+", key) else repr(key)
        here = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            found += [(here, list(value))] if is_of_dependencies(here) else sections(value, here)
    return found


class TheCheckItself(unittest.TestCase):
    """A check that cannot fail is none."""

    def test_a_reason_passes(self) -> None:
        self.assertEqual(without_reason('[dependencies]\n# What it is for.\nserde = "1"\n'), [])

    def test_what_has_none_is_named(self) -> None:
        for text in (
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
        ):
            with self.subTest(text):
                bare = without_reason(text)
                self.assertEqual(len(bare), 1, bare)
                self.assertIn("serde", bare[0])


def main() -> int:
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(TheCheckItself)
    if not unittest.TextTestRunner(verbosity=0).run(tests).wasSuccessful():
        return 1
    manifests = [Path(it) for it in sys.argv[1:]] or [
        it for it in sorted(ROOT.rglob("Cargo.toml")) if "target" not in it.relative_to(ROOT).parts
    ]
    bad = [f"{it}: {name} has no line of reason above it" for it in manifests for name in without_reason(it.read_text())]
    print("\n".join(bad) or f"{len(manifests)} manifests: each dependency has its reason")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
