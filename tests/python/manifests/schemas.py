"""Checks objects with the schemas of Kubernetes (strict: no unknown field) and of two operators' kinds."""

import functools

import jsonschema
from kubernetes_validate import utils

from manifests import tree


# A schema has some megabytes for each version, and would be read again for each object.
utils.schema_contents = functools.cache(utils.schema_contents)


def problems(object: dict, version: int) -> list[str]:
    if tree.of_operator(object):
        return of_operator(object)
    if f"1.{version}.0" not in all_versions():
        return [f"no schemas for 1.{version}"]
    try:
        utils.validate(object, f"1.{version}", strict=True)
    except utils.ValidationError as error:
        return [f"1.{version}: {'.'.join(map(str, error.path))}: {error.message[:200]}"]
    except utils.SchemaNotFoundError as error:
        return [f"1.{version}: {error.message}"]
    return []


all_versions = functools.cache(utils.all_versions)


def of_operator(object: dict) -> list[str]:
    """Uses models made from the operators' CRDs. They allow unknown fields, which is removed here."""
    validator = jsonschema.Draft202012Validator(operator_schema(object["kind"]))
    return [
        f"{'.'.join(map(str, it.absolute_path))}: {it.message[:200]}"
        for one in validator.iter_errors(object)
        for it in leaves(one)
    ]


def leaves(error: jsonschema.ValidationError) -> list[jsonschema.ValidationError]:
    """Optional fields are "this or null" in these schemas. What is wrong with "this" is in the context below."""
    return [it for below in error.context for it in leaves(below)] or [error]


@functools.cache
def operator_schema(kind: str) -> dict:
    if kind == "ClusterPolicy":
        from cloudcoil.models.kyverno import v1 as models
    else:
        from cloudcoil.models.prometheus_operator import v1 as models
    schema = getattr(models, kind).model_json_schema()
    close(schema)
    return schema


def close(schema: object) -> None:
    if isinstance(schema, list):
        for it in schema:
            close(it)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
        for it in schema.values():
            close(it)
