"""Python's builtins that make sequences or go through them; turns inside them count as turns of a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.budget import MAX_ITEMS, exceeded
from gradwire.engine.language.functions import builtin, call, caller
from gradwire.engine.language.iterate import counted, drained, exhausted, iterate
from gradwire.engine.language.lazy import Enumerate, Map, Run, Zip
from gradwire.engine.language.limits import allow_items, bounded
from gradwire.engine.language.measure import VIEWS, allow_key, measure, measure_all

_REVERSIBLE: tuple[Any, ...] = (list, tuple, dict, str, range, torch.Tensor, np.ndarray, *VIEWS)
# Joining lists copies them: so many items are as much work as one turn.
_COPIED_PER_TURN = 64


@builtin("range")
def range_(run: Run, /, *args: Any) -> range:
    """`range(start, stop, step)`."""
    return range(*args)


@builtin("len")
def len_(run: Run, value: Any, /) -> int:
    """`len(x)`."""
    return len(value)


@builtin("enumerate")
def enumerate_(run: Run, iterable: Any, start: Any = 0) -> Enumerate:
    """`enumerate(xs, start)`."""
    return Enumerate(run, enumerate(iterate(run, iterable), start), iterable)


@builtin("zip")
def zip_(run: Run, /, *iterables: Any, strict: Any = False) -> Zip:
    """`zip(xs, ys)`."""
    return Zip(run, zip(*[iterate(run, one) for one in iterables], strict=bool(strict)), *iterables)


@builtin("map")
def map_(run: Run, /, *args: Any) -> Map:
    """`map(f, xs)`."""
    if len(args) < 2:
        raise TypeError("map() must have at least two arguments.")
    function, *iterables = args
    return Map(run, map(caller(run, function), *[iterate(run, one) for one in iterables]), *iterables)


@builtin("reversed")
def reversed_(run: Run, value: Any, /) -> Any:
    """`reversed(xs)`; of a tensor it is the tensor turned around, as in PyTorch."""
    if isinstance(value, _REVERSIBLE):
        return reversed(value)
    if hasattr(type(value), "__reversed__") or hasattr(type(value), "__getitem__"):
        raise NoOverload(f"a {type(value).__name__} cannot be reversed here", got=type(value).__name__)
    return reversed(value)  # Python's own TypeError


@builtin("list")
def list_(run: Run, iterable: Any = (), /) -> list[Any]:
    """`list(xs)`."""
    return drained(run, iterable)


@builtin("tuple")
def tuple_(run: Run, iterable: Any = (), /) -> tuple[Any, ...]:
    """`tuple(xs)`; a tuple is itself."""
    return iterable if type(iterable) is tuple else tuple(drained(run, iterable))


@builtin("dict")
def dict_(run: Run, /, *args: Any, **kwargs: Any) -> dict[Any, Any]:
    """`dict(pairs, name=value)`."""
    if len(args) > 1:
        raise TypeError(f"dict expected at most 1 argument, got {len(args)}")
    return {**as_dict(run, args[0]), **kwargs} if args else kwargs


def as_dict(run: Run, value: Any) -> dict[Any, Any]:
    """A dict, or one of (key, value) pairs, as a new dict."""
    if isinstance(value, dict):
        run.budget.take(len(value))
        return dict(value)
    pairs = []
    for pair in drained(run, value):
        if not isinstance(pair, (list, tuple, str)) and hasattr(type(pair), "__iter__"):
            pair = drained(run, pair)
        if isinstance(pair, (list, tuple)) and pair:
            allow_key(pair[0])
        pairs.append(pair)
    return dict(pairs)


@builtin("sorted")
def sorted_(run: Run, iterable: Any, /, *, key: Any = None, reverse: Any = False) -> list[Any]:
    """`sorted(xs, key=f, reverse=True)`."""
    items = drained(run, iterable)
    measure_all(items)
    return sorted(items, key=keyed(run, key), reverse=reverse)


def keyed(run: Run, key: Any) -> Callable[[Any], Any] | None:
    """`key` for Python's sorting, with what its values hold counted."""
    if key is None:
        return None
    left = MAX_ITEMS

    def value_of(item: Any) -> Any:
        nonlocal left
        value = call(run, key, item)
        left -= measure(value)
        if left < 0:
            raise exceeded(f"the keys hold more than {MAX_ITEMS} items", f"at most {MAX_ITEMS}")
        return value

    return value_of


@builtin("min")
def min_(run: Run, /, *args: Any, **kwargs: Any) -> Any:
    """`min(xs, key=f, default=v)` and `min(a, b)`."""
    return _extreme(min, run, args, kwargs)


@builtin("max")
def max_(run: Run, /, *args: Any, **kwargs: Any) -> Any:
    """`max(xs, key=f, default=v)` and `max(a, b)`."""
    return _extreme(max, run, args, kwargs)


def _extreme(native: Callable[..., Any], run: Run, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if "key" in kwargs:
        kwargs = {**kwargs, "key": keyed(run, kwargs["key"])}
    if len(args) == 1:
        return native(_measured(exhausted(run, args[0])), **kwargs)
    measure_all(args)
    return native(*args, **kwargs)


def _measured(items: Iterator[Any]) -> Iterator[Any]:
    for item in items:
        measure(item)
        yield item


@builtin("sum")
def sum_(run: Run, iterable: Any, /, start: Any = 0) -> Any:
    """`sum(xs, start)`: Python's own, so floats are added as this Python adds them."""
    items = drained(run, iterable)
    if isinstance(start, (list, tuple)):
        _allow_joining(run, [start, *items])
    return bounded(sum(items, start))


def _allow_joining(run: Run, parts: Sequence[Any]) -> None:
    """Raise Refusal where joining lists one by one gives too long a list or copies too much."""
    total = copied = 0
    for part in parts:
        total += len(part) if isinstance(part, (list, tuple)) else 0
        copied += total
        allow_items(total)
    run.budget.take(copied // _COPIED_PER_TURN)


@builtin("any")
def any_(run: Run, iterable: Any, /) -> bool:
    """`any(xs)`."""
    return any(counted(run, iterable))


@builtin("all")
def all_(run: Run, iterable: Any, /) -> bool:
    """`all(xs)`."""
    return all(counted(run, iterable))
