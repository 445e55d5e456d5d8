"""A small cluster as data: pods after EKS's webhook, service accounts, nodes, the webhook itself."""

import copy

ACCOUNT = "814203749616"
ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
PATH = ISSUER.removeprefix("https://")
NODE = "ip-10-0-1-17.eu-west-1.compute.internal"
FOLDER = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
AGENTS = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def trust(subject: str = "system:serviceaccount:shop:checkout", *, operator: str = "StringEquals", provider: str = "") -> dict:
    condition = {operator: {f"{PATH}:sub": subject}, "StringLike": {f"{PATH}:aud": "sts.amazonaws.com"}}
    if operator == "StringLike":
        condition = {operator: {f"{PATH}:sub": subject, f"{PATH}:aud": "sts.amazonaws.com"}}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider or f"arn:aws:iam::{ACCOUNT}:oidc-provider/{PATH}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    if subject:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def trusts_eks(actions: tuple[str, ...] = ("sts:AssumeRole", "sts:TagSession")) -> dict:
    principal = {"Service": "pods.eks.amazonaws.com"}
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": list(actions)}]}


def account(name: str = "checkout", role: str | None = "checkout-reader", *, namespace: str = "shop", at: str = "2026-11-20T00:00:00Z", **annotations: str) -> dict:
    notes = dict(annotations)
    if role:
        notes["eks.amazonaws.com/role-arn"] = role if role.startswith("arn:") else role_arn(role)
    fields = {"f:metadata": {"f:annotations": {f"f:{key}": {} for key in notes}}}
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "annotations": notes}
    metadata["managedFields"] = [{"manager": "kubectl", "operation": "Update", "time": at, "fieldsType": "FieldsV1", "fieldsV1": fields}]
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def irsa(role: str = "checkout-reader") -> list[dict]:
    return [
        {"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"},
        {"name": "AWS_DEFAULT_REGION", "value": "eu-west-1"},
        {"name": "AWS_REGION", "value": "eu-west-1"},
        {"name": "AWS_ROLE_ARN", "value": role if role.startswith("arn:") else role_arn(role)},
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": f"{FOLDER}/token"},
    ]


def pod_identity() -> list[dict]:
    return [
        {"name": "AWS_STS_REGIONAL_ENDPOINTS", "value": "regional"},
        {"name": "AWS_DEFAULT_REGION", "value": "eu-west-1"},
        {"name": "AWS_REGION", "value": "eu-west-1"},
        {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"},
        {"name": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "value": f"{AGENTS}/eks-pod-identity-token"},
    ]


def container(name: str = "app", env: list[dict] = (), **more: object) -> dict:
    names = {it["name"] for it in env}
    mounts = []
    if "AWS_WEB_IDENTITY_TOKEN_FILE" in names:
        mounts.append({"name": "aws-iam-token", "mountPath": FOLDER, "readOnly": True})
    if "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" in names:
        mounts.append({"name": "eks-pod-identity-token", "mountPath": AGENTS, "readOnly": True})
    return {"name": name, "image": "registry.example.com/app:1", "env": list(env), "volumeMounts": mounts, **more}


def token_volume(name: str = "aws-iam-token", audience: str = "sts.amazonaws.com", path: str = "token", **more: object) -> dict:
    source = {"serviceAccountToken": {"audience": audience, "expirationSeconds": 86400, "path": path}}
    return {"name": name, "projected": {"sources": [source], **more}}


def pod(name: str = "checkout-7d9f8b6c5-x2x4q", *containers: dict, namespace: str = "shop", account: str = "checkout", node: str = NODE, owner: str = "checkout", **spec: object) -> dict:
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-of-{name}",
        "creationTimestamp": "2026-11-21T00:00:00Z",
        "labels": {"app": owner, "pod-template-hash": "7d9f8b6c5"},
        "annotations": {},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{owner}-7d9f8b6c5", "controller": True}],
    }
    volumes = [token_volume(), token_volume("eks-pod-identity-token", "pods.eks.amazonaws.com", "eks-pod-identity-token")]
    body = {"serviceAccountName": account, "nodeName": node, "containers": list(containers), "volumes": volumes, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body, "status": {"phase": "Running"}}


def deployment(name: str = "checkout", *containers: dict, namespace: str = "shop", account: str = "checkout", **spec: object) -> dict:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"serviceAccountName": account, "containers": list(containers), **spec}}
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": selector, "template": template},
    }


def webhook(policy: str = "Ignore", **selectors: dict) -> dict:
    one = {"name": "iam-for-pods.amazonaws.com", "failurePolicy": policy, "namespaceSelector": {}, "objectSelector": {}, **selectors}
    metadata = {"name": "pod-identity-webhook"}
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": metadata, "webhooks": [one]}


def node(name: str = NODE, **labels: str) -> dict:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux", **labels}}}


def namespace(name: str = "shop", **labels: str) -> dict:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def agent(nodes: tuple[str, ...] = (NODE,)) -> list[dict]:
    labels = {"app.kubernetes.io/name": "eks-pod-identity-agent"}
    metadata = {"name": "eks-pod-identity-agent", "namespace": "kube-system", "labels": labels}
    daemonset = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": {"template": {"spec": {"containers": []}}}}
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"eks-pod-identity-agent-{number}", "namespace": "kube-system", "labels": labels, "ownerReferences": [{"kind": "DaemonSet", "name": "eks-pod-identity-agent", "controller": True}]},
            "spec": {"nodeName": name, "containers": [{"name": "agent", "image": "x"}]},
            "status": {"phase": "Running"},
        }
        for number, name in enumerate(nodes)
    ]
    return [daemonset, *pods]


def healthy() -> list[dict]:
    """One IRSA workload that works, and what a cluster has around it."""
    return copy.deepcopy([pod("checkout-7d9f8b6c5-x2x4q", container("app", irsa())), account(), webhook(), node(), namespace(), *agent()])
