"""Compares real SDKs and programs in the sandbox's pod with `credprobe chain` and `credprobe check`, in one situation after the other.

`known_differences.json` lists each pair of client and situation in which they differ, by cause. A pair that no longer differs fails.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from sdks.clients import CLIENTS, Client
from sdks.outcome import NONE, Outcome, Pods

HERE = Path(__file__).parent
SITUATIONS = json.loads((HERE / "situations.json").read_text())
KNOWN = json.loads((HERE / "known_differences.json").read_text())
# Used in place of a situation.
EVERYWHERE = "*"
# Severities that report a problem. The others occur in healthy pods too.
LOUD = ("warning", "error")
PAIRS = [
    pytest.param(client, situation, id=f"{client}-{situation}", marks=[] if CLIENTS[client].quick else [pytest.mark.nightly])
    for client in CLIENTS
    for situation in SITUATIONS
]


class World:
    """Runs each question once, and many at a time. The probe's answers serve all clients."""

    def __init__(self, folder: Path, pool: ThreadPoolExecutor):
        self.pods, self.pool = Pods(folder), pool
        self.futures: dict[tuple, Future] = {}
        self.found: dict[str, dict[str, str]] = {}

    def forget(self, name: str, client: Client) -> None:
        for key in (("checked", name, None), ("checked", name, client.sdk), ("asked", name, client)):
            self.futures.pop(key, None)

    def of(self, *key) -> Future:
        if key not in self.futures:
            kind, name, *rest = key
            self.futures[key] = self.pool.submit(getattr(self.pods, kind), name, SITUATIONS[name], *rest)
        return self.futures[key]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    pairs = [it.callspec.params for it in request.session.items if it.module is request.module and hasattr(it, "callspec")]
    with tempfile.TemporaryDirectory(prefix="credprobe-sdks-") as name, ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        folder = Path(name)
        folder.chmod(0o755)
        world = World(folder, pool)
        # Fetch packages and make keys first, before many ask for them at once.
        for client in {it["client"] for it in pairs}:
            CLIENTS[client].command()
        world.pods.run("irsa", SITUATIONS["irsa"], ["true"], "first")
        for it in pairs:
            client = CLIENTS[it["client"]]
            for key in (("chain",), ("checked", None), ("checked", client.sdk), ("asked", client)):
                world.of(key[0], it["situation"], *key[1:])
        yield world
        pool.shutdown(cancel_futures=True)
        if path := os.environ.get("CREDPROBE_WRITE_DIFFERENCES"):
            Path(path).write_text(json.dumps(world.found, indent=1))


@pytest.mark.parametrize(("client", "situation"), PAIRS)
def test_what_the_probe_says_is_what_the_client_does(client: str, situation: str, world: World) -> None:
    known = {
        what: cause
        for cause, it in KNOWN.items()
        for what, pairs in it["differs"].items()
        if client in pairs.get(situation, pairs.get(EVERYWHERE, []))
    }
    found = differences(CLIENTS[client], situation, world)
    if found.keys() != known.keys():
        # A program that was slow on a busy machine may give another answer, so ask again.
        world.forget(situation, CLIENTS[client])
        found = differences(CLIENTS[client], situation, world)
    world.found[f"{client} {situation}"] = found
    told = world.of("asked", situation, CLIENTS[client]).result()
    unexplained = {what: said for what, said in found.items() if what not in known}
    assert not unexplained, f"{client}: {told}\n{unexplained}"
    gone = {what: cause for what, cause in known.items() if what not in found}
    assert not gone, f"known_differences.json names {gone}, but the two agree: {client}: {told}"


def differences(client: Client, situation: str, world: World) -> dict[str, str]:
    """The differences, by the command that differs (`chain`, `check`, `check --sdk`)."""
    real = world.of("asked", situation, client).result()
    row = world.of("chain", situation).result().get(client.sdk)
    found = {}
    if row is None:
        found["chain"] = f"has no row {client.sdk}"
    elif problem := beside_chain(row, SITUATIONS[situation], real):
        found["chain"] = problem
    for what, sdk in (("check", None), ("check --sdk", client.sdk)):
        # Without a row there is no such flag.
        if (row or not sdk) and (problem := beside_check(*world.of("checked", situation, sdk).result(), real, sdk is not None)):
            found[what] = problem
    return found


def beside_chain(row: dict, situation: dict, real: Outcome) -> str | None:
    picks, expected = row["picks"] or NONE, row["takes"] or NONE
    if situation.get("fails"):
        expected = (row["when_it_fails"] or {}).get("to") or NONE
    if expected == NONE != picks or row["stops"] and expected == NONE:
        # It fails at the provider that it picked, or before. How far it came does not matter.
        return f"says that it fails, really {real}" if real.got else None
    if expected != real.provider:
        return f"says {expected}, really {real}"
    if expected == "web-identity" and row["sts"] and not same_host(row["sts"].get("host"), real.sts):
        return f"says STS is {row['sts'].get('host')}, really {real}"
    if expected == "container" and row["agent"]["way"] and (row["agent"]["way"] != "direct") != real.agent_by_proxy:
        return f"says of the way to the agent {row['agent']['way']}, really {real}"
    return None


def same_host(one: str | None, other: str | None) -> bool:
    """DNS ignores case."""
    return (one or "").lower() == (other or "").lower()


def beside_check(report: dict, judged: Outcome, real: Outcome, stated: bool) -> str | None:
    """A client that gets nothing, other credentials, or its own from another host must not pass without a warning."""
    same = real.got and real.provider == judged.provider and same_host(real.sts, judged.sts) and not real.agent_by_proxy
    loud = [it["class"] for it in report["findings"] if it["severity"] in LOUD]
    if report["exit_code"] == 0 and not same and not loud:
        return f"says nothing, having asked {judged.provider} at {judged.sts}; really {real}"
    if report["exit_code"] != 0 and same and stated:
        return f"says {report['verdict']['class']}, really {real}"
    return None


def test_enough_is_compared() -> None:
    assert len(SITUATIONS) >= 25
    for cause, it in KNOWN.items():
        assert it["why"], cause
        for pairs in it["differs"].values():
            assert pairs.keys() <= {EVERYWHERE, *SITUATIONS}, cause
            assert {client for clients in pairs.values() for client in clients} <= CLIENTS.keys(), cause
