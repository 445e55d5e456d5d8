"""The result of one case, and the table of all results."""

import os
from dataclasses import dataclass, field


@dataclass
class Result:
    case: str
    expected: object = "-"
    got: object = "-"
    milliseconds: float = 0
    problems: list[str] = field(default_factory=list)
    # Why the case could not run at all.
    not_run: str | None = None

    def verdict(self) -> str:
        if self.not_run:
            return "NOT RUN"
        return "ok" if not self.problems and self.expected == self.got else "FAILED"


def show(title: str, results: list[Result]) -> None:
    print(f"\n{title}")
    rows = [("case", "expected", "exit code", "ms", "")]
    rows += [(it.case, str(it.expected), str(it.got), f"{it.milliseconds:.0f}", it.verdict()) for it in results]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(row[column].rjust(widths[column]) for column in (1, 2, 3)), row[4]]
        print("  ".join(cells).rstrip())
    for it in results:
        for problem in it.problems:
            print(f"\nFAILED {it.case}: {problem}")
        if it.not_run:
            print(f"\nNOT RUN {it.case}: {it.not_run}")


def summary(results: list[Result]) -> int:
    """Prints the last line. Returns the exit code."""
    in_ci = os.environ.get("CI", "") not in ("", "false")
    verdicts = [it.verdict() for it in results]
    not_run = verdicts.count("NOT RUN")
    failed = verdicts.count("FAILED") + (not_run if in_ci else 0)
    suffix = f", {not_run} NOT RUN{' (which fails in CI)' if in_ci else ''}" if not_run else ""
    print(f"\n{verdicts.count('ok')} passed, {failed} failed{suffix}")
    return 1 if failed or not results else 0
