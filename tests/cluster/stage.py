"""What all groups share: the cluster, the namespaces, STS, and how a pod of the tests is made. It removes what it made."""

import json
import re
import secrets
from pathlib import Path

import pods
from cluster import Cluster
from pods import Images
from sts import Sts

MANIFESTS = Path(__file__).parents[2] / "manifests"
WEBHOOK = "eks.amazonaws.com/role-arn"
# Each group that changes a role's trust has its own role, so that groups do not disturb each other.
ROLES = ("checkout-reader", "sidecar", "gate", "rotation", "refused", "by-entry", "unknown-to-the-cluster")


class Stage:
    def __init__(self, cluster: Cluster, images: Images, token_webhook: int | None = None):
        self.cluster, self.images, self.token_webhook = cluster, images, token_webhook
        self.namespace = f"credprobe-test-{secrets.token_hex(3)}"
        self.restricted, self.of_sts = f"{self.namespace}-restricted", f"{self.namespace}-sts"
        # Objects of the whole cluster, which have to be deleted one by one.
        self.cluster_wide: list[tuple[str, str]] = []
        found = re.search(r"\boidc\.eks\.([a-z0-9-]+)\.", cluster.issuer)
        # The issuer's own region if it has one; then nothing but the sandbox is ever asked.
        self.region = found[1] if found else "eu-west-1"
        self.sts = Sts(cluster, self.of_sts, self.namespace, self.region, ROLES)
        self.webhook = False

    def set_up(self) -> None:
        for name in (self.of_sts, self.namespace, self.restricted):
            labels = {"pod-security.kubernetes.io/enforce": "restricted"} if name == self.restricted else {}
            metadata = {"name": name, "labels": labels}
            self.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        self.sts.start(self.images)
        ca = self.sts.ca()
        for namespace in (self.namespace, self.restricted):
            metadata = {"name": "credprobe-test-ca", "namespace": namespace}
            self.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.pem": ca}})
            account = {"name": pods.SERVICE_ACCOUNT, "namespace": namespace}
            account["annotations"] = {WEBHOOK: pods.role("checkout-reader")}
            self.cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        self.webhook = self.cluster.until("a pod can be made for the service account", self.try_webhook) == "webhook"

    def try_webhook(self) -> str:
        seen, _ = self.cluster.tried(self.pod("webhook", {"containers": [self.images.app()]}))
        names = {it["name"] for it in seen["spec"]["containers"][0].get("env", [])}
        return "webhook" if "AWS_ROLE_ARN" in names else "none"

    def tear_down(self) -> None:
        for kind, name in self.cluster_wide:
            self.cluster.run("delete", kind, name, "--ignore-not-found", "--wait=false")
        names = (self.namespace, self.restricted, self.of_sts)
        self.cluster.run("delete", "namespace", *names, "--ignore-not-found", "--timeout=100s", limit=110)

    def pod(self, name: str, spec: dict, **metadata) -> dict:
        common = {"serviceAccountName": pods.SERVICE_ACCOUNT, "terminationGracePeriodSeconds": 1}
        about = {"name": name, "namespace": self.namespace, **metadata}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {**common, **spec}}

    def inject(self, spec: dict, role: str = "checkout-reader", **differently) -> None:
        """Injects what the webhook would. A webhook that exists does not touch a pod that already has the variables."""
        pods.inject(spec, pods.role(role), self.region, **differently)
        self.lead(spec)

    def leave_to_webhook(self, spec: dict) -> None:
        """Leaves the injection to the cluster's webhook if there is one."""
        if self.webhook:
            self.lead(spec)
        else:
            self.inject(spec)

    def lead(self, spec: dict, **differently) -> None:
        pods.lead(spec, self.sts.host, self.sts.address, **differently)

    def manifest(self, name: str, kind: str = "") -> dict:
        """The one object of that kind, or of any kind."""
        (found,) = [it for it in self.cluster.read(MANIFESTS / name) if kind in ("", it["kind"])]
        return found

    def deployment(self, manifest: str, name: str, role: str | None, namespace: str | None = None) -> dict:
        """A deployment with a role of the tests' choice, or with what the cluster's webhook injects."""
        made = pods.placed(self.manifest(manifest, "Deployment"), namespace or self.namespace, name, self.images)
        spec = made["spec"]["template"]["spec"]
        self.inject(spec, role) if role else self.leave_to_webhook(spec)
        return made

    def probe(self) -> dict:
        """The shipped init container."""
        spec = self.manifest("init-container.yaml")["spec"]["template"]["spec"]
        return self.images.of(spec["initContainers"][0], self.images.probe)

    def pods_of(self, name: str, namespace: str | None = None, label: str = "app.kubernetes.io/name") -> list[dict]:
        where = f"--namespace={namespace or self.namespace}"
        return self.cluster.json("get", "pods", where, f"--selector={label}={name}", "--output=json")["items"]

    def rolled_out(self, name: str, seconds: int, namespace: str | None = None) -> tuple[bool, str]:
        where = f"--namespace={namespace or self.namespace}"
        done = self.cluster.run("rollout", "status", f"deployment/{name}", where, f"--timeout={seconds}s", limit=seconds + 30)
        return done.returncode == 0, done.stdout + done.stderr

    def said(self) -> str:
        """What the tests' containers printed, and what the cluster says about them."""
        texts = []
        for namespace in (self.namespace, self.restricted, self.of_sts):
            where = f"--namespace={namespace}"
            found = self.cluster.json("get", "pods", where, "--output=json")["items"]
            texts += [json.dumps(it["status"]) for it in found]
            texts.append(self.cluster.must("get", "events", where, "--output=json"))
            for pod in found:
                texts.append(self.cluster.must("logs", pod["metadata"]["name"], where, "--all-containers", "--ignore-errors"))
        return "\n".join(texts)


def condition(pod: dict, kind: str) -> dict:
    return next((it for it in pod["status"].get("conditions", []) if it["type"] == kind), {})


def ended(status: list[dict] | None, name: str) -> dict | None:
    """How a container last ended."""
    for it in status or []:
        if it["name"] == name:
            return it.get("state", {}).get("terminated") or it.get("lastState", {}).get("terminated")
    return None


def message_problem(terminated: dict, code: int, verdict: str | None) -> str | None:
    """Checks that the message has at most three lines and 400 bytes, the first being `class code: …`."""
    message = terminated.get("message", "").removesuffix("\n")
    begins = re.match(rf"{re.escape(verdict) if verdict else '[a-z0-9-]+'} {code}(:|, but) ", message)
    if not begins or message.count("\n") > 2 or len(message.encode()) > 400:
        return f"the termination message is {message!r}"
    return None
