"""Values of every kind to documents (contract section 1, last paragraph)."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import MemberDescriptorType
from typing import Any

import numpy as np
import orjson
import torch

from gradwire.contract.limits import Limits
from gradwire.engine.values import NoneBecause
from gradwire.findings import refuse
from gradwire.wire.write.floats import python_float
from gradwire.wire.write.parts import FileParts
from gradwire.wire.write.room import Room
from gradwire.wire.write.tensor import TensorWriter, grad_fn_name

_EXACT = 2**53 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")
# About what the members around a value take.
_AROUND = 24
MOST_LEVELS = 100
# The parts of one value, each counted as often as it occurs: a few nodes can make a list of lists with 10^100 of them.
MOST_PARTS = 1_000_000
_TENSOR_DTYPES = frozenset(
    "float64 float32 float16 complex128 complex64 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()
)


class ValueWriter:
    """Writes the values of one reply into documents for orjson, within `room`.

    `parts` takes the tensors that are written in the encoding `part`.
    """

    def __init__(self, room: Room, parts: FileParts | None = None) -> None:
        self.room = room
        self.parts = parts
        self.tensors = TensorWriter(room, parts)

    def write(self, value: Any, encoding: str, full: bool, level: int = 0) -> dict[str, Any]:
        """The document of `value`; tensors in `encoding` (`json`, `base64`), with strides and storage if `full`.

        Raises Refusal (`limit_exceeded`) where it does not fit.
        """
        if isinstance(value, torch.Tensor):
            return self.tensors.tensor(value, encoding, full)
        self.room.take(_AROUND)
        if level == 0 and isinstance(value, (list, tuple, dict)):
            check_parts(value)
        if isinstance(value, np.ndarray):
            return self._array(value, encoding, full)
        if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
            return self._sequence(value, encoding, full, _deeper(level))
        if isinstance(value, dict):
            items = {
                strict_text(name): self._inside(name, item, encoding, full, _deeper(level))
                for name, item in value.items()
            }
            self.room.take(sum(map(len, items)))
            return {"kind": "dict", "items": items}
        return self._scalar(value)

    def write_as(self, name: str, value: Any, encoding: str, full: bool) -> dict[str, Any]:
        """As `write`, of a value that the reply calls `name`; where there are `parts`, its tensors are put there."""
        if self.parts is None:
            return self.write(value, encoding, full)
        with self.parts.inside(name):
            return self.write(value, "part", full)

    def _scalar(self, value: Any) -> dict[str, Any]:
        for kinds, write in _SCALARS:
            if isinstance(value, kinds):
                document = write(value)
                break
        else:
            document = _other(value)
        if isinstance(document["value"], (str, list)):
            self.room.take(len(document["value"]))
        return document

    def _array(self, array: np.ndarray, encoding: str, full: bool) -> dict[str, Any]:
        if array.dtype.newbyteorder("=").name in _TENSOR_DTYPES:
            return self.tensors.array(array, encoding, full)
        raise refuse("invalid_argument", f"an array of dtype {array.dtype} cannot be written", got=str(array.dtype))

    def _sequence(self, value: list[Any] | tuple[Any, ...], encoding: str, full: bool, level: int) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": "tuple" if isinstance(value, tuple) else "list"}
        names = field_names(type(value))
        if names:
            kind = type(value)
            document["type"] = f"{kind.__module__}.{kind.__qualname__}"
            document["names"] = names
        if self.parts is None:
            document["items"] = [self.write(item, encoding, full, level) for item in value]
        else:
            steps = names or range(len(value))
            document["items"] = [
                self._inside(step, item, encoding, full, level) for step, item in zip(steps, value, strict=True)
            ]
        return document

    def _inside(self, step: Any, item: Any, encoding: str, full: bool, level: int) -> dict[str, Any]:
        """The document of a part of a value; its tensors are named by the steps that lead to them."""
        if self.parts is None:
            return self.write(item, encoding, full, level)
        with self.parts.inside(step):
            return self.write(item, encoding, full, level)


def encode(value: Any, encoding: str, full: bool, limits: Limits) -> dict[str, Any]:
    """The document of one value, for orjson."""
    return ValueWriter(Room(limits.max_output_bytes)).write(value, encoding, full)


def check_parts(value: Any) -> None:
    """Raises Refusal (`limit_exceeded`) for a list, tuple or dict that nests too deep or has too many parts."""
    _parts(value, 0, {})


def _parts(value: Any, level: int, known: dict[int, int]) -> int:
    """The parts of `value`, each container looked into once however often it occurs."""
    total = 1
    level = _deeper(level)
    for part in value.values() if isinstance(value, dict) else value:
        if not isinstance(part, (list, tuple, dict)):
            total += 1
        elif id(part) in known:
            total += known[id(part)]
        else:
            known[id(part)] = _parts(part, level, known)
            total += known[id(part)]
        if total > MOST_PARTS:
            message = f"a value has more than {MOST_PARTS} parts, counting everything in it each time it occurs"
            raise refuse("limit_exceeded", message, expected=f"at most {MOST_PARTS}", hint="return tensors")
    return total


def _deeper(level: int) -> int:
    if level >= MOST_LEVELS:
        raise refuse("limit_exceeded", f"a value nests more than {MOST_LEVELS} deep", expected=MOST_LEVELS)
    return level + 1


def field_names(kind: type) -> list[str]:
    """The names of a named tuple's items, Python's or PyTorch's (a C struct sequence); empty for a plain one."""
    if hasattr(kind, "_fields"):
        return list(kind._fields)
    if kind.__module__ != "torch.return_types":
        return []
    return [name for name, member in vars(kind).items() if isinstance(member, MemberDescriptorType)]


def integer(value: int) -> int | str:
    """An int as JSON: beyond ±(2^53-1) as a string, since many readers would round it.

    Raises Refusal (`limit_exceeded`) for one whose text Python refuses to make.
    """
    if -_EXACT <= value <= _EXACT:
        return value
    if value.bit_length() > 3 * sys.get_int_max_str_digits():
        raise refuse("limit_exceeded", f"an integer of {value.bit_length()} bits is too long to be written")
    return str(value)


def real(value: float) -> orjson.Fragment:
    """A float as JSON."""
    return orjson.Fragment(python_float(value))


def strict_text(value: Any) -> str:
    """The text of a string, of a key, of what was printed.

    Raises Refusal (`invalid_argument`) for half a surrogate pair, which Python's strings may hold and UTF-8 has not.
    """
    written = str(value)
    if not written.isascii() and (lone := _SURROGATE.search(written)) is not None:
        message = "a text holds half of a surrogate pair, which no reply can"
        raise refuse("invalid_argument", message, got=f"\\u{ord(lone[0]):04x}", hint="write the character itself")
    return written


def _complex(value: complex) -> dict[str, Any]:
    return {"kind": "complex", "value": [real(value.real), real(value.imag)]}


def _none(value: NoneBecause | None) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": "none", "value": None}
    if value is not None:
        document["note"] = value.note
    return document


def _text(kind: str) -> Callable[[Any], dict[str, Any]]:
    """PyTorch's own text, without `torch.`, as it may be sent back."""
    return lambda value: {"kind": kind, "value": str(value).removeprefix("torch.")}


def _other(value: Any) -> dict[str, Any]:
    """Anything else: its type's name; its own text might hold an address."""
    name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    name = "function" if name.startswith("gradwire.") else name
    return {"kind": "string", "value": name, "note": "a value of this type has no form of its own here"}


_SCALARS: tuple[tuple[type | tuple[type, ...], Callable[[Any], dict[str, Any]]], ...] = (
    ((bool, np.bool_), lambda value: {"kind": "bool", "value": bool(value)}),
    ((int, np.integer), lambda value: {"kind": "int", "value": integer(int(value))}),
    ((float, np.floating), lambda value: {"kind": "float", "value": real(float(value))}),
    ((complex, np.complexfloating), lambda value: _complex(complex(value))),
    (str, lambda value: {"kind": "string", "value": strict_text(value)}),
    ((NoneBecause, type(None)), _none),
    (torch.Size, lambda value: {"kind": "size", "value": [integer(part) for part in value]}),
    (torch.dtype, _text("dtype")),
    (torch.device, _text("device")),
    (torch.layout, _text("layout")),
    (torch.memory_format, _text("memory_format")),
    (np.dtype, lambda value: {"kind": "dtype", "value": value.name}),
    (torch.autograd.graph.Node, lambda value: {"kind": "string", "value": grad_fn_name(value)}),
    (slice, lambda value: {"kind": "string", "value": repr(value)}),
    ((torch.finfo, torch.iinfo, type(...)), lambda value: {"kind": "string", "value": repr(value)}),
)
