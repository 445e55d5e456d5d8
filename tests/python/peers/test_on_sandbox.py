"""boto3 and the probe in the sandbox's pod, in every scenario in which the probe asks STS: `ready` exactly when boto3 gets the role.

Each program gets its own pod, because some faults affect only the first call.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib import given
from lib.programs import SANDBOX_ERROR, Boto3, Ran, boto3_command, report, run

# By name. The probe does not yet support what `pending` scenarios are about.
SCENARIOS = {
    name: settings
    for path in sorted((given.ROOT / "tests" / "scenarios").glob("*.json"))
    for name, settings in json.loads(path.read_text()).items()
    if not settings["expect"].get("pending")
}
# Scenarios in which the two differ, and why.
KNOWN = json.loads(Path(__file__).with_name("known_differences.json").read_text())
# Several at a time, because some spend most of their time on retries and on answers that never come.
AT_ONCE = 8


@dataclass
class Asked:
    probe: Ran
    # The role that the probe asked for, and what boto3 got; `None`: STS is not asked, or not for the process that boto3 would be.
    role: str | None = None
    boto3: Boto3 | None = None


class Pods:
    def __init__(self, keys: Path):
        self.keys = keys

    def run(self, scenario: str, command: list[str], record: Path | None = None) -> Ran:
        options = [f"--scenario={scenario}", "--pod=always", f"--keys={self.keys}"]
        ran = run([given.sandbox(), *options, *([f"--record={record}"] if record else []), "--", *command])
        if ran.code == SANDBOX_ERROR:
            given.not_run(f"no pod of {scenario} can be built here: {ran.stderr.strip()}")
        return ran

    def ask(self, scenario: str) -> Asked:
        record = self.keys / f"{scenario}.json"
        args = SCENARIOS[scenario].get("args", [])
        asked = Asked(self.run(scenario, [given.probe(), "check", *args, "--output=json"], record))
        # STS does not see Pod Identity's exchange; ../sdks tests boto3 with that.
        requests = [it for it in json.loads(record.read_text())["sts_requests"] if it["role_arn"]]
        # boto3 cannot act for another user or process; it would be asked for its own credentials.
        if requests and report(asked.probe)["subject"]["source"] == "self":
            asked.role = requests[0]["role_arn"]
            asked.boto3 = Boto3.of(self.run(scenario, boto3_command(sys.executable)))
        return asked


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[str, Future[Asked]]]:
    """The answers in all scenarios, many at a time. Those that may take long start first."""
    with tempfile.TemporaryDirectory(prefix="credprobe-peers-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        pods = Pods(Path(folder))
        # This also makes the keys, before many ask for them at once.
        pods.run("healthy", ["true"])
        yield {it: pool.submit(pods.ask, it) for it in sorted(SCENARIOS, key=lambda it: "fault" not in SCENARIOS[it])}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_ready_exactly_when_boto3_gets_the_role(scenario: str, answers: dict[str, Future[Asked]]) -> None:
    asked = answers[scenario].result()
    if asked.boto3 is None:
        assert scenario not in KNOWN, "known_differences.json names it, but it has no exchange"
        return
    told = report(asked.probe)
    verdict = told["verdict"]["class"]
    # Two stages come after the credentials: whether the role may do something, and whether a cluster knows it. But where the
    # first finds that a profile's next role refuses, boto3 gets nothing.
    failed = next((it["stage"] for it in told["stages"] if it["status"] == "failed"), None)
    stops_on_the_way = any(it.get("next_hop") for it in told["evidence"].get("access", []))
    gets_the_role = verdict == "ready" or failed in ("access", "cluster") and not stops_on_the_way
    differ = gets_the_role != asked.boto3.is_session_of(session(asked.role))
    said = f"the probe says {verdict}, boto3 has {asked.boto3}"
    assert differ or scenario not in KNOWN, f"{said}: known_differences.json names it, but the two agree"
    assert not differ or scenario in KNOWN, f"{said}, and known_differences.json does not name it"


def test_most_scenarios_with_sts_are_compared(answers: dict[str, Future[Asked]]) -> None:
    """Otherwise a probe that asks nobody would pass."""
    assert sum(it.result().boto3 is not None for it in answers.values()) > 100
    assert KNOWN.keys() <= SCENARIOS.keys()


def session(role: str) -> str:
    """The form is `arn:aws:sts::ACCOUNT:assumed-role/NAME`."""
    partition, account, resource = (role.split(":", 5)[index] for index in (1, 4, 5))
    return f"arn:{partition}:sts::{account}:assumed-role/{resource.rsplit('/', 1)[-1]}"
