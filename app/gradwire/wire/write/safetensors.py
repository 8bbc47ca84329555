"""The safetensors format (wire/read/safetensors.py says what it is)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gradwire.contract.memory import Buffer

if TYPE_CHECKING:
    from gradwire.wire.write.parts import Part

# What follows the header is aligned for every dtype, as the format's own library has it.
_ALIGNMENT = 8


def safetensors(parts: list[Part], document: bytes) -> list[Buffer]:
    """A file of `parts`, with the reply's JSON in the metadata key `reply`. The parts' bytes are not copied."""
    # The widest elements first, so that each tensor is aligned for its own.
    ordered = sorted(parts, key=lambda part: (-_width(part), part.name))
    header: dict[str, Any] = {"__metadata__": {"reply": document.decode()}}
    place = 0
    for part in ordered:
        end = place + part.data.nbytes
        header[part.name] = {"dtype": part.dtype, "shape": part.shape, "data_offsets": [place, end]}
        place = end
    text = orjson.dumps(header)
    text += b" " * (-len(text) % _ALIGNMENT)
    return [len(text).to_bytes(8, "little") + text, *(part.data for part in ordered)]


def _width(part: Part) -> int:
    """Bits of one element."""
    digits = part.dtype.partition("_")[0].lstrip("BFCIU")
    return int(digits) if digits.isdecimal() else 8
