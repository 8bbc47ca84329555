"""What can go wrong, with which status, and the document that tells the client (RFC 9457).

`STATUSES` is the only table of statuses. Everything else in gradwire reports `Finding`s; `problem` turns them into the
finished reply.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gradwire.findings import Finding

MEDIA_TYPE = "application/problem+json"
MAX_PROBLEM_BYTES = 64 * 1024

# The first error always fits: even if every character needs the six bytes of a \u escape, the texts below together
# stay under MAX_PROBLEM_BYTES.
_MESSAGE = 4096
_DETAIL = 1024
_POINTER = 1024
_NAME = 300
_VALUE = 512
_EXPECTED = 2048
_HINT = 512
# Room for the members beside `errors` and for the count of those left out.
_RESERVE = 512


@dataclass(frozen=True, slots=True)
class Row:
    """One code: the HTTP status, a title, and an explanation for /problems/<code>.

    `path_status` holds where the code is about the path or query itself (the finding has a `parameter`).
    """

    status: int
    title: str
    explanation: str
    path_status: int | None = None


STATUSES: dict[str, Row] = {
    "malformed_body": Row(
        400,
        "The body cannot be read",
        "The body is not what its media type says: not JSON, invalid UTF-8, a byte order mark, a lone surrogate, "
        "duplicate keys (also when one is escaped), nesting over the limit, a number that fits none of int64, uint64 "
        "and finite float64, or broken compression, multipart or safetensors.",
    ),
    "unauthorized": Row(
        401,
        "A key is needed",
        "This server asks for a key. Send it as `Authorization: Bearer KEY`; the reply names the scheme in "
        "`WWW-Authenticate`.",
    ),
    "forbidden": Row(
        403,
        "The request is not allowed",
        "The key may not do this, or the `Origin` or `Host` of the request is not one that this server serves.",
    ),
    "not_found": Row(404, "There is nothing here", "No resource has this path. A trailing slash makes another path."),
    "method_not_allowed": Row(
        405,
        "The path does not take this method",
        "The resource exists, but not for this method. `Allow` lists every method that it takes.",
    ),
    "not_acceptable": Row(
        406,
        "The reply cannot be written as asked",
        "None of the media types in `Accept` can be produced for this reply; `expected` lists those that can.",
    ),
    "request_timeout": Row(
        408,
        "The body came too slowly",
        "Too much time passed between two pieces of the body. Send the request again.",
    ),
    "body_too_large": Row(
        413,
        "The body is too large",
        "The body is over the server's limit, as sent or after decompression. GET /v1/server shows the limit as "
        "`limits.max_body_bytes`.",
    ),
    "unsupported_media_type": Row(
        415,
        "The body's media type or coding is not read here",
        "`Content-Type` names a media type, or `Content-Encoding` a coding, that this resource does not read; "
        "`expected` lists those that it does.",
    ),
    "invalid_request": Row(
        422,
        "The request has a wrong member",
        "A member of the body, or a parameter of the query, is missing, unknown, or of the wrong type. `pointer` is "
        "the place in the body; a query parameter is named by `parameter`.",
    ),
    "unknown_op": Row(
        422,
        "There is no such op",
        "Ops are named as in PyTorch's documentation, without the leading `torch.`: `add`, `Tensor.add_`, "
        "`nn.functional.relu`, `linalg.svd`. `hint` has the nearest names; GET /v1/ops lists all. In a graph this is "
        "422, in a path 404.",
        path_status=404,
    ),
    "excluded_op": Row(
        422,
        "The op cannot be used over HTTP",
        "The op exists in PyTorch but is left out here: it works on files, storage, callables or the state of the "
        "whole process, or cannot run on this machine. The message says which; GET /v1/ops?status=excluded lists all.",
    ),
    "unknown_reference": Row(
        422,
        "A reference leads nowhere",
        "A reference such as `$x` or `$t.0` names nothing that exists at that point: a misspelt name, a node that "
        "comes later, or a path that the value does not have.",
    ),
    "duplicate_id": Row(
        422,
        "Two things have the same name",
        "Inputs and nodes share one namespace, and each name stands once. `pointer` is the second's.",
    ),
    "invalid_argument": Row(
        422,
        "An argument does not fit",
        "An argument is missing, too many, unknown, of the wrong type or with a value that cannot be passed on. Where "
        "no overload binds, `expected` lists the op's overloads.",
    ),
    "invalid_tensor": Row(
        422,
        "A tensor document is wrong",
        "Something inside a tensor document does not fit: ragged data, a count that does not match `shape`, a null, "
        "an element that the dtype cannot hold, an unknown dtype or encoding. `pointer` leads to the element where it "
        "is known.",
    ),
    "op_failed": Row(
        422,
        "PyTorch refused the operation",
        "The op was run and raised; `message` is PyTorch's own. For an in-place change that broke a backward pass, "
        "`hint` names the node that made it.",
    ),
    "limit_exceeded": Row(
        422,
        "A limit would be exceeded",
        "The run needs more memory, elements, nodes, steps or reply text than this server allows. /v1/server shows "
        "the limits.",
    ),
    "unavailable_device": Row(
        422,
        "The device is not there",
        "The graph or a tensor asks for a device that this server does not have; `expected` lists those present.",
    ),
    "invalid_program": Row(
        422,
        "The program cannot be compiled",
        "The program's text uses something outside the part of Python that is understood here; `line` and `column` "
        "say where, and the message what to write instead.",
    ),
    "rate_limited": Row(
        429,
        "Too many requests",
        "The key's rate is used up for now. `Retry-After` says when to come again.",
    ),
    "worker_lost": Row(
        500,
        "An op killed its worker",
        "The process that ran the request died. Only this request is lost; another worker takes its place. The same "
        "request will probably fail again.",
    ),
    "internal_error": Row(
        500,
        "A fault of the server",
        "Something went wrong that is not the request's fault. The detail has the request's id, which the server's "
        "log explains.",
    ),
    "overloaded": Row(
        503,
        "The server is busy",
        "No worker could take the request in time: the queue is full, or it waited too long. `Retry-After` says when "
        "to come again.",
    ),
    "deadline_exceeded": Row(
        504,
        "The run took too long",
        "The run passed its `deadline_ms` or the server's own limit and was stopped. `node` names the node that was "
        "running, where there was one.",
    ),
}

_FALLBACK = "internal_error"


def row_of(code: str) -> Row:
    """The table's row; a code that has none is a fault of ours and is treated as one."""
    return STATUSES.get(code, STATUSES[_FALLBACK])


def status_of(finding: Finding) -> int:
    """The HTTP status for one finding; a code about the path itself may have another than the same code in a body."""
    row = row_of(finding.code)
    if row.path_status is not None and finding.parameter is not None:
        return row.path_status
    return row.status


def problem(findings: Sequence[Finding]) -> tuple[int, bytes]:
    """The status and the `application/problem+json` document (at most 64 KiB) for `findings`, at least one.

    The first finding gives `status`, `code`, `title` and `detail`. Errors that do not fit are counted in `omitted`.
    """
    first = findings[0]
    status = status_of(first)
    document: dict[str, Any] = {
        "type": f"/problems/{first.code}",
        "title": row_of(first.code).title,
        "status": status,
        "detail": _cut(first.message, _DETAIL),
        "code": first.code,
    }
    size = len(orjson.dumps(document)) + _RESERVE
    errors: list[orjson.Fragment] = []
    for finding in findings:
        text = orjson.dumps(error_document(finding))
        size += len(text) + 1
        if errors and size > MAX_PROBLEM_BYTES:
            break
        errors.append(orjson.Fragment(text))
    document["errors"] = errors
    if len(errors) < len(findings):
        document["omitted"] = len(findings) - len(errors)
    return status, orjson.dumps(document)


def error_document(finding: Finding) -> dict[str, Any]:
    """One entry of `errors`: strict JSON, long texts cut."""
    source = finding.source
    entry: dict[str, Any] = {"pointer": _cut(source.pointer, _POINTER)}
    if finding.node is not None:
        entry["node"] = _cut(finding.node, _NAME) if isinstance(finding.node, str) else finding.node
    entry["code"] = finding.code
    entry["message"] = _cut(finding.message, _MESSAGE)
    if finding.got is not None:
        entry["got"] = _bounded(finding.got, _VALUE)
    if finding.expected is not None:
        entry["expected"] = _bounded(finding.expected, _EXPECTED)
    if finding.hint is not None:
        entry["hint"] = _cut(finding.hint, _HINT)
    if finding.parameter is not None:
        entry["parameter"] = _cut(finding.parameter, _NAME)
    places = {
        "line": source.line,
        "column": source.column,
        "end_line": source.end_line,
        "end_column": source.end_column,
    }
    entry.update((name, place) for name, place in places.items() if place is not None)
    return entry


def order(findings: Iterable[Finding], skeleton: Any) -> list[Finding]:
    """`findings` in the order of the request's own members: a place before what is inside it, unknown places last.

    `skeleton` is the decoded body. Findings at the same place are ordered by line and column, else keep their order.
    """
    places = _Places(skeleton)
    return sorted(findings, key=lambda finding: (places.key(finding.source.pointer), _position(finding)))


def _position(finding: Finding) -> tuple[int, int]:
    return finding.source.line or 0, finding.source.column or 0


class _Places:
    """Where members stand in a document, worked out once per object that a pointer crosses."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._members: dict[int, dict[str, int]] = {}

    def key(self, pointer: str) -> tuple[float, ...]:
        """Comparable place of `pointer`: the position of each of its steps among its siblings."""
        here = self._document
        key: list[float] = []
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(here, dict):
                key.append(self._positions(here).get(name, math.inf))
                here = here.get(name)
            else:
                index = int(name) if name.isascii() and name.isdigit() and len(name) < 19 else -1
                key.append(index if index >= 0 else math.inf)
                here = here[index] if isinstance(here, list) and 0 <= index < len(here) else None
        return tuple(key)

    def _positions(self, members: dict[str, Any]) -> dict[str, int]:
        known = self._members.get(id(members))
        if known is None:
            known = {name: place for place, name in enumerate(members)}
            self._members[id(members)] = known
        return known


_SURROGATES = re.compile("[\ud800-\udfff]")


def _cut(text: str, limit: int) -> str:
    """`text` with at most `limit` characters, and no lone surrogate (JSON in UTF-8 has no word for it)."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return _SURROGATES.sub("\ufffd", short)


def _bounded(value: Any, limit: int) -> Any:
    """`value` as strict JSON; what would take more than about `limit` characters becomes text, cut."""
    room = [limit]
    try:
        return _strict(value, room, 0)
    except _TooLong:
        return _cut(_preview(value), limit)


class _TooLong(Exception):
    """A value is too big to be shown whole."""


_LARGEST_EXACT = 2**53 - 1


def _strict(value: Any, room: list[int], depth: int) -> Any:
    """`value` in what JSON has: non-finite floats and big integers as strings; `room` counts down what is left."""
    writer = _WRITERS.get(type(value), _other)
    written = writer(value, room, depth)
    if room[0] < 0 or depth > 20:
        raise _TooLong
    return written


def _string(value: str, room: list[int], depth: int) -> str:
    room[0] -= len(value) + 2
    return _cut(value, len(value) or 1)


def _integer(value: int, room: list[int], depth: int) -> int | str:
    if abs(value) <= _LARGEST_EXACT:
        room[0] -= 18
        return value
    if value.bit_length() > 4096:
        return _string(f"an integer of {value.bit_length()} bits", room, depth)
    return _string(str(value), room, depth)


def _float(value: float, room: list[int], depth: int) -> float | str:
    room[0] -= 26
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _word(value: bool | None, room: list[int], depth: int) -> bool | None:
    room[0] -= 5
    return value


def _list(value: Sequence[Any], room: list[int], depth: int) -> list[Any]:
    room[0] -= 2
    if len(value) > room[0]:
        raise _TooLong
    return [_strict(item, room, depth + 1) for item in value]


def _dict(value: dict[Any, Any], room: list[int], depth: int) -> dict[str, Any]:
    room[0] -= 2
    if len(value) > room[0]:
        raise _TooLong
    return {_string(str(name), room, depth): _strict(item, room, depth + 1) for name, item in value.items()}


def _other(value: Any, room: list[int], depth: int) -> Any:
    """Anything else, such as a lazily read list of numbers: its text, or its kind where it has no short one."""
    return _string(_preview(value), room, depth)


_WRITERS: dict[type, Callable[[Any, list[int], int], Any]] = {
    str: _string,
    int: _integer,
    float: _float,
    bool: _word,
    type(None): _word,
    list: _list,
    tuple: _list,
    dict: _dict,
}


def _preview(value: Any) -> str:
    """A short text for a value that is too big to show: what it is and how it begins."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        names = ", ".join(str(name)[:40] for name, _ in zip(value, range(5), strict=False))
        return f"an object of {len(value)} members: {names}"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)} items"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"numbers of shape {list(shape)}"
    return type(value).__name__
