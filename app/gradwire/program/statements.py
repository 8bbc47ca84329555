"""Loops, branches, contexts, functions, and the other statements."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from gradwire.engine.graph import (
    Bind,
    Break,
    Continue,
    Def,
    Expression,
    Fail,
    For,
    If,
    Literal,
    Node,
    Parameter,
    Ref,
    Return,
    Statement,
    While,
    With,
)
from gradwire.program import names
from gradwire.program.assignments import check_annotation, loop_target, names_in
from gradwire.program.imports import aliases_in, check_import
from gradwire.program.lowering import Lowering, expression, statement
from gradwire.program.meanings import dotted
from gradwire.program.scopes import Scope, bound_names, parameters

_MOST_TEXT = 200


@statement(ast.Import, ast.ImportFrom)
def import_(low: Lowering, node: ast.Import | ast.ImportFrom) -> None:
    """Imports give names a meaning and nothing else; that is read ahead, here they are only checked."""
    check_import(low, node)


# `pass` becomes no node.
statement(ast.Pass)(lambda low, node: None)


@statement(ast.Expr)
def evaluate(low: Lowering, node: ast.Expr) -> None:
    """An expression on its own; texts and numbers alone are left out."""
    if isinstance(node.value, ast.Constant) and not isinstance(node.value.value, (bytes, int)):
        return
    value = low.expression(node.value)
    last = low.block[-1] if low.block else None
    if isinstance(last, (Node, Bind)) and isinstance(value, Ref) and last.id == value.text:
        last.id = None
    elif isinstance(value, Ref):
        low.emit(Bind(index=0, source=value.source, value=value))


@statement(ast.If)
def if_(low: Lowering, node: ast.If) -> None:
    """`if`, `elif`, `else`."""
    test = low.expression(node.test)
    then, orelse = _block(low, node.body), _block(low, node.orelse)
    low.emit(If(index=0, source=low.source(node.test), test=test, then=then, orelse=orelse))


def _block(low: Lowering, body: Sequence[ast.stmt]) -> list[Statement]:
    with low.inside() as block:
        low.body(body)
    return block


@statement(ast.While)
def while_(low: Lowering, node: ast.While) -> None:
    """`while`, and its `else`."""
    flag = _completed(low, node)
    with low.inside() as before:
        test = low.expression(node.test)
    body = _looped(low, node.body, flag)
    low.emit(While(index=0, source=low.source(node.test), before=before, test=test, body=body))
    _else(low, node, flag)


@statement(ast.For)
def for_(low: Lowering, node: ast.For) -> None:
    """`for`, and its `else`."""
    flag = _completed(low, node)
    over = low.operand(node.iter)
    with low.inside() as body:
        target = loop_target(low, node.target)
        body += _looped(low, node.body, flag)
    low.emit(For(index=0, source=low.source(node.target), target=target, over=over, body=body))
    _else(low, node, flag)


def _looped(low: Lowering, body: Sequence[ast.stmt], flag: str | None) -> list[Statement]:
    low.loops.append(flag)
    try:
        return _block(low, body)
    finally:
        low.loops.pop()


def _completed(low: Lowering, node: ast.For | ast.While) -> str | None:
    """A variable that says whether the loop ran to its end, where an `else` asks for it."""
    if not node.orelse:
        return None
    flag, source = low.fresh(), low.source(node)
    low.emit(Bind(index=0, source=source, value=Literal(True, source), target=flag))
    return flag


def _else(low: Lowering, node: ast.For | ast.While, flag: str | None) -> None:
    if flag is not None:
        source = low.source(node.orelse[0])
        low.emit(If(index=0, source=source, test=Ref(flag, source), then=_block(low, node.orelse)))


@statement(ast.Break, ast.Continue)
def jump(low: Lowering, node: ast.Break | ast.Continue) -> None:
    """`break` and `continue`."""
    source = low.source(node)
    if not low.loops:
        word = type(node).__name__.lower()
        raise low.refuse(f"{word} stands outside of a loop", node, "leave it out")
    if isinstance(node, ast.Continue):
        low.emit(Continue(index=0, source=source))
        return
    if (flag := low.loops[-1]) is not None:
        low.emit(Bind(index=0, source=source, value=Literal(False, source), target=flag))
    low.emit(Break(index=0, source=source))


@statement(ast.With)
def with_(low: Lowering, node: ast.With) -> None:
    """`with torch.no_grad():`; several contexts are one in the other."""
    _entered(low, node, node.items)


def _entered(low: Lowering, node: ast.With, items: Sequence[ast.withitem]) -> None:
    if not items:
        low.body(node.body)
        return
    item = items[0]
    of, args = _context(low, item.context_expr)
    with low.inside() as body:
        target = names_in(low, item.optional_vars) if item.optional_vars is not None else None
        _entered(low, node, items[1:])
    source = low.source(item.context_expr)
    low.emit(With(index=0, source=source, of=of, body=body, args=args, target=target))


def _context(low: Lowering, node: ast.expr) -> tuple[str, list[Expression]]:
    full = dotted(low, node.func) if isinstance(node, ast.Call) else None
    meaning = names.find(full) if full is not None else None
    if isinstance(node, ast.Call) and isinstance(meaning, names.Context):
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if len(given) > 1:
            raise low.refuse(f"{full} takes one argument at most", node, f"write with {full}(…): …")
        return meaning.of, low.expressions(given)
    bare = dotted(low, node)
    if bare is not None and isinstance(names.find(bare), names.Context):
        raise low.refuse(f"{bare} is not called", node, f"write with {bare}(): …")
    hint = "the contexts are torch.no_grad(), enable_grad(), set_grad_enabled(b), inference_mode() and dual_level()"
    raise low.refuse("this is no context that a program can enter", node, hint)


@statement(ast.Assert)
def assert_(low: Lowering, node: ast.Assert) -> None:
    """`assert test, message`."""
    test = low.expression(node.test)
    source = low.source(node)
    with low.inside() as failing:
        message = Literal(_text_of(low, node.test), source) if node.msg is None else low.expression(node.msg)
        low.emit(Fail(index=0, source=source, value=message))
    low.emit(If(index=0, source=source, test=test, then=[], orelse=failing))


def _text_of(low: Lowering, node: ast.expr) -> str:
    """The expression as it is written, for the message of an assertion that has none."""
    return f"assert {ast.unparse(node)}"[:_MOST_TEXT]


@statement(ast.FunctionDef)
def def_(low: Lowering, node: ast.FunctionDef) -> None:
    """A function."""
    if node.decorator_list:
        decorator = node.decorator_list[0]
        raise low.refuse("decorators are not understood here", decorator, _decorator_hint(low, decorator, node.name))
    if node.name.startswith("__"):
        raise low.refuse(f"'{node.name[:64]}' is no name for a function here", node, "leave out the underscores")
    if getattr(node, "type_params", None):
        raise low.refuse("type parameters are not understood here", node, "types are not checked here: leave them out")
    check_annotation(low, node.returns)
    low.emit(_function(low, node, node.body, low.scope.variable(node.name) or node.name))


def _decorator_hint(low: Lowering, node: ast.expr, name: str) -> str:
    full = dotted(low, node.func if isinstance(node, ast.Call) else node)
    if full is not None and isinstance(names.find(full), names.Context):
        return f"write with {full}(): … inside the function"
    return f"leave it out, and call it behind the def: {name[:64]} = …({name[:64]})"


@expression(ast.Lambda)
def lambda_(low: Lowering, node: ast.Lambda) -> Expression:
    """`lambda x: x * x`, a function in a temporary."""
    source = low.source(node)
    made = _function(low, node, node.body, low.fresh("<lambda>"))
    low.emit(made)
    return Ref(made.name, source)


def _function(low: Lowering, node: ast.FunctionDef | ast.Lambda, body: Sequence[ast.stmt] | ast.expr, name: str) -> Def:
    params, keyword_only = _parameters(low, node.args)
    outer, outer_loops = low.scope, low.loops
    low.scope, low.loops = _scope_of(low, node.args, body), []
    try:
        with low.inside() as block:
            if isinstance(body, ast.expr):
                value = low.expression(body)
                low.emit(Return(index=0, source=low.source(body), value=value))
            else:
                low.body(body)
    finally:
        low.scope, low.loops = outer, outer_loops
    return Def(index=0, source=low.source(node), name=name, params=params, body=block, keyword_only=keyword_only)


def _scope_of(low: Lowering, arguments: ast.arguments, body: Sequence[ast.stmt] | ast.expr) -> Scope:
    bound = dict.fromkeys(one.arg for one in parameters(arguments))
    if isinstance(body, ast.expr):
        return Scope(bound, low.scope)
    return Scope(bound | bound_names(body), low.scope, aliases=aliases_in(body))


def _parameters(low: Lowering, arguments: ast.arguments) -> tuple[list[Parameter], list[Parameter]]:
    for star, word in ((arguments.vararg, "*"), (arguments.kwarg, "**")):
        if star is not None:
            hint = "write the parameters one by one, or take a list"
            raise low.refuse(f"{word} in the parameters is not understood here", star, hint)
    seen: set[str] = set()
    for one in parameters(arguments):
        if one.arg in seen:
            raise low.refuse(f"the parameter '{one.arg[:64]}' stands twice", one, "give it another name")
        seen.add(one.arg)
        if one.arg.startswith("__"):
            raise low.refuse(f"'{one.arg[:64]}' is no name for a parameter here", one, "leave out the underscores")
        check_annotation(low, one.annotation)
    positional = [*arguments.posonlyargs, *arguments.args]
    given = [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)]
    values = iter(low.expressions(given))
    without = len(positional) - len(arguments.defaults)
    params = [Parameter(one.arg, next(values) if place >= without else None) for place, one in enumerate(positional)]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return params, [Parameter(one.arg, None if default is None else next(values)) for one, default in pairs]


@statement(ast.Return)
def return_(low: Lowering, node: ast.Return) -> None:
    """`return value`."""
    source = low.source(node)
    if low.scope.parent is None:
        raise low.refuse("return stands outside of a function", node, "leave it out: `returns` names the outputs")
    value = Literal(None, source) if node.value is None else low.expression(node.value)
    low.emit(Return(index=0, source=source, value=value))
