"""The result: whom a client asked and whose credentials it took, according to the sandbox's record; and the same for the probe.

Providers have the names of `credprobe chain`. Without credentials the provider is whom the client asked: STS, or else the
agent, or else the node; or `none`.
"""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lib import given, packages
from lib.programs import SANDBOX_ERROR, Ran, run
from sdks.clients import Client

HERE = Path(__file__).parent
NONE = "none"
BY_STS = ("web-identity", "profile-web-identity", "profile-assume-role")
# In seconds: more than the clients' own retries take, on a busy machine.
LIMIT = 40
STATIC = {"AKIAENVIRONMENT00001": "keys", "AKIAPROFILEKEYS00001": "profile-keys", "AKIAPROFILEPROCESS01": "profile-process"}
PROCESS = '{"Version": 1, "AccessKeyId": "AKIAPROFILEPROCESS01", "SecretAccessKey": "x"}'
PROFILE_ROLE = "role/profile-reader"
UNSEEN = "unseen"
LOOPBACK = "127.0.0.1"
AGENT = ("169.254.170.23", "fd00:ec2::23")
# Without the suffixes that the resolver adds.
STS_NAME = re.compile(r"^(sts(?:-fips)?\..*?)\.?(?:(?:shop\.)?(?:svc\.)?cluster\.local|eu-west-1\.compute\.internal)?\.?$")


@dataclass(frozen=True)
class Outcome:
    """`got`: it has credentials. `sts`: the STS host that it called or looked up, if any."""

    provider: str
    got: bool
    sts: str | None
    agent_by_proxy: bool
    # Part of its output, for the reader of a failure.
    said: str

    def __str__(self) -> str:
        ends = "has credentials" if self.got else "has none"
        return f"{self.provider} at {self.sts} ({ends}){', the agent by the proxy' if self.agent_by_proxy else ''}: {self.said[-300:]}"


class Pods:
    """Runs each command in its own pod, with its own files and record."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "process.json").write_text(PROCESS)

    def asked(self, name: str, situation: dict, client: Client) -> Outcome:
        unset = [] if client.by_bundle or "AWS_CA_BUNDLE" in situation.get("env", {}) else ["AWS_CA_BUNDLE"]
        said = json.dumps({"command": client.command(), "unset": unset, "limit": LIMIT})
        command = [open_python(), "-I", "-B", "-c", (HERE / "inside.py").read_text(), said]
        ran, record = self.run(name, situation, command, client.name)
        if ran.code != 0:
            raise RuntimeError(f"inside.py: {ran}")
        answer = json.loads(ran.stdout.strip().rpartition("\n")[2])
        return outcome(answer, record)

    def checked(self, name: str, situation: dict, sdk: str | None) -> tuple[dict, Outcome]:
        args = [f"--sdk={sdk}"] if sdk else []
        ran, record = self.run(name, situation, [given.probe(), "check", *args, "--output=json"], f"check-{sdk}")
        report = json.loads(ran.stdout)
        # The probe shows no key, and takes what it gets.
        return report, outcome({"key": UNSEEN, "error": report["verdict"]["class"]}, record)

    def chain(self, name: str, situation: dict) -> dict[str, dict]:
        ran, _ = self.run(name, situation, [given.probe(), "chain", "--output=json"], "chain")
        return {it["id"]: it for it in json.loads(ran.stdout)["sdks"]}

    def run(self, name: str, situation: dict, command: list[str], label: str) -> tuple[Ran, dict]:
        place = self.folder / name / label
        place.mkdir(parents=True, exist_ok=True)
        env = dict(situation.get("env", {}))
        for kind, variable in (("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")):
            if kind in situation:
                path = place / kind
                path.write_text(situation[kind].replace("FOLDER", str(self.folder)))
                env[variable] = str(path)
        scenario, record = place / "scenario.json", place / "record.json"
        scenario.write_text(json.dumps({"description": name, **situation.get("scenario", {}), "env": env}))
        options = [f"--scenario={scenario}", "--pod=always", f"--keys={self.folder}", f"--record={record}"]
        ran = run([given.sandbox(), *options, "--", *command])
        if ran.code == SANDBOX_ERROR:
            given.not_run(f"no pod can be built here: {ran.stderr.strip()}")
        return ran, json.loads(record.read_text())


@functools.cache
def open_python() -> str:
    """An interpreter that the pod's user can start: the machine's may be in a home that is closed."""
    return packages.interpreter()


def outcome(answer: dict, record: dict) -> Outcome:
    exchanges = [it for it in record["sts_requests"] if (it["action"] or "").startswith("AssumeRole")]
    # A tunnel's target is `host:port`, a plain request's target is a URL.
    by_proxy = [urlsplit(it["target"] if "://" in it["target"] else f"//{it['target']}").hostname for it in record["proxy_requests"]]
    host = sts_host(record, exchanges, by_proxy)
    issued = [it for it in exchanges if it["status"] == 200]
    at_agent = any(it["status"] == 200 for it in record["agent_requests"])
    # If S3 was called through the proxy, nobody saw the key.
    key = answer.get("key") or (UNSEEN if LOOPBACK in by_proxy else None)
    got, provider = True, answer.get("provider")
    if provider is None and key in STATIC:
        provider = STATIC[key]
    elif provider is None and key and (issued or at_agent):
        provider = exchanged(issued[-1]) if issued else "container"
    elif provider is None and key not in (None, UNSEEN):
        provider = "keys of nobody"
    elif provider is None:
        got = False
        if exchanges:
            provider = exchanged(exchanges[-1])
        elif host:
            provider = "web-identity"
        elif record["agent_requests"] or record["agent_connections"] or any(it in AGENT for it in by_proxy):
            provider = "container"
        else:
            provider = "imds" if record["imds_connections"] else NONE
    if provider == "web-identity" and exchanges:
        provider = exchanged(exchanges[-1])
    said = str(answer.get("error") or "")
    # A client with other credentials may still ask STS for its identity, as the probe does.
    host = host if provider in BY_STS else None
    return Outcome(provider, got, host, any(it in AGENT for it in by_proxy), said)


def exchanged(request: dict) -> str:
    if request["action"] == "AssumeRole":
        return "profile-assume-role"
    return "profile-web-identity" if (request["role_arn"] or "").endswith(PROFILE_ROLE) else "web-identity"


def sts_host(record: dict, exchanges: list[dict], by_proxy: list[str | None]) -> str | None:
    if exchanges:
        return exchanges[0]["host"].removesuffix(":443")
    names = [it["name"].lower() for it in record["dns_questions"]] + [it for it in by_proxy if it]
    found = next(filter(None, map(STS_NAME.match, names)), None)
    return found[1] if found else None
