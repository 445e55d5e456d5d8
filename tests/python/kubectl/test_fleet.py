"""`fleet`: all workloads in one table, and what they share is asked once. Also `lint` of manifests that are not applied."""

import csv
import io
import json
import subprocess
import time
import xml.etree.ElementTree as xml
from pathlib import Path

from kubectl import cluster as c
from kubectl.laptop import run
from lib import given


def fleet_of(aws) -> list[dict]:
    """Four namespaces with every mechanism, some of them wrong."""
    aws.role("checkout-reader", c.trust())
    aws.role("cart-reader", c.trust("system:serviceaccount:shop:*", operator="StringLike"))
    aws.role("open", c.trust(""))
    aws.role("report", c.trusts_eks())
    aws.role("unused", c.trust("system:serviceaccount:shop:nobody"))
    aws.provider(c.ISSUER, ["sts.amazonaws.com"])
    aws.associate("bank", "report", c.role_arn("report"))
    aws.associate("bank", "later", c.role_arn("report"))
    bank = {"namespace": "bank"}
    return [
        c.pod("checkout-7d9f8b6c5-aaaaa", c.container("app", c.irsa())),
        c.pod("checkout-7d9f8b6c5-bbbbb", c.container("app", c.irsa())),
        c.pod("cart-7d9f8b6c5-aaaaa", c.container("app", c.irsa("cart-reader")), account="cart", owner="cart"),
        c.pod("wrong-7d9f8b6c5-aaaaa", c.container("app", c.irsa()), account="wrong", owner="wrong"),
        c.pod("report-7d9f8b6c5-aaaaa", c.container("app", c.pod_identity()), account="report", owner="report", **bank),
        c.pod("web-7d9f8b6c5-aaaaa", c.container("nginx"), account="default", owner="web", **bank),
        c.pod("open-7d9f8b6c5-aaaaa", c.container("app", c.irsa("open")), account="open", owner="open", **bank),
        c.deployment("night", c.container("app"), account="checkout"),
        c.account(),
        c.account("cart", "cart-reader"),
        c.account("wrong"),
        c.account("idle", "checkout-reader"),
        c.account("report", None, **bank),
        c.account("open", "open", **bank),
        c.account("default", None, **bank),
        c.webhook(),
        c.node(),
        c.namespace("shop"),
        c.namespace("bank"),
        *c.agent(),
    ]


def test_all_namespaces_what_is_wrong_first_and_what_is_shared_asked_once(tmp_path, aws) -> None:
    done = run(tmp_path, fleet_of(aws), aws, "fleet", "-A", "-o", "json")
    assert done.code == 0, done
    classes = done.classes()
    assert classes["checkout/app"] == "ready"
    assert classes["wrong/app"] == "access-denied"
    assert classes["report/app"] == "ready"
    assert classes["web/nginx"] == "-"
    assert classes["night/app"] == "ready"
    rows = {row["workload"]: row for row in done.json()["workloads"]}
    assert (rows["deployment/checkout"]["pods"], rows["deployment/night"]["pods"]) == (2, 0)
    assert rows["deployment/report"]["role"] == c.role_arn("report")
    assert done.json()["workloads"][0]["workload"] == "deployment/wrong", "worst first"
    assert aws.asked.count("GetRole") == 4
    assert aws.asked.count("GetOpenIDConnectProvider") == 1
    assert aws.asked.count("ListPodIdentityAssociations") == 1
    assert aws.asked.count("DescribePodIdentityAssociation") == 2
    assert done.json()["aws_calls"]["iam get-role"] == 4
    assert "asking IAM for 4 roles" in done.err


def test_trust_that_is_too_wide_and_accounts_that_nobody_uses_are_named(tmp_path, aws) -> None:
    done = run(tmp_path, fleet_of(aws), aws, "fleet", "-A", "-o", "json")
    wide = {it["role"]: it for it in done.json()["trust"] if it["wide"]}
    assert set(wide) == {c.role_arn("cart-reader"), c.role_arn("open")}
    assert wide[c.role_arn("cart-reader")]["could_assume"] == ["shop/cart", "shop/checkout", "shop/idle", "shop/wrong"]
    assert "bank/default" in wide[c.role_arn("open")]["could_assume"]
    unused = {it["service_account"] for it in done.json()["unused_accounts"]}
    assert unused == {"shop/idle", "bank/later"}
    text = run(tmp_path, fleet_of_again(aws), aws, "fleet", "-A").out
    assert "! trust that is wider than one service account" in text
    assert "no condition on the subject" in text


def fleet_of_again(aws) -> list[dict]:
    aws.reset()
    return fleet_of(aws)


def test_all_roles_finds_trust_that_nothing_uses(tmp_path, aws) -> None:
    done = run(tmp_path, fleet_of(aws), aws, "fleet", "-A", "--all-roles", "-o", "json")
    (unused,) = [it for it in done.json()["trust"] if it["role"] == c.role_arn("unused")]
    assert unused["subjects"] == ["system:serviceaccount:shop:nobody"]
    assert aws.asked.count("ListRoles") == 1


def test_forms(tmp_path, aws) -> None:
    objects = fleet_of(aws)
    text = run(tmp_path, objects, aws, "fleet", "-A").out
    assert text.index("✗ access-denied 53") < text.index("✓ ready 0")
    assert "deployment/wrong" in text and "1 container without IRSA" not in text
    wide = run(tmp_path, objects, aws, "fleet", "-A", "-o", "wide").out
    assert c.role_arn("checkout-reader") in wide and "checkout-7d9f8b6c5-bbbbb" in wide
    rows = list(csv.DictReader(io.StringIO(run(tmp_path, objects, aws, "fleet", "-A", "-o", "csv").out)))
    assert {row["class"] for row in rows if row["workload"] == "deployment/wrong"} == {"access-denied"}
    suite = xml.fromstring(run(tmp_path, objects, aws, "fleet", "-A", "-o", "junit").out)
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["deployment/wrong app (wrong)"]
    assert suite.get("failures") == "1"


def test_fail_on_gives_the_code_of_the_first_class_that_it_covers(tmp_path, aws) -> None:
    objects = fleet_of(aws)
    for words, code in [("error", 53), ("iam", 53), ("access-denied", 53), ("network", 0), ("provider-missing", 0), ("warning", 0)]:
        done = run(tmp_path, objects, aws, "fleet", "-A", f"--fail-on={words}")
        assert done.code == code, (words, done)


def test_one_namespace(tmp_path, aws) -> None:
    done = run(tmp_path, fleet_of(aws), aws, "fleet", "-n", "bank", "--no-aws", "-o", "json")
    assert {row["namespace"] for row in done.json()["workloads"]} == {"bank"}


def test_2000_pods_of_300_accounts(tmp_path, aws) -> None:
    aws.provider(c.ISSUER, ["sts.amazonaws.com"])
    roles = 12
    for number in range(roles):
        aws.role(f"r{number}", c.trust("system:serviceaccount:*", operator="StringLike"))
    objects: list[dict] = [c.webhook(), c.node(), c.namespace(), *c.agent()]
    objects += [c.account(f"a{number}", f"r{number % roles}") for number in range(300)]
    for number in range(2000):
        account = number % 300
        padding = [{"name": f"VARIABLE_{at}", "value": "x" * 80} for at in range(40)]
        app = c.container("app", [*padding, *c.irsa(f"r{account % roles}")])
        objects.append(c.pod(f"w{account}-7d9f8b6c5-p{number}", app, c.container("proxy", padding), account=f"a{account}", owner=f"w{account}"))
    # Compare the run with the time that kubectl alone takes for the same reads.
    started = time.monotonic()
    done = run(tmp_path, objects, None, "fleet", "-A", "--no-aws", "-o", "json")
    whole = time.monotonic() - started
    # The agent is one more workload.
    assert len(done.json()["workloads"]) == 601
    started = time.monotonic()
    alone(tmp_path, objects)
    kubectl = time.monotonic() - started
    assert whole - kubectl < 5, (whole, kubectl)
    done = run(tmp_path, objects, aws, "fleet", "-A", "-o", "json")
    assert aws.asked.count("GetRole") == roles
    assert aws.asked.count("GetOpenIDConnectProvider") == 1
    assert aws.asked.count("ListPodIdentityAssociations") == 1
    assert 5 < peak(tmp_path, objects) < 200, "MB"


def alone(folder, objects) -> None:
    from kubectl.api_server import ApiServer

    with ApiServer(objects, issuer=c.ISSUER) as api:
        config = json.loads((folder / "kubeconfig").read_text())
        config["clusters"][0]["cluster"]["server"] = api.url
        (folder / "alone").write_text(json.dumps(config))
        environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "HOME": str(folder), "KUBECONFIG": str(folder / "alone")}
        for what in ("pods", "serviceaccounts", "namespaces", "nodes"):
            subprocess.run(["kubectl", "get", what, "-A", "-o", "json"], env=environment, stdout=subprocess.DEVNULL, check=True)


def peak(folder, objects) -> float:
    """Megabytes of the plugin alone. `wait4` would report those of its child, kubectl."""
    from kubectl.api_server import ApiServer

    with ApiServer(objects, issuer=c.ISSUER) as api:
        config = json.loads((folder / "kubeconfig").read_text())
        config["clusters"][0]["cluster"]["server"] = api.url
        (folder / "peak").write_text(json.dumps(config))
        environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "HOME": str(folder), "KUBECONFIG": str(folder / "peak")}
        command = [given.kubectl_plugin(), "fleet", "-A", "--no-aws", "-o", "json"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            highest = 0
            while process.poll() is None:
                status = Path(f"/proc/{process.pid}/status").read_text()
                highest = max([highest, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
                time.sleep(0.02)
        assert process.returncode == 0
    return highest / 1024


MANIFESTS = """
apiVersion: v1
kind: ServiceAccount
metadata:
  name: checkout
  namespace: shop
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::814203749616:role/checkout-reader"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop}
spec:
  template:
    spec:
      serviceAccountName: checkout
      containers:
        - {name: app, image: x}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  template:
    spec:
      serviceAccountName: checkout
      containers:
        - name: app
          image: x
          env:
            - {name: AWS_ACCESS_KEY_ID, valueFrom: {secretKeyRef: {name: keys, key: id}}}
            - {name: AWS_SECRET_ACCESS_KEY, valueFrom: {secretKeyRef: {name: keys, key: secret}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: bank}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          serviceAccountName: report
          containers: [{name: app, image: x, env: [{name: AWS_ROLE_ARN, value: checkout-reader}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /var/run/secrets/eks.amazonaws.com/serviceaccount/token}]}]
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: report-reader
  namespace: bank
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::814203749616:role/report
"""


def test_lint_judges_what_manifests_say_and_asks_nobody(tmp_path) -> None:
    done = run(tmp_path, [], None, "lint", "-f", "-", "-o", "json", stdin=MANIFESTS)
    assert (done.code, done.verbs) == (0, []), done
    assert done.classes() == {"checkout/app": "ready", "cart/app": "ready", "report/app": "role-arn-malformed"}
    cart = next(row for row in done.json()["workloads"] if row["workload"] == "deployment/cart")
    assert cart["verdict"]["but"] == "shadowed"
    assert "Pod Identity associations" in {it["what"] for it in done.json()["unseen"]}
    failed = run(tmp_path, [], None, "lint", "-f", "-", "--fail-on=error", stdin=MANIFESTS)
    assert failed.code == 12, failed


def test_lint_an_annotated_account_that_no_workload_uses(tmp_path) -> None:
    manifests = MANIFESTS.replace("serviceAccountName: report\n", "").replace("env: [{name: AWS_ROLE_ARN, value: checkout-reader}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /var/run/secrets/eks.amazonaws.com/serviceaccount/token}]", "command: [x]")
    done = run(tmp_path, [], None, "lint", "-f", "-", "-o", "json", stdin=manifests)
    assert done.classes()["report/app"] == "not-injected", done
    assert "report-reader" in done.out


def test_lint_of_what_is_no_manifest_is_2_and_names_the_line(tmp_path) -> None:
    for text in ("a: [\n", "kind: Deployment\nspec:\n  template:\n    spec: {containers: 7}\n"):
        done = run(tmp_path, [], None, "lint", "-f", "-", stdin=text)
        assert (done.code, done.out) == (2, ""), done
