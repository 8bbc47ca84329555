"""A body's bytes to plain Python values, long lists of numbers left as buffers; strict JSON only.

simdjson says whether the bytes are JSON, with every number in range and every string well formed; msgspec then decodes
them, which it does faster and, unlike pysimdjson's recursive conversion, safely for lists of 2^24 items. Long lists of
numbers are cut out first, each standing in the rest as a word that no client can know.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import msgspec
import simdjson

from gradwire.findings import refuse
from gradwire.wire.read.arrays import NumberArray, number_array
from gradwire.wire.read.malformed import refuse_duplicates, too_deep, unreadable

# Below this, looking for long lists costs more than it saves.
SMALL_BODY = 4096
# A list with a shorter text becomes a Python list.
LONG_TEXT = 2048
# A body of more strings is not one of long lists; looking on would only cost time.
_MOST_STRINGS = 100_000
# Readers use a frame or two of Python's stack, which holds a thousand, for each level.
DEEPEST = 400
_decode = msgspec.json.Decoder().decode


def skeleton(body: bytes, max_depth: int) -> Any:
    """The JSON document in `body`: dict, list, str, int, float, bool, None, and NumberArray for long lists of numbers.

    `max_depth` counts nested lists and objects (DEEPEST holds above it). Raises Refusal (`malformed_body`) for all that
    contract section 7 calls malformed: not JSON, invalid UTF-8, a byte order mark, a lone surrogate, duplicate keys,
    nesting over the limit, a number that fits none of int64, uint64 and finite float64.
    """
    depth = min(max_depth, DEEPEST)
    if body.startswith(b"\xef\xbb\xbf"):
        raise refuse("malformed_body", "the body begins with a byte order mark", hint="send UTF-8 without one")
    if len(body) <= SMALL_BODY:
        return _plain(body, depth, body)
    mark = secrets.token_hex(16)
    rest, arrays = _cut(body, mark)
    document = _plain(rest, depth, body)
    if not arrays:
        return document
    place = {f"{mark}{index}": array for index, array in enumerate(arrays)}
    document = _filled(document, place, depth)
    if place:  # a list in the place of a member's name, where its stand-in is no mistake
        raise refuse("malformed_body", "the body is not JSON: a list stands where a member's name should")
    return document


def _plain(text: bytes, depth: int, body: bytes) -> Any:
    """All of `text` decoded to Python values; `body` is what errors are about."""
    try:
        simdjson.Parser().parse(text)
        document = _decode(text)
    except (ValueError, RuntimeError) as error:  # includes RecursionError and msgspec's errors
        raise unreadable(body, error, depth) from None
    if text.count(b"[") + text.count(b"{") > depth and _depth(document) > depth:
        raise too_deep(depth)
    if text.count(b":") != _count_members(document) and not _explained_by_strings(text, document):
        refuse_duplicates(text)
    return document


def _count_members(document: Any) -> int:
    """The members of all objects in `document`.

    Each has a colon in the text. One that was replaced by another of its name leaves a colon too many.
    """
    total = 0
    pending = [document]
    for value in pending:
        if type(value) is dict:
            total += len(value)
            pending.extend(value.values())
        elif type(value) is list:
            pending.extend(value)
    return total


def _explained_by_strings(text: bytes, document: Any) -> bool:
    """Whether the text has just as many colons as members and strings give it; False where escapes hide some."""
    if b"\\" in text:
        return False
    total = 0
    pending = [document]
    for value in pending:
        kind = type(value)
        if kind is str:
            total += value.count(":")
        elif kind is dict:
            total += len(value) + sum(name.count(":") for name in value)
            pending.extend(value.values())
        elif kind is list:
            pending.extend(value)
    return text.count(b":") == total


def _depth(document: Any) -> int:
    """How deep lists and objects nest."""
    depth = 0
    level = [document]
    while True:
        inside: list[Any] = []
        for value in level:
            if type(value) is dict:
                inside.append(list(value.values()))
            elif type(value) is list:
                inside.append(value)
        if not inside:
            return depth
        depth += 1
        level = [value for values in inside for value in values]


def _cut(body: bytes, mark: str) -> tuple[bytes, list[NumberArray]]:
    """`body` with each long list of numbers replaced by a string of `mark` and its index, and those lists."""
    pieces: list[bytes] = []
    arrays: list[NumberArray] = []
    done = 0
    for start, end in _gaps(body):
        for first, last in _lists_in(body, start, end):
            array = number_array(body[first:last])
            if array is not None:
                pieces += (body[done:first], f'"{mark}{len(arrays)}"'.encode())
                arrays.append(array)
                done = last
                break
    pieces.append(body[done:])
    return b"".join(pieces), arrays


def _gaps(body: bytes) -> list[tuple[int, int]]:
    """The long stretches of `body` that lie between strings."""
    gaps: list[tuple[int, int]] = []
    start = 0
    for _ in range(_MOST_STRINGS):
        quote = body.find(b'"', start)
        end = len(body) if quote < 0 else quote
        if end - start >= LONG_TEXT:
            gaps.append((start, end))
        if quote < 0:
            break
        start = _end_of_string(body, quote)
    return gaps


def _end_of_string(body: bytes, quote: int) -> int:
    """The position after the string that begins at `quote`; the end of the body where it does not end."""
    end = body.find(b'"', quote + 1)
    while end > 0 and body[end - 1] == 0x5C:
        backslashes = end - len(body[quote:end].rstrip(b"\\")) - quote
        if backslashes % 2 == 0:
            break
        end = body.find(b'"', end + 1)
    return len(body) if end < 0 else end + 1


def _lists_in(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the long list in this stretch may begin and end: guesses, of which the caller finds out the right one.

    First from the first bracket to the last; then without those of lists around it, which begin or end elsewhere.
    """
    first, last = body.find(b"[", start, end), body.rfind(b"]", start, end) + 1
    if first < 0 or last - first < LONG_TEXT:
        return
    yield first, last
    surplus = body.count(b"[", first, last) - body.count(b"]", first, last)
    for _ in range(surplus):
        first = body.find(b"[", first + 1, last)
    for _ in range(-surplus):
        last = body.rfind(b"]", first, last - 1) + 1
    if surplus and first >= 0 and last - first >= LONG_TEXT:
        yield first, last


def _filled(document: Any, place: dict[str, NumberArray], depth: int) -> Any:
    """`document` with the cut lists in their places again; those that were found are taken out of `place`."""
    if isinstance(document, str):
        return place.pop(document, document)
    pending: list[tuple[Any, int]] = [(document, 1)]
    for container, level in pending:
        if level > depth:
            raise too_deep(depth)
        members = container.items() if isinstance(container, dict) else enumerate(container)
        for step, value in members:
            kind = type(value)
            if kind is dict or kind is list:
                pending.append((value, level + 1))
            elif kind is str and value in place:
                array = place.pop(value)
                if level + len(array.shape) > depth:
                    raise too_deep(depth)
                container[step] = array
    return document
