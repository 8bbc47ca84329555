"""Comprehensions: a list or dict that a loop fills. Their targets get names of their own, as they have in Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Final

from gradwire.engine.graph import Bind, Break, Collection, Expression, For, If, Literal, Ref
from gradwire.program.assignments import loop_target
from gradwire.program.lowering import Lowering, expression
from gradwire.program.scopes import bound_in
from gradwire.program.values import set_item

MOST_PARTS: Final = 20


@expression(ast.ListComp)
def list_comprehension(low: Lowering, node: ast.ListComp) -> Expression:
    """`[f(x) for x in xs if x]`."""
    return _listed(low, node.generators, node.elt, node)


@expression(ast.DictComp)
def dict_comprehension(low: Lowering, node: ast.DictComp) -> Expression:
    """`{k: v for k, v in pairs}`."""
    filled = low.node("builtins.dict", [], low.source(node))
    _loops(low, node.generators, lambda: set_item(low, filled, node.key, node.value))
    return filled


def distinct(low: Lowering, elements: ast.expr) -> Expression:
    """The items of `set(elements)`, each once, as the keys of a dict."""
    key, generators = _name_of_items(elements)
    filled = low.node("builtins.dict", [], low.source(elements))
    nothing = ast.copy_location(ast.Constant(None), elements)
    _loops(low, generators, lambda: set_item(low, filled, key, nothing))
    return filled


def _name_of_items(elements: ast.expr) -> tuple[ast.expr, list[ast.comprehension]]:
    """An expression for one item, and the loops around it."""
    if isinstance(elements, ast.GeneratorExp):
        return elements.elt, elements.generators
    item = ast.copy_location(ast.Name("item", ast.Store()), elements)
    return item, [ast.comprehension(item, elements, [], 0)]


@expression(ast.GeneratorExp)
def generator(low: Lowering, node: ast.GeneratorExp) -> Expression:
    """A generator anywhere but as the only argument of what takes all its items."""
    hint = "write a list: [… for … in …]"
    raise low.refuse("a generator stands only as the argument of sum, any, all, list, tuple, min, max …", node, hint)


def consumed(low: Lowering, node: ast.expr, ends_at: str | None = None) -> Expression:
    """A generator whose items are all taken: a list of them. `ends_at`: `any` or `all`, which give a boolean."""
    if not isinstance(node, ast.GeneratorExp):
        raise TypeError("only a generator is consumed")
    if ends_at is None:
        return _listed(low, node.generators, node.elt, node)
    return _decided(low, node, ends_at == "any")


def _listed(low: Lowering, generators: Sequence[ast.comprehension], element: ast.expr, node: ast.expr) -> Ref:
    source = low.source(node)
    filled = low.bind(Collection("list", (), source), source)

    def append() -> None:
        value = low.expression(element)
        low.act(".append", [filled, value], low.source(element))

    _loops(low, generators, append)
    return filled


def _decided(low: Lowering, node: ast.GeneratorExp, found: bool) -> Ref:
    """`any` (`found`) or `all` of a generator, which ends at the item that decides."""
    source = low.source(node)
    answer = low.fresh()
    low.emit(Bind(index=0, source=source, value=Literal(not found, source), target=answer))

    def decide() -> None:
        test = low.expression(node.elt)
        with low.inside() as end:
            low.emit(Bind(index=0, source=source, value=Literal(found, source), target=answer))
            low.emit(Break(index=0, source=source))
        then, orelse = (end, []) if found else ([], end)
        low.emit(If(index=0, source=source, test=test, then=then, orelse=orelse))

    _loops(low, node.generators, decide, lambda: _stop(low, answer, found, node))
    return Ref(answer, source)


def _stop(low: Lowering, answer: str, found: bool, node: ast.expr) -> None:
    """Behind an inner loop: end the outer one, too, where the answer is known."""
    source = low.source(node)
    with low.inside() as end:
        low.emit(Break(index=0, source=source))
    then, orelse = (end, []) if found else ([], end)
    low.emit(If(index=0, source=source, test=Ref(answer, source), then=then, orelse=orelse))


def _loops(
    low: Lowering,
    generators: Sequence[ast.comprehension],
    innermost: Callable[[], None],
    behind: Callable[[], None] | None = None,
) -> None:
    """The loops, one in the other; `behind` runs after each inner one. The names last while they do."""
    first = generators[0]
    if first.is_async:
        raise low.refuse("async for is not understood here", first.target, "everything here runs in order")
    if len(generators) + len(first.ifs) > MOST_PARTS:
        message = f"a comprehension has at most {MOST_PARTS} parts"
        raise low.refuse(message, first.target, "write loops", code="limit_exceeded")
    over = low.operand(first.iter)
    renamed = {name: low.fresh(name) for name in bound_in(first.target)}
    low.scope.renamed.append(renamed)
    try:
        with low.inside() as body:
            target = loop_target(low, first.target)
            _filtered(low, first.ifs, lambda: _inner(low, generators[1:], innermost, behind))
    finally:
        low.scope.renamed.pop()
    low.emit(For(index=0, source=low.source(first.target), target=target, over=over, body=body))


def _inner(
    low: Lowering,
    generators: Sequence[ast.comprehension],
    innermost: Callable[[], None],
    behind: Callable[[], None] | None,
) -> None:
    if not generators:
        innermost()
        return
    _loops(low, generators, innermost, behind)
    if behind is not None:
        behind()


def _filtered(low: Lowering, tests: Sequence[ast.expr], body: Callable[[], None]) -> None:
    """What runs where all `tests` hold."""
    if not tests:
        body()
        return
    test = low.expression(tests[0])
    with low.inside() as then:
        _filtered(low, tests[1:], body)
    low.emit(If(index=0, source=low.source(tests[0]), test=test, then=then))
