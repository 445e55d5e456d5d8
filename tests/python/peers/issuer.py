"""A cluster's OIDC issuer: discovery document and keys over HTTPS, and RS256 tokens like the kubelet's.

It serves several clusters, by path, all with the same key.
"""

import base64
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from peers.certificates import Certificates
from peers.https_server import Handler, HttpsServer

KEY_ID = "9f4c1b6de0a2"
AUDIENCE = "sts.amazonaws.com"
SUBJECT = "system:serviceaccount:shop:checkout"
MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Issuer(HttpsServer):
    def __init__(self, certificates: Certificates):
        self.key, self.other_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        issuer = self

        class Documents(Handler):
            def do_GET(self) -> None:
                cluster, _, document = self.path.removeprefix("/id/").partition("/")
                found = issuer.documents(cluster).get(document)
                self.answer(200 if found else 404, "application/json", json.dumps(found or {}).encode())

        super().__init__(certificates, Documents)

    def cluster(self, name: str) -> str:
        """The issuer's URL, as in `iss`."""
        return f"{self.url}/id/{name}"

    def documents(self, cluster: str) -> dict[str, dict]:
        numbers = self.key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID}
        key |= {"n": number(numbers.n), "e": number(numbers.e)}
        discovery = {
            "issuer": self.cluster(cluster),
            "jwks_uri": f"{self.cluster(cluster)}/keys",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return {".well-known/openid-configuration": discovery, "keys": {"keys": [key]}}


def token(key: rsa.RSAPrivateKey, issuer: str, subject: str, audience: str, age: int = 5 * MINUTE) -> str:
    """A token that is valid for 24 hours and is this many seconds old."""
    issued = int(time.time()) - age
    _, _, namespace, account = subject.split(":")
    claims = {"iss": issuer, "sub": subject, "aud": [audience], "iat": issued, "nbf": issued, "exp": issued + DAY}
    claims["kubernetes.io"] = {"namespace": namespace, "serviceaccount": {"name": account}}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": KEY_ID}, claims))
    return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
