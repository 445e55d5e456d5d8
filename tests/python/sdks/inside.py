"""Runs in the pod: starts a client and an S3 of its own beside it, and prints the access key that the client used.

    inside.py '{"command": […], "unset": […], "limit": 20}'

In the command, `{S3}` is the URL of that S3, which refuses everybody, `{S3_HOST}` its host, and `{REGION}` the value of
AWS_REGION. The sandbox's CA replaces the machine's, for clients that read no variable for it.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

AUTHORITY = "/run/credprobe-sandbox/ca.pem"
STORES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
# Signature version 4 in the header or in the query, and version 2.
KEY = re.compile(r"Credential=([A-Za-z0-9]*)[/%]|AWSAccessKeyId=([A-Za-z0-9]+)|^AWS ([A-Za-z0-9]*):")
PLACE = re.compile(r"\{(?:S3|S3_HOST|REGION)\}")
REFUSAL = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>'
CLONE_NEWNS, CLONE_NEWUSER, MS_BIND = 0x20000, 0x10000000, 4096


def main() -> None:
    said = json.loads(sys.argv[1])
    trust()
    keys: list[str] = []

    class S3(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = KEY.search(self.headers.get("Authorization", "")) or KEY.search(self.path)
            keys.append(next((it for it in found.groups() if it is not None), "") if found else "")
            self.send_response(403)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(0 if self.command == "HEAD" else len(REFUSAL)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(REFUSAL)

        do_HEAD = do_POST = do_PUT = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), S3)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    known = {"{S3}": f"http://{host}", "{S3_HOST}": host, "{REGION}": os.environ.get("AWS_REGION", "")}
    command = [PLACE.sub(lambda it: known[it[0]], word) for word in said["command"]]
    environment = {name: value for name, value in os.environ.items() if name not in said["unset"]}
    home = tempfile.mkdtemp(prefix="credprobe-sdks-home-")
    # Empty and writable, because the AWS CLI wants to keep credentials there.
    environment |= {"NODE_EXTRA_CA_CERTS": AUTHORITY, "HOME": home}
    answer: dict[str, object] = {}
    try:
        streams = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "errors": "replace"}
        done = subprocess.run(command, env=environment, timeout=said["limit"], **streams)
        answer["code"] = done.returncode
        answer["error"] = done.stderr[-1500:] if done.returncode else None
        keys += [it[0] for it in KEY.findall(done.stderr)]
        printed = done.stdout.strip().rpartition("\n")[2]
        if printed.startswith("{"):
            answer.update(json.loads(printed))
    except subprocess.TimeoutExpired:
        answer["error"] = f"not done within {said['limit']} s"
    finally:
        shutil.rmtree(home, ignore_errors=True)
    # An anonymous request has an empty key.
    answer.setdefault("key", next(filter(None, keys), None))
    print(json.dumps(answer))


def trust() -> None:
    """Uses a user and a mount namespace of this process, with the ids that it has."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no namespaces for the CA of the sandbox")
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)
    for store in filter(os.path.exists, STORES):
        if libc.mount(AUTHORITY.encode(), os.path.realpath(store).encode(), None, MS_BIND, None) != 0:
            raise OSError(ctypes.get_errno(), f"the CA of the sandbox cannot stand at {store}")


main()
