"""What `of` may name: the client's functions, PyTorch's and Python's own, and transforms of any of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.graph import NamedFunction
from gradwire.engine.language import functions, names
from gradwire.engine.ops import arguments
from gradwire.engine.ops.registry import Op, registry
from gradwire.engine.ops.uncallable import uncallable
from gradwire.engine.scope import RUN
from gradwire.engine.steps import Run
from gradwire.engine.transforms import AS_FUNCTIONS
from gradwire.findings import Refusal


class OpFunction:
    """An op as a function that can be passed on and called. Prints as PyTorch's own does."""

    __slots__ = ("__name__", "op")

    def __init__(self, op: Op) -> None:
        self.op = op
        self.__name__ = op.last

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return arguments.invoke(self.op, list(args), kwargs)


# Types that values have and that nobody calls.
TYPES: dict[str, type] = {"Tensor": torch.Tensor, "dtype": torch.dtype, "numpy.ndarray": np.ndarray}
# Errors of Python's and PyTorch's speak of types by name.
OpFunction.__name__ = OpFunction.__qualname__ = "builtin_function_or_method"


def named_function(function: NamedFunction) -> tuple[bool, Any]:
    """(True, the function), or (False, a getter) where it counts what the run may do.

    Raises Refusal (`unknown_op`, `excluded_op`) for a name that is no function here.
    """
    name = function.name.removeprefix("torch.")
    if name in AS_FUNCTIONS:
        return True, AS_FUNCTIONS[name]
    if name in TYPES:
        return True, TYPES[name]
    entry = registry().find(name)
    if isinstance(entry, Op):
        return True, entry.call if isinstance(entry.call, type) else OpFunction(entry)
    if names.find(name) is not None:
        return False, lambda frame: names.value(frame[RUN], name)
    raise Refusal([uncallable(entry, function.name, function.source, "function")])


def callable_of(run: Run, value: Any, name: str) -> Callable[..., Any]:
    """`value`, which must be a function, as Python and PyTorch may call it. Raises NoOverload."""
    if not callable(value):
        message = f"'{name[:64]}' is no function"
        raise NoOverload(message, "of", expected="a function", got=functions.spoken(value))
    return functions.caller(run, value)
