"""A proxy between probe and STS that passes everything on, and keeps the answers and the secrets in them."""

import html
import http.client
import re
import ssl
from dataclasses import dataclass

from peers.certificates import Certificates
from peers.https_server import Handler, HttpsServer

SECRET = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]+)</")
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: str

    def secrets(self) -> list[str]:
        return [value for _, value in SECRET.findall(self.body)]

    def code(self) -> str:
        return self.element("Code")

    def message(self) -> str:
        return self.element("Message")

    def element(self, name: str) -> str:
        found = re.search(f"<{name}>([^<]*)</{name}>", self.body)
        return html.unescape(found[1]) if found else ""


class Tap(HttpsServer):
    def __init__(self, certificates: Certificates, to: str):
        context = ssl.create_default_context(cafile=certificates.authority)
        self.answers = answers = []

        class PassOn(Handler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                connection = http.client.HTTPSConnection(to.removeprefix("https://"), context=context, timeout=30)
                try:
                    connection.request("POST", self.path, body, dict(self.headers))
                    response = connection.getresponse()
                    content = response.read()
                finally:
                    connection.close()
                answers.append(Answer(response.status, content.decode()))
                self.send_response_only(response.status)
                for name, value in response.getheaders():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        super().__init__(certificates, PassOn)
