"""A whole body in the safetensors format: the graph in its metadata, its tensors being the graph's inputs.

The format: eight bytes that say how long the header is, the header (JSON), then the tensors' bytes without gaps.
https://github.com/huggingface/safetensors#format. Its own library copies each tensor, and does not tell the metadata.
"""

from __future__ import annotations

from typing import Any

from gradwire.contract.dtypes import DTYPES
from gradwire.contract.memory import Body
from gradwire.findings import Finding, Refusal, Source, refuse
from gradwire.wire import file_dtypes
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.nesting import count
from gradwire.wire.read.skeleton import skeleton

METADATA = "__metadata__"
REQUEST = "request"
_LENGTH = 8
# The format's own bound.
_LONGEST_HEADER = 100_000_000
_MOST_DIMENSIONS = 64
_DTYPES = {word: DTYPES[name] for name, word in file_dtypes.SAFETENSORS.items()}


def read_safetensors(body: Body, max_depth: int) -> tuple[Any, Parts]:
    """The graph's document with the file's tensors among its inputs, and their bytes by name, as views of `body`.

    Raises Refusal: `malformed_body` for what is no such file, `invalid_tensor` for an input that has data twice.
    """
    view = memoryview(body)
    header, start = _header(view, max_depth)
    metadata = header.pop(METADATA, None)
    text = metadata.get(REQUEST) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise _broken(f"its metadata holds the graph, as JSON text under the key `{REQUEST}`")
    tensors, parts = _tensors(header, view[start:])
    document = skeleton(text.encode(), max_depth)
    if isinstance(document, dict):
        inputs = document.setdefault("inputs", {})
        if isinstance(inputs, dict):
            _join(inputs, tensors)
    return document, parts


def _header(view: memoryview, max_depth: int) -> tuple[dict[str, Any], int]:
    """The header, and where the tensors' bytes begin."""
    if len(view) < _LENGTH:
        raise _broken("it is shorter than the length of its header")
    length = int.from_bytes(view[:_LENGTH], "little")
    if length > min(_LONGEST_HEADER, len(view) - _LENGTH):
        raise _broken(f"its header is said to have {length} bytes")
    text = bytes(view[_LENGTH : _LENGTH + length])
    if not text.startswith(b"{"):
        raise _broken("its header does not begin with {")
    try:
        header = skeleton(text, max_depth)
    except Refusal as refusal:
        for finding in refusal.findings:
            finding.message = f"in the header of the safetensors body: {finding.message}"
        raise
    assert isinstance(header, dict)
    return header, _LENGTH + length


def _tensors(header: dict[str, Any], data: memoryview) -> tuple[dict[str, dict[str, Any]], dict[str, memoryview]]:
    """Each tensor as a document, and its bytes. All bytes belong to one tensor each."""
    spans: list[tuple[int, int, str]] = []
    documents: dict[str, dict[str, Any]] = {}
    for name, entry in header.items():
        start, stop, documents[name] = _entry(name, entry)
        spans.append((start, stop, name))
    place = 0
    for start, stop, name in sorted(spans, key=lambda span: span[:2]):
        if start != place:
            raise _broken(f"the bytes of '{name[:64]}' begin at {start} and not at {place}")
        place = stop
    if place != len(data):
        raise _broken(f"its tensors have {place} bytes, and {len(data)} follow the header")
    return documents, {name: data[start:stop] for start, stop, name in spans}


def _entry(name: str, entry: Any) -> tuple[int, int, dict[str, Any]]:
    what = f"the entry '{name[:64]}' of its header"
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _broken(f"{what} has not just dtype, shape and data_offsets")
    word, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    dtype = _DTYPES.get(word) if isinstance(word, str) else None
    if dtype is None:
        raise _broken(f"{what} has a dtype that is not read here", got=word, expected=list(_DTYPES))
    if not _is_sizes(shape) or len(shape) > _MOST_DIMENSIONS:
        raise _broken(f"{what} has a shape that is no list of at most {_MOST_DIMENSIONS} sizes")
    if not _is_sizes(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != count(tuple(shape)) * dtype.itemsize:
        raise _broken(f"{what} has data_offsets that do not fit its dtype and shape")
    document = {"dtype": dtype.name, "shape": shape, "encoding": "part", "data": name}
    return offsets[0], offsets[1], document


def _is_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _join(inputs: dict[str, Any], tensors: dict[str, dict[str, Any]]) -> None:
    """Put the file's tensors among the inputs. Raises Refusal (`invalid_tensor`) for what was said otherwise."""
    findings: list[Finding] = []
    for name, document in tensors.items():
        said = inputs.get(name, {})
        place = Source("/inputs").at(name)
        if not isinstance(said, dict):
            message = "the data of this input is in the body's tensors"
            findings.append(Finding("invalid_tensor", message, place, expected='{"requires_grad": true}'))
            continue
        for member in said.keys() & document.keys():
            if member in ("data", "encoding") or not _agrees(member, said[member], document[member]):
                message = f"the `{member}` of this input is in the body's tensors"
                source = place.at(member)
                findings.append(Finding("invalid_tensor", message, source, got=said[member], hint="leave it out"))
        inputs[name] = {**said, **document}
    if findings:
        raise Refusal(findings)


def _agrees(member: str, said: Any, known: Any) -> bool:
    if member == "dtype" and isinstance(said, str):
        known_too = DTYPES[known].aliases
        return said.removeprefix("torch.") in (known, *known_too)
    return bool(said == known)


def _broken(why: str, **more: Any) -> Refusal:
    return refuse("malformed_body", f"the body is not what this service reads as safetensors: {why}", **more)
