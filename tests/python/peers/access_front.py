"""A proxy with a certificate for AWS's hosts: it passes the probe's requests on to another server, and records the answers.

It also runs in the sandbox's pod, which gets it as text. So it imports only what comes with Python.
"""

import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}
# In seconds: longer than the probe waits for an answer.
LIMIT = 30


@dataclass(frozen=True)
class Exchange:
    """A request of the probe, and the server's answer to it."""

    # For example `s3:ListBucket`: service and operation, as the server understands the request.
    operation: str
    is_signed: bool
    body: str
    status: int
    # With lower-case names.
    headers: dict[str, str]
    answer: str


class Server:
    """The server behind a front. It may change a request before the server sees it, and an answer before the probe does."""

    def connect(self, host: str) -> http.client.HTTPConnection:
        raise NotImplementedError

    def request(self, operation: str, is_signed: bool, headers: dict[str, str], body: bytes) -> bytes:
        return body

    def answer(self, operation: str, headers: dict[str, str], content: bytes) -> bytes:
        return content


class Front:
    """Listens on loopback during a `with` block."""

    def __init__(self, certificate: str, key: str, to: Server):
        self.exchanges: list[Exchange] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), tunnels(context, to, self.exchanges))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        # `shutdown` takes up to this long.
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def tunnels(context: ssl.SSLContext, to: Server, exchanges: list[Exchange]) -> type[BaseHTTPRequestHandler]:
    class Silent(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

    class Requests(Silent):
        def pass_on(self) -> None:
            host, sent = self.headers["Host"], dict(self.headers.items())
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            operation = operation_of(host, {name.lower(): value for name, value in sent.items()}, body.decode())
            is_signed = "Authorization" in self.headers
            passed = to.request(operation, is_signed, sent, body)
            connection = to.connect(host)
            try:
                # The same headers in the same case, because most of them are signed.
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in sent.items():
                    connection.putheader(name, str(len(passed)) if name.lower() == "content-length" else value)
                connection.endheaders(passed)
                response = connection.getresponse()
                content = response.read()
            finally:
                connection.close()
            answered = {name.lower(): value for name, value in response.getheaders()}
            exchanges.append(Exchange(operation, is_signed, body.decode(), response.status, dict(answered), content.decode()))
            content = to.answer(operation, answered, content)
            self.send_response_only(response.status)
            for name, value in answered.items():
                if name not in HOP_BY_HOP:
                    self.send_header(name, value)
            if response.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = pass_on

    class Tunnels(Silent):
        def do_CONNECT(self) -> None:
            self.send_response_only(200)
            self.end_headers()
            self.close_connection = True
            with context.wrap_socket(self.connection, server_side=True) as inner:
                Requests(inner, self.client_address, self.server)

    return Tunnels


def operation_of(host: str, headers: dict[str, str], body: str) -> str:
    service = host.split(".")[0]
    named = re.search(r"(?:^|&)Action=(\w+)", body) or re.search(r"\.(\w+)$", headers.get("x-amz-target", ""))
    # These two services name the operation by method and path. The probe asks each of them one thing only.
    return f"{service}:{named[1] if named else {'s3': 'ListBucket', 'lambda': 'InvokeFunction'}[service]}"


class Sandbox(Server):
    """The sandbox's own servers, which have AWS's names in its pod."""

    def __init__(self) -> None:
        self.context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])

    def connect(self, host: str) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(host, context=self.context, timeout=LIMIT)


def in_pod(certificate: str, key: str, authority: str, *command: str) -> None:
    """Runs the probe behind a front, and prints its output and the exchanges."""
    with Front(certificate, key, Sandbox()) as front:
        environment = {**os.environ, "AWS_CA_BUNDLE": authority, "HTTPS_PROXY": front.url}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    print(json.dumps({"stdout": ran.stdout, "stderr": ran.stderr, "exchanges": [asdict(it) for it in front.exchanges]}))
    sys.exit(ran.returncode)


if __name__ == "__main__":
    in_pod(*sys.argv[1:])
