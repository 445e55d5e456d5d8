"""Pods for the tests: the shipped containers, what the webhook would inject, and the way to the sandbox's STS."""

import copy
from dataclasses import dataclass

ACCOUNT = "814203749616"
AUDIENCE = "sts.amazonaws.com"
SERVICE_ACCOUNT = "checkout"
TOKEN_FOLDER = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
TOKEN_FILE = f"{TOKEN_FOLDER}/token"
CA_FOLDER = "/etc/credprobe-test"
# The shortest lifetime that the API server grants.
TOKEN_SECONDS = 600
# The user of the probe's image.
IMAGE_USER = 65532


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


@dataclass
class Images:
    probe: str
    sandbox: str
    # `None`: the cluster's default.
    policy: str | None = None

    def of(self, container: dict, image: str) -> dict:
        changed = {**container, "image": image}
        return {**changed, "imagePullPolicy": self.policy} if self.policy else changed

    def app(self, **more) -> dict:
        """An application that does nothing until it is killed."""
        running = '{"dumpable": true, "state": "running"}'
        app = {"name": "app", "command": ["/credprobe-sandbox", "__application", running], "securityContext": closed(), **more}
        return self.of(app, self.sandbox)


def closed() -> dict:
    """The settings that Pod Security's restricted level requires of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def containers(spec: dict) -> list[dict]:
    return [*spec.get("initContainers", []), *spec["containers"]]


def add_variables(spec: dict, variables: dict[str, str], over: bool = False) -> None:
    for container in containers(spec):
        has = {it["name"] for it in container.setdefault("env", [])}
        if over:
            container["env"] = [it for it in container["env"] if it["name"] not in variables]
            has = set()
        container["env"] += [{"name": name, "value": value} for name, value in variables.items() if name not in has]


def add_volume(spec: dict, name: str, source: dict, path: str) -> None:
    spec.setdefault("volumes", []).append({"name": name, **source})
    for container in containers(spec):
        container.setdefault("volumeMounts", []).append({"name": name, "mountPath": path, "readOnly": True})


def inject(spec: dict, role_arn: str, region: str, audience: str = AUDIENCE, mode: int = 0o644) -> None:
    """Injects what the EKS webhook injects."""
    token = {"audience": audience, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    projected = {"projected": {"defaultMode": mode, "sources": [{"serviceAccountToken": token}]}}
    add_volume(spec, "aws-iam-token", projected, TOKEN_FOLDER)
    variables = {"AWS_STS_REGIONAL_ENDPOINTS": "regional", "AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    add_variables(spec, {**variables, "AWS_ROLE_ARN": role_arn, "AWS_WEB_IDENTITY_TOKEN_FILE": TOKEN_FILE})


def lead(spec: dict, host: str, address: str, with_ca: bool = True) -> None:
    """Leads a pod to the sandbox's STS instead of AWS's, by a line in /etc/hosts."""
    spec["hostAliases"] = [{"ip": address, "hostnames": [host]}]
    if with_ca:
        add_volume(spec, "credprobe-test-ca", {"configMap": {"name": "credprobe-test-ca"}}, CA_FOLDER)
        add_variables(spec, {"AWS_CA_BUNDLE": f"{CA_FOLDER}/ca.pem"})


def placed(manifest: dict, namespace: str, name: str, images: Images) -> dict:
    """A copy of a workload of manifests/, in the tests' namespace, with images that exist."""
    workload = copy.deepcopy(manifest)
    workload["metadata"]["namespace"] = namespace
    workload["metadata"]["name"] = name
    template = workload["spec"]["template"]
    if "selector" in workload["spec"]:
        labels = {"app.kubernetes.io/name": name}
        workload["spec"]["selector"] = {"matchLabels": labels}
        template["metadata"]["labels"] = labels
    spec = template["spec"]
    spec["serviceAccountName"] = SERVICE_ACCOUNT
    spec["terminationGracePeriodSeconds"] = 1
    spec["initContainers"] = [images.of(it, images.probe) for it in spec.get("initContainers", [])]
    own = {"securityContext": spec["containers"][0]["securityContext"]} if "securityContext" in spec["containers"][0] else {}
    spec["containers"] = [images.app(name=spec["containers"][0]["name"]) | own]
    return workload


def beside(spec: dict) -> None:
    """Turns the sidecar into an ordinary container, for clusters without native sidecars."""
    (sidecar,) = spec.pop("initContainers")
    del sidecar["restartPolicy"]
    spec["containers"].append(sidecar)
