"""Strides so large that the check of what they reach overflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradwire.engine.ops.fences.given import Concern, Fence, Given

_FARTHEST = 2**60


def as_strided(given: Given) -> None:
    """In place, the last element's offset wraps around, and elements before the storage are read and written."""
    size, stride = given.get("size"), given.get("stride")
    if not _are_integers(size) or not _are_integers(stride) or len(size) != len(stride):
        return
    if sum((length - 1) * step for length, step in zip(size, stride, strict=True) if length > 0) >= _FARTHEST:
        raise given.refusal("stride", "the last element lies beyond every memory", got=str(stride)[:64])


def _are_integers(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(one, int) for one in value)


def _is_far(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    return any(isinstance(one, (list, tuple)) and _reaches_far(one) for one in (*args[1:], *kwargs.values()))


def _reaches_far(values: Sequence[Any]) -> bool:
    return any(isinstance(one, int) and one >= 2**30 for one in values)


FENCES: dict[str, Fence] = {"as_strided": as_strided}
CONCERNS: dict[str, Concern] = {"as_strided": _is_far}
