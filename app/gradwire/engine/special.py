"""The nodes that stand for Python's syntax rather than for a function: `x[i]`, `x[i] = v`, `x.grad = v`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from gradwire.engine import indexing
from gradwire.engine.errors import NoOverload
from gradwire.engine.graph import Expression, Literal, Node, Ref
from gradwire.engine.language.items import allow_assignment, allow_index
from gradwire.engine.scope import Scope
from gradwire.findings import Refusal, refuse

ASSIGNABLE = ("grad", "requires_grad")


@dataclass(frozen=True, slots=True)
class SpecialCall:
    """What a special node calls, and the expressions of its arguments. `writes`: it changes its first argument."""

    call: Callable[..., Any]
    args: tuple[Expression, ...]
    writes: bool = False


def getitem(node: Node, scope: Scope) -> SpecialCall:
    """`x[index]`; the index typed or as Python's text, a key where the first argument is a dict."""
    _arity(node, ("the value", "the index"))
    index, key = _index_or_key(node, scope)
    return SpecialCall(lambda x, i: x[_place(x, i, key)], (node.args[0], index))


def _index_or_key(node: Node, scope: Scope) -> tuple[Expression, str | None]:
    """The index, and the key that its text is where only running shows whether the value is a dict."""
    index = node.args[1]
    if not (scope.has_dicts and isinstance(index, Literal) and isinstance(index.value, str)):
        return _index(node, scope), None
    text = index.value
    key = text[1:] if text.startswith("$$") else text
    try:
        read = _index(node, scope)
    except Refusal:
        # No index at all, so it can only be a key.
        return Literal(key, index.source), None
    return read, None if isinstance(read, Ref) else key


def _place(container: Any, index: Any, key: str | None) -> Any:
    place = key if key is not None and isinstance(container, dict) else index
    allow_index(place)
    return place


def setitem(node: Node, scope: Scope) -> SpecialCall:
    """`x[index] = value`; the node's value is x."""
    _arity(node, ("the value", "the index", "what to assign"))
    index, key = _index_or_key(node, scope)
    return SpecialCall(partial(_assign_item, key), (node.args[0], index, node.args[2]), writes=True)


def setattr_(node: Node, scope: Scope) -> SpecialCall:
    """`x.grad = value` or `x.requires_grad = value`; the node's value is x."""
    _arity(node, ("a tensor", "an attribute", "what to assign"))
    name = node.args[1]
    word = name.value if isinstance(name, Literal) else None
    if word not in ASSIGNABLE:
        hint = "to change the values, call copy_ in a node with no_grad" if word == "data" else None
        raise refuse(
            "invalid_argument",
            "this attribute cannot be assigned",
            name.source,
            got=word if isinstance(word, str) else None,
            expected=list(ASSIGNABLE),
            hint=hint,
        )
    if word == "requires_grad":
        _must_be_bool(node.args[2])
    assign = _assign_grad if word == "grad" else _assign_requires_grad
    return SpecialCall(assign, (node.args[0], node.args[2]))


SPECIAL: dict[str, Callable[[Node, Scope], SpecialCall]] = {
    "getitem": getitem,
    "operator.getitem": getitem,
    "setitem": setitem,
    "operator.setitem": setitem,
    "setattr": setattr_,
}


def _arity(node: Node, wanted: Sequence[str]) -> None:
    if node.kwargs:
        name, expression = next(iter(node.kwargs.items()))
        raise refuse("invalid_argument", f"{node.op} takes no argument called '{name[:64]}'", expression.source)
    if len(node.args) != len(wanted):
        message = f"{node.op} takes {len(wanted)} arguments: {', '.join(wanted)}"
        raise refuse("invalid_argument", message, node.source, got=len(node.args), expected=len(wanted))


def _index(node: Node, scope: Scope) -> Expression:
    index = node.args[1]
    if not (isinstance(index, Literal) and isinstance(index.value, str)):
        return indexing.typed(index)
    return indexing.parse(index.value, scope.known, index.source)


def _as_tensor_for(target: Any, value: Any) -> Any:
    """Lists become tensors where they are given to a tensor, which takes none."""
    if isinstance(target, torch.Tensor) and isinstance(value, (list, tuple)):
        return torch.tensor(value, device=target.device)
    return value


def _assign_item(key: str | None, container: Any, index: Any, value: Any) -> Any:
    place = _place(container, index, key)
    allow_assignment(container, place, value)
    container[place] = _as_tensor_for(container, value)
    return container


def _assign_grad(tensor: Any, value: Any) -> Any:
    _must_be_tensor(tensor, "grad")
    tensor.grad = _as_tensor_for(tensor, value)
    return tensor


def _assign_requires_grad(tensor: Any, value: Any) -> Any:
    _must_be_tensor(tensor, "requires_grad")
    tensor.requires_grad = value
    return tensor


def _must_be_bool(expression: Expression) -> None:
    """A literal for requires_grad; what a reference gives is checked by PyTorch."""
    if not isinstance(expression, Ref) and not (isinstance(expression, Literal) and isinstance(expression.value, bool)):
        raise refuse("invalid_argument", "requires_grad is true or false", expression.source, expected=[True, False])


def _must_be_tensor(value: Any, name: str) -> None:
    if not isinstance(value, torch.Tensor):
        raise NoOverload(f"only a tensor has '{name}' to assign", 0, expected="a tensor", got=type(value).__name__)
