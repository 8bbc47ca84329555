"""What is written reads back to the same bits, and is as short as it can be."""

import json
import math
import re
from fractions import Fraction

import numpy as np
import orjson
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from gradwire.contract.dtypes import DTYPES
from gradwire.contract.limits import Limits
from gradwire.findings import Source
from gradwire.wire.formats import FORMATS
from gradwire.wire.read.skeleton import skeleton
from gradwire.wire.read.tensor import read_tensor
from gradwire.wire.write.value import encode

NARROW = ["float16", "bfloat16", *(spec.name for spec in DTYPES.values() if spec.name.startswith("float8"))]
WORDS = {"NaN", "-NaN", "Infinity", "-Infinity"}


def written(value, encoding="json", full=False) -> bytes:
    return orjson.dumps(encode(value, encoding, full, Limits()))


def refuse_constant(word):
    raise AssertionError(f"{word} stands bare")


def data_of(value):
    """The data of a tensor in a reply, numbers as their texts."""
    return json.loads(written(value), parse_constant=refuse_constant, parse_float=str, parse_int=str)["data"]


def back(value, encoding="json"):
    """The tensor that a reply's document is when it is sent back as it came."""
    return read_tensor(skeleton(written(value, encoding), 100), Source()).tensor


def every_pattern(name):
    form = FORMATS[name]
    words = torch.arange(1 << (8 * form.spec.itemsize), dtype=torch.int32).to(form.word)
    return words.view(form.dtype)


def same_bits(tensor, expected):
    assert tensor.dtype == expected.dtype
    assert tensor.shape == expected.shape
    if tensor.numel():
        expected = expected.resolve_conj().reshape(-1).contiguous()
        assert tensor.reshape(-1).view(torch.uint8).tolist() == expected.view(torch.uint8).tolist()


@pytest.mark.parametrize("encoding", ["json", "base64"])
@pytest.mark.parametrize("name", NARROW)
def test_every_pattern_of_the_narrow_floats_survives(name, encoding):
    patterns = every_pattern(name)
    same_bits(back(patterns, encoding), patterns)
    same_bits(back(patterns.reshape(16, -1), encoding), patterns.reshape(16, -1))
    for start in range(0, len(patterns), len(patterns) // 16):
        for one in (patterns[start], patterns[start : start + 1], patterns[start : start + 3]):
            same_bits(back(one, encoding), one)


@pytest.mark.parametrize("name", ["float16"])
def test_every_pattern_survives_as_a_complex_part(name):
    patterns = every_pattern(name)
    pairs = torch.view_as_complex(torch.stack((patterns, patterns.flip(0)), dim=-1).contiguous())
    same_bits(back(pairs), pairs)


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_random_patterns_survive(name, encoding):
    form = FORMATS[name]
    words = np.random.default_rng(3).integers(0, 2 ** (8 * form.spec.itemsize), 50_000, dtype=f"u{form.spec.itemsize}")
    tensor = torch.from_numpy(words).view(form.dtype)
    same_bits(back(tensor, encoding), tensor)
    same_bits(back(tensor.reshape(100, 5, 100), encoding), tensor.reshape(100, 5, 100))


@given(data=st.data(), name=st.sampled_from(["float32", "float64"]))
@settings(max_examples=300, deadline=None)
def test_any_patterns_survive(data, name):
    form = FORMATS[name]
    shapes = numpy_strategies.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    words = data.draw(numpy_strategies.arrays(f"u{form.spec.itemsize}", data.draw(shapes)))
    tensor = torch.from_numpy(np.array(words)).reshape(-1).view(form.dtype).reshape(words.shape)
    same_bits(back(tensor), tensor)


@given(data=st.data(), name=st.sampled_from(["int64", "uint64", "int32", "uint16", "int8"]))
@settings(max_examples=200, deadline=None)
def test_any_integers_survive(data, name):
    shapes = numpy_strategies.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    tensor = torch.from_numpy(np.array(data.draw(numpy_strategies.arrays(name, data.draw(shapes)))))
    same_bits(back(tensor), tensor)


@given(st.lists(st.complex_numbers(width=64), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_complex_numbers_survive(values):
    tensor = torch.tensor(values, dtype=torch.complex64)
    same_bits(back(tensor), tensor)
    same_bits(back(tensor.conj()), tensor.conj())


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=1000, deadline=None)
def test_float32_has_the_fewest_digits_that_read_back(value):
    (text,) = data_of(torch.tensor([value]))
    assert_laid_out_as_repr(text)
    digits = significant(text)
    exact = torch.tensor([value], dtype=torch.float32)
    assert torch.tensor([float(text)], dtype=torch.float32).view(torch.int32) == exact.view(torch.int32)
    if digits > 1:
        shorter = f"{value:.{digits - 2}e}"
        assert torch.tensor([float(shorter)], dtype=torch.float32) != exact
    nearest = f"{value:.{digits - 1}e}"
    assert abs(Fraction(text) - Fraction(value)) <= abs(Fraction(nearest) - Fraction(value))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
@settings(max_examples=500, deadline=None)
def test_float64_is_written_as_repr_writes_it(values):
    assert data_of(torch.tensor(values, dtype=torch.float64)) == [repr(value) for value in values]
    many = torch.tensor(values * 300, dtype=torch.float64)
    assert data_of(many) == [repr(value) for value in values] * 300


@pytest.mark.parametrize("many", [1, 1000], ids=["small", "large"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_layout_at_every_power_of_ten(dtype, many):
    values = []
    for exponent in range(-46 if dtype is torch.float32 else -324, 39 if dtype is torch.float32 else 309):
        start = torch.tensor(float(f"1e{exponent}"), dtype=dtype)
        below = torch.nextafter(start, torch.tensor(0.0, dtype=dtype))
        above = torch.nextafter(start, torch.tensor(math.inf, dtype=dtype))
        values += [start, below, above, -start, start * 9.5]
    tensor = torch.stack(values).repeat(many)
    for text, value in zip(data_of(tensor)[: len(values)], values, strict=True):
        if text not in WORDS:
            assert_laid_out_as_repr(text)
            assert torch.tensor(float(text), dtype=dtype) == value
    for value in values[:: 1 if many == 1 else 50]:
        assert str(data_of(value)) in WORDS or repr(float(data_of(value))) == data_of(value)


def assert_laid_out_as_repr(text):
    assert repr(float(text)) == text


def significant(text):
    return len(re.sub(r"e.*|[-.]", "", text).strip("0")) or 1


# The narrow floats against exact arithmetic, all of them.


def neighbours(name):
    """(value, its lower bound, its upper bound, whether ties are its own) of each positive finite number."""
    tensor = every_pattern(name).to(torch.float64)
    values = sorted({value for value in tensor.tolist() if math.isfinite(value) and value > 0})
    zero = bool((tensor == 0).any())
    for index, value in enumerate(values):
        below = values[index - 1] if index else 0.0 if zero else value / 2
        above = values[index + 1] if index + 1 < len(values) else value + (value - below) * (1 if zero else 2)
        low, high = (Fraction(below) + Fraction(value)) / 2, (Fraction(above) + Fraction(value)) / 2
        even = (index + 1) % 2 == 0
        if zero:
            yield value, low, high, (even, even)
        elif index:
            yield value, low, high, (True, False)
        else:  # PyTorch rounds up all that is above the least number of float8_e8m0fnu
            yield value, low, Fraction(value), (True, True)


def shortest_by_hand(value, low, high, ties):
    exact = Fraction(value)
    exponent = math.floor(math.log10(value))
    for digits in range(1, 20):
        unit = Fraction(10) ** (exponent - digits + 1)
        start = exact // unit
        candidates = [
            mantissa * unit
            for mantissa in range(start - 1, start + 3)
            if low < mantissa * unit < high
            or (ties[0] and mantissa * unit == low)
            or (ties[1] and mantissa * unit == high)
        ]
        if candidates:
            return {c for c in candidates if abs(c - exact) == min(abs(d - exact) for d in candidates)}
    raise AssertionError(value)


@pytest.mark.parametrize("name", NARROW)
def test_narrow_floats_have_the_fewest_digits_and_the_nearest(name):
    form = FORMATS[name]
    patterns = every_pattern(name)
    texts = dict(zip(patterns.to(torch.float64).tolist(), data_of(patterns), strict=True))
    checked = 0
    for value, low, high, ties in neighbours(name):
        assert_laid_out_as_repr(texts[value])
        assert Fraction(texts[value]) in shortest_by_hand(value, low, high, ties), (value, texts[value])
        if -value in texts:
            assert texts[-value] == f"-{texts[value]}"
        checked += 1
    assert checked > 100
    assert form.spec.kind == "float"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("float32", 0.1, "0.1"),
        ("float32", 27.0, "27.0"),
        ("float32", 1e20, "1e+20"),
        ("float32", 1e-45, "1e-45"),
        ("float32", 1e-5, "1e-05"),
        ("float32", 123456792.0, "123456790.0"),
        ("float32", 1e15, "1000000000000000.0"),
        ("float32", 1e16, "1e+16"),
        ("float32", -0.0, "-0.0"),
        ("float32", 3.4028234663852886e38, "3.4028235e+38"),
        ("float64", 0.1, "0.1"),
        ("float64", 5e-324, "5e-324"),
        ("float64", 1e16, "1e+16"),
        ("float64", 9007199254740993.0, "9007199254740992.0"),
        ("float16", 0.1, "0.1"),
        ("float16", 65504.0, "65500.0"),
        ("float16", 6e-8, "6e-08"),
        ("float16", -0.0, "-0.0"),
        ("bfloat16", 0.1, "0.1"),
        ("bfloat16", 3e38, "3e+38"),
        ("bfloat16", 1.0, "1.0"),
        ("float8_e4m3fn", 448.0, "450.0"),
        ("float8_e5m2", 0.1, "0.09"),
        ("float8_e8m0fnu", 1.0, "1.0"),
        ("float8_e8m0fnu", 2.0**127, "2e+38"),
    ],
)
def test_texts(name, value, text):
    dtype = getattr(torch, name)
    assert data_of(torch.tensor(value, dtype=dtype)) == text
    assert data_of(torch.tensor([value], dtype=dtype)) == [text]
    assert data_of(torch.tensor([value] * 2000, dtype=dtype)) == [text] * 2000
