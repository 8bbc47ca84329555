"""The state of a compilation, and how syntax becomes records: statements in order, values in temporaries.

Expressions are flattened: each call is a node of its own whose value has an `id` that no Python identifier can be.
That is exact because no expression rebinds a name: there is no `:=`, no `global` and no `nonlocal` here.
The functions for each class of syntax stand in the other modules and enter themselves in EXPRESSIONS and STATEMENTS,
which together are the allow-list.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from gradwire.engine.graph import (
    Bind,
    Callee,
    Collection,
    Dictionary,
    Expression,
    Literal,
    Node,
    Ref,
    SliceOf,
    Star,
    Statement,
    Target,
)
from gradwire.findings import Finding, Refusal, Source
from gradwire.program.places import Places
from gradwire.program.refused import description
from gradwire.program.scopes import Scope

MOST_FINDINGS: Final = 50

LowersExpression: TypeAlias = Callable[["Lowering", Any], Expression]
LowersStatement: TypeAlias = Callable[["Lowering", Any], None]
EXPRESSIONS: dict[type[ast.AST], LowersExpression] = {}
STATEMENTS: dict[type[ast.AST], LowersStatement] = {}
_E = TypeVar("_E", bound=LowersExpression)
_S = TypeVar("_S", bound=LowersStatement)


def expression(*kinds: type[ast.AST]) -> Callable[[_E], _E]:
    """Keep a function as what lowers expressions of these classes."""

    def keep(function: _E) -> _E:
        EXPRESSIONS.update(dict.fromkeys(kinds, function))
        return function

    return keep


def statement(*kinds: type[ast.AST]) -> Callable[[_S], _S]:
    """Keep a function as what lowers statements of these classes."""

    def keep(function: _S) -> _S:
        STATEMENTS.update(dict.fromkeys(kinds, function))
        return function

    return keep


class TooMany(Exception):
    """There are more findings than anyone reads."""


class Lowering:
    """One compilation.

    `block` is the list of statements being filled, `loops` the flags of the loops around. `reported` are the unknown
    names that a finding tells of already, `suggestions` counts those for which the nearest names were looked up.
    """

    def __init__(self, places: Places, scope: Scope) -> None:
        self.places = places
        self.scope = scope
        self.findings: list[Finding] = []
        self.block: list[Statement] = []
        self.loops: list[str | None] = []
        self.reported: set[str] = set()
        self.suggestions = 0
        self.mark = _unused_mark(scope)
        self._count = 0

    # What is wrong, and where

    def source(self, node: ast.AST) -> Source:
        """The place of `node`."""
        return self.places.source(node)

    def report(self, code: str, message: str, source: Source, **more: Any) -> None:
        """Note what is wrong and go on. Raises TooMany where it is enough."""
        self.findings.append(self.places.finding(code, message, source, **more))
        if len(self.findings) >= MOST_FINDINGS:
            raise TooMany

    def refuse(self, message: str, node: ast.AST, hint: str | None, code: str = "invalid_program") -> Refusal:
        """The refusal of the statement that holds `node`, to be raised."""
        return Refusal([self.places.finding(code, message, self.source(node), hint=hint)])

    def unsupported(self, node: ast.AST) -> Refusal:
        """The refusal of a class of syntax that is not lowered."""
        what, hint = description(node)
        return self.refuse(f"{what} is not understood here", node, hint)

    # Statements

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """Lower `statements` into the block; what is wrong with one leaves the others as they are."""
        for one in statements:
            lower = STATEMENTS.get(type(one))
            try:
                if lower is None:
                    raise self.unsupported(one)
                lower(self, one)
            except Refusal as refusal:
                self.findings += refusal.findings
                if len(self.findings) >= MOST_FINDINGS:
                    raise TooMany from None

    @contextlib.contextmanager
    def inside(self) -> Iterator[list[Statement]]:
        """A block of its own, filled while the context lasts."""
        outer, self.block = self.block, []
        try:
            yield self.block
        finally:
            _number(self.block)
            self.block = outer

    def emit(self, made: Statement) -> None:
        """Add a statement to the block."""
        self.block.append(made)

    def finished(self) -> list[Statement]:
        """The outermost block, each statement with its place in it."""
        _number(self.block)
        return self.block

    # Values

    def fresh(self, name: str = "") -> str:
        """A name that nothing has; `name` says what it stands for."""
        self._count += 1
        return f"{name}{self.mark}{self._count}"

    def node(
        self,
        op: str,
        args: Sequence[Expression],
        source: Source,
        kwargs: Mapping[str, Expression] | None = None,
        of: Callee | None = None,
    ) -> Ref:
        """Add a node; its value is in a temporary."""
        name = self.fresh()
        self.emit(Node(0, op, tuple(args), kwargs or {}, source, name, of=of))
        return Ref(name, source)

    def act(self, op: str, args: Sequence[Expression], source: Source) -> None:
        """Add a node for what it does: its value has no name."""
        self.emit(Node(0, op, tuple(args), {}, source))

    def bind(self, value: Expression, source: Source) -> Ref:
        """Keep `value` in a temporary."""
        name = self.fresh()
        self.emit(Bind(index=0, source=source, value=value, id=name))
        return Ref(name, source)

    def let(self, target: Target, value: Expression, source: Source) -> None:
        """Bind a variable, or several to unpack; a node that was just made for it gives its value right there."""
        last = self.block[-1] if self.block else None
        if isinstance(last, (Node, Bind)) and isinstance(value, Ref) and last.id == value.text:
            last.id, last.target = None, target
        else:
            self.emit(Bind(index=0, source=source, value=value, target=target))

    def expression(self, node: ast.expr) -> Expression:
        """The expression that `node` becomes, after the statements that it needs. Raises Refusal."""
        lower = EXPRESSIONS.get(type(node))
        if lower is None:
            raise self.unsupported(node)
        return lower(self, node)

    def reference(self, node: ast.expr) -> Ref:
        """The value of `node` as a reference."""
        value = self.expression(node)
        return value if isinstance(value, Ref) else self.bind(value, self.source(node))

    def operand(self, node: ast.expr) -> Expression:
        """The value of `node` for a function of Python's, which takes texts, lists, tuples and dicts as they are."""
        return self.plain(self.expression(node), node)

    def plain(self, value: Expression, node: ast.AST) -> Expression:
        """`value`, in a temporary where it is a text, a list, a tuple or a dict written out."""
        written = isinstance(value, Literal) and isinstance(value.value, str)
        if written or isinstance(value, (Collection, Dictionary)):
            return self.bind(value, self.source(node))
        return value

    def in_order(self, parts: Sequence[Callable[[], Expression]]) -> list[Expression]:
        """The values of `parts`, each as it is when its turn comes: from left to right, as in Python."""
        values: list[Expression] = []
        marks: list[int] = []
        for part in parts:
            values.append(part())
            marks.append(len(self.block))
        made = {
            place: self._kept(values[place])
            for place, mark in enumerate(marks)
            if mark < len(self.block) and _may_change(values[place])
        }
        if made:
            self._insert([(marks[place], one) for place, one in made.items()])
            for place, one in made.items():
                kept = Ref(one.id or "", one.source)
                values[place] = Star(kept, one.source) if isinstance(values[place], Star) else kept
        return values

    def _kept(self, value: Expression) -> Node | Bind:
        """What keeps `value` in a temporary."""
        if isinstance(value, Star):
            return Node(0, "builtins.tuple", (value.value,), {}, value.source, self.fresh())
        return Bind(index=0, source=value.source, value=value, id=self.fresh())

    def _insert(self, made: Sequence[tuple[int, Statement]]) -> None:
        """Add statements ahead of the places in the block that stand beside them, in order."""
        start = made[0][0]
        later: list[Statement] = []
        for place, (mark, one) in enumerate(made):
            end = made[place + 1][0] if place + 1 < len(made) else len(self.block)
            later += [one, *self.block[mark:end]]
        self.block[start:] = later

    def expressions(self, nodes: Sequence[ast.expr]) -> list[Expression]:
        """The values of `nodes`, evaluated from left to right."""
        return self.in_order([_later(self.expression, node) for node in nodes])

    def operands(self, nodes: Sequence[ast.expr]) -> list[Expression]:
        """The values of `nodes` for a function of Python's, evaluated from left to right."""
        return self.in_order([_later(self.operand, node) for node in nodes])


def _later(lower: Callable[[ast.expr], Expression], node: ast.expr) -> Callable[[], Expression]:
    return lambda: lower(node)


def _unused_mark(scope: Scope) -> str:
    """What marks the names of temporaries: no Python identifier holds it, and no input's name does."""
    mark = "%"
    while any(mark in name for name in scope.outside):
        mark += "%"
    return mark


def _number(block: Sequence[Statement]) -> None:
    for index, one in enumerate(block):
        one.index = index


def _may_change(value: Expression) -> bool:
    """Whether running statements may change what `value` gives: attributes and the items of a star."""
    if isinstance(value, Ref):
        return "." in value.text
    if isinstance(value, Collection):
        return any(map(_may_change, value.items))
    if isinstance(value, Dictionary):
        return any(map(_may_change, value.items.values()))
    if isinstance(value, SliceOf):
        return any(map(_may_change, (value.start, value.stop, value.step)))
    return isinstance(value, Star)
