"""One case's outcome, and the table of all."""

import os
from dataclasses import dataclass, field

WIDTH = 76


@dataclass
class Outcome:
    case: str
    probe: str = "-"
    boto3: str = "-"
    # Why they may differ here.
    known: str | None = None
    problems: list[str] = field(default_factory=list)
    # Why the case could not be run at all.
    not_run: str | None = None

    def verdict(self) -> str:
        if self.not_run:
            return "NOT RUN"
        if self.problems:
            return "FAILED"
        return "ok, differs as known" if self.known else "ok"


def compare(outcome: Outcome, ready: bool, right_role: bool) -> None:
    """The probe says `ready` exactly when boto3 gets the role asked for, or the table says why not."""
    if ready != right_role and not outcome.known:
        says = "ready" if ready else "not ready"
        gets = "the role" if right_role else "no such role"
        outcome.problems.append(f"the probe says {says}, boto3 has {gets}, and known_differences.json does not name it")
    if ready == right_role and outcome.known:
        outcome.problems.append("known_differences.json names it, but the two agree")


def show(title: str, outcomes: list[Outcome]) -> None:
    print(f"\n{title}")
    rows = [("case", "probe", "peer", "verdict")]
    rows += [(it.case, it.probe, shortened(it.boto3), it.verdict()) for it in outcomes]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([cell.ljust(width) for cell, width in zip(row, widths)] + [row[3]]))
    for it in outcomes:
        for problem in it.problems:
            print(f"\nFAILED {it.case}: {problem}")
        if it.not_run:
            print(f"\nNOT RUN {it.case}: {it.not_run}")


def shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def summary(outcomes: list[Outcome]) -> int:
    """Prints the last line; the exit code."""
    in_ci = os.environ.get("CI", "") not in ("", "false")
    verdicts = [it.verdict() for it in outcomes]
    not_run = verdicts.count("NOT RUN")
    failed = verdicts.count("FAILED") + (not_run if in_ci else 0)
    passed = len(verdicts) - verdicts.count("FAILED") - not_run
    suffix = f", {not_run} NOT RUN{' (which fails in CI)' if in_ci else ''}" if not_run else ""
    print(f"\n{passed} passed, {failed} failed{suffix}")
    return 1 if failed or not outcomes else 0
