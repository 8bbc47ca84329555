"""Whether an argument, as the client wrote it, can be what a parameter declares, and what it is turned into.

Only what can never fit is refused here: PyTorch's own parser decides the rest when the op runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any

import torch

from gradwire.engine.graph import (
    Collection,
    Dictionary,
    Expression,
    Literal,
    NamedFunction,
    Numbers,
    Ref,
    SliceOf,
    Star,
    TensorDocument,
)
from gradwire.engine.ops import words
from gradwire.engine.ops.parameters import ParamType
from gradwire.findings import refuse

# Longer lists of sizes are left to PyTorch.
_LONGEST_SIZES = 1000
_SCALARS = ("Number", "complex", "float", "int", "bool")
# What a Python number of each type may be given for.
_TAKERS: dict[type, tuple[str, ...]] = {
    bool: _SCALARS,
    int: _SCALARS,
    float: ("Number", "complex", "float"),
    complex: ("Number", "complex"),
}


class Fit(IntEnum):
    """How well an argument fits: not at all, once it is made a tensor, or as it is."""

    NO = 0
    AS_TENSOR = 1
    AS_IS = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """What an argument is measured against. `loose`: a Python function, whose annotations nothing enforces."""

    declared: ParamType
    loose: bool = False

    def inner(self) -> Slot | None:
        """The slot of the items of a list; None where no list is declared."""
        atoms = tuple(atom[:-2] for atom in self.declared.atoms if atom.endswith("[]"))
        return Slot(ParamType(atoms), self.loose) if atoms else None


def fit(expression: Expression, slot: Slot) -> Fit:
    """How well `expression` fits."""
    declared = slot.declared
    if declared.is_any or isinstance(expression, Ref):
        return Fit.AS_IS
    if isinstance(expression, Literal):
        return _fit_value(expression.value, slot)
    if isinstance(expression, Numbers):
        return _fit_numbers(expression, slot)
    if isinstance(expression, Collection):
        return _fit_collection(expression, slot)
    if isinstance(expression, TensorDocument):
        scalar = expression.tensor.numel() == 1 and any(atom in declared for atom in _SCALARS)
        return Fit.AS_IS if "Tensor" in declared or scalar else Fit.NO
    if isinstance(expression, NamedFunction):
        # Types stand for dtypes: dtype=float, dtype=np.float32.
        return Fit.AS_IS if "dtype" in declared and _SCALAR_TYPE.fullmatch(expression.name) else Fit.NO
    return Fit.AS_IS if isinstance(expression, Dictionary) and "dict" in declared else Fit.NO


_SCALAR_TYPE = re.compile(r"builtins\.(?:float|int|bool|complex)|numpy\.[a-z]+[0-9_]*")


def _fit_value(value: Any, slot: Slot) -> Fit:
    declared = slot.declared
    if isinstance(value, str):
        taken = "str" in declared or "Dimname" in declared or words.read(value, declared)[0]
        return Fit.AS_IS if taken else Fit.NO
    if value is None:
        return Fit.AS_IS if "None" in declared else Fit.NO
    if isinstance(value, (bool, int, float, complex)):
        if any(kind in declared for kind in _TAKERS[type(value)]):
            return Fit.AS_IS
        if slot.loose and _fits_loosely(value, slot):
            return Fit.AS_IS
        return Fit.AS_TENSOR if "Tensor" in declared else Fit.NO
    kinds = ((torch.dtype, "dtype"), (torch.layout, "layout"), (torch.memory_format, "memory_format"))
    for kind, atom in (*kinds, (torch.device, "device"), (type(...), "Ellipsis")):
        if isinstance(value, kind):
            return Fit.AS_IS if atom in declared else Fit.NO
    return Fit.AS_IS


def _fits_loosely(value: Any, slot: Slot) -> bool:
    """A float where an annotation says int, a number where it says a list: the function itself may take it."""
    inner = slot.inner()
    if inner is not None and _fit_value(value, inner) is Fit.AS_IS:
        return True
    return isinstance(value, float) and "int" in slot.declared


def _fit_numbers(numbers: Numbers, slot: Slot) -> Fit:
    inner = slot.inner()
    if inner is not None and _items_fit(numbers, inner):
        return Fit.AS_IS
    if slot.loose and len(numbers.shape) == 1 and any(kind in slot.declared for kind in _SCALARS):
        return Fit.AS_IS
    tensors = "Tensor" in slot.declared or (inner is not None and "Tensor" in inner.declared)
    return Fit.AS_TENSOR if tensors else Fit.NO


def _items_fit(numbers: Numbers, inner: Slot) -> bool:
    """Whether each number fits as it is; of a long list, or one of lists, only the declared kind is looked at."""
    if inner.declared.is_any:
        return True
    if len(numbers.shape) > 1:
        return inner.inner() is not None and inner.inner() != inner and "Tensor" not in inner.declared
    if numbers.shape[0] > _LONGEST_SIZES:
        return any(kind in inner.declared for kind in _SCALARS)
    return all(_fit_value(value, inner) is Fit.AS_IS for value in numbers.tolist())


def _fit_collection(collection: Collection, slot: Slot) -> Fit:
    best = Fit.NO
    if (inner := slot.inner()) is not None:
        best = min((fit(item, inner) for item in collection.items), default=Fit.AS_IS)
        if best is Fit.AS_TENSOR:
            # A list of tensors takes its items as tensors; that is no conversion of the list itself.
            best = Fit.AS_IS
    if best is Fit.NO and "Tensor" in slot.declared and collection.kind != "size" and _may_be_data(collection):
        best = Fit.AS_TENSOR
    if best is Fit.NO and slot.loose and any(kind in slot.declared for kind in _SCALARS):
        best = min((fit(item, slot) for item in collection.items), default=Fit.NO)
    return best


def _may_be_data(expression: Expression) -> bool:
    """Whether `torch.tensor` could read it: numbers and references, nested."""
    if isinstance(expression, Collection):
        return all(_may_be_data(item) for item in expression.items)
    if isinstance(expression, Literal):
        return isinstance(expression.value, (bool, int, float, complex))
    return isinstance(expression, (Ref, Numbers, TensorDocument))


def convert(expression: Expression, slot: Slot, *, as_list: bool = False) -> Expression:
    """What `expression` becomes in `slot`: texts their values, lists tensors where only a tensor is taken.

    Numbers stay numbers for C functions, whose parser knows which of them it takes. `as_list`: where both a tensor and
    a list of tensors are declared, the client means the list. Raises Refusal (`invalid_argument`).
    """
    declared = slot.declared
    if declared.is_any or isinstance(expression, (Ref, TensorDocument, Dictionary, SliceOf, NamedFunction, Star)):
        return expression
    if isinstance(expression, Literal):
        return _convert_value(expression, slot)
    if isinstance(expression, Numbers):
        if _fit_numbers(expression, slot) is not Fit.AS_TENSOR:
            return expression
        return _rows(expression) if _means_list(slot, as_list) else _document(expression.tensor, expression)
    inner = slot.inner()
    if inner is not None and all(fit(item, inner) for item in expression.items):
        items = tuple(_in_list(item, inner) for item in expression.items)
        return Collection(expression.kind, items, expression.source)
    if _fit_collection(expression, slot) is Fit.AS_TENSOR and _is_constant(expression):
        return _document(lambda: torch.tensor(_plain(expression)), expression)
    return expression


def _means_list(slot: Slot, as_list: bool) -> bool:
    takes_list = "Tensor[]" in slot.declared
    return takes_list and (as_list or "Tensor" not in slot.declared)


def _convert_value(literal: Literal, slot: Slot) -> Expression:
    value = literal.value
    if isinstance(value, str):
        found, meant = words.read(value, slot.declared)
        return Literal(meant, literal.source) if found else literal
    if slot.loose and _fit_value(value, slot) is Fit.AS_TENSOR:
        return _document(lambda: torch.tensor(value), literal)
    return literal


def _in_list(item: Expression, inner: Slot) -> Expression:
    """An item of a list of tensors: numbers become tensors, too, since no parser takes them there."""
    if isinstance(item, Literal) and fit(item, inner) is Fit.AS_TENSOR:
        return _document(lambda: torch.tensor(item.value), item)
    return convert(item, inner)


def _rows(numbers: Numbers) -> Expression:
    """A list of tensors from a list of lists, or of numbers."""
    rows = numbers.tolist()
    items = tuple(_document(partial(torch.tensor, row), numbers, index) for index, row in enumerate(rows))
    return Collection("list", items, numbers.source)


def _document(make: Callable[[], torch.Tensor], expression: Expression, *steps: int) -> TensorDocument:
    source = expression.source.at(*steps)
    try:
        return TensorDocument(make(), source)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        text = str(error).partition("\n")[0]
        raise refuse("invalid_argument", f"this cannot be made a tensor: {text}", source) from error


def _is_constant(expression: Expression) -> bool:
    if isinstance(expression, Collection):
        return all(_is_constant(item) for item in expression.items)
    return isinstance(expression, (Literal, Numbers))


def _plain(expression: Expression) -> Any:
    """Python's own lists and numbers."""
    if isinstance(expression, Collection):
        return [_plain(item) for item in expression.items]
    return expression.tolist() if isinstance(expression, Numbers) else getattr(expression, "value", None)


def spoken(expression: Expression) -> str:
    """What the client sent, in words: `a string`, `a list`."""
    if isinstance(expression, Literal):
        value = expression.value
        return _SPOKEN.get(type(value).__name__, type(value).__name__)
    if isinstance(expression, Collection):
        return f"a {expression.kind}"
    return _SPOKEN[type(expression).__name__]


_SPOKEN = {
    "str": "a string",
    "bool": "a boolean",
    "int": "an integer",
    "float": "a float",
    "complex": "a complex number",
    "NoneType": "null",
    "ellipsis": "an ellipsis",
    "dtype": "a dtype",
    "device": "a device",
    "layout": "a layout",
    "memory_format": "a memory format",
    "NamedFunction": "a function",
    "Star": "a star",
    "Numbers": "a list of numbers",
    "TensorDocument": "a tensor",
    "Dictionary": "an object",
    "SliceOf": "a slice",
    "Ref": "a reference",
}


def shown(expression: Expression) -> Any:
    """A JSON value for `got`: short values as they are, the rest in words."""
    if isinstance(expression, Literal) and isinstance(expression.value, (str, bool, int, float, type(None))):
        return expression.value
    return spoken(expression)
