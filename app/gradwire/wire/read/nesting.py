"""Nested lists to one flat list with its shape, and where in the lists an element stands."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from gradwire.findings import Finding, Source
from gradwire.wire.read.arrays import NumberArray

# What torch.tensor takes: a list that nests deeper "has too many dimensions".
MOST_DIMENSIONS = 128


class Ragged(Exception):
    """The lists do not nest as a rectangle. `place` holds the indices of the first item that differs."""

    def __init__(self, message: str, place: list[int], got: Any, expected: Any) -> None:
        super().__init__(message)
        self.place = place
        self.got = got
        self.expected = expected

    def finding(self, source: Source) -> Finding:
        """The finding, where `source` is the place of the outermost list."""
        where = source.at(*self.place) if self.place else source
        return Finding("invalid_tensor", str(self), where, got=self.got, expected=self.expected)


def flatten(data: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested lists, and their elements in C order; shape () for what is no list.

    Raises Ragged at the first item that differs from its level's first one: another length, or no list beside lists.
    """
    if not _is_list(data):
        return (), [data]
    level: list[Any] = _items(data)
    shape = [len(level)]
    while level and _is_list(level[0]):
        size = len(level[0])
        for index, item in enumerate(level):
            if not _is_list(item) or len(item) != size:
                raise _ragged(item, size, unravel(index, shape))
        shape.append(size)
        level = list(itertools.chain.from_iterable(map(_items, level)))
    for index, item in enumerate(level):
        if _is_list(item):
            message = "the data is ragged: a list stands where the first item is none"
            raise Ragged(message, unravel(index, shape), "a list", "a number")
    return tuple(shape), level


def _is_list(value: Any) -> bool:
    return type(value) is list or type(value) is NumberArray


def _items(value: list[Any] | NumberArray) -> list[Any]:
    return value.tolist() if isinstance(value, NumberArray) else value


def _ragged(item: Any, size: int, place: list[int]) -> Ragged:
    if _is_list(item):
        message = f"the data is ragged: a list of {len(item)}, where the first list of its level has {size}"
        return Ragged(message, place, len(item), f"a list of {size}")
    return Ragged("the data is ragged: no list stands where the first item is one", place, item, f"a list of {size}")


def unravel(index: int, shape: Sequence[int]) -> list[int]:
    """The indices, one for each dimension of `shape`, of the element at `index` in C order."""
    place: list[int] = []
    for size in reversed(shape):
        index, rest = divmod(index, size)
        place.append(rest)
    return place[::-1]


def written_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """How data of `shape` nests: nothing is written inside an empty list, so [2, 0, 5] nests as [2, 0]."""
    return shape[: shape.index(0) + 1] if 0 in shape else shape


def count(shape: tuple[int, ...]) -> int:
    """The number of elements."""
    return math.prod(shape)
