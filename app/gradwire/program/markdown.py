"""What a program may hold, as tables: written from the allow-lists, each example compiled to what the table says."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from gradwire.engine import references
from gradwire.engine.blocks import CONTEXTS
from gradwire.engine.language import budget
from gradwire.engine.language import names as language
from gradwire.engine.language.members import METHODS
from gradwire.engine.special import ASSIGNABLE
from gradwire.findings import Finding
from gradwire.program import names, operators, syntax
from gradwire.program.constructs import BEYOND, INPUTS, LOWERED
from gradwire.program.documents import nodes_of
from gradwire.program.parse import EXPRESSIONS, STATEMENTS, read_program
from gradwire.program.refused import BUILTINS, REFUSED

BEGIN = "<!-- From here on written by `make docs`; do not edit. -->"
END = "<!-- Written by `make docs` up to here. -->"
_PYTHON = ".".join(map(str, sys.version_info[:2]))


def placed(page: str) -> str:
    """`page` with the tables between its two marker lines. Raises ValueError where it lacks them."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the two lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{tables()}\n{END}{tail}"


def tables() -> str:
    """All tables, with their headings."""
    parts = (
        ("Statements", _lowered(STATEMENTS)),
        ("Expressions", _lowered(EXPRESSIONS)),
        ("Operators", _operators()),
        ("Names", _names()),
        ("Limits", _limits()),
        ("What is refused", _refused()),
    )
    versions = f"PyTorch {torch.__version__.partition('+')[0]}, NumPy {np.__version__} and Python {_PYTHON}"
    return f"As of {versions}.\n\n" + "\n".join(f"### {title}\n\n{text}" for title, text in parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(text: str) -> str:
    """A code span for a cell; each line is one of its own."""
    return "<br>".join(f"`{line}`" for line in text.replace("|", r"\|").splitlines())


def _lowered(kinds: Mapping[type[ast.AST], Any]) -> str:
    """A row for each class of syntax that is lowered, with an example and the nodes that this becomes."""
    here = {kind.__name__ for kind in kinds}
    rows = [
        (what, _code(example), ", ".join(map(_code, nodes(example))) or "no node")
        for name, (what, example) in LOWERED.items()
        if name in here
    ]
    return _table(("What", "For example", "Becomes"), rows)


def nodes(example: str) -> list[str]:
    """What `example` compiles to: the ops of its nodes in order, each once; `let` for a name that is only bound."""
    program, findings = read_program(example, "/program", inputs=INPUTS)
    if findings:
        raise ValueError(f"{example!r}: {findings[0].message}")
    return list(dict.fromkeys(_ops(nodes_of(program.statements)[0])))


def _ops(documents: Iterable[dict[str, Any]]) -> Iterator[str]:
    for one in documents:
        yield from _ops(one.get("before", ()))
        yield one.get("op", "let")
        for part in ("body", "then", "else"):
            yield from _ops(one.get(part, ()))


def _operators() -> str:
    """Each operator with its node, and with that of its augmented form."""
    a, b = ast.Name("a"), ast.Name("b")
    rows = []
    for kind in operators.BINARY:
        plain = ast.unparse(ast.BinOp(left=a, op=kind(), right=b))
        augmented = ast.unparse(ast.AugAssign(target=a, op=kind(), value=b))
        rows.append(tuple(map(_code, (plain, *nodes(plain), augmented, *nodes(augmented)))))
    others: list[ast.expr] = [ast.UnaryOp(op=kind(), operand=a) for kind in operators.UNARY]
    others += [ast.Compare(left=a, ops=[kind()], comparators=[b]) for kind in operators.COMPARE]
    for one in others:
        text = ast.unparse(one)
        rows.append((_code(text), ", ".join(map(_code, nodes(text))), "", ""))
    return _table(("Operator", "Node", "In place", "Node"), rows)


def _names() -> str:
    """Where each name comes from."""
    math_names = [name for name in language.names() if name.startswith("math.")]
    numbers = [f"math.{name}" for name, value in vars(math).items() if isinstance(value, float)]
    known = [name if full == name else f"{name} ({full})" for name, full in names.ALWAYS.items()]
    rows = [
        ("without an import", _listed(known)),
        ("builtins", _listed(sorted(names.BUILTINS | {"format"}))),
        ("modules to import, or to import from", _listed(sorted(names.modules()))),
        ("`math`", _listed(sorted(name.removeprefix("math.") for name in (*math_names, *numbers)))),
        ("`functools`", "`partial`"),
        ("behind `with`", _listed(f"torch.{name}" for name in CONTEXTS)),
        ("attributes of tensors", _listed(sorted(references.TENSOR_ATTRIBUTES))),
        ("attributes of arrays", _listed(sorted(references.ARRAY_ATTRIBUTES))),
        ("attributes that can be assigned", _listed(ASSIGNABLE)),
        ("methods of tensors and arrays", "[ops.md](ops.md), under `Tensor` and `numpy.ndarray`"),
        *((f"methods of `{_kind(kind)}`", _listed(sorted(methods))) for kind, methods in METHODS),
    ]
    return _table(("Where", "What"), rows)


def _kind(kind: type) -> str:
    """The name of a type as a program would write it."""
    module = kind.__module__.replace("torch._C", "torch").replace("random._generator", "random")
    return f"{module}.{kind.__qualname__}".removeprefix("builtins.")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(_code, words))


def _limits() -> str:
    rows = [
        ("text", f"{syntax.MAX_TEXT_BYTES // 1024} KiB"),
        ("nested syntax", f"{syntax.MAX_DEPTH} deep"),
        ("nodes run and turns of loops", f"{budget.MAX_STEPS:,} (the server's setting GRADWIRE_MAX_STEPS)"),
        ("calls in calls", f"{budget.MAX_CALL_DEPTH} deep"),
        ("an integer", f"{budget.MAX_INT_BITS:,} bits"),
        ("a string, a list, the arguments of a star", f"{budget.MAX_ITEMS:,} items"),
        ("values in values", f"{budget.MAX_VALUE_DEPTH} deep"),
        ("a value, with all in it, that is printed, compared or returned", f"{budget.MAX_ITEMS:,} parts"),
        ("widths and precisions of formats", str(budget.MAX_FORMAT_WIDTH)),
        ("printed text", f"{budget.MAX_PRINTED_CHARACTERS:,} characters, {budget.MAX_PRINTED_ENTRIES:,} calls"),
    ]
    return _table(("What", "At most"), rows)


def _refused() -> str:
    """Syntax, forms of what is otherwise understood, and builtins: each with what to write instead."""
    rows = sorted(set(REFUSED.values()))
    further = [(_code(text), _instead(finding(text))) for text in BEYOND]
    by_hint: dict[str, list[str]] = {}
    for name, hint in BUILTINS.items():
        by_hint.setdefault(hint, []).append(name)
    functions = [(_listed(found), hint) for hint, found in by_hint.items()]
    return _table(("Not here", "Instead"), [*rows, *further, *functions])


def finding(text: str) -> Finding:
    """The first thing that is wrong with `text`. Raises ValueError where nothing is."""
    _, findings = read_program(text, "/program", inputs=INPUTS)
    if not findings:
        raise ValueError(f"nothing is wrong with {text!r}")
    return findings[0]


def _instead(wrong: Finding) -> str:
    message = wrong.message.partition("\n")[0].replace("__", r"\_\_")  # two of them are bold type
    return f"{message}: {wrong.hint}" if wrong.hint else message
