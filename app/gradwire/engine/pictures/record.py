"""What each node of a graph gave when it ran, for its picture. Plugged in when planned; free when not asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import torch

from gradwire.engine.execute import Signal
from gradwire.engine.graph import Node, Statement
from gradwire.engine.pictures.seen import Seen, seen
from gradwire.engine.steps import Step
from gradwire.engine.watch import is_transformed

Call = Callable[..., Any]

# How far lists of tensors are looked through for what an op changes in place.
MOST_PARTS = 32


@dataclass(slots=True)
class Noted:
    """How often a node ran, what it gave the last time, whether it changed an argument in place or made a leaf.

    What it changed is told by the tensors' version counters, so it holds for every spelling of an in-place op. Of a
    function `given` are its parameters, of a loop its target.
    """

    times: int = 0
    gave: Seen | None = None
    in_place: bool = False
    leaf: bool = False
    given: dict[str, Seen] = field(default_factory=dict)


class Record:
    """Notes of one run, by node. Values are described and let go: nothing here keeps a tensor alive."""

    def __init__(self) -> None:
        self._notes: dict[int, Noted] = {}
        self._nodes: list[Statement] = []  # kept, so that no other node gets the id of one

    def of(self, node: Statement) -> Noted:
        """What is known of `node`; a `return` at the end of a function is part of its call and counts as having run."""
        return self._notes.get(id(node), Noted(times=1))

    def watch(self, step: Step) -> None:
        """Note what `step` gives from now on, at its second try too."""
        note = self._note(step.node)
        recorded = partial(_recorded, note, isinstance(step.node, Node))
        first = step.wrap
        step.call = recorded(step.call)
        step.wrap = recorded if first is None else lambda call: recorded(first(call))

    def parameters(self, node: Statement, slots: Sequence[tuple[str, int]]) -> Callable[[list[Any]], None]:
        """What a function does with its frame at each call: note its parameters, which stand in `slots`."""
        given = self._note(node).given

        def note(frame: list[Any]) -> None:
            given.update({name: seen(frame[slot]) for name, slot in slots})

        return note

    def target(self, node: Statement, name: str, bind: Callable[[list[Any], Any], None]) -> Callable[..., None]:
        """`bind` of a loop's target, with what it is given noted."""
        given = self._note(node).given

        def noted(frame: list[Any], value: Any) -> None:
            given[name] = seen(value)
            bind(frame, value)

        return noted

    def _note(self, node: Statement) -> Noted:
        if id(node) not in self._notes:
            self._nodes.append(node)
            self._notes[id(node)] = Noted()
        return self._notes[id(node)]


def _recorded(note: Noted, is_op: bool, call: Call) -> Call:
    """`call` with its value noted. What leaves a block by a jump has run as well; what fails has not."""

    def recorded(*args: Any, **kwargs: Any) -> Any:
        before = [(one, one._version, one.requires_grad) for one in _given(args, kwargs)] if is_op else []
        try:
            value = call(*args, **kwargs)
        except Signal:
            note.times += 1
            raise
        note.times += 1
        note.gave = seen(value)
        note.in_place |= any(tensor._version != version for tensor, version, _ in before)
        note.leaf |= is_op and note.gave.leaf and not any(tensor is value and asked for tensor, _, asked in before)
        return value

    return recorded


def _given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[torch.Tensor]:
    """The tensors among arguments whose versions are counted; inside a transform they are not the client's own."""
    if is_transformed():
        return
    for value in (*args, *kwargs.values()):
        for part in islice(value, MOST_PARTS) if isinstance(value, (list, tuple)) else (value,):
            if isinstance(part, torch.Tensor) and not part.is_inference():
                yield part
