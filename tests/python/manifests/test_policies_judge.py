"""The admission policies' verdicts on pods and patches, from their own expressions."""

import copy

from manifests import kyverno, limits, policies, rules, tree
from manifests.case import Case, of_object

GATE = "credprobe.dev/CredentialsUsable"
EXTRA = "authentication.kubernetes.io/pod-"


def policy(file: str) -> dict:
    (found,) = [it for it in tree.parsed((tree.ROOT / "manifests" / file).read_text()) if it["kind"].endswith("Policy")]
    return found


def pod(**spec: object) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "checkout-1", "namespace": "shop", "labels": {"credprobe.dev/inject": "true"}},
        "spec": {"containers": [{"name": "app", "image": "registry.example.com/checkout:1.4.2"}], **spec},
    }


def app(*variables: str, user: int | None = None, **more: object) -> dict:
    own = {"securityContext": {"runAsUser": user}} if user is not None else {}
    env = {"env": [{"name": it, "value": "x"} for it in variables]} if variables else {}
    return {"name": "app", "image": "registry.example.com/checkout:1.4.2", **own, **env, **more}


class All(Case):
    def test_expressions_compile(self) -> None:
        for manifest in tree.manifests(tree.ROOT):
            for it in manifest.objects:
                if it["kind"] in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
                    with self.subTest(manifest.name):
                        self.assertTrue(policies.expressions(it))
                        self.none(policies.compiled(it))

    def test_literals_are_of_one_kind(self) -> None:
        for manifest in tree.manifests(tree.ROOT):
            for it in manifest.objects:
                if it["kind"] in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
                    with self.subTest(manifest.name):
                        self.none([one for expression in policies.expressions(it) for one in policies.mixed(expression)])
        for wrong in (
            '{"a": 1, "b": "x"}',
            '[1, "x"]',
            'f({"a": {"b": dyn(1), "c": "x"}})',
            '{"a": dyn(1), "b": [1]}',
            "['a', b]",
        ):
            with self.subTest(wrong):
                self.assertNotEqual(policies.mixed(wrong), [])
        for right in (
            '{"a": dyn(1), "b": dyn("x")}',
            'A{op: "x", value: 1}',
            'a[0] + b["c"]',
            '[A{op: "x"}, A{op: "y"}]',
            "[]",
        ):
            with self.subTest(right):
                self.none(policies.mixed(right))

    def test_bindings_name_their_policy(self) -> None:
        for manifest in tree.manifests(tree.ROOT):
            names = {it["kind"]: it for it in manifest.objects}
            for kind in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
                if kind in names:
                    with self.subTest(manifest.name):
                        self.assertEqual(names[f"{kind}Binding"]["spec"]["policyName"], names[kind]["metadata"]["name"])


class ReadinessGate(Case):
    policy = policy("readiness-gate/policy.yaml")

    def setUp(self) -> None:
        super().setUp()
        self.before = {
            "metadata": {"name": "checkout-1", "namespace": "shop", "uid": "u-1", "labels": {"a": "b"}, "resourceVersion": "7"},
            "spec": {"readinessGates": [{"conditionType": GATE}]},
            "status": {
                "phase": "Running",
                "podIP": "10.0.0.1",
                "conditions": [{"type": "Ready", "status": "False"}, {"type": "Initialized", "status": "True"}],
                "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0}],
            },
        }
        self.after = copy.deepcopy(self.before)
        self.after["metadata"] |= {"managedFields": [{"manager": "credprobe"}], "resourceVersion": "8"}
        self.conditions = self.after["status"]["conditions"]
        self.conditions.append({"type": GATE, "status": "True", "reason": "Ready"})
        self.user = {
            "username": "system:serviceaccount:shop:checkout",
            "extra": {f"{EXTRA}name": ["checkout-1"], f"{EXTRA}uid": ["u-1"]},
        }

    def refusals(self) -> list[str]:
        request = {"userInfo": self.user, "namespace": "shop", "name": "checkout-1", "operation": "UPDATE"}
        return policies.refusals(self.policy, {"object": self.after, "oldObject": self.before, "request": request})

    def test_own_condition_may_be_added_changed_and_taken_away(self) -> None:
        self.none(self.refusals())
        self.before = copy.deepcopy(self.after)
        self.conditions[-1]["status"] = "False"
        self.none(self.refusals())
        self.conditions.pop()
        self.none(self.refusals())

    def test_first_condition_of_a_pod_without_a_status(self) -> None:
        self.before.pop("status")
        self.after["status"] = {"conditions": [self.conditions[-1]]}
        self.none(self.refusals())

    def test_order_of_conditions_does_not_count(self) -> None:
        self.conditions.reverse()
        self.none(self.refusals())

    def test_another_pod_is_refused(self) -> None:
        for extra in (
            {f"{EXTRA}name": ["checkout-2"], f"{EXTRA}uid": ["u-2"]},
            # It has the name of a pod that no longer exists.
            {f"{EXTRA}name": ["checkout-1"], f"{EXTRA}uid": ["u-0"]},
            {f"{EXTRA}name": ["checkout-1"]},
            {},
        ):
            with self.subTest(extra):
                self.user["extra"] = extra
                self.assertEqual(self.refusals(), ["only the pod that the token is bound to may be patched"])
        # A token that is not bound to a pod, for example one from a Secret.
        del self.user["extra"]
        self.assertEqual(self.refusals(), ["only the pod that the token is bound to may be patched"])

    def test_foreign_condition_is_refused(self) -> None:
        said = ["only the condition credprobe.dev/CredentialsUsable may change"]
        self.conditions[0]["status"] = "True"
        self.assertEqual(self.refusals(), said)
        self.conditions[0]["status"] = "False"
        self.conditions.append({"type": "other.example.com/Gate", "status": "True"})
        self.assertEqual(self.refusals(), said)
        self.conditions.pop()
        del self.conditions[1]
        self.assertEqual(self.refusals(), said)
        del self.after["status"]["conditions"]
        self.assertEqual(self.refusals(), said)

    def test_condition_that_is_there_twice_is_refused(self) -> None:
        said = ["each condition may exist only once"]
        # A JSON patch can copy a foreign condition unchanged, or append a second one of the gate's own type.
        for doubled in (self.conditions[0], self.conditions[-1], self.conditions[-1] | {"status": "False"}):
            with self.subTest(doubled):
                self.conditions.append(copy.deepcopy(doubled))
                self.assertEqual(self.refusals(), said)
                # A pod that got a double before the policy existed must still be able to lose it.
                self.before["status"]["conditions"] = copy.deepcopy(self.conditions)
                self.conditions.pop()
                self.none(self.refusals())

    def test_rest_of_the_status_is_refused(self) -> None:
        said = ["only the condition credprobe.dev/CredentialsUsable of the status may change"]
        changes = [{"phase": "Succeeded"}, {"podIP": "10.9.9.9"}, {"aFieldOfLaterVersions": 1}, {"containerStatuses": []}]
        for change in changes:
            with self.subTest(change):
                kept = copy.deepcopy(self.after["status"])
                self.after["status"].update(change)
                self.assertEqual(self.refusals(), said)
                self.after["status"] = kept
        del self.after["status"]["podIP"]
        self.assertEqual(self.refusals(), said)

    def test_metadata_is_refused(self) -> None:
        for change in ({"labels": {"a": "c"}}, {"annotations": {"x": "y"}}, {"finalizers": ["x/y"]}):
            with self.subTest(change):
                kept = copy.deepcopy(self.after["metadata"])
                self.after["metadata"].update(change)
                self.assertEqual(self.refusals(), ["metadata may not change"])
                self.after["metadata"] = kept
        del self.after["metadata"]["labels"]
        self.assertEqual(self.refusals(), ["metadata may not change"])

    def test_others_are_left_alone(self) -> None:
        self.after["status"]["phase"] = "Failed"
        for name in (
            "system:node:ip-10-0-0-1",
            "system:serviceaccount:kube-system:aws-load-balancer-controller",
            "kubernetes-admin",
        ):
            with self.subTest(name):
                self.user = {"username": name}
                self.none(self.refusals())
        # A namespace whose name only begins in the same way is not admitted.
        self.user = {"username": "system:serviceaccount:shop-2:checkout"}
        self.none(self.refusals())


class WebhookSkipped(Case):
    policy = policy("admission/webhook-skipped.yaml")

    def warned(self, *containers: dict) -> bool:
        return bool(policies.refusals(self.policy, {"object": pod(containers=list(containers))}))

    def test_warns_where_no_container_has_a_pair(self) -> None:
        irsa = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
        pod_identity = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        for variables, expected in [
            ((), True),
            (("AWS_REGION",), True),
            (irsa[:1], True),
            (irsa[1:], True),
            (pod_identity[:1], True),
            (pod_identity[1:], True),
            ((irsa[0], pod_identity[1]), True),
            (irsa, False),
            (pod_identity, False),
            (("STAGE", *irsa), False),
        ]:
            with self.subTest(variables):
                self.assertEqual(self.warned(app(*variables)), expected)
        # eks.amazonaws.com/skip-containers is for sidecars that need no credentials.
        self.assertFalse(self.warned(app(), app(*irsa)))
        self.assertTrue(self.warned(app(irsa[0]), app(irsa[1])))

    def test_denies_nothing(self) -> None:
        (binding,) = [
            it
            for it in tree.parsed((tree.ROOT / "manifests" / "admission" / "webhook-skipped.yaml").read_text())
            if it["kind"] == "ValidatingAdmissionPolicyBinding"
        ]
        self.assertEqual(set(binding["spec"]["validationActions"]), {"Warn", "Audit"})


class Injection(Case):
    policy = policy("admission/mutating-admission-policy.yaml")

    def mutated(self, before: dict) -> dict:
        after = policies.mutated(self.policy, before)
        self.none([it for it in of_object(after) if "runAsUser" not in it])
        return after

    def test_container_comes_first_and_nothing_else_changes(self) -> None:
        other = {"name": "migrate", "image": "registry.example.com/checkout:1.4.2"}
        for before in (pod(), pod(initContainers=[]), pod(initContainers=[other])):
            with self.subTest(before["spec"]):
                after = self.mutated(before)
                first, *rest = after["spec"]["initContainers"]
                self.assertEqual(first["name"], "credprobe")
                self.assertEqual(rest, before["spec"].get("initContainers", []))
                after["spec"].pop("initContainers")
                before["spec"].pop("initContainers", None)
                self.assertEqual(after, before)

    def test_it_is_the_container_of_kyverno_too(self) -> None:
        (rule,) = policy("admission/kyverno.yaml")["spec"]["rules"]
        (expected,) = rule["mutate"]["patchStrategicMerge"]["spec"]["initContainers"]
        self.none(rules.of_container(expected, kyverno.SIZES))
        self.assertIn("--report-only", expected["args"])
        (first,) = self.mutated(pod())["spec"]["initContainers"]
        self.assertEqual({**first, "resources": kyverno.SIZES}, expected)

    def test_once_and_on_linux_only(self) -> None:
        once = policies.mutated(self.policy, pod())
        self.assertEqual(policies.mutated(self.policy, once), once)
        for field in (lambda os: {"os": {"name": os}}, lambda os: {"nodeSelector": {"kubernetes.io/os": os}}):
            self.assertIn("credprobe", str(policies.mutated(self.policy, pod(**field("linux")))))
            self.assertEqual(policies.mutated(self.policy, pod(**field("windows"))), pod(**field("windows")))
        self.assertIn("credprobe", str(policies.mutated(self.policy, pod(nodeSelector={"disk": "ssd"}))))

    def test_user_is_copied_where_all_containers_state_the_same(self) -> None:
        for containers, expected in [
            ([app()], None),
            ([app(user=1000)], 1000),
            ([app(user=0)], 0),
            ([app(user=1000), app(user=1000)], 1000),
            ([app(user=1000), app(user=1001)], None),
            ([app(user=1000), app()], None),
            ([app(), app(user=1000)], None),
        ]:
            with self.subTest(containers):
                first = self.mutated(pod(containers=containers))["spec"]["initContainers"][0]
                self.assertEqual(first["securityContext"].get("runAsUser"), expected)

    def test_restricted_pod_stays_restricted(self) -> None:
        own = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        each = {"containers": [{**app(), "securityContext": {**own, "runAsNonRoot": True}}]}
        whole = {"containers": [{**app(), "securityContext": own}], "securityContext": {"runAsNonRoot": True}}
        for spec in (each, whole, {**each, "securityContext": {"runAsUser": 1000}}):
            with self.subTest(spec):
                before = pod(**spec)
                self.none(rules.of_restricted(before["spec"]))
                self.none(rules.of_restricted(self.mutated(before)["spec"]))
        # If a container that runs as root got runAsNonRoot, it would not start.
        for spec in ({}, {**each, "securityContext": {"runAsUser": 0}}, {"containers": [*each["containers"], app()]}):
            with self.subTest(spec):
                self.assertNotIn("runAsNonRoot", self.mutated(pod(**spec))["spec"]["initContainers"][0]["securityContext"])

    def test_both_only_where_namespace_and_pod_ask_for_it(self) -> None:
        label = {"matchLabels": {"credprobe.dev/inject": "true"}}
        objects = tree.parsed((tree.ROOT / "manifests" / "admission" / "mutating-admission-policy.yaml").read_text())
        (binding,) = [it for it in objects if it["kind"] == "MutatingAdmissionPolicyBinding"]
        self.assertEqual(self.policy["spec"]["matchConstraints"]["objectSelector"], label)
        self.assertEqual(binding["spec"]["matchResources"]["namespaceSelector"], label)
        (rule,) = policy("admission/kyverno.yaml")["spec"]["rules"]
        (match,) = rule["match"]["any"]
        self.assertEqual((match["resources"]["selector"], match["resources"]["namespaceSelector"]), (label, label))


def sized(name: str, requests: dict | None = None, limits: dict | None = None) -> dict:
    return {**app(), "name": name, "resources": {"requests": requests or {}, "limits": limits or {}}}


SMALL, LARGE = {"cpu": "100m", "memory": "128Mi"}, {"cpu": "2", "memory": "1Gi"}
PODS = {
    "states nothing": [app()],
    "limits alone": [sized("app", None, SMALL)],
    "requests alone": [sized("app", SMALL)],
    "guaranteed": [sized("app", LARGE, LARGE)],
    "burstable": [sized("app", SMALL, LARGE)],
    "memory alone": [sized("app", {"memory": "64Mi"}, {"memory": "64Mi"})],
    "cpu alone": [sized("app", {"cpu": "50m"}, {"cpu": "50m"})],
    "storage": [sized("app", SMALL, SMALL | {"ephemeral-storage": "1Gi"})],
    "two": [sized("app", SMALL, SMALL), sized("second", SMALL, LARGE)],
    "the first states nothing": [app(), sized("second", SMALL, SMALL)],
}
NAMESPACES = {
    "quota of limits.cpu": {"quota": {"limits.cpu": "4"}},
    "quota of requests": {"quota": {"cpu": "4", "requests.memory": "2Gi"}},
    "quota of limits": {"quota": {"limits.cpu": "4", "limits.memory": "2Gi"}},
    "quota that the pod uses up": {"quota": {"requests.cpu": "100m", "requests.memory": "128Mi"}},
    "range: min": {"ranges": [{"type": "Container", "min": {"memory": "64Mi", "cpu": "50m"}}]},
    "range: max": {"ranges": [{"type": "Container", "max": {"memory": "512Mi", "cpu": "1"}}]},
    "range: ratio": {"ranges": [{"type": "Container", "maxLimitRequestRatio": {"memory": "1"}}]},
    "range: storage": {"ranges": [{"type": "Container", "min": {"ephemeral-storage": "1Gi"}}]},
    "range: min of the pod": {"ranges": [{"type": "Pod", "min": {"memory": "128Mi"}}]},
    "range: max of the pod": {"ranges": [{"type": "Pod", "max": {"cpu": "100m"}}]},
    "range: ratio of the pod": {"ranges": [{"type": "Pod", "maxLimitRequestRatio": {"cpu": "1"}}]},
    "quota, and a default of something else": {
        "quota": {"limits.cpu": "4"},
        "ranges": [{"type": "Container", "default": {"memory": "64Mi"}}],
    },
    "quota, and defaults": {
        "quota": {"limits.cpu": "4", "memory": "200Mi"},
        "ranges": [{"type": "Container", "default": SMALL}],
    },
}


class Sizes(Case):
    """A quota or LimitRange that admits a pod without the probe also admits it with the probe."""

    policy = policy("admission/mutating-admission-policy.yaml")

    def mutated(self, before: dict) -> dict:
        return policies.mutated(self.policy, before)

    def test_what_is_admitted_without_the_probe_is_admitted_with_it(self) -> None:
        for where, namespace in NAMESPACES.items():
            without = {what: limits.admitted(pod(containers=them), namespace) for what, them in PODS.items()}
            # Otherwise the namespace would prove nothing.
            self.assertTrue(any(without.values()) and not all(without.values()), (where, without))
            for what in (it for it, refusals in without.items() if not refusals):
                with self.subTest(where, pod=what):
                    self.none(limits.admitted(pod(containers=PODS[what]), namespace, self.mutated))

    def test_pod_asks_for_no_more_and_keeps_its_class(self) -> None:
        for what, containers in PODS.items():
            with self.subTest(what):
                before = pod(containers=containers)
                after = self.mutated(before)
                self.assertNotEqual(after, before)
                self.assertEqual(limits.quality(after), limits.quality(before))
                for part in ("requests", "limits"):
                    self.assertEqual(limits.total(after, part), limits.total(before, part))

    def test_pod_with_little_room_is_left_alone(self) -> None:
        for little in ({"memory": "31Mi"}, {"memory": "33554431"}, {"cpu": "49m"}, {"cpu": "0.01"}):
            with self.subTest(little):
                before = pod(containers=[sized("app", None, little), sized("second", LARGE, LARGE)])
                self.assertEqual(self.mutated(before), before)
        for enough in ({"memory": "32Mi"}, {"memory": "1Gi"}, {"memory": "33554432"}, {"cpu": "50m"}, {"cpu": "1"}):
            with self.subTest(enough):
                self.assertIn("credprobe", str(self.mutated(pod(containers=[sized("app", None, enough)]))))

    def test_no_device_is_taken(self) -> None:
        with_device = pod(containers=[sized("app", {**LARGE, "nvidia.com/gpu": "1"}, {**LARGE, "nvidia.com/gpu": "1"})])
        for first in self.mutated(with_device)["spec"].get("initContainers", []):
            self.assertEqual(first["resources"], {"requests": LARGE, "limits": LARGE})
        with_claim = pod(containers=[{**app(), "resources": {"claims": [{"name": "gpu"}]}}])
        for first in self.mutated(with_claim)["spec"].get("initContainers", []):
            self.assertNotIn("claims", first["resources"])


class SizesByKyverno(Sizes):
    policy = policy("admission/kyverno.yaml")

    def mutated(self, before: dict) -> dict:
        return kyverno.mutated(self.policy, before)


class FixedSizes(Case):
    """What a real cluster of Kubernetes 1.36 said about the fixed sizes in these namespaces."""

    def test_refused_as_on_a_cluster(self) -> None:
        (object,) = tree.parsed((tree.ROOT / "manifests" / "init-container.yaml").read_text())
        (probe,) = tree.probes(tree.pod_spec(object))

        def added(before: dict) -> dict:
            return {**before, "spec": {**before["spec"], "initContainers": [probe]}}

        for where, said in [
            ("quota of limits.cpu", "must specify limits.cpu for: credprobe"),
            ("range: min", "minimum memory usage per Container is 64Mi, but request is 16777216"),
            ("range: ratio", "memory max limit to request ratio per Container is 1, but provided ratio is 2.000000"),
        ]:
            with self.subTest(where):
                one = pod(containers=PODS["guaranteed"])
                self.none(limits.admitted(one, NAMESPACES[where]))
                self.assertIn(said, limits.admitted(one, NAMESPACES[where], added))
        # A LimitRange's default fixes the first case.
        healed = {"quota": {"limits.cpu": "4"}, "ranges": [{"type": "Container", "default": {"cpu": "1"}}]}
        self.none(limits.admitted(pod(containers=PODS["guaranteed"]), healed, added))
