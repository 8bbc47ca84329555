"""Operators between any values as Python has them, with the bounds and fences of the registry's ops."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from gradwire.engine.language.functions import Bounded
from gradwire.engine.language.iterate import counted, length_of
from gradwire.engine.language.lazy import Lazy, Run
from gradwire.engine.language.measure import allow_key, measure
from gradwire.engine.language.truth import truth

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op


@functools.cache
def _op(name: str) -> Op:
    from gradwire.engine.ops.registry import Op, registry

    found = registry().find(f"operator.{name}")
    assert isinstance(found, Op)
    return found


def operate(name: str, *args: Any) -> Any:
    """The operator `name` of Python's module `operator`. Raises what Python raises: no list becomes a tensor."""
    from gradwire.engine.ops import fences, python_ops

    op = _op(name)
    python_ops.check(op, args)
    new_args, kwargs = fences.check(op, list(args), {})
    return fences.called(op, new_args, kwargs)


def contains(run: Run, container: Any, item: Any, /) -> bool:
    """`item in container`, its turns counted."""
    if isinstance(container, Lazy):
        measure(item)
        return any(_same(one, item) for one in counted(run, container))
    if isinstance(container, dict):
        allow_key(item)
    elif isinstance(container, range) and type(item) in (int, bool):
        return item in container
    elif not isinstance(container, str):
        run.budget.take(length_of(container) or 0)
    result: bool = operate("contains", container, item)
    return result


def _same(one: Any, item: Any) -> bool:
    measure(one)
    return one is item or truth(one == item)


def is_(run: Run, one: Any, other: Any, /) -> bool:
    """`one is other`."""
    return one is other


def is_not(run: Run, one: Any, other: Any, /) -> bool:
    """`one is not other`."""
    return one is not other


def not_(run: Run, value: Any, /) -> bool:
    """`not value`."""
    return not truth(value)


def truth_(run: Run, value: Any, /) -> bool:
    """`bool(value)`."""
    return truth(value)


OPERATORS: dict[str, Bounded] = {
    "contains": contains,
    "is_": is_,
    "is_not": is_not,
    "not_": not_,
    "truth": truth_,
}
