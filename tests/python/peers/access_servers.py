"""moto, which enforces IAM policies, and SeaweedFS's STS and S3, as servers behind a front. The tests say what is asked of them."""

import http.client
import io
import json
import os
import ssl
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from kubectl import aws
from lib import given
from peers import access_front
from peers.access_forms import content_type, model
from peers.access_front import Server
from peers.certificates import Certificates

ACCOUNT = aws.ACCOUNT
REGION = "eu-west-1"


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


# Where a POST has no body moto takes the headers for one, and finds the signature wrong. Then this makes it check the signature once
# more, with an empty body, and notes the service in a file.
START_MOTO = """\
import sys
from moto.iam.access_control import IAMRequestBase
from moto.server import ThreadedMotoServer
check = IAMRequestBase.check_signature
def checked(self):
    try:
        check(self)
    except Exception:
        if self._body:
            raise
        self._data = {}
        check(self)
        open(sys.argv[1], "a").write(f"{self._service}\\n")
IAMRequestBase.check_signature = checked
server = ThreadedMotoServer(port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


class Moto(Server):
    """moto in a process of its own. It enforces policies for all requests that are signed, once the setup is done."""

    def __init__(self, folder: Path):
        self.python, self.mended = aws.python(), folder / "mended"
        self.mended.touch()
        # Whether the next signature is spoiled on its way.
        self.spoils = False

    def __enter__(self) -> "Moto":
        environment = {**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        command = [self.python, "-c", START_MOTO, self.mended]
        self.process = subprocess.Popen(command, env=environment, text=True, **pipes)
        try:
            self.port = int(self.process.stdout.readline() or given.not_run("moto does not start"))
            self.key = self.set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate()
        self.process.wait()

    def client(self, service: str):
        keys = {"aws_access_key_id": "AKIASETUP", "aws_secret_access_key": "setup"}
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name=REGION, **keys)

    def set_up(self) -> str:
        """Makes everything that is asked for, and returns the id of the key."""
        # moto does not know that an account's root stands for its roles.
        trust = json.dumps(document({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}))
        for name in ("checkout-reader", "ledger"):
            self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        self.client("s3").create_bucket(Bucket="shop-orders", CreateBucketConfiguration={"LocationConstraint": REGION})
        self.client("sqs").create_queue(QueueName="orders")
        self.client("dynamodb").create_table(
            TableName="orders",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        code = io.BytesIO()
        zipfile.ZipFile(code, "w").close()
        self.client("lambda").create_function(
            FunctionName="orders", Runtime="python3.12", Role=role("checkout-reader"), Handler="a.b", Code={"ZipFile": code.getvalue()}
        )
        return self.client("kms").create_key()["KeyMetadata"]["KeyId"]

    def permit(self, *statements: dict) -> None:
        """What the role may do from now on."""
        self.enforce(False)
        policy = json.dumps(document(*statements))
        self.client("iam").put_role_policy(RoleName="checkout-reader", PolicyName="access", PolicyDocument=policy)

    def enforce(self, enforces: bool) -> None:
        self.post("/moto-api/reset-auth", "0" if enforces else "inf")

    def use_docker(self, uses: bool) -> None:
        """Without Docker moto does not look for the function, and with it even a dry run would start a container."""
        self.post("/moto-api/config", json.dumps({"lambda": {"use_docker": uses}}))

    def post(self, path: str, body: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", path, body)
        status = connection.getresponse().status
        connection.close()
        assert status // 100 == 2, f"moto says {status} to {path}"

    def connect(self, host: str) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=access_front.LIMIT)

    def request(self, operation: str, is_signed: bool, headers: dict[str, str], body: bytes) -> bytes:
        # The exchange of a token has no signature, and moto cannot do without one when it enforces.
        self.enforce(is_signed)
        if self.spoils and is_signed and operation != "sts:GetCallerIdentity":
            name = next(name for name in headers if name.lower() == "authorization")
            headers[name] = headers[name][:-1] + ("0" if headers[name][-1] != "0" else "1")
        return body

    def answer(self, operation: str, headers: dict[str, str], content: bytes) -> bytes:
        # The probe takes a page for another server's. moto calls all denials pages, except those of S3.
        if headers.get("content-type", "").startswith("text/html"):
            headers["content-type"] = content_type(model(operation))
        return content


@dataclass(frozen=True)
class Weed(Server):
    """SeaweedFS's STS and S3."""

    certificates: Certificates
    url: str
    # SeaweedFS understands only statements with `Action` and `Resource`. It refuses a session policy that has others.
    drops_statements: bool = True

    def client(self, service: str, keys: dict[str, str]):
        options = {"verify": str(self.certificates.authority), "config": Config(retries={"total_max_attempts": 1})}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys, **options)

    def assume(self, role: str, token: str) -> dict[str, str]:
        """Everything that the role may do."""
        sts = self.client("sts", {"aws_access_key_id": "none", "aws_secret_access_key": "none"})
        issued = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="setup", WebIdentityToken=token)["Credentials"]
        parts = [issued[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        return dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), parts, strict=True))

    def allows(self, keys: dict[str, str], operation: str, **parameters: object) -> bool:
        try:
            getattr(self.client("s3", keys), operation)(**parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return False
        return True

    def set_up(self, token: str, role: str, buckets: dict[str, dict | None]) -> None:
        """Makes buckets, with their policies."""
        s3 = self.client("s3", self.assume(role, token))
        for bucket, policy in buckets.items():
            s3.create_bucket(Bucket=bucket)
            if policy:
                s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))

    def connect(self, host: str) -> http.client.HTTPConnection:
        context = ssl.create_default_context(cafile=self.certificates.authority)
        return http.client.HTTPSConnection(self.url.removeprefix("https://"), context=context, timeout=access_front.LIMIT)

    def request(self, operation: str, is_signed: bool, headers: dict[str, str], body: bytes) -> bytes:
        if is_signed or not self.drops_statements:
            return body
        parameters = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        policy = json.loads(parameters["Policy"])
        understood = [it for it in policy["Statement"] if {"Action", "Resource"} <= it.keys()]
        return urlencode({**parameters, "Policy": json.dumps({**policy, "Statement": understood})}).encode()

    def answer(self, operation: str, headers: dict[str, str], content: bytes) -> bytes:
        # SeaweedFS's ARNs have no account, which the probe rightly takes for another role.
        return content.replace(b"arn:aws:sts::assumed-role", f"arn:aws:sts::{ACCOUNT}:assumed-role".encode())
