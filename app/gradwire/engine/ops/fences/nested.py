"""Jagged tensors, whose shape no other tensor can have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gradwire.engine.ops.fences.given import Concern, Fence, Given


def reshape_as(given: Given) -> None:
    """Where the shape holds a ragged size, the way to read it is called before it is looked for."""
    other = given.get("other")
    if _is_nested(other) and not _is_nested(given.get("input")):
        raise given.refusal("other", "a nested tensor has no shape that another can take", got="a nested tensor")


def _is_nested(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_nested


def _holds_nested(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    return any(_is_nested(one) for one in (*args, *kwargs.values()))


FENCES: dict[str, Fence] = {"reshape_as": reshape_as}
CONCERNS: dict[str, Concern] = {"reshape_as": _holds_nested}
