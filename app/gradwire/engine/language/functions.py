"""Functions and types as values of a program: which there are, what `type` says of them, and calling them.

A program's own functions and PyTorch's ops are objects of the engine that can be called; Python's functions are
`PythonFunction`s, bound to the run; Python's types are themselves, so that `type(x) is float` holds, and calling one
goes through `call`.
"""

from __future__ import annotations

import builtins
import functools
import re
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import Any, TypeAlias

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.lazy import Lazy, Run
from gradwire.engine.language.limits import allow_items

Bounded: TypeAlias = Callable[..., Any]

# Python's builtins by name, each called with the run ahead of its arguments. The modules of this package fill it.
BUILTINS: dict[str, Bounded] = {}

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_IN_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_NATIVE = (FunctionType, BuiltinFunctionType, MethodDescriptorType)


def builtin(name: str) -> Callable[[Bounded], Bounded]:
    """Keep a function as what the builtin `name` does."""

    def keep(function: Bounded) -> Bounded:
        BUILTINS[name] = in_pythons_words(function, getattr(builtins, name, partial))
        return BUILTINS[name]

    return keep


def in_pythons_words(function: Bounded, native: Callable[..., Any]) -> Bounded:
    """`function`, except that Python's own refuses arguments that are too few, too many or of unknown names."""

    @functools.wraps(function)
    def called(run: Run, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(run, *args, **kwargs)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
        # The arguments did not fit, so `function` never began, and neither does `native`.
        return native(*args, **kwargs)

    return called


class PythonFunction:
    """One of Python's functions as a value: called, it does what `bounded` does for the run; prints as `original`."""

    __slots__ = ("bounded", "original", "run")

    def __init__(self, run: Run, original: Any, bounded: Bounded) -> None:
        self.run = run
        self.original = original
        self.bounded = bounded

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.bounded(self.run, *args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PythonFunction) and other.original == self.original

    def __hash__(self) -> int:
        return hash(self.original)


PythonFunction.__name__ = "builtin_function_or_method"


def is_function(value: Any) -> bool:
    """Whether `value` is a function that a program may call: the engine's, or one that PyTorch's transforms made."""
    return isinstance(value, FunctionType) or (callable(value) and type(value).__module__.startswith("gradwire."))


def type_of(value: Any) -> type:
    """`type(value)`, where the engine's objects stand for Python's."""
    if isinstance(value, Lazy):
        return value.original
    if isinstance(value, partial) or not is_function(value):
        return type(value)
    return type(_original(value)) if _original(value) is not None else FunctionType


def spoken(value: Any) -> str:
    """What errors call the type of `value`: types written in C bear the module's name, too."""
    kind = type_of(value)
    if kind.__flags__ & _IN_PYTHON or kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"


def function_text(value: Any) -> str:
    """The text of a function as Python prints it, with 0x0 for its address."""
    original = _original(value)
    if original is None and not isinstance(value, _NATIVE):
        name = getattr(value, "qualified", None) or getattr(value, "__qualname__", None) or value.__name__
        return f"<function {name} at 0x0>"
    return _ADDRESS.sub("0x0", repr(value if original is None else original))


def _original(value: Any) -> Any:
    """The library's own function behind an object of the engine; None for a program's."""
    if isinstance(value, PythonFunction):
        return value.original
    return getattr(getattr(value, "op", None), "call", None)


def call(run: Run, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call a value as Python calls it.

    Raises TypeError in Python's words for what cannot be called, and NoOverload for what may not be.
    """
    if isinstance(function, partial):
        return call(run, function.func, *function.args, *args, **{**function.keywords, **kwargs})
    if isinstance(function, type):
        return _construct(run, function, args, kwargs)
    if is_function(function):
        return function(*args, **kwargs)
    if not callable(function):
        raise TypeError(f"'{spoken(function)}' object is not callable")
    raise NoOverload(f"a {type(function).__name__} cannot be called here", got=type(function).__name__)


def caller(run: Run, function: Any) -> Callable[..., Any]:
    """`function` as something that Python's and PyTorch's own code may call."""
    return function if is_function(function) else partial(call, run, function)


def _construct(run: Run, kind: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What calling a type gives: Python's within their limits, the registry's ops for the others."""
    name = kind.__name__
    if getattr(builtins, name, None) is kind and name in BUILTINS:
        return BUILTINS[name](run, *args, **kwargs)
    from gradwire.engine.ops.calling import invoke
    from gradwire.engine.ops.registry import Op, registry

    op = registry().find(f"numpy.{name}" if issubclass(kind, np.generic) else name)
    if isinstance(op, Op) and op.call is kind:
        return invoke(op, list(args), kwargs)
    raise NoOverload(f"the type {name} cannot be called here", got=name)


@builtin("partial")
def partial_(run: Run, /, *args: Any, **kwargs: Any) -> Any:
    """`functools.partial`."""
    made: Any = partial
    if args and isinstance(args[0], partial):
        allow_items(len(args[0].args) + len(args), "calls")
    return made(*args, **kwargs)


@builtin("type")
def type_(run: Run, /, *args: Any, **kwargs: Any) -> Any:
    """`type(value)`; with three arguments it would make a class."""
    if len(args) == 1 and not kwargs:
        return type_of(args[0])
    if len(args) == 3:
        raise NoOverload("a program makes no classes", hint="use functions")
    raise TypeError("type() takes 1 or 3 arguments")


@builtin("isinstance")
def isinstance_(run: Run, value: Any, kind: Any, /) -> bool:
    """`isinstance(value, kind)`."""
    from gradwire.engine.language.measure import measure

    measure(kind)
    if isinstance(value, torch.Tensor) or type_of(value) is type(value):
        return isinstance(value, kind)
    return isinstance(type_of(value), type) and issubclass(type_of(value), kind)
