"""The webhook that the API server asks about tokens of IAM identities: it passes each TokenReview on to the sandbox, which
verifies the presigned URL and looks into aws-auth and the access entries. It listens on loopback, where only an API server
of the same machine reaches it."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator

from cluster import Refused
from sts import Sts


@contextlib.contextmanager
def running(port: int, sts: Sts) -> Iterator[list[dict]]:
    """What the API server asked, without the tokens, and what it was answered."""
    reviews: list[dict] = []

    class Webhook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            try:
                answer = sts.review(asked)
            except Refused as error:
                answer = ""
                reviews.append({"error": str(error)})
            else:
                reviews.append({"version": json.loads(asked)["apiVersion"], "status": json.loads(answer)["status"]})
            self.send_response(200 if answer else 500)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield reviews
    finally:
        server.shutdown()
        server.server_close()
