"""The sandbox as the STS of a cluster: one pod, the cluster's keys, a world with roles, and the record of requests."""

import json

from cluster import Cluster
from pods import ACCOUNT, AUDIENCE, SERVICE_ACCOUNT, Images

CONTROL_PORT = 8080
NAME = "sts"


class Sts:
    """It runs in a separate namespace. Its control port is reached through the API server."""

    def __init__(self, cluster: Cluster, namespace: str, clients: str, region: str, roles: tuple[str, ...]):
        self.cluster, self.namespace, self.clients = cluster, namespace, clients
        self.host = f"sts.{region}.amazonaws.com"
        self.trusting = dict.fromkeys(roles, True)
        # The EKS cluster as its authenticator sees it, or nothing.
        self.eks: dict | None = None
        self.address = ""

    def start(self, images: Images) -> None:
        files = {"world.json": json.dumps(self.world()), "keys.json": self.cluster.must("get", "--raw=/openid/v1/jwks")}
        metadata = {"name": NAME, "namespace": self.namespace}
        self.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": files})
        arguments = ["sts", "--listen=0.0.0.0:443", f"--control=0.0.0.0:{CONTROL_PORT}"]
        container = {
            "name": NAME,
            "args": [*arguments, "--world=/etc/sts/world.json", "--keys=/etc/sts/keys.json"],
            "ports": [{"containerPort": 443}, {"containerPort": CONTROL_PORT}],
            "volumeMounts": [{"name": "files", "mountPath": "/etc/sts"}],
            # Not every runtime lets a user other than root bind a port below 1024.
            "securityContext": {"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
            "readinessProbe": {"tcpSocket": {"port": 443}, "periodSeconds": 1},
        }
        spec = {
            "containers": [images.of(container, images.sandbox)],
            "volumes": [{"name": "files", "configMap": {"name": NAME}}],
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 5,
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        # A new namespace gets its default service account a moment later.
        self.cluster.until("the sandbox's pod is taken", lambda: self.cluster.create(pod), 30)
        self.address = self.cluster.until("the sandbox's STS is ready", self.ready)

    def ready(self) -> str | None:
        status = self.cluster.get("pod", NAME, self.namespace)["status"]
        ready = any(it["type"] == "Ready" and it["status"] == "True" for it in status.get("conditions", []))
        return status.get("podIP") if ready else None

    def world(self) -> dict:
        issuer = self.cluster.issuer.removeprefix("https://")
        federated = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"

        def one(name: str, trusting: bool) -> dict:
            account = SERVICE_ACCOUNT if trusting else "somebody-else"
            required = {f"{issuer}:sub": f"system:serviceaccount:{self.clients}:{account}", f"{issuer}:aud": AUDIENCE}
            statement = {"Effect": "Allow", "Principal": {"Federated": federated}, "Action": "sts:AssumeRoleWithWebIdentity"}
            policy = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": {"StringEquals": required}}]}
            return {"name": name, "trust_policy": policy}

        roles = [one(name, trusting) for name, trusting in self.trusting.items()]
        known = {"issuer": {"url": self.cluster.issuer}, "accounts": [{"id": ACCOUNT, "roles": roles}]}
        return {**known, "api_server": {"eks": self.eks}} if self.eks else known

    def trust(self, role: str, trusting: bool) -> None:
        """Changes in IAM whether one role trusts the service account."""
        self.trusting[role] = trusting
        self.turn()

    def map(self, eks: dict) -> None:
        """Changes which principals the cluster maps to users."""
        self.eks = eks
        self.turn()

    def turn(self) -> None:
        self.cluster.must("create", f"--raw={self.at('world')}", "--filename=-", given=json.dumps(self.world()))

    def review(self, asked: str) -> str:
        """What EKS's authenticator answers to a TokenReview."""
        return self.cluster.must("create", f"--raw={self.at('token-review')}", "--filename=-", given=asked)

    def record(self) -> dict:
        return self.cluster.json("get", f"--raw={self.at('record')}")

    def exchanges(self, role: str) -> list[dict]:
        asked = self.record()["sts_requests"]
        return [it for it in asked if it["action"] == "AssumeRoleWithWebIdentity" and (it["role_arn"] or "").endswith(f"/{role}")]

    def ca(self) -> str:
        return self.cluster.must("get", f"--raw={self.at('ca')}")

    def at(self, path: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{NAME}:{CONTROL_PORT}/proxy/{path}"
