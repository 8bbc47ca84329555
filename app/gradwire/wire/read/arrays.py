"""A long list of numbers as one buffer, without a Python object per number."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import simdjson
import torch

from gradwire.wire.formats import owned

# Doubles from here on may stand for an integer that they cannot hold.
EXACT = 2.0**53
# pysimdjson counts the items of one list in 24 bits, and converts longer ones to Python lists beyond their end.
_COUNT_SATURATES = 0xFFFFFF
_KINDS = {"i": np.dtype("i8"), "u": np.dtype("u8"), "d": np.dtype("f8")}


class NumberArray:
    """A rectangular, nested JSON list of numbers (no booleans), not empty.

    `flat` holds them in C order: int64 where all are integers that fit, uint64 where one is larger and none negative,
    else float64, as Python reads them. `tolist` gives Python's own numbers, also where float64 loses an integer's bits.
    """

    __slots__ = ("_text", "flat", "shape")

    def __init__(self, shape: tuple[int, ...], flat: np.ndarray, text: bytes) -> None:
        self.shape = shape
        self.flat = flat
        self._text = text

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"numbers of shape {list(self.shape)}"

    @property
    def has_fraction(self) -> bool:
        """Whether one of the numbers is a float in JSON (1.0 and 1e3 are)."""
        return self.flat.dtype.kind == "f"

    @property
    def lossy(self) -> bool:
        """Whether an integer may have lost bits: floats and large integers in one list."""
        return self.has_fraction and bool((np.abs(self.flat) >= EXACT).any())

    def tolist(self) -> list[Any]:
        """Python's nested lists and numbers, new ones each time."""
        return msgspec.json.decode(self._text)  # type: ignore[no-any-return]

    def tensor(self) -> torch.Tensor:
        """What `torch.tensor` infers from the list: int64, or float32 with a float in it. A new tensor each time.

        Raises ValueError, as `torch.tensor` does, for integers beyond int64.
        """
        if self.flat.dtype.kind == "u":
            raise ValueError("Overflow when unpacking long long")
        if self.has_fraction:
            return owned(self.flat, shape=self.shape).to(torch.float32)
        return owned(self.flat, shape=self.shape)


def number_array(text: bytes) -> NumberArray | None:
    """The JSON list `text` as a NumberArray; None where it is no JSON list, ragged, or holds anything but numbers."""
    try:
        document = simdjson.Parser().parse(text)
    except (ValueError, RuntimeError):
        return None
    shape = _leading_shape(document)
    flat = _buffer(document) if shape else None
    if flat is None or flat.size == 0:
        return None
    if len(shape) == 1:
        shape = (flat.size,)
    if max(shape[:-1], default=0) >= _COUNT_SATURATES or flat.size != math.prod(shape):
        return None
    # The count of brackets tells a list in the place of a number (`[[1, 2], [3, [4]]]`), which a buffer hides.
    if text.count(b"[") != _brackets(shape) or not _rectangular(document, shape):
        return None
    return NumberArray(shape, flat, text)


def _leading_shape(document: Any) -> tuple[int, ...]:
    """The lengths of the list, its first item, that one's first item and so on."""
    shape: list[int] = []
    while type(document) is simdjson.Array:
        shape.append(len(document))
        if shape[-1] == 0:
            break
        document = document[0]
    return tuple(shape)


def _buffer(document: Any) -> np.ndarray | None:
    """All numbers of a nested list: int64 if that holds them, else uint64, else float64."""
    for kind, dtype in _KINDS.items():
        try:
            return np.frombuffer(document.as_buffer(of_type=kind), dtype)
        except (TypeError, ValueError):
            continue
    return None


def _brackets(shape: tuple[int, ...]) -> int:
    """How many `[` a list of that shape has."""
    total, lists = 0, 1
    for size in shape:
        total += lists
        lists *= size
    return total


def _rectangular(document: Any, shape: tuple[int, ...]) -> bool:
    """Whether every list at every level has the length that its level's first one has."""
    if len(shape) == 1:
        return True
    try:
        if any(len(row) != shape[1] for row in document):
            return False
    except TypeError:
        return False
    return len(shape) == 2 or all(_rectangular(row, shape[1:]) for row in document)
