"""What can be told of a node from how it is written, for its place in a picture."""

from __future__ import annotations

from collections.abc import Iterator

from gradwire.engine.graph import For, Literal, Node, Ref, Statement, Transform, While
from gradwire.engine.statements import names_of
from gradwire.engine.watch import STARTS_BACKWARD


def binds_tight(node: Statement) -> bool:
    """Whether what stands in it needs parentheses: operators and methods."""
    return isinstance(node, Node) and node.op.startswith(("operator.", "."))


def written_by(node: Node) -> Ref | None:
    """The reference to what an in-place op writes."""
    written = node.kwargs.get("out", node.args[0] if node.args else None)
    return written if isinstance(written, Ref) else None


def targets_of(node: For | While) -> Iterator[str]:
    """The names that a loop binds at each turn itself."""
    return names_of(node.target) if isinstance(node, For) else iter(())


def functions_of(node: Node) -> Iterator[Ref]:
    """The functions that a transform, `call` or control flow works on."""
    pending = list(node.of.values()) if isinstance(node.of, dict) else [node.of]
    for of in pending:
        inner = of
        while isinstance(inner, Transform):
            inner = inner.of
        if isinstance(inner, Ref):
            yield inner


def starts_backward(node: Node) -> bool:
    """Whether it is a backward pass."""
    op = node.op.removeprefix("torch.")
    return op in STARTS_BACKWARD or op in ("backward", ".backward")


def assigns_grad(node: Node) -> bool:
    """Whether it is `x.grad = value`."""
    name = node.args[1] if node.op == "setattr" and len(node.args) > 1 else None
    return isinstance(name, Literal) and name.value == "grad"
