"""Index text and typed indices mean what Python's square brackets mean."""

import numpy as np
import pytest
import torch

from gradwire.engine import indexing
from gradwire.engine.compile import compile_expression
from gradwire.engine.graph import Collection, Literal, Numbers, Ref
from gradwire.engine.scope import Scope
from gradwire.findings import Refusal, Source

X = torch.arange(60).reshape(3, 4, 5)
HERE = Source("/nodes/0/args/1")


def value_of(expression):
    scope = Scope()
    frame = [*[None] * scope.bind("i"), 2, None]
    frame[scope.bind("x")] = X
    findings = []
    value = compile_expression(expression, scope, findings)(frame)
    assert findings == []
    return value


@pytest.mark.parametrize(
    "text",
    [
        "0", "-1", ":", "...", "None", "True", "False", ":, 1", "1, :", "::2", "1::2", ":2", "1:3", "-2:", ":-1",
        "1:3:2", "..., 0", "0, ..., 1", "None, 0", "newaxis, ..., None", "[0, 2]", "[0, 2], [1, 3]", "[[0, 1], [2, 0]]",
        ":, [0]", "0,", "0, 1, 2", " 1 , : ", "[True, False, True]", ":, ::2, -1", "[0, 2],", "...,None", "[-1]", "2:0",
        "0:0",
    ],
)  # fmt: skip
def test_text_selects_what_python_selects(text):
    expected = eval(f"X[{text}]", {"X": X, "newaxis": np.newaxis})  # noqa: S307 the test's own text
    assert torch.equal(X[value_of(indexing.parse(text, {"i", "x"}, HERE))], expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$i", 2), ("$i, 1", (2, 1)), (":, $i", (slice(None), 2)), ("$i:", slice(2, None)), ("[$i, 0]", [2, 0]),
     ("$x.shape.0:", slice(3, None)), ("0:$i:1", slice(0, 2, 1))],
)  # fmt: skip
def test_references_stand_for_their_values(text, expected):
    assert value_of(indexing.parse(text, {"i", "x"}, HERE)) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 2", "1,,2", ",", "a", "1.5", "(1, 2)", "[1", "1]", "[1:2]", "1:2:3:4", "x[0]", "__import__('os')",
     "[,]", "1;2", "'a'", "-", "1e3", "0x1", "lambda: 0", "[[1]", "true", "$"],
)  # fmt: skip
def test_other_text_is_refused_at_the_argument(text):
    with pytest.raises(Refusal) as caught:
        indexing.parse(text, {"i"}, HERE)
    (finding,) = caught.value.findings
    assert (finding.code, finding.source) == ("invalid_argument", HERE)


def test_long_text_is_refused():
    with pytest.raises(Refusal, match="1024"):
        indexing.parse("0," * 600, set(), HERE)


def test_the_outermost_list_of_a_typed_index_is_the_tuple():
    flat = Numbers((2,), lambda: [2, 3], lambda: torch.tensor([2, 3]), HERE)
    nested = Numbers((1, 2), lambda: [[2, 3]], lambda: torch.tensor([[2, 3]]), HERE)
    mixed = Collection("list", (Ref("i", HERE), Literal(..., HERE)), HERE)
    assert value_of(indexing.typed(flat)) == (2, 3)
    assert value_of(indexing.typed(nested)) == ([2, 3],)
    assert value_of(indexing.typed(mixed)) == (2, ...)
