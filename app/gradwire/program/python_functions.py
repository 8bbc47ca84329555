"""Transforms and control flow over functions (contract section 3) as PyTorch and Python write them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from gradwire.engine.control import CONTROL
from gradwire.engine.graph import Callee, Expression, Literal, Node, Numbers
from gradwire.engine.transforms import TRANSFORMS
from gradwire.findings import refuse
from gradwire.program.python_calls import Calls
from gradwire.program.python_values import call, function_path

FUNCTIONS_OF_FUNCTIONS = frozenset((*TRANSFORMS, *CONTROL))
_WITH_CHANGES = {"func.vjp": "cotangents", "func.linearize": "tangents"}


def applied(calls: Calls, node: Node, made: list[ast.stmt]) -> ast.expr:
    """The value of such a node; the statements that it takes go into `made`."""
    name = node.op.removeprefix("torch.")
    if name in CONTROL:
        return _CONTROL[name](calls, node, made)
    of, options = _function(node), dict(node.options)
    if name == "func.jvp":
        tangents = options.pop("tangents", None)
        if tangents is None:
            raise refuse("invalid_argument", "func.jvp needs the option tangents", node.source, expected="tangents")
        args = [calls.callee(of), _tuple(calls, node.args), _each(calls, tangents)]
        return call("torch.func.jvp", args, {key: calls.option(value) for key, value in options.items()})
    if name in _WITH_CHANGES:
        return _pulled(calls, node, of, options, made)
    if name.startswith("autograd.functional."):
        inputs = calls.tensor_of(node.args[0]) if len(node.args) == 1 else _tuple(calls, node.args)
        given = {key: _cotangent(calls, value) if key == "v" else calls.option(value) for key, value in options.items()}
        return call(function_path(name), [calls.callee(of), inputs], given)
    function = calls.transform(name, of, options)
    return call(function, [calls.tensor_of(one) for one in node.args]) if node.args else function


def _function(node: Node) -> Callee:
    if node.of is None or isinstance(node.of, Mapping):
        raise refuse("invalid_argument", f"{node.op} takes one function", node.source)
    return node.of


def _tuple(calls: Calls, values: object) -> ast.expr:
    items = [calls.tensor_of(one) for one in values]  # type: ignore[attr-defined]
    return ast.Tuple(items, ast.Load())


def _each(calls: Calls, value: Expression) -> ast.expr:
    """One change per argument, as a tuple; one alone may be bare."""
    written = calls.option(value)
    if isinstance(value, Numbers):
        written = call("torch.tensor", [calls.expression(value)])
    return written if isinstance(written, ast.Tuple) else ast.Tuple([written], ast.Load())


def _cotangent(calls: Calls, value: Expression) -> ast.expr:
    return calls.tensor_of(value) if isinstance(value, Numbers) else calls.option(value)


def _pulled(calls: Calls, node: Node, of: Callee, options: dict[str, Expression], made: list[ast.stmt]) -> ast.expr:
    """`func.vjp` and `func.linearize`: the output, and what the linear function gives for the changes."""
    name = node.op.removeprefix("torch.")
    change = options.pop(_WITH_CHANGES[name], None)
    args = [calls.callee(of), *(calls.tensor_of(one) for one in node.args)]
    pair = call(function_path(name), args, {key: calls.option(value) for key, value in options.items()})
    if change is None:
        return pair
    output, linear = calls.names.fresh("output"), calls.names.fresh("linear")
    target = ast.Tuple([ast.Name(output, ast.Store()), ast.Name(linear, ast.Store())], ast.Store())
    made.append(ast.Assign([target], pair, lineno=0))
    if name == "func.vjp":
        given = [_like(calls, change, output)]
    else:
        each = _each(calls, change)
        given = each.elts if isinstance(each, ast.Tuple) else [each]
    return ast.Tuple([_name(output), call(_name(linear), given)], ast.Load())


def _like(calls: Calls, value: Expression, output: str) -> ast.expr:
    """A cotangent: numbers become a tensor of the output's dtype."""
    if not isinstance(value, (Numbers, Literal)):
        return calls.option(value)
    dtype = ast.Attribute(_name(output), "dtype", ast.Load())
    return call("torch.tensor", [calls.expression(value)], {"dtype": dtype})


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _roles(node: Node) -> Mapping[str, Callee]:
    if not isinstance(node.of, Mapping):
        raise refuse("invalid_argument", f"{node.op} takes two functions", node.source)
    return node.of


def _cond(calls: Calls, node: Node, made: list[ast.stmt]) -> ast.expr:
    of = _roles(node)
    predicate, *operands = node.args
    test = calls.expression(predicate)
    then, orelse = (
        call(calls.callee(of[role]), [calls.expression(one) for one in operands]) for role in ("then", "else")
    )
    return ast.IfExp(test, then, orelse)


def _while_loop(calls: Calls, node: Node, made: list[ast.stmt]) -> ast.expr:
    of = _roles(node)
    carries = [calls.names.fresh("carry") for _ in node.args]
    loaded = [_name(one) for one in carries]
    target: ast.expr = ast.Name(carries[0], ast.Store())
    first = calls.expression(node.args[0])
    whole: ast.expr = loaded[0]
    if len(carries) > 1:
        target = ast.Tuple([ast.Name(one, ast.Store()) for one in carries], ast.Store())
        first = ast.Tuple([first, *(calls.expression(one) for one in node.args[1:])], ast.Load())
        whole = ast.Tuple(list(loaded), ast.Load())
    made.append(ast.Assign([target], first, lineno=0))
    test, step = call(calls.callee(of["while"]), loaded), call(calls.callee(of["do"]), loaded)
    made.append(ast.While(test, [ast.Assign([target], step, lineno=0)], []))
    return whole


def _scan(calls: Calls, node: Node, made: list[ast.stmt]) -> ast.expr:
    of = _function(node)
    carry, x, y, ys = (calls.names.fresh(one) for one in ("carry", "x", "y", "ys"))
    made.append(ast.Assign([ast.Name(carry, ast.Store())], calls.expression(node.args[0]), lineno=0))
    made.append(ast.Assign([ast.Name(ys, ast.Store())], ast.List([], ast.Load()), lineno=0))
    length = node.options.get("length")
    if len(node.args) > 1:
        over = calls.tensor_of(node.args[1])
    else:
        over = call("range", [calls.expression(length or Literal(0, node.source))])
    pair = ast.Tuple([ast.Name(carry, ast.Store()), ast.Name(y, ast.Store())], ast.Store())
    step = ast.Assign([pair], call(calls.callee(of), [_name(carry), _name(x)]), lineno=0)
    keep = ast.Expr(call(ast.Attribute(_name(ys), "append", ast.Load()), [_name(y)]))
    made.append(ast.For(ast.Name(x, ast.Store()), over, [step, keep], [], lineno=0))
    return ast.Tuple([_name(carry), call("torch.stack", [_name(ys)])], ast.Load())


def _map(calls: Calls, node: Node, made: list[ast.stmt]) -> ast.expr:
    x = calls.names.fresh("x")
    over = calls.tensor_of(node.args[0])
    element = call(calls.callee(_function(node)), [_name(x), *(calls.expression(one) for one in node.args[1:])])
    loop = ast.comprehension(ast.Name(x, ast.Store()), over, [], 0)
    return call("torch.stack", [ast.ListComp(element, [loop])])


_CONTROL: dict[str, Callable[[Calls, Node, list[ast.stmt]], ast.expr]] = {
    "cond": _cond,
    "while_loop": _while_loop,
    "scan": _scan,
    "map": _map,
}
