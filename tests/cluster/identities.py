"""`check --cluster` against the real API server, which asks the sandbox about each token as EKS's asks its authenticator. RBAC
and the reviews are the API server's own."""

import copy
import json
import time
from dataclasses import dataclass

import authenticator
import pods
from results import Result
from stage import Stage, ended, message_problem

TITLE = "IAM identities at the API server: check --cluster"
CLUSTER = "trial"
# Maps one role by a line of aws-auth and one by an access entry; the third is known to nobody.
BY_LINE, BY_ENTRY, UNKNOWN = "checkout-reader", "by-entry", "unknown-to-the-cluster"
GROUP = "credprobe-test"


@dataclass
class Case:
    name: str
    verdict: str
    code: int
    role: str
    allowed: bool | None = None
    cluster: str = CLUSTER


CASES = (
    Case("a line of aws-auth maps the role", "ready", 0, BY_LINE),
    Case("an access entry maps the role", "ready", 0, BY_ENTRY),
    Case("RBAC allows", "ready", 0, BY_LINE, allowed=True),
    Case("RBAC refuses", "cluster-forbidden", 92, BY_LINE, allowed=False),
    Case("nothing maps the role", "cluster-unauthorized", 90, UNKNOWN),
    Case("a token for another cluster", "cluster-unauthorized", 90, BY_LINE, cluster="another"),
)


def results(stage: Stage) -> list[Result]:
    if stage.token_webhook is None:
        why = "the API server has to ask this machine about unknown tokens (--token-webhook), as in `make trial-cluster`"
        return [Result(case.name, not_run=why) for case in CASES]
    permit(stage)
    stage.sts.map({"name": CLUSTER, "aws_auth": {"mapRoles": line()}, "access_entries": [entry()]})
    with authenticator.running(stage.token_webhook, stage.sts) as reviews:
        found = [one(stage, number, case, reviews) for number, case in enumerate(CASES)]
    return found


def line() -> str:
    return f"- rolearn: {pods.role(BY_LINE)}\n  username: by-line\n  groups:\n  - {GROUP}\n"


def entry() -> dict:
    return {"accessEntry": {"principalArn": pods.role(BY_ENTRY), "username": "by-entry", "kubernetesGroups": [GROUP]}}


def permit(stage: Stage) -> None:
    """Lets the group list pods, and nothing else."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    about = {"metadata": {"name": GROUP, "namespace": stage.namespace}}
    api = "rbac.authorization.k8s.io"
    stage.cluster.create({"apiVersion": f"{api}/v1", "kind": "Role", **about, "rules": rules})
    subjects = [{"kind": "Group", "apiGroup": api, "name": GROUP}]
    role = {"apiGroup": api, "kind": "Role", "name": GROUP}
    stage.cluster.create({"apiVersion": f"{api}/v1", "kind": "RoleBinding", **about, "subjects": subjects, "roleRef": role})


def one(stage: Stage, number: int, case: Case, reviews: list[dict]) -> Result:
    start, name = time.monotonic(), f"identity-{number}"
    asked = [] if case.allowed is None else [f"{'list' if case.allowed else 'delete'}:pods:{stage.namespace}"]
    flags = [f"--cluster={case.cluster}", "--cluster-endpoint=in-cluster", *(f"--expect-kubernetes-access={it}" for it in asked)]
    container = {**copy.deepcopy(stage.probe()), "args": ["check", "--output=json", *flags]}
    spec = {"restartPolicy": "Never", "initContainers": [container], "containers": [stage.images.app()]}
    stage.inject(spec, role=case.role)
    before = len(reviews)
    stage.cluster.create(stage.pod(name, spec))

    def look() -> dict | None:
        return ended(stage.cluster.get("pod", name, stage.namespace)["status"].get("initContainerStatuses"), "credprobe")

    how = stage.cluster.until(f"pod {name} has run its init container", look)
    result = Result(case.name, case.code, how["exitCode"], (time.monotonic() - start) * 1000)
    if problem := message_problem(how, case.code, case.verdict):
        result.problems.append(problem)
    report = json.loads(stage.cluster.must("logs", name, f"--namespace={stage.namespace}", "--container=credprobe"))
    if seen := report["evidence"].get("cluster"):
        result.problems += [*of_reviews(case, reviews[before:]), *of_evidence(stage, case, seen)]
    else:
        result.problems.append(f"the cluster was not asked: {report['verdict']['summary']}")
    return result


def of_reviews(case: Case, reviews: list[dict]) -> list[str]:
    """The API server has to have asked about the probe's token."""
    accepted = [it.get("status", {}).get("authenticated") for it in reviews]
    expected = case.code != 90
    return [] if accepted and set(accepted) == {expected} else [f"the API server asked: {reviews}"]


def of_evidence(stage: Stage, case: Case, seen: dict) -> list[str]:
    """SelfSubjectReview as the API server answers it. Before 1.28 there is none, and RBAC, which is asked first, refuses it."""
    problems = []
    if case.code == 90:
        return [] if seen["status"] == 401 else [f"SelfSubjectReview: {seen['status']}"]
    if stage.cluster.minor >= 28:
        groups = set(seen.get("user", {}).get("groups", []))
        if seen["status"] != 201 or not groups >= {GROUP, "system:authenticated"}:
            problems.append(f"SelfSubjectReview: {seen['status']}, {seen.get('user')}")
    elif seen["status"] != 403 or "selfsubjectreviews" not in (seen.get("message") or ""):
        problems.append(f"SelfSubjectReview before 1.28: {seen['status']}, {seen.get('message')}")
    reviews = [(it["status"], it["allowed"]) for it in seen.get("reviews", [])]
    if reviews != ([] if case.allowed is None else [(201, case.allowed)]):
        problems.append(f"SelfSubjectAccessReview: {seen.get('reviews')}")
    return problems
