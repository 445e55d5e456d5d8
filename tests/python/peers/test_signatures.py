"""The probe and PyPI's `cryptography` on 300 random pairs of a token and an issuer's key set: the probe must give no false verdict.

The issuer and an STS that refuses every token are our own servers on loopback. A check that is left out is not a false verdict;
another test requires that all the others are decided.
"""

import json
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib import given
from lib.programs import report, run
from peers.certificates import Certificates
from peers.https_server import Handler, HttpsServer
from peers.issuer import AUDIENCE, DAY, MINUTE, SUBJECT
from peers.key_sets import ALGORITHMS, KID, Keys, Pair, pair

PAIRS = 300
AT_ONCE = 4
ROLE = "arn:aws:iam::814203749616:role/checkout-reader"
REFUSED = (
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    "<Code>InvalidIdentityToken</Code><Message>Couldn't retrieve verification key</Message></Error></ErrorResponse>"
)
# Verdicts that blame the token or the key set.
BLAMES = {"signature-invalid", "token-malformed", "issuer-unusable"}
# With any of these features no signature is checked. Without them each pair must be decided.
UNCHECKED = {"small key", "kid not published", "ES512"}


@dataclass(frozen=True)
class Judged:
    pair: Pair
    good: bool
    verdict: str
    # The result with the issuer's keys; `None`: not checked.
    signature: str | None

    @property
    def false(self) -> bool:
        if self.good:
            return self.verdict in BLAMES or self.signature in ("refused", "key-missing")
        return self.signature == "verified"

    def __str__(self) -> str:
        truth = "good" if self.good else "bad"
        return f"{truth}, says {self.verdict}, {self.signature}: {self.pair.algorithm}, {sorted(self.pair.features)}"


class Servers(HttpsServer):
    """Each pair has its own issuer, by path. STS is at the root."""

    def __init__(self, certificates: Certificates, pairs: list[Pair]):
        servers = self

        class Answers(Handler):
            def do_GET(self) -> None:
                index, _, document = self.path.removeprefix("/id/").partition("/")
                issuer = servers.issuer(int(index))
                discovery = {
                    "issuer": issuer,
                    "jwks_uri": f"{issuer}/keys",
                    "response_types_supported": ["id_token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
                found = {".well-known/openid-configuration": discovery, "keys": pairs[int(index)].key_set}.get(document)
                self.answer(200 if found else 404, "application/json", json.dumps(found or {}).encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(400, "text/xml", REFUSED.encode())

        super().__init__(certificates, Answers)

    def issuer(self, index: int) -> str:
        return f"{self.url}/id/{index}"


@pytest.fixture(scope="module")
def judged() -> Iterator[list[Future[Judged]]]:
    dice, keys = random.Random(16), Keys()
    pairs = [pair(dice, keys) for _ in range(PAIRS)]
    with tempfile.TemporaryDirectory(prefix="credprobe-signatures-") as name, ThreadPoolExecutor(AT_ONCE) as pool:
        folder = Path(name)
        certificates = Certificates(folder)
        with Servers(certificates, pairs) as servers:
            yield [pool.submit(judge, servers, certificates, folder, index, it) for index, it in enumerate(pairs)]
            pool.shutdown(cancel_futures=True)


def judge(servers: Servers, certificates: Certificates, folder: Path, index: int, it: Pair) -> Judged:
    issued = int(time.time()) - 5 * MINUTE
    claims = {"iss": servers.issuer(index), "sub": SUBJECT, "aud": [AUDIENCE], "iat": issued, "nbf": issued, "exp": issued + DAY}
    token = it.token(claims)
    file = folder / f"token-{index}"
    file.write_text(token)
    environment = {
        "AWS_ROLE_ARN": ROLE,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_STS": servers.url,
        "AWS_CA_BUNDLE": str(certificates.authority),
        "HOME": "/nonexistent",
    }
    read = report(run([given.probe(), "check", "--sts-compatible", "--output=json"], environment))
    sources = read["evidence"].get("issuer", {}).get("sources")
    return Judged(it, it.verifies(token), read["verdict"]["class"], sources[0]["signature"] if sources else None)


@pytest.mark.parametrize("index", range(PAIRS))
def test_no_false_verdict(index: int, judged: list[Future[Judged]]) -> None:
    found = judged[index].result()
    assert not found.false, found


def test_what_can_be_decided_is(judged: list[Future[Judged]]) -> None:
    """Otherwise a probe that checks nothing would pass."""
    decidable = [it for it in (it.result() for it in judged) if not it.pair.features & UNCHECKED]
    undecided = [str(it) for it in decidable if it.signature != ("verified" if it.good else "refused")]
    assert not undecided
    assert {it.good for it in decidable} == {True, False}
    assert len(decidable) > PAIRS / 2
    assert {it.pair.algorithm for it in decidable} == {*ALGORITHMS} - {"ES512"}
    assert all(KID == it.pair.header["kid"] for it in decidable)
