"""Calls that would kill the process, hang it, or touch memory outside of their tensors: refused by their arguments.

Each fence stands for one defect of the libraries below PyTorch; docs/fences.md lists them with the calls that show
them, and `make search` looks for more. A fence looks at a call before it is made and raises NoOverload, or gives the
arguments that make the call safe. The keys are last names without the in-place underscore, so that `div`, `Tensor.div_`
and `special.x` share what they have in common; NumPy's have their whole name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from gradwire.engine.ops.fences import (
    arithmetic,
    arrays,
    linear_algebra,
    losses,
    nested,
    normalisation,
    placement,
    pooling,
    recurrent,
    saved,
    segments,
    sparse,
    strides,
)
from gradwire.engine.ops.fences.given import Concern, Fence, Given
from gradwire.engine.ops.fences.placement import placed
from gradwire.engine.ops.parameters import in_pytorchs_words

__all__ = ["CONCERNS", "FENCES", "called", "check", "fenced", "guarded", "key", "placed"]

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

Arguments: TypeAlias = tuple[list[Any], dict[str, Any]]

FENCES: dict[str, Fence] = {
    **arithmetic.FENCES,
    **arrays.FENCES,
    **linear_algebra.FENCES,
    **losses.FENCES,
    **nested.FENCES,
    **normalisation.FENCES,
    **placement.FENCES,
    **pooling.FENCES,
    **recurrent.FENCES,
    **segments.FENCES,
    **sparse.FENCES,
    **strides.FENCES,
}
CONCERNS: dict[str, Concern] = {
    **arithmetic.CONCERNS,
    **nested.CONCERNS,
    **placement.CONCERNS,
    **segments.CONCERNS,
    **sparse.CONCERNS,
    **strides.CONCERNS,
}


def fenced(name: str) -> bool:
    """Whether calls of the op `name`, or what comes out of them, are looked at."""
    last = key(name)
    return last in FENCES or last in sparse.INDICES or last in saved.OPS


@functools.cache
def key(name: str) -> str:
    """What the fence of the op `name` is kept under."""
    return name if name.startswith("numpy.") else name.rpartition(".")[2].rstrip("_")


def check(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Arguments:
    """The arguments to call `op` with. Raises NoOverload for a call that must not be made."""
    name = key(op.name)
    fence = FENCES.get(name)
    if fence is None or (name in CONCERNS and not CONCERNS[name](args, kwargs)):
        return args, kwargs
    given = Given(op, list(args), in_pytorchs_words(op, kwargs))
    fence(given)
    return given.args, given.kwargs


def called(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The op's result for arguments that `check` has let pass; indices in it are held by nothing else."""
    name = key(op.name)
    if name in sparse.INDICES:
        return sparse.own(op.call(*args, **kwargs))
    if name not in saved.OPS or not saved.concerns(args, kwargs):
        return op.call(*args, **kwargs)
    pairs: saved.Pairs = []
    own_args = [saved.own(value, pairs) for value in args]
    result = op.call(*own_args, **{word: saved.own(value, pairs) for word, value in kwargs.items()})
    result = saved.own(result, pairs)
    saved.watch(result, pairs, op.name)
    return result


def guarded(op: Op, careful: Callable[..., Any]) -> Callable[..., Any] | None:
    """The function of an op whose fence concerns few of its calls: those go to `careful`, the others straight on.

    Python's operators go straight on between a tensor and a tensor or a number. None for all other ops.
    """
    concern, call = CONCERNS.get(key(op.name)), op.call
    if op.namespace == "operator":
        return _operator(op, concern, careful) if concern is not None or not fenced(op.name) else None
    if concern is None:
        return None

    def function(*args: Any, **kwargs: Any) -> Any:
        return careful(*args, **kwargs) if concern(args, kwargs) else call(*args, **kwargs)

    return function


# What is neither too long nor too large between two of Python's operators, where one of them is a tensor.
_OPERANDS = frozenset((torch.Tensor, int, float, bool))


def _operator(op: Op, concern: Concern | None, careful: Callable[..., Any]) -> Callable[..., Any]:
    """A binary operator without the checks that only Python's own values need."""
    call = op.call

    def function(*args: Any) -> Any:
        if len(args) == 2:
            left, right = type(args[0]), type(args[1])
            if (left is torch.Tensor or right is torch.Tensor) and left in _OPERANDS and right in _OPERANDS:
                if concern is None or not concern(args, {}):
                    return call(*args)
            elif left is float and right is float:
                return call(*args)
        return careful(*args)

    return function
