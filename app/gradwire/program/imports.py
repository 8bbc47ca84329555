"""Imports: what they may name, and the meaning that they give to names. Nothing is ever imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from gradwire.program import names, refused
from gradwire.program.lowering import Lowering
from gradwire.program.meanings import hint_of, value_of

_HINT = "torch, numpy, math and functools.partial can be imported, and modules of torch such as torch.nn.functional"


def aliases_in(body: Sequence[ast.stmt]) -> dict[str, str]:
    """The names that the imports in `body` bind, with what they stand for; blocks are looked into, functions not."""
    found: dict[str, str] = {}
    pending: list[ast.AST] = list(reversed(body))
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(_bound(node))
        elif isinstance(node, (ast.If, ast.For, ast.While, ast.With)):
            pending += reversed([*node.body, *getattr(node, "orelse", [])])
    return found


def _bound(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif alias.asname:
            yield alias.asname, alias.name
        else:
            root = alias.name.partition(".")[0]
            yield root, root


def check_import(low: Lowering, node: ast.Import | ast.ImportFrom) -> None:
    """Report what an import names and a program cannot have."""
    if isinstance(node, ast.ImportFrom) and node.level:
        raise low.refuse("there are no packages to import from", node, _HINT)
    for alias in node.names:
        if isinstance(node, ast.Import):
            if not isinstance(names.find(alias.name), names.Module):
                message, hint = f"{alias.name[:128]} cannot be imported", _hint(alias.name)
                low.report("invalid_program", message, low.source(alias), hint=hint)
        else:
            _check_member(low, node, alias)


def _hint(module: str) -> str:
    return hint_of(module) or refused.import_hint(module) or _HINT


def _check_member(low: Lowering, node: ast.ImportFrom, alias: ast.alias) -> None:
    module = node.module or ""
    if not isinstance(names.find(module), names.Module):
        raise low.refuse(f"{module[:128]} cannot be imported", node, _hint(module))
    if alias.name == "*":
        raise low.refuse("names are imported one by one", alias, f"write from {module} import …")
    if alias.name.startswith("_"):
        raise low.refuse(f"'{alias.name[:64]}' begins with an underscore", alias, "import what is public")
    meaning = names.find(f"{module}.{alias.name}")
    if meaning is None or isinstance(meaning, names.Left):
        value_of(low, f"{module}.{alias.name}", alias)
