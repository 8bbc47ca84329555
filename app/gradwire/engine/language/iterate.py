"""Iterating over values as Python's `for` does, and going through them inside a builtin, where turns are counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.budget import MAX_ITEMS
from gradwire.engine.language.lazy import REVERSED, Lazy, Run
from gradwire.engine.language.limits import allow_items
from gradwire.engine.language.measure import VIEWS

_SIZED: tuple[Any, ...] = (list, tuple, dict, str, *VIEWS)
_ITERABLE: tuple[Any, ...] = (*_SIZED, np.ndarray, range, *REVERSED)


def iterate(run: Run, value: Any) -> Iterator[Any]:
    """The iterator of a `for` loop over `value`; it counts no turns, since the loop does.

    Raises TypeError in Python's words for what cannot be iterated, and Refusal for a tensor of too many rows, which
    PyTorch would make all at once.
    """
    if isinstance(value, _ITERABLE):
        return iter(value)
    if isinstance(value, Lazy):
        return value.iterator
    if isinstance(value, torch.Tensor):
        if value.dim() > 0:
            allow_items(value.shape[0], "tensors that are iterated over")
        return iter(value)
    if isinstance(value, Iterator) or hasattr(type(value), "__iter__"):
        raise NoOverload(f"a {type(value).__name__} cannot be iterated over here", got=type(value).__name__)
    return iter(value)  # Python's own TypeError


def length_of(value: Any) -> int | None:
    """How many turns a loop over `value` takes; None where only the loop shows it."""
    if isinstance(value, _SIZED):
        return len(value)
    if isinstance(value, range):
        return range_length(value)
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim:
        return int(value.shape[0])
    return None


def range_length(value: range) -> int:
    """`len(value)`, which raises OverflowError where it has 64 bits or more."""
    if not value:
        return 0
    return (value[-1] - value[0]) // value.step + 1


def counted(run: Run, value: Any) -> Iterator[Any]:
    """An iterator over `value` that takes each turn from the budget, as something inside a builtin does."""
    return value if isinstance(value, Lazy) else spent(run, iterate(run, value))


def spent(run: Run, iterator: Iterator[Any]) -> Iterator[Any]:
    """What `iterator` gives, each turn taken from the budget."""
    take = run.budget.take
    for one in iterator:
        take()
        yield one


def exhausted(run: Run, value: Any) -> Iterator[Any]:
    """As `counted`, for what goes through all of `value`: turns are counted ahead where their number is known."""
    length = length_of(value)
    if length is None:
        return counted(run, value)
    run.budget.take(length)
    iterator = iterate(run, value)
    # A list may grow while it is gone through.
    return chain(islice(iterator, length), spent(run, iterator))


def drained(run: Run, value: Any) -> list[Any]:
    """All items of `value` as a new list, their turns counted before they are taken where their number is known.

    Raises Refusal (`limit_exceeded`) where there are more than MAX_ITEMS, or than the run may still take.
    """
    length = length_of(value)
    if length is None:
        items = list(islice(counted(run, value), MAX_ITEMS + 1))
        allow_items(len(items))
        return items
    run.budget.take(length)
    allow_items(length)
    return list(iterate(run, value))
