"""Random pairs of a token and an issuer's key set, and the verdict of `cryptography` on each: does a key of the set verify the token?

A pair consists of features. Each feature was seen with some issuer, and its name says what it does.
"""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from peers.issuer import encoded, number

KID = "9f4c1b6de0a2"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"ES256": ("P-256", ec.SECP256R1(), 32), "ES384": ("P-384", ec.SECP384R1(), 48), "ES512": ("P-521", ec.SECP521R1(), 66)}
# Most are EKS's algorithm; the rest are those of external signers.
ALGORITHMS = ["RS256"] * 12 + ["RS384", "RS512", "PS256", *CURVES, *CURVES, "EdDSA"]


@dataclass
class Pair:
    algorithm: str
    header: dict
    # What the issuer publishes.
    key_set: dict
    sign: Callable[[bytes], bytes]
    features: set[str]
    # The payload is another one than was signed.
    changed: bool = False
    bit: bool = False

    def token(self, claims: dict) -> str:
        signed = encoded(json.dumps(self.header).encode()) + "." + encoded(json.dumps(claims).encode())
        signature = bytearray(self.sign(signed.encode()))
        if self.bit:
            signature[len(signature) // 2] ^= 1
        if self.changed:
            signed = signed.partition(".")[0] + "." + encoded(json.dumps({**claims, "jti": "another"}).encode())
        return f"{signed}.{encoded(bytes(signature))}"

    def verifies(self, token: str) -> bool:
        """Whether any key verifies it that is published under the token's key id, whatever use the key states."""
        signed, _, signature = token.rpartition(".")
        keys = [it for it in self.key_set["keys"] if isinstance(it, dict) and it.get("kid") == self.header.get("kid")]
        return any(verified(self.algorithm, it, signed.encode(), decoded(signature)) for it in keys)


@dataclass
class Keys:
    """Made once, because a large key takes a second."""

    usual: list[rsa.RSAPrivateKey] = field(default_factory=lambda: [rsa.generate_private_key(65537, 2048) for _ in range(3)])
    long: list[rsa.RSAPrivateKey] = field(
        default_factory=lambda: [rsa.generate_private_key(65537, 3072), rsa.generate_private_key(3, 2048)]
    )
    small: list[rsa.RSAPrivateKey] = field(default_factory=lambda: [rsa.generate_private_key(65537, bits) for bits in (1024, 1536)])
    curves: dict[str, list[ec.EllipticCurvePrivateKey]] = field(
        default_factory=lambda: {name: [ec.generate_private_key(it[1]) for _ in range(2)] for name, it in CURVES.items()}
    )
    edwards: list[ed25519.Ed25519PrivateKey] = field(default_factory=lambda: [ed25519.Ed25519PrivateKey.generate() for _ in range(2)])

    def pair(self, dice: random.Random, algorithm: str) -> tuple[PrivateKeyTypes, PrivateKeyTypes, set[str]]:
        """The key that signs, and another one of the same kind."""
        if algorithm in CURVES or algorithm == "EdDSA":
            signing, other = dice.sample(self.curves[algorithm] if algorithm in CURVES else self.edwards, 2)
            return signing, other, set()
        size = dice.choice(["usual"] * 6 + ["long", "small"])
        if size == "usual":
            return *dice.sample(self.usual, 2), set()
        signing = dice.choice(self.long if size == "long" else self.small)
        return signing, dice.choice(self.usual), {"small key"} if size == "small" else {"long key or e=3"}


def pair(dice: random.Random, keys: Keys) -> Pair:
    algorithm = dice.choice(ALGORITHMS)
    signing, other, features = keys.pair(dice, algorithm)
    header = {"alg": algorithm, "kid": KID}
    right, wrong = jwk(signing), jwk(other)
    if isinstance(signing, rsa.RSAPrivateKey) and dice.random() < 0.15:
        features.add("leading zero")
        right["n"] = encoded(b"\0" + decoded(right["n"]))
    for key in (right, wrong):
        key |= {"kid": KID, "alg": algorithm, "use": "sig"}
        for name in ("alg", "use"):
            if dice.random() < 0.15:
                features.add(f"no {name}")
                del key[name]
    match dice.choice(["alone"] * 6 + ["wrong key"] * 3 + ["second of its kid", "after one for encryption", "first of its kid", "other kid"]):
        case "wrong key":
            features.add("wrong key")
            listed = [wrong]
        case "second of its kid":
            features.add("second of its kid")
            listed = [wrong, right]
        case "first of its kid":
            listed = [right, wrong]
        case "after one for encryption":
            features.add("after one for encryption")
            listed = [{**wrong, "use": "enc"}, right]
        case "other kid":
            features.add("kid not published")
            listed = [{**right, "kid": "another"}]
        case _:
            listed = [right]
    others = [{**jwk(it), "kid": f"older-{number}", "use": "sig"} for number, it in enumerate(keys.usual)]
    listed = dice.sample(others, dice.randrange(3)) + listed
    if dice.random() < 0.2:
        odd = dice.choice(
            [
                {"kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-65", "pub": "AAAA"},
                {"kty": "EC", "kid": "bitcoin", "crv": "secp256k1", "x": "AAAA", "y": "AAAA"},
                {"kty": "RSA", "kid": "incomplete", "e": "AQAB"},
                {"kty": "RSA", "kid": 7, "n": right.get("n", "AAAA"), "e": "AQAB"},
                {"kid": "nothing"},
            ]
        )
        features.add("a number as a kid" if odd.get("kid") == 7 else "odd member")
        listed.insert(dice.randrange(len(listed) + 1), odd)
    if algorithm == "ES512":
        features.add(algorithm)
    made = Pair(algorithm, header, {"keys": listed}, lambda signed: signature(algorithm, signing, signed), features)
    match dice.random():
        case it if it < 0.08:
            made.changed = True
            features.add("payload changed")
        case it if it < 0.16:
            made.bit = True
            features.add("signature changed")
    return made


def jwk(key: PrivateKeyTypes) -> dict:
    public = key.public_key()
    match public:
        case rsa.RSAPublicKey():
            numbers = public.public_numbers()
            return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        case ec.EllipticCurvePublicKey():
            name, _, size = next(it for it in CURVES.values() if it[1].name == public.curve.name)
            numbers = public.public_numbers()
            x, y = (encoded(it.to_bytes(size, "big")) for it in (numbers.x, numbers.y))
            return {"kty": "EC", "crv": name, "x": x, "y": y}
        case _:
            return {"kty": "OKP", "crv": "Ed25519", "x": encoded(public.public_bytes_raw())}


def signature(algorithm: str, key: PrivateKeyTypes, signed: bytes) -> bytes:
    digest = HASHES.get(algorithm[2:])
    match algorithm[:2]:
        case "RS":
            return key.sign(signed, padding.PKCS1v15(), digest)
        case "PS":
            return key.sign(signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        case "ES":
            size = CURVES[algorithm][2]
            return b"".join(it.to_bytes(size, "big") for it in utils.decode_dss_signature(key.sign(signed, ec.ECDSA(digest))))
        case _:
            return key.sign(signed)


def verified(algorithm: str, key: dict, signed: bytes, found: bytes) -> bool:
    digest = HASHES.get(algorithm[2:])
    try:
        match algorithm[:2]:
            case "RS" | "PS":
                n, e = (int.from_bytes(decoded(key[name]), "big") for name in ("n", "e"))
                fill = padding.PKCS1v15() if algorithm[0] == "R" else padding.PSS(padding.MGF1(digest), digest.digest_size)
                rsa.RSAPublicNumbers(e, n).public_key().verify(found, signed, fill, digest)
            case "ES":
                _, curve, size = CURVES[algorithm]
                x, y = (int.from_bytes(decoded(key[name]), "big") for name in ("x", "y"))
                r, s = (int.from_bytes(it, "big") for it in (found[:size], found[size:]))
                public = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
                public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(digest))
            case _:
                ed25519.Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(found, signed)
    except (InvalidSignature, ValueError, KeyError):
        return False
    return True


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
