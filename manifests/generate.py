"""Writes what the manifests share into their marked places: the container, the codes of the class table, the alert rules.

    CREDPROBE_BIN=… python3 generate.py [--check] [--classes=FILE] [--root=FOLDER] [--runbooks=PAGE]

A marked place lies between `# generated: NAME` and `# /generated`; in CEL the marks are `//` comments, in Helm template
comments, in Markdown HTML comments. --check writes nothing and ends with 1 when a file is not current. --classes takes the
output of `credprobe explain --output=json` from a file instead of asking the binary. The dashboard, which can have no marks, gets
the classes as the mappings of its values. --runbooks names the page that the alerts lead to, in place of the one in this tree.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent

IMAGE = "credprobe:0.1.0"
GATE = "credprobe.dev/CredentialsUsable"
# Waits out what passes by itself, and never blocks the pod for it.
CAREFUL = ["--wait=30s", "--start-jitter=2s", "--tolerate=transient,probe"]
# For a fleet's first weeks: says everything, stops nothing.
REPORT_ONLY = ["--report-only", "--wait=30s", "--start-jitter=2s"]
EXPECTATIONS = [
    "--expect-role=arn:aws:iam::814203749616:role/checkout-reader",
    "--expect-subject=$(POD_NAMESPACE)/$(POD_SERVICE_ACCOUNT)",
]
# What the role must be allowed to do; a policy that was made just now gets its moment.
ACCESS = [
    "--grace=2m",
    "--expect-access=s3:ListBucket=arn:aws:s3:::checkout-orders",
    "--expect-access=sqs:GetQueueAttributes=arn:aws:sqs:eu-west-1:814203749616:checkout-orders",
]
# A Job's rules see the code, so transient ones must come through; IAM gets a moment for what was created just now.
IN_A_JOB = ["--wait=30s", "--grace=30s", "--start-jitter=2s", "--tolerate=probe"]

# In the app's own container: the kubelet tries again, and the termination message is the app's.
IN_THE_APP = ["--tolerate=transient,probe", "--termination-log=/dev/null"]
MOUNT = "/credprobe"
# What repairs name, where the manifest knows it.
DEPLOYMENT, JOB = "--workload=deployment/checkout", "--workload=job/export"

ENV = {
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
    "POD_UID": "metadata.uid",
    "NODE_NAME": "spec.nodeName",
}
RESOURCES = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}
SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
PROBES = {
    "startupProbe": {"httpGet": {"path": "/livez", "port": "credprobe"}, "periodSeconds": 1, "failureThreshold": 30},
    "livenessProbe": {"httpGet": {"path": "/livez", "port": "credprobe"}, "periodSeconds": 30, "timeoutSeconds": 3},
}
# Sixty tries, for IAM takes minutes to know a new role. Each is longer than --timeout: the kubelet must not cut a report off.
OF_THE_CONTAINER = {
    "startupProbe": {
        "exec": {"command": [f"{MOUNT}/credprobe", "check", *IN_THE_APP]},
        "periodSeconds": 10,
        "timeoutSeconds": 15,
        "failureThreshold": 60,
    },
    "volumeMounts": [{"name": "credprobe", "mountPath": MOUNT, "readOnly": True}],
}
READINESS = {"readinessProbe": {"httpGet": {"path": "/readyz", "port": "credprobe"}, "periodSeconds": 10, "timeoutSeconds": 3}}



class Verbatim(str):
    """Text that stands behind `key:` as it is, such as a template expression."""


# Where an admission policy adds the container: what admits the pod's own first container admits this one as well.
OF_THE_APP = Verbatim(' "{{ request.object.spec.containers[0].resources || `{}` }}"')

COMMENTS = {
    "image": ["Not published: build it (image/README.md) and push it to a registry that your nodes pull from."],
    "securityContext": [
        "No runAsUser: the kubelet sets owner and mode of the app's token file by the users of all containers, so a user",
        "for credprobe alone could change the file for the app. credprobe has the pod's user, else 65532 of its image.",
        "If every container sets the same runAsUser itself, set it on the pod: one container without it changes the file.",
    ],
    "resources": [
        "A pod of QoS class Guaranteed keeps that class only if these limits for cpu and memory equal the requests.",
        "If `kubectl get quota,limitrange -n NAMESPACE` lists anything, set what it demands of each container.",
    ],
    OF_THE_APP: ["Those of the pod's first container, or none. A quota or LimitRange that admits that container admits this one."],
    "startupProbe": ["Passes as soon as credprobe listens, whatever the verdict: the app's containers do not wait for AWS."],
    CAREFUL[-1]: ["Retries transient failures for 30 s. Never blocks the pod on a transient failure or on a bug of credprobe."],
    IN_THE_APP[-1]: ["Passes on a transient failure; after another one the kubelet tries again. The app keeps its termination message."],
    REPORT_ONLY[0]: ["Reports what it finds and always exits 0."],
}


def container(
    *args: str, env: dict | None = None, security: dict | None = None, resources: object = RESOURCES, **more: object
) -> dict:
    return {
        "name": "credprobe",
        "image": IMAGE,
        "args": list(args),
        **more,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "env": [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in {**ENV, **(env or {})}.items()
        ],
        "resources": resources,
        "securityContext": {**(security or {}), **SECURITY},
    }


def sidecar(*args: str, **more: object) -> dict:
    ports = [{"name": "credprobe", "containerPort": 9809}]
    # Of another name, so that a pod can have both.
    return {**container("serve", *args, restartPolicy="Always", ports=ports, **PROBES, **more), "name": "credprobe-serve"}


# YAML, in the form in which people write it by hand: one line for what is small.


def flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(it)}" for key, it in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json.dumps(it) if isinstance(it, str) else flow(it) for it in value) + "]"
    if isinstance(value, bool) or not isinstance(value, str):
        return json.dumps(value)
    return value if re.fullmatch(r"[A-Za-z/][\w./:-]*|\d+[a-zA-Z]+", value) else json.dumps(value)


def lines(mapping: dict) -> list[str]:
    found = []
    for key, value in mapping.items():
        told = COMMENTS.get(value if value is OF_THE_APP else key, [])
        if key == "args" and not isinstance(value, Verbatim):
            told = next((COMMENTS[it] for it in value if it in COMMENTS), [])
        if isinstance(value, dict) and "exec" in value:
            told = COMMENTS[value["exec"]["command"][-1]]
        found += [f"# {line}" for line in told]
        if isinstance(value, Verbatim):
            found += f"{key}:{value}".split("\n")
        elif isinstance(value, dict):
            found += [f"{key}:", *(f"  {name}: {flow(it)}" for name, it in value.items())]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found += [f"{key}:", *(f"  - {flow(it)}" for it in value)]
        elif isinstance(value, list) and len(flow(value)) > 100:
            found += [f"{key}:", *(f"  - {it if ': ' not in it else json.dumps(it)}" for it in value)]
        else:
            found += [f"{key}: {flow(value)}"]
    return found


def item(mapping: dict) -> list[str]:
    first, *rest = lines(mapping)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def indented(text: list[str], width: int) -> list[str]:
    return [" " * width + line if line else line for line in text]


def cel(value: object) -> str:
    """An expression with this value. Kubernetes refuses literals of mixed types unless each value is dyn()."""
    if isinstance(value, dict):
        same = all(isinstance(it, str) for it in value.values())
        return (
            "{"
            + ", ".join(f"{json.dumps(key)}: " + (cel(it) if same else f"dyn({cel(it)})") for key, it in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(cel, value)) + "]"
    return json.dumps(value)


def cel_lines(mapping: dict) -> list[str]:
    """The same with a line for each key, and for each item of a list of maps."""
    found = []
    for key, value in mapping.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            items = ",\n".join(f"    {cel(it)}" for it in value).split("\n")
            found += [f"  {json.dumps(key)}: dyn([", *items, "  ]),"]
        else:
            found += [f"  {json.dumps(key)}: dyn({cel(value)}),"]
    found[-1] = found[-1].rstrip(",")
    return ["{", *found, "}"]


# The class table.


def codes(classes: list[dict], which: str) -> list[int]:
    def belongs(it: dict) -> bool:
        if it["code"] == 0:
            return False
        if which == "transient":
            return it["transient"]
        return not it["transient"] and it["owner"] != "probe" and not it["new_pod_may_heal"]

    found = sorted({it["code"] for it in classes if belongs(it)})
    # The API server's limits for podFailurePolicy and restartPolicyRules.
    assert found and len(found) <= 255 and 0 not in found, which
    return found


def counted(classes: list[dict]) -> list[str]:
    """The classes in no rule of a Job, in words."""
    names = [it["class"] for it in classes if it["new_pod_may_heal"] and not it["transient"]]
    told = f"Classes in no rule count against backoffLimit: {', '.join(names[:-1])} and {names[-1]}."
    return [f"# {line}" for line in textwrap.wrap(told, 120, break_on_hyphens=False)]


def blocks(classes: list[dict], root: Path) -> dict[str, list[str]]:
    """What each name between the marks stands for."""
    permanent, transient = codes(classes, "permanent"), codes(classes, "transient")
    account = {"POD_SERVICE_ACCOUNT": "spec.serviceAccountName"}
    again = [{"action": "Restart", "exitCodes": {"operator": "In", "values": transient}}]
    # In CEL the sizes are added one by one.
    no_sizes = {"requests": {}, "limits": {}}
    security = [
        "{{- if $values.runAsNonRoot }}",
        "runAsNonRoot: true",
        "{{- end }}",
        *(f"{it}: {flow(SECURITY[it])}" for it in SECURITY),
    ]
    of_chart = {
        "image": Verbatim(" {{ $values.image | quote }}"),
        "resources": Verbatim(" {{- $values.resources | toYaml | nindent 4 }}"),
        "securityContext": Verbatim("".join(f"\n  {line}" for line in security)),
    }

    def arguments(command: str, of: str) -> dict:
        more = [command, f"{{{{- range $values.{of}.args }}}}", "- {{ . | quote }}", "{{- end }}"]
        more += ["{{- with $values.workload }}", '- {{ printf "--workload=%s" (tpl . $) | quote }}', "{{- end }}"]
        return {"args": Verbatim("\n  - " + "\n  ".join(more))}

    rules = (root / "manifests" / "monitoring" / "credprobe.rules.yaml").read_text().split("groups:\n", 1)[1].rstrip("\n")
    return {
        "init-container": item(container("check", *CAREFUL)),
        "init-container of a deployment": item(container("check", *CAREFUL, DEPLOYMENT)),
        "init-container-restricted": item(container("check", *CAREFUL, DEPLOYMENT, security={"runAsNonRoot": True})),
        "init-container-expectations": item(container("check", *CAREFUL, *EXPECTATIONS, DEPLOYMENT, env=account)),
        "init-container-access": item(container("check", *CAREFUL, *ACCESS, DEPLOYMENT)),
        "init-container-report-only": item(container("check", *REPORT_ONLY, resources=OF_THE_APP)),
        "job": item(container("check", *IN_A_JOB, JOB)),
        "restart-rules": item(container("check", *IN_A_JOB, JOB, restartPolicy="Never", restartPolicyRules=again)),
        "native-sidecar": item(sidecar(**READINESS)),
        "native-sidecar of a deployment": item(sidecar(DEPLOYMENT, **READINESS)),
        "readiness-gate": item(sidecar(f"--readiness-gate={GATE}", DEPLOYMENT)),
        "image-volume-probe": lines(OF_THE_CONTAINER),
        "image-volume": item({"name": "credprobe", "image": {"reference": IMAGE, "pullPolicy": "IfNotPresent"}}),
        "report-only as CEL": cel_lines(container("check", *REPORT_ONLY, resources=no_sizes)),
        "counted": counted(classes),
        "permanent": ["values:", *textwrap.wrap(flow(permanent), 100, initial_indent="  ", subsequent_indent="   ")],
        "transient": ["values:", *textwrap.wrap(flow(transient), 100, initial_indent="  ", subsequent_indent="   ")],
        "alert-rules": rules.split("\n"),
        "helm-init-container": item({**container("check"), **arguments("check", "initContainer"), **of_chart}),
        "helm-native-sidecar": item({**sidecar(**READINESS), **arguments("serve", "nativeSidecar"), **of_chart}),
        "helm-values": lines({"image": IMAGE, "resources": RESOURCES, "initContainer": {"args": CAREFUL}}),
        "readme": ["```yaml", "spec:", "  initContainers:", *indented(item(container("check", *CAREFUL)), 4), "```"],
    }


# The marked places.

YAML_MARKS = re.compile(
    r"^(?P<indent> *)(?:#|//) generated: (?P<name>.+)\n(?P<body>(?:.*\n)*?)(?P<end> *(?:#|//) /generated)$", re.MULTILINE
)
HELM_MARKS = re.compile(
    r"^(?P<indent> *)\{\{- /\* generated: (?P<name>.+?) \*/ -?\}\}\n(?P<body>(?:.*\n)*?)(?P<end> *\{\{- /\* /generated \*/ -?\}\})$",
    re.MULTILINE,
)
MARKDOWN_MARKS = re.compile(
    r"^(?P<indent>)<!-- generated: (?P<name>.+) -->\n(?P<body>(?:.*\n)*?)(?P<end><!-- /generated -->)$", re.MULTILINE
)


def rendered(text: str, found: dict[str, list[str]], used: set[str]) -> str:
    def replaced(match: re.Match) -> str:
        name = match["name"]
        if name not in found:
            raise SystemExit(f"generate.py: nothing is called {name!r}")
        used.add(name)
        head, _, _ = match[0].partition("\n")
        return "\n".join([head, *indented(found[name], len(match["indent"])), match["end"]])

    for marks in (YAML_MARKS, HELM_MARKS, MARKDOWN_MARKS):
        text = marks.sub(replaced, text)
    return text


# The dashboard.

# Grafana's names of colours, by who acts.
COLORS = {
    "pod": "orange", "iam": "purple", "cluster": "blue", "network": "yellow", "org": "dark-purple", "aws": "light-blue", "probe": "gray",
}


def mappings(classes: list[dict], by: str) -> list[dict]:
    """What Grafana shows for a class's id or code."""
    found = {}
    for index, it in enumerate(sorted(classes, key=lambda it: it["code"])):
        shown = {"text": f"{it['class']} {it['code']}", "color": COLORS.get(it["owner"], "green"), "index": index}
        found[str(it[by])] = shown
    return [{"type": "value", "options": found}]


def dashboard(text: str, classes: list[dict]) -> str:
    """Its mappings: of a field of numbers by code, else by id."""
    whole = json.loads(text)
    for panel in whole["panels"]:
        for override in panel["fieldConfig"]["overrides"]:
            by = "code" if override["matcher"]["id"] == "byType" else "class"
            for it in override["properties"]:
                if it["id"] == "mappings":
                    it["value"] = mappings(classes, by)
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


RUNBOOK = re.compile(r'(?<=runbook_url: ")[^"#]*(?=#)')


def targets(root: Path) -> list[Path]:
    kinds = {".yaml", ".tpl"}
    files = sorted(it for it in (root / "manifests").rglob("*") if it.suffix in kinds)
    return [root / "README.md", *files, root / "manifests" / "monitoring" / "dashboard.json"]


def class_table(file: Path | None) -> list[dict]:
    if file:
        return json.loads(file.read_text())["classes"]
    program = os.environ.get("CREDPROBE_BIN")
    if not program:
        raise SystemExit("generate.py: CREDPROBE_BIN names no binary (make build), and there is no --classes")
    done = subprocess.run([program, "explain", "--output=json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["classes"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 when a file is not current")
    parser.add_argument("--classes", type=Path, help="saved output of `credprobe explain --output=json`")
    parser.add_argument("--root", type=Path, default=HERE.parent, help="the tree to write to (default: this one)")
    parser.add_argument("--runbooks", metavar="PAGE", help="where the alerts lead: a page with a heading for each")
    chosen = parser.parse_args()
    if chosen.runbooks:
        rules = chosen.root / "manifests" / "monitoring" / "credprobe.rules.yaml"
        rules.write_text(RUNBOOK.sub(lambda _: chosen.runbooks, rules.read_text()))
    classes = class_table(chosen.classes)
    found, used, stale = blocks(classes, chosen.root), set(), []
    for file in targets(chosen.root):
        text = file.read_text()
        current = dashboard(text, classes) if file.suffix == ".json" else rendered(text, found, used)
        if current != text:
            stale.append(str(file.relative_to(chosen.root)))
            if not chosen.check:
                file.write_text(current)
    if missing := set(found) - used:
        raise SystemExit(f"generate.py: no file has a place for {', '.join(sorted(missing))}")
    if stale:
        print("\n".join(f"{'not current' if chosen.check else 'written'}: {name}" for name in stale))
    return int(chosen.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
