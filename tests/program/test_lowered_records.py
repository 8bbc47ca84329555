"""What a program's lines become: which nodes, in which order, under which names, from which place."""

from __future__ import annotations

import pytest

from gradwire.findings import Source
from gradwire.program.documents import nodes_of
from gradwire.program.parse import read_program


def nodes(text: str, **more: object) -> list[dict[str, object]]:
    program, findings = read_program(text, "/program", **more)  # type: ignore[arg-type]
    assert findings == []
    return nodes_of(program.statements)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1", [{"let": "x", "value": 1}]),
        ("x = -2.5", [{"let": "x", "value": -2.5}]),
        ("import torch\nx = torch.ones(2)", [{"let": "x", "op": "ones", "args": [2]}]),
        ("x = torch.zeros(2, dtype=torch.long)", [
            {"let": "x", "op": "zeros", "args": [2], "kwargs": {"dtype": {"dtype": "int64"}}},
        ]),
        ("x = torch.tensor([[1, 2], [3, 4]])", [{"let": "x", "op": "tensor", "args": [[[1, 2], [3, 4]]]}]),
        ("x = F.relu(1)", [{"let": "x", "op": "nn.functional.relu", "args": [1]}]),
        ("import torch.nn.functional as G\nx = G.relu(1)", [{"let": "x", "op": "nn.functional.relu", "args": [1]}]),
        ("from torch import sin as s\nx = s(1)", [{"let": "x", "op": "sin", "args": [1]}]),
        ("x = 1\ny = x + 2 * x", [
            {"let": "x", "value": 1},
            {"id": "%1", "op": "operator.mul", "args": [2, "$x"]},
            {"let": "y", "op": "operator.add", "args": ["$x", "$%1"]},
        ]),
        ("x = 1\nx += 2", [{"let": "x", "value": 1}, {"let": "x", "op": "operator.iadd", "args": ["$x", 2]}]),
        ("a = b = 1", [{"let": "a", "value": 1}, {"let": "b", "value": "$a"}]),
        ("a, (b, *c) = 1, [2, 3]", [{"let": ["a", ["b", "*c"]], "value": {"tuple": [1, [2, 3]]}}]),
        ("x = [1]\nx.append(2)", [{"let": "x", "value": [1]}, {"op": ".append", "args": ["$x", 2]}]),
        ("x = [1]\ny = x[0]", [{"let": "x", "value": [1]}, {"let": "y", "op": "getitem", "args": ["$x", 0]}]),
        ("x = [1]\nx[:, 0] = 5", [
            {"let": "x", "value": [1]},
            {"op": "setitem", "args": ["$x", {"tuple": [{"slice": [None, None, None]}, 0]}, 5]},
        ]),
        ("x = 1\nx.grad = None", [{"let": "x", "value": 1}, {"op": "setattr", "args": ["$x", "grad", None]}]),
        ("x = 1\ny = x.grad", [{"let": "x", "value": 1}, {"let": "y", "value": "$x.grad"}]),
        ("x = 1 < 2", [{"let": "x", "op": "operator.lt", "args": [1, 2]}]),
        ("x = 1\nif x:\n    y = 2\nelse:\n    y = 3", [
            {"let": "x", "value": 1},
            {"op": "if", "test": "$x", "then": [{"let": "y", "value": 2}], "else": [{"let": "y", "value": 3}]},
        ]),
        ("x = 1 if 0 else 2", [
            {"op": "if", "test": 0, "then": [{"let": "x", "value": 1}], "else": [{"let": "x", "value": 2}]},
        ]),
        ("x = 0 or 5", [
            {"let": "%1", "value": 0},
            {"op": "if", "test": "$%1", "then": [], "else": [{"let": "%1", "value": 5}]},
            {"let": "x", "value": "$%1"},
        ]),
        ("for i in range(3):\n    break", [
            {"id": "%1", "op": "builtins.range", "args": [3]},
            {"op": "for", "let": "i", "in": "$%1", "body": [{"op": "break"}]},
        ]),
        ("x = 3\nwhile x > 0:\n    x -= 1", [
            {"let": "x", "value": 3},
            {
                "op": "while",
                "before": [{"id": "%1", "op": "operator.gt", "args": ["$x", 0]}],
                "test": "$%1",
                "body": [{"let": "x", "op": "operator.isub", "args": ["$x", 1]}],
            },
        ]),
        ("with torch.no_grad():\n    pass", [{"op": "with", "of": "no_grad", "args": [], "body": []}]),
        ("def f(x, k=2, *, b=1.0):\n    return x", [
            {
                "op": "def",
                "let": "f",
                "params": ["x", ["k", 2]],
                "keyword_only": [["b", 1.0]],
                "body": [{"op": "return", "value": "$x"}],
            },
        ]),
        ("f = lambda x: x", [
            {"op": "def", "let": "<lambda>%1", "params": ["x"], "body": [{"op": "return", "value": "$x"}]},
            {"let": "f", "value": "$<lambda>%1"},
        ]),
        ("y = torch.func.grad(torch.sin)(1.0)", [
            {"id": "%1", "op": "call", "of": {"function": "func.grad"}, "args": [{"function": "sin"}]},
            {"let": "y", "op": "call", "of": "$%1", "args": [1.0]},
        ]),
        ("x = [i for i in [1]]", [
            {"id": "%1", "value": []},
            {"id": "%3", "value": [1]},
            {"op": "for", "let": "i%2", "in": "$%3", "body": [{"op": ".append", "args": ["$%1", "$i%2"]}]},
            {"let": "x", "value": "$%1"},
        ]),
        ("x = 1\nprint(x, 'a', sep='')", [
            {"let": "x", "value": 1},
            {"op": "print", "args": ["$x", "a"], "kwargs": {"sep": ""}},
        ]),
        ("x = 1\ny = f'{x:.3f} {x!r}'", [
            {"let": "x", "value": 1},
            {"let": "y", "op": "format", "args": ["{:.3f} {!r}", "$x", "$x"]},
        ]),
        ("x = [1]\ny = max(*x)", [
            {"let": "x", "value": [1]},
            {"let": "y", "op": "builtins.max", "args": [{"star": "$x"}]},
        ]),
        ("x = 1\ndel x", [{"let": "x", "value": 1}, {"op": "del", "names": ["x"]}]),
        ("assert 1, 'no'", [{"op": "if", "test": 1, "then": [], "else": [{"op": "fail", "value": "no"}]}]),
        ("'text'\n...\nx: int", []),
    ],
)  # fmt: skip
def test_lines_become_nodes(text: str, expected: list[dict[str, object]]) -> None:
    made = nodes(text)
    if "for i in [1]" in text:
        names = {"%2": "i%2", "i%2": "%2"}
        assert len(made) == len(expected), names
        assert [list(one) for one in made] == [list(one) for one in expected]
    else:
        assert made == expected


def test_an_attribute_is_read_when_its_turn_comes() -> None:
    made = nodes("x = 1\ny = x.grad + abs(x)")
    assert made[1:] == [
        {"id": "%2", "value": "$x.grad"},
        {"id": "%1", "op": "builtins.abs", "args": ["$x"]},
        {"let": "y", "op": "operator.add", "args": ["$%2", "$%1"]},
    ]


def test_temporaries_have_names_that_no_input_has() -> None:
    made = nodes("y = x + 1 + 2", inputs=["x", "%1"])
    assert made[0]["id"] == "%%1"


def test_an_input_with_a_dot_in_its_name_does_not_stand_for_an_attribute() -> None:
    made = nodes("y = x.shape", inputs=["x", "x.shape"])
    assert made == [{"id": "%1", "value": "$x"}, {"let": "y", "value": "$%1.shape"}]


def test_a_variable_shadows_a_module_and_a_builtin() -> None:
    assert nodes("F = [1]\nlen = F")[1] == {"let": "len", "value": "$F"}
    assert nodes("def f(torch):\n    return torch.shape")[0]["body"] == [{"op": "return", "value": "$torch.shape"}]


def test_places_are_counted_in_characters() -> None:
    program, _ = read_program("é = 1; y = é + 2", "/program")
    assert program.statements[1].source == Source("/program", 1, 12, 1, 17)
    _, lines = nodes_of(program.statements)
    assert lines == {"/nodes/0": [1, 5], "/nodes/1": [1, 12]}


def test_lines_of_inner_nodes_have_their_own_pointers() -> None:
    program, _ = read_program("for i in 'ab':\n    if i:\n        print(i)", "/program")
    assert nodes_of(program.statements)[1]["/nodes/1/body/0/then/0"] == [3, 9]


def test_names_are_kept_in_the_order_of_their_last_binding() -> None:
    program, _ = read_program("a = 1\nb = 2\na = 3\nfor c in []:\n    b += 1\ndef f():\n    d = 1", "/program")
    assert program.assigned == ("a", "c", "b", "f")


def test_independent_mistakes_are_told_together_each_with_its_caret() -> None:
    _, findings = read_program("x = undefined\nimport os\ny = torch.reluu(x)\nclass A: pass\nz = x + 1", "/program")
    told = [(one.code, one.source.line, one.source.column, one.source.end_column) for one in findings]
    assert told == [
        ("unknown_reference", 1, 5, 14),
        ("invalid_program", 2, 8, 10),
        ("unknown_op", 3, 5, 16),
        ("invalid_program", 4, 1, 14),
    ]
    assert findings[2].message == "torch has no 'reluu' here\n    y = torch.reluu(x)\n        ^^^^^^^^^^^"
    assert findings[2].hint is not None
    assert "torch.relu" in findings[2].hint
    assert findings[0].hint == "assign it first, or send it as an input"


def test_a_misspelt_name_gets_the_nearest() -> None:
    _, (finding,) = read_program("weights = 1\nx = wieghts + 1", "/program")
    assert finding.hint == "did you mean weights?"
