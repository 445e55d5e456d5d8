"""Our own rules for the probe's container, beyond what a schema says. Each returns a list of problems."""

import re

from manifests import tree


# The volumes that the level restricted allows, as Kubernetes defines it.
VOLUMES = {"configMap", "downwardAPI", "emptyDir", "projected", "secret", "csi", "persistentVolumeClaim", "ephemeral", "image"}
FROM_THE_POD = {
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
    "POD_UID": "metadata.uid",
    "NODE_NAME": "spec.nodeName",
}
CAREFUL = {"--wait=30s", "--start-jitter=2s", "--tolerate=transient,probe"}
IMAGE = "credprobe:0.1.0"
SIZES = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}
# What an admission policy copies from the app's first container.
COPIED = ("cpu", "memory", "ephemeral-storage")


def of_container(it: dict, sizes: object = SIZES) -> list[str]:
    """`sizes` are the ones that the container must have."""
    security, resources = it.get("securityContext", {}), it.get("resources", {})
    environment = {one["name"]: one.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") for one in it.get("env", [])}
    expected = [
        ("securityContext", bool(security)),
        ("allowPrivilegeEscalation: false", security.get("allowPrivilegeEscalation") is False),
        ("readOnlyRootFilesystem: true", security.get("readOnlyRootFilesystem") is True),
        ("capabilities: drop ALL, add none", security.get("capabilities") == {"drop": ["ALL"]}),
        ("seccompProfile: RuntimeDefault", security.get("seccompProfile") == {"type": "RuntimeDefault"}),
        ("no runAsUser, no runAsGroup", not {"runAsUser", "runAsGroup"} & set(security)),
        (f"requests and limits: {sizes}", resources == sizes),
        ("FallbackToLogsOnError", it.get("terminationMessagePolicy") == "FallbackToLogsOnError"),
        ("the pod's names from the downward API", FROM_THE_POD.items() <= environment.items()),
        ("no command, for the image's entrypoint is the probe", "command" not in it),
        (f"image {IMAGE}", it.get("image") == IMAGE),
        ("args", bool(it.get("args"))),
        ("its command's name", it.get("name") == ("credprobe-serve" if it.get("args", [""])[0] == "serve" else "credprobe")),
    ]
    return [f"container {it.get('name')}: not as it must be: {what}" for what, holds in expected if not holds]


def taken_over(pod: dict) -> dict:
    """The first container's requests and limits, as an admission policy copies them to the probe."""
    stated = pod["containers"][0].get("resources", {})
    return {part: {it: stated[part][it] for it in COPIED if it in stated.get(part, {})} for part in ("requests", "limits")}


def of_pod(pod: dict, sizes: object = SIZES) -> list[str]:
    """Checks that the probe's part does not change who can read the app's token file: it sets no user for the pod either."""
    if of_app := tree.startup_probes(pod):
        return [problem for it in of_app for problem in of_startup_probe(pod, it)]
    found = [] if not {"runAsUser", "runAsGroup"} & set(pod.get("securityContext", {})) else ["pod: runAsUser or runAsGroup"]
    for it in tree.probes(pod):
        found += of_container(it, sizes)
    return found if tree.probes(pod) else ["pod: no probe in it"]


def of_startup_probe(pod: dict, it: dict) -> list[str]:
    """Checks the binary of an image volume in the app's own container, which stays the app's in everything else."""
    probe = it["startupProbe"]
    program, *arguments = probe["exec"]["command"]
    mounts = {one["mountPath"]: one["name"] for one in it.get("volumeMounts", [])}
    volumes = {one["name"]: one.get("image", {}).get("reference") for one in pod.get("volumes", [])}
    expected = [
        (f"{program} on a volume of the image {IMAGE}", volumes.get(mounts.get(program.rpartition("/")[0])) == IMAGE),
        ("longer than the ten seconds of --timeout", probe.get("timeoutSeconds", 1) > 10),
        ("ten minutes for IAM", probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3) >= 600),
        ("what passes by itself restarts no app", "--tolerate=transient,probe" in arguments),
        ("the termination message is the app's", "--termination-log=/dev/null" in arguments),
    ]
    return [f"container {it['name']}: not as it must be: {what}" for what, holds in expected if not holds]


def of_careful_form(it: dict) -> list[str]:
    missing = CAREFUL - set(it["args"])
    return [f"args: without {flag}" for flag in sorted(missing)]


def of_restricted(pod: dict) -> list[str]:
    """The problems of all containers with Pod Security's level "restricted", which includes "baseline"."""
    own = pod.get("securityContext", {})
    found = [f"pod: {it}" for it in ("hostNetwork", "hostPID", "hostIPC") if pod.get(it)]
    found += [f"volume {it.get('name')}" for it in pod.get("volumes", []) if not set(it) - {"name"} <= VOLUMES]
    for it in [*pod.get("initContainers", []), *pod.get("containers", [])]:
        security = it.get("securityContext", {})
        capabilities = security.get("capabilities", {})
        seccomp = security.get("seccompProfile", own.get("seccompProfile", {})).get("type")
        expected = [
            ("runAsNonRoot", security.get("runAsNonRoot", own.get("runAsNonRoot")) is True),
            ("runAsUser", security.get("runAsUser", own.get("runAsUser")) != 0),
            ("allowPrivilegeEscalation", security.get("allowPrivilegeEscalation") is False),
            (
                "capabilities",
                "ALL" in capabilities.get("drop", []) and set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
            ),
            ("seccompProfile", seccomp in ("RuntimeDefault", "Localhost")),
            ("privileged", not security.get("privileged")),
            ("procMount", security.get("procMount", "Default") == "Default"),
            ("hostPort", not any(port.get("hostPort") for port in it.get("ports", []))),
        ]
        found += [f"container {it['name']}: restricted: {what}" for what, holds in expected if not holds]
    return found


def of_references(object: dict, pod: dict) -> list[str]:
    """Checks that what one part of an object refers to by name exists in another part."""
    found = []
    names = {it["name"] for it in [*pod.get("initContainers", []), *pod.get("containers", [])]}
    for rule in object["spec"].get("podFailurePolicy", {}).get("rules", []):
        name = rule.get("onExitCodes", {}).get("containerName")
        if name and name not in names:
            found.append(f"podFailurePolicy: no container {name}")
    labels = object["spec"].get("template", {}).get("metadata", {}).get("labels", {})
    if not object["spec"].get("selector", {}).get("matchLabels", {}).items() <= labels.items():
        found.append("selector: does not match the pods")
    for it in tree.probes(pod):
        environment = {one["name"] for one in it.get("env", [])}
        used = re.findall(r"\$\((\w+)\)", " ".join(it.get("args", [])))
        found += [f"args: no variable {name}" for name in used if name not in environment]
        ports = {port["name"] for port in it.get("ports", [])}
        asked = {it[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in it}
        found += [f"probes: no port {name}" for name in sorted(asked - ports)]
    return found


def flags_of(help: str) -> set[str]:
    return set(re.findall(r"^\s+(?:-\w, )?(--[a-z-]+)", help, re.MULTILINE))


# These flags may be repeated, because each names one more thing.
REPEATED = {"--expect-access", "--expect-kubernetes-access"}


def of_args(it: dict, flags: dict[str, set[str]]) -> list[str]:
    """`flags` are those of each command; a command that the binary does not know is absent."""
    command, *given = it["args"]
    if command not in ("check", "serve"):
        return [f"args: {command} is no command for a container"]
    unknown = [flag for flag in given if flag.split("=")[0] not in flags[command]]
    names = [flag if flag.split("=")[0] in REPEATED else flag.split("=")[0] for flag in given]
    double = {flag for flag, name in zip(given, names) if names.count(name) > 1}
    return [f"args: {command} has no {flag}" for flag in unknown] + [f"args: {flag} twice" for flag in double]


def exit_codes(value: object) -> list[tuple[str, list[int]]]:
    """Each list of exit codes, with its action."""
    if isinstance(value, list):
        return [it for one in value for it in exit_codes(one)]
    if not isinstance(value, dict):
        return []
    own = value.get("onExitCodes") or value.get("exitCodes")
    found = [(value.get("action"), own["values"])] if own else []
    return found + [it for one in value.values() for it in exit_codes(one)]


def of_codes(object: dict, classes: list[dict]) -> list[str]:
    """Compares the lists of exit codes with the columns of the class table."""
    transient = {it["code"] for it in classes if it["transient"]}
    found = []
    lists = exit_codes(object)
    if len(lists) > 20:
        found.append("more than 20 rules")
    for action, values in lists:
        known = {it["code"] for it in classes if it["code"] != 0}
        if values != sorted(set(values)) or len(values) > 255:
            found.append(f"{action}: not sorted and unique, or too many")
        if unknown := set(values) - known:
            found.append(f"{action}: no class has {sorted(unknown)}")
        if action in ("Ignore", "Restart") and set(values) != transient:
            found.append(f"{action}: differs from the transient classes by {sorted(set(values) ^ transient)}")
        if action == "FailJob":
            counted = {it["code"] for it in classes if it["owner"] == "probe" or it["new_pod_may_heal"]}
            permanent = known - transient - counted
            if set(values) != permanent:
                found.append(f"FailJob: differs from the classes that no new pod heals by {sorted(set(values) ^ permanent)}")
    return found
