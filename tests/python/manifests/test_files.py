"""The YAML files as they are in the repository."""

import json
import re

from lib import given
from lib.programs import SANDBOX_ERROR
from manifests import rules, tree
from manifests.case import Case, flags, problems, ran


class Files(Case):
    def test_schemas_and_rules(self) -> None:
        self.none(problems(tree.ROOT))

    def test_flags_of_serve(self) -> None:
        self.assertIn("--readiness-gate", flags()["serve"])

    def test_generated_places_are_current(self) -> None:
        done = ran("python3", tree.ROOT / "manifests" / "generate.py", "--check")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_each_file_begins_with_what_it_is_for(self) -> None:
        for it in tree.manifests(tree.ROOT):
            with self.subTest(it.name):
                head = it.text.split("apiVersion:")[0]
                self.assertTrue(head.startswith("# ") and len(head) > 100, head)

    def test_labels_and_names_are_of_our_domain(self) -> None:
        for it in tree.manifests(tree.ROOT):
            with self.subTest(it.name):
                said = re.sub(r"^#.*$", "", it.text, flags=re.MULTILINE)
                self.assertNotRegex(said, r"eks\.amazonaws\.com/(?!role-arn)", "reserved for EKS")

    def test_who_adds_a_container_says_how_to_look_for_quotas(self) -> None:
        manifests = tree.ROOT / "manifests"
        added = ["admission/mutating-admission-policy.yaml", "admission/kyverno.yaml", "README.md"]
        added += [f"kustomize/{it}/kustomization.yaml" for it in ("init-container", "native-sidecar")]
        for file in [*map(manifests.joinpath, added), tree.ROOT / "probe" / "docs" / "operate.md"]:
            with self.subTest(file.name):
                self.assertIn("kubectl get quota,limitrange -", file.read_text())

    def test_all_places_have_a_probe(self) -> None:
        """No pod escapes the rules above."""
        names = [it.name for it in tree.manifests(tree.ROOT) if any(tree.pod_spec(one) for one in it.objects)]
        expected = {"init-container.yaml", "init-container-restricted.yaml", "init-container-expectations.yaml", "job.yaml"}
        expected |= {"restart-rules.yaml", "native-sidecar.yaml", "readiness-gate/deployment.yaml", "admission/kyverno.yaml"}
        expected |= {"image-volume.yaml", "init-container-access.yaml", "clusters/argo-cd.yaml", "clusters/ci-runner.yaml"}
        self.assertEqual(set(names), expected)


class InThePod(Case):
    """Gives the args of the files to the binary in the sandbox's pod, and checks what its exit codes mean to the Job."""

    def code(self, scenario: str, args: list[str], **variables: str) -> int:
        # Substitutes variables as the kubelet does, and removes the pauses, which only take time here.
        args = [re.sub(r"\$\((\w+)\)", lambda it: variables[it[1]], one) for one in args]
        args = [re.sub(r"^--(wait|grace|start-jitter)=.*", r"--\1=0s", one) for one in args]
        done = ran("sandbox", f"--scenario={scenario}", "--", given.probe(), *args)
        if done.returncode == SANDBOX_ERROR:
            given.not_run(f"no pod of {scenario} can be built here: {done.stderr.strip()}")
        return done.returncode

    def container(self, file: str) -> tuple[dict, dict]:
        (object,) = tree.parsed((tree.ROOT / "manifests" / file).read_text())
        (probe,) = tree.probes(tree.pod_spec(object))
        return object, probe

    def test_each_is_well_in_a_pod_that_is(self) -> None:
        own = {"POD_NAMESPACE": "shop", "POD_SERVICE_ACCOUNT": "checkout"}
        for file in ("init-container", "init-container-restricted", "init-container-expectations", "init-container-access", "job", "restart-rules"):
            with self.subTest(file):
                self.assertEqual(self.code("healthy", self.container(f"{file}.yaml")[1]["args"], **own), 0)

    def test_the_startup_probe_fails_for_what_does_not_pass_alone(self) -> None:
        (object,) = tree.parsed((tree.ROOT / "manifests" / "image-volume.yaml").read_text())
        (app,) = tree.startup_probes(tree.pod_spec(object))
        _, *args = app["startupProbe"]["exec"]["command"]
        for scenario, code in [("healthy", 0), ("access-denied", 53), ("token-file-unreadable", 21), ("throttled", 0)]:
            with self.subTest(scenario):
                self.assertEqual(self.code(scenario, args), code)

    def test_expectations_find_another_service_account(self) -> None:
        args = self.container("init-container-expectations.yaml")[1]["args"]
        self.assertEqual(self.code("healthy", args, POD_NAMESPACE="shop", POD_SERVICE_ACCOUNT="cart"), 35)

    def test_stated_access_finds_a_role_that_may_not(self) -> None:
        args = self.container("init-container-access.yaml")[1]["args"]
        self.assertEqual(self.code("access-denied-s3-listbucket", args), 64)

    def test_what_passes_by_itself_stops_no_deployment(self) -> None:
        args = self.container("init-container.yaml")[1]["args"]
        self.assertEqual(self.code("throttled", args), 0)
        self.assertEqual(self.code("token-file-unreadable", args), 21)
        (object,) = tree.parsed((tree.ROOT / "manifests" / "admission" / "kyverno.yaml").read_text())
        (probe,) = tree.probes(tree.pod_spec(object))
        self.assertEqual(self.code("token-file-unreadable", probe["args"]), 0)

    def test_job_ends_or_tries_again_by_the_code(self) -> None:
        object, probe = self.container("job.yaml")
        actions = {code: action for action, values in rules.exit_codes(object) for code in values}
        for scenario, expected in [("token-file-unreadable", "FailJob"), ("access-denied", "FailJob"), ("throttled", "Ignore")]:
            with self.subTest(scenario):
                self.assertEqual(actions.get(self.code(scenario, probe["args"])), expected)
        self.assertIsNone(actions.get(self.code("not-injected", probe["args"])), "it counts, and no more")


class Pages(Case):
    """The output in operate.md is real: it is in the scenario's snapshot."""

    def test_output_is_of_the_snapshots(self) -> None:
        text = (tree.ROOT / "probe" / "docs" / "operate.md").read_text()
        found = re.findall(r"^( *)<!-- printed: (\S+) -->\n *```text\n(.*?)\n *```$", text, re.MULTILINE | re.DOTALL)
        self.assertEqual(len(found), text.count("```text"), "output without its scenario")
        for indent, scenario, block in found:
            printed = (tree.ROOT / "tests" / "scenarios" / "reports" / f"{scenario}.txt").read_text().splitlines()
            for line in block.split("\n"):
                with self.subTest(scenario):
                    self.assertIn(line.removeprefix(indent), printed)

    def test_message_of_a_pod_that_fails_again_and_again(self) -> None:
        """The command of operate.md, for a pod between an error and the next start: each message is on its own line."""
        text = (tree.ROOT / "probe" / "docs" / "operate.md").read_text()
        (form,) = re.findall(r"^kubectl get pod POD -o (jsonpath=)'(.*)'$", text, re.MULTILINE)
        now, before = ({"terminated": {"message": it}} for it in ("now", "before"))
        status = {"name": "credprobe", "state": now, "lastState": before}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "POD"}, "status": {"initContainerStatuses": [status]}}
        file = self.folder / "pod.json"
        file.write_text(json.dumps(pod))
        # This prints an object by a template without asking a server.
        done = ran("kubectl", "annotate", "--local", f"--filename={file}", "a=b", "-o", "".join(form))
        self.assertEqual((done.returncode, done.stdout), (0, "now\nbefore\n"), done)

    def test_what_an_init_container_cannot_see_is_listed(self) -> None:
        """The command of operate.md for one pod of the list, with the annotation where the webhook reads it."""
        text = (tree.ROOT / "probe" / "docs" / "operate.md").read_text()
        (each,) = re.findall(r"jsonpath='\{range \.items\[\*\]\}(.*skip-containers.*)\{end\}'$", text, re.MULTILINE)
        skips = {"eks.amazonaws.com/skip-containers": "app,other"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "POD", "annotations": skips}}
        file = self.folder / "pod.json"
        file.write_text(json.dumps(pod))
        done = ran("kubectl", "annotate", "--local", f"--filename={file}", "a=b", "-o", f"jsonpath={each}")
        self.assertEqual((done.returncode, done.stdout), (0, "POD\tapp,other\n"), done)

    def test_each_alert_is_explained(self) -> None:
        text = (tree.ROOT / "probe" / "docs" / "operate.md").read_text()
        rules = (tree.ROOT / "manifests" / "monitoring" / "credprobe.rules.yaml").read_text()
        self.assertEqual(re.findall(r"^### (Credprobe\w+)$", text, re.MULTILINE), re.findall(r"alert: (\w+)", rules))

    def test_each_file_is_in_the_table(self) -> None:
        text = (tree.ROOT / "manifests" / "README.md").read_text()
        linked = set(re.findall(r"^\| \[([^\]]+)\]", text, re.MULTILINE))
        files = {it.name for it in tree.manifests(tree.ROOT)}
        self.assertEqual({it for it in files if it not in linked and f"{it.split('/')[0]}/" not in linked}, set())
