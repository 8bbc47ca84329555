"""Binding a node's arguments to its op's signature, remembered for calls of the same form.

Most calls are references and numbers that stay as they are. Whether they bind depends on the kinds of the arguments
only, so a worker has to find that out once per form of call, not once per node.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gradwire.engine.graph import Collection, Expression, Literal, Node, Ref
from gradwire.engine.ops import arguments
from gradwire.engine.ops.registry import Op
from gradwire.findings import Refusal, refuse

# Literals of these types bind by their type alone; a text may be a dtype or a word of an enumeration.
_BY_TYPE = (int, float, bool, type(None))
_MOST_FORMS = 10_000
_Form: TypeAlias = tuple[object, ...]
_unchanged: dict[_Form, Op] = {}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that binds: the op that takes it, and its arguments as the signature wants them."""

    op: Op
    args: Sequence[Expression]
    kwargs: Mapping[str, Expression]


def bind(op: Op, node: Node) -> Call:
    """Bind `node`'s arguments to `op`. Raises Refusal (`invalid_argument`) where no overload takes them."""
    if "out" in node.kwargs:
        _must_refer(node.kwargs["out"])
    form = _form(op, node)
    known = _unchanged.get(form) if form is not None else None
    if known is not None:
        return Call(known, node.args, node.kwargs)
    prepared = arguments.prepare(op, node.args, node.kwargs, node.source, node.label)
    if isinstance(prepared, list):
        raise Refusal(prepared)
    if form is not None and _same(prepared.args, node.args) and _same(prepared.kwargs.values(), node.kwargs.values()):
        if len(_unchanged) >= _MOST_FORMS:
            _unchanged.clear()
        _unchanged[form] = prepared.op
    return Call(prepared.op, prepared.args, prepared.kwargs)


def _must_refer(out: Expression) -> None:
    """`out=` names tensors that exist; a number would be made a tensor that nobody sees."""
    named = out.items if isinstance(out, Collection) else (out,)
    if not all(isinstance(one, Ref) or (isinstance(one, Literal) and one.value is None) for one in named):
        message = "out takes a reference to the tensor that the result goes to"
        raise refuse("invalid_argument", message, out.source, expected="a reference such as $result")


def _form(op: Op, node: Node) -> _Form | None:
    """The kinds of the arguments; None where more than that decides."""
    kinds: list[object] = [op.name]
    for argument in node.args:
        kinds.append(_kind(argument))
    for name, argument in node.kwargs.items():
        kinds += (name, _kind(argument))
    return None if None in kinds else tuple(kinds)


def _kind(argument: Expression) -> type | None:
    if isinstance(argument, Ref):
        return Ref
    if isinstance(argument, Literal) and isinstance(argument.value, _BY_TYPE):
        return type(argument.value)
    return None


def _same(one: Iterable[Expression], other: Iterable[Expression]) -> bool:
    return all(a is b for a, b in itertools.zip_longest(one, other))
