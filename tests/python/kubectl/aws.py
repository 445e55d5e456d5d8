"""moto's IAM, EKS and STS behind a front on loopback, for a real AWS CLI.

The front records every call and adds what moto lacks: Pod Identity associations, in the form of botocore's model of EKS, and
refusals of AssumeRoleWithWebIdentity, in the form of STS's answers.
"""

import http.client
import json
import os
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from lib import given, packages

ACCOUNT = "814203749616"
REQUIREMENTS = Path(__file__).with_name("aws.txt")


def python() -> Path:
    """The interpreter that has moto and the CLI."""
    try:
        return packages.prepare(given.CACHE, REQUIREMENTS)
    except packages.Unavailable as error:
        given.not_run(error)


class Aws:
    def __init__(self) -> None:
        self.python = python()
        # The operation of every call, except those of the setup.
        self.asked: list[str] = []
        # The parameters of every exchange.
        self.exchanges: list[dict] = []
        # By namespace and service account.
        self.associations: dict[tuple[str, str], dict] = {}
        # Code and message of STS's answer; `None`: it issues credentials.
        self.refusal: tuple[str, str] | None = None
        # The operations that the caller lacks.
        self.denied: set[str] = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        script = (
            "import sys, time; from moto.server import ThreadedMotoServer;"
            "it = ThreadedMotoServer(port=0, verbose=False); it.start(); print(it.get_host_and_port()[1], flush=True);"
            "sys.stdin.read()"
        )
        command = [self.python, "-c", script]
        environment = {**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT}
        self.moto = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.moto.stdout.readline())
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.moto.stdin.close()
        self.moto.stdout.close()
        self.moto.terminate()
        self.moto.wait()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def reset(self) -> None:
        """Resets everything without restarting the server."""
        self.asked, self.exchanges, self.associations, self.refusal = [], [], {}, None
        self.denied = set()
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/moto-api/reset")
        connection.getresponse().read()

    def form(self, **parameters: str) -> None:
        """Makes one IAM call of the setup, which is not recorded."""
        from urllib.parse import urlencode

        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        scope = f"AKIASETUP/20260101/us-east-1/iam/aws4_request"
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "Host": "iam.amazonaws.com",
        }
        connection.request("POST", "/", urlencode({"Version": "2010-05-08", **parameters}), headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, body

    def role(self, name: str, trust: dict, path: str = "/") -> str:
        self.form(Action="CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))
        return f"arn:aws:iam::{ACCOUNT}:role{path}{name}"

    def provider(self, issuer: str, client_ids: list[str]) -> None:
        ids = {f"ClientIDList.member.{number}": id for number, id in enumerate(client_ids, 1)}
        self.form(Action="CreateOpenIDConnectProvider", Url=issuer, **ids)

    def associate(self, namespace: str, account: str, role: str, **more: object) -> None:
        number = len(self.associations)
        self.associations[namespace, account] = {
            "clusterName": "prod",
            "namespace": namespace,
            "serviceAccount": account,
            "roleArn": role,
            "associationArn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:podidentityassociation/prod/a-{number:017d}",
            "associationId": f"a-{number:017d}",
            "createdAt": time.time() - 86_400,
            **more,
        }

    def wrapper(self, folder: Path) -> None:
        """`aws` in a folder: the real CLI. A flag sends it to this endpoint, because the product removes environment variables."""
        program = folder / "aws"
        program.write_text(f'#!/bin/sh\necho "$@" >>"{folder}/aws.argv"\nenv >"{folder}/aws.env"\nexec "{self.python}" -m awscli --endpoint-url {self.url} "$@"\n')
        program.chmod(0o755)


def handler(aws: Aws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if found := re.fullmatch(r"/clusters/([^/]+)/pod-identity-associations(?:/([^/]+))?", path):
                return self.associations(found[1], found[2])
            operation = "eks DescribeCluster" if path.startswith("/clusters/") else f"GET {path}"
            self.forward(operation, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parameters = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            action = parameters.get("Action", self.path)
            if action == "AssumeRoleWithWebIdentity":
                aws.exchanges.append(parameters)
                if aws.refusal:
                    aws.asked.append(action)
                    return self.refuse(*aws.refusal)
            self.forward(action, body)

        def associations(self, cluster: str, id: str | None) -> None:
            operation = "DescribePodIdentityAssociation" if id else "ListPodIdentityAssociations"
            aws.asked.append(operation)
            if operation in aws.denied:
                return self.json(403, {"message": f"not authorized to perform: eks:{operation}"}, "AccessDeniedException")
            all = list(aws.associations.values())
            if not id:
                brief = ["clusterName", "namespace", "serviceAccount", "associationArn", "associationId"]
                return self.json(200, {"associations": [{key: it[key] for key in brief} for it in all]})
            found = [it for it in all if it["associationId"] == id]
            if not found:
                return self.json(404, {"message": "no such association"}, "ResourceNotFoundException")
            self.json(200, {"association": found[0]})

        def forward(self, operation: str, body: bytes) -> None:
            aws.asked.append(operation)
            if operation in aws.denied:
                return self.refuse("AccessDenied", f"User: dev is not authorized to perform: {operation}")
            connection = http.client.HTTPConnection("127.0.0.1", aws.port)
            headers = {key: value for key, value in self.headers.items() if key.lower() != "content-length"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            raw = answer.read()
            self.send_response(answer.status)
            for key, value in answer.getheaders():
                if key.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def refuse(self, code: str, message: str) -> None:
            namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
            body = f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>'
            self.raw(403 if code == "AccessDenied" else 400, "text/xml", body.encode())

        def json(self, status: int, body: dict, error: str = "") -> None:
            self.raw(status, "application/json", json.dumps(body).encode(), error)

        def raw(self, status: int, kind: str, body: bytes, error: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
