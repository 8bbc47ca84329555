"""Python's own operators: what of them could cost a worker its memory or its time, refused before it is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.budget import MAX_INT_BITS, MAX_ITEMS, exceeded
from gradwire.engine.language.iterate import length_of
from gradwire.engine.language.lazy import Lazy
from gradwire.engine.language.limits import allow_bits, allow_items
from gradwire.engine.language.measure import VIEWS, allow_key, measure
from gradwire.engine.language.percent import percent

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

_SEQUENCES = (list, tuple, str, bytes)
_COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))
_SEARCHES = frozenset(("contains", "countOf", "indexOf"))
_SETS = frozenset(("and", "or", "xor", "sub"))
_AUGMENTED = frozenset("add sub mul matmul truediv floordiv mod pow lshift rshift and or xor".split())
_GROWING = frozenset(("mul", "pow", "lshift", "add", "sub"))


def check(op: Op, args: Sequence[Any]) -> None:
    """Look at a call of an operator before it is made.

    Raises Refusal (`limit_exceeded`) where Python's own integers, lists or texts would grow beyond their limits, or
    where comparing nested values would go too deep or take too long; NoOverload for what is no value here.
    """
    if len(args) < 2:
        return
    name, left, right = _name(op), args[0], args[1]
    if name in _COMPARISONS:
        _check_nested(left, right)
    elif name in _SEARCHES:
        _check_search(name, left, right)
    elif type(left) in (int, bool) and type(right) in (int, bool):
        if name in _GROWING:
            allow_bits(_bits(name, int(left), int(right)))
    elif name in ("mul", "add"):
        _check_items(name, op.last, left, right)
    elif name in _SETS:
        _check_sets(op.last, left, right)


def formats(op: Op, args: Sequence[Any]) -> bool:
    """Whether a call is `text % values`."""
    return len(args) == 2 and isinstance(args[0], str) and _name(op) == "mod"


def formatted(args: Sequence[Any]) -> str:
    """The text of `text % values`."""
    return percent(args[0], args[1])


def _name(op: Op) -> str:
    """The operator without the `i` of augmented assignment: `add` for `iadd`, `and` for `and_` and `iand`."""
    name = op.last.strip("_")
    return name[1:] if name[1:] in _AUGMENTED else name


def _bits(name: str, left: int, right: int) -> float:
    """The result's bits, where finding them costs little: products and sums of bounded integers are short."""
    if name == "pow":
        if right <= 0 or left in (-1, 0, 1):
            return 0
        return int(math.log2(abs(left)) * right) + 1 if right <= 2 * MAX_INT_BITS else right
    if name == "lshift":
        return left.bit_length() + max(right, 0) if left else 0
    if name == "mul":
        return (left * right).bit_length()
    return (left - right if name == "sub" else left + right).bit_length()


def _check_nested(*values: Any) -> None:
    for value in values:
        if isinstance(value, (list, tuple, dict, *VIEWS)):
            measure(value)


def _check_search(name: str, left: Any, right: Any) -> None:
    if name == "contains" and isinstance(left, range) and type(right) in (int, bool):
        return
    if isinstance(left, dict):
        allow_key(right)
    elif not isinstance(left, (torch.Tensor, np.ndarray)):
        _check_nested(left, right)
    if (length_of(left) or 0) > MAX_ITEMS:
        raise exceeded(f"a search goes through at most {MAX_ITEMS} items", f"at most {MAX_ITEMS}")


def _check_items(name: str, last: str, left: Any, right: Any) -> None:
    """The length of a sequence that is joined to another or repeated."""
    if last == "iadd" and isinstance(left, list):
        if not isinstance(right, Lazy):  # which counts for itself
            allow_items(len(left) + (length_of(right) or 0))
    elif name == "add" and isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
        allow_items(len(left) + len(right))
    elif name == "mul":
        for sequence, times in ((left, right), (right, left)):
            if isinstance(sequence, _SEQUENCES) and (count := _index(times)) is not None:
                allow_items(len(sequence) * count)


def _index(value: Any) -> int | None:
    """How often a sequence is repeated: by an int, or what stands for one, such as a tensor of one integer."""
    if isinstance(value, torch.Tensor) and (value.dim() or value.is_floating_point() or value.is_complex()):
        return None
    try:
        return int(value.__index__())
    except (AttributeError, TypeError, RuntimeError, ValueError):
        return None


def _check_sets(last: str, left: Any, right: Any) -> None:
    """Dicts are joined; sets, which the views of dicts give, are no values here."""
    if isinstance(left, VIEWS) or isinstance(right, VIEWS):
        raise NoOverload("there are no sets here", hint="use lists, and `in`")
    if isinstance(left, dict) and not isinstance(right, dict) and last == "ior":
        raise NoOverload("a dict is joined with another dict", 1, expected="a dict", got=type(right).__name__)
    if isinstance(left, dict) and isinstance(right, dict):
        allow_items(len(left) + len(right))
