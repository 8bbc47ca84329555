"""Rows 1 to 7 of the tutorial: making tensors, and asking for their size."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import dtype_of, same_bits, same_tensor, to_torch

FIVE_THREE = [[5, 3], [[5, 3]], [{"size": [5, 3]}], [{"tuple": [5, 3]}]]
# PyTorch's names, the aliases that it has, and the name a reply uses.
DTYPES = {
    "long": "int64", "int": "int32", "short": "int16", "double": "float64", "float": "float32", "half": "float16",
    "cfloat": "complex64", "cdouble": "complex128", "torch.long": "int64", "torch.int64": "int64", "int64": "int64",
    "int32": "int32", "int16": "int16", "int8": "int8", "uint8": "uint8", "uint16": "uint16", "uint32": "uint32",
    "uint64": "uint64", "float64": "float64", "float32": "float32", "float16": "float16", "bfloat16": "bfloat16",
    "complex64": "complex64", "complex128": "complex128", "bool": "bool",
}  # fmt: skip


@pytest.mark.parametrize("args", FIVE_THREE)
@pytest.mark.parametrize("op", ["empty", "torch.empty"])
def test_row_1_an_empty_tensor_is_float32_and_holds_nobodys_memory(service: Service, op: str, args: list[Any]) -> None:
    x = service.value(node(op, *args))
    assert (x["kind"], x["dtype"], x["shape"]) == ("tensor", "float32", [5, 3])
    assert x["data"] == [["NaN"] * 3] * 5


def test_row_1_by_the_op_route(service: Service) -> None:
    x = service.op("empty", 5, 3)
    assert (x["kind"], x["dtype"], x["shape"]) == ("tensor", "float32", [5, 3])
    assert x["data"] == [["NaN"] * 3] * 5


@pytest.mark.parametrize("args", FIVE_THREE)
@pytest.mark.parametrize("op", ["rand", "torch.rand"])
@pytest.mark.parametrize("seed", [0, 1234, 2**53, 2**64 - 1, -1])
def test_row_2_random_numbers_are_torchs_for_the_seed(service: Service, op: str, args: list[Any], seed: int) -> None:
    torch.manual_seed(seed)
    expected = torch.rand(5, 3)
    x = service.value(node(op, *args), seed=seed)
    same_tensor(x, expected)
    assert all(0 <= element < 1 for row in x["data"] for element in row)


def test_row_2_by_the_op_route_and_by_the_drawn_seed(service: Service) -> None:
    torch.manual_seed(7)
    same_tensor(service.op("rand", 5, 3, body={"seed": 7}), torch.rand(5, 3))
    body = {"nodes": [node("rand", 5, 3, id="x")]}
    first = service.graph(body)
    assert 0 <= first["seed"] < 2**53
    again = service.graph(body | {"seed": first["seed"]})
    assert again["seed"] == first["seed"]
    assert again["outputs"]["x"] == first["outputs"]["x"]
    assert service.graph(body)["outputs"]["x"]["data"] != first["outputs"]["x"]["data"]


@pytest.mark.parametrize(("asked", "given"), DTYPES.items())
def test_row_3_zeros_of_every_dtype(service: Service, asked: str, given: str) -> None:
    expected = torch.zeros(5, 3, dtype=dtype_of(given))
    same_tensor(service.value(node("zeros", 5, 3, dtype=asked)), expected)
    same_tensor(service.op("zeros", 5, 3, dtype={"dtype": asked}), expected)


def test_row_3_zeros_are_written_as_their_dtype_writes_them(service: Service) -> None:
    assert service.op("zeros", 5, 3, dtype="long")["data"] == [[0, 0, 0]] * 5
    assert isinstance(service.op("zeros", 1, dtype="long")["data"][0], int)
    assert isinstance(service.op("zeros", 1, dtype="float")["data"][0], float)
    assert service.op("zeros", 1, dtype="bool")["data"] == [False]
    assert service.op("zeros", 1, dtype="cfloat")["data"] == [[0.0, 0.0]]


@pytest.mark.parametrize("data", [[5.5, 3], [5.5, 3.0]])
def test_row_4_a_tensor_of_numbers(service: Service, data: list[float]) -> None:
    expected = torch.tensor([5.5, 3])
    same_tensor(service.value(node("tensor", data)), expected)
    same_tensor(service.op("tensor", data), expected)
    same_tensor(service.op("torch.tensor", data=data), expected)
    same_tensor(service.run([], {"x": "x"}, {"x": data})["x"], expected)
    same_tensor(service.run([node("Tensor.clone", "$x", id="y")], ["y"], {"x": {"data": data}})["y"], expected)
    assert service.op("tensor", data)["data"] == [5.5, 3.0]


@pytest.mark.parametrize("args", FIVE_THREE)
@pytest.mark.parametrize("op", ["new_ones", "Tensor.new_ones", "torch.Tensor.new_ones"])
def test_row_5_new_ones_of_another_dtype(service: Service, op: str, args: list[Any]) -> None:
    x = node("tensor", [5.5, 3], id="x")
    y = service.value(x, node(op, "$x", *args, dtype="double"))
    same_tensor(y, torch.ones(5, 3, dtype=torch.double))
    assert y["data"] == [[1.0, 1.0, 1.0]] * 5
    same_tensor(service.value(x, node(op, "$x", *args)), torch.ones(5, 3))


@pytest.mark.parametrize("op", ["randn_like", "torch.randn_like"])
@pytest.mark.parametrize("dtype", ["float", "float32", "torch.float", {"dtype": "float"}, "$f.dtype"])
def test_row_6_randn_like_takes_the_shape_and_the_dtype_asked_for(service: Service, op: str, dtype: Any) -> None:
    nodes = [node("ones", 5, 3, dtype="double", id="x"), node("ones", 1, id="f")]
    torch.manual_seed(3)
    expected = torch.randn_like(torch.ones(5, 3, dtype=torch.double), dtype=torch.float)
    same_tensor(service.value(*nodes, node(op, "$x", dtype=dtype), seed=3), expected)


def test_row_6_without_a_dtype_it_is_that_of_x(service: Service) -> None:
    torch.manual_seed(3)
    expected = torch.randn_like(torch.ones(5, 3, dtype=torch.double))
    same_bits(service.op("randn_like", {"dtype": "float64", "data": [[1] * 3] * 5}, body={"seed": 3}), expected)


@pytest.mark.parametrize("op", ["size", "Tensor.size"])
def test_row_7_the_size(service: Service, op: str) -> None:
    x = node("rand", 5, 3, id="x")
    assert service.value(x, node(op, "$x")) == {"kind": "size", "value": [5, 3]}
    assert service.value(x, node(op, "$x", 1)) == {"kind": "int", "value": 3}
    assert service.value(x, node(op, "$x", dim=-2)) == {"kind": "int", "value": 5}
    outputs = service.run([x], ["x.shape", "x.shape.0"])
    assert outputs == {"x.shape": {"kind": "size", "value": [5, 3]}, "x.shape.0": {"kind": "int", "value": 5}}


def test_row_7_a_size_can_be_used_as_one(service: Service) -> None:
    nodes = [node("rand", 5, 3, id="x"), node("size", "$x", id="s"), node("zeros", "$s", id="z")]
    outputs = service.run([*nodes, node("numel", "$x", id="n"), node("dim", "$x", id="d")], ["z", "n", "d"])
    same_tensor(outputs["z"], torch.zeros(5, 3))
    assert outputs["n"] == {"kind": "int", "value": 15}
    assert outputs["d"] == {"kind": "int", "value": 2}


def test_what_makes_the_tutorials_tensors_never_asks_for_gradients(service: Service) -> None:
    """The tutorial says that requires_grad defaults to True; PyTorch's default is False."""
    for op, args in [("rand", [5, 3]), ("ones", [2]), ("tensor", [[5.5, 3]])]:
        assert service.op(op, *args)["requires_grad"] is False
    assert service.run([], {"x": "x"}, {"x": {"data": [1.5]}})["x"]["requires_grad"] is False


def test_uninitialised_is_nan_and_never_finite(service: Service) -> None:
    made = to_torch(service.op("empty", 5, 3, dtype="float64"))
    assert all(math.isnan(element) for element in made.flatten().tolist())
