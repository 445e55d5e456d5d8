"""The page of `serve` in Chromium, and /metrics read by Prometheus's own parser. See README.md."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from lib import given, packages

# The text colours of page.css, light and dark.
GOOD, WARN, BAD = (
    ((0x17, 0x72, 0x3B), (0x4C, 0xC3, 0x7C)), ((0x8A, 0x5A, 0x00), (0xE0, 0xAC, 0x3F)), ((0xB3, 0x26, 0x1E), (0xFF, 0x8A, 0x80)),
)
PAPER = ((0xFF, 0xFF, 0xFF), (0x14, 0x17, 0x1B))
# More pixels of a colour than one link of the chain has.
ENOUGH = 1000
POD = "shop/checkout-7d9f8b6c5-x2x4q"
PAGES = {
    "healthy": (GOOD, "ready 0", "token expires in", "The pod is ready", "Next exchange at"),
    "access-denied": (
        BAD, "access-denied 53", "The pod is not ready", "update-assume-role-policy", "system:serviceaccount:shop:checkout", "iam",
        "This verdict since", "ext exchange",
    ),
    "shadowed-by-static-keys": (WARN, "ready 0", "but shadowed", "whoever deploys this pod", "kubectl set env"),
    "pod-identity-association-missing": (BAD, "association-missing 84"),
}


def looked(scenario: str, folder: Path) -> Path:
    """The files with what one scenario's `serve` showed. The pod's user writes to the folder and reads the script from it."""
    for script in ("browser.py", "look.py"):
        shutil.copy(Path(__file__).with_name(script), folder)
    probe = shutil.copy(given.probe(), folder)
    command = [given.sandbox(), f"--scenario={scenario}", "--pod=always", "--"]
    command += [packages.interpreter(), folder / "look.py", probe, given.program("chromium"), folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done
    return folder


def pixels(picture: Path) -> dict[tuple, int]:
    image = Image.open(picture).convert("RGB")
    return {colour: count for count, colour in image.getcolors(maxcolors=1 << 24)}


@pytest.mark.parametrize("scenario", PAGES)
def test_page(scenario: str, open_folder: Path) -> None:
    own, verdict, *words = PAGES[scenario]
    folder = looked(scenario, open_folder)
    seen = json.loads((folder / "seen.json").read_text())
    assert seen["console"] == [], "the browser's console"
    # Without an association there is no role.
    role = "" if "association" in scenario else "role checkout-reader"
    assert all(part in seen["title"] for part in (POD, verdict, role)), seen["title"]
    assert [word for word in (POD, verdict, *words) if word not in seen["text"] + seen["title"]] == []
    assert seen["color"] == f"rgb{own[0]}", "of the first line"
    for number, name in enumerate(("light", "dark")):
        found = pixels(folder / f"{name}.png")
        assert max(found, key=found.get) == PAPER[number], name
        assert found.get(own[number], 0) > ENOUGH, name
        if own is GOOD:
            assert found.get(BAD[number], 0) == 0, name
        if own is not BAD:
            assert found.get(BAD[number], 0) < ENOUGH, name
    assert not any(seen[f"wider than {name}"] for name in ("light", "dark", "phone"))
    assert len(seen["commands"]) > 0 or own is GOOD
    if seen["commands"]:
        # The whole command, exactly as in the report.
        assert (seen["copied"], seen["button"]) == (seen["commands"][0], "Copied")
    assert seen["planted"] == 0 and "Content Security Policy" in (folder / "refused.txt").read_text()
    assert not seen["reloaded while text is selected"] and seen["selected"] and seen["says that it waits"]
    assert seen["reloaded"], "without a selection"
    if kept := os.environ.get("CREDPROBE_KEEP_PICTURES"):
        for picture in ("light", "dark", "phone"):
            # A few colours without alpha take a tenth of the size.
            small = Image.open(folder / f"{picture}.png").convert("RGB").quantize(64, dither=Image.Dither.NONE)
            small.save(Path(kept) / f"page-{scenario}-{picture}.png", optimize=True)


def test_the_script_and_the_page_name_the_same_time() -> None:
    """Without a script the browser reloads the page at the same interval."""
    room = given.ROOT / "probe" / "judge" / "src" / "report"
    (seconds,) = re.findall(r"const REFRESH: u32 = (\d+);", (room / "page.rs").read_text())
    assert f"}}, {seconds}000);" in (room / "page.js").read_text()


def families(scenario: str, folder: Path) -> dict:
    text = (looked(scenario, folder) / "metrics.txt").read_text()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_metrics_of_a_healthy_pod(open_folder: Path) -> None:
    found = families("healthy", open_folder)
    value = lambda name: found[name].samples[0].value
    assert value("credprobe_ready") == 1
    assert value("credprobe_verdict_code") == 0
    assert found["credprobe_build"].type == "info"
    assert found["credprobe_exchanges"].type == "counter"
    results = {sample.labels["result"]: sample.value for sample in found["credprobe_exchanges"].samples}
    assert results == {"ok": 1, "error": 0}
    phases = {sample.labels["phase"] for sample in found["credprobe_phase_duration_seconds"].samples}
    assert phases == {"resolve", "connect", "tls", "processing", "transfer"}
    assert value("credprobe_token_expiry_timestamp_seconds") > value("credprobe_token_issued_timestamp_seconds")
    assert value("credprobe_session_expiry_timestamp_seconds") > value("credprobe_last_success_timestamp_seconds")


def test_metrics_of_a_failing_pod(open_folder: Path) -> None:
    found = families("access-denied", open_folder)
    assert found["credprobe_verdict_code"].samples[0].value == 53
    (info,) = found["credprobe_verdict"].samples
    assert info.name == "credprobe_verdict_info" and info.labels == {"class": "access-denied", "owner": "iam", "but": ""}
    assert "credprobe_last_success_timestamp_seconds" not in found
    ones = [sample.labels["class"] for sample in found["credprobe_class"].samples if sample.value == 1]
    assert ones == ["access-denied"]


def test_the_parser_refuses_what_is_no_openmetrics() -> None:
    with pytest.raises(ValueError):
        list(text_string_to_metric_families("# TYPE a gauge\na 1\n"))
