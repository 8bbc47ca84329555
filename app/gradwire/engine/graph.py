"""The one record that everything a client can send becomes: a graph of operations over named tensors.

Readers (JSON nodes, later program text and the short forms) build it; `plan` resolves it; nothing downstream asks
which form the client wrote. Every part knows its `source`, so every error can say where it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch

from gradwire.findings import Source


@dataclass(slots=True, unsafe_hash=True)
class Ref:
    """A reference to a value by name, `text` without the leading `$`: `x`, `x.grad`, `t.0.shape`.

    Where the name ends and the path begins depends on which names exist (the longest wins), so `plan` splits it.
    """

    text: str
    source: Source


@dataclass(slots=True, unsafe_hash=True)
class Literal:
    """A value that is what it is: a number, boolean, None, string, dtype, layout, memory format, Ellipsis …"""

    value: Any
    source: Source


@dataclass(frozen=True, slots=True)
class Numbers:
    """A (nested) list of numbers or booleans, kept as it came until a signature says what it is for.

    `shape` is the nesting; ragged lists are never `Numbers` but nested `Collection`s.
    `tolist` gives Python's lists and numbers, `tensor` what `torch.tensor` infers from them (a fresh tensor each time).
    """

    shape: tuple[int, ...]
    tolist: Callable[[], list[Any]]
    tensor: Callable[[], torch.Tensor]
    source: Source


@dataclass(frozen=True, slots=True)
class TensorDocument:
    """A tensor that the client spelled out: `tensor` on the CPU without a gradient, and where and how it is wanted.

    `device` is None where the run's device serves; `requires_grad` is set once the tensor is in its place, so that it
    is a leaf there.
    """

    tensor: torch.Tensor
    source: Source
    requires_grad: bool = False
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, tuple or size whose items are expressions. `kind` is `list`, `tuple` or `size`."""

    kind: str
    items: tuple[Expression, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dict with string keys."""

    items: Mapping[str, Expression]
    source: Source


@dataclass(frozen=True, slots=True)
class SliceOf:
    """A slice whose bounds are expressions: `{"slice": [start, stop, step]}`."""

    start: Expression
    stop: Expression
    step: Expression
    source: Source


Expression: TypeAlias = Ref | Literal | Numbers | TensorDocument | Collection | Dictionary | SliceOf


@dataclass(slots=True)
class Node:
    """One operation. `index` is its place in the document; `id` the name its value gets, if any.

    `faulty`: a reader has already reported a mistake inside it, so its arguments are not checked further.
    """

    index: int
    op: str
    args: Sequence[Expression]
    kwargs: Mapping[str, Expression]
    source: Source
    id: str | None = None
    no_grad: bool = False
    faulty: bool = False

    @property
    def label(self) -> str | int:
        """How errors and the tape name the node: its id or, without one, its index."""
        return self.index if self.id is None else self.id


@dataclass(slots=True, unsafe_hash=True)
class Output:
    """One thing to return: under which `name`, which reference, and how to write it (None: as the graph says)."""

    name: str
    ref: Ref
    encoding: str | None = None
    full: bool | None = None


@dataclass(frozen=True, slots=True)
class TapeRequest:
    """A wish for the backward graph; `gradients` adds what flowed into each of its nodes."""

    gradients: bool = False


@dataclass(slots=True)
class Graph:
    """A whole request. `returns` None means: the last named node and every filled gradient.

    `faulty_names` are defined by something that could not be read; references to them are not reported again.
    """

    inputs: dict[str, TensorDocument] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    returns: list[Output] | None = None
    encoding: str = "json"
    full: bool = False
    tape: TapeRequest | None = None
    device: str = "auto"
    seed: int | None = None
    deadline_ms: int | None = None
    faulty_names: set[str] = field(default_factory=set)
