"""Complex tensors, and those whose data is bytes."""

import itertools
import json

import numpy as np
import pybase64
import pytest
import torch
from reading import X, findings, mistakes, read, same

from gradwire.contract.dtypes import DTYPES
from gradwire.findings import Refusal
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.skeleton import skeleton
from gradwire.wire.read.tensor import read_tensor


def test_complex_pairs():
    for dtype, kind in (("complex64", torch.complex64), ("cdouble", torch.complex128), ("complex32", torch.complex32)):
        same(read({"data": [[1, 2], [3, -4.5]], "dtype": dtype}), torch.tensor([1 + 2j, 3 - 4.5j], dtype=kind))
        same(read({"data": [1, 2], "dtype": dtype}), torch.tensor(1 + 2j, dtype=kind))
        same(read({"data": [[[1, 2]]], "dtype": dtype}), torch.tensor([[1 + 2j]], dtype=kind))
        for data in ([[1, 2], [3, 4]], [[[1, 2]], [[3, 4]]]):
            same(read({"data": data, "dtype": dtype, "shape": [2, 1]}), torch.tensor([[1 + 2j], [3 + 4j]], dtype=kind))


def test_bare_numbers_are_complex_only_where_a_shape_says_so():
    same(read({"data": [[1, 2], [3, 4]], "dtype": "cfloat", "shape": [2, 2]}), torch.tensor([[1, 2], [3, 4]]).cfloat())
    same(read({"data": [1, 2, 3, 4], "dtype": "cfloat", "shape": [2, 2]}), torch.tensor([[1, 2], [3, 4]]).cfloat())
    same(read({"data": [1, 2], "dtype": "cfloat", "shape": [2]}), torch.tensor([1, 2]).cfloat())
    same(read({"data": 5, "dtype": "cfloat", "shape": []}), torch.tensor(5).cfloat())
    for wrong in (5, [5], [1, 2, 3], [[1], [2]], [[1, 2, 3]], True):
        assert mistakes({"data": wrong, "dtype": "cfloat"}) == [("invalid_tensor", "/data")]
    assert mistakes({"data": [1, [2, 3]], "dtype": "cfloat", "shape": [2]}) == [("invalid_tensor", "/data/1")]
    assert mistakes({"data": [[1, 2, 3]], "dtype": "cfloat", "shape": [1]}) == [("invalid_tensor", "/data")]


def test_complex_parts_are_elements_of_the_real_kind():
    found = read({"data": [["0x7fc00001", "-NaN"], ["1e400", "-0.0"], [True, "0.1"]], "dtype": "complex64"})
    words = torch.view_as_real(found).view(torch.uint32).reshape(-1).tolist()
    assert words == [0x7FC00001, 0xFFC00000, 0x7F800000, 0x80000000, 0x3F800000, 0x3DCCCCCD]
    assert mistakes({"data": [[1, 2], ["0x7fc0", None]], "dtype": "complex64"}) == [
        ("invalid_tensor", "/data/1/0"),
        ("invalid_tensor", "/data/1/1"),
    ]


def test_empty_complex_tensors():
    assert read({"data": [], "dtype": "cfloat"}).shape == (0,)
    assert read({"data": [[], []], "dtype": "cfloat"}).shape == (2, 0)
    assert read({"data": [[], []], "dtype": "cfloat", "shape": [2, 0]}).shape == (2, 0)
    assert read({"data": [], "dtype": "cfloat", "shape": [0, 3]}).shape == (0, 3)


def test_long_complex_data():
    values = np.random.default_rng(1).standard_normal((500, 2))
    array = skeleton(json.dumps(values.tolist()).encode(), 10)
    assert isinstance(array, NumberArray)
    assert torch.equal(read({"data": array, "dtype": "cdouble"}), torch.view_as_complex(torch.tensor(values)))
    assert read({"data": array, "dtype": "cdouble", "shape": [500, 2]}).shape == (500, 2)


@pytest.mark.parametrize("spec", DTYPES.values(), ids=lambda spec: spec.name)
def test_base64_is_little_endian_c_order_bytes(spec):
    raw = bytes(itertools.islice(itertools.cycle([0, 1]), 6 * spec.itemsize))
    document = {"data": pybase64.b64encode(raw).decode(), "encoding": "base64", "dtype": spec.name, "shape": [2, 3]}
    found = read(document)
    assert found.dtype == getattr(torch, spec.name)
    assert found.shape == (2, 3)
    assert found.reshape(-1).view(torch.uint8).numpy().tobytes() == raw
    assert found.data_ptr() % 64 == 0


def b64(**members):
    return {"data": "AACAPwAAAEA=", "encoding": "base64", "dtype": "float32", "shape": [2], **members}


def test_base64():
    assert read(b64()).tolist() == [1.0, 2.0]
    assert read(b64(data="", shape=[0, 4])).shape == (0, 4)
    assert read(b64(data="AACAPw==", shape=[])).item() == 1.0
    for wrong in ("AACAPwAAAEA", "AACA PwAAAEA=", "AACAPwAAAE*=", "AACAPwAAAEA=\n", "é", 5, [1.0, 2.0], None):
        assert mistakes(b64(data=wrong)) == [("invalid_tensor", "/data")]
    (finding,) = findings(b64(shape=[3]))
    assert (finding.source.pointer, finding.got, finding.expected) == ("/inputs/x/data", 8, 12)
    assert mistakes(b64(shape=[2**40, 2**40])) == [("invalid_tensor", "/data")]
    assert mistakes({"data": "AACAPw==", "encoding": "base64"}) == [("invalid_tensor", "")] * 2
    assert mistakes({"encoding": "base64", "shape": [1]}) == [("invalid_tensor", "")]


def test_base64_booleans_are_0_and_1():
    assert read(b64(data="AQAB", dtype="bool", shape=[3])).tolist() == [True, False, True]
    (finding,) = findings(b64(data="AQAC", dtype="bool", shape=[3]))
    assert (finding.source.pointer, finding.got) == ("/inputs/x/data", 2)


def test_parts():
    document = {"data": "p", "encoding": "part", "dtype": "int16", "shape": [2]}
    assert read_tensor(document, X, {"p": b"\x01\x00\x02\x00"}).tensor.tolist() == [1, 2]
    assert mistakes(document) == [("invalid_tensor", "/data")]
    with pytest.raises(Refusal, match="4 bytes"):
        read_tensor({**document, "shape": [3]}, X, {"p": b"\x01\x00\x02\x00"})
