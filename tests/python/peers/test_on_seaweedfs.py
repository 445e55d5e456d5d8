"""The probe and boto3 with SeaweedFS's STS, which verifies tokens against our issuer: one fault at a time."""

import re
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib import given, leaks
from lib.programs import Boto3, Ran, boto3_command, report, run
from peers.certificates import Certificates
from peers.issuer import AUDIENCE, SUBJECT, Issuer, token
from peers.seaweedfs import NotServing, Provider, SeaweedFs, settings
from peers.seaweedfs_cases import CASES, ISSUED, Case
from peers.tap import Tap

ROLE = "arn:aws:iam::814203749616:role/checkout-reader"
# SeaweedFS leaves the account out.
SESSION = "arn:aws:sts::assumed-role/checkout-reader"
AWS_COMMAND = re.compile(r"(?:^|[\s;|&`$(])aws\s")
PORT = re.compile(r":\d{4,5}\b")


@pytest.fixture(scope="module")
def pod() -> Iterator["Pod"]:
    with tempfile.TemporaryDirectory(prefix="credprobe-peers-") as name, socket.socket() as closed:
        folder = Path(name)
        # Bound but not listening: no other process gets the port, and connections to it are refused.
        closed.bind(("127.0.0.1", 0))
        certificates = Certificates(folder)
        with Issuer(certificates) as issuer:
            clusters = {cluster: issuer.cluster(cluster) for cluster in ("shop", "objects", "unknown")}
            clusters["away"] = f"https://localhost:{closed.getsockname()[1]}/id/away"
            audiences = {"shop": AUDIENCE, "objects": "objects", "away": AUDIENCE}
            providers = [Provider(cluster, clusters[cluster], audience) for cluster, audience in audiences.items()]
            # As in AWS, a role may trust a provider that does not exist.
            trusted = [*audiences, clusters["unknown"]]
            iam = settings(certificates.authority, providers, ROLE, trusted, SUBJECT)
            weed = Path(sys.executable).with_name("weed")
            try:
                with SeaweedFs(weed, folder, certificates, iam) as server, Tap(certificates, server.url) as tap:
                    yield Pod(folder / "token", certificates, server.url, tap, issuer, clusters)
            except NotServing as error:
                given.not_run(error)


@pytest.mark.parametrize("case", CASES, ids=lambda it: it.name)
def test_one_fault_at_a_time(case: Case, pod: "Pod") -> None:
    """Both ask directly, as applications do. Then the probe asks again through a proxy that records the answers."""
    token = minted(pod.issuer, pod.clusters, case)
    pod.token_file.write_text(token)
    ran = pod.check(pod.url, "--output=json")
    read = report(ran)
    verdict = read["verdict"]
    boto3 = Boto3.of(run(boto3_command(sys.executable), pod.environment(pod.url)))
    assert (verdict["class"] == "ready") == boto3.is_session_of(SESSION), f"the probe says {verdict['class']}, boto3 has {boto3}"

    pod.tap.answers.clear()
    again = [pod.check(pod.tap.url, *said) for said in (["--log-level=trace"], ["--output=json"])]
    answers = list(pod.tap.answers)
    assert (verdict["class"], verdict["code"], {it.code for it in [ran, *again]}) == (*case.probe, {case.probe[1]}), again[0]
    # Both recorded answers are the same, and contain all three secrets if it is a success.
    assert [(it.status, it.code(), PORT.sub(":PORT", it.message())) for it in answers] == [case.answer] * 2
    if case.answer == ISSUED:
        assert [len(it.secrets()) for it in answers] == [3, 3], "the answers have not the secrets that are searched for"
    assert step_problems(read) == []
    secrets = [token, *(secret for it in answers for secret in it.secrets())]
    for where, it in zip(("direct run", "log and text", "JSON"), [ran, *again]):
        assert leaks.find(secrets, str(it)) is None, where


def minted(issuer: Issuer, clusters: dict[str, str], case: Case) -> str:
    key = issuer.other_key if case.wrong_key else issuer.key
    return token(key, clusters[case.cluster], case.subject, case.audience, case.age)


@dataclass(frozen=True)
class Pod:
    """What an application would have: a token file and an environment."""

    token_file: Path
    certificates: Certificates
    url: str
    tap: Tap
    issuer: Issuer
    clusters: dict[str, str]

    def check(self, url: str, *args: str) -> Ran:
        return run([given.probe(), "check", "--sts-compatible", *args], self.environment(url))

    def environment(self, url: str) -> dict[str, str]:
        """The whole environment; nothing of the machine's is passed on."""
        return {
            "AWS_ROLE_ARN": ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token_file),
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL_STS": url,
            "AWS_CA_BUNDLE": str(self.certificates.authority),
            "HOME": "/nonexistent",
        }


def step_problems(read: dict) -> list[str]:
    """The problems: there are no steps at all, or one that the server's administrator cannot run."""
    verdict, findings = read["verdict"], read["findings"]
    steps = verdict["steps"] + [step for it in findings for step in it["steps"]]
    lines = [text for step in steps for text in (step["say"], step["run"]) if text]
    problems = [f"a command for AWS: {line}" for line in lines if AWS_COMMAND.search(line)]
    if verdict["code"] != 0 and not any(step["kind"] == "change" or step["run"] for step in verdict["steps"]):
        problems.append(f"no step is named for {verdict['class']}")
    if any("administers IAM" in it["who"] for it in [verdict, *findings]):
        problems.append("AWS's IAM is to act, which this server does not ask")
    return problems
