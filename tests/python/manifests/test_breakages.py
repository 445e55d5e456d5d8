"""Runs the checks on copies of the manifests with one fault each: each fault must be found, in the right file."""

import re
import shutil
import unittest
from pathlib import Path

import pytest

from manifests import kyverno, policies, test_policies_judge as policies_judge, tree
from manifests.case import problems, ran

SECCOMP = "seccompProfile: {type: RuntimeDefault}"
BREAKAGES = [
    # file, old text, new text, what the finding must contain
    ("init-container.yaml", "terminationMessagePolicy:", "terminationMesagePolicy:", "terminationMesagePolicy"),
    ("init-container.yaml", "  selector:", "  selektor:", "selector"),
    ("init-container.yaml", "apiVersion: apps/v1", "apiVersion: apps/v2", "apps/v2"),
    ("init-container.yaml", "name: checkout\n  namespace", "name: checkout\n  name: twice\n  namespace", "twice"),
    ("init-container.yaml", re.compile(r"          securityContext:\n(            .*\n)+"), "", "securityContext"),
    ("init-container.yaml", "            " + SECCOMP + "\n", "", "seccompProfile"),
    ("init-container.yaml", SECCOMP, "seccompProfile: {type: Unconfined}", "seccompProfile"),
    ("init-container.yaml", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "allowPrivilegeEscalation"),
    ("init-container.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "readOnlyRootFilesystem"),
    ("init-container.yaml", '{drop: ["ALL"]}', '{drop: ["NET_RAW"]}', "drop ALL"),
    ("init-container.yaml", '{drop: ["ALL"]}', '{drop: ["ALL"], add: ["SYS_PTRACE"]}', "drop ALL"),
    ("init-container.yaml", "            " + SECCOMP, "            runAsUser: 65532\n            " + SECCOMP, "runAsUser"),
    ("init-container.yaml", "            " + SECCOMP, "            runAsGroup: 1000\n            " + SECCOMP, "runAsGroup"),
    (
        "init-container.yaml",
        "      serviceAccountName:",
        "      securityContext: {runAsUser: 1000}\n      serviceAccountName:",
        "pod: runAsUser",
    ),
    ("init-container.yaml", "requests: {cpu: 10m, memory: 16Mi}", "requests: {cpu: 10m}", "requests"),
    ("init-container.yaml", "limits: {memory: 32Mi}", "limits: {memory: 32Mi, cpu: 10m}", "limit"),
    ("init-container.yaml", "          terminationMessagePolicy: FallbackToLogsOnError\n", "", "FallbackToLogsOnError"),
    ("init-container.yaml", "fieldPath: metadata.uid", "fieldPath: metadata.name", "downward API"),
    ("init-container.yaml", "--tolerate=transient,probe", "--tolerate=transient", "without --tolerate"),
    ("init-container.yaml", "--wait=30s", "--wiat=30s", "--wiat"),
    ("init-container.yaml", " --wait=30s\n", " --wait=30s\n            - --wait=60s\n", "twice"),
    (
        "init-container-access.yaml",
        "- --expect-access=s3:ListBucket=arn:aws:s3:::checkout-orders\n",
        "- --grace=3m\n",
        "--grace=2m twice",
    ),
    ("init-container.yaml", "- check\n", "- judge\n", "judge"),
    ("init-container.yaml", "image: credprobe:0.1.0", "image: credprobe:latest", "image"),
    ("init-container.yaml", "# kubernetes: 1.30+\n", "", "kubernetes: 1.N"),
    ("init-container-restricted.yaml", "            runAsNonRoot: true\n", "            runAsNonRoot: false\n", "runAsNonRoot"),
    ("init-container-restricted.yaml", "            capabilities: {drop: [ALL]}\n", "", "container app: restricted"),
    (
        "init-container-restricted.yaml",
        "      serviceAccountName:",
        "      hostNetwork: true\n      serviceAccountName:",
        "hostNetwork",
    ),
    ("init-container-expectations.yaml", "--expect-subject", "--expect-subjekt", "--expect-subjekt"),
    ("job.yaml", "[12, 13,", "[12,", "FailJob"),
    ("job.yaml", "[12, 13,", "[13, 12,", "sorted"),
    ("job.yaml", "[22, 32,", "[22,", "Ignore"),
    ("job.yaml", "[22, 32,", "[22, 29, 32,", "no class"),
    ("job.yaml", "containerName: credprobe", "containerNam: credprobe", "containerNam"),
    ("job.yaml", "containerName: credprobe", "containerName: probe", "no container probe"),
    ("native-sidecar.yaml", "name: credprobe-serve", "name: credprobe", "command's name"),
    ("native-sidecar.yaml", "path: /readyz, port: credprobe", "path: /readyz, port: http", "no port http"),
    ("native-sidecar.yaml", "matchLabels: {app.kubernetes.io/name: checkout}", "matchLabels: {app: checkout}", "selector"),
    (
        "init-container-expectations.yaml",
        "{name: POD_SERVICE_ACCOUNT,",
        "{name: SERVICE_ACCOUNT,",
        "no variable POD_SERVICE_ACCOUNT",
    ),
    ("restart-rules.yaml", "# kubernetes: 1.34+", "# kubernetes: 1.33+", "1.33"),
    ("restart-rules.yaml", "# kubernetes: 1.34+", "# kubernetes: 1.35+", "valid in 1.34 too"),
    ("restart-rules.yaml", "values: [22, 32,", "values: [22,", "Restart"),
    ("native-sidecar.yaml", "httpGet: {path: /readyz", "httpGet: {pat: /readyz", "pat"),
    ("readiness-gate/deployment.yaml", "conditionType:", "condition:", "condition"),
    ("readiness-gate/rbac.yaml", "verbs:", "verb:", "verb"),
    ("readiness-gate/policy.yaml", "validationActions:", "validationAction:", "validationAction"),
    ("admission/mutating-admission-policy.yaml", "# kubernetes: 1.36+", "# kubernetes: 1.35+", "1.35"),
    ("admission/mutating-admission-policy.yaml", "reinvocationPolicy:", "reinvocation:", "reinvocation"),
    ("admission/webhook-skipped.yaml", "operations:", "operation:", "operation"),
    ("admission/kyverno.yaml", "mutate:", "mutates:", "mutates"),
    ("admission/kyverno.yaml", '{drop: ["ALL"]}', "{}", "drop ALL"),
    ("image-volume.yaml", "# kubernetes: 1.31+", "# kubernetes: 1.30+", "1.30"),
    ("image-volume.yaml", "reference: credprobe:0.1.0", "reference: credprobe:latest", "on a volume of the image"),
    ("image-volume.yaml", "mountPath: /credprobe", "mountPath: /probe", "on a volume of the image"),
    ("image-volume.yaml", "timeoutSeconds: 15", "timeoutSeconds: 10", "longer than"),
    ("image-volume.yaml", "failureThreshold: 60", "failureThreshold: 6", "ten minutes"),
    ("image-volume.yaml", '"--tolerate=transient,probe", ', "", "restarts no app"),
    ("image-volume.yaml", ', "--termination-log=/dev/null"', "", "the app's"),
    ("image-volume.yaml", "--tolerate=", "--tolerat=", "--tolerat"),
    ("network-policy.yaml", "policyTypes:", "policyType:", "policyType"),
    ("network-policy.yaml", "protocol: UDP", "protocol: [UDP]", "protocol"),
    ("monitoring/prometheus-rule.yaml", "for: 10m", "fro: 10m", "fro"),
    ("monitoring/pod-monitor.yaml", "podMetricsEndpoints:", "podMetricEndpoints:", "podMetricEndpoints"),
]


GATE, SKIPPED, INJECT, KYVERNO = (
    "readiness-gate/policy.yaml",
    "admission/webhook-skipped.yaml",
    "admission/mutating-admission-policy.yaml",
    "admission/kyverno.yaml",
)
WEAKER = [
    # file, its tests, old text, new text
    (GATE, "ReadinessGate", "variables.podUid == [object.metadata.uid]", "variables.podUid == variables.podUid"),
    (GATE, "ReadinessGate", "pod-uid", "pod-name"),
    (GATE, "ReadinessGate", " && variables.before[key] == variables.after[key]", ""),
    (GATE, "ReadinessGate", "&& variables.before.all(key, key == 'conditions' || key in variables.after)", ""),
    (GATE, "ReadinessGate", "|| variables.conditionsBefore.exists(old, old == it)", "|| true"),
    (
        GATE,
        "ReadinessGate",
        "&& variables.conditionsBefore.all(old, old.type == variables.gate || variables.conditionsAfter.exists(it, it == old))",
        "",
    ),
    (GATE, "ReadinessGate", "variables.conditionsAfter.exists_one(other, other.type == it.type)", "true"),
    (GATE, "ReadinessGate", "exists_one(other, other.type == it.type)", "exists_one(other, other == it)"),
    (GATE, "ReadinessGate", " && variables.metadataBefore[key] == variables.metadataAfter[key]", ""),
    (
        GATE,
        "ReadinessGate",
        "&& variables.metadataBefore.all(key, key in variables.bookkeeping || key in variables.metadataAfter)",
        "",
    ),
    (GATE, "ReadinessGate", "'credprobe.dev/CredentialsUsable'\"", "'credprobe.dev/Other'\""),
    (GATE, "ReadinessGate", "['managedFields', ", "["),
    (GATE, "ReadinessGate", "'resourceVersion'", "''"),
    (GATE, "ReadinessGate", " + request.namespace + ':'", ""),
    (GATE, "ReadinessGate", "request.namespace + ':'", "request.namespace"),
    (SKIPPED, "WebhookSkipped", " && 'AWS_WEB_IDENTITY_TOKEN_FILE' in it", ""),
    (SKIPPED, "WebhookSkipped", "'AWS_ROLE_ARN' in it && ", ""),
    (SKIPPED, "WebhookSkipped", " && 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE' in it", ""),
    (SKIPPED, "WebhookSkipped", "'AWS_CONTAINER_CREDENTIALS_FULL_URI' in it && ", ""),
    (SKIPPED, "WebhookSkipped", "names.exists", "names.all"),
    (INJECT, "Injection", "== 'linux'", "== 'windows'"),
    (INJECT, "Injection", "[?'kubernetes.io/os']", "[?'kubernetes.io/arch']"),
    (INJECT, "Injection", "it.name != 'credprobe'", "true"),
    (INJECT, "Injection", "variables.users[0] != -1 && ", ""),
    (INJECT, "Injection", "variables.users.all(it, it == variables.users[0])", "true"),
    (INJECT, "Injection", 'initContainers/0", value:\n', 'initContainers/-", value:\n'),
    (INJECT, "Injection", "            ? []", '            ? [JSONPatch{op: "add", path: "/spec/initContainers", value: []}]'),
    (INJECT, "Injection", ".?runAsUser.orValue(-1) != 0", ".?runAsUser.orValue(-1) != 1"),
    (INJECT, "Injection", "runAsNonRoot.orValue(false)", "runAsNonRoot.orValue(true)"),
    (INJECT, "Injection", 'runAsNonRoot", value: true', 'runAsNonRoot", value: false'),
    (INJECT, "Injection", 'dyn("credprobe:0.1.0")', '"credprobe:0.1.0"'),
    (INJECT, "Sizes", "variables.copied.filter(it, it in variables.requests)", "[]"),
    (INJECT, "Sizes", "variables.copied.filter(it, it in variables.limits)", "[]"),
    (INJECT, "Sizes", "'ephemeral-storage'", "'storage'"),
    (INJECT, "Sizes", "'ephemeral-storage'", "'ephemeral-storage', 'nvidia.com~1gpu', 'nvidia.com/gpu'"),
    (INJECT, "Sizes", "quantity('32Mi')", "quantity('31Mi')"),
    (INJECT, "Sizes", "quantity('32Mi')", "quantity('33Mi')"),
    (INJECT, "Sizes", "quantity('50m')", "quantity('40m')"),
    (KYVERNO, "SizesByKyverno", f'"{kyverno.SIZES}"', "{requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 32Mi}}"),
    (KYVERNO, "SizesByKyverno", "value: 32Mi", "value: 31Mi"),
    (KYVERNO, "SizesByKyverno", "value: 50m", "value: 40m"),
    (KYVERNO, "SizesByKyverno", "'/') }}", "'//') }}"),
    (KYVERNO, "SizesByKyverno", "resources.claims", "resources.none"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of everything that is checked."""
    shutil.copytree(tree.ROOT / "manifests", tmp_path / "manifests", ignore=shutil.ignore_patterns("debug", "*.tpl"))
    shutil.copy(tree.ROOT / "README.md", tmp_path)
    return tmp_path


def weakened(file: str, old: str, new: str) -> dict:
    """The policy of a file, after one replacement."""
    text = (tree.ROOT / "manifests" / file).read_text()
    assert old in text
    (broken,) = [it for it in tree.parsed(text.replace(old, new, 1)) if it["kind"].endswith("Policy")]
    return broken


@pytest.mark.parametrize(("file", "old", "new", "said"), BREAKAGES, ids=[f"{it[0]}: {it[3]}" for it in BREAKAGES])
def test_each_is_found(tmp_path: Path, file: str, old: str | re.Pattern, new: str, said: str) -> None:
    text = (tree.ROOT / "manifests" / file).read_text()
    broken = old.sub(new, text, count=1) if isinstance(old, re.Pattern) else text.replace(old, new, 1)
    assert broken != text, "nothing was broken"
    # Only one file, because the schemas of all files take seconds.
    (tmp_path / "manifests" / file).parent.mkdir(parents=True)
    (tmp_path / "manifests" / file).write_text(broken)
    found = problems(tmp_path)
    assert any(it.startswith(f"{file}: ") and said in it for it in found), found


CHANGED_BY_HAND = {
    "init-container.yaml": ("memory: 32Mi", "memory: 64Mi"),
    "job.yaml": ("clock-skew, ", ""),
    "image-volume.yaml": ("failureThreshold: 60", "failureThreshold: 61"),
    "admission/mutating-admission-policy.yaml": ('"--report-only", ', ""),
    "kustomize/init-container/pods-of-a-cronjob.yaml": ("cpu: 10m", "cpu: 20m"),
    "monitoring/prometheus-rule.yaml": ("for: 10m", "for: 11m"),
    "../README.md": ("cpu: 10m", "cpu: 20m"),
}


@pytest.mark.parametrize("file", CHANGED_BY_HAND)
def test_generator_sees_what_was_changed_by_hand(root: Path, file: str) -> None:
    shutil.copytree(tree.ROOT / "manifests" / "helm", root / "manifests" / "helm", dirs_exist_ok=True)
    generate = [tree.ROOT / "manifests" / "generate.py", "--check", f"--root={root}"]
    assert ran("python3", *generate).stdout == ""
    path = root / "manifests" / file
    path.write_text(path.read_text().replace(*CHANGED_BY_HAND[file], 1))
    done = ran("python3", *generate)
    assert done.returncode == 1 and path.name in done.stdout, done


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("readiness-gate/policy.yaml", "variables.podUid ==", "variable.podUid =="),
        ("readiness-gate/policy.yaml", "variables.before.all(key,", "variables.before.al(key,"),
        ("admission/mutating-admission-policy.yaml", "JSONPatch{op:", "JSONPatch{opp:"),
        ("admission/webhook-skipped.yaml", "' in it &&", "' in it &"),
    ],
)
def test_expressions_with_a_typing_error_do_not_compile(file: str, old: str, new: str) -> None:
    assert policies.compiled(weakened(file, old, new)) != []


@pytest.mark.parametrize(("file", "tests", "old", "new"), WEAKER, ids=[f"{it[1]}: {it[2][:60]}" for it in WEAKER])
def test_weaker_policies_are_noticed_by_what_they_say(file: str, tests: str, old: str, new: str) -> None:
    broken = weakened(file, old, new)
    of_it = type(tests, (getattr(policies_judge, tests),), {"policy": broken})
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(of_it).run(result)
    assert result.testsRun > 0
    mixed = [one for expression in policies.expressions(broken) for one in policies.mixed(expression)]
    assert not result.wasSuccessful() or mixed, "nobody noticed"
