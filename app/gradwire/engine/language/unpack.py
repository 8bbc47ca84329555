"""Unpacking: `a, (b, *rest) = value`, in Python's words where it does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from gradwire.engine.language.budget import MAX_ITEMS
from gradwire.engine.language.functions import spoken
from gradwire.engine.language.iterate import iterate, spent
from gradwire.engine.language.lazy import Lazy, Run
from gradwire.engine.language.limits import allow_items
from gradwire.engine.language.measure import measure

if TYPE_CHECKING:
    from gradwire.engine.graph import Target


def unpack(run: Run, value: Any, target: Target) -> list[tuple[str, Any]]:
    """Each name in `target` with its value, in the order in which Python binds them.

    `target` is a name or a tuple of such; one of a tuple may be `*rest`. Raises ValueError and TypeError in Python's
    words, and Refusal where `value` holds itself or too much.
    """
    if isinstance(target, str):
        return [(target, value)]
    measure(value)
    found: list[tuple[str, Any]] = []
    for name, part in zip(target, _parts(run, value, target), strict=True):
        if isinstance(name, str):
            found.append((name.removeprefix("*"), part))
        else:
            found += unpack(run, part, name)
    return found


def _parts(run: Run, value: Any, target: Sequence[Any]) -> list[Any]:
    """As many values as `target` has places."""
    star = next((place for place, one in enumerate(target) if isinstance(one, str) and one.startswith("*")), None)
    iterator = _iterator(run, value)
    if star is None:
        return _exactly(iterator, len(target))
    before, after = star, len(target) - star - 1
    first = list(islice(iterator, before))
    left = list(islice(spent(run, iterator), MAX_ITEMS + 1)) if len(first) == before else []
    allow_items(len(left))
    if len(first) < before or len(left) < after:
        message = f"not enough values to unpack (expected at least {before + after}, got {len(first) + len(left)})"
        raise ValueError(message)
    split = len(left) - after
    return [*first, left[:split], *left[split:]]


def _exactly(iterator: Iterator[Any], count: int) -> list[Any]:
    parts = list(islice(iterator, count + 1))
    if len(parts) < count:
        raise ValueError(f"not enough values to unpack (expected {count}, got {len(parts)})")
    if len(parts) > count:
        raise ValueError(f"too many values to unpack (expected {count})")
    return parts


def _iterator(run: Run, value: Any) -> Iterator[Any]:
    if not isinstance(value, Lazy) and not hasattr(type(value), "__iter__"):
        raise TypeError(f"cannot unpack non-iterable {spoken(value)} object")
    return iterate(run, value)
