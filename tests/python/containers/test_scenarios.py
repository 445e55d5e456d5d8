"""Scenarios of the sandbox, each in a container as the image sets it up: the image's own user, and only the network from the machine."""

import pytest

from containers.box import scenario
from containers.stage import Stage, judge

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


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, stage: Stage) -> None:
    settings = scenario(name)
    with stage.box(name) as opened:
        left = stage.run(opened, ["check", *settings.get("args", []), "--output=json"])
        judge(left, settings["expect"]["exit_code"], settings["expect"]["class"])
