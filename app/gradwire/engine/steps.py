"""What a plan is made of, and the state of a run: what the prepared steps and the loop over them share."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import torch

from gradwire.engine import devices
from gradwire.engine.failure import refused_at
from gradwire.engine.graph import Node, Statement, TensorDocument
from gradwire.engine.language.budget import MAX_CALL_DEPTH, Budget, exceeded
from gradwire.engine.references import Getter

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op
    from gradwire.engine.plan import Plan
    from gradwire.engine.watch import Wrap


class Word(Protocol):
    """One integer that a watcher may see, such as a word of shared memory."""

    def __setitem__(self, index: int, value: int, /) -> None: ...

    def __getitem__(self, index: int, /) -> int: ...


@dataclass(slots=True)
class Step:
    """One node, ready to run: `call` with what the getters read from the frame; the value goes to slot `target`.

    `position` counts nodes from 1 and is what the watcher outside sees. `plain`: `call` is PyTorch's own function, so
    a second try with converted arguments is allowed. `free` are slots that nothing reads any more.
    """

    position: int
    node: Statement
    call: Callable[..., Any]
    args: tuple[Getter, ...]
    kwargs: dict[str, Getter] = field(default_factory=dict)
    target: int = -1
    op: Op | None = None
    plain: bool = False
    wrap: Wrap | None = None
    free: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The op's name as the client wrote it, or the statement's."""
        return self.node.op if isinstance(self.node, Node) else type(self.node).__name__.lower()


class Run:
    """One run of a plan: what is counted, where it is, the outermost frame.

    `word[0]` is the position of the node that is running, from 1; 0: none.
    """

    def __init__(self, plan: Plan, word: Word, budget: Budget) -> None:
        self.plan = plan
        self.word = word
        self.budget = budget
        self.keep_leaves = plan.returns is None
        self.frame: list[Any] = []
        self.calls: list[str] = []
        self.holds_cycles = False

    def close(self) -> None:
        """Let go of all values at once: the outermost frame holds the run, which holds the frame.

        Frames of functions that made functions hold each other; `holds_cycles` says that there are such.
        """
        self.frame.clear()
        if self.holds_cycles:
            gc.collect(1)

    @property
    def position(self) -> int:
        """The running node's."""
        return self.word[0]

    def enter(self, name: str) -> None:
        """A function is called. Raises Refusal (`limit_exceeded`) where calls nest too deep."""
        if len(self.calls) >= MAX_CALL_DEPTH:
            chain = " → ".join([*self.calls, name])
            text = f"functions call each other at most {MAX_CALL_DEPTH} deep: {chain}"
            raise exceeded(text, f"at most {MAX_CALL_DEPTH} calls deep")
        self.calls.append(name)

    def leave(self) -> None:
        """The function that was entered last is over."""
        self.calls.pop()

    def place(self, document: TensorDocument) -> torch.Tensor:
        """The tensor on its device, a leaf there."""
        wanted, plan = document.device, self.plan
        if wanted is None or (wanted == "cpu" and plan.graph.device == "auto"):
            device = plan.device
        else:
            device = devices.resolve(wanted, document.source.at("device"))
        try:
            tensor = document.tensor.to(device)
        except RuntimeError as error:
            raise refused_at(error, document.source) from error
        return tensor.requires_grad_(True) if document.requires_grad else tensor
