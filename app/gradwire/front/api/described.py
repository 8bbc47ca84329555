"""The parts of the OpenAPI document that operations share: bodies, replies, and every error with an example."""

from __future__ import annotations

from typing import Any

import orjson

from gradwire.contract.media import JSON
from gradwire.contract.problems import MEDIA_TYPE, STATUSES, problem
from gradwire.findings import Finding, Source

Responses = dict[int | str, dict[str, Any]]


def reference(model: str) -> dict[str, str]:
    """A schema that is the component `model` of the document."""
    return {"$ref": f"#/components/schemas/{model}"}


def json_body(model: str, description: str, examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The `requestBody` of an operation."""
    content = {JSON: {"schema": reference(model), "examples": examples}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


def json_reply(model: str, description: str) -> Responses:
    """The 200 of an operation."""
    return {200: {"description": description, "content": {JSON: {"schema": reference(model)}}}}


def problems(*findings: Finding) -> Responses:
    """The errors of an operation by status, each code with a real document as example."""
    responses: Responses = {}
    for finding in findings:
        status, document = problem([finding])
        title = STATUSES[finding.code].title
        response = responses.setdefault(status, _empty(status))
        response["description"] += f"{'; ' if response['description'] else ''}{title} (`{finding.code}`)"
        example = {"summary": title, "value": orjson.loads(document)}
        response["content"][MEDIA_TYPE]["examples"][finding.code] = example
    return dict(sorted(responses.items(), key=lambda entry: int(entry[0])))


def _empty(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "",
        "content": {MEDIA_TYPE: {"schema": reference("ProblemDocument"), "examples": {}}},
    }
    if status in _FIELDS:
        response["headers"] = {name: _HEADERS[name] for name in _FIELDS[status]}
    return response


_HEADERS: dict[str, dict[str, Any]] = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "The scheme.", "schema": {"type": "string", "const": "Bearer"}},
    "RateLimit-Policy": {
        "description": "The limits: `q` of them in `w` seconds (draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string", "examples": ['"requests";q=100;w=60']},
    },
    "RateLimit": {
        "description": "What is left: `r` of them for the next `t` seconds.",
        "schema": {"type": "string", "examples": ['"requests";r=0;t=17']},
    },
}
_FIELDS = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit-Policy", "RateLimit"),
    503: ("Retry-After",),
}


NOT_ACCEPTABLE = Finding("not_acceptable", f"the reply can be written as {JSON} only", got="text/csv", expected=[JSON])
UNAUTHORIZED = Finding("unauthorized", "this server asks for a key", expected="Authorization: Bearer KEY")
FORBIDDEN = Finding("forbidden", "pages of that Origin may not send requests here", got="https://example.com")
RATE_LIMITED = Finding("rate_limited", "100 requests in 60 s are used up", hint="come again in 17 s")
OVERLOADED = Finding("overloaded", "the queue is full")
INTERNAL_ERROR = Finding("internal_error", "something went wrong here; the request's id is 7c2f9a")
UNKNOWN_OP = Finding("unknown_op", "there is no op `matmull`", got="matmull", hint="matmul", parameter="name")
WORKER_LOST = Finding("worker_lost", "the worker died while it ran the node `y`", Source("/nodes/1"), node="y")

DEADLINE = Finding("deadline_exceeded", "stopped after 5000 ms while the node `y` ran", Source("/nodes/1"), node="y")
# What every operation that asks a worker can meet.
WORKER_PROBLEMS = (WORKER_LOST, INTERNAL_ERROR, OVERLOADED, DEADLINE)

# What every operation that runs something can meet, whatever the body holds.
_JOB = (
    Finding("malformed_body", "the body is not JSON: it ends within an object", got="byte 12"),
    NOT_ACCEPTABLE,
    Finding("request_timeout", "no byte of the body came for 30000 ms"),
    Finding("body_too_large", "the body is over 67108864 bytes", expected="at most 67108864 bytes"),
    Finding("unsupported_media_type", "text/plain is not read here", got="text/plain", expected=[JSON]),
)
GRAPH_PROBLEMS = (
    *_JOB,
    Finding(
        "invalid_request",
        "a node has no member `arg`",
        Source("/nodes/0/arg"),
        node="y",
        got="arg",
        expected=["id", "op", "args", "kwargs", "no_grad"],
        hint="did you mean `args`?",
    ),
    Finding("unknown_op", "there is no op `matmull`", Source("/nodes/1/op"), node="y", got="matmull", hint="matmul"),
    Finding("excluded_op", "`save` writes files", Source("/nodes/1/op"), node="y", got="save"),
    Finding("unknown_reference", "nothing is named `w`", Source("/nodes/1/args/0"), node="y", got="$w"),
    Finding("duplicate_id", "`x` is the name of an input already", Source("/nodes/0/id"), node="x", got="x"),
    Finding(
        "invalid_argument",
        "`dims` is no parameter of `sum`",
        Source("/nodes/2/kwargs/dims"),
        node=2,
        got="dims",
        hint="did you mean `dim`?",
    ),
    Finding(
        "invalid_tensor", "this row has 1 element, the first has 2", Source("/inputs/x/data/1"), got=[1], expected=2
    ),
    Finding("op_failed", "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)", Source("/nodes/0"), node="y"),
    Finding("limit_exceeded", "the reply would be over 67108864 bytes", Source("/nodes/0"), node="y"),
    Finding("unavailable_device", "there is no `cuda` here", Source("/device"), got="cuda", expected=["cpu"]),
    *WORKER_PROBLEMS,
)
# Of the whole; what is wrong with one graph is a result.
BATCH_PROBLEMS = (
    *_JOB,
    Finding("invalid_request", "a batch must have `graphs`", expected="graphs"),
    Finding("limit_exceeded", "a batch has at most 1000 graphs", Source("/graphs"), got=1001, expected="at most 1000"),
    *WORKER_PROBLEMS,
)
PROGRAM_PROBLEMS = (
    Finding(
        "invalid_program",
        "classes are no part of the programs that are understood here\n    class Net:\n    ^^^^^^^^^^",
        Source("/program", 2, 1, 2, 11),
        hint="write a function, or tensors and functions of them",
    ),
)
CALL_PROBLEMS = (
    *_JOB,
    UNKNOWN_OP,
    Finding("excluded_op", "`save` writes files", got="save", parameter="name"),
    Finding(
        "invalid_request",
        "a call has no member `arg`",
        Source("/arg"),
        got="arg",
        expected=["args", "kwargs", "seed", "device", "encoding", "describe", "deadline_ms"],
        hint="did you mean `args`?",
    ),
    Finding(
        "invalid_argument",
        "`alfa` is no parameter of `add`",
        Source("/kwargs/alfa"),
        got="alfa",
        hint="did you mean `alpha`?",
    ),
    Finding("invalid_tensor", "there is no dtype `float31`", Source("/args/0/dtype"), got="float31"),
    Finding("op_failed", "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0"),
    Finding("limit_exceeded", "the result would be over 67108864 bytes"),
    Finding("unavailable_device", "there is no `cuda` here", Source("/device"), got="cuda", expected=["cpu"]),
    *WORKER_PROBLEMS,
)
