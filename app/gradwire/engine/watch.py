"""What is put around the call of a node: no_grad, the tape, the record of in-place writes. Often nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from gradwire.engine.graph import Collection, Expression, Node, Ref
from gradwire.engine.observe.inplace import Writes
from gradwire.engine.observe.origins import Maker
from gradwire.engine.observe.tape import Tape
from gradwire.engine.ops.registry import Op

if TYPE_CHECKING:
    from gradwire.engine.pictures.record import Record

Wrap: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

# The ops that start a backward pass; the first argument (self, tensors or outputs) holds its roots.
STARTS_BACKWARD = frozenset(("Tensor.backward", "autograd.backward", "autograd.grad"))


@dataclass(frozen=True, slots=True)
class Watch:
    """What looks on while a graph runs: the record of in-place writes, and, where they are asked for, the tape and the
    record for a picture."""

    writes: Writes
    tape: Tape | None = None
    record: Record | None = None


def watching(node: Node, op: Op, watch: Watch, in_place: bool) -> Wrap | None:
    """The wrapper for a node's call, or None where the bare call serves."""
    tape, writes = watch.tape, watch.writes
    wraps: list[Wrap] = []
    if node.no_grad:
        wraps.append(_without_grad)
    if tape is not None:
        wraps.append(lambda call: _taped(call, node, op, tape, in_place))
    if in_place:
        wraps.append(lambda call: _recorded(call, node, writes))
    if not wraps:
        return None

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        for one in wraps:
            call = one(call)
        return call

    return wrap


def is_transformed() -> bool:
    """Whether a transform of torch.func is at work: then tensors are wrapped, and their tape is the transform's own."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def _without_grad(call: Callable[..., Any]) -> Callable[..., Any]:
    return torch.no_grad()(call)


def _recorded(call: Callable[..., Any], node: Node, writes: Writes) -> Callable[..., Any]:
    maker = Maker.of(node)

    def recorded(*args: Any, **kwargs: Any) -> Any:
        value = call(*args, **kwargs)
        if is_transformed():
            return value
        written = kwargs["out"] if "out" in kwargs else args[0]
        for tensor in written if isinstance(written, (tuple, list)) else (written,):
            if isinstance(tensor, torch.Tensor):
                writes.record(maker, tensor)
        return value

    return recorded


def _taped(call: Callable[..., Any], node: Node, op: Op, tape: Tape, in_place: bool) -> Callable[..., Any]:
    starts, maker = op.name in STARTS_BACKWARD, Maker.of(node)

    def taped(*args: Any, **kwargs: Any) -> Any:
        if is_transformed():
            return call(*args, **kwargs)
        if starts:
            tape.starting(_roots(node, args, kwargs), _differentiated_by(op, args, kwargs))
        try:
            with tape.writing(op.name, args, kwargs) if in_place else contextlib.nullcontext():
                value = call(*args, **kwargs)
        finally:
            if starts:
                tape.finished(_creates_graph(op, args, kwargs))
        tape.after(maker, value, [*args, *kwargs.values()])
        return value

    return taped


def _roots(node: Node, args: Sequence[Any], kwargs: dict[str, Any]) -> list[tuple[str, torch.Tensor]]:
    """The tensors that a backward pass starts from, each with the reference as the client wrote it."""
    names = ("self", "tensors", "outputs")
    value = args[0] if args else next((kwargs[name] for name in names if name in kwargs), None)
    written = node.args[0] if node.args else next((node.kwargs[name] for name in names if name in node.kwargs), None)
    return _paired(_text(written, str(node.label)), written, value)


def _differentiated_by(op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors that a gradient is asked for by name, rather than left in the leaves' `.grad`."""
    second = args[1] if op.name == "autograd.grad" and len(args) > 1 else None
    wanted = kwargs.get("inputs", second)
    several = wanted if isinstance(wanted, (tuple, list)) else (wanted,)
    return [tensor for tensor in several if isinstance(tensor, torch.Tensor)]


def _creates_graph(op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether the gradients that a pass leaves in `.grad` have a graph; autograd.grad leaves none there."""
    if op.name == "autograd.grad":
        return False
    given = args[3] if len(args) > 3 else kwargs.get("create_graph")
    return given is not None and given is not False


def _text(written: Expression | None, otherwise: str) -> str:
    return written.text if isinstance(written, Ref) else otherwise


def _paired(text: str, written: Expression | None, value: Any) -> list[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        return [(text, value)]
    if not isinstance(value, (tuple, list)):
        return []
    found: list[tuple[str, torch.Tensor]] = []
    for index, part in enumerate(value):
        if isinstance(written, Collection):
            found += _paired(_text(written.items[index], f"{text}.{index}"), written.items[index], part)
        else:
            found += _paired(f"{text}.{index}", None, part)
    return found
