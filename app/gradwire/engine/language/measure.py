"""How much a value holds, a shared part counted each time it occurs, and how deep it nests.

Python compares, hashes and prints nested values by recursion in C, where depth ends the process and sharing costs
time that doubles with each level. So values are measured first, in time linear in the objects that they consist of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from gradwire.engine.language.budget import MAX_ITEMS, MAX_VALUE_DEPTH, exceeded

VIEWS: tuple[Any, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_CONTAINERS = (list, tuple, dict, *VIEWS)
# Values that hold no others and are compared at once.
_ATOMS = frozenset(
    {int, float, complex, bool, type(None), torch.Tensor, torch.Size, torch.dtype, torch.device, np.ndarray, np.float64}
)


def measure(value: Any) -> int:
    """How many numbers, tensors and characters `value` holds, at least 1.

    Raises Refusal (`limit_exceeded`) where it holds itself, nests deeper than MAX_VALUE_DEPTH or counts more than
    MAX_ITEMS.
    """
    if isinstance(value, _CONTAINERS):
        return _Measure().of(value, 1)[0]
    return max(1, len(value)) if isinstance(value, str) else 1


def measure_all(values: Iterable[Any]) -> int:
    """The sum of `measure` over `values`, which is held against the same limit."""
    total = 0
    for value in values:
        total += measure(value)
        if total > MAX_ITEMS:
            raise _too_much()
    return total


def allow_key(key: Any) -> None:
    """Raise Refusal where hashing `key`, or comparing it with others, would go too deep or take too long."""
    if isinstance(key, tuple):
        measure(key)


class _Measure:
    """One measurement: (count, height) of each container that was seen, by identity."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[int, int]] = {}
        self.open: set[int] = set()

    def of(self, value: Any, depth: int) -> tuple[int, int]:
        """(count, height) of a container at `depth`."""
        identity = id(value)
        found = self.known.get(identity)
        if found is None:
            if identity in self.open:
                raise exceeded("a value holds itself", "a value without itself in it")
            if depth > MAX_VALUE_DEPTH:
                raise _too_deep()
            self.open.add(identity)
            found = self.known[identity] = self._sum(value, depth)
            self.open.discard(identity)
        if depth + found[1] - 1 > MAX_VALUE_DEPTH:
            raise _too_deep()
        return found

    def _sum(self, value: Any, depth: int) -> tuple[int, int]:
        items = [*value.keys(), *value.values()] if isinstance(value, dict) else list(value)
        count, height = len(items), 0
        if not set(map(type, items)) <= _ATOMS:
            for item in items:
                if isinstance(item, str):
                    count += max(0, len(item) - 1)
                elif isinstance(item, _CONTAINERS):
                    within, inner = self.of(item, depth + 1)
                    count += within - 1
                    height = max(height, inner)
                if count > MAX_ITEMS:
                    raise _too_much()
        if count > MAX_ITEMS:
            raise _too_much()
        return max(1, count), height + 1


def _too_deep() -> Exception:
    return exceeded(f"a value nests more than {MAX_VALUE_DEPTH} deep", f"at most {MAX_VALUE_DEPTH} deep")


def _too_much() -> Exception:
    text = f"a value holds more than {MAX_ITEMS} items, with those in it counted each time they occur"
    return exceeded(text, f"at most {MAX_ITEMS}")
