"""References: `x`, `x.grad`, `t.0.shape` — a name, then a path of items and attributes.

What may follow a dot is a fixed list per kind of value. Nothing is ever looked up by a client's word with `getattr`
outside that list.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Container
from types import MemberDescriptorType
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.autograd import forward_ad

Getter: TypeAlias = Callable[[list[Any]], Any]

TENSOR_ATTRIBUTES = frozenset(
    "grad shape dtype device T mT H mH real imag requires_grad is_leaf grad_fn ndim data layout itemsize nbytes "
    "is_sparse is_cuda".split()
)
ARRAY_ATTRIBUTES = frozenset("shape dtype T mT real imag ndim itemsize nbytes size strides".split())
DEVICE_ATTRIBUTES = frozenset(("type", "index"))
DTYPE_ATTRIBUTES = frozenset(("itemsize", "is_complex", "is_floating_point", "is_signed"))
INFO_ATTRIBUTES = frozenset("bits eps max min tiny resolution smallest_normal dtype".split())


def _named_tuple_fields() -> frozenset[str]:
    """The field names of all named tuples that PyTorch's functions return."""
    kinds = (getattr(torch.return_types, name) for name in dir(torch.return_types) if not name.startswith("_"))
    fields: set[str] = set(forward_ad.UnpackedDualTensor._fields)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, tuple):
            fields.update(fields_of(kind))
    return frozenset(fields)


def fields_of(kind: type) -> tuple[str, ...]:
    """The field names of a named tuple's class, Python's or PyTorch's (a C struct sequence)."""
    if hasattr(kind, "_fields"):
        return tuple(kind._fields)
    return tuple(name for name, member in vars(kind).items() if isinstance(member, MemberDescriptorType))


FIELD_NAMES = _named_tuple_fields()
KNOWN_STEPS = (
    TENSOR_ATTRIBUTES | ARRAY_ATTRIBUTES | DEVICE_ATTRIBUTES | DTYPE_ATTRIBUTES | INFO_ATTRIBUTES | FIELD_NAMES
)


class PathError(Exception):
    """A value has nothing at this step of a path. `step` is the word after the dot, `value` what it was asked of."""

    def __init__(self, step: str, value: Any) -> None:
        self.step = step
        self.kind = type(value).__name__
        super().__init__(f"a {self.kind} has no '{step[:64]}'")


def split(text: str, names: Container[str]) -> tuple[str, tuple[str, ...]] | None:
    """Split a reference into the longest name that exists and the path behind it; None where no name fits."""
    if text in names:
        return text, ()
    end = text.rfind(".")
    while end > 0:
        if text[:end] in names:
            return text[:end], tuple(text[end + 1 :].split("."))
        end = text.rfind(".", 0, end)
    return None


def plausible(step: str) -> bool:
    """Whether any value that a flat graph can hold has something at `step`."""
    return _is_place(step) or step in KNOWN_STEPS


def _is_place(step: str) -> bool:
    """Whether `step` is the place of an item; other scripts' digits are no more places than they are in JSON."""
    return step.isascii() and step.isdecimal()


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word most like `word`, if one is close. Long words get none: comparing them takes too long."""
    if len(word) > 64:
        return None
    close = difflib.get_close_matches(word, [name for name in known if len(name) <= 64][:2000], n=1)
    return close[0] if close else None


def follow(value: Any, step: str) -> Any:
    """One step of a path: an item of a list, tuple or dict, a field, or one of the attributes listed above."""
    if isinstance(value, torch.Tensor):
        return _attribute(value, step, TENSOR_ATTRIBUTES)
    if isinstance(value, dict):
        if step in value:
            return value[step]
        raise PathError(step, value)
    if isinstance(value, (tuple, list)):
        return _item(value, step)
    for kind, allowed in _ATTRIBUTES:
        if isinstance(value, kind):
            return _attribute(value, step, allowed)
    raise PathError(step, value)


_ATTRIBUTES: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    ((np.ndarray, np.generic), ARRAY_ATTRIBUTES),
    (torch.device, DEVICE_ATTRIBUTES),
    (torch.dtype, DTYPE_ATTRIBUTES),
    ((torch.finfo, torch.iinfo), INFO_ATTRIBUTES),
)


def _attribute(value: Any, step: str, allowed: frozenset[str]) -> Any:
    if step not in allowed:
        raise PathError(step, value)
    try:
        return getattr(value, step)
    except AttributeError:
        raise PathError(step, value) from None


def _item(value: tuple[Any, ...] | list[Any], step: str) -> Any:
    if _is_place(step) and len(step) <= 18:
        index = int(step)
        if index < len(value):
            return value[index]
    elif step in fields_of(type(value)):
        return getattr(value, step)
    raise PathError(step, value)
