"""Tensor documents that are wrong: each error says where inside the document."""

from __future__ import annotations

from typing import Any

import pytest
from bad import Bad, names, refuses

from service import Service

DEVICE = "unavailable_device"


def base64(name: str, data: Any, dtype: str = "float32", **more: Any) -> Bad:
    """The same for one element in base64, whose data is wrong."""
    return tensor(name, {"data": data, "dtype": dtype, "shape": [1], "encoding": "base64"}, "/data", **more)


def tensor(name: str, x: Any, pointer: str, **more: Any) -> Bad:
    """The graph with the input `x` and its error, whose pointer is given from the document on."""
    code = more.pop("code", "invalid_tensor")
    return Bad(name, {"inputs": {"x": x}, "nodes": []}, code, "/inputs/x" + pointer, **more)


TENSORS = [
    tensor("no data", {"dtype": "float32"}, ""),
    tensor("nothing", {}, ""),
    tensor("null", None, ""),
    tensor("a word", "hello", ""),
    tensor("data null", {"data": None}, "/data"),
    tensor("data an object", {"data": {"a": 1}}, "/data"),
    tensor("a null among numbers", {"data": [1.5, None, 2]}, "/data/1"),
    tensor("a null deeper", {"data": [[1, 2], [3, None]]}, "/data/1/1"),
    tensor("a null in a bare list", [1, None], "/1"),
    tensor("an object among numbers", {"data": [1, {"a": 1}]}, "/data/1"),
    tensor("a word among numbers", {"data": [1, "one"], "dtype": "float32"}, "/data/1"),
    tensor("python's word for NaN", {"data": ["nan"], "dtype": "float32"}, "/data/0"),
    tensor("a number in a string without dtype", {"data": ["1"]}, "/data/0", hint=""),
    tensor("hex for integers", {"data": ["0x10"], "dtype": "int64"}, "/data/0"),
    tensor("hex too wide", {"data": ["0x7fc000001"], "dtype": "float32"}, "/data/0"),
    tensor("hex for a bool", {"data": ["0x1"], "dtype": "bool"}, "/data/0"),
    tensor("a grammar that JSON lacks", {"data": ["1."], "dtype": "float32"}, "/data/0"),
    tensor("a plus", {"data": ["+1"], "dtype": "float32"}, "/data/0"),
    tensor("white space", {"data": [" 1"], "dtype": "float32"}, "/data/0"),
    tensor("an underscore", {"data": ["1_000"], "dtype": "int32"}, "/data/0"),
    tensor("1,101 characters", {"data": ["1" * 1101], "dtype": "float64"}, "/data/0"),
    tensor("ragged", {"data": [[1, 2, 3], [4]]}, "/data/1"),
    tensor("ragged, longer", {"data": [[1], [2, 3]]}, "/data/1"),
    tensor("ragged in depth", {"data": [[1, 2], 3]}, "/data/1"),
    tensor("a list where a number was", {"data": [1, [2]]}, "/data/1"),
    tensor("ragged in a bare list", [[1, 2], [3]], "/1"),
    tensor("ragged far in", {"data": [[[1, 2], [3, 4]], [[5, 6], [7]]]}, "/data/1/1"),
    tensor("an empty row", {"data": [[1, 2], []]}, "/data/1"),
    tensor("too few for shape", {"data": [1, 2, 3], "shape": [2, 2]}, "/data", got="3", expected="4"),
    tensor("too many for shape", {"data": [1, 2, 3, 4, 5], "shape": [2, 2]}, "/data", got="5", expected="4"),
    tensor("another nesting than shape", {"data": [[1, 2, 3], [4, 5, 6]], "shape": [3, 2]}, "/data"),
    tensor("a number for a shape of none", {"data": [1], "shape": [0]}, "/data"),
    tensor("a negative size", {"data": [1], "shape": [-1]}, "/shape/0"),
    tensor("a size with a fraction", {"data": [1], "shape": [1.5]}, "/shape/0"),
    tensor("a size that is text", {"data": [1], "shape": ["1"]}, "/shape/0"),
    tensor("a size that is true", {"data": [1], "shape": [True]}, "/shape/0"),
    tensor("a shape that is a number", {"data": [1], "shape": 1}, "/shape"),
    tensor("a fraction for integers", {"data": [1, 2.5], "dtype": "int64"}, "/data/1", got="2.5"),
    tensor("a fraction for uint8", {"data": [[0.5]], "dtype": "uint8"}, "/data/0/0"),
    tensor("300 for uint8", {"data": [1, 300], "dtype": "uint8"}, "/data/1", got="300"),
    tensor("-1 for uint64", {"data": [-1], "dtype": "uint64"}, "/data/0"),
    tensor("uint64 in a string, one over", {"data": ["18446744073709551616"], "dtype": "uint64"}, "/data/0"),
    tensor("int8 in a string, one under", {"data": ["-129"], "dtype": "int8"}, "/data/0"),
    tensor("NaN for integers", {"data": ["NaN"], "dtype": "int32"}, "/data/0"),
    tensor("1e10 for int32", {"data": [1e10], "dtype": "int32"}, "/data/0"),
    tensor("2 for bool", {"data": [True, 2], "dtype": "bool"}, "/data/1", got="2"),
    tensor("0.5 for bool", {"data": [0.5], "dtype": "bool"}, "/data/0"),
    tensor("a word for bool", {"data": ["true"], "dtype": "bool"}, "/data/0"),
    tensor("a dtype that is none", {"data": [1], "dtype": "float33"}, "/dtype", got="float33", hint="float32"),
    tensor("a dtype of NumPy's", {"data": [1], "dtype": "object"}, "/dtype"),
    tensor("a dtype that is a number", {"data": [1], "dtype": 32}, "/dtype"),
    tensor("a quantized dtype", {"data": [1], "dtype": "qint8"}, "/dtype"),
    tensor("a packed dtype", {"data": [1], "dtype": "float4_e2m1fn_x2"}, "/dtype"),
    tensor("a complex pair of three", {"data": [[1, 2, 3]], "dtype": "complex64"}, "/data"),
    tensor("complex without pairs", {"data": [1, 2, 3], "dtype": "complex64"}, "/data"),
    tensor("an encoding that is none", {"data": [1], "encoding": "hex"}, "/encoding", got="hex", expected="base64"),
    tensor("base64 without dtype", {"data": "AAAA", "shape": [1], "encoding": "base64"}, ""),
    tensor("base64 without shape", {"data": "AACAPw==", "dtype": "float32", "encoding": "base64"}, ""),
    base64("base64 of too few bytes", "AAA=", got="2", expected="4"),
    base64("base64 of too many bytes", "AACAPwAA", got="6", expected="4"),
    base64("letters that base64 lacks", "AA*APw=="),
    base64("base64 for bool of a byte 2", "Ag==", "bool"),
    base64("a list for base64", [1]),
    tensor("text for json", {"data": "AACAPw==", "dtype": "float32", "shape": [1]}, "/data"),
    tensor("requires_grad on integers", {"data": [1, 2], "requires_grad": True}, "/requires_grad"),
    tensor("requires_grad on bool", {"data": [True], "requires_grad": True}, "/requires_grad"),
    tensor("requires_grad on uint8", {"data": [1.0], "dtype": "uint8", "requires_grad": True}, "/requires_grad"),
    tensor("requires_grad in words", {"data": [1.5], "requires_grad": "yes"}, "/requires_grad"),
    tensor("requires_grad 1", {"data": [1.5], "requires_grad": 1}, "/requires_grad"),
    tensor("a device that is none", {"data": [1], "device": "gpu"}, "/device", code=DEVICE, expected="cpu"),
    tensor("a device that is missing", {"data": [1], "device": "cuda:99"}, "/device", code=DEVICE, expected="cpu"),
    tensor("a device that is a number", {"data": [1], "device": 0}, "/device", code=DEVICE),
    tensor("meta", {"data": [1], "device": "meta"}, "/device", code=DEVICE),
]


@pytest.mark.parametrize("bad", TENSORS, ids=names(TENSORS))
def test_a_wrong_tensor_document(service: Service, bad: Bad) -> None:
    refuses(service, bad)


def test_all_that_is_wrong_in_one_document_comes_at_once_in_its_order(service: Service) -> None:
    x = {"requires_grad": 1, "dtype": "float33", "encoding": "hex", "device": "gpu", "data": [1]}
    problem = service.refused({"inputs": {"x": x}, "nodes": []})
    found = [(error["pointer"], error["code"]) for error in problem["errors"]]
    assert found == [
        ("/inputs/x/requires_grad", "invalid_tensor"),
        ("/inputs/x/dtype", "invalid_tensor"),
        ("/inputs/x/encoding", "invalid_tensor"),
        ("/inputs/x/device", "unavailable_device"),
    ]


def test_errors_of_several_inputs_come_at_once(service: Service) -> None:
    inputs = {"b": [1, None], "a": {"data": [[1], [2, 3]]}, "c/d~": {"shape": [1]}}
    problem = service.refused({"nodes": [], "inputs": inputs})
    found = [(error["pointer"], error["code"]) for error in problem["errors"]]
    assert found == [
        ("/inputs/b/1", "invalid_tensor"),
        ("/inputs/a/data/1", "invalid_tensor"),
        ("/inputs/c~1d~0", "invalid_tensor"),
    ]


@pytest.mark.parametrize(
    ("argument", "pointer"),
    [
        ({"tensor": {"data": [1, None]}}, "/nodes/0/args/0/tensor/data/1"),
        ({"tensor": {"dtype": "float32"}}, "/nodes/0/args/0/tensor"),
        ({"tensor": [[1], [2, 3]]}, "/nodes/0/args/0/tensor/1"),
        ({"tensor": {"data": [0.5], "dtype": "int8"}}, "/nodes/0/args/0/tensor/data/0"),
    ],
)
def test_a_wrong_tensor_among_the_arguments(service: Service, argument: Any, pointer: str) -> None:
    body = {"nodes": [{"id": "y", "op": "relu", "args": [argument]}]}
    refuses(service, Bad("", body, "invalid_tensor", pointer))


@pytest.mark.parametrize(
    ("argument", "pointer"),
    [
        ({"data": [1, None]}, "/args/0/data/1"),
        ({"tensor": {"data": [1, None]}}, "/args/0/tensor/data/1"),
        ({"data": [1], "dtype": "float33"}, "/args/0/dtype"),
    ],
)
def test_a_wrong_tensor_in_the_body_of_one_op(service: Service, argument: Any, pointer: str) -> None:
    refuses(service, Bad("", {"args": [argument]}, "invalid_tensor", pointer, path="/v1/ops/relu"))


def test_one_wrong_element_among_a_million_is_found(service: Service) -> None:
    rows = [[0.5] * 1000 for _ in range(1000)]
    rows[731][17] = None  # type: ignore[call-overload]
    problem = service.refused({"inputs": {"x": {"data": rows}}, "nodes": []})
    assert problem["errors"][0]["pointer"] == "/inputs/x/data/731/17"
    rows[731] = [0.5] * 999
    problem = service.refused({"inputs": {"x": {"data": rows}}, "nodes": []})
    assert problem["errors"][0]["pointer"] == "/inputs/x/data/731"
