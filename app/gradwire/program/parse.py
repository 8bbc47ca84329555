"""Program text to graph records: read, checked against an allow-list of syntax, and lowered; never run as Python."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from gradwire.engine.graph import Statement
from gradwire.findings import Finding, Refusal

# Each of these enters what it lowers into the tables of `lowering`.
from gradwire.program import assignments, calls, comprehensions, formats, operators, statements, values
from gradwire.program.imports import aliases_in
from gradwire.program.lowering import EXPRESSIONS, STATEMENTS, Lowering, TooMany
from gradwire.program.scopes import Scope, bound_names
from gradwire.program.syntax import MAX_DEPTH, parse

__all__ = ["EXPRESSIONS", "STATEMENTS", "Program", "read_program"]

_LOWERING = (assignments, calls, comprehensions, formats, operators, statements, values)


@dataclass(slots=True)
class Program:
    """A program as records. Every statement and expression has a source with line and column.

    `assigned` are the names that the module's own statements bind, in the order in which their last binding stands in
    the text: where a request says no `returns`, the last of them that has a kind is the output.
    """

    text: str
    statements: list[Statement] = field(default_factory=list)
    assigned: tuple[str, ...] = ()


def read_program(
    text: str, pointer: str, *, inputs: Collection[str] = (), functions: Collection[str] = ()
) -> tuple[Program, list[Finding]]:
    """The records of `text`, and everything that is wrong with it.

    `pointer` is where the text stands in the request; `inputs` and `functions` are the graph's names that it may read.
    Findings are `invalid_program`, `unknown_op`, `excluded_op`, `unknown_reference` or `limit_exceeded`, each with its
    line and columns, and a message that ends in the source line with a caret. With any of them the records are not
    to be run.
    """
    with _uncollected():
        return _read(text, pointer, frozenset((*inputs, *functions)))


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: a tree of many small parts is made, all of them kept, which it goes through often.

    It takes half of the time of a long program.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(text: str, pointer: str, outside: frozenset[str]) -> tuple[Program, list[Finding]]:
    try:
        tree, places = parse(text, pointer)
    except Refusal as refusal:
        return Program(""), refusal.findings
    bound = bound_names(tree.body)
    scope = Scope(bound, outside=outside, aliases=aliases_in(tree.body))
    low = Lowering(places, scope)
    try:
        low.body(tree.body)
    except TooMany:
        pass
    except RecursionError:
        low.findings.append(_too_deep(low))
    return Program(text, low.finished(), tuple(bound)), low.findings


def _too_deep(low: Lowering) -> Finding:
    message = f"the syntax nests more than {MAX_DEPTH} deep"
    return low.places.finding("limit_exceeded", message, low.places.at(1, 1, None, None), expected=MAX_DEPTH)
