"""Python's lazy values: zip, enumerate and map as programs have them, one-shot and counted.

They may be handed to anything that iterates, Python's C code included: each turn is taken from the run's budget. The
classes bear Python's names, so that errors speak of a 'zip' object.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

from gradwire.engine.language.budget import MAX_VALUE_DEPTH, Budget, exceeded


class Run(Protocol):
    """What the functions here ask of a run: its budget, and the position of the node that is running."""

    @property
    def budget(self) -> Budget: ...

    @property
    def position(self) -> int: ...


class Lazy:
    """An iterator that counts its turns. `iterator` is Python's own, and does not count."""

    __slots__ = ("depth", "iterator", "run")
    original: ClassVar[type]
    depth: int

    def __init__(self, run: Run, iterator: Iterator[Any], *sources: Any) -> None:
        self.run = run
        self.iterator = iterator
        self.depth = 1 + max((one.depth for one in sources if isinstance(one, Lazy)), default=0)
        if self.depth > MAX_VALUE_DEPTH:
            # Python follows such a chain by recursion in C, which has no limit of its own.
            text = f"a {self.original.__name__} nests more than {MAX_VALUE_DEPTH} deep"
            raise exceeded(text, f"at most {MAX_VALUE_DEPTH} deep")

    def __init_subclass__(cls, original: type) -> None:
        cls.original = original
        cls.__name__ = original.__name__

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        value = next(self.iterator)
        self.run.budget.take()
        return value


class Zip(Lazy, original=zip):
    """`zip(...)`."""

    __slots__ = ()


class Enumerate(Lazy, original=enumerate):
    """`enumerate(...)`."""

    __slots__ = ()


class Map(Lazy, original=map):
    """`map(...)`."""

    __slots__ = ()


# The iterators that `reversed` gives. They hold a sequence and nothing lazy, so they are Python's own.
REVERSED: tuple[Any, ...] = (
    reversed,
    type(reversed([])),
    type(reversed({})),
    type(reversed({}.values())),
    type(reversed({}.items())),
    type(reversed(range(0))),
    type(reversed(range(2**70))),
)
