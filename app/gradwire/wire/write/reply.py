"""The replies of graphs and single ops: strict JSON around values that are written already."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any, TypeAlias

import orjson
import torch

from gradwire.contract.limits import Limits
from gradwire.contract.memory import Buffer
from gradwire.engine.derivatives.asked import Derivatives
from gradwire.engine.graph import Statement
from gradwire.engine.language.budget import Printed
from gradwire.engine.values import Outcome, OutputValue
from gradwire.findings import Refusal
from gradwire.wire.write.parts import FileParts
from gradwire.wire.write.room import Room, TooLarge, Unwritable
from gradwire.wire.write.value import ValueWriter, integer, real, strict_text
from gradwire.wire.write.variables import variable

# One piece of JSON, or the pieces of a file.
Written: TypeAlias = bytes | list[Buffer]

_VERSION = torch.__version__.partition("+")[0]


def graph_reply(
    outcome: Outcome, timing_ms: Mapping[str, float], limits: Limits, parts: FileParts | None = None
) -> Written:
    """The body of a reply to POST /v1/graphs/run. `encode` is added to `timing_ms`; `parts` takes the outputs' tensors,
    where these travel beside the JSON.

    Raises room.Unwritable, a Refusal (mostly `limit_exceeded`), before a value that does not fit is written.
    """
    started = perf_counter()
    room = Room(limits.max_output_bytes)
    writer = ValueWriter(room, parts)
    outputs = {}
    for name, output in outcome.outputs.items():
        room.output = name
        outputs[name] = _written(name, output, writer)
    room.output = None
    document: dict[str, Any] = {"outputs": outputs}
    if outcome.tape is not None:
        document["tape"] = _plain(outcome.tape, writer)
    if outcome.printed is not None:
        document["printed"] = [_printed(entry, node) for entry, node in outcome.printed]
    if outcome.variables is not None:
        document["variables"] = {name: variable(value, writer) for name, value in outcome.variables.items()}
    return finished(document, outcome, timing_ms, started, room, parts)


def op_reply(
    outcome: Outcome, timing_ms: Mapping[str, float], limits: Limits, parts: FileParts | None = None
) -> Written:
    """The body of a reply to POST /v1/ops/{name}: the outcome's only output as `result`."""
    started = perf_counter()
    room = Room(limits.max_output_bytes)
    (output,) = outcome.outputs.values()
    writer = ValueWriter(room, parts)
    document = {"result": writer.write_as("result", output.value, output.encoding, output.full)}
    return finished(document, outcome, timing_ms, started, room, parts)


def _written(name: str, output: OutputValue, writer: ValueWriter) -> dict[str, Any]:
    try:
        return writer.write_as(name, output.value, output.encoding, output.full)
    except Unwritable:
        raise
    except Refusal as refusal:
        raise Unwritable(refusal.findings, writer.room.output) from None


def _printed(entry: Printed, node: Statement) -> dict[str, Any]:
    """What one `print` wrote, with its line in a program or its node."""
    line = node.source.line
    place = {"node": node.label} if line is None else {"line": line}
    try:
        written, end = strict_text(entry.text), strict_text(entry.end)
    except Refusal as refusal:
        for finding in refusal.findings:
            finding.source, finding.node = node.source, node.label
        raise
    return {**place, "text": written, **({"end": end} if end != "\n" else {})}


def finished(
    document: dict[str, Any],
    outcome: Outcome | Derivatives,
    timing_ms: Mapping[str, float],
    started: float,
    room: Room,
    parts: FileParts | None = None,
) -> Written:
    """The body of a reply, with what every reply of a computation says of it. Raises room.TooLarge, and Refusal for
    `parts` that cannot be packed."""
    document["seed"] = outcome.seed
    document["device"] = outcome.device
    document["torch"] = _VERSION
    encode = 1e3 * (perf_counter() - started)
    document["timing_ms"] = {name: round(value, 3) for name, value in (*timing_ms.items(), ("encode", encode))}
    text = orjson.dumps(document)
    body: Written = text if parts is None else parts.packed(text)
    if length(body) > room.limit:
        raise TooLarge(room.limit, None)
    return body


def length(written: Written) -> int:
    """Bytes of a body in one piece or in several."""
    return len(written) if isinstance(written, bytes) else sum(map(len, written))


def _plain(value: Any, writer: ValueWriter) -> Any:
    """What stands in a tape, in strict JSON: tensors as documents, numbers as in values."""
    kind = type(value)
    if kind is str or kind is bool or value is None:  # most of a tape, and a tape may be long
        return value
    if kind is int:
        return integer(value)
    if isinstance(value, dict):
        return {str(name): _plain(item, writer) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, writer) for item in value]
    if isinstance(value, torch.Tensor):
        return writer.write(value, "json", False)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, complex):
        return [real(value.real), real(value.imag)]
    return str(value).removeprefix("torch.")
