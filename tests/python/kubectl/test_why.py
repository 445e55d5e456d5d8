"""`why`: explains one workload from the cluster's objects, read by a real kubectl, and from IAM, read by a real AWS CLI."""

import copy
import re
from pathlib import Path

import pytest

from kubectl import cluster as c
from kubectl.laptop import run

POD = "checkout-7d9f8b6c5-x2x4q"


def good(aws) -> None:
    aws.role("checkout-reader", c.trust())
    aws.provider(c.ISSUER, ["sts.amazonaws.com"])


def of(kind: str, objects: list[dict]) -> dict:
    return next(it for it in objects if it["kind"] == kind)


def changed(kind: str, change) -> list[dict]:
    objects = c.healthy()
    change(of(kind, objects))
    return objects


def app(pod: dict) -> dict:
    return pod["spec"]["containers"][0]


def without_injection(pod: dict) -> None:
    app(pod)["env"], app(pod)["volumeMounts"] = [], []


def test_everything_fits_and_only_reads(tmp_path, aws) -> None:
    good(aws)
    done = run(tmp_path, c.healthy(), aws, "why", POD)
    assert done.code == 0, done
    assert "nothing seen from outside stands in the way of role checkout-reader" in done.out
    assert "Only the pod can tell" in done.out
    assert "Not seen" not in done.out
    assert {verb.split()[0] for verb in done.verbs} == {"get", "list"}
    reads = {"GetCallerIdentity", "ListPodIdentityAssociations", "GetRole", "GetOpenIDConnectProvider"}
    assert sorted(aws.asked) == sorted(reads), "each once"


CLUSTER_SIDE = {
    "skipped by annotation": (
        lambda o: (without_injection(of("Pod", o)), of("Pod", o)["metadata"]["annotations"].update({"eks.amazonaws.com/skip-containers": "app"})),
        "not-injected",
        "skip-containers",
    ),
    "no webhook": (lambda o: (without_injection(of("Pod", o)), o.remove(of("MutatingWebhookConfiguration", o))), "not-injected", "no webhook"),
    "selector of namespaces": (
        lambda o: (
            without_injection(of("Pod", o)),
            of("MutatingWebhookConfiguration", o)["webhooks"][0].update({"namespaceSelector": {"matchLabels": {"irsa": "on"}}}),
        ),
        "not-injected",
        "irsa=on",
    ),
    "older than the annotation": (
        lambda o: (without_injection(of("Pod", o)), of("ServiceAccount", o)["metadata"]["managedFields"][0].update({"time": "2026-11-22T00:00:00Z"})),
        "not-injected",
        "older than what it needs",
    ),
    "webhook failed open": (lambda o: without_injection(of("Pod", o)), "not-injected", "failurePolicy is Ignore"),
    "annotation misspelt": (
        lambda o: (
            without_injection(of("Pod", o)),
            of("ServiceAccount", o)["metadata"].update({"annotations": {"eks.amazonaws.com/role_arn": c.role_arn("checkout-reader")}}),
        ),
        "not-injected",
        "role_arn",
    ),
    "ARN malformed": (
        lambda o: app(of("Pod", o)).update({"env": c.irsa("arn:aws:iam::81420374961:role/checkout-reader")}),
        "role-arn-malformed",
        "",
    ),
    "subPath": (
        lambda o: app(of("Pod", o)).update({"volumeMounts": [{"name": "aws-iam-token", "mountPath": f"{c.FOLDER}/token", "subPath": "token"}]}),
        "ready",
        "token-file-frozen",
    ),
    "token of another audience": (
        lambda o: of("Pod", o)["spec"].update({"volumes": [c.token_volume(audience="pods.eks.amazonaws.com")]}),
        "token-kind-wrong",
        "",
    ),
    "no such volume": (lambda o: app(of("Pod", o)).update({"volumeMounts": []}), "token-file-missing", ""),
    "own volume closed to the app": (
        lambda o: (of("Pod", o)["spec"].update({"volumes": [c.token_volume(defaultMode=0o400)]}), app(of("Pod", o)).update({"securityContext": {"runAsUser": 1000, "runAsGroup": 1000}}), of("Pod", o)["spec"]["containers"].append(c.container("proxy", securityContext={"runAsUser": 7}))),
        "token-file-unreadable",
        "",
    ),
    "half a pair": (lambda o: app(of("Pod", o)).update({"env": c.irsa()[:4]}), "partly-injected", ""),
    "keys in the environment": (
        lambda o: app(of("Pod", o))["env"].extend([{"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}, {"name": "AWS_SECRET_ACCESS_KEY", "value": "secret-mark-that-nobody-may-see"}]),
        "ready",
        "shadowed",
    ),
}


@pytest.mark.parametrize("name", CLUSTER_SIDE)
def test_what_the_cluster_shows(tmp_path, aws, name: str) -> None:
    good(aws)
    change, verdict, words = CLUSTER_SIDE[name]
    objects = c.healthy()
    change(objects)
    done = run(tmp_path, objects, aws, "why", POD, "-o", "json")
    rows = done.json()["workloads"]
    row = next(row for row in rows if row["container"] == "app")
    assert row["verdict"]["class"] == verdict, row
    assert done.code == row["verdict"]["code"]
    assert words in str(row), row
    assert "secret-mark" not in done.out + done.err


IAM_SIDE = {
    "subject": (lambda aws: (aws.role("checkout-reader", c.trust("system:serviceaccount:shop:chekcout")), aws.provider(c.ISSUER, ["sts.amazonaws.com"])), "access-denied", "chekcout"),
    "no role": (lambda aws: aws.provider(c.ISSUER, ["sts.amazonaws.com"]), "access-denied", "has no role checkout-reader"),
    "role with a path": (lambda aws: (aws.role("checkout-reader", c.trust(), "/apps/"), aws.provider(c.ISSUER, ["sts.amazonaws.com"])), "access-denied", "path included"),
    "no provider": (lambda aws: aws.role("checkout-reader", c.trust()), "provider-missing", ""),
    "client id": (lambda aws: (aws.role("checkout-reader", c.trust()), aws.provider(c.ISSUER, ["other"])), "audience-not-registered", "other"),
    "wildcard in StringEquals": (lambda aws: (aws.role("checkout-reader", c.trust("system:serviceaccount:shop:*")), aws.provider(c.ISSUER, ["sts.amazonaws.com"])), "access-denied", "StringLike"),
    "for Pod Identity": (lambda aws: (aws.role("checkout-reader", c.trusts_eks()), aws.provider(c.ISSUER, ["sts.amazonaws.com"])), "access-denied", "Principal"),
}


@pytest.mark.parametrize("name", IAM_SIDE)
def test_what_iam_shows(tmp_path, aws, name: str) -> None:
    setup, verdict, words = IAM_SIDE[name]
    setup(aws)
    done = run(tmp_path, c.healthy(), aws, "why", POD, "-o", "json")
    (row,) = done.json()["workloads"]
    assert row["verdict"]["class"] == verdict, row
    assert done.code == row["verdict"]["code"]
    assert words in str(row["findings"]), row
    assert row["verdict"]["owner"] == "iam"


def with_pod_identity(node: str = c.NODE, **labels: str) -> list[dict]:
    pod = c.pod(POD, c.container("app", c.pod_identity()), node=node)
    return [pod, c.account(role=None), c.webhook(), c.node(node, **labels), c.namespace(), *c.agent()]


POD_IDENTITY = {
    "works": (lambda aws: (aws.role("r", c.trusts_eks()), aws.associate("shop", "checkout", c.role_arn("r"))), {}, "ready", ""),
    "no association": (lambda aws: aws.associate("shop", "cart", c.role_arn("r")), {}, "association-missing", ""),
    "no TagSession": (lambda aws: (aws.role("r", c.trusts_eks(("sts:AssumeRole",))), aws.associate("shop", "checkout", c.role_arn("r"))), {}, "agent-access-denied", "TagSession"),
    "no role": (lambda aws: aws.associate("shop", "checkout", c.role_arn("gone")), {}, "agent-access-denied", "does not exist"),
    "target refuses": (
        lambda aws: (aws.role("r", c.trusts_eks()), aws.role("target", c.trusts_eks()), aws.associate("shop", "checkout", c.role_arn("r"), targetRoleArn=c.role_arn("target"))),
        {},
        "agent-access-denied",
        "target role",
    ),
    "Fargate": (lambda aws: (aws.role("r", c.trusts_eks()), aws.associate("shop", "checkout", c.role_arn("r"))), {"node": "fargate-ip-10-0-0-1.eu-west-1.compute.internal"}, "agent-unsupported", "Fargate"),
    "Windows": (lambda aws: (aws.role("r", c.trusts_eks()), aws.associate("shop", "checkout", c.role_arn("r"))), {"kubernetes.io/os": "windows"}, "agent-unsupported", "Windows"),
    "Auto Mode": (lambda aws: (aws.role("r", c.trusts_eks()), aws.associate("shop", "checkout", c.role_arn("r"))), {"node": "i-0123456789abcdef0", "eks.amazonaws.com/compute-type": "auto"}, "ready", ""),
    "no agent on the node": (lambda aws: (aws.role("r", c.trusts_eks()), aws.associate("shop", "checkout", c.role_arn("r"))), {"node": "ip-10-0-9-9.eu-west-1.compute.internal"}, "agent-unreachable", ""),
}


@pytest.mark.parametrize("name", POD_IDENTITY)
def test_pod_identity(tmp_path, aws, name: str) -> None:
    setup, labels, verdict, words = POD_IDENTITY[name]
    setup(aws)
    done = run(tmp_path, with_pod_identity(**labels), aws, "why", POD, "-o", "json")
    (row,) = done.json()["workloads"]
    assert (row["verdict"]["class"], row["mechanism"]) == (verdict, "pod-identity"), row
    assert words in str(row["findings"]), row


def test_a_pod_that_is_not_there_yet_is_as_the_webhook_would_make_it(tmp_path, aws) -> None:
    good(aws)
    objects = [c.deployment("checkout", c.container("app")), *c.healthy()[1:]]
    for subject in ("deployment/checkout", "sa/checkout"):
        done = run(tmp_path, objects, aws, "why", subject, "-o", "json")
        (row,) = done.json()["workloads"]
        assert (row["verdict"]["class"], row["pods"], row["role"]) == ("ready", 0, c.role_arn("checkout-reader")), done


def test_no_aws_is_the_clusters_half(tmp_path) -> None:
    done = run(tmp_path, c.healthy(), None, "why", POD, "--no-aws")
    assert done.code == 0, done
    assert "IAM was not asked" in done.out
    assert "IAM and EKS: --no-aws" in done.out


def test_without_aws_the_rest_is_judged(tmp_path) -> None:
    done = run(tmp_path, c.healthy(), None, "why", POD)
    assert done.code == 0, done
    assert "cannot run aws" in done.out


READS = {
    "list serviceaccounts": "service accounts of namespace shop",
    "get mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
    "get namespaces": "labels of namespace shop",
    "get nodes": "nodes",
    "list daemonsets": "agent",
    "get openid-configuration": "issuer",
}


@pytest.mark.parametrize("read", READS)
def test_a_read_without_rights_is_one_line_and_the_rest_is_judged(tmp_path, aws, read: str) -> None:
    good(aws)
    done = run(tmp_path, c.healthy(), aws, "why", POD, "-o", "json", denied={read})
    (row,) = done.json()["workloads"]
    assert row["verdict"]["class"] == "ready", row
    # Without the issuer the plugin asks EKS for it, and moto has no such cluster.
    unseen, *others = done.json()["unseen"]
    assert len(others) == (read == "get openid-configuration"), others
    assert READS[read] in unseen["what"], unseen
    assert "forbidden" in unseen["why"].lower()


@pytest.mark.parametrize("call", ["GetRole", "GetOpenIDConnectProvider", "ListPodIdentityAssociations", "GetCallerIdentity"])
def test_a_call_without_rights_is_one_line_and_the_rest_is_judged(tmp_path, aws, call: str) -> None:
    good(aws)
    aws.denied = {call}
    done = run(tmp_path, c.healthy(), aws, "why", POD, "-o", "json")
    (row,) = done.json()["workloads"]
    assert row["verdict"]["class"] == "ready", row
    (unseen,) = done.json()["unseen"]
    assert "not authorized" in unseen["why"], unseen


def test_a_pod_that_cannot_be_read_is_3(tmp_path, aws) -> None:
    for denied, subject in [({"get pods"}, POD), (frozenset(), "cart")]:
        done = run(tmp_path, c.healthy(), aws, "why", subject, denied=denied)
        assert (done.code, done.out) == (3, ""), done
        assert done.err.count("\n") == 1


def test_usage_errors_are_2_before_anything_is_asked(tmp_path, aws) -> None:
    for arguments in (["why"], ["why", POD, "cart"], ["why", "--", "-x"], ["why", POD, "-o", "yaml"], ["fleet", "x"], ["fleet", "--fail-on=soon"], ["lint"], []):
        done = run(tmp_path, c.healthy(), aws, *arguments)
        assert (done.code, done.out, done.verbs) == (2, "", []), done


def test_hostile_names_and_annotations_do_nothing(tmp_path, aws) -> None:
    hostile = "x\x1b[2J\x07`touch x`$(touch x); touch x\u202e\x9b"
    objects = c.healthy()
    of("Pod", objects)["metadata"]["annotations"]["eks.amazonaws.com/skip-containers"] = hostile
    of("ServiceAccount", objects)["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn" + hostile: hostile, "team": hostile}
    app(of("Pod", objects)).update({"env": [{"name": "AWS_ROLE_ARN", "value": hostile}, {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token" + hostile}]})
    for form in ("text", "wide", "json", "csv", "junit"):
        for word in (["why", POD], ["fleet", "-A"]):
            done = run(tmp_path, objects, aws, *word, "-o", form)
            unseen = re.findall("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e]", done.out + done.err)
            assert unseen == [], (form, unseen)
            for line in done.out.splitlines() if form == "text" and word[0] == "why" else []:
                assert line.startswith("#") or "touch" not in line, line
                assert not line.startswith("#") or not re.search(r"[`;$()]", line), line
    assert not (tmp_path / "x").exists()


def test_the_exchange_says_what_it_creates_and_leaves_the_token_nowhere(tmp_path, aws) -> None:
    good(aws)
    done = run(tmp_path, c.healthy(), aws, "why", POD, "--exchange", AWS_ENDPOINT_URL_STS="http://127.0.0.1:9", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert done.code == 0, done
    assert "creating a token of shop/checkout for sts.amazonaws.com, bound to pod" in done.err
    assert "create serviceaccounts/token" in done.verbs
    assert b"sts.amazonaws.com" in done.tokens[0] and POD.encode() in done.tokens[0]
    (exchange,) = aws.exchanges
    assert '"Effect":"Deny","Action":"*"' in exchange["Policy"].replace(" ", "")
    assert exchange["WebIdentityToken"].startswith("ey") and not exchange["WebIdentityToken"].endswith("\n")
    token = exchange["WebIdentityToken"]
    assert token not in (tmp_path / "bin" / "aws.argv").read_text()
    assert token not in (tmp_path / "bin" / "aws.env").read_text()
    last = (tmp_path / "bin" / "aws.env").read_text()
    assert "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true" in last
    assert "AWS_ENDPOINT_URL" not in last, "the token went to a host of somebody else's"
    for part in (token, token.split(".")[2]):
        assert part not in done.out + done.err
    left = [file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink() and token.encode() in file.read_bytes()]
    assert left == []


def test_what_sts_says_to_the_exchange_is_the_verdict(tmp_path, aws) -> None:
    good(aws)
    aws.refusal = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    done = run(tmp_path, c.healthy(), aws, "why", POD, "--exchange")
    assert done.code == 53, done
    assert "access-denied 53" in done.out


def test_nothing_is_created_without_the_flag(tmp_path, aws) -> None:
    good(aws)
    for word in (["why", POD], ["why", "sa/checkout"], ["fleet", "-A"], ["fleet"]):
        done = run(tmp_path, c.healthy(), aws, *word)
        assert {verb.split()[0] for verb in done.verbs} <= {"get", "list"}, done.verbs
    assert aws.exchanges == []
