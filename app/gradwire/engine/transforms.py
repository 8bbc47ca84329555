"""PyTorch's transforms of functions, as nodes use them (contract section 3): torch.func and torch.autograd.functional.

Each maps a function and options to what the node gives for its arguments. What they compute is PyTorch's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias

import torch
from torch.autograd import functional as autograd_functional
from torch.utils import _pytree as pytree

from gradwire.engine.errors import NoOverload

Function: TypeAlias = Callable[..., Any]
Options: TypeAlias = Mapping[str, Any]

_FLAGS = frozenset(("has_aux", "strict", "create_graph", "vectorize"))
_WORDS = {
    "randomness": ("error", "different", "same"),
    "strategy": ("reverse-mode", "forward-mode"),
    "outer_jacobian_strategy": ("reverse-mode", "forward-mode"),
}


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
    options = _options_of(transform, 1)

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


def _options_of(transform: Function, skip: int) -> frozenset[str]:
    """The keyword arguments that its documentation knows."""
    names = list(inspect.signature(transform).parameters)[skip:]
    return frozenset(one for one in names if not one.startswith("_"))


def checked(options: Options) -> None:
    """Raise NoOverload for an option that no transform takes so."""
    for name, value in options.items():
        expected = None
        if name in _FLAGS and not isinstance(value, bool):
            expected = "true or false"
        elif name == "argnums" and not _are_argnums(value):
            expected = "an integer, or a list of integers"
        elif name == "chunk_size" and value is not None and (type(value) is not int or value < 1):
            expected = "an integer from 1, or null"
        elif name in _WORDS and value not in _WORDS[name]:
            expected = " or ".join(_WORDS[name])
        if expected is not None:
            raise NoOverload(f"{name} is {expected}", name, expected=expected, got=str(value)[:64])


def _are_argnums(value: Any) -> bool:
    return type(value) is int or (
        isinstance(value, (list, tuple)) and len(value) > 0 and all(type(one) is int for one in value)
    )


@contextmanager
def _dims_named(options: Options) -> Iterator[None]:
    """What vmap says of dimensions that were chosen is about one of its options."""
    try:
        yield
    except (ValueError, IndexError) as error:
        text = str(error)
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
    tangents = _per_argument(args, _required(options, "tangents", "func.jvp"), "tangents")
    plain = {key: value for key, value in options.items() if key != "tangents"}
    return torch.func.jvp(of, args, tangents, **plain)


def _linearize(of: Function, args: Sequence[Any], options: Options) -> Any:
    """(output, its tangent); without tangents (output, the linear function)."""
    args = tuple(as_tensor(one) for one in args)
    output, push = torch.func.linearize(of, *args)
    if "tangents" not in options:
        return output, push
    return output, push(*_per_argument(args, options["tangents"], "tangents"))


def _of_autograd(name: str) -> TransformOp:
    """torch.autograd.functional's, where one argument stands alone and several are a tuple."""
    transform = getattr(autograd_functional, name)
    options = _options_of(transform, 2)

    def value(of: Function, args: Sequence[Any], chosen: Options) -> Any:
        checked(chosen)
        tensors = tuple(as_tensor(one) for one in args)
        inputs = tensors[0] if len(tensors) == 1 else tensors
        given = dict(chosen)
        if given.get("v") is not None and name != "vjp":
            v = _per_argument(tensors, given["v"], "v")
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


def as_tensor(value: Any) -> Any:
    """Numbers and (nested) lists of numbers as tensors, in an argument that holds others too; others as they are."""
    return pytree.tree_map(lambda one: torch.tensor(one) if _is_numbers(one) else one, value, is_leaf=_is_numbers)


def _is_numbers(value: Any) -> bool:
    """Whether `value` is a number, or a list of such that is not ragged."""
    if type(value) is not list:
        return isinstance(value, (int, float, complex)) and not isinstance(value, bool)
    if not value or not all(_is_numbers(one) for one in value):
        return False
    return len({torch.tensor(one).shape for one in value}) == 1


def _prepared(name: str, args: Sequence[Any], options: Options) -> list[Any]:
    """Arguments that are differentiated by as tensors; of the others only lists of numbers."""
    places = set() if name == "vmap" else _places(len(args), options.get("argnums", 0))
    return [
        as_tensor(value) if place in places or (type(value) is list and _is_numbers(value)) else value
        for place, value in enumerate(args)
    ]


def _places(count: int, argnums: Any) -> set[int]:
    """Which of `count` arguments are differentiated by. Raises NoOverload where there is no such argument."""
    chosen = argnums if isinstance(argnums, (list, tuple)) else (argnums,)
    for one in chosen:
        if not -count <= one < count:
            noun = "argument" if count == 1 else "arguments"
            message = f"argnums {one} is none of {count} {noun}"
            raise NoOverload(message, "argnums", expected=f"{-count} to {count - 1}" if count else None, got=one)
    return {one % count for one in chosen}


def tuples(value: Any) -> Any:
    """A list where torch.func wants a tuple."""
    return tuple(tuples(one) for one in value) if isinstance(value, (list, tuple)) else value


def as_like(value: Any, like: Any, option: str) -> Any:
    """`value` in the structure of `like`: lists of numbers as tensors of its dtype, lists as tuples.

    Raises NoOverload about `option` where structures or shapes differ.
    """
    if isinstance(like, torch.Tensor):
        return _tensor_like(value, like, option)
    if isinstance(like, dict) and isinstance(value, dict) and like.keys() == value.keys():
        return {name: as_like(value[name], one, option) for name, one in like.items()}
    if isinstance(like, (list, tuple)) and isinstance(value, (list, tuple)) and len(like) == len(value):
        return type(like)([as_like(one, other, option) for one, other in zip(value, like, strict=True)])
    raise NoOverload(f"'{option}' must have the structure of what it belongs to", option)


def _tensor_like(value: Any, like: torch.Tensor, option: str) -> torch.Tensor:
    made: torch.Tensor = value
    if not isinstance(value, torch.Tensor):
        try:
            made = torch.tensor(value, dtype=like.dtype, device=like.device)
        except (TypeError, ValueError, RuntimeError) as error:
            raise NoOverload(f"'{option}' must have the structure of what it belongs to", option) from error
    if made.shape != like.shape:
        expected, got = list(like.shape), list(made.shape)
        message = f"a part of '{option}' has shape {got}, but belongs to one of shape {expected}"
        raise NoOverload(message, option, expected=expected, got=got)
    return made


def _per_argument(args: Sequence[Any], given: Any, option: str) -> tuple[Any, ...]:
    """One tangent for each argument; with one argument the bare value serves."""
    if len(args) == 1 and not _is_list_for(given, args[0]):
        return (as_like(given, args[0], option),)
    if not isinstance(given, (list, tuple)) or len(given) != len(args):
        wanted = f"a list of {len(args)}"
        raise NoOverload(f"'{option}' is {wanted}: one for each argument", option, expected=wanted)
    return tuple(as_like(one, arg, option) for one, arg in zip(given, args, strict=True))


def _is_list_for(given: Any, argument: Any) -> bool:
    """Whether `given` is a list of the one tangent, rather than the tangent as a list of numbers."""
    if not isinstance(given, (list, tuple)) or len(given) != 1:
        return False
    if not isinstance(argument, torch.Tensor) or isinstance(given[0], torch.Tensor):
        return True
    return _is_numbers(given[0]) and torch.tensor(given[0]).shape == argument.shape


_NAMES = ("grad", "grad_and_value", "jacrev", "jacfwd", "hessian", "vmap")
TRANSFORMS: dict[str, TransformOp] = {
    **{f"func.{name}": _of_func(name) for name in _NAMES},
    "func.vjp": TransformOp("func.vjp", frozenset(("cotangents", "has_aux")), _vjp),
    "func.jvp": TransformOp("func.jvp", frozenset(("tangents", "has_aux", "strict")), _jvp),
    "func.linearize": TransformOp("func.linearize", frozenset(("tangents",)), _linearize),
    **{
        f"autograd.functional.{name}": _of_autograd(name)
        for name in ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")
    },
}
# As plain functions, called with functions, for programs: `torch.func.jvp(f, (x,), (v,))`.
AS_FUNCTIONS: dict[str, Function] = {
    **{f"func.{name}": getattr(torch.func, name) for name in (*_NAMES, "vjp", "jvp", "linearize")},
    **{
        f"autograd.functional.{name}": getattr(autograd_functional, name)
        for name in ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")
    },
}
