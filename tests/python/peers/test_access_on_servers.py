"""The calls of --expect-access at moto, which enforces IAM policies, and at SeaweedFS's S3, beside the sandbox's answers to them.

The probe asks nobody but AWS's own hosts. So a front has these names, and passes each request on.
"""

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from lib import given, leaks
from lib.programs import SANDBOX_ERROR, Ran, report, run
from peers import access_front
from peers.access_forms import DONE_IN_SPITE_OF_DRY_RUN, KNOWN, Form, problems
from peers.access_front import Exchange, Front, Server
from peers.access_servers import ACCOUNT, REGION, Moto, Weed, document, role
from peers.certificates import Certificates
from peers.issuer import AUDIENCE, SUBJECT, Issuer, token
from peers.seaweedfs import NotServing, Provider, SeaweedFs, settings
from peers.tap import Tap

ROLE = role("checkout-reader")
TABLE = given.ROOT / "probe" / "judge" / "src" / "access_calls" / "table.rs"
# The probe accepts eight statements in a run.
LIMIT = 8

# The resource of each action, with a mark for the key's id, which moto chooses.
RESOURCES = {
    "s3:ListBucket": "arn:aws:s3:::shop-orders",
    "sqs:GetQueueAttributes": f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders",
    "sqs:GetQueueUrl": f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders",
    "dynamodb:DescribeTable": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders",
    "kms:Decrypt": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{key}}",
    "kms:Encrypt": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{key}}",
    "kms:GenerateDataKey": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{key}}",
    "lambda:InvokeFunction": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders",
    "ec2:DescribeInstances": "*",
    "ec2:DescribeVolumes": "*",
    "ec2:DescribeNetworkInterfaces": "*",
    "sts:AssumeRole": f"arn:aws:iam::{ACCOUNT}:role/ledger",
}

# moto names Lambda's action after the operation.
ACTIONS = [*RESOURCES, "lambda:Invoke"]
ALLOW, DENY = ({"Effect": effect, "Action": ACTIONS, "Resource": "*"} for effect in ("Allow", "Deny"))
SOMETHING_ELSE = {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}
# What the role may do in each situation. In the last one the resources do not exist.
SITUATIONS = {"allowed": [ALLOW], "denied": [SOMETHING_ELSE], "blocked": [ALLOW, DENY], "missing": [ALLOW]}


def rows(situation: str) -> list[str]:
    """EC2's rows are about no resource. STS does not say that a role is missing: that is a denial, too."""
    without = ("ec2", "sts") if situation == "missing" else ()
    return [action for action in RESOURCES if action.split(":")[0] not in without]


# --- runs ---

@dataclass(frozen=True)
class Looked:
    """A run of the probe: the code of the finding about each stated access, and what was sent for it."""

    ran: Ran
    exchanges: list[Exchange]

    def code(self, action: str) -> int:
        about = [it for it in report(self.ran)["findings"] if (it["required"] or "").startswith(f"{action} on ")]
        assert len(about) == 1, f"{len(about)} findings about {action}\n{self.ran}"
        return about[0]["code"]

    def exchange(self, action: str) -> Exchange:
        found = [it for it in self.exchanges if it.operation == action]
        assert len(found) == 1, f"{action} was asked {len(found)} times"
        return found[0]


@dataclass(frozen=True)
class Pod:
    """What the probe has on this machine: a token file and an environment that leads to a front."""

    folder: Path
    certificates: Certificates
    issuer: str

    def look(
        self, to: Server, expected: list[str], role: str = ROLE, more: dict[str, str] | None = None, args: Sequence[str] = ()
    ) -> Looked:
        with Front(self.certificates.certificate, self.certificates.key, to) as front:
            environment = {
                "AWS_ROLE_ARN": role,
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.folder / "token"),
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_CA_BUNDLE": str(self.certificates.authority),
                "HTTPS_PROXY": front.url,
                "HOME": "/nonexistent",
                **(more or {}),
            }
            ran = run([*check(expected), *args], environment)
        assert leaks.find(secrets(front.exchanges), str(ran)) is None
        return Looked(ran, front.exchanges)

    def look_in_sandbox(self, scenario: dict, expected: list[str]) -> Looked:
        path = self.folder / "scenario.json"
        path.write_text(json.dumps(scenario))
        source = Path(access_front.__file__).read_text()
        files = [self.certificates.certificate, self.certificates.key, self.certificates.authority]
        options = [f"--scenario={path}", "--pod=always", f"--keys={self.folder / 'keys'}"]
        python = [sys.executable, "-I", "-B", "-c", source]
        ran = run([given.sandbox(), *options, "--", *python, *map(str, files), *check(expected)])
        if ran.code == SANDBOX_ERROR:
            given.not_run(f"no pod can be built here: {ran.stderr.strip()}")
        try:
            printed = json.loads(ran.stdout)
        except ValueError as error:
            raise ValueError(f"the front in the pod printed nothing ({error})\n{ran}") from error
        exchanges = [Exchange(**it) for it in printed["exchanges"]]
        return Looked(Ran(ran.code, printed["stdout"], printed["stderr"]), exchanges)


def check(expected: list[str]) -> list[str]:
    return [given.probe(), "check", "--output=json", *(f"--expect-access={it}" for it in expected)]


SECRET = re.compile(r"<(?:AccessKeyId|SecretAccessKey|SessionToken)>([^<]+)</|\"Plaintext\": \"([^\"]+)\"")


def secrets(exchanges: list[Exchange]) -> list[str]:
    """Everything that the servers gave away, also what a server gives that ignores a dry run."""
    found = [value for it in exchanges for values in SECRET.findall(it.answer) for value in values if value]
    return found + [parse_qs(it.body)["WebIdentityToken"][0] for it in exchanges if "WebIdentityToken" in it.body]


# --- fixtures ---

@pytest.fixture(scope="module")
def pod() -> Iterator[Pod]:
    with tempfile.TemporaryDirectory(prefix="credprobe-peers-", dir="/var/tmp") as name:
        folder = Path(name)
        # Open to the user of the sandbox's pod.
        folder.chmod(0o755)
        certificates = Certificates(folder, [f"*.{REGION}.amazonaws.com"])
        with Issuer(certificates) as issuer:
            (folder / "token").write_text(token(issuer.key, issuer.cluster("shop"), SUBJECT, AUDIENCE))
            yield Pod(folder, certificates, issuer.cluster("shop"))


@pytest.fixture(scope="module")
def moto(pod: Pod) -> Iterator[Moto]:
    with Moto(pod.folder) as moto:
        yield moto


@dataclass(frozen=True)
class Both:
    server: Looked
    sandbox: Looked


@pytest.fixture(scope="module")
def looked(pod: Pod, moto: Moto) -> Callable[[str, str], Both]:
    """The run for a row in a situation. Each run is for eight rows."""

    @cache
    def play(situation: str, part: int) -> Both:
        actions = rows(situation)[part * LIMIT : (part + 1) * LIMIT]
        resources = {action: resource(action, moto.key, situation) for action in actions}
        stated = [f"{action}={it}" for action, it in resources.items()]
        statements = SITUATIONS[situation]
        missing = {it: {"missing": True} for it in resources.values() if situation == "missing"}
        moto.permit(*statements)
        moto.use_docker(situation == "missing")
        return Both(pod.look(moto, stated), pod.look_in_sandbox(scenario(statements, missing), stated))

    return lambda situation, action: play(situation, rows(situation).index(action) // LIMIT)


def resource(action: str, key: str, situation: str) -> str:
    if situation != "missing":
        return RESOURCES[action].format(key=key)
    none = "00000000-0000-4000-8000-000000000000"
    return re.sub("orders$", "nothing", RESOURCES[action].format(key=none))


def scenario(statements: list[dict], resources: dict[str, dict]) -> dict:
    # With the account, the role's own policies must allow it, too.
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    ledger = {"name": "ledger", "trust_policy": document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})}
    accounts = [{"roles": [{"policy": document(*statements)}, ledger]}]
    expect = {"class": "ready", "exit_code": 0}
    return {"description": "made by a test", "accounts": accounts, "resources": resources, "expect": expect}


# --- the table at moto, and in the sandbox ---

CASES = [(situation, action) for situation in SITUATIONS for action in rows(situation)]


def test_every_call_of_the_table_is_asked() -> None:
    named = re.findall(r'action: "(\w+:\w+)"', TABLE.read_text())
    assert sorted([*named, "sts:AssumeRole"]) == sorted(RESOURCES)


@pytest.mark.parametrize("situation,action", CASES)
def test_the_probe_reads_the_answer_of_moto(situation: str, action: str, looked: Callable[[str, str], Both]) -> None:
    """moto does not say which policy denies, so the class is the same for both kinds of denial."""
    it = looked(situation, action).server
    is_done = situation == "allowed" and action in DONE_IN_SPITE_OF_DRY_RUN
    code = 67 if is_done else {"allowed": 0, "denied": 64, "blocked": 64, "missing": 67}[situation]
    assert (it.code(action), it.ran.code) == (code, 64 if code == 64 else 0), it.exchange(action)


@pytest.mark.parametrize("situation,action", CASES)
def test_the_sandbox_answers_like_moto(situation: str, action: str, looked: Callable[[str, str], Both]) -> None:
    it = looked(situation, action)
    code = {"allowed": 0, "denied": 64, "blocked": 65, "missing": 67}[situation]
    assert (it.sandbox.code(action), it.sandbox.ran.code) == (code, 0 if code == 67 else code), it.sandbox.exchange(action)
    moto, sandbox = (Form.of(action, looked.exchange(action)) for looked in (it.server, it.sandbox))
    known = [known for known in KNOWN if known.is_about(situation, action)]
    assert moto.differences(sandbox) == set().union(*(it.fields for it in known)), f"{moto}\n{sandbox}\n{[it.why for it in known]}"
    # Where they differ, botocore's model decides, and the sandbox has to be right.
    assert problems(situation, action, it.sandbox.exchange(action)) == []


def test_a_wrong_signature_is_no_denial(pod: Pod, moto: Moto) -> None:
    """Also shows that moto checks the signatures of all the other answers."""
    moto.permit(ALLOW)
    for part in (rows("allowed")[:LIMIT], rows("allowed")[LIMIT:]):
        moto.spoils = True
        try:
            it = pod.look(moto, [f"{action}={resource(action, moto.key, 'allowed')}" for action in part])
        finally:
            moto.spoils = False
        for action in part:
            assert it.code(action) == 67, it.exchange(action)
            assert re.search("SignatureDoesNotMatch|AuthFailure", it.exchange(action).answer), it.exchange(action)


def test_the_fault_of_moto_is_still_there(looked: Callable[[str, str], Both], moto: Moto) -> None:
    """Otherwise START_MOTO can do without `checked`."""
    looked("allowed", "lambda:InvokeFunction")
    assert set(moto.mended.read_text().split()) == {"lambda"}


# --- S3 at SeaweedFS ---

ROLES = {
    "lister": [{"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::shop-orders"]}],
    "reader": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}],
    "blocked": [
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]},
        {"Effect": "Deny", "Action": ["s3:ListBucket"], "Resource": ["*"]},
    ],
    "anything": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}],
}
# The effect of each bucket's policy on everybody. There is no shop-none.
BUCKETS = {"shop-orders": None, "shop-other": None, "shop-closed": "Deny", "shop-open": "Allow"}


@dataclass(frozen=True)
class S3Case:
    role: str
    bucket: str
    # The codes of the findings at SeaweedFS and in the sandbox. SeaweedFS does not say which policy denies.
    code: int
    in_sandbox: int
    differences: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.role} {self.bucket}"


S3_CASES = [
    S3Case("lister", "shop-orders", 0, 0),
    S3Case("lister", "shop-other", 64, 64),
    S3Case("lister", "shop-none", 64, 64),
    S3Case("reader", "shop-orders", 64, 64),
    S3Case("reader", "shop-open", 0, 0),
    S3Case("reader", "shop-closed", 64, 65),
    S3Case("blocked", "shop-orders", 64, 65),
    # To SeaweedFS the bucket's permission is enough. In IAM a denial is final.
    S3Case("blocked", "shop-open", 0, 65, frozenset({"status", "code", "place"})),
    S3Case("anything", "shop-orders", 0, 0),
    S3Case("anything", "shop-closed", 64, 65),
    S3Case("anything", "shop-none", 67, 67),
]


def bucket_policy(bucket: str, effect: str) -> dict:
    return document({"Effect": effect, "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"})


@pytest.fixture(scope="module")
def weed(pod: Pod) -> Iterator[Weed]:
    folder = pod.folder / "weed"
    folder.mkdir(mode=0o700)
    iam = settings(pod.certificates.authority, [Provider("shop", pod.issuer, AUDIENCE)], ROLE, ["shop"], SUBJECT)
    (like,) = iam["roles"]
    iam["policies"] = [{"name": name, "document": document(*it)} for name, it in ROLES.items()]
    iam["roles"] = [{**like, "roleName": name, "roleArn": role(name), "attachedPolicies": [name]} for name in ROLES]
    try:
        with SeaweedFs(Path(sys.executable).with_name("weed"), folder, pod.certificates, iam) as server:
            weed = Weed(pod.certificates, server.url)
            policies = {bucket: effect and bucket_policy(bucket, effect) for bucket, effect in BUCKETS.items()}
            weed.set_up((pod.folder / "token").read_text(), role("anything"), policies)
            yield weed
    except NotServing as error:
        given.not_run(error)


@pytest.mark.parametrize("case", S3_CASES, ids=str)
def test_the_probe_and_the_sandbox_at_seaweedfs(case: S3Case, pod: Pod, weed: Weed) -> None:
    stated = [f"s3:ListBucket=arn:aws:s3:::{case.bucket}"]
    policies = {f"arn:aws:s3:::{it}": {"policy": bucket_policy(it, effect)} for it, effect in BUCKETS.items() if effect}
    resources = {**policies, "arn:aws:s3:::shop-none": {"missing": True}}
    it = Both(pod.look(weed, stated, role(case.role)), pod.look_in_sandbox(scenario(ROLES[case.role], resources), stated))
    for looked, code in ((it.server, case.code), (it.sandbox, case.in_sandbox)):
        found = looked.code("s3:ListBucket"), looked.ran.code
        assert found == (code, 0 if code == 67 else code), looked.exchange("s3:ListBucket")
    forms = [Form.of("s3:ListBucket", looked.exchange("s3:ListBucket")) for looked in (it.server, it.sandbox)]
    assert forms[0].differences(forms[1]) == case.differences, forms


def test_the_credentials_can_do_no_more_at_seaweedfs(pod: Pod, weed: Weed) -> None:
    """What its role may do, and the credentials of the two exchanges may not."""
    it = pod.look(weed, ["s3:ListBucket=arn:aws:s3:::shop-orders"], role("anything"))
    powerless, narrowed = [credentials(exchange) for exchange in it.exchanges if not exchange.is_signed]
    whole = weed.assume(role("anything"), (pod.folder / "token").read_text())
    can = {
        name: [weed.allows(keys, "list_objects_v2", Bucket="shop-orders", MaxKeys=0)]
        + [weed.allows(keys, "list_objects_v2", Bucket="shop-other", MaxKeys=0)]
        + [weed.allows(keys, "put_object", Bucket="shop-orders", Key="x", Body=b"x")]
        for name, keys in {"whole": whole, "narrowed": narrowed, "powerless": powerless}.items()
    }
    assert can == {"whole": [True] * 3, "narrowed": [True, False, False], "powerless": [False] * 3}


def test_seaweedfs_refuses_the_session_policy(pod: Pod, weed: Weed) -> None:
    """Without the front's help: it knows no NotResource. Then nothing is asked with wider credentials."""
    it = pod.look(replace(weed, drops_statements=False), ["s3:ListBucket=arn:aws:s3:::shop-orders"], role("lister"))
    assert (it.code("s3:ListBucket"), it.ran.code) == (67, 0)
    assert [exchange.operation.split(":")[0] for exchange in it.exchanges] == ["sts"] * 3
    assert "<Code>MalformedPolicyDocument</Code>" in it.exchanges[-1].answer


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS"])
def test_no_other_endpoint_is_asked(variable: str, pod: Pod, weed: Weed) -> None:
    """SeaweedFS would answer there. At its STS the probe runs with --sts-compatible, as it should."""
    with Tap(pod.certificates, weed.url) as tap:
        stated, args = ["s3:ListBucket=arn:aws:s3:::shop-orders"], ["--sts-compatible"] if variable.endswith("STS") else []
        it = pod.look(weed, stated, role("lister"), {variable: tap.url}, args)
    assert (it.code("s3:ListBucket"), it.ran.code) == (67, 0)
    # The powerless exchange, and GetCallerIdentity where it is AWS's STS.
    assert (len(it.exchanges), len(tap.answers)) == ((0, 1) if args else (2, 0))


def credentials(exchange: Exchange) -> dict[str, str]:
    found = dict(re.findall(r"<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]+)</", exchange.answer))
    names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key", "SessionToken": "aws_session_token"}
    return {names[name]: value for name, value in found.items()}
