"""The settings of each component of the trial cluster: keys, users, addresses, files. Nothing is started here."""

import json
import subprocess
from pathlib import Path

NODE = "trial"
PAUSE = "docker.io/library/pause:trial"
# The node's address, in a network that ends at the bridge.
NODE_IP = "10.77.0.1"
PODS = "10.88.0.0/24"
SERVICES = "10.96.0.0/24"
# The API server's address among the services. The node has it itself, so that pods reach it without kube-proxy.
API_SERVER = "10.96.0.1"
# Where the tests answer for EKS's authenticator (../authenticator.py).
TOKEN_WEBHOOK_PORT = 21362
# A name that AWS could reach, as the probe demands. Nothing answers there; the cluster gives out its keys itself.
ISSUER = "https://oidc.trial.example.com"
NETWORK = (
    "link set lo up",
    "link add node0 type bridge",
    f"addr add {NODE_IP}/24 dev node0",
    "link set node0 up",
    f"addr add {API_SERVER}/32 dev lo",
    # The API server and the kubelet look for the address of the default route.
    "route add default via 10.77.0.254 dev node0 onlink",
)
# Name and groups. The token is the same as the name: whoever can reach the server is root here anyway.
USERS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
}


def write(at: Path) -> None:
    keys(at)
    lines = [f'{user},{name},{user},"{groups}"' for user, (name, groups) in USERS.items()]
    (at / "tokens.csv").write_text("\n".join(lines) + "\n")
    for user in USERS:
        (at / f"{user}.kubeconfig").write_text(json.dumps(kubeconfig(at, user)))
    (at / "token-webhook.kubeconfig").write_text(json.dumps(token_webhook()))
    (at / "containerd.toml").write_text(CONTAINERD.format(at=at, pause=PAUSE))
    (at / "cni").mkdir()
    (at / "cni" / "10-trial.conflist").write_text(json.dumps(CNI))
    (at / "kubelet.yaml").write_text(json.dumps(KUBELET))


def keys(at: Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=at)

    names = f"subjectAltName=IP:127.0.0.1,IP:{API_SERVER},IP:{NODE_IP},DNS:kubernetes.default.svc,DNS:kubernetes"
    (at / "names").write_text(names)
    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=trial", "-days", "2")
    openssl("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=kube-apiserver")
    sign = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.crt", *sign)
    openssl("genrsa", "-out", "accounts.key", "2048")
    openssl("rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")


def kubeconfig(at: Path, user: str) -> dict:
    cluster = {"server": "https://127.0.0.1:443", "certificate-authority": str(at / "ca.crt")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "trial", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": user}}],
        "contexts": [{"name": "trial", "context": {"cluster": "trial", "user": user}}],
        "current-context": "trial",
    }


def token_webhook() -> dict:
    cluster = {"server": f"http://127.0.0.1:{TOKEN_WEBHOOK_PORT}/"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "authenticator", "cluster": cluster}],
        "users": [{"name": "api-server"}],
        "contexts": [{"name": "webhook", "context": {"cluster": "authenticator", "user": "api-server"}}],
        "current-context": "webhook",
    }


def etcd(at: Path) -> list[str]:
    return [f"--data-dir={at}/etcd", "--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379"]


def api_server(at: Path) -> list[str]:
    return [
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0",
        "--secure-port=443",
        f"--advertise-address={NODE_IP}",
        f"--service-cluster-ip-range={SERVICES}",
        # For logs and exec. No DNS here has the node's name.
        "--kubelet-preferred-address-types=InternalIP",
        f"--tls-cert-file={at}/server.crt",
        f"--tls-private-key-file={at}/server.key",
        f"--cert-dir={at}",
        f"--token-auth-file={at}/tokens.csv",
        # A token that nobody else knows, as EKS's API server asks aws-iam-authenticator about it. No answer is kept.
        f"--authentication-token-webhook-config-file={at}/token-webhook.kubeconfig",
        "--authentication-token-webhook-version=v1",
        "--authentication-token-webhook-cache-ttl=0s",
        "--authorization-mode=Node,RBAC",
        f"--service-account-key-file={at}/accounts.pub",
        f"--service-account-signing-key-file={at}/accounts.key",
        f"--service-account-issuer={ISSUER}",
        # The default from 1.22 on: pods' own tokens are bound to them and expire.
        "--feature-gates=BoundServiceAccountTokenVolume=true",
        "--allow-privileged=true",
    ]


def controller_manager(at: Path) -> list[str]:
    return [
        f"--kubeconfig={at}/controller-manager.kubeconfig",
        f"--authentication-kubeconfig={at}/controller-manager.kubeconfig",
        f"--authorization-kubeconfig={at}/controller-manager.kubeconfig",
        f"--service-account-private-key-file={at}/accounts.key",
        f"--root-ca-file={at}/ca.crt",
        f"--cert-dir={at}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--feature-gates=BoundServiceAccountTokenVolume=true",
    ]


def scheduler(at: Path) -> list[str]:
    config = f"{at}/scheduler.kubeconfig"
    same = [f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}", f"--cert-dir={at}"]
    return [f"--kubeconfig={config}", "--leader-elect=false", *same]


def kubelet(at: Path) -> list[str]:
    return [
        f"--config={at}/kubelet.yaml",
        f"--kubeconfig={at}/kubelet.kubeconfig",
        f"--root-dir={at}/kubelet",
        f"--cert-dir={at}/kubelet-certs",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_IP}",
        "--container-runtime=remote",
        f"--container-runtime-endpoint=unix://{at}/containerd.sock",
        f"--pod-infra-container-image={PAUSE}",
    ]


# Only root in this network can reach the kubelet, so it needs no authentication.
KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "failSwapOn": False,
    # Use no cgroups except those that a container needs, because not every machine has all controllers.
    "cgroupsPerQOS": False,
    "enforceNodeAllocatable": [],
    "cgroupDriver": "cgroupfs",
    "evictionHard": {"memory.available": "50Mi"},
    "imageGCHighThresholdPercent": 100,
    "resolvConf": "",
    "featureGates": {"BoundServiceAccountTokenVolume": True},
}

# CAP_SYS_RESOURCE may be missing. Then no process can have a lower oom_score_adj than this one.
CONTAINERD = """
version = 2
root = "{at}/containerd"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "{at}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{at}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""

CNI = {
    "cniVersion": "0.4.0",
    "name": "trial",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "pods0",
            "isDefaultGateway": True,
            "ipMasq": False,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]]},
        }
    ],
}
