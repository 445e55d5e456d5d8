"""SeaweedFS's server `weed` on loopback, whose S3 gateway has an STS over TLS; it runs during a `with` block."""

import base64
import ctypes
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from peers.certificates import Certificates

START_LIMIT = 60
# Each gets a free port and a free gRPC port. SeaweedFS's own gRPC port is 10,000 higher, and that one may not be free.
SERVICES = ("master", "volume", "filer", "s3")
PR_SET_PDEATHSIG = 1


class NotServing(Exception):
    """The server did not start."""


@dataclass(frozen=True)
class Provider:
    """An issuer whose tokens are accepted if they have the audience."""

    name: str
    issuer: str
    audience: str

    def settings(self, authority: Path) -> dict:
        config = {"issuer": self.issuer, "clientId": self.audience, "jwksUri": f"{self.issuer}/keys"}
        return {"name": self.name, "type": "oidc", "enabled": True, "config": config | {"tlsCaCert": str(authority)}}


class SeaweedFs:
    def __init__(self, weed: Path, folder: Path, certificates: Certificates, iam: dict):
        self.folder, self.authority = folder, certificates.authority
        self.ports = free_ports([*SERVICES, *(f"{name}.grpc" for name in SERVICES), "s3.https"])
        self.url = f"https://localhost:{self.ports['s3.https']}"
        self.log = folder / "weed.log"
        settings, data = folder / "iam.json", folder / "data"
        settings.write_text(json.dumps(iam))
        data.mkdir()
        options = {
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "dir": data,
            "master.telemetry": "false",
            "volume.max": 1,
            "filer": "true",
            "filer.localSocket": folder / "filer.sock",
            "s3": "true",
            "s3.localSocket": folder / "s3.sock",
            "s3.iam.config": settings,
            "s3.cert.file": certificates.certificate,
            "s3.key.file": certificates.key,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
        }
        for name, port in self.ports.items():
            service, _, kind = name.partition(".")
            options[f"{service}.port{'.' + kind if kind else ''}"] = port
        self.command = [weed, "-logtostderr", "server", *(f"-{name}={value}" for name, value in options.items())]

    def __enter__(self) -> Self:
        environment = {"HOME": str(self.folder), "TMPDIR": str(self.folder), "PATH": os.environ["PATH"]}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=environment, stdout=log, stderr=log, preexec_fn=die_with_parent
            )
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self) -> None:
        """Waits until STS refuses an empty request."""
        context = ssl.create_default_context(cafile=self.authority)
        deadline = time.monotonic() + START_LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url, b"Action=AssumeRoleWithWebIdentity", context=context, timeout=5)
            except urllib.error.HTTPError as error:
                if b"<ErrorResponse" in error.read():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        last = self.log.read_text(errors="replace").splitlines()[-20:]
        raise NotServing("\n".join(["weed does not serve STS; the end of its log:", *last]))

    def __exit__(self, *_: object) -> None:
        # Its data goes away with the folder, and an orderly end would take ten seconds.
        self.process.kill()
        self.process.wait()
        for port in self.ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                left.unlink(missing_ok=True)


def settings(authority: Path, providers: list[Provider], role: str, trusted: list[str], subject: str) -> dict:
    """The settings for `-s3.iam.config`: the providers, and a role that trusts some of them and one subject."""
    trust = {
        "Effect": "Allow",
        # Names of providers, or an issuer's URL if it has no provider. SeaweedFS reads this before it verifies the token.
        "Principal": {"Federated": trusted},
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        # No `oidc:aud`: SeaweedFS does not compare a list, and the kubelet writes one. The provider checks the audience.
        "Condition": {"StringEquals": {"oidc:sub": subject}},
    }
    allowed = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return {
        "sts": {"tokenDuration": "1h", "maxSessionLength": "12h", "issuer": "seaweedfs-sts", "signingKey": key},
        "providers": [provider.settings(authority) for provider in providers],
        "policy": {"defaultEffect": "Deny", "storeType": "memory"},
        "policies": [{"name": "read", "document": {"Version": "2012-10-17", "Statement": [allowed]}}],
        "roles": [
            {
                "roleName": role.rsplit("/", 1)[-1],
                "roleArn": role,
                "trustPolicy": {"Version": "2012-10-17", "Statement": [trust]},
                "attachedPolicies": ["read"],
            }
        ],
    }


def free_ports(names: list[str]) -> dict[str, int]:
    with ExitStack() as stack:
        ports = {}
        for name in names:
            taken = stack.enter_context(socket.socket())
            taken.bind(("127.0.0.1", 0))
            ports[name] = taken.getsockname()[1]
        return ports


def die_with_parent() -> None:
    """Also ends it if the parent is killed and cannot clean up."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
