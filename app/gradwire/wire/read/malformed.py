"""What is wrong with a body that is not a document: found again, slowly, by a reader that can say where."""

from __future__ import annotations

import json
from typing import Any

from gradwire.findings import Refusal, Source, refuse

# Finding the place of a syntax error reads the body a second time; not worth it for megabytes.
_LARGEST_TO_EXPLAIN = 1 << 20


def too_deep(depth: int) -> Refusal:
    """The refusal of a document that nests over the limit."""
    return refuse(
        "malformed_body", f"lists and objects are nested more than {depth} deep", expected=f"at most {depth} levels"
    )


def unreadable(body: bytes, error: Exception, depth: int) -> Refusal:
    """The refusal of a body that the parsers refused with `error`, with the place where it can be told."""
    words = str(error)
    if isinstance(error, UnicodeDecodeError) or "UTF8_ERROR" in words:
        return refuse("malformed_body", f"the body is not valid UTF-8{_bad_byte(body)}")
    if isinstance(error, RecursionError) or "DEPTH_ERROR" in words:
        return too_deep(depth)
    if not body.strip(b" \t\r\n"):
        return refuse("malformed_body", "the body is empty", expected="a JSON document")
    place = _syntax_error(body)
    if place is not None:
        return place
    if "NUMBER_ERROR" in words or "BIGINT_ERROR" in words or "out of range" in words:
        return refuse(
            "malformed_body",
            "the body has a number that fits none of int64, uint64 and finite float64",
            hint='write it as a string in a tensor of its dtype, or as {"int": "…"} or {"float": "Infinity"} in args',
        )
    if "STRING_ERROR" in words:
        return refuse("malformed_body", "a string in the body has a wrong escape or a lone surrogate")
    return refuse("malformed_body", "the body is not JSON")


def _bad_byte(body: bytes) -> str:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f" at byte {error.start}"
    return ""


def _syntax_error(body: bytes) -> Refusal | None:
    """The first place that is not JSON, by a second, slower reader that says where."""
    if len(body) > _LARGEST_TO_EXPLAIN:
        return None
    try:
        # Numbers are not the question here, and the longest ones would be refused.
        json.loads(body, parse_constant=_refuse_word, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        return refuse("malformed_body", message, Source("", line=error.lineno, column=error.colno))
    except _Word as error:
        hint = f'write the string "{error}" in a tensor, or {{"float": "{error}"}} in args'
        return refuse("malformed_body", f"the body is not JSON: a bare {error}", hint=hint)
    except (ValueError, RecursionError):
        return None
    return None


class _Word(Exception):
    """NaN, Infinity or -Infinity stands bare in the body."""


def _refuse_word(word: str) -> None:
    raise _Word(word)


class _Duplicate:
    """Stands for an object that has the member `name` twice."""

    def __init__(self, name: str) -> None:
        self.name = name


def refuse_duplicates(text: bytes) -> None:
    """Raise Refusal if an object in `text`, which is JSON, has a member twice, with the object's place and the name."""
    found: list[_Duplicate] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Duplicate:
        document = dict(pairs)
        if len(document) == len(pairs):
            return document
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                break
            seen.add(name)
        found.append(_Duplicate(name))
        return found[-1]

    document = json.loads(text, object_pairs_hook=members)
    if found:
        source = _place_of_duplicate(document)
        raise refuse(
            "malformed_body",
            f"the object at '{source.pointer[:256]}' has the member '{found[0].name[:64]}' twice",
            got=found[0].name,
            expected="every member name once in an object",
        )


def _place_of_duplicate(document: Any) -> Source:
    """Where the first marked object stands; one inside another is found with it."""
    pending: list[tuple[Any, Source]] = [(document, Source())]
    for value, source in pending:
        if isinstance(value, _Duplicate):
            return source
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        pending.extend(
            (inside, source.at(step)) for step, inside in members if isinstance(inside, (dict, list, _Duplicate))
        )
    return Source()
