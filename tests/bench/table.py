"""Makes the tables of probe/docs/performance.md from the measurements: first the caveats, then the comparison, then the budgets."""

import datetime
import os
import platform
import random
import re
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from contenders import AWS, BOTO3, CHECK, CURL, FLOOR, LOCAL, NOTHING, TRUST

# How often the turns are resampled, to see how far a ratio of medians may be off.
DRAWS = 400


@dataclass
class Budget:
    what: str
    figure: float | None
    show: Callable[[float], str]
    limit: float
    stretch: float
    # Why the stretch goal is not reached, if it is not.
    because: str
    # True for wall time, which says nothing if the processors were busy.
    needs_quiet: bool = False
    busy: bool = False

    @property
    def judged(self) -> bool:
        return self.figure is not None and not (self.needs_quiet and self.busy)


def tables(measured: dict, files: dict[str, int], shipped: dict) -> tuple[str, list[str]]:
    """The text, and the budgets that are exceeded."""
    budgets = budgets_of(measured, shipped)
    for budget in budgets:
        budget.busy = max(measured["load"]) > os.cpu_count()
    broken = [it.what for it in budgets if it.judged and it.figure > it.limit]
    parts = [caveats(measured), side_by_side(measured, files), of_serve(measured["serve"]), against(budgets)]
    return "\n".join(parts), broken


def caveats(measured: dict) -> str:
    before, after = measured["load"]
    return (
        "What these figures are not: no network lies between the programs and STS here, and the STS is the sandbox, a development\n"
        "build, the same for all. A real exchange adds the round trips to the region. Compare ratios taken in one run, not\n"
        "milliseconds from two machines. `check` makes two calls where the others make one.\n\n"
        f"Machine: {machine()}.\n"
        f"Load at the start {before:.2f}, at the end {after:.2f}; {measured['turns']} turns, each program once in a turn (the AWS CLI and boto3 in every\n"
        "tenth), over real TLS. Time and processor are of whole processes, from start to exit: the median, and in brackets 5 and 95 %.\n"
    )


def side_by_side(measured: dict, files: dict[str, int]) -> str:
    rows = ["| program | does | wall, ms (5 %, 95 %) | : curl (5 %, 95 %) | processor, ms | peak memory | on disk |", "|---|---|---|---|---|---|---|"]
    curl, pinned = measured["contenders"][CURL]["wall"], pins()
    names = {
        CHECK: "**`credprobe check`**",
        LOCAL: "**`credprobe check --no-network`**",
        TRUST: "**`credprobe trust`**",
        FLOOR: "the floor (`tests/bench/floor`)",
        CURL: version("curl", "--version"),
        AWS: f"AWS CLI {pinned['awscli']}",
        BOTO3: f"boto3 {pinned['boto3']}",
        NOTHING: "nothing",
    }
    for name in (CHECK, FLOOR, CURL, AWS, BOTO3, LOCAL, TRUST, NOTHING):
        one = measured["contenders"][name]
        low, high = spread(one["wall"])
        if name in (CHECK, FLOOR, AWS, BOTO3):
            least, most = ratio_spread(one["wall"], curl)
            ratio = f"{statistics.median(one['wall']) / statistics.median(curl):.2f} ({least:.2f}, {most:.2f})"
        else:
            ratio = "1" if name == CURL else ""
        on_disk = megabytes(files[name]) if name in files else ""
        wall, cpu, peak = statistics.median(one["wall"]), statistics.median(one["cpu"]), statistics.median(one["peak"])
        cells = [names[name], one["does"], f"{wall:.1f} ({low:.1f}, {high:.1f})", ratio, f"{cpu:.1f}", megabytes(peak), on_disk]
        rows.append(f"| {' | '.join(cells)} |")
    return (
        "\n".join(rows)
        + "\n\nOn disk: curl with the libraries that it loads, the AWS CLI and boto3 their packages without Python itself. Peak memory is\n"
        "`getrusage`'s from a parent smaller than any of them (`tests/it/release_binary/peak.rs`), so no figure can be below that of `nothing`.\n"
    )


def of_serve(served: dict) -> str:
    low, high = spread(served["wall"])
    return (
        f"`credprobe serve` under {served['scrapes']:,} scrapes of `/metrics` over one connection: {statistics.median(served['wall']):.3f} ms a scrape\n"
        f"(5 % {low:.3f}, 95 % {high:.3f}), {served['cpu']:.3f} ms of processor; memory {megabytes(served['idle'])} before, {megabytes(served['after'])} after\n"
        f"(its own {megabytes(served['own'])}, the rest pages of the file), {megabytes(served['peak'])} at its peak.\n"
    )


def budgets_of(measured: dict, shipped: dict) -> list[Budget]:
    def median(name: str, of: str) -> float:
        return statistics.median(measured["contenders"][name][of])

    curl = median(CURL, "wall")
    floor = median(FLOOR, "wall") / curl
    floor_peak = megabytes(median(FLOOR, "peak"))
    mapped = "most of it are pages of the file: as much as is called, for two calls, the endpoint's rules and the report"
    large = "see what the binary consists of, below: the C library, the SDK's rules for endpoints, reading reports back"
    pages = "page faults for what the loader relocates, the command line: where a local run spends its time, below"
    return [
        Budget(
            "`check` (two calls) : curl (one), wall", median(CHECK, "wall") / curl, lambda it: f"{it:.2f}", 0.7, 0.4,
            f"the floor, one call and no judgement, is at {floor:.2f}",
        ),
        Budget(
            "`check --no-network`, wall, above `/bin/true`", median(LOCAL, "wall") - median(NOTHING, "wall"), milliseconds, 2, 1, pages,
            needs_quiet=True,
        ),
        Budget(
            "the same, processor", median(LOCAL, "cpu") - median(NOTHING, "cpu"), milliseconds, 2, 1, pages
        ),
        Budget(
            "`check`, peak memory", median(CHECK, "peak"), megabytes, 6e6, 4e6,
            f"the floor takes {floor_peak}; {mapped}",
        ),
        Budget(f"`serve`, memory after {measured['serve']['scrapes']:,} scrapes", measured["serve"]["after"], megabytes, 8e6, 5e6, mapped),
        Budget("binary, static and stripped", shipped["binary"], megabytes, 4.5e6, 3.7e6, large),
        Budget("image, compressed", shipped["image"], megabytes, 2.2e6, 1.9e6, large),
        Budget("crates in the binary, macros included", shipped["crates"], lambda it: f"{it:.0f}", 150, 120, "`aws-sdk-sts` and `aws-config` bring three in five"),
    ]


def against(budgets: list[Budget]) -> str:
    rows = ["| budget | figure | limit | holds | stretch | reached |", "|---|---|---|---|---|---|"]
    for it in budgets:
        if it.figure is None:
            cells = [it.what, "not measured here", it.show(it.limit), "", it.show(it.stretch), ""]
        else:
            reached = "yes" if it.figure <= it.stretch else f"no: {it.because}"
            holds = "yes" if it.figure <= it.limit else "**no**"
            if not it.judged:
                reached = holds = "not judged: the machine was busy"
            cells = [it.what, it.show(it.figure), it.show(it.limit), holds, it.show(it.stretch), reached]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def spread(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[int(len(ordered) * 0.05)], ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]


def ratio_spread(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """The range of the ratio of the medians when the turns are resampled. The seed makes it reproducible for a run's figures."""
    drawn = random.Random(len(ours))
    return spread([
        statistics.median(drawn.choices(ours, k=len(ours))) / statistics.median(drawn.choices(theirs, k=len(theirs)))
        for _ in range(DRAWS)
    ])


def milliseconds(count: float) -> str:
    return f"{count:.2f} ms"


def megabytes(count: float) -> str:
    return f"{count / 1e6:.2f} MB"


def pins() -> dict[str, str]:
    with open(os.path.join(os.path.dirname(__file__), "requirements.txt")) as file:
        return dict(line.split("==") for line in file.read().split() if "==" in line)


def version(*command: str) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return " ".join(said[:2])


def machine() -> str:
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    rust = version("rustc", "--version").replace("rustc", "Rust")
    processors = os.cpu_count()
    month = datetime.date.today().strftime("%B %Y")
    return f"{processors} virtual cores ({model[1] if model else platform.machine()}), {system}, Linux {'.'.join(platform.release().split('.')[:2])}, {rust}, {month}"


def with_block(page: str, name: str, content: str) -> str:
    """The page with `content` between the block's markers."""
    begin, end = f"<!-- generated:{name} -->\n", "<!-- /generated -->"
    before, rest = page.split(begin, 1)
    _, after = rest.split(end, 1)
    return f"{before}{begin}{content}{end}{after}"
