"""The one-key objects that stand in arguments where JSON has no word (contract section 2)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from gradwire.contract.dtypes import DTYPES
from gradwire.engine import devices
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire.read.elements import Bits, WrongElement, read_float

Constant = TypeVar("Constant")
_LONGEST_INT = 1234  # digits of an integer of 4,096 bits, and a minus


def _named(kind: type) -> dict[str, Any]:
    """PyTorch's public constants of one type, by name."""
    found = {name: value for name, value in vars(torch).items() if isinstance(value, kind) and name[0] != "_"}
    return found | {f"torch.{name}": value for name, value in found.items()}


TORCH_DTYPES: dict[str, torch.dtype] = _named(torch.dtype)
LAYOUTS: dict[str, torch.layout] = _named(torch.layout)
MEMORY_FORMATS: dict[str, torch.memory_format] = _named(torch.memory_format)


def wrong(message: str, source: Source, got: Any, expected: Any = None, hint: str | None = None) -> Refusal:
    """The refusal of one literal."""
    return Refusal([Finding("invalid_argument", message, source, got=got, expected=expected, hint=hint)])


def read_dtype(value: Any, source: Source) -> torch.dtype:
    return _constant("dtype", TORCH_DTYPES, list(DTYPES), value, source)


def read_layout(value: Any, source: Source) -> torch.layout:
    return _constant("layout", LAYOUTS, _plain(LAYOUTS), value, source)


def read_memory_format(value: Any, source: Source) -> torch.memory_format:
    return _constant("memory format", MEMORY_FORMATS, _plain(MEMORY_FORMATS), value, source)


def _constant(what: str, known: dict[str, Constant], shown: list[str], value: Any, source: Source) -> Constant:
    if isinstance(value, str) and value in known:
        return known[value]
    raise wrong(f"this is no {what}", source, value, shown)


def _plain(known: dict[str, Any]) -> list[str]:
    return [name for name in known if not name.startswith("torch.")]


def read_device(value: Any, source: Source) -> torch.device:
    if not isinstance(value, str):
        raise wrong("a device is named by a text", source, value, "cpu")
    return devices.resolve(value, source)


def read_ellipsis(value: Any, source: Source) -> Any:
    if value is not True:
        raise wrong("an ellipsis is written with true", source, value, True)
    return ...


def read_python_float(value: Any, source: Source) -> float:
    """A float: a number, decimal text, the words for NaN and infinities, or the bits of a float64."""
    try:
        number = read_float(value, DTYPES["float64"])
    except WrongElement as error:
        raise wrong(str(error), source, value, error.expected) from None
    if isinstance(number, Bits):
        return float(struct.unpack("<d", struct.pack("<Q", number))[0])
    return number


def read_python_int(value: Any, source: Source) -> int:
    """An int of at most 4,096 bits: a JSON integer, or its digits."""
    if type(value) is int:
        return value
    if not isinstance(value, str) or not value.removeprefix("-").isdecimal() or not value.isascii():
        raise wrong("this is no integer", source, value, "an optional minus and digits")
    if len(value) > _LONGEST_INT or (number := int(value)).bit_length() > 4096:
        raise wrong("an integer has at most 4,096 bits", source, value, "at most 4,096 bits")
    return number


def read_complex(value: Any, source: Source) -> complex:
    if not isinstance(value, list) or len(value) != 2:
        raise wrong("a complex number is a pair", source, value, "[re, im]")
    return complex(*(read_python_float(part, source.at(index)) for index, part in enumerate(value)))


CONSTANTS: dict[str, Callable[[Any, Source], Any]] = {
    "dtype": read_dtype,
    "ellipsis": read_ellipsis,
    "float": read_python_float,
    "complex": read_complex,
    "memory_format": read_memory_format,
    "layout": read_layout,
    "int": read_python_int,
    "device": read_device,
}
