"""Tensors and arrays of every sort as they stand in a reply."""

import json
import math

import numpy as np
import orjson
import pybase64
import pytest
import torch

from gradwire.contract.limits import Limits
from gradwire.findings import Refusal, Source
from gradwire.wire.read.tensor import read_tensor
from gradwire.wire.write.value import encode

X = torch.ones(2, 2, requires_grad=True)


def refuse_constant(word):
    raise AssertionError(f"{word} stands bare")


def written(value, encoding="json", full=False, limits=Limits()):  # noqa: B008 - a frozen record
    return json.loads(orjson.dumps(encode(value, encoding, full, limits)), parse_constant=refuse_constant)


def data_of(tensor):
    return written(tensor)["data"]


def test_members_of_a_tensor():
    assert written(X + 2) == {
        "kind": "tensor",
        "dtype": "float32",
        "shape": [2, 2],
        "device": "cpu",
        "requires_grad": True,
        "is_leaf": False,
        "grad_fn": "AddBackward0",
        "encoding": "json",
        "data": [[3.0, 3.0], [3.0, 3.0]],
    }
    document = written(X)
    assert (document["requires_grad"], document["is_leaf"], document["grad_fn"]) == (True, True, None)
    assert written((X + 2).mean())["data"] == 3.0
    assert written((X * 2).view(4)[1:])["grad_fn"] == "SliceBackward0"


def test_grad_fn_of_a_python_function():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(context, tensor):
            return tensor * 2

        @staticmethod
        def backward(context, gradient):
            return gradient * 2

    assert written(Twice.apply(X))["grad_fn"] == "TwiceBackward"


def test_describe_full():
    base = torch.arange(6.0).reshape(2, 3)
    base.add_(1)
    document = written(base.t()[1:], full=True)
    assert {name: document[name] for name in ("strides", "storage_offset", "storage", "version")} == {
        "strides": [1, 3],
        "storage_offset": 1,
        "storage": 0,
        "version": 1,
    }
    shared = written([base, base[1], torch.ones(1), torch.empty(0), torch.empty(0), base.view(6)], full=True)["items"]
    assert [item["storage"] for item in shared] == [0, 0, 1, 2, 3, 0]
    assert "strides" not in written(base)
    with torch.inference_mode():
        assert written(torch.ones(1), full=True)["version"] is None


def test_arrays():
    array = np.arange(6.0).reshape(2, 3)
    assert written(array) == {
        "kind": "ndarray",
        "dtype": "float64",
        "shape": [2, 3],
        "device": "cpu",
        "requires_grad": False,
        "is_leaf": True,
        "grad_fn": None,
        "encoding": "json",
        "data": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
    }
    assert written(array[::-1, ::2])["data"] == [[3.0, 5.0], [0.0, 2.0]]
    assert written(array.astype(">f4"))["data"] == array.tolist()
    assert written(np.array(5))["data"] == 5
    assert written(np.array([2**64 - 1], dtype=np.uint64))["data"] == ["18446744073709551615"]
    assert written(np.float16([0.1]))["data"] == [0.1]
    frozen = np.ones(2)
    frozen.flags.writeable = False
    assert written(frozen)["data"] == [1.0, 1.0]
    document = written(array[1:, 1:], full=True)
    assert (document["strides"], document["storage_offset"]) == ([3, 1], 4)
    for kind in (object, "U3", "M8[s]", [("a", int)]):
        with pytest.raises(Refusal, match="cannot be written"):
            written(np.empty(1, dtype=kind))


@pytest.mark.parametrize("code", np.typecodes["AllInteger"])
def test_every_integer_of_c_is_the_dtype_of_its_width(code):
    document = written(np.array([3], dtype=code))
    assert (document["dtype"], document["data"]) == (np.dtype(code).name, [3])
    assert written(np.array([3], dtype=np.dtype(code).newbyteorder(">")))["data"] == [3]


def test_what_pytorch_refuses_to_make_dense_is_its_own_refusal():
    lying = torch.nested.nested_tensor_from_jagged(torch.ones(3), torch.tensor([0, 1, 3]), lengths=torch.tensor([2, 2]))
    with pytest.raises(Refusal) as caught:
        written(lying)
    assert caught.value.findings[0].code == "op_failed"


def test_an_array_and_its_tensor_share_a_storage():
    array = np.ones(5)
    items = written([array, torch.from_numpy(array), np.ones(5)], full=True)["items"]
    assert [item["storage"] for item in items] == [0, 0, 1]


@pytest.mark.parametrize(
    ("tensor", "data"),
    [
        (torch.tensor(5), 5),
        (torch.tensor(True), True),
        (torch.tensor(1 - 2j), [1.0, -2.0]),
        (torch.zeros(0, 3), []),
        (torch.zeros(2, 0), [[], []]),
        (torch.zeros(2, 0, 5), [[], []]),
        (torch.zeros(0), []),
        (torch.zeros(2, 0, dtype=torch.complex64), [[], []]),
        (torch.zeros(2, 3, 0, dtype=torch.bool), [[[]] * 3] * 2),
        (torch.arange(6).view(2, 3).t(), [[0, 3], [1, 4], [2, 5]]),
        (torch.tensor([[1.5]]).expand(2, 3), [[1.5] * 3] * 2),
        (torch.arange(6)[::2], [0, 2, 4]),
        (torch.tensor([1 + 2j]).conj(), [[1.0, -2.0]]),
        (torch.tensor([1 + 2j]).conj().imag, [-2.0]),
        (torch.tensor([[1 + 2j, 3j]]).mH, [[[1.0, -2.0]], [[0.0, -3.0]]]),
        (torch.tensor([1 + 2j]).to(torch.complex32), [[1.0, 2.0]]),
        (torch.tensor([2**53 - 1, 1 - 2**53]), [2**53 - 1, 1 - 2**53]),
        (torch.tensor([2**53, -(2**53), 1]), ["9007199254740992", "-9007199254740992", 1]),
        (torch.tensor([[-(2**63)], [2**63 - 1]]), [["-9223372036854775808"], ["9223372036854775807"]]),
        (torch.tensor(2**60), str(2**60)),
        (torch.tensor([2**64 - 1, 7], dtype=torch.uint64), ["18446744073709551615", 7]),
        (torch.tensor([255], dtype=torch.uint8), [255]),
        (
            torch.tensor([math.nan, -math.nan, math.inf, -math.inf, 0.0, -0.0]),
            ["NaN", "-NaN", "Infinity", "-Infinity", 0.0, -0.0],
        ),
        (
            torch.tensor([0x7FC00001, 0xFFFFFFFF, 0x7F800001], dtype=torch.uint32).view(torch.float32),
            ["0x7fc00001", "0xffffffff", "0x7f800001"],
        ),
        (torch.tensor([0x7C01, 0x00, 0x7E00], dtype=torch.uint16).view(torch.float16), ["0x7c01", 0.0, "NaN"]),
        (torch.tensor([0x7D], dtype=torch.uint8).view(torch.float8_e5m2), ["0x7d"]),
        (torch.tensor([0x80], dtype=torch.uint8).view(torch.float8_e4m3fnuz), ["NaN"]),
        (torch.tensor([0xFF], dtype=torch.uint8).view(torch.float8_e4m3fn), ["-NaN"]),
        (torch.tensor([0xFF, 0x7F], dtype=torch.uint8).view(torch.float8_e8m0fnu), ["NaN", 1.0]),
        (torch.tensor([True, False]), [True, False]),
    ],
    ids=repr,
)
def test_data(tensor, data):
    assert repr(data_of(tensor)) == repr(data)


def test_more_dimensions_than_numpy_has():
    for tensor in (
        torch.ones([1] * 70),
        torch.ones([1] * 63, dtype=torch.complex64),
        torch.ones([1] * 64, dtype=torch.complex64),
    ):
        data = data_of(tensor)
        for _ in range(tensor.dim()):
            (data,) = data
        assert data == (1.0 if not tensor.is_complex() else [1.0, 0.0])
    data = data_of(torch.ones([1] * 65).expand([2] + [1] * 64))
    assert len(data) == 2


def test_special_numbers_deep_in_a_long_tensor():
    tensor = torch.arange(3000.0).view(3, 10, 100).clone()
    tensor[1, 2, 3] = math.nan
    tensor[2, 9, 99] = 1e-6
    tensor[0, 0, 0] = 1e20
    tensor[0, 0, 1] = -math.inf
    expected = tensor.tolist()
    expected[1][2][3], expected[0][0][1], expected[2][9][99], expected[0][0][0] = "NaN", "-Infinity", 1e-06, 1e20
    assert data_of(tensor) == expected
    assert data_of(torch.full((2, 1000), math.nan)) == [["NaN"] * 1000] * 2


def test_base64():
    for tensor in (
        torch.arange(6.0).view(2, 3).t(),
        torch.tensor(5, dtype=torch.int16),
        torch.tensor([1 + 2j]).conj(),
        torch.tensor([True]),
        torch.zeros(0, 2),
    ):
        document = written(tensor, "base64")
        assert document["encoding"] == "base64"
        plain = tensor.resolve_conj().contiguous()
        assert pybase64.b64decode(document["data"]) == plain.numpy().tobytes()
        assert read_tensor(document, Source()).tensor.tolist() == plain.tolist()
    assert written([torch.ones(1)], "base64")["items"][0]["data"] == "AACAPw=="


def test_layouts_and_dtypes_that_the_wire_lacks_come_dense():
    eye = torch.eye(2)
    for sparse in (eye.to_sparse(), eye.to_sparse_csr(), eye.to_sparse_csc(), eye.to_sparse_bsr((1, 1))):
        document = written(sparse, full=True)
        assert document["data"] == eye.tolist()
        assert str(sparse.layout).removeprefix("torch.") in document["note"]
    document = written(torch.quantize_per_tensor(torch.tensor([0.5, 1.0]), 0.1, 0, torch.quint8))
    assert (document["dtype"], document["data"]) == ("float32", [0.5, 1.0])
    assert "quint8" in document["note"]
    document = written(torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), full=True)
    assert (document["shape"], document["data"]) == ([2, 3], [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert "nested" in document["note"]
    assert written(X.to_sparse() * 2)["grad_fn"] == "MulBackward0"


@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_a_gradient_that_is_zero_by_definition(encoding):
    values = torch.tensor([1.5, -2.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(values.sgn().sum(), values)
    document = written(gradient, encoding, full=True)
    assert document["data"] == ([0.0, 0.0] if encoding == "json" else "AAAAAAAAAAA=")
    assert document["strides"] == [1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64, torch.int64, torch.bool])
@pytest.mark.parametrize("stride", [0, 6])
def test_a_single_element_of_any_stride(dtype, stride):
    single = torch.ones(1, dtype=dtype).as_strided((1, 1), (stride, stride))
    for encoding in ("json", "base64"):
        assert written(single, encoding) == written(torch.ones(1, 1, dtype=dtype), encoding)


def test_a_tensor_without_data():
    with pytest.raises(Refusal, match="meta"):
        written(torch.empty(2, device="meta"))


def test_nothing_of_a_tensor_is_changed_by_writing_it():
    tensor = torch.tensor([1 + 2j]).conj()
    written(tensor, full=True)
    assert tensor.is_conj()
    assert tensor._version == 0
    assert X.grad is None
