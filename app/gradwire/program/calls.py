"""Calls: of the libraries' functions, of methods, of Python's builtins, and of values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from gradwire.engine import references
from gradwire.engine.graph import Expression, Literal, NamedFunction, Ref, Star
from gradwire.program import names, refused
from gradwire.program.comprehensions import consumed, distinct
from gradwire.program.formats import format_call, format_method
from gradwire.program.lowering import Lowering, expression
from gradwire.program.meanings import check_attribute, dotted, unknown_root, value_of

Part = Callable[[], Expression]


@expression(ast.Call)
def call(low: Lowering, node: ast.Call) -> Expression:
    """Any call: what stands ahead of the parentheses decides."""
    _check_keywords(low, node)
    full = dotted(low, node.func)
    if full is not None:
        return _named(low, node, full)
    if isinstance(node.func, ast.Attribute):
        check_attribute(low, node.func)
        return _method(low, node, node.func)
    if isinstance(node.func, ast.Name) and low.scope.variable(node.func.id) is None:
        return _builtin(low, node, node.func)
    return _of_value(low, node, node.func)


def _check_keywords(low: Lowering, node: ast.Call) -> None:
    seen: set[str] = set()
    for keyword in node.keywords:
        if keyword.arg is None:
            raise low.refuse("** in a call is not understood here", keyword, "write the arguments by name: f(a=1)")
        if keyword.arg.startswith("_"):
            raise low.refuse(f"no argument is called '{keyword.arg[:64]}'", keyword, "leave it out")
        if keyword.arg in seen:
            raise low.refuse(f"the argument '{keyword.arg[:64]}' stands twice", keyword, "leave one out")
        seen.add(keyword.arg)


def arguments(
    low: Lowering, node: ast.Call, lower: Callable[[ast.expr], Expression], first: Sequence[Part] = ()
) -> tuple[list[Expression], dict[str, Expression]]:
    """The values of the arguments, behind those of `first`, evaluated from left to right."""
    parts = [*first, *(_part(low, one, lower) for one in node.args)]
    parts += [_part(low, keyword.value, lower) for keyword in node.keywords]
    values = low.in_order(parts)
    count = len(first) + len(node.args)
    names_of = [keyword.arg or "" for keyword in node.keywords]
    return values[:count], dict(zip(names_of, values[count:], strict=True))


def _part(low: Lowering, node: ast.expr, lower: Callable[[ast.expr], Expression]) -> Part:
    if isinstance(node, ast.Starred):
        inner = node.value
        return lambda: Star(low.reference(inner), low.source(node))
    return lambda: lower(node)


def _named(low: Lowering, node: ast.Call, full: str) -> Expression:
    """A function that has a full name: `torch.add(x, y)`."""
    meaning = names.find(full)
    source = low.source(node)
    if full in names.legacy_classes():
        return _legacy(low, node, full)
    if isinstance(meaning, names.Function):
        if meaning.on_functions:
            return _on_functions(low, node, meaning.op)
        of_python = full.startswith(("math.", "functools."))
        args, kwargs = arguments(low, node, low.operand if of_python else low.expression)
        return low.node(meaning.op, args, source, kwargs)
    if isinstance(meaning, names.Constant) and names.is_scalar_type(meaning.value):
        args, kwargs = arguments(low, node, low.expression)
        return low.node(full, args, source, kwargs)
    parent = names.find(full.rpartition(".")[0])
    if meaning is None and isinstance(parent, names.Constant) and isinstance(node.func, ast.Attribute):
        return _method(low, node, node.func)
    # Report the name; the arguments are looked at all the same.
    arguments(low, node, low.expression)
    if isinstance(meaning, names.Constant):
        if isinstance(meaning.value, type):
            message = f"the class {full} is not called here"
            raise low.refuse(message, node.func, "write np.array(data)", code="excluded_op")
        raise low.refuse(f"{full} is a value, not a function", node.func, "leave the parentheses out")
    return value_of(low, full, node.func)


def _legacy(low: Lowering, node: ast.Call, full: str) -> Expression:
    """`torch.Tensor([1, 2])`: `torch.tensor` with the class's dtype. Of sizes it would show memory as it was."""
    dtype = names.legacy_classes()[full]
    args, _ = arguments(low, node, low.expression)
    if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], (ast.List, ast.ListComp, ast.Tuple)):
        source = low.source(node)
        return low.node("tensor", args, source, {"dtype": Literal(dtype, source)})
    hint = f"write torch.tensor(data, dtype={dtype}), or torch.zeros(sizes, dtype={dtype})"
    raise low.refuse(f"{full} is called with a list written out and nothing else", node.func, hint, code="excluded_op")


def _on_functions(low: Lowering, node: ast.Call, op: str) -> Expression:
    """A function that takes functions: it is called as a value."""
    args, kwargs = arguments(low, node, low.expression)
    source = low.source(node)
    return low.node("call", args, source, kwargs, of=NamedFunction(op, low.source(node.func)))


def _method(low: Lowering, node: ast.Call, func: ast.Attribute) -> Expression:
    """`x.sum(0)`: the method of the value's own type."""
    name = func.attr
    if name == "format" and isinstance(func.value, ast.Constant) and isinstance(func.value.value, str):
        return format_method(low, node, func.value)
    if not unknown_root(low, func):
        _check_method(low, func)
    if name == "join" and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
        joined = low.in_order([lambda: low.operand(func.value), lambda: consumed(low, node.args[0])])
        return low.node(".join", joined, low.source(node))
    args, kwargs = arguments(low, node, low.expression, [lambda: low.operand(func.value)])
    return low.node(f".{name}", args, low.source(node), kwargs)


def _check_method(low: Lowering, func: ast.Attribute) -> None:
    """Report a method that no value has, or that is left out."""
    name, source = func.attr, low.source(func)
    if name not in names.methods():
        close = references.nearest(name, names.methods())
        if name in refused.MEMBERS:
            hint = refused.MEMBERS[name]
        elif name in references.KNOWN_STEPS:
            hint = f"it is an attribute: x.{name}"
        else:
            hint = f"did you mean .{close}(…)?" if close else "GET /v1/ops lists the methods of tensors"
        low.report("unknown_op", f"no value has a method '{name[:64]}' here", source, got=name, hint=hint)
    elif (reason := names.excluded_method(name)) is not None:
        message = f"the method {name} cannot be called: {reason}"
        low.report("excluded_op", message, source, got=name, hint=refused.MEMBERS.get(name))


def _builtin(low: Lowering, node: ast.Call, func: ast.Name) -> Expression:
    """One of Python's own functions, or a name that nothing has."""
    name = func.id
    if name == "print":
        return _print(low, node)
    if name == "format":
        return format_call(low, node)
    if name not in names.BUILTINS:
        arguments(low, node, low.expression)
        return low.expression(func)
    if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
        return _of_generator(low, node, name, node.args[0])
    if (elements := _of_set(low, node, name)) is not None:
        return _of_items(low, node, name, lambda: distinct(low, elements))
    args, kwargs = arguments(low, node, low.operand)
    return low.node(f"builtins.{name}", args, low.source(node), kwargs)


def _of_set(low: Lowering, node: ast.Call, name: str) -> ast.expr | None:
    """The `xs` of `sorted(set(xs))`, `sorted(list(set(xs)))` or `len(set(xs))`, which do not show a set's order."""
    if name not in ("sorted", "len") or len(node.args) != 1 or any(one.arg != "reverse" for one in node.keywords):
        return None
    inner = node.args[0]
    return _only_argument(low, _only_argument(low, inner, "list") or inner, "set")


def _only_argument(low: Lowering, node: ast.expr, name: str) -> ast.expr | None:
    """What Python's function `name` is called with, where `node` is such a call with one argument."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != name:
        return None
    shadowed = low.scope.variable(name) is not None or low.scope.alias(name) is not None
    if shadowed or node.keywords or len(node.args) != 1 or isinstance(node.args[0], ast.Starred):
        return None
    return node.args[0]


def _of_generator(low: Lowering, node: ast.Call, name: str, generator: ast.GeneratorExp) -> Expression:
    """`sum(x * x for x in xs)`."""
    if name in ("any", "all") and not node.keywords:
        return consumed(low, generator, name)
    return _of_items(low, node, name, lambda: consumed(low, generator))


def _of_items(low: Lowering, node: ast.Call, name: str, items: Part) -> Expression:
    """A call whose only positional argument is `items`."""
    more = {keyword.arg or "": keyword.value for keyword in node.keywords}
    values = low.in_order([items, *(_part(low, one, low.operand) for one in more.values())])
    kwargs = dict(zip(more, values[1:], strict=True))
    return low.node(f"builtins.{name}", values[:1], low.source(node), kwargs)


def _print(low: Lowering, node: ast.Call) -> Expression:
    for keyword in node.keywords:
        if keyword.arg not in ("sep", "end", "flush"):
            raise low.refuse(f"print has no '{keyword.arg}' here", keyword, "it takes sep and end")
    args, kwargs = arguments(low, node, low.expression)
    return low.node("print", args, low.source(node), kwargs)


def _of_value(low: Lowering, node: ast.Call, func: ast.expr) -> Expression:
    """A value that is called: a function of the program, or what a transform gave."""
    args, kwargs = arguments(low, node, low.expression, [lambda: low.reference(func)])
    of = args[0]
    if not isinstance(of, Ref):
        raise TypeError(f"a callee is a reference, not {of}")
    return low.node("call", args[1:], low.source(node), kwargs, of=of)
