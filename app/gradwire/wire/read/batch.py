"""Where the graphs of a batch stand in its body; each is read by the worker that runs it."""

from __future__ import annotations

import msgspec
import simdjson

from gradwire.contract.documents.batch import BatchBody
from gradwire.contract.documents.check import validate
from gradwire.contract.limits import Limits
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire.read.malformed import unreadable
from gradwire.wire.read.skeleton import skeleton

GRAPHS = "graphs"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_of_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_of_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read_batch(body: bytes, limits: Limits) -> list[tuple[int, int]]:
    """The first byte of each graph of a batch, and the byte after its last.

    Raises Refusal: `malformed_body` where the whole is not JSON; what is wrong in a graph alone, such as a member
    twice, is left for its own reply. `invalid_request`, and `limit_exceeded` for too many.
    """
    graphs = _list_of_graphs(body, limits.max_depth)
    if graphs is None:
        _, findings = validate(BatchBody, skeleton(body, limits.max_depth))
        raise Refusal(findings)
    start = body.index(graphs)
    # With an empty list in their place, the rest of the body is checked as any other is: members twice, or not known.
    rest = body[:start] + b"[]" + body[start + len(graphs) :]
    _, findings = validate(BatchBody, skeleton(rest, limits.max_depth))
    texts = _of_list(graphs)
    if len(texts) > limits.max_batch:
        message, expected = f"a batch has at most {limits.max_batch} graphs", f"at most {limits.max_batch}"
        findings.append(Finding("limit_exceeded", message, Source(f"/{GRAPHS}"), got=len(texts), expected=expected))
    if findings:
        raise Refusal(findings)
    return _ranges(body, start, texts)


def _list_of_graphs(body: bytes, max_depth: int) -> memoryview | None:
    """The text of the list; None where the body is no object that has one."""
    if body.startswith(_BYTE_ORDER_MARK):
        return None
    try:
        # Grammar, UTF-8 and the range of numbers, in the whole body.
        simdjson.Parser().parse(body)
        found = _of_object(body).get(GRAPHS)
    except msgspec.ValidationError:
        return None
    except (ValueError, RuntimeError) as error:  # a RecursionError too
        raise unreadable(body, error, max_depth) from None
    return memoryview(found) if found is not None and bytes(memoryview(found)[:1]) == b"[" else None


def _ranges(body: bytes, place: int, texts: list[msgspec.Raw]) -> list[tuple[int, int]]:
    """Where the items of a list stand; nothing but white space and a comma lies before each."""
    ranges = []
    for text in texts:
        start = body.index(text, place)
        place = start + memoryview(text).nbytes
        ranges.append((start, place))
    return ranges
