"""The replies of POST /v1/autograd/{name}."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import torch

from gradwire.contract.limits import Limits
from gradwire.engine.derivatives.asked import Derivatives
from gradwire.wire.write.parts import FileParts
from gradwire.wire.write.reply import Written, finished
from gradwire.wire.write.room import Room, Unwritable
from gradwire.wire.write.value import ValueWriter, integer, real

# The only output of the graph: whatever does not fit comes from it.
VALUE = "value"


def short_form_reply(
    found: Derivatives, timing_ms: Mapping[str, float], limits: Limits, parts: FileParts | None = None
) -> Written:
    """The body of the reply. `encode` is added to `timing_ms`. Tensors come without their tape, in `parts` if given.

    Raises room.Unwritable (`limit_exceeded`) where it does not fit.
    """
    started = perf_counter()
    room = Room(limits.max_output_bytes)
    try:
        document = _members(found, ValueWriter(room, parts))
    except Unwritable as error:
        error.output = VALUE
        raise
    if found.notes:
        document["notes"] = found.notes
    return finished(document, found, timing_ms, started, room, parts)


def _members(found: Derivatives, writer: ValueWriter) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in found.members.items():
        writer.room.output = name
        document[name] = _written((name,), value, writer, found.encoding)
    writer.room.output = None
    return document


def _written(path: tuple[str, ...], value: Any, writer: ValueWriter, encoding: str) -> Any:
    """A member or what it holds; `path` leads to it."""
    if isinstance(value, torch.Tensor):
        return writer.write_as(".".join(path), value.detach(), encoding, False)
    if isinstance(value, dict):
        return {name: _written((*path, name), one, writer, encoding) for name, one in value.items()}
    if isinstance(value, list):
        return [_written((*path, str(place)), one, writer, encoding) for place, one in enumerate(value)]
    if isinstance(value, complex):
        return [real(value.real), real(value.imag)]
    if isinstance(value, float):
        return real(value)
    return integer(value) if isinstance(value, int) and not isinstance(value, bool) else value
