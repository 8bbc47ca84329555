"""Python's own operators: what of them could cost a worker its memory or its time, refused before it is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradwire.engine.errors import NoOverload

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

MAX_BITS = 4096
MAX_ITEMS = 1_000_000


def check(op: Op, args: Sequence[Any]) -> None:
    """Raise NoOverload where Python's own integers, lists or texts would grow beyond their limits."""
    name = op.last.strip("_").removeprefix("i") if op.in_place else op.last.strip("_")
    if len(args) < 2:
        return
    left, right = args[0], args[1]
    if name == "mod" and isinstance(left, (str, bytes)):
        raise NoOverload("texts are not formatted by operator.mod", 0, got="a string")
    if name in ("mul", "pow", "lshift", "add", "sub") and type(left) in (int, bool) and type(right) in (int, bool):
        bits = _bits(name, int(left), int(right))
        if bits > MAX_BITS:
            message = f"the result would have some {bits} bits; integers have at most {MAX_BITS}"
            raise NoOverload(message, hint="use floats, or tensors")
    if name in ("mul", "add"):
        _check_items(name, left, right)


def _bits(name: str, left: int, right: int) -> int:
    """The result's bits, or a little more, cheap to work out."""
    if name == "pow":
        if right <= 0 or left in (-1, 0, 1):
            return 0
        return int(math.log2(abs(left)) * right) + 1 if right <= 2 * MAX_BITS else right
    if name == "lshift":
        return left.bit_length() + max(right, 0) if left else 0
    if name == "mul":
        return left.bit_length() + right.bit_length()
    return max(left.bit_length(), right.bit_length()) + 1


def _check_items(name: str, left: Any, right: Any) -> None:
    sequences = (list, tuple, str, bytes)
    if isinstance(left, sequences) and isinstance(right, sequences):
        count = len(left) + len(right)
    elif name == "mul" and isinstance(left, sequences) and isinstance(right, int):
        count = len(left) * right
    elif name == "mul" and isinstance(right, sequences) and isinstance(left, int):
        count = len(right) * left
    else:
        return
    if count > MAX_ITEMS:
        raise NoOverload(f"the result would have {count} items; lists and texts have at most {MAX_ITEMS}")
