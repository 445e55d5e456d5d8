"""An API server on loopback for a real kubectl: any objects, read only, and a record of every verb.

It supports discovery, get, list with labels, RBAC by verb and resource, the issuer, and tokens of service accounts.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

# Group and version: resource, kind, whether it is in a namespace.
RESOURCES = {
    "v1": [
        ("pods", "Pod", True),
        ("serviceaccounts", "ServiceAccount", True),
        ("nodes", "Node", False),
        ("namespaces", "Namespace", False),
        ("configmaps", "ConfigMap", True),
    ],
    "apps/v1": [
        ("deployments", "Deployment", True),
        ("statefulsets", "StatefulSet", True),
        ("daemonsets", "DaemonSet", True),
        ("replicasets", "ReplicaSet", True),
    ],
    "batch/v1": [("jobs", "Job", True), ("cronjobs", "CronJob", True)],
    "admissionregistration.k8s.io/v1": [("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False)],
}
KINDS = {kind: (version, resource) for version, all in RESOURCES.items() for resource, kind, _ in all}


class ApiServer:
    def __init__(self, objects: list[dict], *, issuer: str | None, denied: set[str] = frozenset()):
        self.objects = objects
        self.issuer = issuer
        # "VERB RESOURCE" pairs that the user lacks.
        self.denied = denied
        # "VERB RESOURCE" of every request except discovery.
        self.asked: list[str] = []
        # The bodies of the token requests.
        self.tokens: list[bytes] = []
        self.token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQtbWFyayJ9.c2lnbmF0dXJlLXRoYXQtbXVzdC1ub3QtbGVhaw"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def of(self, version: str, resource: str, namespace: str | None) -> list[dict]:
        """The objects, in the order of the test."""
        wanted = [it for it in self.objects if KINDS[it["kind"]] == (version, resource)]
        return [it for it in wanted if namespace in (None, it["metadata"].get("namespace"))]


def failure(code: int, reason: str, message: str) -> dict:
    status = {"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure"}
    return {**status, "message": message, "reason": reason, "code": code}


def handler(api: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            match path.strip("/").split("/"):
                case ["version"]:
                    self.answer(200, {"major": "1", "minor": "35", "gitVersion": "v1.35.2", "platform": "linux/amd64"})
                case ["api"]:
                    self.answer(200, {"kind": "APIVersions", "versions": ["v1"]})
                case ["apis"]:
                    self.answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups()})
                case ["api", "v1"]:
                    self.answer(200, resources("v1"))
                case ["apis", group, version]:
                    self.answer(200, resources(f"{group}/{version}"))
                case [".well-known", "openid-configuration"]:
                    self.of("get", "openid-configuration", lambda: self.answer(200, {"issuer": api.issuer}))
                case ["api", "v1", *rest]:
                    self.read("v1", rest)
                case ["apis", group, version, *rest]:
                    self.read(f"{group}/{version}", rest)
                case _:
                    self.answer(404, failure(404, "NotFound", "no such path"))

        def read(self, version: str, rest: list[str]) -> None:
            namespace = None
            if rest[0] == "namespaces" and len(rest) > 2:
                namespace, rest = rest[1], rest[2:]
            resource, *name = rest
            found = api.of(version, resource, namespace)
            if not name:
                query = parse_qs(urlsplit(self.path).query)
                for pair in ",".join(query.get("labelSelector", [])).split(",") if "labelSelector" in query else []:
                    key, _, value = pair.partition("=")
                    found = [it for it in found if it["metadata"].get("labels", {}).get(key) == value]
                kind = next(kind for kind, at in KINDS.items() if at == (version, resource))
                body = {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": found}
                return self.of("list", resource, lambda: self.answer(200, body))
            found = [it for it in found if it["metadata"]["name"] == name[0]]
            if not found:
                missing = failure(404, "NotFound", f'{resource} "{name[0]}" not found')
                return self.of("get", resource, lambda: self.answer(404, missing))
            self.of("get", resource, lambda: self.answer(200, found[0]))

        def do_POST(self) -> None:
            # kubectl sends it as protobuf.
            body = self.rfile.read(int(self.headers["Content-Length"]))
            parts = urlsplit(self.path).path.strip("/").split("/")
            if parts[-1] != "token":
                return self.of("create", parts[-1], lambda: self.answer(403, failure(403, "Forbidden", "read only")))

            def issue() -> None:
                api.tokens.append(body)
                status = {"token": api.token, "expirationTimestamp": "2036-01-01T00:00:00Z"}
                kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
                self.answer(201, {**kind, "metadata": {}, "spec": {"audiences": []}, "status": status})

            self.of("create", "serviceaccounts/token", issue)

        def do_PATCH(self) -> None:
            self.other("patch")

        def do_PUT(self) -> None:
            self.other("update")

        def do_DELETE(self) -> None:
            self.other("delete")

        def other(self, verb: str) -> None:
            api.asked.append(f"{verb} {self.path}")
            self.answer(403, failure(403, "Forbidden", "read only"))

        def of(self, verb: str, resource: str, answer: callable) -> None:
            api.asked.append(f"{verb} {resource}")
            if f"{verb} {resource}" in api.denied:
                message = f'{resource} is forbidden: User "dev" cannot {verb} resource "{resource}"'
                return self.answer(403, failure(403, "Forbidden", message))
            answer()

        def answer(self, status: int, body: dict) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def groups() -> list[dict]:
    versions = [version.split("/") for version in RESOURCES if "/" in version]
    one = [({"groupVersion": f"{group}/{version}", "version": version}, group) for group, version in versions]
    return [{"name": group, "versions": [it], "preferredVersion": it} for it, group in one]


def resources(version: str) -> dict:
    verbs = ["get", "list"]
    all = [
        {"name": name, "singularName": kind.lower(), "namespaced": inside, "kind": kind, "verbs": verbs}
        for name, kind, inside in RESOURCES.get(version, [])
    ]
    if version == "v1":
        kind = {"kind": "TokenRequest", "group": "authentication.k8s.io", "version": "v1"}
        all.append({"name": "serviceaccounts/token", "singularName": "", "namespaced": True, "verbs": ["create"], **kind})
    return {"kind": "APIResourceList", "groupVersion": version, "resources": all}
