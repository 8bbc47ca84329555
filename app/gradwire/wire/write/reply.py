"""The replies of graphs and single ops: strict JSON around values that are written already."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import orjson
import torch

from gradwire.contract.limits import Limits
from gradwire.engine.derivatives.asked import Derivatives
from gradwire.engine.graph import Statement
from gradwire.engine.language.budget import Printed
from gradwire.engine.values import Outcome, OutputValue
from gradwire.findings import Refusal
from gradwire.wire.write.room import Room, TooLarge, Unwritable
from gradwire.wire.write.value import ValueWriter, integer, real

_VERSION = torch.__version__.partition("+")[0]


def graph_reply(outcome: Outcome, timing_ms: Mapping[str, float], limits: Limits) -> bytes:
    """The body of a reply to POST /v1/graphs/run. `encode` is added to `timing_ms`.

    Raises room.Unwritable, a Refusal (mostly `limit_exceeded`), before a value that does not fit is written.
    """
    started = perf_counter()
    room = Room(limits.max_output_bytes)
    writer = ValueWriter(room)
    outputs = {}
    for name, output in outcome.outputs.items():
        room.output = name
        outputs[name] = _written(output, writer)
    room.output = None
    document: dict[str, Any] = {"outputs": outputs}
    if outcome.tape is not None:
        document["tape"] = _plain(outcome.tape, writer)
    if outcome.printed is not None:
        document["printed"] = [_printed(entry, node) for entry, node in outcome.printed]
    return finished(document, outcome, timing_ms, started, room)


def op_reply(outcome: Outcome, timing_ms: Mapping[str, float], limits: Limits) -> bytes:
    """The body of a reply to POST /v1/ops/{name}: the outcome's only output as `result`."""
    started = perf_counter()
    room = Room(limits.max_output_bytes)
    (output,) = outcome.outputs.values()
    document = {"result": ValueWriter(room).write(output.value, output.encoding, output.full)}
    return finished(document, outcome, timing_ms, started, room)


def _written(output: OutputValue, writer: ValueWriter) -> dict[str, Any]:
    try:
        return writer.write(output.value, output.encoding, output.full)
    except Unwritable:
        raise
    except Refusal as refusal:
        raise Unwritable(refusal.findings, writer.room.output) from None


def _printed(entry: Printed, node: Statement) -> dict[str, Any]:
    """What one `print` wrote, with its line in a program or its node."""
    line = node.source.line
    place = {"node": node.label} if line is None else {"line": line}
    return {**place, "text": entry.text, **({"end": entry.end} if entry.end != "\n" else {})}


def finished(
    document: dict[str, Any], outcome: Outcome | Derivatives, timing_ms: Mapping[str, float], started: float, room: Room
) -> bytes:
    """The body of a reply, with what every reply of a computation says of it. Raises room.TooLarge."""
    document["seed"] = outcome.seed
    document["device"] = outcome.device
    document["torch"] = _VERSION
    encode = 1e3 * (perf_counter() - started)
    document["timing_ms"] = {name: round(value, 3) for name, value in (*timing_ms.items(), ("encode", encode))}
    body = orjson.dumps(document)
    if len(body) > room.limit:
        raise TooLarge(room.limit, None)
    return body


def _plain(value: Any, writer: ValueWriter) -> Any:
    """What stands in a tape, in strict JSON: tensors as documents, numbers as in values."""
    if isinstance(value, dict):
        return {str(name): _plain(item, writer) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, writer) for item in value]
    if isinstance(value, torch.Tensor):
        return writer.write(value, "json", False)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, complex):
        return [real(value.real), real(value.imag)]
    return str(value).removeprefix("torch.")
