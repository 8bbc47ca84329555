"""Graph records to the PyTorch that a person would write, which is a program itself (contract section 8).

Temporaries that lowering made are folded back into the expression that uses them where that keeps the order of
evaluation; everything else is a statement of its own.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from gradwire.engine.graph import (
    Bind,
    Break,
    Callee,
    Continue,
    Def,
    Del,
    Expression,
    Fail,
    For,
    Graph,
    If,
    Node,
    Parameter,
    Ref,
    Return,
    Star,
    Statement,
    Target,
    While,
    With,
)
from gradwire.engine.statements import every
from gradwire.program import operators
from gradwire.program.python_calls import Calls
from gradwire.program.python_functions import FUNCTIONS_OF_FUNCTIONS, applied
from gradwire.program.python_names import Names, is_temporary
from gradwire.program.python_values import call, path, tensor
from gradwire.program.records import operands, references

_IN_PLACE = {f"operator.{name}": kind for kind, name in operators.IN_PLACE.items()}


def python_of(graph: Graph) -> tuple[str, dict[str, str]]:
    """The text of a program that does what `graph` does, and the names that had to be changed: old → new.

    It begins with the imports, the seed where the graph has one, and the inputs. Raises Refusal (`unknown_op`,
    `excluded_op`, `invalid_argument`) for a node that could not be run either.
    """
    names = Names(graph)
    shown = _Shown(graph, names)
    body = shown.inputs() + shown.block([*graph.functions, *graph.nodes])
    modules = [name for name in ("torch", "numpy", "math", "functools", "operator") if _needed(name, shown.calls)]
    imports: list[ast.stmt] = [ast.Import([ast.alias(one, "np" if one == "numpy" else None)]) for one in modules]
    module = ast.fix_missing_locations(ast.Module([*imports, *body], []))
    return ast.unparse(module) + "\n", names.changed


def _needed(module: str, calls: Calls) -> bool:
    return module == "torch" or ("np" if module == "numpy" else module) in calls.modules


class _Shown:
    """Writes statements. `pending` are temporaries of the block that wait to be folded, in the order of evaluation."""

    def __init__(self, graph: Graph, names: Names) -> None:
        self.graph = graph
        self.names = names
        self.calls = Calls(names)
        self.pending: dict[str, ast.expr] = {}
        self.made: list[ast.stmt] = []
        self.uses = _uses(graph)

    def inputs(self) -> list[ast.stmt]:
        """The seed, and an assignment for each input."""
        found: list[ast.stmt] = []
        if self.graph.seed is not None:
            found.append(ast.Expr(call("torch.manual_seed", [ast.Constant(self.graph.seed)])))
        for name, document in self.graph.inputs.items():
            value = tensor(document.tensor, requires_grad=document.requires_grad)
            found.append(_assign(self.names.of(name), value))
        return found

    def block(self, records: Sequence[Statement]) -> list[ast.stmt]:
        """The statements of a block."""
        outer, self.made, self.pending, pending = self.made, [], {}, self.pending
        for one in records:
            self._statement(one)
        self._flush()
        made, self.made, self.pending = self.made, outer, pending
        return made

    def _body(self, records: Sequence[Statement]) -> list[ast.stmt]:
        return self.block(records) or [ast.Pass()]

    def _statement(self, one: Statement) -> None:
        foldable = self._foldable(one)
        self._settle(operands(one), foldable)
        if foldable:
            value = self._value(one)
            if value is not None:
                self.pending[one.name if isinstance(one, Def) else str(one.id)] = value
                return
        _WRITE[type(one)](self, one)

    def _foldable(self, one: Statement) -> bool:
        name = one.name if isinstance(one, Def) and one.name.startswith("<lambda>") else one.id
        if name is None or not is_temporary(name) or self.uses[name] != 1:
            return False
        if isinstance(one, Node):
            return (
                one.op not in _IN_PLACE and one.op not in FUNCTIONS_OF_FUNCTIONS and not one.no_grad and not _sets(one)
            )
        return isinstance(one, (Bind, Def)) and getattr(one, "target", None) is None

    def _value(self, one: Statement) -> ast.expr | None:
        """The expression that a temporary stands for; None for a lambda that is no single expression."""
        if isinstance(one, Def):
            return self._lambda(one)
        if isinstance(one, Node):
            return self.calls.node(one)
        return self.calls.expression(one.value) if isinstance(one, Bind) else None

    def _lambda(self, one: Def) -> ast.expr | None:
        body = self.block(one.body)
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return None
        return ast.Lambda(self._arguments(one), body[0].value)

    # ---- the order of evaluation

    def _settle(self, values: Sequence[Expression | Callee], foldable: bool) -> None:
        """Make ready what `values` may fold, and assign what they may not.

        They take the last of the pending ones, in their order, with nothing ahead of them that these could change.
        """
        taken, exact, unstable = [], True, False
        for one in references(values):
            head = one.text.split(".")[0] if isinstance(one, Ref) else ""
            if head in self.pending:
                taken.append(head)
                exact = exact and not unstable
            unstable = unstable or isinstance(one, Star) or "." in one.text
        waiting = list(self.pending)
        exact = exact and taken == waiting[len(waiting) - len(taken) :]
        if not exact:
            self._flush()
        elif not foldable:
            self._flush(len(waiting) - len(taken))
        self.calls.folded = {name: self.pending.pop(name) for name in taken} if exact else {}

    def _flush(self, count: int | None = None) -> None:
        """Assign the first `count` of the pending temporaries, or all."""
        for name in list(self.pending)[:count]:
            self.made.append(_assign(self.names.of(name), self.pending.pop(name)))

    # ---- statements

    def _bind_to(self, one: Node | Bind, value: ast.expr) -> None:
        if one.target is not None:
            self.made.append(ast.Assign([self._target(one.target)], value, lineno=0))
        if one.id is not None:
            source = value if one.target is None else self._loaded(one.target)
            self.made.append(_assign(self.names.of(one.id), source))
        if one.target is None and one.id is None:
            self.made.append(ast.Expr(value))

    def _loaded(self, target: Target) -> ast.expr:
        if isinstance(target, str):
            return path(self.names.of(target.removeprefix("*")))
        return ast.Tuple([self._loaded(one) for one in target], ast.Load())

    def _target(self, target: Target) -> ast.expr:
        if not isinstance(target, str):
            return ast.Tuple([self._target(one) for one in target], ast.Store())
        name = ast.Name(self.names.of(target.removeprefix("*")), ast.Store())
        return ast.Starred(name, ast.Store()) if target.startswith("*") else name

    def node(self, one: Node) -> None:
        """A node that is a statement."""
        if one.no_grad:
            outer, self.made = self.made, []
            self._plain_node(one)
            inside, self.made = self.made, outer
            self.made.append(ast.With([ast.withitem(call("torch.no_grad", []))], inside, lineno=0))
        else:
            self._plain_node(one)

    def _plain_node(self, one: Node) -> None:
        if one.op in _IN_PLACE:
            self._in_place(one)
        elif _sets(one):
            self._set(one)
        elif one.op.removeprefix("torch.") in FUNCTIONS_OF_FUNCTIONS:
            self._bind_to(one, applied(self.calls, one, self.made))
        else:
            self._bind_to(one, self.calls.node(one))

    def _in_place(self, one: Node) -> None:
        """`x += value`, on a name of its own where it is not x that gets the value."""
        old, value = one.args
        name = one.target if isinstance(one.target, str) else one.id
        written = self.names.of(name) if name is not None else self.names.fresh("t")
        if not (isinstance(old, Ref) and old.text == name):
            self.made.append(_assign(written, self.calls.expression(old)))
        kind = _IN_PLACE[one.op]
        target = ast.Name(written, ast.Store())
        self.made.append(ast.AugAssign(target, kind(), self.calls.expression(value)))

    def _set(self, one: Node) -> None:
        """`x[i] = value`, `x.grad = value`; the node's own value is x."""
        value = self.calls.expression(one.args[2])
        target = self.calls.item(one, store=True)
        self.made.append(ast.Assign([target], value, lineno=0))
        if one.id is not None or one.target is not None:
            self._bind_to(one, self.calls.expression(one.args[0]))

    def bind(self, one: Bind) -> None:
        """`x = value`."""
        self._bind_to(one, self.calls.expression(one.value))

    def for_(self, one: For) -> None:
        """`for`."""
        over = self.calls.expression(one.over)
        self.made.append(ast.For(self._target(one.target), over, self._body(one.body), [], lineno=0))

    def while_(self, one: While) -> None:
        """`while`; where the test takes statements, they stand in the loop, and `break` behind them."""
        before, test = self._test(one)
        if not before:
            self.made.append(ast.While(test, self._body(one.body), []))
            return
        end = ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], [])
        self.made.append(ast.While(ast.Constant(True), [*before, end, *self.block(one.body)], []))

    def _test(self, one: While) -> tuple[list[ast.stmt], ast.expr]:
        """The statements ahead of the test, and the test."""
        outer, self.made, pending, self.pending = self.made, [], self.pending, {}
        for each in one.before:
            self._statement(each)
        self._settle([one.test], foldable=False)
        test = self.calls.expression(one.test)
        before, self.made, self.pending = self.made, outer, pending
        return before, test

    def if_(self, one: If) -> None:
        """`if`, or `assert` where all that it does is to fail."""
        test = self.calls.expression(one.test)
        if not one.then and one.orelse:
            orelse = self.block(one.orelse)
            if len(orelse) == 1 and isinstance(orelse[0], ast.Assert):
                self.made.append(ast.Assert(test, orelse[0].msg))
                return
            self.made.append(ast.If(ast.UnaryOp(ast.Not(), test), orelse, []))
            return
        self.made.append(ast.If(test, self._body(one.then), self.block(one.orelse)))

    def with_(self, one: With) -> None:
        """`with`."""
        context = call(f"torch.{one.of.removeprefix('torch.')}", [self.calls.expression(each) for each in one.args])
        target = None if one.target is None else self._target(one.target)
        self.made.append(ast.With([ast.withitem(context, target)], self._body(one.body), lineno=0))

    def def_(self, one: Def) -> None:
        """`def`."""
        arguments = self._arguments(one)
        body = self.block(one.body)
        if one.returns is not None:
            body.append(ast.Return(self.calls.expression(one.returns)))
        name = self.names.of(one.name)
        made: Any = ast.FunctionDef(name, arguments, body or [ast.Pass()], [], lineno=0)
        made.type_params = []
        self.made.append(made)

    def _arguments(self, one: Def) -> ast.arguments:
        defaults = [self._default(each) for each in one.params if each.default is not None]
        keyword_defaults = [None if each.default is None else self._default(each) for each in one.keyword_only]
        return ast.arguments(
            posonlyargs=[],
            args=[ast.arg(self.names.of(each.name)) for each in one.params],
            kwonlyargs=[ast.arg(self.names.of(each.name)) for each in one.keyword_only],
            kw_defaults=keyword_defaults,
            defaults=defaults,
        )

    def _default(self, one: Parameter) -> ast.expr:
        return self.calls.expression(one.default) if one.default is not None else ast.Constant(None)

    def return_(self, one: Return) -> None:
        """`return`."""
        self.made.append(ast.Return(self.calls.expression(one.value)))

    def delete(self, one: Del) -> None:
        """`del`."""
        self.made.append(ast.Delete([ast.Name(self.names.of(name), ast.Del()) for name in one.names]))

    def fail(self, one: Fail) -> None:
        """A failed `assert`."""
        self.made.append(ast.Assert(ast.Constant(False), self.calls.expression(one.value)))


_WRITE: dict[type, Callable[[_Shown, Any], None]] = {
    Node: _Shown.node,
    Bind: _Shown.bind,
    For: _Shown.for_,
    While: _Shown.while_,
    If: _Shown.if_,
    With: _Shown.with_,
    Def: _Shown.def_,
    Return: _Shown.return_,
    Break: lambda shown, one: shown.made.append(ast.Break()),
    Continue: lambda shown, one: shown.made.append(ast.Continue()),
    Del: _Shown.delete,
    Fail: _Shown.fail,
}


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)


def _sets(one: Node) -> bool:
    return one.op.removeprefix("operator.") in ("setitem", "setattr")


def _uses(graph: Graph) -> Counter[str]:
    """How often each name is read; what is returned is read once more, so that it stays a variable."""
    found: Counter[str] = Counter()
    for one in every([*graph.functions, *graph.nodes]):
        read: list[Expression | Callee] = operands(one)
        read += [one.test] if isinstance(one, While) else []
        read += [one.returns] if isinstance(one, Def) and one.returns is not None else []
        found.update(ref.text.split(".")[0] for ref in references(read) if isinstance(ref, Ref))
    found.update(2 * [output.ref.text.split(".")[0] for output in graph.returns or ()])
    return found
