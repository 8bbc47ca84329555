"""PyTorch's transforms of functions, as nodes use them (contract section 3): torch.func and torch.autograd.functional.

Each maps a function and options to what the node gives for its arguments. What they compute is PyTorch's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias

import torch
from torch.autograd import functional as autograd_functional
from torch.utils import _pytree as pytree

from gradwire.engine.errors import NoOverload, message_of
from gradwire.engine.tangents import as_like, as_tensor, is_numbers, per_argument
from gradwire.engine.transform_options import Options, checked, options_of, places

Function: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class TransformOp:
    """One transform. `options` are its keyword arguments.

    `function` gives the transformed function; None where there is only a value for arguments. `value` gives the node's
    value for a function, arguments and options.
    """

    name: str
    options: frozenset[str]
    value: Callable[[Function, Sequence[Any], Options], Any]
    function: Callable[[Function, Options], Function] | None = None


def _of_func(name: str) -> TransformOp:
    """torch.func's transforms that turn a function into another."""
    transform = getattr(torch.func, name)
    options = options_of(transform, 1)

    def function(of: Function, chosen: Options) -> Function:
        checked(chosen)
        transformed: Function = transform(of, **{key: tuples(value) for key, value in chosen.items()})

        @wraps(transformed)
        def prepared(*args: Any, **kwargs: Any) -> Any:
            with _dims_named(chosen):
                return transformed(*_prepared(name, args, chosen), **kwargs)

        return prepared

    def value(of: Function, args: Sequence[Any], chosen: Options) -> Any:
        return function(of, chosen)(*args)

    return TransformOp(f"func.{name}", options, value, function)


@contextmanager
def _dims_named(options: Options) -> Iterator[None]:
    """What vmap says of dimensions that were chosen is about one of its options."""
    try:
        yield
    except (ValueError, IndexError) as error:
        text = message_of(error)
        place = "out_dims" if isinstance(error, IndexError) or "out_dim" in text else "in_dims"
        if place not in options:
            raise
        raise NoOverload(text, place) from error


def _vjp(of: Function, args: Sequence[Any], options: Options) -> Any:
    """(output, gradients per argument), and the auxiliary output behind them where there is one."""
    checked(options)
    args = [as_tensor(one) for one in args]
    output, back, *aux = torch.func.vjp(of, *args, has_aux=options.get("has_aux", False))
    if "cotangents" not in options:
        return output, back, *aux
    return output, back(as_like(options["cotangents"], output, "cotangents")), *aux


def _jvp(of: Function, args: Sequence[Any], options: Options) -> Any:
    """(output, its tangent), and the auxiliary output behind them where there is one."""
    checked(options)
    args = tuple(as_tensor(one) for one in args)
    tangents = per_argument(args, _required(options, "tangents", "func.jvp"), "tangents")
    plain = {key: value for key, value in options.items() if key != "tangents"}
    return torch.func.jvp(of, args, tangents, **plain)


def _linearize(of: Function, args: Sequence[Any], options: Options) -> Any:
    """(output, its tangent); without tangents (output, the linear function)."""
    args = tuple(as_tensor(one) for one in args)
    output, push = torch.func.linearize(of, *args)
    if "tangents" not in options:
        return output, push
    return output, push(*per_argument(args, options["tangents"], "tangents"))


def _of_autograd(name: str) -> TransformOp:
    """torch.autograd.functional's, where one argument stands alone and several are a tuple."""
    transform = getattr(autograd_functional, name)
    options = options_of(transform, 2)

    def value(of: Function, args: Sequence[Any], chosen: Options) -> Any:
        checked(chosen)
        tensors = tuple(as_tensor(one) for one in args)
        inputs = tensors[0] if len(tensors) == 1 else tensors
        given = dict(chosen)
        if given.get("v") is not None and name != "vjp":
            v = per_argument(tensors, given["v"], "v")
            given["v"] = v[0] if len(tensors) == 1 else v
        elif given.get("v") is not None:
            given["v"] = _cotangents(of, tensors, given["v"])
        return transform(of, inputs, **given)

    return TransformOp(f"autograd.functional.{name}", options, value)


def _cotangents(of: Function, args: Sequence[Any], given: Any) -> Any:
    """`given` as tensors; where numbers stand for them the function is run once more to see what they belong to."""
    if all(isinstance(one, torch.Tensor) for one in pytree.tree_leaves(given)):
        return tuples(given)
    with torch.random.fork_rng(), torch.no_grad():
        return as_like(given, of(*args), "v")


def _required(options: Options, name: str, op: str) -> Any:
    if name not in options:
        raise NoOverload(f"{op} needs the option '{name}'", expected=name)
    return options[name]


def _prepared(name: str, args: Sequence[Any], options: Options) -> list[Any]:
    """Arguments that are differentiated by as tensors; of the others only lists of numbers."""
    chosen = set() if name == "vmap" else places(len(args), options.get("argnums", 0))
    return [
        as_tensor(value) if place in chosen or (type(value) is list and is_numbers(value)) else value
        for place, value in enumerate(args)
    ]


def tuples(value: Any) -> Any:
    """A list where torch.func wants a tuple."""
    return tuple(tuples(one) for one in value) if isinstance(value, (list, tuple)) else value


_AUTOGRAD = ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")
_NAMES = ("grad", "grad_and_value", "jacrev", "jacfwd", "hessian", "vmap")
TRANSFORMS: dict[str, TransformOp] = {
    **{f"func.{name}": _of_func(name) for name in _NAMES},
    "func.vjp": TransformOp("func.vjp", frozenset(("cotangents", "has_aux")), _vjp),
    "func.jvp": TransformOp("func.jvp", frozenset(("tangents", "has_aux", "strict")), _jvp),
    "func.linearize": TransformOp("func.linearize", frozenset(("tangents",)), _linearize),
    **{f"autograd.functional.{name}": _of_autograd(name) for name in _AUTOGRAD},
}
# As plain functions, called with functions, for programs: `torch.func.jvp(f, (x,), (v,))`.
AS_FUNCTIONS: dict[str, Function] = {
    **{f"func.{name}": getattr(torch.func, name) for name in (*_NAMES, "vjp", "jvp", "linearize")},
    **{f"autograd.functional.{name}": getattr(autograd_functional, name) for name in _AUTOGRAD},
}
