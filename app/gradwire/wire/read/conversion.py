"""Elements to a tensor: all of them checked, converted as `torch.tensor` converts, in memory that torch allocated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch

from gradwire.contract.dtypes import DTYPES, Dtype
from gradwire.findings import Finding, Source
from gradwire.wire.formats import FORMATS, Format, owned
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.elements import FLOAT_WORDS, READERS, Bits, WrongElement

# Errors in one tensor beyond these would tell nobody anything new.
MOST_FINDINGS = 20
# Fewer elements than this, torch converts from Python's numbers quicker than NumPy does.
_FEW = 64
Locate: TypeAlias = Callable[[int], Source]

_INTEGERS = frozenset((int, bool))
_REALS = frozenset((int, float, bool))


class WrongElements(Exception):
    """Some elements are wrong; `findings` say which, at most MOST_FINDINGS."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings[0].message)
        self.findings = findings


def inferred(elements: list[Any] | NumberArray, locate: Locate) -> Dtype:
    """The dtype that `torch.tensor` infers. Words for NaN and infinities count as floats.

    Raises WrongElements for other texts, which only a dtype can make a number of.
    """
    if isinstance(elements, NumberArray):
        return DTYPES["float32" if elements.has_fraction else "int64"]
    kinds = set(map(type, elements))
    if str in kinds:
        _refuse_texts(elements, locate)
    if not kinds or not kinds <= _INTEGERS:
        return DTYPES["float32"]
    return DTYPES["bool" if kinds == {bool} else "int64"]


def _refuse_texts(elements: list[Any], locate: Locate) -> None:
    wrong = [index for index, value in enumerate(elements) if type(value) is str and value not in FLOAT_WORDS]
    findings = [
        Finding(
            "invalid_tensor",
            f"'{elements[index][:64]}' is a text, which only a dtype can make a number of",
            locate(index),
            got=elements[index],
            expected='a number, a boolean, "NaN", "-NaN", "Infinity" or "-Infinity"',
            hint='say "dtype" in the tensor document',
        )
        for index in wrong[:MOST_FINDINGS]
    ]
    if findings:
        raise WrongElements(findings)


def tensor_of(
    elements: list[Any] | NumberArray, shape: tuple[int, ...], dtype: Dtype, locate: Locate, nested: Any = None
) -> torch.Tensor:
    """A new tensor of a real `dtype` and of `shape`, which has as many elements.

    `nested` may hold the same elements in lists that nest as `shape`. Raises WrongElements; `locate` gives the place
    of an element.
    """
    form = FORMATS[dtype.name]
    if isinstance(elements, NumberArray):
        if not (elements.lossy and dtype.kind in ("int", "uint")):
            found = _from_buffer(elements.flat, form)
            if found is not None:
                return found.reshape(shape)
        elements = _flat(elements)
    if not _PLAIN[dtype.kind](elements, dtype):
        return _one_by_one(elements, form, locate).reshape(shape)
    if len(elements) < _FEW and nested is not None:
        return torch.tensor(nested, dtype=form.dtype)
    return _from_list(elements, form).reshape(shape)


def _flat(array: NumberArray) -> list[Any]:
    values = array.tolist()
    for _ in array.shape[1:]:
        values = [value for row in values for value in row]
    return values


def _from_list(elements: list[Any], form: Format) -> torch.Tensor:
    """Plain numbers that fit."""
    if len(elements) < _FEW or form.spec.kind == "bool":
        return torch.tensor(elements, dtype=form.dtype)
    if form.spec.kind != "float":
        return owned(np.array(elements, dtype=form.name))
    return _floats(np.array(elements, dtype=np.float64), form)


def _floats(flat: np.ndarray, form: Format) -> torch.Tensor:
    """As `torch.tensor` does: to float64, from there to float32, and then to a narrower dtype."""
    if form.spec.itemsize == 8:
        return owned(flat.astype(np.float64, copy=False))
    with np.errstate(over="ignore"):
        single = owned(flat.astype(np.float64, copy=False).astype(np.float32))
    return single if form.spec.itemsize == 4 else single.to(form.dtype)


def _from_buffer(flat: np.ndarray, form: Format) -> torch.Tensor | None:
    """The buffer's numbers in the wanted dtype; None where some do not fit."""
    dtype = form.spec
    if dtype.kind == "float":
        return _floats(flat, form)
    if dtype.kind == "bool":
        return owned(flat == 1) if flat.dtype.kind != "f" and bool(((flat == 0) | (flat == 1)).all()) else None
    if not (dtype.lowest <= flat.min() and flat.max() <= dtype.highest):
        return None
    if flat.dtype.kind == "f" and bool((flat != np.floor(flat)).any()):
        return None
    return owned(flat.astype(dtype.name))


def _plain_floats(elements: list[Any], dtype: Dtype) -> bool:
    return _REALS.issuperset(map(type, elements))


def _plain_integers(elements: list[Any], dtype: Dtype) -> bool:
    if not _INTEGERS.issuperset(map(type, elements)):
        return False
    return not elements or (dtype.lowest <= min(elements) and max(elements) <= dtype.highest)


def _plain_booleans(elements: list[Any], dtype: Dtype) -> bool:
    if not _INTEGERS.issuperset(map(type, elements)):
        return False
    return not elements or 0 <= min(elements) <= max(elements) <= 1


# Whether all elements are numbers that may be converted without looking at each.
_PLAIN: dict[str, Callable[[list[Any], Dtype], bool]] = {
    "float": _plain_floats,
    "int": _plain_integers,
    "uint": _plain_integers,
    "bool": _plain_booleans,
}


def _one_by_one(elements: list[Any], form: Format, locate: Locate) -> torch.Tensor:
    read = READERS[form.spec.kind]
    numbers: list[Any] = []
    raw: dict[int, int] = {}
    findings: list[Finding] = []
    for index, value in enumerate(elements):
        try:
            number = read(value, form.spec)
        except WrongElement as error:
            findings.append(_wrong(value, error, form.spec, locate(index)))
            if len(findings) == MOST_FINDINGS:
                break
            continue
        if type(number) is Bits:
            raw[index] = number
            number = 0.0
        numbers.append(number)
    if findings:
        raise WrongElements(findings)
    tensor = _from_list(numbers, form)
    if raw:
        words = tensor.view(form.word).numpy()
        words[list(raw)] = np.array(list(raw.values()), dtype=words.dtype)
        return tensor.clone()  # into memory that NumPy has not seen, which can be resized
    return tensor


def _wrong(value: Any, error: WrongElement, dtype: Dtype, source: Source) -> Finding:
    hint = error.hint
    if dtype.name == "int64" and type(value) is int and value > dtype.highest:
        hint = 'say "dtype": "uint64"'
    return Finding("invalid_tensor", str(error), source, got=value, expected=error.expected, hint=hint)
