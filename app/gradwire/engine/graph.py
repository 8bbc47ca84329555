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
    tolist: Callable[[], Any]
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


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """A function or type of PyTorch's or Python's as a value: `nn.functional.relu`, `builtins.float`, `func.grad`."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Star:
    """`*xs` in a call: the items of `value` stand in its place among the arguments."""

    value: Expression
    source: Source


Expression: TypeAlias = (
    Ref | Literal | Numbers | TensorDocument | Collection | Dictionary | SliceOf | NamedFunction | Star
)


@dataclass(frozen=True, slots=True)
class Transform:
    """A transform of a function: `func.grad` of `f` with options. Its value is a function."""

    op: str
    of: Callee
    options: Mapping[str, Expression]
    source: Source


Callee: TypeAlias = Ref | NamedFunction | Transform
# A name as Python's `=` binds it, or a tuple of such to unpack; `*rest` in a tuple takes what is left over.
Target: TypeAlias = "str | tuple[Target, ...]"


class Labelled:
    """What stands in a list of nodes. `index` is its place in that list, `id` the name its value gets, if any."""

    __slots__ = ()
    index: int
    id: str | None

    @property
    def label(self) -> str | int:
        """How errors and the tape name the node: its id or, without one, its index."""
        return self.index if self.id is None else self.id


@dataclass(slots=True)
class Node(Labelled):
    """One operation.

    `faulty`: a reader has already reported a mistake inside it, so its arguments are not checked further. `target` is
    what `let` binds. `of` names the function that a transform, `call` or a control flow node works on: several by role
    (`then`, `else`; `while`, `do`), else one; `options` are the transform's.
    """

    index: int
    op: str
    args: Sequence[Expression]
    kwargs: Mapping[str, Expression]
    source: Source
    id: str | None = None
    no_grad: bool = False
    faulty: bool = False
    target: Target | None = None
    of: Callee | Mapping[str, Callee] | None = None
    options: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Block(Labelled):
    """What every node that is no operation has."""

    index: int
    source: Source
    id: str | None = None


@dataclass(slots=True, kw_only=True)
class Bind(Block):
    """A name for a literal or for the value of a reference, as it is: `x = y`."""

    value: Expression
    target: Target | None = None


@dataclass(slots=True, kw_only=True)
class For(Block):
    """`for target in over: body`."""

    target: Target
    over: Expression
    body: Sequence[Statement]


@dataclass(slots=True, kw_only=True)
class While(Block):
    """`while test: body`, where `before` runs ahead of every test."""

    before: Sequence[Statement]
    test: Expression
    body: Sequence[Statement]


@dataclass(slots=True, kw_only=True)
class If(Block):
    """`if test: then` and `else: orelse`."""

    test: Expression
    then: Sequence[Statement]
    orelse: Sequence[Statement] = ()


@dataclass(slots=True, kw_only=True)
class With(Block):
    """`with of(*args) as target: body`; `of` is `no_grad` or another of engine.blocks.CONTEXTS."""

    of: str
    body: Sequence[Statement]
    args: Sequence[Expression] = ()
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function. `default` None means that there is none; null is a Literal."""

    name: str
    default: Expression | None = None


@dataclass(slots=True, kw_only=True)
class Def(Block):
    """A function bound to `name`. `returns` is what it gives at its end; None where only `Return`s inside say."""

    name: str
    params: Sequence[Parameter]
    body: Sequence[Statement]
    keyword_only: Sequence[Parameter] = ()
    returns: Expression | None = None

    @property
    def label(self) -> str | int:
        """Its name."""
        return self.name


@dataclass(slots=True, kw_only=True)
class Return(Block):
    """`return value`, in a function."""

    value: Expression


@dataclass(slots=True, kw_only=True)
class Break(Block):
    """`break`, in a loop."""


@dataclass(slots=True, kw_only=True)
class Continue(Block):
    """`continue`, in a loop."""


@dataclass(slots=True, kw_only=True)
class Del(Block):
    """`del names`."""

    names: Sequence[str]


@dataclass(slots=True, kw_only=True)
class Fail(Block):
    """A failed `assert`: the run ends with `op_failed` and the value's text as its message."""

    value: Expression


Statement: TypeAlias = Node | Bind | For | While | If | With | Def | Return | Break | Continue | Del | Fail


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

    `assigned` are a program's variables, in the order of their last binding: without `returns`, the last of them that
    has a kind is returned. `variables`: all values that have a name at the end are wanted too. `faulty_names` are
    defined by something that could not be read; references to them are not reported again.
    """

    inputs: dict[str, TensorDocument] = field(default_factory=dict)
    nodes: list[Statement] = field(default_factory=list)
    returns: list[Output] | None = None
    encoding: str = "json"
    full: bool = False
    tape: TapeRequest | None = None
    device: str = "auto"
    seed: int | None = None
    deadline_ms: int | None = None
    faulty_names: set[str] = field(default_factory=set)
    functions: list[Def] = field(default_factory=list)
    assigned: list[str] | None = None
    variables: bool = False
