"""Going through statements: those inside of them, and the names that they bind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gradwire.engine.graph import Def, Del, For, If, Node, Statement, Target, While, With


def bodies(node: Statement) -> list[Sequence[Statement]]:
    """The lists of statements inside a statement, those of functions included."""
    if isinstance(node, (For, With, Def)):
        return [node.body]
    if isinstance(node, While):
        return [node.before, node.body]
    return [node.then, node.orelse] if isinstance(node, If) else []


def every(statements: Iterable[Statement]) -> Iterator[Statement]:
    """All statements, inner ones and those of functions too."""
    for node in statements:
        yield node
        for inner in bodies(node):
            yield from every(inner)


def of_scope(statements: Iterable[Statement]) -> Iterator[Statement]:
    """All statements of one scope: inner ones too, but not those of functions."""
    for node in statements:
        yield node
        for inner in () if isinstance(node, Def) else bodies(node):
            yield from of_scope(inner)


def names_of(target: Target | None) -> Iterator[str]:
    """The names that a target binds."""
    if isinstance(target, str):
        yield target.removeprefix("*")
    elif target is not None:
        for one in target:
            yield from names_of(one)


def bound_by(node: Statement) -> Iterator[str]:
    """The names that a statement itself binds in the scope where it stands."""
    if node.id is not None:
        yield node.id
    if isinstance(node, Def):
        yield node.name
    else:
        yield from names_of(getattr(node, "target", None))


def bound_names(statements: Iterable[Statement]) -> Iterator[str]:
    """Every name that `statements` bind, in blocks too, but not inside functions."""
    for node in of_scope(statements):
        yield from bound_by(node)


def deleted_names(statements: Iterable[Statement]) -> Iterator[str]:
    """Every name that a `del` among `statements` takes away."""
    for node in of_scope(statements):
        if isinstance(node, Del):
            yield from node.names


def has_blocks(statements: Iterable[Statement]) -> bool:
    """Whether names may be bound other than once and in order."""
    return any(not isinstance(node, Node) or node.target is not None for node in statements)
