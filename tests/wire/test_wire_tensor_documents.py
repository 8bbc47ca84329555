"""Tensor documents: what they give, and every mistake at its place."""

import json

import pytest
import torch
from reading import X, findings, mistakes, read, same

from gradwire.contract.dtypes import DTYPES
from gradwire.wire.read.skeleton import skeleton
from gradwire.wire.read.tensor import read_tensor


@pytest.mark.parametrize(
    "bare",
    [
        5,
        5.0,
        True,
        [5.5, 3],
        [1, 2],
        [True],
        [True, 1],
        [True, 2.5],
        [1.0],
        [1e3],
        [],
        [[]],
        [[], []],
        [[1, 2], [3, 4]],
        [[[1]]],
    ],
    ids=str,
)
def test_bare_data_is_inferred_as_torch_infers_it(bare):
    same(read(bare), torch.tensor(bare))
    same(read({"data": bare}), torch.tensor(bare))


def test_words_for_nan_and_infinity_count_as_floats():
    tensor = read(["NaN", 1, "-Infinity"])
    assert tensor.dtype == torch.float32
    assert [str(value) for value in tensor.tolist()] == ["nan", "1.0", "-inf"]
    assert mistakes(["NaN", "1.5", "0x7fc00000"]) == [("invalid_tensor", "/1"), ("invalid_tensor", "/2")]
    assert mistakes({"data": ["1"]}) == [("invalid_tensor", "/data/0")]


def test_integers_beyond_int64_need_uint64():
    (finding,) = findings([1, 2**63])
    assert (finding.source.pointer, finding.hint) == ("/inputs/x/1", 'say "dtype": "uint64"')
    assert read({"data": [2**63, 2**64 - 1], "dtype": "uint64"}).tolist() == [2**63, 2**64 - 1]


@pytest.mark.parametrize("spec", DTYPES.values(), ids=lambda spec: spec.name)
def test_every_spelling_of_a_dtype(spec):
    data = [[1, 0]] if spec.kind == "complex" else [1]
    for name in (spec.name, *spec.aliases):
        for spelling in (name, f"torch.{name}"):
            assert read({"data": data, "dtype": spelling}).dtype == getattr(torch, spec.name)


RAGGED = {
    "[[1, 2], [3]]": "/1",
    "[[1], [2, 3]]": "/1",
    "[1, [2]]": "/1",
    "[[1], 2]": "/1",
    "[[1, 2], [3, [4]]]": "/1/1",
    "[[[1], [2]], [[3], []]]": "/1/1",
    "[[[1], [2]], [[3]]]": "/1",
    "[[], [1]]": "/1",
    "[[1], []]": "/1",
    "[[], 1]": "/1",
    "[[[1, 2]], [[3], [4]]]": "/1",
    "[[1, 2], null]": "/1",
    '[[1, 2], "ab"]': "/1",
}


@pytest.mark.parametrize("text", RAGGED)
def test_ragged_data(text):
    data = json.loads(text)
    assert mistakes(data) == [("invalid_tensor", RAGGED[text])]
    for more in ({}, {"dtype": "float32"}, {"shape": [2, 2]}):
        assert mistakes({"data": data, **more}) == [("invalid_tensor", "/data" + RAGGED[text])]


def test_long_ragged_data():
    row = [0] * 3000
    assert mistakes({"data": skeleton(json.dumps([row, [*row, 1]]).encode(), 10)}) == [("invalid_tensor", "/data/1")]
    assert mistakes({"data": skeleton(json.dumps([row, [[1], *row[1:]]]).encode(), 10)}) == [
        ("invalid_tensor", "/data/1/0")
    ]


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([1, 2, 3, 4], [2, 2]),
        ([[1, 2], [3, 4]], [2, 2]),
        (5, []),
        ([5], []),
        ([5], [1]),
        ([5], [1, 1, 1]),
        ([], [0]),
        ([], [0, 3]),
        ([[], []], [2, 0]),
        ([[], []], [2, 0, 5]),
        ([], [2, 0, 5]),
        ([], [3, 0]),
        ([], [10**9, 0]),
    ],
)
def test_shape_says_how_data_is_arranged(data, shape):
    found = read({"data": data, "shape": shape})
    assert list(found.shape) == shape
    assert (
        found.reshape(-1).tolist() == (data if isinstance(data, list) and data[:1] != [[]] else [5])[:4]
        or shape == [2, 2]
        or not found.numel()
    )


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([1, 2, 3], [2]),
        ([1, 2], [3]),
        (5, [1]),
        ([[1, 2], [3, 4]], [4]),
        ([[1, 2, 3], [4, 5, 6]], [3, 2]),
        ([], []),
        ([], [1]),
        ([[]], [2, 0]),
        ([1], [0]),
        ([[1]], []),
        ([1], [2**40, 2**40]),
        ([[1, 2]], [2]),
    ],
)
def test_data_that_does_not_match_its_shape(data, shape):
    assert mistakes({"data": data, "shape": shape}) == [("invalid_tensor", "/data")]


def test_sizes_that_overflow_are_over_a_limit():
    assert mistakes({"data": [], "shape": [2**40, 2**40, 0]}) == [("limit_exceeded", "/shape")]
    assert mistakes({"data": "", "shape": [2**62, 2**62, 0], "dtype": "half", "encoding": "base64"}) == [
        ("limit_exceeded", "/shape")
    ]


@pytest.mark.parametrize(
    ("shape", "places"),
    [
        (5, ["/shape"]),
        (None, ["/shape"]),
        ("2", ["/shape"]),
        ({}, ["/shape"]),
        ([-1], ["/shape/0"]),
        ([1, 2.0], ["/shape/1"]),
        ([True], ["/shape/0"]),
        (["2", 1, None], ["/shape/0", "/shape/2"]),
        ([2**63], ["/shape/0"]),
        ([1] * 129, ["/shape"]),
    ],
)
def test_wrong_shapes(shape, places):
    assert mistakes({"data": [1], "shape": shape}) == [("invalid_tensor", place) for place in places]


def nested(levels, value):
    for _ in range(levels):
        value = [value]
    return value


def test_as_many_dimensions_as_torch_takes():
    most = torch.full([1] * 128, 1.5)
    same(read(nested(128, 1.5)), most)
    same(read({"data": [1.5], "shape": [1] * 128}), most)
    same(read({"data": nested(128, 1.5), "shape": [1] * 128}), most)
    assert read({"data": nested(128, [1, 2]), "dtype": "complex64"}).shape == (1,) * 128


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (nested(129, 1.5), ""), ({"data": nested(129, 1.5)}, "/data"), ({"data": [1.5], "shape": [1] * 129}, "/shape"),
        ({"data": nested(129, [1, 2]), "dtype": "complex64"}, "/data"),
        ({"data": nested(190, True), "dtype": "bool"}, "/data"),
    ],
)  # fmt: skip
def test_more_dimensions_than_torch_takes(document, place):
    assert mistakes(document) == [("invalid_tensor", place)]


def test_gradients_and_devices():
    document = read_tensor({"data": [1.0], "requires_grad": True, "device": "cuda:7"}, X)
    assert (document.requires_grad, document.device) == (True, "cuda:7")
    assert not document.tensor.requires_grad
    assert read_tensor({"data": [[1, 2]], "dtype": "cfloat", "requires_grad": True}, X).requires_grad
    assert mistakes({"data": [1], "requires_grad": True}) == [("invalid_tensor", "/requires_grad")]
    assert mistakes({"data": [True], "dtype": "bool", "requires_grad": True}) == [("invalid_tensor", "/requires_grad")]
    assert not read_tensor({"data": [1], "requires_grad": False}, X).requires_grad
    for wrong in (1, "true", None, []):
        assert mistakes({"data": [1.0], "requires_grad": wrong}) == [("invalid_tensor", "/requires_grad")]
    for wrong in (1, None, {}):
        assert mistakes({"data": [1.0], "device": wrong}) == [("unavailable_device", "/device")]


def test_all_mistakes_of_a_document_come_at_once():
    document = {
        "dtype": "flot32",
        "shape": [-1],
        "encoding": "hex",
        "requires_grad": 1,
        "device": 5,
        "data": [[1], [2, 3]],
    }
    assert mistakes(document) == [
        ("invalid_tensor", "/encoding"),
        ("invalid_tensor", "/dtype"),
        ("invalid_tensor", "/shape/0"),
        ("invalid_tensor", "/requires_grad"),
        ("unavailable_device", "/device"),
    ]
    del document["encoding"]
    assert mistakes(document)[-1] == ("invalid_tensor", "/data/1")
    assert mistakes({"data": [1.5, 2, None], "dtype": "int8", "shape": [2]}) == [
        ("invalid_tensor", "/data"),
        ("invalid_tensor", "/data/0"),
        ("invalid_tensor", "/data/2"),
    ]
    assert mistakes({}) == [("invalid_tensor", "")]
    assert mistakes({"dtype": "x"}) == [("invalid_tensor", "/dtype"), ("invalid_tensor", "")]
    assert len(mistakes({"data": [None] * 1000})) == 20


def test_hints_and_expectations():
    (finding,) = findings({"data": [1], "dtype": "flaot32"})
    assert finding.hint == 'did you mean "float32"?'
    assert "float8_e8m0fnu" in finding.expected
    (finding,) = findings({"data": [1], "encoding": "b64"})
    assert (finding.got, finding.expected) == ("b64", ["json", "base64", "part"])
    (finding,) = findings({"data": [1.0, None]})
    assert "NaN" in finding.hint


@pytest.mark.parametrize("wrong", [None, "x", "NaN"])
def test_what_is_no_tensor(wrong):
    assert mistakes(wrong) == [("invalid_tensor", "")]


@pytest.mark.parametrize("wrong", [None, {}, "x", {"a": 1}])
def test_what_is_no_data(wrong):
    assert mistakes({"data": wrong}) == [("invalid_tensor", "/data")]


def test_members_that_only_describe_are_ignored_in_any_order():
    document = {
        "grad_fn": "AddBackward0",
        "data": [1.5],
        "kind": "tensor",
        "is_leaf": False,
        "strides": [1],
        "note": "x",
        "version": 3,
        "shape": [1],
        "storage": 0,
        "dtype": "float64",
        "encoding": "json",
        "storage_offset": 7,
    }
    assert read(document).tolist() == [1.5]


def test_tensors_own_aligned_memory():
    for data in ([1.0], [1.0] * 1000, skeleton(json.dumps([1.0] * 3000).encode(), 3)):
        for dtype in ("float64", "float32", "bfloat16", "int64"):
            assert read({"data": data, "dtype": dtype}).data_ptr() % 64 == 0
