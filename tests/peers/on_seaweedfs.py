"""The probe and boto3 on SeaweedFS's STS, which verifies tokens against our issuer: one fault at a time."""

import re
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

import leaks
from certificates import Certificates
from issuer import AUDIENCE, SUBJECT, Issuer, token
from outcome import Outcome, compare
from programs import Boto3, Ran, boto3_command, report, run
from seaweedfs import NotServing, Provider, SeaweedFs, settings
from seaweedfs_cases import CASES, ISSUED, Case
from tap import Answer, Tap

ROLE = "arn:aws:iam::814203749616:role/checkout-reader"
# SeaweedFS leaves the account out.
SESSION = "arn:aws:sts::assumed-role/checkout-reader"
AWS_COMMAND = re.compile(r"(?:^|[\s;|&`$(])aws\s")
PORT = re.compile(r":\d{4,5}\b")


def outcomes(probe: str, python: str) -> list[Outcome]:
    with tempfile.TemporaryDirectory(prefix="credprobe-peers-") as name, socket.socket() as closed:
        folder = Path(name)
        # Bound and not listened to: nobody else gets it, and connecting is refused.
        closed.bind(("127.0.0.1", 0))
        certificates = Certificates(folder)
        with Issuer(certificates) as issuer:
            clusters = {cluster: issuer.cluster(cluster) for cluster in ("shop", "objects", "unknown")}
            clusters["away"] = f"https://localhost:{closed.getsockname()[1]}/id/away"
            audiences = {"shop": AUDIENCE, "objects": "objects", "away": AUDIENCE}
            providers = [Provider(cluster, clusters[cluster], audience) for cluster, audience in audiences.items()]
            # As in AWS, a role may trust a provider that nobody has made.
            trusted = [*audiences, clusters["unknown"]]
            iam = settings(certificates.authority, providers, ROLE, trusted, SUBJECT)
            weed = Path(python).with_name("weed")
            try:
                with SeaweedFs(weed, folder, certificates, iam) as server, Tap(certificates, server.url) as tap:
                    pod = Pod(probe, python, folder / "token", certificates, server.url, tap)
                    return [pod.outcome(case, minted(issuer, clusters, case)) for case in CASES]
            except NotServing as error:
                return [Outcome("all cases", not_run=str(error))]


def minted(issuer: Issuer, clusters: dict[str, str], case: Case) -> str:
    key = issuer.other_key if case.wrong_key else issuer.key
    return token(key, clusters[case.cluster], case.subject, case.audience, case.age)


@dataclass(frozen=True)
class Pod:
    """What an application would have: a token file and an environment."""

    probe: str
    python: str
    token_file: Path
    certificates: Certificates
    url: str
    tap: Tap

    def outcome(self, case: Case, token: str) -> Outcome:
        outcome = Outcome(case.name)
        self.token_file.write_text(token)
        try:
            self.ask(case, token, outcome)
        except ValueError as error:
            outcome.problems.append(str(error))
        return outcome

    def ask(self, case: Case, token: str, outcome: Outcome) -> None:
        """Both directly, as applications do; then the probe again, with somebody listening in."""
        ran = self.check(self.url, "--output=json")
        read = report(ran)
        verdict = read["verdict"]
        outcome.probe = f"{verdict['class']} ({verdict['code']})"
        boto3 = Boto3.of(run(boto3_command(self.python), self.environment(self.url)))
        outcome.boto3 = str(boto3)
        compare(outcome, verdict["class"] == "ready", boto3.is_session_of(SESSION))

        self.tap.answers.clear()
        again = [self.check(self.tap.url, *said) for said in (["--log-level=trace"], ["--output=json"])]
        answers = list(self.tap.answers)
        codes = {it.code for it in [ran, *again]}
        outcome.problems += [
            *class_problems(case, verdict, codes, again[0]),
            *answer_problems(case, answers),
            *fix_problems(read),
            *leak_problems([token, *(secret for it in answers for secret in it.secrets())], [ran, *again]),
        ]

    def check(self, url: str, *args: str) -> Ran:
        return run([self.probe, "check", "--sts-compatible", *args], self.environment(url))

    def environment(self, url: str) -> dict[str, str]:
        """All of it: nothing of the machine's is passed on."""
        return {
            "AWS_ROLE_ARN": ROLE,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token_file),
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL_STS": url,
            "AWS_CA_BUNDLE": str(self.certificates.authority),
            "HOME": "/nonexistent",
        }


def class_problems(case: Case, verdict: dict, codes: set[int], text: Ran) -> list[str]:
    expected, actual = (*case.probe, {case.probe[1]}), (verdict["class"], verdict["code"], codes)
    if actual == expected:
        return []
    return [f"{expected} is expected (class, code, exit codes), it is {actual}\n{text.stdout}"]


def answer_problems(case: Case, answers: list[Answer]) -> list[str]:
    """Twice the same: the recorded one, with all three secrets when it is a success."""
    found = [(it.status, it.code(), PORT.sub(":PORT", it.message())) for it in answers]
    problems = [] if found == [case.answer] * 2 else [f"SeaweedFS's answers were {case.answer}, they are {found}"]
    if case.answer == ISSUED and [len(it.secrets()) for it in answers] != [3, 3]:
        problems.append("the answers have not the secrets that are searched for")
    return problems


def fix_problems(read: dict) -> list[str]:
    """None at all, or one that the server's administrator cannot run."""
    verdict, findings = read["verdict"], read["findings"]
    lines = verdict["fix"] + [line for it in findings for line in it["fix"] + it["confirm"]]
    problems = [f"a command for AWS: {line}" for line in lines if AWS_COMMAND.search(line)]
    if verdict["code"] != 0 and not verdict["fix"]:
        problems.append(f"no fix is named for {verdict['class']}")
    return problems


def leak_problems(secrets: list[str], ran: list[Ran]) -> list[str]:
    found = {where: leaks.find(secrets, str(it)) for where, it in zip(("direct run", "log and text", "JSON"), ran)}
    return [f"in the probe's {where}: {leak}" for where, leak in found.items() if leak]
