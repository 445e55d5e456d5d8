"""The commands that are compared, and what each has to print to prove that it did its work."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

CHECK, LOCAL, TRUST, CURL, FLOOR, AWS, BOTO3, NOTHING = (
    "check", "check --no-network", "trust", "curl", "floor", "aws", "boto3", "nothing"
)


@dataclass(frozen=True)
class Contender:
    name: str
    does: str
    command: list[str]
    # A text of its output, because an exit code of 0 may come from an empty answer.
    says: str
    # It takes part in one of this many turns, because an interpreter takes half a second.
    every: int = 1


def contenders(folder: str, python: str) -> Iterator[Contender]:
    """In the pod. Its environment has what the commands need."""
    probe, region, role = f"{folder}/credprobe", os.environ["AWS_REGION"], os.environ["AWS_ROLE_ARN"]
    token = os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"]
    yield Contender(CHECK, "both calls, the verdict", [probe, "check"], "# ✓ ready 0: ")
    yield Contender(FLOOR, "the POST, in Rust with the same TLS", [f"{folder}/floor"], "assumed")
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": "curl",
        "DurationSeconds": "900",
    }
    fields = [word for name, value in form.items() for word in ("--data-urlencode", f"{name}={value}")]
    curl = ["/usr/bin/curl", "-sS", "--fail", "--cacert", os.environ["AWS_CA_BUNDLE"]]
    url = f"https://sts.{region}.amazonaws.com/"
    yield Contender(CURL, "the POST", [*curl, url, *fields, "--data-urlencode", f"WebIdentityToken@{token}"], "<AssumedRoleUser>")
    yield Contender(LOCAL, "what needs no network", [probe, "check", "--no-network"], "# ✓ ready 0: ")
    yield Contender(TRUST, "the statement for this token", [probe, "trust"], "sts:AssumeRoleWithWebIdentity")
    yield Contender(NOTHING, "`/bin/true`: what measuring costs", ["/bin/true"], "")
    asked = [f"--role-arn={role}", "--role-session-name=aws", "--duration-seconds=900", f"--web-identity-token=file://{token}"]
    aws = [python, "-I", "-B", "-m", "awscli", "sts", "assume-role-with-web-identity", *asked]
    yield Contender(AWS, "the POST", aws, "AssumedRoleUser", every=10)
    yield Contender(BOTO3, "the POST, by a script", [python, "-I", "-B", f"{folder}/ask_boto3.py"], "assumed-role", every=10)
