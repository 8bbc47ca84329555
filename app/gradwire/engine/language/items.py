"""`x[i]` and `x[i] = v`: indices that nest too deep, and lists that grow by assignment, refused beforehand.

PyTorch reads nested tuples, and Python hashes them, by recursion in C that ends the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.iterate import length_of
from gradwire.engine.language.lazy import Lazy
from gradwire.engine.language.limits import allow_items
from gradwire.engine.language.measure import measure


def slice_of(parts: Sequence[Any]) -> slice:
    """`slice(*parts)`. Raises NoOverload for parts that hold others: Python frees a chain of slices by recursion."""
    for part in parts:
        if isinstance(part, (slice, list, tuple, dict)):
            raise NoOverload("a slice goes from an integer to an integer", got=type(part).__name__)
    return slice(*parts)


def allow_index(index: Any) -> None:
    """Raise Refusal (`limit_exceeded`) for an index or a key that nests too deep or holds too much."""
    if isinstance(index, (tuple, list)):
        measure(index)


def allow_assignment(container: Any, index: Any, value: Any) -> None:
    """The same for `container[index] = value`, which may make a list or a dict longer."""
    allow_index(index)
    if isinstance(container, list) and isinstance(index, slice):
        if not isinstance(value, Lazy):  # which counts for itself
            allow_items(len(container) + (length_of(value) or 0))
    elif isinstance(container, dict):
        allow_items(len(container) + 1, "dicts")
