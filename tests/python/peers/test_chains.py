"""Compares boto3 and the JavaScript SDK v3 with `credprobe chain`: which provider wins, what happens when it fails, which STS host.

STS and the container endpoint are one server on loopback. Each provider returns its own key.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from lib import given
from lib.programs import Ran, run

HERE = Path(__file__).parent
NPM_PACKAGE = "@aws-sdk/credential-provider-node@3.972.97"
ROLE = "arn:aws:iam::814203749616:role/checkout-reader"
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYSANDBOXKEY12"
KEYS = {
    "keys": "AKIAENVIRONMENT00001",
    "profile-keys": "AKIAPROFILEKEYS00001",
    "profile-process": "AKIAPROFILEPROCESS01",
    "web-identity": "ASIAWEBIDENTITY00001",
    "profile-web-identity": "ASIAWEBIDENTITY00001",
    "container": "ASIACONTAINER0000001",
}
STATIC = {"AWS_ACCESS_KEY_ID": KEYS["keys"], "AWS_SECRET_ACCESS_KEY": SECRET}
PROCESS = json.dumps({"Version": 1, "AccessKeyId": KEYS["profile-process"], "SecretAccessKey": SECRET})


@dataclass
class Situation:
    name: str
    web: bool = False
    container: bool = False
    env: dict[str, str | None] = field(default_factory=dict)
    # The content of the shared credentials file.
    profile: str | None = None
    denied: bool = False


KEYS_PROFILE = f"aws_access_key_id={KEYS['profile-keys']}\naws_secret_access_key={SECRET}\n"
SITUATIONS = [
    Situation("nothing"),
    Situation("web identity", web=True),
    Situation("container", container=True),
    Situation("both", web=True, container=True),
    Situation("keys, web identity", web=True, env=STATIC),
    Situation("keys, container", container=True, env=STATIC),
    Situation("keys, both", web=True, container=True, env=STATIC),
    Situation("profile's keys, web identity", web=True, profile=KEYS_PROFILE),
    Situation("profile's keys, container", container=True, profile=KEYS_PROFILE),
    Situation("profile's process, web identity", web=True, profile=f"credential_process=/bin/echo '{PROCESS}'\n"),
    Situation("profile's process, container", container=True, profile=f"credential_process=/bin/echo '{PROCESS}'\n"),
    Situation("profile's web identity", profile="role_arn={role}\nweb_identity_token_file={token}\n"),
    Situation("half of the keys, web identity", web=True, env={"AWS_ACCESS_KEY_ID": KEYS["keys"]}),
    Situation("token file without role", web=True, env={"AWS_ROLE_ARN": None}),
    Situation("token file without role, container", web=True, container=True, env={"AWS_ROLE_ARN": None}),
    Situation("role without token file, container", container=True, env={"AWS_ROLE_ARN": ROLE}),
    Situation("keys, AWS_PROFILE, web identity", web=True, env={**STATIC, "AWS_PROFILE": "default"}, profile=KEYS_PROFILE),
    Situation("web identity refused, container", web=True, container=True, denied=True),
    Situation("web identity refused, profile's keys", web=True, profile=KEYS_PROFILE, denied=True),
]
REGIONS = [
    {"AWS_REGION": "eu-west-1"},
    {"AWS_DEFAULT_REGION": "eu-west-1"},
    {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "eu-west-1"},
    {},
    {"AWS_DEFAULT_REGION": "us-east-1", "AWS_STS_REGIONAL_ENDPOINTS": "legacy"},
    {"AWS_DEFAULT_REGION": "us-east-1", "AWS_STS_REGIONAL_ENDPOINTS": "regional"},
    {"AWS_DEFAULT_REGION": "us-east-1", "AWS_USE_FIPS_ENDPOINT": "true"},
    {"AWS_DEFAULT_REGION": "us-east-1", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    {"AWS_DEFAULT_REGION": "cn-north-1"},
    {"AWS_DEFAULT_REGION": "ap-east-1", "AWS_STS_REGIONAL_ENDPOINTS": "legacy"},
    {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "https://sts.example"},
    {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_STS": "https://sts.example",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    },
]


class Server:
    """STS and the container endpoint."""

    def __enter__(self) -> "Server":
        this, self.denies = self, False

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if this.denies:
                    error = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>"
                    return self.answer(403, f"<ErrorResponse {NAMESPACE}>{error}</ErrorResponse>")
                self.answer(200, SESSION)

            def do_GET(self) -> None:
                end = {"Expiration": "2099-01-01T00:00:00Z", "Token": "t", "AccountId": "814203749616"}
                key = {"AccessKeyId": KEYS["container"], "SecretAccessKey": SECRET}
                self.answer(200, json.dumps({**key, **end}))

            def answer(self, status: int, body: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/xml" if body.startswith("<") else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()


NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
SESSION = f"""<AssumeRoleWithWebIdentityResponse {NAMESPACE}><AssumeRoleWithWebIdentityResult>
<AssumedRoleUser><Arn>arn:aws:sts::814203749616:assumed-role/checkout-reader/x</Arn><AssumedRoleId>A:x</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>{KEYS["web-identity"]}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"""


class Place:
    """The files of a pod, and its environment."""

    def __init__(self, folder: Path, server: Server):
        self.folder, self.server = folder, server
        self.token = folder / "token"
        self.token.write_text("eyJhbGciOiJub25lIn0.e30.c2ln")

    def environment(self, it: Situation) -> dict[str, str]:
        self.server.denies = it.denied
        shared = self.folder / "credentials"
        shared.unlink(missing_ok=True)
        if it.profile:
            text = it.profile.replace("{role}", ROLE).replace("{token}", str(self.token))
            shared.write_text(f"[default]\n{text}")
        variables: dict[str, str | None] = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AWS_SHARED_CREDENTIALS_FILE": str(shared),
            # No SDK may send anything off this machine.
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL_STS": self.server.url,
        }
        if it.web:
            variables |= {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.token)}
        if it.container:
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{self.server.url}/v1/credentials"
        variables |= it.env
        return {name: value for name, value in variables.items() if value is not None}


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="credprobe-chain-") as folder, Server() as server:
        yield Place(Path(folder), server)


@pytest.mark.parametrize("it", SITUATIONS, ids=lambda it: it.name)
@pytest.mark.parametrize("sdk", ["botocore", "js-v3"])
def test_credentials_come_from_where_chain_says(
    sdk: str, it: Situation, place: Place, request: pytest.FixtureRequest
) -> None:
    ask = ask_boto3 if sdk == "botocore" else request.getfixturevalue("ask_javascript")
    environment = place.environment(it)
    expected = comes_to(chain(sdk, environment), it.denied)
    answer = json.loads(ask(environment).stdout)
    key = answer.get("key")
    found = next((name for name, value in KEYS.items() if value == key), answer.get("error") or str(key))
    assert key == (KEYS[expected] if expected else None), f"`credprobe chain` says {expected or 'an error'}, the SDK {found}"


@pytest.mark.parametrize("variables", REGIONS, ids=lambda it: ",".join(f"{name}={value}" for name, value in it.items()) or "none")
def test_host_is_the_one_that_chain_says(variables: dict[str, str], place: Place) -> None:
    unset = {"AWS_REGION": None, "AWS_DEFAULT_REGION": None, "AWS_ENDPOINT_URL_STS": None}
    environment = place.environment(Situation("", web=True, env={**unset, **variables}))
    # With static keys the SDK only has to name its host, and calls nobody.
    asked = ask_boto3({**environment, **STATIC})
    assert str(json.loads(asked.stdout)["host"]) == str(chain("botocore", environment)["sts"]["host"])


def ask_boto3(environment: dict[str, str]) -> Ran:
    return run([sys.executable, "-I", "-B", str(HERE / "ask_provider.py")], environment)


@pytest.fixture(scope="module")
def ask_javascript() -> Callable[[dict[str, str]], Ran]:
    command, modules = [given.program("node", "nodejs"), str(HERE / "ask_provider.js")], str(node_modules())
    return lambda environment: run(command, {**environment, "NODE_PATH": modules})


def chain(sdk: str, environment: dict[str, str]) -> dict:
    ran = run([given.probe(), "chain", f"--sdk={sdk}", "--output=json"], environment)
    return json.loads(ran.stdout)["sdks"][0]


def comes_to(told: dict, denied: bool) -> str | None:
    """The provider whose credentials come back, according to `credprobe chain`; `None`: an error."""
    picked = told["providers"][:1]
    if not picked or "broken" in picked[0]:
        return None
    if denied and picked[0]["provider"] == "web-identity":
        return told["when_it_fails"].get("to")
    return picked[0]["provider"]


def node_modules() -> Path:
    folder = given.CACHE / NPM_PACKAGE.replace("/", "-")
    modules = folder / "node_modules"
    if not modules.exists():
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        install = [given.program("npm"), "install", "--prefix", str(part), "--ignore-scripts", "--no-audit", "--no-fund", NPM_PACKAGE]
        try:
            done = subprocess.run(install, capture_output=True, text=True)
            if done.returncode != 0:
                given.not_run(done.stderr)
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return modules
