"""Judges raw responses by the API model: members, types, enums, numbers as timestamps, no nulls, statuses, headers.

Not a second parser: botocore is lenient with what it reads, and other SDKs are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
CONTENT_TYPE = "application/x-amz-json-1.1"

# Errors that any operation of an AWS JSON service can have, though no model lists them.
COMMON_ERRORS = {
    "AccessDeniedException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationException",
}


def judge(model: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """What is wrong with a response; nothing, if it is as the model has it."""
    return list(_judge(model, status, {name.lower(): value for name, value in headers.items()}, body))


def _judge(model: OperationModel, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    if not UUID.match(headers.get("x-amzn-requestid", "")):
        yield f"x-amzn-RequestId is {headers.get('x-amzn-requestid')!r}"
    if headers.get("content-type") != CONTENT_TYPE:
        yield f"Content-Type is {headers.get('content-type')!r}"
    try:
        document = json.loads(body)
    except ValueError as error:
        yield f"the body is no JSON: {error}: {body[:200]!r}"
        return
    if status == 200:
        yield from faults(model.output_shape, document, model.name)
    else:
        yield from _error(model, status, document)


def _error(model: OperationModel, status: int, document: Any) -> Iterator[str]:
    if not isinstance(document, dict) or not isinstance(document.get("__type"), str):
        yield f"an error without __type: {document!r}"
        return
    code = document["__type"]
    if status != (500 if code == "ServerException" else 400):
        yield f"{code} with status {status}"
    declared = {shape.name: shape for shape in model.error_shapes}
    if code in declared:
        members = {name: value for name, value in document.items() if name != "__type"}
        yield from faults(declared[code], members, code)
    elif code not in COMMON_ERRORS:
        yield f"{code} is no error of {model.name}, which has {sorted(declared)}"
    if not isinstance(document.get("message"), str):
        yield f"{code} without a message: {document!r}"


def faults(shape: Shape | None, value: Any, path: str) -> Iterator[str]:
    """What of `value` is not as `shape` has it."""
    if shape is None:
        if value != {}:
            yield f"{path}: {value!r}, where nothing is answered"
    elif value is None:
        yield f"{path}: null"
    elif isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from faults(shape.member, item, f"{path}[{index}]")
        else:
            yield f"{path}: {value!r} is no list"
    elif isinstance(shape, MapShape):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from faults(shape.value, item, f"{path}[{key!r}]")
        else:
            yield f"{path}: {value!r} is no map"
    else:
        yield from _scalar(shape, value, path)


def _structure(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no structure"
        return
    for name, item in value.items():
        if name in shape.members:
            yield from faults(shape.members[name], item, f"{path}.{name}")
        else:
            yield f"{path}.{name}: no member of {shape.name}"
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name}: required and not there"


def _scalar(shape: Shape, value: Any, path: str) -> Iterator[str]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = shape.type_name
    good = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": number and isinstance(value, int) and -(2**31) <= value < 2**31,
        "long": number and isinstance(value, int) and -(2**63) <= value < 2**63,
        "float": number,
        "double": number,
        # Seconds of this century: neither milliseconds nor a text.
        "timestamp": number and 946_684_800 <= value < 4_102_444_800,
    }[kind]
    if not good:
        yield f"{path}: {value!r} is no {kind}"
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum}"
