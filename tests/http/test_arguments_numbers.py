"""Python's int, float, bool and complex stay what they are: dtypes and bits as in local PyTorch, for every dtype."""

from __future__ import annotations

import pytest
import torch

from service import node
from tensor_json import document, same_tensor

DTYPES = (
    "float64 float32 float16 bfloat16 complex128 complex64 complex32 int64 int32 int16 int8 uint8 uint16 uint32 uint64 "
    "bool float8_e4m3fn float8_e5m2"
).split()
OPS = ("add", "mul", "sub", "true_divide", "pow", "maximum", "where", "eq", "clamp", "fmod", "bitwise_and")
# As JSON, and as Python has them.
NUMBERS = (
    (2, 2),
    (2.0, 2.0),
    (True, True),
    ({"complex": [2, 1]}, 2 + 1j),
    ({"float": "NaN"}, float("nan")),
    ({"float": "-Infinity"}, float("-inf")),
    ({"int": "3"}, 3),
)


def sample(dtype: str) -> torch.Tensor:
    numbers = torch.tensor([0, 1, 3])
    return numbers.to(getattr(torch, dtype))


def local(op: str, x: torch.Tensor, number: object) -> object:
    """What PyTorch gives, or that it refuses."""
    try:
        if op == "where":
            return torch.where(torch.tensor([True, False, True]), x, number)
        if op == "clamp":
            return torch.clamp(x, max=number)
        if op == "maximum":
            return torch.maximum(x, torch.tensor(number))
        return getattr(torch, op)(x, number)
    except (RuntimeError, TypeError, NotImplementedError):
        return None


def call(op: str, number: object, name: str) -> dict:
    if op == "where":
        return node("where", {"tensor": {"data": [True, False, True]}}, "$x", number, id=name)
    if op == "clamp":
        return node("clamp", "$x", max=number, id=name)
    return node(op, "$x", number, id=name)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_promotes_as_in_pytorch(service, dtype, op):
    x = sample(dtype)
    expected = {f"n{place}": local(op, x, number) for place, (_, number) in enumerate(NUMBERS)}
    given = {name: value for name, value in expected.items() if value is not None}
    nodes = [call(op, NUMBERS[int(name[1:])][0], name) for name in given]
    outputs = service.run(nodes, list(given), {"x": document(x)}) if given else {}
    for name, value in given.items():
        same_tensor(outputs[name], value)
    for name in expected.keys() - given.keys():
        wrong = call(op, NUMBERS[int(name[1:])][0], name)
        problem = service.refused({"inputs": {"x": document(x)}, "nodes": [wrong]})
        assert problem["status"] == 422


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (2, "int64"),
        (2.0, "float32"),
        (True, "bool"),
        ([1, 2.5], "float32"),
        ([True, 2], "int64"),
        ([[1], [2]], "int64"),
        ({"complex": [1, 2]}, "complex64"),
        ({"float": "Infinity"}, "float32"),
        ([], "float32"),
    ],
)
def test_the_op_tensor_infers_as_pytorch_does(service, data, dtype):
    assert service.op("tensor", data)["dtype"] == dtype


@pytest.mark.parametrize(
    ("args", "dtype", "data"),
    [
        ([5], "int64", [0, 1, 2, 3, 4]),
        ([2.0], "float32", [0.0, 1.0]),
        ([0, 1, 0.5], "float32", [0.0, 0.5]),
        ([1, 3], "int64", [1, 2]),
    ],
)
def test_arange_takes_the_kind_of_its_numbers(service, args, dtype, data):
    value = service.op("arange", *args)
    assert (value["dtype"], value["data"]) == (dtype, data)


def test_a_bool_is_no_int_where_pytorch_makes_a_difference(service):
    assert service.op("full", [2], True)["dtype"] == "bool"
    assert service.op("full", [2], 1)["dtype"] == "int64"
    assert service.op("full", [2], 1.0)["dtype"] == "float32"
    assert service.op("sum", {"data": [[1, 2], [3, 4]]}, 0, True)["data"] == [[4, 6]]
    assert service.op("Tensor.item", {"data": [True]}) == {"kind": "bool", "value": True}


def test_python_operators_on_numbers_stay_python(service):
    assert service.op("operator.truediv", 1, 2) == {"kind": "float", "value": 0.5}
    assert service.op("operator.floordiv", 7, 2) == {"kind": "int", "value": 3}
    assert service.op("operator.add", True, True) == {"kind": "int", "value": 2}
    assert service.op("operator.pow", 2, 100)["value"] == str(2**100)
