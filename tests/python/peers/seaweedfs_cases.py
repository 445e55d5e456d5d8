"""The requests to SeaweedFS's STS: one fault per case, the expected class, and the peer's exact answer."""

from dataclasses import dataclass

from peers.issuer import AUDIENCE, DAY, HOUR, MINUTE, SUBJECT

INVALID = "failed to validate web identity token"
# Status, code and message of `weed` 4.48; `PORT` represents any port.
Answer = tuple[int, str, str]
ISSUED: Answer = (200, "", "")
WRONG_AUDIENCE: Answer = (
    400,
    "InvalidParameterValue",
    f"{INVALID}: invalid token audience: provider: invalid token audience: "
    "token audience matches none of the configured client IDs",
)


@dataclass(frozen=True)
class Case:
    name: str
    probe: tuple[str, int]
    answer: Answer
    # The remaining fields say how the token is made.
    cluster: str = "shop"
    audience: str = AUDIENCE
    subject: str = SUBJECT
    age: int = 5 * MINUTE
    wrong_key: bool = False


# SeaweedFS reads the role's trust policy first, then looks for the issuer's provider, then verifies the token.
CASES = [
    Case("healthy", ("ready", 0), ISSUED),
    Case(
        "expired",
        ("token-expired", 31),
        (
            400,
            "ExpiredTokenException",
            f"{INVALID}: token has expired: provider: token has expired: token has invalid claims: token is expired",
        ),
        age=DAY + HOUR,
    ),
    Case("wrong audience", ("audience-not-registered", 51), WRONG_AUDIENCE, audience="sts.amazon.com"),
    Case("audience not registered", ("audience-not-registered", 51), WRONG_AUDIENCE, cluster="objects"),
    Case(
        "wrong subject",
        ("access-denied", 53),
        (403, "AccessDenied", "trust policy validation failed: trust policy denies web identity assumption"),
        subject="system:serviceaccount:shop:payments",
    ),
    Case(
        "unknown issuer",
        ("provider-missing", 50),
        (
            403,
            "AccessDenied",
            f"{INVALID}: no identity provider registered for issuer: https://localhost:PORT/id/unknown",
        ),
        cluster="unknown",
    ),
    Case(
        "wrong key",
        ("signature-invalid", 38),
        (
            400,
            "InvalidParameterValue",
            f"{INVALID}: invalid token format: provider: invalid token format: token signature is invalid: "
            "crypto/rsa: verification error",
        ),
        wrong_key=True,
    ),
    Case(
        "issuer away",
        ("issuer-unavailable", 57),
        (
            403,
            "AccessDenied",
            f"{INVALID}: token validation failed with provider for issuer https://localhost:PORT/id/away: "
            "failed to get public key: failed to fetch JWKS: failed to fetch JWKS: "
            'Get "https://localhost:PORT/id/away/keys": dial tcp 127.0.0.1:PORT: connect: connection refused',
        ),
        cluster="away",
    ),
]
