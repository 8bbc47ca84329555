"""Going through graph records: the names that they bind, and the expressions in them in the order of evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gradwire.engine.graph import (
    Bind,
    Callee,
    Collection,
    Def,
    Dictionary,
    Expression,
    Fail,
    For,
    If,
    Node,
    Ref,
    Return,
    SliceOf,
    Star,
    Statement,
    Transform,
    With,
)
from gradwire.engine.statements import bound_by


def names_in(one: Statement) -> Iterator[str]:
    """The names that a statement itself binds, a function's parameters too."""
    yield from bound_by(one)
    if isinstance(one, Def):
        yield from (each.name for each in (*one.params, *one.keyword_only))


def operands(one: Statement) -> list[Expression | Callee]:
    """The expressions of a statement in the order in which Python evaluates what it is written as."""
    if isinstance(one, Node):
        return _node_operands(one)
    if isinstance(one, (Bind, Return, Fail)):
        return [one.value]
    if isinstance(one, For):
        return [one.over]
    if isinstance(one, If):
        return [one.test]
    if isinstance(one, With):
        return list(one.args)
    if isinstance(one, Def):
        return [each.default for each in (*one.params, *one.keyword_only) if each.default is not None]
    return []


def _node_operands(node: Node) -> list[Expression | Callee]:
    args: list[Expression | Callee] = list(node.args)
    last = node.op.rpartition(".")[2]
    if last in ("setitem", "setattr") and len(args) == 3:
        args = [args[2], args[0], args[1]]
    elif node.op == "operator.contains" and len(args) == 2:
        args.reverse()
    of: list[Expression | Callee] = []
    if isinstance(node.of, Mapping):
        of = list(node.of.values())
    elif node.of is not None:
        of = [node.of]
    return [*of, *node.options.values(), *args, *node.kwargs.values()]


def keys_in(values: Iterable[Expression | Callee]) -> Iterator[str]:
    """The keys of every dict in `values`."""
    for value in values:
        if isinstance(value, Dictionary):
            yield from value.items
            yield from keys_in(value.items.values())
        elif isinstance(value, Collection):
            yield from keys_in(value.items)


def references(values: Iterable[Expression | Callee]) -> Iterator[Ref | Star]:
    """Every reference in `values` from left to right; a star comes ahead of what it unpacks."""
    for value in values:
        if isinstance(value, Ref):
            yield value
        elif isinstance(value, Star):
            yield value
            yield from references([value.value])
        elif isinstance(value, Collection):
            yield from references(value.items)
        elif isinstance(value, Dictionary):
            yield from references(value.items.values())
        elif isinstance(value, SliceOf):
            yield from references((value.start, value.stop, value.step))
        elif isinstance(value, Transform):
            yield from references([value.of, *value.options.values()])
