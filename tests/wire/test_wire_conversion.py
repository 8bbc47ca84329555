"""Numbers in tensor documents: converted as torch.tensor converts, integers exact, booleans strict."""

import json

import numpy as np
import pytest
import torch
from reading import mistakes, read

from gradwire.contract.dtypes import DTYPES
from gradwire.wire.formats import FORMATS
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.skeleton import skeleton

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
