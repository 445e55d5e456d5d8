"""What the tests share: the programs, the class table, the flags of the binary, and a check of a whole tree."""

import functools
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from lib import given
from manifests import kyverno, rules, schemas, tree


PROGRAMS = {
    "credprobe": given.probe,
    "sandbox": given.sandbox,
    "kubectl": given.kubectl,
    "helm": given.helm,
    "promtool": lambda: given.program("promtool", "prometheus"),
}
# In seconds.
LIMIT = 60


def ran(program: str, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Runs with an empty home, so that the user's settings of kubectl and helm do not matter."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "CREDPROBE_BIN": given.probe()}
        command = [PROGRAMS.get(program, lambda: program)(), *map(str, arguments)]
        return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=LIMIT)


@functools.cache
def classes() -> list[dict]:
    return json.loads(ran("credprobe", "explain", "--output=json").stdout)["classes"]


@functools.cache
def flags() -> dict[str, set[str]]:
    """The flags of each command."""
    return {it: rules.flags_of(ran("credprobe", it, "--help").stdout) for it in ("check", "serve")}


def problems(root: Path, with_flags: bool = True) -> list[str]:
    """Everything that is wrong with the manifests of a tree; each entry begins with the file's name."""
    found = []
    for manifest in tree.manifests(root):
        try:
            objects = manifest.objects
        except tree.yaml.YAMLError as error:
            found.append(f"{manifest.name}: {error}")
            continue
        found += [f"{manifest.name}: {it}" for it in of_versions(manifest, objects)]
        for it in objects:
            found += [f"{manifest.name}: {problem}" for problem in of_object(it, with_flags)]
            if "restricted" in manifest.name:
                found += [f"{manifest.name}: {problem}" for problem in rules.of_restricted(tree.pod_spec(it))]
            if manifest.name.startswith("init-container"):
                found += [
                    f"{manifest.name}: {problem}"
                    for one in tree.probes(tree.pod_spec(it))
                    for problem in rules.of_careful_form(one)
                ]
    return found


def of_versions(manifest: tree.Manifest, objects: list[dict]) -> list[str]:
    """Checks the file's note: it is valid in each version from the one that it names, and not in the one below."""
    if all(map(tree.of_operator, objects)):
        return [problem for it in objects for problem in schemas.of_operator(it)]
    if manifest.minimum is None:
        return ["no line `# kubernetes: 1.N+`"]
    if not tree.OLDEST <= manifest.minimum <= tree.NEWEST:
        return [f"1.{manifest.minimum} is not between 1.{tree.OLDEST} and 1.{tree.NEWEST}"]
    found = []
    for version in range(manifest.minimum, tree.NEWEST + 1):
        found += [problem for it in objects for problem in schemas.problems(it, version)]
    below = manifest.minimum - 1
    if below >= tree.OLDEST and not any(schemas.problems(it, below) for it in objects):
        found.append(f"valid in 1.{below} too: the note is not true")
    return found


def of_object(object: dict, with_flags: bool = True) -> list[str]:
    pod = tree.pod_spec(object)
    found = rules.of_codes(object, classes())
    if pod is not None:
        # A bare pod is one that an admission policy has changed.
        taken_over = {"Pod": rules.taken_over, "ClusterPolicy": lambda _: kyverno.SIZES}.get(object["kind"])
        found += rules.of_pod(pod, taken_over(pod) if taken_over else rules.SIZES) + rules.of_references(object, pod)
        commands = [{"args": it["startupProbe"]["exec"]["command"][1:]} for it in tree.startup_probes(pod)]
        for it in [*tree.probes(pod), *commands]:
            if with_flags and it.get("args") and (it["args"][0] in flags() or it["args"][0] not in ("check", "serve")):
                found += rules.of_args(it, flags())
    return found


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def none(self, problems: list[str]) -> None:
        self.assertEqual(problems, [])
