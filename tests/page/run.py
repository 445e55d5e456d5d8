"""The page of `serve` in Chromium, and /metrics by Prometheus's own parser. See README.md.

CREDPROBE_BIN=… CREDPROBE_SANDBOX_BIN=… python3 run.py [--cache=FOLDER] [--keep=FOLDER]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

# Nothing is left among the sources.
sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "peers")]

import packages

# Text colours of page.css, light and dark.
GOOD, BAD = ((0x17, 0x72, 0x3B), (0x4C, 0xC3, 0x7C)), ((0xB3, 0x26, 0x1E), (0xFF, 0x8A, 0x80))
PAPER = ((0xFF, 0xFF, 0xFF), (0x14, 0x17, 0x1B))
# So many pixels of a colour are more than the edge of a letter.
ENOUGH = 200


class Look:
    """What one scenario's `serve` showed."""

    def __init__(self, scenario: str) -> None:
        self.folder = Path(KEPT or tempfile.mkdtemp(prefix="credprobe-page-")) / scenario
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # The pod's user writes here and reads the script.
        self.folder.parent.chmod(0o755)
        self.folder.chmod(0o777)
        script = shutil.copy(HERE / "look.py", self.folder)
        probe = shutil.copy(os.environ["CREDPROBE_BIN"], self.folder)
        command = [os.environ["CREDPROBE_SANDBOX_BIN"], f"--scenario={scenario}", "--pod=always", "--"]
        command += [packages.interpreter(), script, probe, CHROMIUM, self.folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise AssertionError(f"{scenario}: {done.stdout}{done.stderr}")

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def pixels(self, name: str) -> dict[tuple, int]:
        from PIL import Image

        image = Image.open(self.folder / name).convert("RGB")
        return {colour: count for count, colour in image.getcolors(maxcolors=1 << 24)}


class Pages(unittest.TestCase):
    """Each with its pictures."""

    def look(self, scenario: str, own: tuple, other: tuple, *words: str) -> None:
        look = Look(scenario)
        self.assertEqual(look.text("console.txt"), "", "the browser's console")
        page = look.text("page.html")
        for word in words:
            self.assertIn(word, page)
        for number, name in enumerate(("light.png", "dark.png")):
            pixels = look.pixels(name)
            self.assertEqual(max(pixels, key=pixels.get), PAPER[number], name)
            self.assertGreater(pixels.get(own[number], 0), ENOUGH, name)
            if scenario == "healthy":
                self.assertEqual(pixels.get(other[number], 0), 0, name)

    def test_healthy(self) -> None:
        self.look("healthy", GOOD, BAD, "ready (0)", "token expires in", "The pod is ready")

    def test_failing(self) -> None:
        self.look(
            "access-denied", BAD, GOOD, "access-denied (53)", "The pod is not ready", "update-assume-role-policy",
            "system:serviceaccount:shop:checkout",
        )

    def test_of_pod_identity(self) -> None:
        self.look("pod-identity-association-missing", BAD, GOOD, "association-missing (84)", "create-pod-identity-association")


class Metrics(unittest.TestCase):
    def families(self, scenario: str) -> dict:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families

        look = Look(scenario)
        return {family.name: family for family in text_string_to_metric_families(look.text("metrics.txt"))}

    def test_healthy(self) -> None:
        families = self.families("healthy")
        value = lambda name: families[name].samples[0].value
        self.assertEqual(value("credprobe_ready"), 1)
        self.assertEqual(value("credprobe_verdict_code"), 0)
        self.assertEqual(families["credprobe_build"].type, "info")
        self.assertEqual(families["credprobe_exchanges"].type, "counter")
        results = {sample.labels["result"]: sample.value for sample in families["credprobe_exchanges"].samples}
        self.assertEqual(results, {"ok": 1, "error": 0})
        phases = {sample.labels["phase"] for sample in families["credprobe_phase_duration_seconds"].samples}
        self.assertEqual(phases, {"resolve", "connect", "tls", "processing", "transfer"})
        self.assertGreater(value("credprobe_token_expiry_timestamp_seconds"), value("credprobe_token_issued_timestamp_seconds"))
        self.assertGreater(value("credprobe_session_expiry_timestamp_seconds"), value("credprobe_last_success_timestamp_seconds"))

    def test_failing(self) -> None:
        families = self.families("access-denied")
        self.assertEqual(families["credprobe_verdict_code"].samples[0].value, 53)
        self.assertNotIn("credprobe_last_success_timestamp_seconds", families)
        ones = [sample.labels["class"] for sample in families["credprobe_class"].samples if sample.value == 1]
        self.assertEqual(ones, ["access-denied"])

    def test_the_parser_refuses_what_is_no_openmetrics(self) -> None:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families

        with self.assertRaises(ValueError):
            list(text_string_to_metric_families("# TYPE a gauge\na 1\n"))


def main() -> int:
    global CHROMIUM, KEPT
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cache = Path(f"/var/tmp/credprobe-peers-{os.getuid()}")
    parser.add_argument("--cache", type=Path, default=cache, help="where packages are kept (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="leave the pictures here")
    chosen = parser.parse_args()
    for variable in ("CREDPROBE_BIN", "CREDPROBE_SANDBOX_BIN"):
        if not os.access(os.environ.get(variable, ""), os.X_OK):
            print(f"{variable} names no binary: make build sandbox", file=sys.stderr)
            return 2
    in_ci = os.environ.get("CI", "") not in ("", "false")
    CHROMIUM, KEPT = shutil.which("chromium"), chosen.keep and chosen.keep.absolute()
    try:
        if not CHROMIUM:
            raise packages.Unavailable("there is no chromium: install Debian's")
        python = packages.prepare(chosen.cache, HERE / "requirements.txt")
    except packages.Unavailable as error:
        print(f"\nNOT RUN: {error}\n\n0 passed, {int(in_ci)} failed, all NOT RUN{' (which fails in CI)' if in_ci else ''}")
        return int(in_ci)
    if not os.path.samefile(sys.prefix, python.parents[1]):
        os.execv(python, [python, *sys.argv])
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
