"""Values as text: `str` and `repr` as Python, PyTorch and NumPy have them, of at most MAX_ITEMS characters.

Only values that a reply can hold have a text, and functions, types and nodes of the tape. Addresses are 0x0. Lists,
tuples and dicts are written here and not by Python, so that what is in them keeps to the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from types import EllipsisType, MethodDescriptorType, ModuleType, NotImplementedType, UnionType
from typing import Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.budget import MAX_ITEMS, MAX_VALUE_DEPTH, exceeded
from gradwire.engine.language.displays import allow_array, allow_tensor
from gradwire.engine.language.functions import builtin, function_text, is_function, type_of
from gradwire.engine.language.lazy import REVERSED, Lazy, Run
from gradwire.engine.language.measure import VIEWS

# Values whose own text is short and holds no address.
_PLAIN = (
    bool,
    int,
    float,
    complex,
    type(None),
    EllipsisType,
    NotImplementedType,
    range,
    torch.Size,
    torch.dtype,
    torch.device,
    torch.layout,
    torch.memory_format,
    torch.finfo,
    torch.iinfo,
    np.generic,
    np.dtype,
    type,
    UnionType,
)
_BUILTIN_FUNCTIONS = (type(len), MethodDescriptorType)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


def str_of(value: Any) -> str:
    """`str(value)`. Raises NoOverload for a value without a text, Refusal for one that is too long."""
    if type(value) is str:
        return value
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return _array_text(value, str)
    if isinstance(value, _PLAIN) and not isinstance(value, tuple):
        return str(value)
    return repr_of(value)


def repr_of(value: Any) -> str:
    """`repr(value)`. Raises as `str_of` does."""
    writer = _Writer()
    writer.value(value, 0)
    return "".join(writer.pieces)


@builtin("str")
def str_(run: Run, /, *args: Any, **kwargs: Any) -> str:
    """`str(value)`."""
    given = [*args, *kwargs.values()] if set(kwargs) <= {"object"} else [None, None]
    if len(given) > 1:
        raise NoOverload("str takes one value here: there are no bytes to decode", expected="str(value)")
    return str_of(given[0]) if given else ""


@builtin("repr")
def repr_(run: Run, value: Any, /) -> str:
    """`repr(value)`."""
    return repr_of(value)


def _array_text(value: Any, text: Callable[[Any], str]) -> str:
    """The library's own text of a tensor or an array, once it is known to be of a bearable length."""
    if isinstance(value, torch.Tensor):
        allow_tensor(value)
    else:
        allow_array(value)
    return _fitting(text(value))


def _fitting(text: str) -> str:
    if len(text) > MAX_ITEMS:
        raise exceeded(f"a text has at most {MAX_ITEMS} characters", f"at most {MAX_ITEMS}")
    return text


class _Writer:
    """The text of one value, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.left = MAX_ITEMS
        self.open: set[int] = set()

    def put(self, text: str) -> None:
        self.left -= len(text)
        if self.left < 0:
            raise exceeded(f"a text has at most {MAX_ITEMS} characters", f"at most {MAX_ITEMS}")
        self.pieces.append(text)

    def value(self, value: Any, depth: int) -> None:
        """Write `repr(value)`, which stands in `depth` containers."""
        if isinstance(value, (list, tuple, dict, *VIEWS, partial)) and not isinstance(value, torch.Size):
            self._enter(value, depth)
            self._container(value, depth + 1)
            self.open.discard(id(value))
        else:
            self.put(_single(value))

    def _enter(self, value: Any, depth: int) -> None:
        if id(value) in self.open:
            raise exceeded("a value holds itself", "a value without itself in it")
        if depth >= MAX_VALUE_DEPTH:
            text = f"a value nests more than {MAX_VALUE_DEPTH} deep"
            raise exceeded(text, f"at most {MAX_VALUE_DEPTH} deep")
        self.open.add(id(value))

    def _container(self, value: Any, depth: int) -> None:
        if isinstance(value, list):
            self._items("[", value, "]", depth)
        elif isinstance(value, dict):
            self._pairs(value, depth)
        elif isinstance(value, VIEWS):
            self._items(f"{type(value).__name__}([", value, "])", depth)
        elif isinstance(value, partial):
            self._partial(value, depth)
        elif type(value) is tuple:
            self._items("(", value, ",)" if len(value) == 1 else ")", depth)
        else:
            self._named(value, depth)

    def _items(self, start: str, items: Iterable[Any], end: str, depth: int) -> None:
        self.put(start)
        for place, item in enumerate(items):
            if place:
                self.put(", ")
            self.value(item, depth)
        self.put(end)

    def _pairs(self, value: dict[Any, Any], depth: int) -> None:
        self.put("{")
        for place, (key, item) in enumerate(value.items()):
            if place:
                self.put(", ")
            self.value(key, depth)
            self.put(": ")
            self.value(item, depth)
        self.put("}")

    def _partial(self, value: partial[Any], depth: int) -> None:
        self.put("functools.partial(")
        self.value(value.func, depth)
        for item in value.args:
            self.put(", ")
            self.value(item, depth)
        for name, item in value.keywords.items():
            self.put(f", {name}=")
            self.value(item, depth)
        self.put(")")

    def _named(self, value: Any, depth: int) -> None:
        """A named tuple: those of PyTorch's ops take a line for each field."""
        kind = type(value)
        module = kind.__module__
        if not module.startswith(("torch", "numpy")):
            raise _no_text(value)
        start, between = f"{kind.__name__}(", ", "
        names = getattr(value, "_fields", None)
        if names is None:
            names = kind.__match_args__
            start, between = f"{module}.{kind.__name__}(\n", ",\n"
        self.put(start)
        for place, (name, item) in enumerate(zip(names, value, strict=True)):
            self.put((between if place else "") + f"{name}=")
            self.value(item, depth)
        self.put(")")


def _single(value: Any) -> str:
    """`repr(value)` of what holds no other values."""
    if isinstance(value, (str, *_PLAIN)):
        return repr(value)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return _array_text(value, repr)
    if isinstance(value, (Lazy, *REVERSED)):
        return f"<{type_of(value).__name__} object at 0x0>"
    if isinstance(value, (torch.autograd.graph.Node, torch.Generator)):
        return _ADDRESS.sub("0x0", repr(value))
    if isinstance(value, ModuleType):
        return f"<module '{value.__name__}'>"
    if isinstance(value, slice) and all(
        type(one) in (int, type(None)) for one in (value.start, value.stop, value.step)
    ):
        return repr(value)
    if is_function(value) or isinstance(value, _BUILTIN_FUNCTIONS):
        return function_text(value)
    raise _no_text(value)


def _no_text(value: Any) -> NoOverload:
    name = type_of(value).__name__
    return NoOverload(f"a value of the type {name} cannot be turned to text here", got=name)
