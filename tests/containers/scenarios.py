"""Scenarios of the sandbox, each in a container as the image makes it: its own user, nothing of the machine's but the network lent."""

from box import scenario
from results import Result
from stage import Stage, judged

TITLE = "Scenarios, in the image as it is"
NAMES = (
    "healthy",
    "pod-identity-healthy",
    "not-injected",
    "role-arn-malformed",
    "token-file-missing",
    "token-file-empty",
    "token-file-unreadable-owner",
    "token-file-frozen-expired",
    "token-expired",
    "signature-invalid",
    "dns-failed",
    "sts-unreachable",
    "unreachable",
    "tls-foreign-ca",
    "no-network",
    "provider-missing",
    "access-denied",
    "identity-mismatch",
    "clock-skew",
    "pod-identity-agent-down",
    "pod-identity-association-missing",
)


def results(stage: Stage) -> list[Result]:
    found: list[Result] = []
    for name in NAMES:
        settings = scenario(name)
        expect = settings["expect"]
        with stage.box(name, found) as opened:
            left = stage.run(opened, ["check", *settings.get("args", []), "--output=json"])
            found.append(judged(name, left, expect["exit_code"], expect["class"]))
    return found
