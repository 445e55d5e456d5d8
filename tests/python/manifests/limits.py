"""ResourceQuota and LimitRange as the API server's admission applies them to a pod: what they refuse, and why."""

import copy
import re
from collections.abc import Callable

# Each container has to state these if a quota counts them (quota's pod evaluator).
COUNTED = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
UNITS = {"": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9}
UNITS |= {unit: 1000**n for n, unit in enumerate("kMGTPE", 1)} | {f"{unit}i": 1024**n for n, unit in enumerate("KMGTPE", 1)}


def quantity(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", text).groups()
    return float(number) * UNITS[unit]


def admitted(pod: dict, namespace: dict, mutate: Callable[[dict], dict] = lambda it: it) -> list[str]:
    """The refusals of a pod; empty if it is admitted. LimitRanger's defaults apply before and after the mutation."""
    ranges = namespace.get("ranges", [])
    pod = with_defaults(mutate(with_defaults(pod, ranges)), ranges)
    found = [it for one in ranges for it in of_range(pod, one)]
    return found + of_quota(pod, namespace.get("quota", {}))


def containers(pod: dict) -> list[dict]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def sizes(container: dict, part: str) -> dict[str, str]:
    return container.get("resources", {}).get(part, {})


def with_defaults(pod: dict, ranges: list[dict]) -> dict:
    pod = copy.deepcopy(pod)
    for it in containers(pod):
        # The API's own default: a container that states only a limit requests the same amount.
        requests, limits = {**sizes(it, "limits"), **sizes(it, "requests")}, {**sizes(it, "limits")}
        for one in ranges:
            if one["type"] == "Container":
                requests = {**one.get("defaultRequest", one.get("default", {})), **requests}
                limits = {**one.get("default", {}), **limits}
        it["resources"] = {"requests": requests, "limits": limits}
    return pod


def total(pod: dict, part: str) -> dict[str, float]:
    """What the pod asks for: the sum of its app containers, or its largest init container."""
    found: dict[str, float] = {}
    for it in pod["spec"]["containers"]:
        for name, value in sizes(it, part).items():
            found[name] = found.get(name, 0) + quantity(value)
    for it in pod["spec"].get("initContainers", []):
        for name, value in sizes(it, part).items():
            found[name] = max(found.get(name, 0), quantity(value))
    return found


def of_quota(pod: dict, hard: dict[str, str]) -> list[str]:
    found = []
    for name in set(hard) & set(COUNTED):
        part, resource = name.split(".") if "." in name else ("requests", name)
        lacking = [it["name"] for it in containers(pod) if resource not in sizes(it, part)]
        found += [f"must specify {name} for: {','.join(lacking)}"] if lacking else []
    for name, most in hard.items():
        part, resource = name.split(".", 1) if "." in name else ("requests", name)
        asked = total(pod, part).get(resource, 0)
        found += [f"exceeded quota: {name}"] if asked > quantity(most) else []
    return found


def of_range(pod: dict, one: dict) -> list[str]:
    if one["type"] == "Pod":
        return of_bounds("Pod", total(pod, "requests"), total(pod, "limits"), one)
    found = []
    for it in containers(pod):
        found += of_bounds("Container", numbers(it, "requests"), numbers(it, "limits"), one)
    return found


def numbers(container: dict, part: str) -> dict[str, float]:
    return {name: quantity(text) for name, text in sizes(container, part).items()}


def of_bounds(what: str, requests: dict[str, float], limits: dict[str, float], one: dict) -> list[str]:
    found = []
    for name, least in one.get("min", {}).items():
        if name not in requests:
            found.append(f"minimum {name} usage per {what} is {least}. No request is specified")
        elif requests[name] < quantity(least):
            found.append(f"minimum {name} usage per {what} is {least}, but request is {requests[name]:.10g}")
        elif limits.get(name, quantity(least)) < quantity(least):
            found.append(f"minimum {name} usage per {what} is {least}, but limit is {limits[name]:.10g}")
    for name, most in one.get("max", {}).items():
        if name not in limits:
            found.append(f"maximum {name} usage per {what} is {most}. No limit is specified")
        elif max(limits[name], requests.get(name, 0)) > quantity(most):
            found.append(f"maximum {name} usage per {what} is {most}, but limit is {limits[name]:.10g}")
    for name, most in one.get("maxLimitRequestRatio", {}).items():
        if not requests.get(name) or not limits.get(name):
            found.append(f"{name} max limit to request ratio per {what} is {most}, but no request or limit is specified")
        elif limits[name] / requests[name] > quantity(most):
            ratio = limits[name] / requests[name]
            found.append(f"{name} max limit to request ratio per {what} is {most}, but provided ratio is {ratio:.6f}")
    return found


def quality(pod: dict) -> str:
    """The pod's QoS class."""

    def of_both(container: dict, part: str) -> dict[str, float]:
        return {name: it for name, it in numbers(container, part).items() if name in ("cpu", "memory")}

    stated = [(of_both(it, "requests"), of_both(it, "limits")) for it in containers(with_defaults(pod, []))]
    if not any(requests or limits for requests, limits in stated):
        return "BestEffort"
    equal = all(len(limits) == 2 and limits == requests for requests, limits in stated)
    return "Guaranteed" if equal else "Burstable"
