"""Row 11 of the tutorial: every form of indexing, typed and as Python's own text, read and assigned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import document, same_tensor

X = torch.arange(60, dtype=torch.float32).view(3, 4, 5)
MASK = torch.arange(12).view(3, 4) % 3 == 0
INDEX = torch.tensor([[2, 0], [1, 1]])
ROWS, COLUMNS = torch.tensor([0, 2]), torch.tensor([3, -1])
INPUTS: dict[str, Any] = {
    "x": document(X),
    "mask": document(MASK),
    "index": document(INDEX),
    "i": document(ROWS),
    "j": document(COLUMNS),
    "n": 1,
}
ELLIPSIS = {"ellipsis": True}
NEW = None


@dataclass(frozen=True)
class Form:
    """One index: Python's text of it on the wire, the typed ways to write it, and the same locally."""

    text: str
    typed: list[Any]
    local: Any


def span(*bounds: int | str | None) -> dict[str, Any]:
    """A typed slice."""
    return {"slice": list(bounds)}


ALL = span(None)
FORMS = [
    Form(":, 1", [[ALL, 1], [{"slice": [None, None]}, 1], [{"slice": [None, None, None]}, 1]], (slice(None), 1)),
    Form("1", [1, [1]], 1),
    Form("-1", [-1, [-1]], -1),
    Form("0, 2", [[0, 2], {"tuple": [0, 2]}], (0, 2)),
    Form("2, 3, 4", [[2, 3, 4]], (2, 3, 4)),
    Form("-1, -2, -3", [[-1, -2, -3]], (-1, -2, -3)),
    Form(":", [ALL, [ALL]], slice(None)),
    Form("1:", [span(1, None), [span(1, None, None)]], slice(1, None)),
    Form(":2", [span(2), span(None, 2)], slice(2)),
    Form("-2:", [span(-2, None)], slice(-2, None)),
    Form("0:3:2", [span(0, 3, 2)], slice(0, 3, 2)),
    Form("::2", [span(None, None, 2)], slice(None, None, 2)),
    Form("2:1", [span(2, 1)], slice(2, 1)),
    Form("0:100", [span(0, 100)], slice(0, 100)),
    Form(":, 1:3", [[ALL, span(1, 3)]], (slice(None), slice(1, 3))),
    Form(":, :, -1", [[ALL, ALL, -1]], (slice(None), slice(None), -1)),
    Form("...", [ELLIPSIS, [ELLIPSIS]], ...),
    Form("..., 0", [[ELLIPSIS, 0]], (..., 0)),
    Form("0, ..., 1", [[0, ELLIPSIS, 1]], (0, ..., 1)),
    Form("..., 1:4:2", [[ELLIPSIS, span(1, 4, 2)]], (..., slice(1, 4, 2))),
    Form("None", [NEW, [NEW]], None),
    Form("None, 0", [[NEW, 0]], (None, 0)),
    Form(":, None, 1", [[ALL, NEW, 1]], (slice(None), None, 1)),
    Form("..., newaxis", [[ELLIPSIS, NEW]], (..., None)),
    Form("[0, 2]", [[[0, 2]], {"tuple": [[0, 2]]}], [0, 2]),
    Form("[2, 0, -1, 2]", [[[2, 0, -1, 2]]], [2, 0, -1, 2]),
    Form("[0, 2], [1, 3]", [[[0, 2], [1, 3]]], ([0, 2], [1, 3])),
    Form(":, [3, 0]", [[ALL, [3, 0]]], (slice(None), [3, 0])),
    Form("[0, 1], :, [4, 2]", [[[0, 1], ALL, [4, 2]]], ([0, 1], slice(None), [4, 2])),
    Form("[[0, 1], [2, 0]],", [[[[0, 1], [2, 0]]]], ([[0, 1], [2, 0]],)),
    # PyTorch still takes a nested list alone for a tuple, and warns.
    Form("[[0, 1], [2, 0]]", [], [[0, 1], [2, 0]]),
    Form("[True, False, True]", [[[True, False, True]]], [True, False, True]),
    Form("0, [False, True, True, False]", [[0, [False, True, True, False]]], (0, [False, True, True, False])),
    Form("True", [True, [True]], True),
    Form("False", [False, [False]], False),
    Form("$mask", ["$mask", ["$mask"]], MASK),
    Form("$mask, 1", [["$mask", 1]], (MASK, 1)),
    Form("$index", ["$index", ["$index"], {"tuple": ["$index"]}], INDEX),
    Form("$i, $j", [["$i", "$j"], {"tuple": ["$i", "$j"]}], (ROWS, COLUMNS)),
    Form(":, $i", [[ALL, "$i"]], (slice(None), ROWS)),
    Form("$i, 1", [["$i", 1]], (ROWS, 1)),
    Form("$i, None, ..., $j", [["$i", NEW, ELLIPSIS, "$j"]], (ROWS, None, ..., COLUMNS)),
    Form("$n", ["$n"], torch.tensor(1)),
    Form("$n:", [span("$n", None)], slice(1, None)),
    Form("..., ::2, 1", [[ELLIPSIS, span(None, None, 2), 1]], (..., slice(None, None, 2), 1)),
    Form("1, :, None, 2:", [[1, ALL, NEW, span(2, None)]], (1, slice(None), None, slice(2, None))),
    Form("", [[], {"tuple": []}], ()),
]
assert len(FORMS) >= 40


def spellings(form: Form) -> list[Any]:
    """All ways to write an index on the wire; an empty text is no Python."""
    return [*([form.text] if form.text else []), *form.typed]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text or "()")
def test_every_form_reads_what_torch_reads(service: Service, form: Form) -> None:
    ways = spellings(form)
    nodes = [node("getitem", "$x", way, id=f"way{place}") for place, way in enumerate(ways)]
    nodes.append(node("operator.getitem", "$x", ways[0], id="operator"))
    outputs = service.run(nodes, [made["id"] for made in nodes], INPUTS)
    for output in outputs.values():
        same_tensor(output, X[form.local])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text or "()")
def test_every_form_assigns_a_number_as_torch_does(service: Service, form: Form) -> None:
    expected = X.clone()
    expected[form.local] = -1.5
    for way in spellings(form):
        outputs = service.run([node("setitem", "$x", way, -1.5)], ["x"], INPUTS)
        same_tensor(outputs["x"], expected)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text or "()")
def test_every_form_assigns_a_tensor_as_torch_does(service: Service, form: Form) -> None:
    torch.manual_seed(1)
    values = torch.randn(X[form.local].shape)
    expected = X.clone()
    expected[form.local] = values
    for way in spellings(form):
        outputs = service.run([node("setitem", "$x", way, "$values")], ["x"], INPUTS | {"values": document(values)})
        same_tensor(outputs["x"], expected)


def test_the_tutorials_own_line(service: Service) -> None:
    torch.manual_seed(0)
    expected = torch.rand(5, 3)[:, 1]
    for index in (":, 1", [ALL, 1]):
        column = service.value(node("rand", 5, 3, id="x"), node("getitem", "$x", index), seed=0)
        same_tensor(column, expected)
        assert column["shape"] == [5]


def test_by_the_op_route(service: Service) -> None:
    x = {"data": [[1.0, 2.0], [3.0, 4.0]]}
    assert service.op("getitem", x, ":, 1")["data"] == [2.0, 4.0]
    assert service.op("getitem", x, [ALL, 1])["data"] == [2.0, 4.0]
    assert service.op("operator.getitem", x, [ALL, 1])["data"] == [2.0, 4.0]


@pytest.mark.parametrize("setitem", ["setitem", "operator.setitem"])
def test_assignment_broadcasts_and_changes_every_view(service: Service, setitem: str) -> None:
    nodes = [node("view", "$x", 12, 5, id="v"), node(setitem, "$x", ":, 0", [1, 2, 3, 4, 5])]
    outputs = service.run(nodes, ["x", "v"], INPUTS)
    expected = X.clone()
    expected[:, 0] = torch.tensor([1.0, 2, 3, 4, 5])
    same_tensor(outputs["x"], expected)
    same_tensor(outputs["v"], expected.view(12, 5))


def test_basic_indexing_is_a_view_and_advanced_indexing_a_copy(service: Service) -> None:
    nodes = [
        node("getitem", "$x", "1:", id="view"),
        node("getitem", "$x", "[1, 2]", id="copy"),
        node("mul_", "$x", 0),
    ]
    outputs = service.run(nodes, ["x", "view", "copy"], INPUTS, describe="full")
    assert outputs["view"]["storage"] == outputs["x"]["storage"] != outputs["copy"]["storage"]
    assert outputs["view"]["storage_offset"] == 20
    same_tensor(outputs["view"], torch.zeros(2, 4, 5))
    same_tensor(outputs["copy"], X[1:])


def test_indexing_and_assignment_are_differentiable(service: Service) -> None:
    nodes = [
        node("mul", "$x", 1, id="y"),
        node("setitem", "$y", ":, 1", 0),
        node("getitem", "$y", "$mask", id="picked"),
        node("sum", "$picked", id="out"),
        node("backward", "$out"),
    ]
    inputs = INPUTS | {"x": document(X, requires_grad=True)}
    outputs = service.run(nodes, ["y", "picked", "x.grad"], inputs)
    x = X.clone().requires_grad_()
    y = x * 1
    y[:, 1] = 0
    picked = y[MASK]
    picked.sum().backward()
    same_tensor(outputs["y"], y)
    same_tensor(outputs["picked"], picked)
    assert x.grad is not None
    same_tensor(outputs["x.grad"], x.grad)


def test_references_in_an_index_may_have_paths(service: Service) -> None:
    nodes = [
        node("size", "$x", id="s"),
        node("getitem", "$x", ":, $s.0", id="fourth"),
        node("getitem", "$x", "$i, $s.0:", id="rest"),
        node("getitem", "$s", 1, id="four"),
    ]
    outputs = service.run(nodes, ["fourth", "rest", "four"], INPUTS)
    same_tensor(outputs["fourth"], X[:, 3])
    same_tensor(outputs["rest"], X[ROWS, 3:])
    assert outputs["four"] == {"kind": "int", "value": 4}


def test_tuples_and_dicts_are_indexed_too(service: Service) -> None:
    """A dict's index is its key, and never text to be read."""
    nodes = [
        node("max", "$x", 0, id="most"),
        node("getitem", "$most", 1, id="indices"),
        node("getitem", {"dict": {":, 1": 5, "a": "$n"}}, ":, 1", id="five"),
        node("getitem", {"dict": {":, 1": 5, "a": "$n"}}, "a", id="one"),
    ]
    outputs = service.run(nodes, ["indices", "five", "one"], INPUTS)
    same_tensor(outputs["indices"], torch.full([4, 5], 2))
    assert outputs["five"] == {"kind": "int", "value": 5}
    assert outputs["one"]["data"] == 1
