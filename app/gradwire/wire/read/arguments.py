"""What stands in `args` and `kwargs` to the engine's expressions (contract section 2)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
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
)
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.conversion import MOST_FINDINGS
from gradwire.wire.read.literals import CONSTANTS, wrong
from gradwire.wire.read.nesting import Ragged, flatten
from gradwire.wire.read.tensor import read_tensor

_NUMBERS = frozenset((int, float, bool))
_PLAIN = frozenset((int, float, bool, type(None)))


class ArgumentReader:
    """Reads arguments; what is wrong goes into `findings`, where None then stands for the value.

    `bare_tensors`: an object with `data` is a tensor document, as on POST /v1/ops. `parts` are the body's binary parts.
    """

    def __init__(self, findings: list[Finding], *, bare_tensors: bool = False, parts: Parts | None = None) -> None:
        self.findings = findings
        self.bare_tensors = bare_tensors
        self.parts = parts

    def read(self, value: Any, source: Source) -> Expression:
        """The expression that `value` stands for."""
        kind = type(value)
        if kind is str:
            if value[:1] != "$":
                return Literal(value, source)
            return Ref(value[1:], source) if value[:2] != "$$" else Literal(value[1:], source)
        if kind in _PLAIN:
            return Literal(value, source)
        try:
            if kind is list:
                return self._list(value, source)
            if kind is dict:
                return self._object(value, source)
            if kind is NumberArray:
                return Numbers(value.shape, value.tolist, value.tensor, source)
            raise TypeError(f"a decoded body holds no {kind.__name__}")
        except Refusal as refusal:
            self.findings += refusal.findings
            return Literal(None, source)

    def _list(self, value: list[Any], source: Source) -> Expression:
        numbers = _numbers(value, source)
        if numbers is not None:
            return numbers
        return Collection("list", self._items(value, source), source)

    def _items(self, values: list[Any] | NumberArray, source: Source) -> tuple[Expression, ...]:
        if isinstance(values, NumberArray):
            values = values.tolist()
        return tuple([self.read(value, source.at(index)) for index, value in enumerate(values)])

    def _object(self, value: dict[str, Any], source: Source) -> Expression:
        if self.bare_tensors and "data" in value:
            return read_tensor(value, source, self.parts)
        if len(value) != 1:
            raise self._unknown(value, source)
        ((name, inside),) = value.items()
        place = source.at(name)
        if name in CONSTANTS:
            return Literal(CONSTANTS[name](inside, place), source)
        if name == "tensor":
            return read_tensor(inside, place, self.parts)
        read = _COMPOSED.get(name)
        if read is None:
            raise self._unknown(value, source)
        # What is wrong with the whole is wrong with the argument, not with the word inside it.
        return replace(read(self, inside, place), source=source)

    def _unknown(self, value: dict[str, Any], source: Source) -> Refusal:
        if "data" in value:
            hint = 'a tensor stands in an object of its own: {"tensor": {"data": …}}'
        elif self.bare_tensors and ("shape" in value or "encoding" in value):
            hint = "a tensor document has `data`"
        else:
            hint = 'a dict is written {"dict": {…}}'
        message = "an object in arguments has one member, which says what it stands for"
        return wrong(message, source, list(value)[:20], OBJECTS, hint)

    def _slice(self, value: Any, source: Source) -> Expression:
        if not isinstance(value, list) or not 1 <= len(value) <= 3:
            raise wrong(
                "a slice has one to three bounds", source, value, "[stop], [start, stop] or [start, stop, step]"
            )
        bounds = [self._bound(bound, source.at(index)) for index, bound in enumerate(value)]
        if len(bounds) == 1:
            bounds.insert(0, Literal(None, source))
        if len(bounds) == 2:
            bounds.append(Literal(None, source))
        return SliceOf(bounds[0], bounds[1], bounds[2], source)

    def _bound(self, value: Any, source: Source) -> Expression:
        if value is None or type(value) is int or _is_reference(value):
            return self.read(value, source)
        self._report("a bound of a slice is an integer or null", source, value, "an integer, null or a reference")
        return Literal(None, source)

    def _tuple(self, value: Any, source: Source) -> Expression:
        if not isinstance(value, (list, NumberArray)):
            raise wrong("a tuple is written as a list", source, value, "a list")
        return Collection("tuple", self._items(value, source), source)

    def _size(self, value: Any, source: Source) -> Expression:
        if isinstance(value, NumberArray):
            value = value.tolist()
        if not isinstance(value, list):
            raise wrong("a size is a list of integers", source, value, "a list of integers")
        wrong_parts = [i for i, part in enumerate(value) if type(part) is not int and not _is_reference(part)]
        for index in wrong_parts[:MOST_FINDINGS]:
            self._report("a size is a list of integers", source.at(index), value[index], "an integer or a reference")
        return Collection("size", () if wrong_parts else self._items(value, source), source)

    def _dict(self, value: Any, source: Source) -> Expression:
        if not isinstance(value, dict):
            raise wrong("a dict is written as an object", source, value, "an object")
        return Dictionary({name: self.read(inside, source.at(name)) for name, inside in value.items()}, source)

    def _function(self, value: Any, source: Source) -> Expression:
        if not isinstance(value, str):
            raise wrong("a function is written as its name", source, value, "a name such as nn.functional.relu")
        return NamedFunction(value, source)

    def _star(self, value: Any, source: Source) -> Expression:
        return Star(self.read(value, source), source)

    def _report(self, message: str, source: Source, got: Any, expected: Any) -> None:
        self.findings.append(Finding("invalid_argument", message, source, got=got, expected=expected))


_COMPOSED: dict[str, Callable[[ArgumentReader, Any, Source], Expression]] = {
    "slice": ArgumentReader._slice,
    "tuple": ArgumentReader._tuple,
    "size": ArgumentReader._size,
    "dict": ArgumentReader._dict,
    "function": ArgumentReader._function,
    "star": ArgumentReader._star,
}
OBJECTS = ["tensor", *CONSTANTS, *_COMPOSED]


def read_argument(
    value: Any, source: Source, findings: list[Finding], *, bare_tensors: bool = False, parts: Parts | None = None
) -> Expression:
    """One argument to an expression; what is wrong goes into `findings` (`invalid_argument`, `invalid_tensor`)."""
    return ArgumentReader(findings, bare_tensors=bare_tensors, parts=parts).read(value, source)


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$") and not value.startswith("$$")


def _numbers(value: list[Any], source: Source) -> Numbers | None:
    """A list that holds numbers and booleans alone, not empty and not ragged."""
    first = value
    while type(first) is list:
        if not first:
            return None
        first = first[0]
    if type(first) not in _NUMBERS:
        return None
    try:
        shape, flat = flatten(value)
    except Ragged:
        return None
    if not _NUMBERS.issuperset(map(type, flat)):
        return None

    def tensor() -> torch.Tensor:
        return torch.tensor(value)

    return Numbers(shape, lambda: copy.deepcopy(value), tensor, source)
