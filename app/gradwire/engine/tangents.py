"""Numbers where a transform wants tensors: arguments, tangents, cotangents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils import _pytree as pytree

from gradwire.engine.errors import NoOverload


def as_tensor(value: Any) -> Any:
    """Numbers and (nested) lists of numbers as tensors, in an argument that holds others too; others as they are."""
    return pytree.tree_map(lambda one: torch.tensor(one) if is_numbers(one) else one, value, is_leaf=is_numbers)


def is_numbers(value: Any) -> bool:
    """Whether `value` is a number, or a list of such that is not ragged."""
    return _nesting(value) is not None


def _nesting(value: Any) -> tuple[int, ...] | None:
    """The shape of a number or a list of numbers; None for others."""
    if type(value) is not list:
        return () if isinstance(value, (int, float, complex)) and not isinstance(value, bool) else None
    shapes = {_nesting(one) for one in value}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(value), *inner)


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


def per_argument(args: Sequence[Any], given: Any, option: str) -> tuple[Any, ...]:
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
    return _nesting(given[0]) == tuple(argument.shape)
