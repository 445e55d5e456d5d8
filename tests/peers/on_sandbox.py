"""boto3 beside the probe in the sandbox's pod, in every scenario in which the probe asks STS.

Each gets a pod of its own: some scenarios meet only the first call.
"""

import functools
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from outcome import Outcome, compare
from programs import Boto3, boto3_command, report, run

SCENARIOS = Path(__file__).parents[1] / "scenarios"
KNOWN = Path(__file__).with_name("known_differences.json")
# The sandbox's own, as its command.rs has it.
SANDBOX_ERROR = 125
# A few wait most of their time, for retries and for answers that never come.
AT_ONCE = 8


def outcomes(probe: str, sandbox: str, python: str) -> tuple[str, list[Outcome]]:
    """Those of the scenarios with an exchange, under a title that says how many have none."""
    every = sorted(settings(), key=is_quick)
    # The probe does not do yet what these are about.
    pending = [name for name in every if settings()[name]["expect"].get("pending")]
    names = [name for name in every if name not in pending]
    known = json.loads(KNOWN.read_text())
    with tempfile.TemporaryDirectory(prefix="credprobe-peers-") as folder:
        pods = Pods(probe, sandbox, python, Path(folder))
        trial = run(pods.command("healthy", ["true"]))  # Also makes the keys, before many ask for them at once.
        if trial.code != 0:
            why = f"no pod can be built here: {trial.stderr.strip()}"
            return "On the sandbox", [Outcome("all scenarios", not_run=why)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda name: pods.outcome(name, known.get(name)), names))
    exchanged = sorted((it for it in found if it is not None), key=lambda it: it.case)
    title = f"On the sandbox: {len(exchanged)} scenarios with an exchange"
    title += f" ({len(found) - len(exchanged)} without one of their own, {len(pending)} pending)"
    strays = known.keys() - {it.case for it in exchanged} - set(pending)
    stray = "known_differences.json names it, but it has no exchange or does not exist"
    return title, [*exchanged, *(Outcome(name, problems=[stray]) for name in sorted(strays))]


def is_quick(scenario: str) -> bool:
    """What may have to be waited for starts first."""
    return "fault" not in settings()[scenario]


@functools.cache
def settings() -> dict[str, dict]:
    """All scenarios, by name."""
    return {name: case for path in SCENARIOS.glob("*.json") for name, case in json.loads(path.read_text()).items()}


class Pods:
    def __init__(self, probe: str, sandbox: str, python: str, folder: Path):
        self.probe, self.sandbox, self.python, self.folder = probe, sandbox, python, folder

    def command(self, scenario: str, command: list[str], record: Path | None = None) -> list[str]:
        options = [f"--scenario={scenario}", "--pod=always", f"--keys={self.folder}"]
        return [self.sandbox, *options, *([f"--record={record}"] if record else []), "--", *command]

    def outcome(self, scenario: str, known: str | None) -> Outcome | None:
        """`None`: STS is not asked, or not for the process that boto3 would be."""
        outcome = Outcome(scenario, known=known)
        args = settings()[scenario].get("args", [])
        record = self.folder / f"{scenario}.json"
        ran = run(self.command(scenario, [self.probe, "check", *args, "--output=json"], record))
        if ran.code == SANDBOX_ERROR or not record.exists():
            # Without a record: a scenario newer than the sandbox.
            outcome.not_run = ran.stderr.strip()
            return outcome
        # Of Pod Identity's exchange STS sees nothing; what boto3 makes of it is in ../sdks.
        requests = [it for it in json.loads(record.read_text())["sts_requests"] if it["role_arn"]]
        # Of another user or process boto3 knows nothing: it would be asked for its own.
        if not requests or report(ran)["subject"]["source"] != "self":
            return None
        asked = run(self.command(scenario, boto3_command(self.python)))
        if asked.code == SANDBOX_ERROR:
            outcome.not_run = asked.stderr.strip()
            return outcome
        try:
            verdict, boto3 = report(ran)["verdict"], Boto3.of(asked)
        except ValueError as error:
            outcome.problems.append(str(error))
            return outcome
        outcome.probe, outcome.boto3 = f"{verdict['class']} ({verdict['code']})", str(boto3)
        compare(outcome, verdict["class"] == "ready", boto3.is_session_of(session(requests[0]["role_arn"])))
        return outcome


def session(role: str) -> str:
    """`arn:aws:sts::ACCOUNT:assumed-role/NAME`."""
    partition, account, resource = (role.split(":", 5)[index] for index in (1, 4, 5))
    return f"arn:{partition}:sts::{account}:assumed-role/{resource.rsplit('/', 1)[-1]}"
