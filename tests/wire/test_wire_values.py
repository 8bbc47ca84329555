"""Values of every kind as they stand in a reply."""

import collections
import json
import math
import re

import numpy as np
import orjson
import pytest
import torch

from gradwire.contract.limits import Limits
from gradwire.engine.values import NoneBecause
from gradwire.findings import Refusal
from gradwire.wire.write.value import encode

X = torch.ones(2, 2, requires_grad=True)


def refuse_constant(word):
    raise AssertionError(f"{word} stands bare")


def written(value, encoding="json", full=False, limits=Limits()):  # noqa: B008 - a frozen record
    return json.loads(orjson.dumps(encode(value, encoding, full, limits)), parse_constant=refuse_constant)


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (True, {"kind": "bool", "value": True}),
        (np.bool_(False), {"kind": "bool", "value": False}),
        (5, {"kind": "int", "value": 5}),
        (2**53 - 1, {"kind": "int", "value": 2**53 - 1}),
        (2**53, {"kind": "int", "value": "9007199254740992"}),
        (-(2**70), {"kind": "int", "value": str(-(2**70))}),
        (np.int8(3), {"kind": "int", "value": 3}),
        (np.uint64(2**64 - 1), {"kind": "int", "value": "18446744073709551615"}),
        (1.5, {"kind": "float", "value": 1.5}),
        (-1.874952793121338, {"kind": "float", "value": -1.874952793121338}),
        (math.nan, {"kind": "float", "value": "NaN"}),
        (-math.inf, {"kind": "float", "value": "-Infinity"}),
        (np.float64(0.5), {"kind": "float", "value": 0.5}),
        (np.float32(0.1), {"kind": "float", "value": 0.10000000149011612}),
        (1 - 2.5j, {"kind": "complex", "value": [1.0, -2.5]}),
        (complex(math.nan, math.inf), {"kind": "complex", "value": ["NaN", "Infinity"]}),
        (np.complex64(1j), {"kind": "complex", "value": [0.0, 1.0]}),
        ("é$", {"kind": "string", "value": "é$"}),
        (None, {"kind": "none", "value": None}),
        (NoneBecause("why"), {"kind": "none", "value": None, "note": "why"}),
        (torch.Size([5, 3]), {"kind": "size", "value": [5, 3]}),
        (torch.Size([]), {"kind": "size", "value": []}),
        (torch.float32, {"kind": "dtype", "value": "float32"}),
        (torch.double, {"kind": "dtype", "value": "float64"}),
        (np.dtype("float64"), {"kind": "dtype", "value": "float64"}),
        (torch.device("cpu"), {"kind": "device", "value": "cpu"}),
        (torch.device("cuda:1"), {"kind": "device", "value": "cuda:1"}),
        (torch.strided, {"kind": "layout", "value": "strided"}),
        (torch.channels_last, {"kind": "memory_format", "value": "channels_last"}),
        ((X + 1).grad_fn, {"kind": "string", "value": "AddBackward0"}),
        ([1, "a"], {"kind": "list", "items": [{"kind": "int", "value": 1}, {"kind": "string", "value": "a"}]}),
        ((), {"kind": "tuple", "items": []}),
        ({"a": [None]}, {"kind": "dict", "items": {"a": {"kind": "list", "items": [{"kind": "none", "value": None}]}}}),
        (slice(1, None), {"kind": "string", "value": "slice(1, None, None)"}),
        (..., {"kind": "string", "value": "Ellipsis"}),
    ],
    ids=lambda value: re.sub("0x[0-9a-f]+", "0x0", repr(value)),
)
def test_values(value, document):
    assert written(value) == document


def test_floats_are_laid_out_as_repr():
    for value in (1e16, 1e-5, 1e-7, 27.0, -0.0, 0.1, 5e-324):
        assert f'"value":{value!r}' in orjson.dumps(encode(value, "json", False, Limits())).decode()
        assert f"[{value!r},0.0]" in orjson.dumps(encode(complex(value, 0), "json", False, Limits())).decode()


def test_nan_payload_of_a_float():
    value = torch.tensor([0x7FF8000000000001], dtype=torch.int64).view(torch.float64).item()
    assert written(value)["value"] == "0x7ff8000000000001"
    assert written(-math.nan)["value"] == "-NaN"


def test_named_tuples():
    document = written(torch.max(torch.tensor([[1.0, 2.0]]), 1))
    assert {name: document[name] for name in ("kind", "type", "names")} == {
        "kind": "tuple",
        "type": "torch.return_types.max",
        "names": ["values", "indices"],
    }
    assert [item["data"] for item in document["items"]] == [[2.0], [1]]
    document = written(torch.linalg.svd(torch.eye(2)))
    assert (document["type"], document["names"]) == ("torch.return_types.linalg_svd", ["U", "S", "Vh"])
    assert written(torch.linalg.slogdet(torch.eye(2)))["names"] == ["sign", "logabsdet"]
    document = written(Point(1, 2))
    assert document["names"] == ["x", "y"]


def test_what_has_no_kind_shows_no_address():
    document = written(object())
    assert (document["kind"], document["value"]) == ("string", "object")
    assert "0x" not in json.dumps(written(lambda: None))
    assert written(torch.finfo(torch.half))["value"].startswith("finfo(resolution=0.001")


SMALL = Limits(max_output_bytes=1000)


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(1).expand(10**10),
        torch.zeros(10**9, 0),
        torch.ones(1).expand(10**6, 10**6),
        torch.zeros(300),
        torch.zeros(80, 1, 1, 1),
        torch.zeros(401, dtype=torch.bool),
        torch.zeros(110, dtype=torch.complex64),
        "x" * 1000,
        10**1000,
        [0] * 100,
        {"a" * 1000: 1},
        torch.eye(2).to_sparse().sparse_resize_((10**6, 10**6), 2, 0),
        np.broadcast_to(np.ones(1), (10**10,)),
        [torch.zeros(100)] * 3,
        torch.nested.nested_tensor([torch.ones(400), torch.ones(1)]),
        torch.Size([1] * 2000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_too_large_values_are_refused_before_they_are_written(value):
    for limits in (SMALL, Limits(max_output_bytes=999)):
        with pytest.raises(Refusal) as caught:
            written(value, limits=limits)
        (finding,) = caught.value.findings
        assert finding.code == "limit_exceeded"


def test_values_up_to_the_limit_are_written():
    assert written(torch.zeros(200), limits=SMALL)["data"] == [0.0] * 200
    assert written(torch.zeros(1, 0, 10**9), limits=SMALL)["data"] == [[]]
    assert written(torch.zeros(180), "base64", limits=SMALL)["shape"] == [180]
    with pytest.raises(Refusal):
        written(torch.zeros(188), "base64", limits=SMALL)


def test_an_integer_that_python_writes_no_text_for():
    with pytest.raises(Refusal) as caught:
        written(1 << 100_000)
    assert caught.value.findings[0].code == "limit_exceeded"


def test_a_value_nests_at_most_100_deep():
    value = []
    for _ in range(99):
        value = [value]
    written(value)
    with pytest.raises(Refusal, match="nests more than 100 deep"):
        written([[value]])
    value.append(value)
    with pytest.raises(Refusal):
        written(value)


def test_a_value_has_at_most_a_million_parts_counting_each_occurrence():
    value = ["x", "x"]
    for _ in range(9):
        value = [value] * 10
    with pytest.raises(Refusal, match="more than 1000000 parts") as caught:
        written(value)
    assert caught.value.findings[0].code == "limit_exceeded"
    assert len(written([[1] * 10] * 1000)["items"]) == 1000
