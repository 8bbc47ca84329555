"""Operators, comparisons, `and`, `or`, and conditional expressions."""

from __future__ import annotations

import ast

from gradwire.engine.graph import Bind, Expression, If, Literal, Ref
from gradwire.program.lowering import Lowering, expression

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
IN_PLACE = {kind: "i" + name.rstrip("_") for kind, name in BINARY.items()}
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert", ast.Not: "not_"}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Is: "is_",
    ast.IsNot: "is_not",
    ast.In: "contains",
    ast.NotIn: "contains",
}
_NUMBERS = (int, float, complex)


@expression(ast.BinOp)
def binary(low: Lowering, node: ast.BinOp) -> Expression:
    """`a + b`."""
    return low.node(f"operator.{BINARY[type(node.op)]}", low.operands([node.left, node.right]), low.source(node))


@expression(ast.UnaryOp)
def unary(low: Lowering, node: ast.UnaryOp) -> Expression:
    """`-a`; of a number it is the negative number."""
    value = low.operand(node.operand)
    if isinstance(node.op, ast.USub) and isinstance(value, Literal) and type(value.value) in _NUMBERS:
        return Literal(-value.value, low.source(node))
    return low.node(f"operator.{UNARY[type(node.op)]}", [value], low.source(node))


@expression(ast.Compare)
def compare(low: Lowering, node: ast.Compare) -> Expression:
    """`a < b`, and chains, which end at the first comparison that is false; each value is worked out once."""
    left, right = low.operands([node.left, node.comparators[0]])
    first = _compared(low, node.ops[0], left, right, node)
    if len(node.ops) == 1:
        return first
    # `right` may be an attribute that what follows changes.
    right = _shared(low, right)
    answer = low.fresh()
    low.emit(Bind(index=0, source=low.source(node), value=first, target=answer))
    for op, further in zip(node.ops[1:], node.comparators[1:], strict=True):
        right = _further(low, node, op, right, further, answer)
    return Ref(answer, low.source(node))


def _further(
    low: Lowering, node: ast.Compare, op: ast.cmpop, left: Expression, further: ast.expr, answer: str
) -> Expression:
    """One more comparison of a chain, which only counts where those before are true; gives its right side."""
    source = low.source(node)
    with low.inside() as then:
        right = _shared(low, low.operand(further))
        low.let(answer, _compared(low, op, left, right, node), source)
    low.emit(If(index=0, source=source, test=Ref(answer, source), then=then))
    return right


def _shared(low: Lowering, value: Expression) -> Expression:
    """`value` for two comparisons: in a name, unless it is one or a number."""
    if isinstance(value, Literal) or (isinstance(value, Ref) and not (low.mark in value.text or "." in value.text)):
        return value
    name = low.fresh()
    low.emit(Bind(index=0, source=value.source, value=value, target=name))
    return Ref(name, value.source)


def _compared(low: Lowering, op: ast.cmpop, left: Expression, right: Expression, node: ast.Compare) -> Ref:
    source = low.source(node)
    if not isinstance(op, (ast.In, ast.NotIn)):
        return low.node(f"operator.{COMPARE[type(op)]}", [left, right], source)
    found = low.node("operator.contains", [right, left], source)
    return low.node("operator.not_", [found], source) if isinstance(op, ast.NotIn) else found


@expression(ast.BoolOp)
def boolean(low: Lowering, node: ast.BoolOp) -> Expression:
    """`a and b`, `a or b`: the value that decides, and nothing is worked out behind it."""
    answer = low.fresh()
    low.let(answer, low.expression(node.values[0]), low.source(node.values[0]))
    for further in node.values[1:]:
        source = low.source(further)
        with low.inside() as block:
            low.let(answer, low.expression(further), source)
        go_on = isinstance(node.op, ast.And)
        then, orelse = (block, []) if go_on else ([], block)
        low.emit(If(index=0, source=source, test=Ref(answer, source), then=then, orelse=orelse))
    return Ref(answer, low.source(node))


@expression(ast.IfExp)
def conditional(low: Lowering, node: ast.IfExp) -> Expression:
    """`a if test else b`."""
    answer = low.fresh()
    choose(low, node, answer)
    return Ref(answer, low.source(node))


def choose(low: Lowering, node: ast.IfExp, answer: str) -> None:
    """Bind `answer` to one of the two values."""
    test = low.expression(node.test)
    with low.inside() as then:
        _chosen(low, node.body, answer)
    with low.inside() as orelse:
        _chosen(low, node.orelse, answer)
    low.emit(If(index=0, source=low.source(node), test=test, then=then, orelse=orelse))


def _chosen(low: Lowering, node: ast.expr, answer: str) -> None:
    if isinstance(node, ast.IfExp):
        choose(low, node, answer)
    else:
        value = low.expression(node)
        low.let(answer, value, low.source(node))
