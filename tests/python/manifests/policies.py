"""Evaluates admission policies with the CEL of Google's C++ library, on plain maps as the API server passes them.

Kubernetes has its own build of CEL in Go, with more functions. The expressions use what both have, and `quantity`, which is
declared here. They are compiled with the variables and types that Kubernetes declares, so that an unknown name or field fails.
"""

import copy
import json
import re

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, struct_pb2

from manifests import limits


NAMES = ("object", "oldObject", "request", "variables")


def environment() -> object:
    """Declares the type JSONPatch of mutating policies, with its fields and no others."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="patch.proto", syntax="proto3", dependency=["google/protobuf/struct.proto"])
    patch = file.message_type.add(name="JSONPatch")
    for number, name in enumerate(("op", "from", "path"), 1):
        patch.field.add(name=name, number=number, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    value = {"type": field.TYPE_MESSAGE, "type_name": ".google.protobuf.Value", "label": field.LABEL_OPTIONAL}
    patch.field.add(name="value", number=4, **value)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    number, two = cel.Type.DOUBLE, [cel.Type.DOUBLE] * 2
    quantity = cel.Overload("quantity", number, [cel.Type.STRING], impl=limits.quantity)
    is_less = cel.Overload("is_less", cel.Type.BOOL, two, is_member=True, impl=float.__lt__)
    declared = [cel.FunctionDecl("quantity", [quantity]), cel.FunctionDecl("isLessThan", [is_less])]
    quantities = cel.CelExtension("quantities", declared)
    extensions = [ext_optional.ExtOptional(), quantities]
    return cel.NewEnv(pool, variables={it: cel.Type.DYN for it in NAMES}, extensions=extensions)


ENVIRONMENT = environment()


class Refused(Exception):
    """An expression does not compile, or fails on an object."""


def evaluated(expression: str, data: dict) -> object:
    try:
        result = ENVIRONMENT.compile(expression).eval(data={name: data.get(name) for name in NAMES})
    except RuntimeError as error:
        raise Refused(f"{expression}: {error}") from error
    if "ERROR" in str(result.type()):
        raise Refused(f"{expression}: {result.value()}")
    return result.plain_value()


def expressions(policy: dict) -> list[str]:
    spec = policy["spec"]
    found = [it["expression"] for part in ("matchConditions", "variables", "validations") for it in spec.get(part, [])]
    return found + [it["jsonPatch"]["expression"] for it in spec.get("mutations", [])]


def compiled(policy: dict) -> list[str]:
    problems = []
    for it in expressions(policy):
        try:
            ENVIRONMENT.compile(it)
        except RuntimeError as error:
            problems.append(str(error))
    return problems


TOKEN = re.compile(r"""//[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\w.]+|\S""")
OPENING, CLOSING = "([{", ")]}"


def mixed(expression: str) -> list[str]:
    """Literals of maps and lists with values of different kinds. The C++ library accepts them, but Kubernetes does not compile them."""
    tokens = [it for it in TOKEN.findall(expression) if not it.startswith("//")]
    found, open = [], []
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else ""
        within = open[-1] if open else None
        starts = within and before in ((":",) if within["what"] == "{" else (",", "[")) and within["literal"]
        if starts:
            within["kinds"].add(kind(token, tokens[at + 1 : at + 2]))
        if token in OPENING:
            after_name = re.fullmatch(r"[\w.]+", before) or (before and before in CLOSING)
            open.append({"what": token, "literal": token != "(" and not after_name, "kinds": set(), "at": at})
        elif token in CLOSING:
            closed = open.pop()
            if len(closed["kinds"]) > 1:
                found.append(" ".join(tokens[closed["at"] : at + 1]))
    return found


def kind(token: str, after: list[str]) -> str:
    if token[0] in "\"'":
        return "string"
    if token in ("true", "false"):
        return "bool"
    if token in OPENING or token == "dyn":
        return token
    return "number" if token[0].isdigit() else f"{token}{after}"


def matches(policy: dict, data: dict) -> bool:
    return all(evaluated(it["expression"], data) is True for it in policy["spec"].get("matchConditions", []))


def with_variables(policy: dict, data: dict) -> dict:
    data = {**data, "variables": {}}
    for it in policy["spec"].get("variables", []):
        data["variables"][it["name"]] = evaluated(it["expression"], data)
    return data


def refusals(policy: dict, data: dict) -> list[str]:
    """The messages of the validations that refuse; empty if the policy does not match."""
    if not matches(policy, data):
        return []
    data = with_variables(policy, data)
    return [it["message"] for it in policy["spec"]["validations"] if evaluated(it["expression"], data) is not True]


def mutated(policy: dict, pod: dict) -> dict:
    data = {"object": pod}
    if not matches(policy, data):
        return pod
    data = with_variables(policy, data)
    for it in policy["spec"]["mutations"]:
        for patch in evaluated(it["jsonPatch"]["expression"], data):
            pod = patched(pod, json_format.MessageToDict(patch))
    return pod


def patched(document: dict, patch: dict) -> dict:
    """Applies RFC 6902's `add`, the only operation that the policies use."""
    if patch["op"] != "add":
        raise Refused(f"only `add` is known here: {patch}")
    document = copy.deepcopy(document)
    *folders, last = [it.replace("~1", "/").replace("~0", "~") for it in patch["path"].split("/")[1:]]
    place = document
    for it in folders:
        place = place[int(it)] if isinstance(place, list) else place[it]
    # protobuf's Value stores numbers as doubles.
    value = json.loads(
        json.dumps(patch["value"]), parse_float=lambda it: int(float(it)) if float(it).is_integer() else float(it)
    )
    if isinstance(place, list):
        place.insert(len(place) if last == "-" else int(last), value)
    else:
        place[last] = value
    return document
