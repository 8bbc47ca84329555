"""`value.name(...)`: the method of the value's own type, from the registry for tensors and arrays."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.functions import Bounded, spoken, type_of
from gradwire.engine.language.lazy import Run
from gradwire.engine.language.members import METHODS
from gradwire.engine.ops import calling, numpy_ops
from gradwire.findings import Refusal

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Entry, Op

_LONGEST_NAME = 64


@functools.cache
def entry(prefix: str, name: str) -> Entry | None:
    """What the registry has under `Tensor.{name}` or `numpy.ndarray.{name}`."""
    from gradwire.engine.ops.registry import registry

    return registry().find(f"{prefix}.{name}")


def known(name: str) -> bool:
    """Whether any type has a method of this name, be it one that may not be called."""
    if name.startswith("_") or len(name) > _LONGEST_NAME:
        return False
    if any(name in methods for _, methods in METHODS):
        return True
    return entry("Tensor", name) is not None or entry("numpy.ndarray", name) is not None


def op_of(value: Any, name: str) -> Op | None:
    """The registry's op that `value.name(...)` calls; None where `value` is neither tensor nor array.

    Raises Refusal (`excluded_op`, with the registry's reason) for one that may not be called, AttributeError in
    Python's words where there is none.
    """
    from gradwire.engine.ops.registry import Op
    from gradwire.engine.ops.uncallable import uncallable

    if isinstance(value, torch.Tensor):
        found = entry("Tensor", name)
    elif isinstance(value, np.ndarray):
        found = entry("numpy.ndarray", name)
    else:
        return None
    if isinstance(found, Op):
        return found
    if found is None:
        raise _no_attribute(value, name)
    raise Refusal([uncallable(found, found.name)])


def call_method(name: str, run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`value.name(*args, **kwargs)`. Raises as `op_of` does, and what the method raises."""
    return _found(value, name)(run, value, *args, **kwargs)


@functools.cache
def method(name: str) -> Bounded:
    """The function that calls the method `name` of its first argument."""
    by_type: dict[type, Bounded] = {}

    def called(run: Run, value: Any, /, *args: Any, **kwargs: Any) -> Any:
        function = by_type.get(type(value))
        if function is None:
            function = by_type[type(value)] = _found(value, name)
        return function(run, value, *args, **kwargs)

    return called


def _found(value: Any, name: str) -> Bounded:
    """The method `name` of the type of `value`."""
    op = op_of(value, name)
    if op is not None:
        return _of_op(op)
    if isinstance(value, np.generic) and (scalars := _scalar_method(value, name)) is not None:
        return scalars
    methods = next((methods for kind, methods in METHODS if isinstance(value, kind)), {})
    if name in methods:
        return methods[name]
    if hasattr(type_of(value), name) and not name.startswith("_"):
        message = f"'{name}' of a {type_of(value).__name__} cannot be called here"
        raise NoOverload(message, 0, expected=sorted(methods))
    raise _no_attribute(value, name)


def _of_op(op: Op) -> Bounded:
    """An op of the registry, with its fences; most have none."""
    native = op.call

    def careful(run: Run, /, *args: Any, **kwargs: Any) -> Any:
        return calling.invoke(op, list(args), kwargs)

    def plain(run: Run, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return native(*args, **kwargs)
        except TypeError as error:
            return calling.second_try(op, list(args), kwargs, error)

    return plain if op.plain else careful


def _scalar_method(value: np.generic, name: str) -> Bounded | None:
    """NumPy's own method of a number that stands alone, where arrays may be asked for it."""
    from gradwire.engine.ops.registry import Op

    native = getattr(type(value), name, None)
    if native is None or not isinstance(entry("numpy.ndarray", name), Op):
        return None

    def function(run: Run, /, *args: Any, **kwargs: Any) -> Any:
        result = native(*args, **kwargs)
        numpy_ops.check_result(result)
        return result

    return function


def _no_attribute(value: Any, name: str) -> AttributeError:
    return AttributeError(f"'{spoken(value)}' object has no attribute '{name[:_LONGEST_NAME]}'")
