"""The names that a graph or a function sees, and where their values are kept while it runs.

A frame is a list: the run, the frame of the enclosing scope, then a slot for each name. As in Python a name bound
anywhere in a function is local to it; other names are looked up in the enclosing scopes when they are read.
"""

from __future__ import annotations

import operator
from collections import ChainMap
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gradwire.engine.graph import TensorDocument

RUN, ENCLOSING, FIRST_SLOT = 0, 1, 2


class _Unbound:
    """What stands in the slot of a name that is not bound yet."""

    def __repr__(self) -> str:
        return "UNBOUND"


UNBOUND: Final = _Unbound()


def whole_frame(frame: list[Any]) -> list[Any]:
    """A getter of the frame itself."""
    return frame


running = operator.itemgetter(RUN)
"""A getter of the run."""


@dataclass(slots=True)
class Lifetimes:
    """One list of statements: the slots that an `id` binds in it, and which statement reads each last.

    `current` counts the statements; -1 for what is read between them.
    """

    defined: set[int] = field(default_factory=set)
    readers: dict[int, int] = field(default_factory=dict)
    current: int = -1


@dataclass(slots=True)
class Scope:
    """The names of the graph or of one function, each with its slot.

    `slots` holds all names that are ever bound in it, `certain` those that have a value for sure where the planner is
    by now, `lasting` those that have one from the start. In a flat graph (not `dynamic`) only the certain ones can be
    read; where there are blocks the run finds out. `reads` notes which slots of this scope the statement being
    compiled reads. `kept` are slots whose value must stay until the scope ends. `has_dicts`: a value may be a dict, so
    any word may be a step of a path. `within` is what Python puts before the names of functions defined in it.
    """

    parent: Scope | None = None
    dynamic: bool = False
    slots: dict[str, int] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    lasting: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    documents: list[tuple[int, TensorDocument]] = field(default_factory=list)
    reads: set[int] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    bodies: list[Lifetimes] = field(default_factory=list)
    size: int = FIRST_SLOT
    has_dicts: bool = False
    within: str = ""

    def fresh(self) -> int:
        """A new slot."""
        self.size += 1
        return self.size - 1

    def declare(self, names: Iterable[str]) -> None:
        """Give each of `names` its slot; they have no value yet."""
        for name in names:
            if name not in self.slots:
                self.slots[name] = self.fresh()

    def bind(self, name: str) -> int:
        """The slot of `name`, which has a value from here on."""
        self.declare((name,))
        self.certain.add(name)
        return self.slots[name]

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it, the innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def readable(self) -> Container[str]:
        """Every name that can be read here."""
        own = self.slots if self.dynamic else self.certain
        return own if self.parent is None else _Either(own, self.parent.known)

    @property
    def known(self) -> Mapping[str, int]:
        """Every name that is bound at any time, here or further out."""
        return ChainMap(*(scope.slots for scope in self.chain()))

    def find(self, name: str) -> tuple[int, int, bool]:
        """How many scopes out the readable `name` is, its slot there, and whether it has a value for sure."""
        for hops, scope in enumerate(self.chain()):
            if name in scope.certain or ((hops or scope.dynamic) and name in scope.slots):
                scope.note(scope.slots[name], captured=hops > 0)
                certain = name in scope.certain and (not hops or name in scope.lasting) and name not in scope.deleted
                return hops, scope.slots[name], certain
        raise KeyError(name)

    def note(self, slot: int, captured: bool) -> None:
        """A value is read: by the statement being compiled, or by a function, whenever that is called."""
        self.reads.add(slot)
        if not captured:
            for body in reversed(self.bodies):
                if slot in body.defined:
                    body.readers[slot] = body.current
                    return
        self.kept.add(slot)


class _Either:
    """What is in one of two containers, without putting them together for each question."""

    __slots__ = ("_one", "_other")

    def __init__(self, one: Container[str], other: Container[str]) -> None:
        self._one = one
        self._other = other

    def __contains__(self, name: object) -> bool:
        return name in self._one or name in self._other
