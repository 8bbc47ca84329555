"""Which graph node made which node of the backward graph.

The answer is kept inside the backward nodes themselves (`metadata`, a dict that PyTorch gives each of them), so that
nothing is held alive and an answer dies with its node.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from gradwire.engine.graph import Statement
from gradwire.engine.observe.hidden import Packed

Label: TypeAlias = str | int


class Maker(NamedTuple):
    """The graph node that something comes from: what it is called, and its line where it stands in a program."""

    label: Label
    line: int | None = None
    node: Statement | None = None

    @classmethod
    def of(cls, node: Statement) -> Maker:
        """`node` as a maker."""
        return cls(node.label, node.source.line, node)


@dataclass(slots=True)
class Mark:
    """What is known of a backward node.

    The graph node that made it, its number on the tape once it has one, and what it saved that it does not show.
    """

    maker: Maker | None
    number: int | None = None
    hidden: list[weakref.ref[Packed]] = field(default_factory=list)


class Origins:
    """Marks the backward nodes that each graph node makes. Work is proportional to what is new."""

    def __init__(self) -> None:
        self._inputs = WeakTensorKeyDictionary()
        self._leaves = WeakTensorKeyDictionary()
        # base of a differentiable in-place write -> the last node that wrote it
        self._writers = WeakTensorKeyDictionary()

    def inputs(self, tensors: dict[str, torch.Tensor]) -> None:
        for name, tensor in tensors.items():
            self._inputs[tensor] = name

    def input_of(self, leaf: torch.Tensor) -> str | None:
        """The name of the input that `leaf` is."""
        name: str | None = self._inputs.get(leaf)
        return name

    def maker_of(self, leaf: torch.Tensor) -> Maker | None:
        """The graph node whose value `leaf` first was."""
        maker: Maker | None = self._leaves.get(leaf)
        return maker

    def mark_of(self, fn: Any) -> Mark:
        """The mark of a backward node, a new empty one if it has none."""
        mark: Mark = fn.metadata.setdefault(self, Mark(None))
        return mark

    def after(self, maker: Maker, value: Any, args: Any, hidden: list[weakref.ref[Packed]]) -> None:
        """Mark what the node `maker` made: reachable from `value`, or from the bases of what it changed in place.

        `hidden` is what a write through a view has saved. Never asks a view that was given for its `grad_fn`: that may
        make a new one, and when backward nodes are made decides the order in which gradients are summed.
        """
        given = {id(tensor): tensor for tensor in tensors_in(args)}
        writer = self._writer_of(given.values())
        for tensor in tensors_in(value):
            if id(tensor) in given:
                self._changed(maker, tensor, hidden)
            else:
                self.claim(maker, tensor, writer)
        for tensor in given.values():
            # a view that asks for gradients as a leaf was seen as a value before; is_leaf would renew its grad_fn
            if tensor.requires_grad and tensor._base is None and tensor.is_leaf:
                self._leaf(maker, tensor)

    def claim(self, maker: Maker | None, tensor: torch.Tensor, writer: Maker | None = None) -> None:
        """Mark everything unmarked that `tensor` comes from as made by `maker`."""
        if (fn := grad_fn_of(tensor)) is not None:
            self._spread(fn, self._writer_of([tensor]) if maker is None else maker, writer)
        elif maker is not None and (tensor.is_floating_point() or tensor.is_complex()):
            self._leaf(maker, tensor)

    def _changed(self, maker: Maker, tensor: torch.Tensor, hidden: list[weakref.ref[Packed]]) -> None:
        """`tensor` was given and came back: if its base has a new grad_fn, it was written in place."""
        base = tensor if tensor._base is None else tensor._base
        fn: Any = base.grad_fn
        if fn is not None and self not in fn.metadata:
            self._writers[base] = maker
            self._spread(fn, maker, None)
            if fn.name().endswith("CopySlices"):
                self.mark_of(fn).hidden.extend(hidden)

    def _leaf(self, maker: Maker, tensor: torch.Tensor) -> None:
        if tensor not in self._leaves:
            self._leaves[tensor] = maker

    def _writer_of(self, given: Iterable[torch.Tensor]) -> Maker | None:
        """Who last wrote the memory that a given view shows; None where nobody did."""
        if not self._writers:
            return None
        for tensor in given:
            base = tensor._base
            if base is not None and base in self._writers:
                maker: Maker = self._writers[base]
                return maker
        return None

    def _spread(self, fn: Any, maker: Maker | None, writer: Maker | None) -> None:
        """Mark `fn` and all unmarked nodes behind it.

        A view whose base was written gets a new AsStridedBackward0 when it is next used. It exists because of the
        write, so the writer made it, not the node that happened to use the view.
        """
        stack = [fn]
        while stack:
            found = stack.pop()
            metadata = found.metadata
            if self in metadata:
                continue
            renewed = writer is not None and found is not fn and found.name() == "AsStridedBackward0"
            metadata[self] = Mark(writer if renewed else maker)
            stack.extend(following for following, _ in found.next_functions if following is not None)


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """The tensors in a value, lists, tuples and dicts opened; without recursion, as values may nest deep, and each
    once, as they may hold themselves."""
    if isinstance(value, torch.Tensor):  # as most values are
        yield value
        return
    stack = [value]
    opened: set[int] = set()
    while stack:
        part = stack.pop()
        if isinstance(part, torch.Tensor):
            yield part
            continue
        if id(part) in opened or not isinstance(part, (list, tuple, dict)):
            continue
        opened.add(id(part))
        if isinstance(part, (list, tuple)):
            stack.extend(reversed(part))
        else:
            stack.extend(reversed(part.values()))


def grad_fn_of(tensor: torch.Tensor) -> Any:
    """The node that `tensor` comes from, or None: also for a view that PyTorch forbids to be differentiated."""
    try:
        return tensor.grad_fn
    except RuntimeError:
        return None


def leaf_of(fn: Any) -> torch.Tensor | None:
    """The leaf that `fn` accumulates into, if it is an AccumulateGrad."""
    leaf = getattr(fn, "variable", None)
    return leaf if isinstance(leaf, torch.Tensor) else None
