"""An API server on loopback with one pod, for a real kubectl, and the kubelet that starts the pod's debug containers.

It knows which requests kubectl makes, which verbs RBAC needs for them, and what the API refuses of an ephemeral container.
Attaching is always refused: a debug container has ended before anybody could attach.
"""

import copy
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

POD_RESOURCES = {
    "pods": ["get", "list", "watch", "patch"],
    "pods/ephemeralcontainers": ["get", "patch", "update"],
    "pods/log": ["get"],
    "pods/attach": ["create", "get"],
}
# From the API's reference of EphemeralContainer: fields that are "not allowed", and subPath.
NOT_ALLOWED = {"ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources", "restartPolicy"}
EVERYTHING = {"get pods", "list pods", "watch pods", "patch pods/ephemeralcontainers", "get pods/log", "create pods/attach"}


class ApiServer:
    def __init__(self, pod: dict, state: dict, report: str = "", *, allowed: set[str] = EVERYTHING, refusal: str = ""):
        self.pod = copy.deepcopy(pod)
        # The state of the debug container when it is read for the second time.
        self.state = state
        self.report = report
        self.allowed = allowed
        # What an admission plugin says about the debug container.
        self.refusal = refusal
        # "VERB RESOURCE" of every request.
        self.asked: list[str] = []
        self.added: list[dict] = []
        self.lock = threading.Lock()
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

    def seen(self) -> dict:
        """The pod as it is now. Afterwards the kubelet continues."""
        with self.lock:
            now = copy.deepcopy(self.pod)
            for status in self.pod["status"].get("ephemeralContainerStatuses", []):
                status["state"] = copy.deepcopy(self.state)
            return now

    def add(self, patch: dict) -> tuple[int, dict]:
        with self.lock:
            before = self.pod["spec"].get("ephemeralContainers", [])
            problems = problems_of(patch, self.pod)
            if problems:
                return 422, failure(422, "Invalid", f'Pod "{self.pod["metadata"]["name"]}" is invalid: {"; ".join(problems)}')
            if self.refusal:
                return 403, failure(403, "Forbidden", self.refusal)
            new = patch["spec"]["ephemeralContainers"]
            self.added += new
            self.pod["spec"]["ephemeralContainers"] = before + new
            waiting = {"waiting": {"reason": "ContainerCreating"}}
            self.pod["status"].setdefault("ephemeralContainerStatuses", []).extend(
                {"name": it["name"], "image": it["image"], "imageID": "", "ready": False, "restartCount": 0, "state": waiting}
                for it in new
            )
            return 200, copy.deepcopy(self.pod)


def problems_of(patch: dict, pod: dict) -> list[str]:
    """What the API refuses, and what `kubectl debug` would not send."""
    problems = [f"{key} is patched" for key in patch if key != "spec"]
    spec = patch.get("spec", {})
    problems += [f"spec.{key} is patched" for key in spec if key.removeprefix("$setElementOrder/") != "ephemeralContainers"]
    names = {it["name"] for kind in ("containers", "initContainers", "ephemeralContainers") for it in pod["spec"].get(kind, [])}
    volumes = {it["name"] for it in pod["spec"].get("volumes", [])}
    for it in spec.get("ephemeralContainers", []):
        problems += [f"{key} is not allowed" for key in it if key in NOT_ALLOWED and it[key] != {}]
        target, mounts = it.get("targetContainerName"), it.get("volumeMounts", [])
        if it["name"] in names:
            problems.append(f"{it['name']} is there already")
        if target and target not in names:
            problems.append(f"{target} is no container")
        problems += [f"{mount['name']} is no volume" for mount in mounts if mount["name"] not in volumes]
        problems += [f"{key} is not allowed" for mount in mounts for key in ("subPath", "subPathExpr") if key in mount]
    return problems


def failure(code: int, reason: str, message: str) -> dict:
    status = {"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure"}
    return {**status, "message": message, "reason": reason, "details": {"name": "checkout", "kind": "pods"}, "code": code}


def handler(api: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            if url.path == "/version":
                # Google's build of kubectl chooses a client by it.
                self.answer(200, {"major": "1", "minor": "35", "gitVersion": "v1.35.2", "platform": "linux/amd64"})
            elif url.path == "/api":
                self.answer(200, {"kind": "APIVersions", "versions": ["v1"]})
            elif url.path == "/apis":
                self.answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
            elif url.path == "/api/v1":
                resources = [
                    {"name": name, "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": verbs, "shortNames": ["po"]}
                    for name, verbs in POD_RESOURCES.items()
                ]
                self.answer(200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": resources})
            elif "watch" in query:
                self.of_pod("watch", lambda: self.watch(query))
            elif url.path.endswith("/pods"):
                self.of_pod("list", lambda: self.answer(200, self.listed()))
            elif url.path.endswith("/log"):
                self.of_pod("get", self.log)
            elif url.path.endswith("/attach"):
                # Over a WebSocket. The API server still requires the verb `create` for it.
                self.of_pod("create", self.refuse_attaching)
            else:
                self.of_pod("get", lambda: self.answer(200, api.seen()))

        def do_POST(self) -> None:
            self.of_pod("create", self.refuse_attaching)

        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.of_pod("patch", lambda: self.patch(body))

        def of_pod(self, verb: str, answer: callable) -> None:
            """Answers by RBAC's rules. A pod with another name does not exist."""
            found = re.fullmatch(r"/api/v1/namespaces/([^/]+)/pods(?:/([^/]+))?(?:/([^/]+))?", urlsplit(self.path).path)
            if not found:
                # If kubectl does not find the pod, it looks for the namespace, which few people may read.
                return self.answer(403, failure(403, "Forbidden", "namespaces is forbidden"))
            namespace, name, subresource = found.groups()
            resource = "/".join(filter(None, ["pods", subresource]))
            api.asked.append(f"{verb} {resource}")
            metadata = api.pod["metadata"]
            if f"{verb} {resource}" not in api.allowed:
                who = f'User "dev" cannot {verb} resource "{resource}" in API group "" in the namespace "{namespace}"'
                self.answer(403, failure(403, "Forbidden", f'pods "{name}" is forbidden: {who}'))
            elif namespace != metadata["namespace"] or name not in (None, metadata["name"]):
                self.answer(404, failure(404, "NotFound", f'pods "{name}" not found'))
            else:
                answer()

        def patch(self, body: bytes) -> None:
            if self.headers["Content-Type"] != "application/strategic-merge-patch+json":
                return self.answer(415, failure(415, "UnsupportedMediaType", "no strategic merge patch"))
            self.answer(*api.add(json.loads(body)))

        def listed(self) -> dict:
            return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1001"}, "items": [api.seen()]}

        def watch(self, query: dict) -> None:
            if "sendInitialEvents" in query:
                # Answers as an API server without that feature does; kubectl then lists.
                return self.answer(422, failure(422, "Invalid", "sendInitialEvents is forbidden"))
            event = {"type": "MODIFIED", "object": api.seen()}
            self.send(200, "application/json", json.dumps(event).encode() + b"\n")

        def log(self) -> None:
            self.send(200, "text/plain", api.report.encode())

        def refuse_attaching(self) -> None:
            self.answer(500, failure(500, "InternalError", "container not found"))

        def answer(self, status: int, body: dict) -> None:
            self.send(status, "application/json", json.dumps(body).encode())

        def send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
