"""Tensor documents: what they give, and every mistake at its place."""

import itertools
import json

import numpy as np
import pybase64
import pytest
import torch

from gradwire.contract.dtypes import DTYPES
from gradwire.findings import Refusal, Source
from gradwire.wire.formats import FORMATS
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.skeleton import skeleton
from gradwire.wire.read.tensor import read_tensor

X = Source("/inputs/x")


def read(document):
    return read_tensor(document, X).tensor


def findings(document):
    with pytest.raises(Refusal) as caught:
        read_tensor(document, X)
    return caught.value.findings


def mistakes(document):
    """Code and pointer of each mistake, the pointer from the document on."""
    return [(finding.code, finding.source.pointer.removeprefix("/inputs/x")) for finding in findings(document)]


def same(tensor, expected):
    assert tensor.dtype == expected.dtype
    assert tensor.shape == expected.shape
    if tensor.is_complex():  # PyTorch does not compare complex32
        tensor, expected = torch.view_as_real(tensor), torch.view_as_real(expected)
    assert torch.equal(tensor, expected)


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


NUMBERS = [
    0,
    1,
    -1,
    0.0,
    -0.0,
    1.5,
    2.5,
    3.0,
    0.1,
    1e-3,
    7e-46,
    1e-45,
    1e-40,
    5.9e-8,
    3e-8,
    65519.99,
    65520.0,
    1e5,
    3.4e38,
    1.7e308,
    448,
    464,
    465,
    57344,
    61439,
    61440,
    240,
    248,
    256,
    2**53 + 1,
    2**63,
    2**64 - 1,
    -(2**63),
    True,
    False,
]


@pytest.mark.parametrize("spec", [spec for spec in DTYPES.values() if spec.kind == "float"], ids=lambda spec: spec.name)
@pytest.mark.parametrize("many", [False, True], ids=["few", "many"])
def test_numbers_convert_as_torch_converts(spec, many):
    form = FORMATS[spec.name]
    data = NUMBERS * 10 if many else NUMBERS
    expected = torch.tensor(data, dtype=form.dtype).view(form.word)
    for document in ({"data": data}, {"data": [data]}, {"data": [[value] for value in data]}):
        found = read({**document, "dtype": spec.name}).reshape(-1).view(form.word)
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("spec", [spec for spec in DTYPES.values() if spec.kind == "float"], ids=lambda spec: spec.name)
def test_buffers_convert_as_torch_converts(spec):
    form = FORMATS[spec.name]
    generator = np.random.default_rng(7)
    halves = torch.arange(0x7C00, dtype=torch.int32).to(torch.uint16).view(torch.float16).to(torch.float64).numpy()
    ties = (halves[1:] + halves[:-1]) / 2
    values = np.concatenate(
        [
            generator.standard_normal(3000) * 10.0 ** generator.integers(-50, 45, 3000),
            ties,
            np.nextafter(ties, 0),
            np.nextafter(ties, np.inf),
        ]
    ).tolist()
    array = skeleton(json.dumps(values).encode(), 10)
    assert isinstance(array, NumberArray)
    found = read({"data": array, "dtype": spec.name}).view(form.word)
    assert torch.equal(found, torch.tensor(values, dtype=form.dtype).view(form.word))


INTEGERS = [spec for spec in DTYPES.values() if spec.kind in ("int", "uint")]


@pytest.mark.parametrize("spec", INTEGERS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("form", ["number", "text", "many"])
def test_integers_are_exact_to_the_ends_of_their_dtype(spec, form):
    values = [spec.lowest, spec.lowest + 1, 0, 1, spec.highest - 1, spec.highest]
    data = [str(value) for value in values] if form == "text" else values * 50 if form == "many" else values
    found = read({"data": data, "dtype": spec.name})
    assert found.tolist() == (values * 50 if form == "many" else values)
    assert found.dtype == getattr(torch, spec.name)
    for beyond in (spec.lowest - 1, spec.highest + 1):
        value = str(beyond) if form == "text" else beyond
        if form == "text" or -(2**63) <= beyond < 2**64:
            assert mistakes({"data": [0, value], "dtype": spec.name}) == [("invalid_tensor", "/data/1")]


@pytest.mark.parametrize("spec", INTEGERS, ids=lambda spec: spec.name)
def test_integer_buffers_are_exact_and_in_range(spec):
    values = [spec.lowest, spec.highest, *range(100), *[7] * 3000]
    array = skeleton(json.dumps(values).encode(), 10)
    assert isinstance(array, NumberArray)
    assert read({"data": array, "dtype": spec.name}).tolist() == values
    for wrong in (spec.lowest - 1, spec.highest + 1, 0.5, 1e30):
        if isinstance(wrong, float) or -(2**63) <= wrong < 2**64:
            array = skeleton(json.dumps([*values, wrong]).encode(), 10)
            assert mistakes({"data": array, "dtype": spec.name}) == [("invalid_tensor", f"/data/{len(values)}")]


def test_large_integers_beside_floats_stay_exact():
    values = [2**53 + 1, 1.0, *[0] * 3000, 2**63 - 1]
    for data in (values, skeleton(json.dumps(values).encode(), 10)):
        assert read({"data": data, "dtype": "int64"})[[0, 1, -1]].tolist() == [2**53 + 1, 1, 2**63 - 1]


def test_fractions_booleans_and_texts_for_integers():
    assert read({"data": [1.0, 1e3, True, "-0", "007"], "dtype": "int16"}).tolist() == [1, 1000, 1, 0, 7]
    document = {"data": [1.5, "1.0", "+1", "1e3", "NaN", "0x10", "", " 1", "١", None, {}, 40000.0], "dtype": "int16"}
    assert mistakes(document) == [("invalid_tensor", f"/data/{index}") for index in range(12)]


def test_booleans_are_true_false_0_and_1():
    assert read({"data": [True, False, 1, 0, -0], "dtype": "bool"}).tolist() == [True, False, True, False, False]
    document = {"data": [2, -1, 0.5, 1.0, "true", "1", None, 0], "dtype": "bool"}
    assert mistakes(document) == [("invalid_tensor", f"/data/{index}") for index in range(7)]
    long = skeleton(json.dumps([0, 1] * 2000).encode(), 10)
    assert read({"data": long, "dtype": "bool"}).tolist() == [False, True] * 2000
    assert mistakes({"data": skeleton(json.dumps([0, 1] * 2000 + [2]).encode(), 10), "dtype": "bool"}) == [
        ("invalid_tensor", "/data/4000")
    ]
    assert mistakes({"data": skeleton(json.dumps([0, 1] * 2000 + [1.0]).encode(), 10), "dtype": "bool"}) == [
        ("invalid_tensor", "/data/4000")
    ]


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
        ([1] * 65, ["/shape"]),
    ],
)
def test_wrong_shapes(shape, places):
    assert mistakes({"data": [1], "shape": shape}) == [("invalid_tensor", place) for place in places]


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
