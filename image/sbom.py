"""The software bill of materials, as CycloneDX 1.5 in JSON. The same sources give the same text, on every machine."""

import json
import uuid
from datetime import UTC, datetime

from crates import Crate


def written(crates: list[Crate], time: int) -> str:
    ours, *others = crates
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(ours, "application"),
        },
        "components": [component(it, "library") for it in others],
        "dependencies": [
            {"ref": reference(it.name, it.version), "dependsOn": sorted(reference(*need) for need in it.needs)} for it in crates
        ],
    }
    # Derived from the content, so that it does not change from run to run.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bom, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{serial}", **bom}, indent=1, sort_keys=True) + "\n"


def component(crate: Crate, kind: str) -> dict:
    place = reference(crate.name, crate.version)
    said = {"type": kind, "bom-ref": place, "purl": place, "name": crate.name, "version": crate.version}
    if crate.description:
        said["description"] = " ".join(crate.description.split())
    if crate.license:
        said["licenses"] = [{"expression": crate.license}]
    if crate.sha256:
        said["hashes"] = [{"alg": "SHA-256", "content": crate.sha256}]
    if crate.repository:
        said["externalReferences"] = [{"type": "vcs", "url": crate.repository}]
    return said


def reference(name: str, version: str) -> str:
    return f"pkg:cargo/{name}@{version}"
