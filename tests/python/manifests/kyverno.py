"""Applies the rule of admission/kyverno.yaml to a pod as Kyverno does: JMESPath for variables, and the operators used there."""

import copy
import re

import jmespath

from manifests import limits

SIZES = "{{ request.object.spec.containers[0].resources || `{}` }}"
WHOLE = re.compile(r"\{\{(.*)\}\}")


def substituted(value: object, pod: dict) -> object:
    """A string that is only one variable becomes the variable's value, whatever its type."""
    if isinstance(value, dict):
        return {name: substituted(it, pod) for name, it in value.items()}
    if isinstance(value, list):
        return [substituted(it, pod) for it in value]
    if isinstance(value, str) and (whole := WHOLE.fullmatch(value)):
        return jmespath.search(whole[1].strip(), {"request": {"object": pod}})
    return value


def holds(condition: dict, pod: dict) -> bool:
    key, value = substituted(condition["key"], pod), condition["value"]
    match condition["operator"]:
        case "GreaterThanOrEquals":
            return limits.quantity(key) >= limits.quantity(value)
        case "Equals":
            # The types must be equal too, as in Kyverno: 0 is not false.
            return type(key) is type(value) and key == value
    raise ValueError(f"an operator that is not known here: {condition}")


def mutated(policy: dict, pod: dict) -> dict:
    (rule,) = policy["spec"]["rules"]
    if not all(holds(it, pod) for it in rule.get("preconditions", {}).get("all", [])):
        return pod
    (container,) = substituted(rule["mutate"]["patchStrategicMerge"]["spec"]["initContainers"], pod)
    pod = copy.deepcopy(pod)
    there = pod["spec"].setdefault("initContainers", [])
    assert container["name"] not in [it["name"] for it in there]
    there.append(container)
    return pod
