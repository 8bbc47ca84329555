"""Which names a module or function binds, and what a name means where it is read: Python's rules, known by reading."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gradwire.program import names

_OWN_SCOPE = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


@dataclass(slots=True)
class Scope:
    """The names of the module (no `parent`) or of one function.

    `bound` are those that it binds, the one bound last at the end; `aliases` those that an import gives a meaning.
    `renamed` holds the targets of the comprehensions around, the innermost last, with the names that they have in the
    records. `outside` are the graph's inputs and functions.
    """

    bound: dict[str, None] = field(default_factory=dict)
    parent: Scope | None = None
    outside: Collection[str] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    renamed: list[dict[str, str]] = field(default_factory=list)

    @property
    def outermost(self) -> Scope:
        """The module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def variable(self, name: str) -> str | None:
        """What a variable is called in the records; None where `name` is none."""
        scope: Scope | None = self
        while scope is not None:
            for renamed in reversed(scope.renamed):
                if name in renamed:
                    return renamed[name]
            if name in scope.bound:
                return name
            if name in scope.aliases:
                return None
            if scope.parent is None and name in scope.outside:
                return name
            scope = scope.parent
        return None

    def alias(self, name: str) -> str | None:
        """The full name of the module or function that `name` stands for, where it is no variable."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.aliases:
                return scope.aliases[name]
            scope = scope.parent
        return names.ALWAYS.get(name)

    def known(self) -> list[str]:
        """Every name that can be read here."""
        found: dict[str, None] = {}
        scope: Scope | None = self
        while scope is not None:
            parts: list[Iterable[str]] = [*scope.renamed, scope.bound, scope.aliases, scope.outside]
            found.update(dict.fromkeys(itertools.chain.from_iterable(parts)))
            scope = scope.parent
        return [*found, *names.ALWAYS, *names.BUILTINS]


def bound_names(body: Sequence[ast.stmt]) -> dict[str, None]:
    """The names that `body` binds, in the order in which their last binding stands in the text."""
    found: dict[str, None] = {}
    for name in _bindings(body):
        found.pop(name, None)
        found[name] = None
    return found


def _bindings(body: Sequence[ast.stmt]) -> Iterator[str]:
    """In the text's order, without recursion; what has a scope of its own binds nothing here but its name."""
    pending: list[ast.AST] = list(reversed(body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif not isinstance(node, _OWN_SCOPE):
            pending += reversed(list(_parts(node)))


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that may bind names: statements, targets and what holds them; expressions bind none."""
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.Delete)):
        yield from getattr(node, "targets", None) or [node.target]  # type: ignore[union-attr]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        yield from (item.optional_vars for item in node.items if item.optional_vars)
    elif isinstance(node, (ast.Tuple, ast.List)):
        yield from node.elts
    elif isinstance(node, ast.Starred):
        yield node.value
    for block in ("body", "orelse", "handlers", "finalbody"):
        yield from getattr(node, block, None) or [] if isinstance(node, (ast.stmt, ast.ExceptHandler)) else ()


def bound_in(target: ast.expr) -> list[str]:
    """The names in a target."""
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """Every parameter of a function, in order."""
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
