"""Holds replies of the running service to openapi/openapi.json."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

DOCUMENT = Path(__file__).parents[2] / "openapi" / "openapi.json"
PROBLEM = "application/problem+json"
# Lists are held to the schema as far as this: a tensor's millionth number says no more than its first.
LONGEST = 50


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document as it stands in the repository."""
    return json.loads(DOCUMENT.read_text("utf-8"))


def check_reply(method: str, path: str, status: int, media_type: str | None, body: bytes) -> None:
    """Assert that the OpenAPI document foresees this reply: its status, its media type, and all that is in it.

    A path or method that the document does not have can only be refused, with a problem document; pages for people
    are not in it, and are passed over.
    """
    essence = (media_type or "").partition(";")[0].strip()
    operation = _operation(method, path)
    if operation is None:
        if status >= 400:
            assert essence == PROBLEM, f"{method} {path}: {status} is {essence}"
            _check({"$ref": "#/components/schemas/ProblemDocument"}, body)
        return
    described = operation["responses"].get(str(status))
    assert described is not None, f"{method} {path}: {status} is not in openapi.json"
    assert essence in described["content"], f"{method} {path}: {status} as {essence} is not in openapi.json"
    if essence.endswith("json"):
        _check(described["content"][essence]["schema"], body)


def check_response(response: httpx.Response) -> None:
    """`check_reply` as an event hook of httpx: `httpx.Client(event_hooks={"response": [check_response]})`."""
    response.read()
    request = response.request
    if request.method not in ("HEAD", "OPTIONS"):
        media_type = response.headers.get("content-type")
        check_reply(request.method, request.url.path, response.status_code, media_type, response.content)


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    paths = document()["paths"].items()
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path.replace(".", r"\."))), operations) for path, operations in paths
    ]


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in _operations():
        if pattern.fullmatch(path):
            return operations.get(method.lower())
    return None


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": document()["components"]})


def _check(schema: dict[str, Any], body: bytes) -> None:
    value = _shortened(json.loads(body, parse_constant=_no_constant))
    errors = list(_validator(json.dumps(schema)).iter_errors(value))
    assert not errors, f"not what openapi.json says: {errors[0].json_path}: {errors[0].message[:500]}"


def _no_constant(word: str) -> None:
    raise AssertionError(f"a reply holds {word}, which is no JSON")


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(item) for item in value[:LONGEST]]
    if isinstance(value, dict):
        return {name: _shortened(item) for name, item in value.items()}
    return value
