"""What SDKs can tell of an answer to a call of --expect-access, and where servers are known to differ from the sandbox in that.

botocore's models of the services say which of them is right.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

import botocore.parsers
import botocore.session
from botocore.model import OperationModel

from peers.access_front import Exchange

# botocore's name of the operation, where it is not the action's.
OPERATIONS = {"s3:ListBucket": "ListObjectsV2", "lambda:InvokeFunction": "Invoke"}


@cache
def session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def model(action: str) -> OperationModel:
    service, name = action.split(":")
    return session().get_service_model(service).operation_model(OPERATIONS.get(action, name))


def content_type(operation: OperationModel) -> str:
    """The one of the service's protocol."""
    service = operation.service_model
    version = service.metadata.get("jsonVersion")
    types = {"json": f"application/x-amz-json-{version}", "rest-json": "application/json", "rest-xml": "application/xml"}
    return types.get(service.metadata["protocol"], "text/xml")


@dataclass(frozen=True)
class Form:
    """What SDKs can tell of an answer, apart from its values."""

    status: int
    content_type: str
    # As botocore reads it.
    code: str
    # Where the code is, or the outermost names of a success.
    place: str
    request_id: str

    @classmethod
    def of(cls, action: str, exchange: Exchange) -> "Form":
        headers = exchange.headers
        ids = [name for name in ("x-amzn-requestid", "x-amz-request-id") if name in headers]
        code = parsed(action, exchange).get("Error", {}).get("Code", "")
        media = headers.get("content-type", "").split(";")[0] if exchange.answer else ""
        return cls(exchange.status, media, code, place(exchange), " ".join(ids))

    def differences(self, other: "Form") -> set[str]:
        return {name for name, value in vars(self).items() if value != getattr(other, name)}


def parsed(action: str, exchange: Exchange) -> dict:
    """Read by botocore, as every SDK would."""
    parser = botocore.parsers.create_parser(model(action).service_model.metadata["protocol"])
    response = {"status_code": exchange.status, "headers": exchange.headers, "body": exchange.answer.encode()}
    return parser.parse(response, model(action).output_shape)


def place(exchange: Exchange) -> str:
    text = exchange.answer.strip()
    if text.startswith("{"):
        names = json.loads(text).keys()
        if exchange.status < 300:
            return ", ".join(sorted(names))
        header = ["x-amzn-errortype"] if "x-amzn-errortype" in exchange.headers else []
        return ", ".join([*header, *sorted(names & {"__type", "code"})])
    if not text:
        return ""
    root = ElementTree.fromstring(text)
    path = path_to(root, "Code")
    return "/".join(path) if path else bare(root.tag)


def path_to(element: ElementTree.Element, name: str) -> list[str] | None:
    if bare(element.tag) == name:
        return [name]
    below = (path_to(child, name) for child in element)
    return next(([bare(element.tag), *path] for path in below if path), None)


def bare(tag: str) -> str:
    """Without the namespace."""
    return tag.rpartition("}")[2]


@dataclass(frozen=True)
class Known:
    """A difference between a server's answers and the sandbox's. botocore's model of the service says which is right."""

    # Patterns of situations and actions.
    situations: str
    actions: str
    fields: set[str]
    why: str

    def is_about(self, situation: str, action: str) -> bool:
        return bool(re.fullmatch(self.situations, situation) and re.match(self.actions, action))


ALL, REFUSALS = "\\w+", "denied|blocked"
PAGE = {"status", "code", "content_type", "place"}
KNOWN = [
    Known(ALL, "s3", {"request_id"}, "S3 and SeaweedFS call it x-amz-request-id; moto's is that of the other services"),
    Known("allowed", "kms:Decrypt", PAGE - {"status"}, "moto ignores the dry run, and then refuses the invented ciphertext"),
    # AWS's own answer is in LocalStack's tests (test_kms.snapshot.json, recorded on 2025-04-06): 400, although the model says 412.
    Known("allowed", "kms:(Encrypt|GenerateDataKey)", PAGE, "moto ignores the dry run"),
    Known("allowed", "ec2:DescribeVolumes", PAGE - {"content_type"}, "moto ignores the dry run of this operation"),
    Known(REFUSALS, "sqs|dynamodb|kms", PAGE, "moto denies with IAM's XML in a page; as JSON it has no code"),
    Known(REFUSALS, "lambda|ec2", PAGE - {"status"}, "the same, with the same status by chance"),
    Known(REFUSALS, "sts", {"content_type", "place"}, "the same, with the same code; moto puts an Errors around the Error"),
    Known("missing", "sqs|dynamodb|kms|lambda", {"place"}, "moto gives the code twice, in a header and in the body"),
    Known("missing", "dynamodb|kms", {"content_type"}, "moto's errors are application/json whatever the version"),
]
# Of these moto does the operation, or tries to. The probe must not take that for a permission.
DONE_IN_SPITE_OF_DRY_RUN = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "ec2:DescribeVolumes"]
# The codes of a denial; AccessDeniedException where none is listed.
DENIALS = {"s3": "AccessDenied", "sts": "AccessDenied", "ec2": "UnauthorizedOperation"}
DRY_RUNS = {"kms": "DryRunOperationException", "ec2": "DryRunOperation"}


def problems(situation: str, action: str, exchange: Exchange) -> list[str]:
    """Where an answer is not what botocore's model of the service says."""
    operation, read = model(action), parsed(action, exchange)
    code, service = read.get("Error", {}).get("Code", ""), action.split(":")[0]
    modelled = {it.metadata.get("error", {}).get("code", it.name): it for it in operation.error_shapes}
    # For old clients the answer has the code of the time before JSON in a header, which botocore prefers.
    if "awsQueryCompatible" in operation.service_model.metadata and "x-amzn-query-error" in exchange.headers:
        code = json.loads(exchange.answer)["__type"].rpartition("#")[2]
    found = []
    media = exchange.headers.get("content-type", "").split(";")[0]
    if exchange.answer and media != content_type(operation):
        found.append(f"the content type is {media}")
    if situation == "allowed":
        expected = DRY_RUNS.get(service, "")
        if not expected and not read.keys() & operation.output_shape.members.keys():
            found.append(f"no member of the output is in {exchange.answer}")
    elif situation == "missing":
        expected = code if code in modelled else f"one of {[*modelled]}"
    else:
        expected = DENIALS.get(service, "AccessDeniedException")
    if code != expected:
        found.append(f"the code is {code}, expected {expected}")
    status = modelled[code].metadata.get("error", {}).get("httpStatusCode") if code in modelled else None
    if status not in (None, exchange.status):
        found.append(f"the status is {exchange.status}, expected {status}")
    is_compatible = "awsQueryCompatible" in operation.service_model.metadata
    if is_compatible and situation == "missing" and "x-amzn-query-error" not in exchange.headers:
        found.append("x-amzn-query-error is missing")
    return found
