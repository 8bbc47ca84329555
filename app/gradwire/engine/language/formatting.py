"""`str.format`, `print`, and format specs: fields are empty, a number or a name, and widths are bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.budget import MAX_FORMAT_WIDTH, Printed, exceeded
from gradwire.engine.language.displays import allow_array, allow_tensor
from gradwire.engine.language.functions import builtin, spoken
from gradwire.engine.language.lazy import Run
from gradwire.engine.language.limits import allow_items
from gradwire.engine.language.text import repr_of, str_of

_DIGITS = re.compile(r"\d+")
_NAME = re.compile(r"\w+\Z")
# Values whose own `__format__` reads the spec.
_FORMATS = (int, float, complex, str, np.generic)


def format_value(value: Any, spec: str) -> str:
    """`format(value, spec)`. Raises Refusal (`limit_exceeded`) for widths and precisions over MAX_FORMAT_WIDTH."""
    allow_widths(spec)
    if isinstance(value, torch.Tensor):
        allow_tensor(value)
        return format(value, spec)
    if isinstance(value, np.ndarray):
        allow_array(value)
        return format(value, spec)
    if isinstance(value, _FORMATS):
        return format(value, spec)
    if spec:
        raise TypeError(f"unsupported format string passed to {spoken(value)}.__format__")
    return str_of(value)


def allow_widths(spec: str) -> None:
    """Raise Refusal where a number in a format spec is over MAX_FORMAT_WIDTH."""
    for digits in _DIGITS.findall(spec):
        if len(digits.lstrip("0")) > 3:
            message = f"a width or precision is at most {MAX_FORMAT_WIDTH}"
            raise exceeded(message, f"at most {MAX_FORMAT_WIDTH}")


def format_(run: Run, template: Any, /, *args: Any, **kwargs: Any) -> str:
    """`template.format(*args, **kwargs)`."""
    if not isinstance(template, str):
        raise NoOverload("format takes the text first, and then what goes into it", 0, expected="a string")
    return _Format(args, kwargs).text(template)


class _Format:
    """One call of `str.format`. Fields are numbered by hand or automatically, nested ones included."""

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.next: int | None = None
        self.by_hand = False

    def text(self, template: str, nested: bool = False) -> str:
        """`template` with its fields filled."""
        pieces: list[str] = []
        length = 0
        for piece in self._pieces(template, nested):
            length += len(piece)
            allow_items(length, "texts")
            pieces.append(piece)
        return "".join(pieces)

    def _pieces(self, template: str, nested: bool) -> Iterator[str]:
        for literal, name, spec, conversion in Formatter().parse(template):
            yield literal
            if name is None:
                continue
            value = _converted(self._value(name), conversion)
            if nested:
                yield format_value(value, spec or "")
            elif "{" in (spec or "") or "}" in (spec or ""):
                yield format_value(value, self._spec(spec or ""))
            else:
                yield format_value(value, spec or "")

    def _spec(self, spec: str) -> str:
        """A spec with fields of its own, which are numbers or words without fields of theirs."""
        if any("{" in (inner or "") for _, _, inner, _ in Formatter().parse(spec)):
            raise ValueError("Max string recursion exceeded")
        return self.text(spec, nested=True)

    def _value(self, name: str) -> Any:
        if name == "":
            if self.by_hand:
                raise ValueError("cannot switch from manual field specification to automatic field numbering")
            self.next = 0 if self.next is None else self.next + 1
            return self._numbered(self.next)
        if name.isdecimal():
            if self.next is not None:
                raise ValueError("cannot switch from automatic field numbering to manual field specification")
            self.by_hand = True
            if len(name) > 18:
                raise ValueError("Too many decimal digits in format string")
            return self._numbered(int(name))
        if not _NAME.match(name):
            hint = "put the value in a variable of its own, and its name between the braces"
            raise NoOverload(
                "a field is empty, a number or a name, without attribute or index", got=name[:64], hint=hint
            )
        return self.kwargs[name]

    def _numbered(self, index: int) -> Any:
        if index >= len(self.args):
            raise IndexError(f"Replacement index {index} out of range for positional args tuple")
        return self.args[index]


def _converted(value: Any, conversion: str | None) -> Any:
    if conversion is None:
        return value
    if conversion == "s":
        return str_of(value)
    if conversion == "r":
        return repr_of(value)
    if conversion == "a":
        return ascii_of(value)
    raise ValueError(f"Unknown conversion specifier {conversion}")


def ascii_of(value: Any) -> str:
    """`ascii(value)`."""
    return repr_of(value).encode("ascii", "backslashreplace").decode("ascii")


@builtin("print")
def print_(run: Run, /, *values: Any, sep: Any = " ", end: Any = "\n", **others: Any) -> None:
    """`print(...)`: the text goes to the run's budget, an entry for each call."""
    for name in others:
        if name == "flush":  # there is nothing to wait for
            continue
        if name == "file":
            raise NoOverload("print takes no 'file' here: what is printed comes with the reply", name)
        raise TypeError(f"'{name}' is an invalid keyword argument for print()")
    for name, value in (("sep", sep), ("end", end)):
        if not isinstance(value, str | None):
            raise TypeError(f"{name} must be None or a string, not {spoken(value)}")
    pieces: list[str] = []
    between = " " if sep is None else sep
    length = 0
    for value in values:
        pieces.append(str_of(value))
        length += len(pieces[-1]) + len(between)
        allow_items(length, "printed texts")
    run.budget.write(Printed(run.position, between.join(pieces), "\n" if end is None else end))
