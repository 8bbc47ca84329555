"""Rows 8 to 10, and 12 to 14 of the tutorial: addition in all its spellings, views, item, and NumPy's shared memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import document, same_bits, same_tensor, to_bytes, to_torch

torch.manual_seed(0)
X, Y = torch.rand(5, 3), torch.rand(5, 3)
INPUTS = {"x": document(X), "y": document(Y)}
ADDITIONS = [
    node("add", "$x", "$y"),
    node("torch.add", "$x", "$y"),
    node("add", "$x", other="$y"),
    node("add", input="$x", other="$y"),
    node("Tensor.add", "$x", "$y"),
    node("operator.add", "$x", "$y"),
    node("add", "$y", "$x"),
]


@pytest.mark.parametrize(
    "spelling", ADDITIONS, ids=lambda spelling: f"{spelling['op']}-{len(spelling.get('args', []))}"
)
def test_row_8_every_spelling_of_addition_gives_the_same_bits(service: Service, spelling: dict[str, Any]) -> None:
    same_tensor(service.value(spelling, inputs=INPUTS), X + Y)


@pytest.mark.parametrize("name", ["add", "torch.add", "Tensor.add", "operator.add"])
def test_row_8_by_the_op_route(service: Service, name: str) -> None:
    same_tensor(service.op(name, document(X), document(Y)), X + Y)
    same_tensor(service.op(name, {"tensor": document(X)}, {"tensor": document(Y)}), X + Y)


def test_row_8_a_number_on_either_side(service: Service) -> None:
    same_tensor(service.value(node("operator.add", 2, "$x"), inputs=INPUTS), 2 + X)
    same_tensor(service.value(node("operator.sub", 2, "$x"), inputs=INPUTS), 2 - X)
    same_tensor(service.value(node("operator.pow", 2, "$x"), inputs=INPUTS), 2**X)
    same_tensor(service.value(node("add", "$x", "$y", alpha=10), inputs=INPUTS), torch.add(X, Y, alpha=10))


@pytest.mark.parametrize("op", ["add", "torch.add"])
def test_row_9_out_holds_the_sum_and_is_the_nodes_value(service: Service, op: str) -> None:
    nodes = [node("empty", 5, 3, id="result"), node(op, "$x", "$y", out="$result", id="sum")]
    outputs = service.run(nodes, ["result", "sum"], INPUTS, describe="full")
    same_tensor(outputs["result"], X + Y)
    same_tensor(outputs["sum"], X + Y)
    assert outputs["result"]["storage"] == outputs["sum"]["storage"]


def test_row_9_out_changes_an_input_too(service: Service) -> None:
    result = {"data": [[0.0] * 3] * 5}
    outputs = service.run([node("add", "$x", "$y", out="$result")], ["result"], INPUTS | {"result": result})
    same_tensor(outputs["result"], X + Y)


@pytest.mark.parametrize("op", ["add_", "Tensor.add_", "operator.iadd"])
def test_row_10_in_place_addition_is_seen_by_every_name(service: Service, op: str) -> None:
    nodes = [
        node("view", "$y", -1, id="flat"),
        node("getitem", "$y", "1", id="row"),
        node(op, "$y", "$x", id="again"),
        node("detach", "$y", id="other"),
    ]
    outputs = service.run(nodes, ["y", "again", "flat", "row", "other"], INPUTS, describe="full")
    for name in ("y", "again", "other"):
        same_tensor(outputs[name], Y + X)
    same_tensor(outputs["flat"], (Y + X).view(-1))
    same_tensor(outputs["row"], (Y + X)[1])
    assert len({output["storage"] for output in outputs.values()}) == 1
    assert outputs["y"]["version"] == 1


@pytest.mark.parametrize(("args", "shape"), [([16], [16]), ([-1, 8], [2, 8]), ([[-1, 8]], [2, 8]), ([[16]], [16])])
@pytest.mark.parametrize("op", ["view", "Tensor.view"])
def test_row_12_views(service: Service, op: str, args: list[Any], shape: list[int]) -> None:
    torch.manual_seed(5)
    expected = torch.randn(4, 4).view(*args)
    y = service.value(node("randn", 4, 4, id="x"), node(op, "$x", *args), seed=5)
    assert y["shape"] == shape
    same_tensor(y, expected)


def test_row_12_views_share_memory_both_ways(service: Service) -> None:
    nodes = [
        node("randn", 4, 4, id="x"),
        node("view", "$x", 16, id="y"),
        node("view", "$x", -1, 8, id="z"),
        node("fill_", "$x", 1.5),
        node("setitem", "$y", 0, -7),
        node("mul_", "$z", 2),
    ]
    outputs = service.run(nodes, ["x", "y", "z"], describe="full")
    expected = torch.full([16], 3.0)
    expected[0] = -14.0
    for name, shape in [("x", [4, 4]), ("y", [16]), ("z", [2, 8])]:
        same_tensor(outputs[name], expected.view(shape))
    assert outputs["x"]["storage"] == outputs["y"]["storage"] == outputs["z"]["storage"]


def test_row_12_reshape_with_separate_numbers_falls_to_the_method(service: Service) -> None:
    x = {"x": {"data": list(range(16)), "dtype": "float32"}}
    same_tensor(service.value(node("reshape", "$x", 4, 4), inputs=x), torch.arange(16.0).reshape(4, 4))
    same_tensor(service.value(node("reshape", "$x", [4, 4]), inputs=x), torch.arange(16.0).reshape(4, 4))
    same_tensor(service.value(node("Tensor.reshape", "$x", 4, -1), inputs=x), torch.arange(16.0).reshape(4, 4))


@pytest.mark.parametrize("op", ["item", "Tensor.item"])
def test_row_13_item_is_the_double_that_the_element_converts_to(service: Service, op: str) -> None:
    torch.manual_seed(11)
    expected = torch.randn(1)
    outputs = service.run([node("randn", 1, id="x"), node(op, "$x", id="v")], ["x", "v"], seed=11)
    same_tensor(outputs["x"], expected)
    assert outputs["v"] == {"kind": "float", "value": expected.item()}


def test_row_13_the_tutorials_own_number_prints_with_all_its_digits(service: Service) -> None:
    reply = service.post("/v1/ops/item", {"args": [{"dtype": "float32", "data": [-1.874952793121338]}]})
    assert '"value":-1.874952793121338' in reply.text.replace(" ", "")
    shown = service.op("neg", {"dtype": "float32", "data": [1.874952793121338]})
    assert shown["data"] == [-1.8749528]


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        ({"data": 3}, {"kind": "int", "value": 3}),
        ({"data": [True]}, {"kind": "bool", "value": True}),
        ({"data": [[1, -2]], "dtype": "complex64"}, {"kind": "complex", "value": [1.0, -2.0]}),
        ({"data": [0.1], "dtype": "float16"}, {"kind": "float", "value": 0.0999755859375}),
        ({"data": [9007199254740993]}, {"kind": "int", "value": "9007199254740993"}),
        ({"data": ["NaN"]}, {"kind": "float", "value": "NaN"}),
        ({"data": ["-Infinity"]}, {"kind": "float", "value": "-Infinity"}),
    ],
)
def test_row_13_item_of_every_kind(service: Service, tensor: dict[str, Any], expected: dict[str, Any]) -> None:
    assert service.op("item", tensor) == expected


@pytest.mark.parametrize("add", ["numpy.add", "np.add"])
def test_row_14_numpy_and_torch_share_memory(service: Service, add: str) -> None:
    nodes = [
        node("numpy.ones", 5, id="a"),
        node("from_numpy", "$a", id="b"),
        node(add, "$a", 1, out="$a", id="c"),
    ]
    outputs = service.run(nodes, ["a", "b", "c"])
    for name, kind in [("a", "ndarray"), ("b", "tensor"), ("c", "ndarray")]:
        output = outputs[name]
        assert (output["kind"], output["dtype"], output["shape"]) == (kind, "float64", [5])
        assert output["data"] == [2.0] * 5


def test_row_14_and_the_other_way_round(service: Service) -> None:
    nodes = [node("ones", 5, id="a"), node("numpy", "$a", id="b"), node("add_", "$a", 1)]
    outputs = service.run(nodes, ["a", "b"])
    assert outputs["b"]["kind"] == "ndarray"
    assert outputs["b"]["dtype"] == "float32"
    assert outputs["a"]["data"] == outputs["b"]["data"] == [2.0] * 5


def test_row_14_a_tensors_sum_of_two_requests_is_the_same(service: Service) -> None:
    """An ndarray in a reply goes back as an input, as a tensor does."""
    a = service.op("numpy.ones", 5)
    same_bits(service.run([node("add", "$a", 1, id="b")], ["b"], {"a": a})["b"], torch.full([5], 2.0).double())
    assert to_bytes(to_torch(a)) == to_bytes(torch.ones(5, dtype=torch.float64))
