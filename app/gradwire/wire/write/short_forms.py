"""The replies of POST /v1/autograd/{name}."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import torch

from gradwire.contract.limits import Limits
from gradwire.engine.derivatives.asked import Derivatives
from gradwire.wire.write.reply import finished
from gradwire.wire.write.room import Room, Unwritable
from gradwire.wire.write.value import ValueWriter, integer, real

# The only output of the graph: whatever does not fit comes from it.
VALUE = "value"


def short_form_reply(found: Derivatives, timing_ms: Mapping[str, float], limits: Limits) -> bytes:
    """The body of the reply. `encode` is added to `timing_ms`. Tensors come without their tape.

    Raises room.Unwritable (`limit_exceeded`) where it does not fit.
    """
    started = perf_counter()
    room = Room(limits.max_output_bytes)
    try:
        document = _members(found, room)
    except Unwritable as error:
        error.output = VALUE
        raise
    if found.notes:
        document["notes"] = found.notes
    return finished(document, found, timing_ms, started, room)


def _members(found: Derivatives, room: Room) -> dict[str, Any]:
    writer = ValueWriter(room)
    document: dict[str, Any] = {}
    for name, value in found.members.items():
        room.output = name
        document[name] = _written(value, writer, found.encoding)
    room.output = None
    return document


def _written(value: Any, writer: ValueWriter, encoding: str) -> Any:
    if isinstance(value, torch.Tensor):
        return writer.write(value.detach(), encoding, False)
    if isinstance(value, dict):
        return {name: _written(one, writer, encoding) for name, one in value.items()}
    if isinstance(value, list):
        return [_written(one, writer, encoding) for one in value]
    if isinstance(value, complex):
        return [real(value.real), real(value.imag)]
    if isinstance(value, float):
        return real(value)
    return integer(value) if isinstance(value, int) and not isinstance(value, bool) else value
