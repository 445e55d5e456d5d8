"""The manifests as objects, and where in them the probe's container is."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from lib.given import ROOT

# The oldest and the newest Kubernetes for which the manifests are checked.
OLDEST, NEWEST = 30, 37
NEEDS = re.compile(r"^# kubernetes: 1\.(\d+)\+$", re.MULTILINE)
# Kinds that an operator defines. A file with these names no version of Kubernetes.
OF_OPERATORS = {"kyverno.io/v1": {"ClusterPolicy"}, "monitoring.coreos.com/v1": {"PodMonitor", "PrometheusRule"}}


class Strict(yaml.SafeLoader):
    """Refuses a key that appears twice, as the API server's strict decoding does."""


def without_doubles(loader: Strict, node: yaml.MappingNode) -> dict:
    keys = [loader.construct_object(key) for key, _ in node.value]
    if double := {key for key in keys if keys.count(key) > 1}:
        raise yaml.YAMLError(f"{', '.join(double)} twice{node.start_mark}")
    return loader.construct_mapping(node, deep=True)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, without_doubles)


def parsed(text: str) -> list[dict]:
    return [it for it in yaml.load_all(text, Strict) if it is not None]


@dataclass
class Manifest:
    name: str
    text: str

    @property
    def objects(self) -> list[dict]:
        return parsed(self.text)

    @property
    def minimum(self) -> int | None:
        found = NEEDS.findall(self.text)
        return int(found[0]) if found else None


def manifests(root: Path) -> list[Manifest]:
    """The manifests that are applied unchanged: not the parts of kustomize and Helm, nor the rule file of Prometheus itself."""
    top = root / "manifests"
    files = [it for it in sorted(top.rglob("*.yaml")) if it.relative_to(top).parts[0] not in ("debug", "helm", "kustomize")]
    return [Manifest(str(it.relative_to(top)), it.read_text()) for it in files if it.name != "credprobe.rules.yaml"]


def of_operator(object: dict) -> bool:
    return object.get("kind") in OF_OPERATORS.get(object.get("apiVersion"), ())


def pod_spec(object: dict) -> dict | None:
    match object.get("kind"):
        case "Pod":
            return object["spec"]
        case "CronJob":
            return object["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        case "Deployment" | "StatefulSet" | "DaemonSet" | "Job":
            return object["spec"]["template"]["spec"]
        case "ClusterPolicy":
            return object["spec"]["rules"][0].get("mutate", {}).get("patchStrategicMerge", {}).get("spec")
    return None


def startup_probes(pod: dict) -> list[dict]:
    """The app's containers whose startup probe runs the binary."""
    command = lambda it: it.get("startupProbe", {}).get("exec", {}).get("command", [""])  # noqa: E731
    return [it for it in pod.get("containers", []) if command(it)[0].endswith("/credprobe")]


def probes(pod: dict) -> list[dict]:
    """The probe's containers, found by name or by image, so that no container escapes by changing one of them."""
    both = [*pod.get("initContainers", []), *pod.get("containers", [])]
    return [it for it in both if it.get("name", "").startswith("credprobe") or it.get("image", "").startswith("credprobe")]
