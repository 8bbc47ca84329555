"""Names, constants, attributes, displays and subscripts to expressions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from gradwire.engine import references
from gradwire.engine.graph import Collection, Dictionary, Expression, Literal, NamedFunction, Ref, SliceOf
from gradwire.program import names, refused
from gradwire.program.lowering import Lowering, expression
from gradwire.program.meanings import check_attribute, dotted, unknown_name, unknown_root, value_of

MAX_INT_BITS: Final = 4096


@expression(ast.Constant)
def constant(low: Lowering, node: ast.Constant) -> Expression:
    """A number, text, boolean, None or `...`."""
    value = node.value
    if isinstance(value, bytes):
        raise low.refuse("bytes are no values here", node, "write a list of integers: torch.tensor([1, 2])")
    if type(value) is int and value.bit_length() > MAX_INT_BITS:
        message = f"an integer has at most {MAX_INT_BITS:,} bits"
        raise low.refuse(message, node, "use floats, or tensors", code="limit_exceeded")
    return Literal(value, low.source(node))


@expression(ast.Name)
def name(low: Lowering, node: ast.Name) -> Expression:
    """A variable, or what an import or Python itself gives the name."""
    variable = low.scope.variable(node.id)
    if variable is not None and not node.id.startswith("__"):
        return Ref(variable, low.source(node))
    full = low.scope.alias(node.id)
    if full is not None:
        return value_of(low, full, node)
    if node.id in names.BUILTINS:
        return NamedFunction(f"builtins.{node.id}", low.source(node))
    return unknown_name(low, node.id, node)


@expression(ast.Attribute)
def attribute(low: Lowering, node: ast.Attribute) -> Expression:
    """`torch.pi`, or an attribute of a value: a reference with a path."""
    full = dotted(low, node)
    if full is not None and not _of_constant(full):
        return value_of(low, full, node)
    check_attribute(low, node)
    base = low.reference(node.value)
    return base if unknown_root(low, node) else read(low, base, node)


def _of_constant(full: str) -> bool:
    """Whether it is an attribute of a constant: `torch.float32.itemsize`."""
    return names.find(full) is None and isinstance(names.find(full.rpartition(".")[0]), names.Constant)


def read(low: Lowering, base: Ref, node: ast.Attribute) -> Ref:
    """The attribute `node.attr` of `base`. Raises Refusal for one that no value has."""
    if node.attr not in references.KNOWN_STEPS:
        raise _unknown_attribute(low, node)
    if f"{base.text}.{node.attr}" in low.scope.outermost.outside:
        # An input has a dot in its name, and would win over the path.
        base = low.bind(base, base.source)
    return Ref(f"{base.text}.{node.attr}", low.source(node))


def _unknown_attribute(low: Lowering, node: ast.Attribute) -> Exception:
    message = f"no value has an attribute '{node.attr[:64]}' here"
    if node.attr in refused.MEMBERS:
        return low.refuse(message, node, refused.MEMBERS[node.attr], code="unknown_reference")
    if node.attr in names.methods():
        message, hint = f"'{node.attr}' is a method, not a value", f"call it: x.{node.attr}(…), or write a lambda"
        return low.refuse(message, node, hint)
    close = references.nearest(node.attr, references.KNOWN_STEPS | names.methods())
    hint = f"did you mean .{close}?" if close else "GET /v1/ops lists the methods of tensors"
    return low.refuse(message, node, hint, code="unknown_reference")


@expression(ast.List, ast.Tuple)
def display(low: Lowering, node: ast.List | ast.Tuple) -> Expression:
    """`[a, b]` or `(a, b)`; with a star it is filled step by step."""
    kind = "list" if isinstance(node, ast.List) else "tuple"
    source = low.source(node)
    if not any(isinstance(one, ast.Starred) for one in node.elts):
        return Collection(kind, tuple(low.expressions(node.elts)), source)
    filled = low.bind(Collection("list", (), source), source)
    for one in node.elts:
        star = isinstance(one, ast.Starred)
        value = low.operand(one.value if isinstance(one, ast.Starred) else one)
        low.act(".extend" if star else ".append", [filled, value], low.source(one))
    return filled if kind == "list" else low.node("builtins.tuple", [filled], source)


@expression(ast.Dict)
def dict_display(low: Lowering, node: ast.Dict) -> Expression:
    """`{"a": x}`; other keys than texts are set one by one."""
    keys = [key for key in node.keys if key is not None]
    if len(keys) < len(node.keys):
        raise low.refuse("** in a dict is not understood here", node, "write d = dict(other), then d.update(more)")
    words = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    source = low.source(node)
    if len(words) == len(keys):
        return Dictionary(dict(zip(words, low.expressions(node.values), strict=True)), source)
    filled = low.node("builtins.dict", [], source)
    for key, value in zip(keys, node.values, strict=True):
        set_item(low, filled, key, value)
    return filled


def set_item(low: Lowering, filled: Ref, key: ast.expr, value: ast.expr) -> None:
    """`filled[key] = value` of a display or comprehension: the key comes first."""
    pair = low.operands([key, value])
    low.act("setitem", [filled, *pair], low.source(value))


@expression(ast.Subscript)
def subscript(low: Lowering, node: ast.Subscript) -> Expression:
    """`x[index]`."""
    container, place = low.in_order([lambda: low.operand(node.value), lambda: index(low, node.slice)])
    return low.node("getitem", [container, place], low.source(node))


def index(low: Lowering, node: ast.expr) -> Expression:
    """What stands between the brackets, typed."""
    source = low.source(node)
    if isinstance(node, ast.Tuple) and not any(isinstance(one, ast.Starred) for one in node.elts):
        return Collection("tuple", tuple(low.in_order([_bound(low, one) for one in node.elts])), source)
    value = slice_of(low, node) if isinstance(node, ast.Slice) else low.expression(node)
    if isinstance(value, Collection) and value.kind == "list":
        # A list alone would be read as the tuple of indices.
        return Collection("tuple", (value,), source)
    return low.plain(value, node) if isinstance(value, (Literal, Dictionary)) else value


def _bound(low: Lowering, node: ast.expr) -> Callable[[], Expression]:
    if isinstance(node, ast.Slice):
        return lambda: slice_of(low, node)
    return lambda: low.expression(node)


@expression(ast.Slice)
def slice_of(low: Lowering, node: ast.Slice) -> SliceOf:
    """`start:stop:step`."""
    source = low.source(node)

    def bound(part: ast.expr | None) -> Callable[[], Expression]:
        return lambda: Literal(None, source) if part is None else low.expression(part)

    start, stop, step = low.in_order([bound(node.lower), bound(node.upper), bound(node.step)])
    return SliceOf(start, stop, step, source)


@expression(ast.Starred)
def starred(low: Lowering, node: ast.Starred) -> Expression:
    """A star where none can stand: those of calls and displays are read there."""
    raise low.refuse("a star cannot stand here", node, "write the items one by one")
