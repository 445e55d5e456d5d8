"""Compares the reports of two commits: `compare_reports.py BEFORE AFTER`, with two folders that CREDPROBE_KEEP_REPORTS named.

Verdict and findings must be equal. Differences are printed by scenario. `--text` compares the texts as well.
"""

import json
import sys
from pathlib import Path

VERDICT = ("class", "code", "owner", "scope", "transient", "recreate_pod", "tolerated", "flapped")
FINDING = ("class", "code", "owner", "severity", "transient", "expectation", "explained_by")


def essence(path: Path) -> dict:
    report = json.loads(path.read_text())
    pick = lambda value, names: {name: value.get(name) for name in names}
    return {
        "exit_code": report["exit_code"],
        "verdict": pick(report["verdict"], VERDICT),
        "findings": [pick(finding, FINDING) for finding in report["findings"]],
        "stages": [(stage["stage"], stage["status"]) for stage in report["stages"]],
    }


def main(before: Path, after: Path, text: bool) -> int:
    names = [{path.stem for path in folder.glob("*.json")} for folder in (before, after)]
    different = 0
    for name in sorted(names[0] & names[1]):
        one, other = (essence(folder / f"{name}.json") for folder in (before, after))
        parts = [f"  {part}: {one[part]} -> {other[part]}" for part in one if one[part] != other[part]]
        if text and (before / f"{name}.txt").read_text() != (after / f"{name}.txt").read_text():
            parts.append("  its text differs")
        if parts:
            different += 1
            print(name, *parts, sep="\n")
    for title, missing in (("only before", names[0] - names[1]), ("only after", names[1] - names[0])):
        if missing:
            print(f"{title}: {', '.join(sorted(missing))}")
    print(f"{len(names[0] & names[1])} compared, {different} different")
    return 1 if different or names[0] - names[1] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), "--text" in sys.argv))
