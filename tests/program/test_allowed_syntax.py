"""Every class of Python's syntax tree is either lowered or refused with something to write instead."""

from __future__ import annotations

import ast

import pytest

from gradwire.program import assignments, operators
from gradwire.program.parse import EXPRESSIONS, STATEMENTS
from gradwire.program.refused import REFUSED

# What stands inside a statement or expression and is read where that is lowered, by the function named here.
INSIDE = {
    "Module": "read_program",
    "alias": "import_",
    "arg": "_parameters",
    "arguments": "_parameters",
    "comprehension": "_loops",
    "keyword": "arguments",
    "withitem": "_entered",
    "Load": "name",
    "Store": "store",
    "Del": "delete",
    "And": "boolean",
    "Or": "boolean",
}
OPERATORS = {kind.__name__ for kind in (*operators.BINARY, *operators.UNARY, *operators.COMPARE)}
# Of ast.parse's other modes, which nothing here asks for, and classes that are only bases of others.
NEVER_MADE = {"Expression", "Interactive", "FunctionType", "TypeIgnore"}
BASES = {
    "AST", "mod", "stmt", "expr", "expr_context", "boolop", "operator", "unaryop", "cmpop", "excepthandler", "pattern",
    "type_ignore", "type_param", "slice",
}  # fmt: skip
# Names that older versions of Python had for what others are now.
OLD = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Index", "ExtSlice", "AugLoad", "AugStore", "Param", "Suite"}

LOWERED = {kind.__name__ for kind in (*EXPRESSIONS, *STATEMENTS)}
CLASSES = sorted(
    name
    for name, value in vars(ast).items()
    if isinstance(value, type) and issubclass(value, ast.AST) and name not in BASES | NEVER_MADE | OLD
)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_lowered_or_refused(name: str) -> None:
    places = [name in LOWERED, name in REFUSED, name in INSIDE, name in OPERATORS]
    assert places.count(True) == 1


def test_the_tables_name_nothing_twice() -> None:
    assert not LOWERED & set(REFUSED)
    assert all(what and hint for what, hint in REFUSED.values())
    assert set(operators.IN_PLACE) == set(operators.BINARY) == set(ast.operator.__subclasses__())
    assert assignments.ASSIGNABLE == ("grad", "requires_grad")
