"""The output of kubectl kustomize for the component, and of helm template for the library chart."""

import json
import shutil

from manifests import rules, schemas, tree
from manifests.case import Case, of_object, ran

PARTS = tree.ROOT / "tests" / "python" / "manifests"
# The flag that the plain files of a Deployment have.
WORKLOAD = "--workload=deployment/checkout"
VERSIONS = range(tree.OLDEST, tree.NEWEST + 1)


def problems(objects: list[dict]) -> list[str]:
    found = [it for one in objects for it in of_object(one)]
    return found + [it for one in objects for version in VERSIONS for it in schemas.problems(one, version)]


class Kustomize(Case):
    def built(self, name: str) -> dict[str, dict]:
        done = ran("kubectl", "kustomize", PARTS / "overlay" / name)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return {it["metadata"]["name"]: it for it in tree.parsed(done.stdout)}

    def test_init_container_is_added_to_each_kind_that_asks(self) -> None:
        built = self.built("init-container")
        alone = built.pop("left-alone")
        self.assertEqual(tree.probes(tree.pod_spec(alone)), [])
        self.assertEqual({it["kind"] for it in built.values()}, {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"})
        self.none(problems(list(built.values())))
        plain = self.unnamed("init-container.yaml")
        for name, it in built.items():
            with self.subTest(name):
                both = tree.pod_spec(it)["initContainers"]
                self.assertEqual([one["name"] for one in both], ["credprobe", "migrate"])
                self.assertEqual(both[0], plain)

    def test_sidecar_is_added_to_what_runs_on(self) -> None:
        built = self.built("native-sidecar")
        with_one = {name for name, it in built.items() if tree.probes(tree.pod_spec(it))}
        self.assertEqual(with_one, {"deployed", "stateful", "everywhere"})
        self.none(problems([built[it] for it in with_one]))
        self.assertEqual(tree.probes(tree.pod_spec(built["deployed"])), [self.unnamed("native-sidecar.yaml")])

    def test_both_go_together(self) -> None:
        both = tree.pod_spec(self.built("both")["deployed"])["initContainers"]
        self.assertEqual(sorted(one["name"] for one in both), ["credprobe", "credprobe-serve", "migrate"])

    def unnamed(self, file: str) -> dict:
        """The flags without the workload: a component is for many workloads, so it names none."""
        plain = self.plain(file)
        self.assertIn(WORKLOAD, plain["args"])
        return {**plain, "args": [it for it in plain["args"] if it != WORKLOAD]}

    def plain(self, file: str) -> dict:
        (object,) = tree.parsed((tree.ROOT / "manifests" / file).read_text())
        (probe,) = tree.probes(tree.pod_spec(object))
        return probe


class Helm(Kustomize):
    test_init_container_is_added_to_each_kind_that_asks = None
    test_sidecar_is_added_to_what_runs_on = None
    test_both_go_together = None

    def setUp(self) -> None:
        super().setUp()
        self.chart = self.folder / "checkout"
        shutil.copytree(PARTS / "chart", self.chart)
        shutil.copytree(tree.ROOT / "manifests" / "helm" / "credprobe", self.folder / "credprobe")
        done = ran("helm", "dependency", "build", self.chart)
        self.assertEqual(done.returncode, 0, done)

    def template(self, **values: object) -> object:
        flags = [
            flag for name, value in values.items() for flag in ("--set-json", f"{name.replace('__', '.')}={json.dumps(value)}")
        ]
        return ran("helm", "template", "checkout", self.chart, *flags)

    def probe(self, **values: object) -> dict:
        done = self.template(**values)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        (object,) = tree.parsed(done.stdout)
        (probe,) = tree.probes(tree.pod_spec(object))
        if not values.keys() & {"credprobe__image", "credprobe__resources__limits__memory"}:
            self.none(problems([object]))
        if values.get("credprobe__runAsNonRoot"):
            self.none(rules.of_restricted(tree.pod_spec(object)))
        return probe

    def test_of_a_workload_they_are_the_plain_files(self) -> None:
        for template, file in [("initContainer", "init-container.yaml"), ("nativeSidecar", "native-sidecar.yaml")]:
            with self.subTest(template):
                of_it = self.probe(template=f"credprobe.{template}", credprobe__workload="deployment/{{ .Release.Name }}")
                self.assertEqual(of_it, self.plain(file))
                self.assertEqual(self.probe(template=f"credprobe.{template}"), self.unnamed(file))

    def test_restricted_is_the_plain_file(self) -> None:
        restricted = self.probe(credprobe__runAsNonRoot=True, credprobe__workload="deployment/checkout")
        self.assertEqual(restricted, self.plain("init-container-restricted.yaml"))

    def test_values(self) -> None:
        image, args = "registry.example.com/credprobe@sha256:00", ["--report-only", "--expect-subject=$(POD_NAMESPACE)/a b"]
        self.assertEqual(self.probe(credprobe__image=image)["image"], image)
        self.assertEqual(self.probe(credprobe__initContainer__args=args)["args"], ["check", *args])
        self.assertEqual(self.probe(credprobe__initContainer__args=[])["args"], ["check"])
        of_memory = self.probe(credprobe__resources__limits__memory="64Mi")
        self.assertEqual(of_memory["resources"], {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}})

    def test_wrong_values_are_refused(self) -> None:
        for values in (
            {"credprobe__imaeg": "x"},
            {"credprobe__image": ""},
            {"credprobe__runAsNonRoot": "yes"},
            {"credprobe__workload": "checkout"},
            {"credprobe__initContainer__args": ["check"]},
            {"credprobe__initContainer__args": "--report-only"},
            {"credprobe__resources__requests": {"cpu": True}},
            {"credprobe__resources__claims": []},
        ):
            with self.subTest(values):
                done = self.template(**values)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("credprobe", done.stderr)

    def test_lint(self) -> None:
        done = ran("helm", "lint", "--strict", self.chart, self.folder / "credprobe")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
