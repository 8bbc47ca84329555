"""Nodes and expressions as Python's syntax."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from gradwire.engine import indexing
from gradwire.engine import references as paths
from gradwire.engine.binding import bind
from gradwire.engine.graph import (
    Callee,
    Collection,
    Dictionary,
    Expression,
    Literal,
    NamedFunction,
    Node,
    Numbers,
    Ref,
    SliceOf,
    Star,
    TensorDocument,
    Transform,
)
from gradwire.engine.ops.registry import Op, registry
from gradwire.engine.ops.uncallable import uncallable
from gradwire.findings import Refusal, refuse
from gradwire.program import operators
from gradwire.program.python_names import Names
from gradwire.program.python_values import call, function_path, literal, path, tensor

SYNTAX = ("getitem", "setitem", "setattr")
_BINARY = {name: kind for kind, name in operators.BINARY.items()}
_UNARY = {name: kind for kind, name in operators.UNARY.items()}
_COMPARE = {name: kind for kind, name in operators.COMPARE.items() if kind is not ast.NotIn}
_OWN = ("builtins.", "math.", "functools.")


class Calls:
    """Writes expressions and nodes. `folded` are expressions that stand for a temporary, each used once."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.folded: dict[str, ast.expr] = {}
        self.modules: set[str] = set()

    def expression(self, value: Expression, *, numpy: bool = False) -> ast.expr:
        """Any expression."""
        if isinstance(value, Ref):
            return self.reference(value)
        if isinstance(value, Literal):
            whole = isinstance(value.value, list)
            return _lists(value.value) if whole else self._noted(literal(value.value, numpy=numpy))
        if isinstance(value, Numbers):
            return _lists(value.tolist())
        if isinstance(value, TensorDocument):
            return tensor(value.tensor, requires_grad=value.requires_grad)
        if isinstance(value, NamedFunction):
            return self._noted(path(function_path(value.name)))
        if isinstance(value, Star):
            return ast.Starred(self.expression(value.value), ast.Load())
        if isinstance(value, Dictionary):
            keys: list[ast.expr | None] = [ast.Constant(key) for key in value.items]
            return ast.Dict(keys, [self.expression(one) for one in value.items.values()])
        if isinstance(value, SliceOf):
            return call("slice", [self.expression(one) for one in (value.start, value.stop, value.step)])
        return self._collection(value, numpy)

    def _collection(self, value: Collection, numpy: bool) -> ast.expr:
        items = [self.expression(one, numpy=numpy) for one in value.items]
        if value.kind == "size":
            return call("torch.Size", [ast.List(items, ast.Load())])
        return ast.List(items, ast.Load()) if value.kind == "list" else ast.Tuple(items, ast.Load())

    def reference(self, ref: Ref) -> ast.expr:
        """A name, and what its path reads."""
        head, steps = paths.split(ref.text, self.names.known) or (ref.text, ())
        found: ast.expr = ast.Name(self.names.of(head), ast.Load())
        if head in self.folded:
            found = self.folded.pop(head)
        for step in steps:
            if step.isdecimal():
                found = ast.Subscript(found, ast.Constant(int(step)), ast.Load())
            elif step in paths.TENSOR_ATTRIBUTES or ref.source.line is not None or step not in self.names.keys:
                found = ast.Attribute(found, step, ast.Load())
            else:
                found = ast.Subscript(found, ast.Constant(step), ast.Load())
        return found

    def _noted(self, made: ast.expr) -> ast.expr:
        """Remember the module that an expression needs."""
        root = made.operand if isinstance(made, ast.UnaryOp) else made
        root = root.func if isinstance(root, ast.Call) else root
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name):
            self.modules.add(root.id)
        return made

    # ---- nodes

    def node(self, node: Node) -> ast.expr:
        """The value of a node that is one expression."""
        name = node.op.removeprefix("torch.")
        if node.op.startswith("."):
            return self._method(name[1:], node.args, node.kwargs)
        if name == "call":
            return self._called(self.callee(_one(node)), node.args, node.kwargs)
        if name == "format":
            return self._method("format", node.args, node.kwargs)
        if name == "print" or name.startswith(_OWN):
            return self._called(self._noted(path(function_path(name))), node.args, node.kwargs)
        if name in SYNTAX or name in ("operator.getitem", "operator.setitem"):
            return self.item(node)
        return self._op(node)

    def _op(self, node: Node) -> ast.expr:
        op, args, kwargs = self._bound(node)
        if op.is_method:
            return self._method(op.last, args, kwargs, numpy=op.is_numpy)
        if op.namespace == "operator":
            return self._operator(op.last, [self.expression(one) for one in args])
        args = [self._fitting(op, place, one) for place, one in enumerate(args)]
        return self._called(self._noted(path(function_path(op.name))), args, kwargs, numpy=op.is_numpy)

    def _fitting(self, op: Op, place: int, value: Expression) -> Expression:
        """A number where PyTorch only takes a tensor, which the service makes of it."""
        number = isinstance(value, Literal) and type(value.value) in (bool, int, float, complex)
        if not number or op.is_numpy or not isinstance(value, Literal):
            return value
        positional = [[one for one in each.parameters if not one.keyword_only] for each in op.overloads]
        atoms = {atom for each in positional for one in each[place : place + 1] for atom in one.type.atoms}
        return TensorDocument(torch.tensor(value.value), value.source) if atoms == {"Tensor"} else value

    def _bound(self, node: Node) -> tuple[Op, Sequence[Expression], Mapping[str, Expression]]:
        """The op, and its arguments as its signature wants them. Raises Refusal where they do not fit."""
        entry = registry().find(node.op)
        if not isinstance(entry, Op):
            if node.op.startswith("operator.") and node.op[9:] in (*_COMPARE, *_UNARY, "truth"):
                return Op(node.op, len), node.args, node.kwargs
            raise Refusal([uncallable(entry, node.op, node.source.at("op"))])
        if node.source.line is not None or any(isinstance(one, Star) for one in node.args):
            return entry, node.args, node.kwargs
        bound = bind(entry, node)
        return bound.op, bound.args, bound.kwargs

    def _method(
        self, name: str, args: Sequence[Expression], kwargs: Mapping[str, Expression], *, numpy: bool = False
    ) -> ast.expr:
        this, *others = args
        value = self.expression(this)
        if isinstance(value, ast.Constant) and not isinstance(value.value, str):
            value = call("torch.tensor", [value])
        return self._called(ast.Attribute(value, name, ast.Load()), others, kwargs, numpy=numpy)

    def _called(
        self,
        function: ast.expr,
        args: Sequence[Expression],
        kwargs: Mapping[str, Expression],
        *,
        numpy: bool = False,
    ) -> ast.expr:
        given = [self.expression(one, numpy=numpy) for one in args]
        return call(function, given, {name: self.expression(one, numpy=numpy) for name, one in kwargs.items()})

    def _operator(self, name: str, args: list[ast.expr]) -> ast.expr:
        plain = name.rstrip("_")
        if len(args) == 2 and (kind := _BINARY.get(name) or _BINARY.get(plain)) is not None:
            return ast.BinOp(args[0], kind(), args[1])
        if len(args) == 2 and name == "contains":
            return ast.Compare(args[1], [ast.In()], [args[0]])
        if len(args) == 2 and (compared := _COMPARE.get(name)) is not None:
            return ast.Compare(args[0], [compared()], [args[1]])
        if len(args) == 1 and (unary := _UNARY.get(name) or {"inv": ast.Invert, "not": ast.Not}.get(plain)) is not None:
            return ast.UnaryOp(unary(), args[0])
        if len(args) == 1 and name in ("abs", "truth"):
            return call({"truth": "bool"}.get(name, name), args)
        self.modules.add("operator")
        return call(f"operator.{name}", args)

    # ---- items and attributes

    def item(self, node: Node, *, store: bool = False) -> ast.expr:
        """`x[index]`, or `x.grad` of a `setattr`; `store`: to be assigned to."""
        context = ast.Store() if store else ast.Load()
        place = node.args[1]
        if node.op == "setattr":
            word = place.value if isinstance(place, Literal) else "grad"
            return ast.Attribute(self.expression(node.args[0]), str(word), context)
        container = self.expression(node.args[0])
        return ast.Subscript(container, self.index(place), context)

    def index(self, place: Expression) -> ast.expr:
        """What stands between the brackets."""
        if isinstance(place, Literal) and isinstance(place.value, str):
            text = place.value
            try:
                place = indexing.parse(text, self.names.known, place.source)
            except Refusal:
                return ast.Constant(text)
        else:
            place = indexing.typed(place)
        if isinstance(place, Collection) and place.kind == "tuple":
            items = [self._one_index(one) for one in place.items]
            alone = len(items) == 1 and isinstance(items[0], ast.List)
            return items[0] if alone else ast.Tuple(items, ast.Load())
        return self._one_index(place)

    def _one_index(self, place: Expression) -> ast.expr:
        if not isinstance(place, SliceOf):
            return self.expression(place)
        parts = (place.start, place.stop, place.step)
        return ast.Slice(*[None if _is_none(one) else self.expression(one) for one in parts])

    # ---- functions of functions

    def callee(self, of: Callee) -> ast.expr:
        """What is called."""
        if not isinstance(of, Transform):
            return self.expression(of)
        return self.transform(of.op, of.of, of.options)

    def transform(self, op: str, of: Callee, options: Mapping[str, Expression]) -> ast.expr:
        """`torch.func.grad(f, argnums=0)`."""
        given = {name: self.option(value) for name, value in options.items()}
        return call(function_path(op), [self.callee(of)], given)

    def option(self, value: Expression) -> ast.expr:
        """An option of a transform, which wants tuples where a client may write lists."""
        return _tuples(self.expression(value))

    def tensor_of(self, value: Expression) -> ast.expr:
        """An argument that is a tensor, also where a client writes numbers."""
        written = self.expression(value)
        return call("torch.tensor", [written]) if isinstance(value, (Numbers, Literal)) else written


def _one(node: Node) -> Callee:
    if node.of is None or isinstance(node.of, Mapping):
        raise refuse("invalid_argument", f"{node.op} takes one function", node.source)
    return node.of


def _is_none(value: Expression) -> bool:
    return isinstance(value, Literal) and value.value is None


def _lists(value: Any) -> ast.expr:
    return ast.List([_lists(one) for one in value], ast.Load()) if isinstance(value, list) else literal(value)


def _tuples(value: ast.expr) -> ast.expr:
    if isinstance(value, (ast.List, ast.Tuple)):
        return ast.Tuple([_tuples(one) for one in value.elts], ast.Load())
    return value
