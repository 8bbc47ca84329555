"""Elements in strings: every one read exactly for its dtype."""

import itertools
import math
import random
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradwire.contract.dtypes import DTYPES
from gradwire.findings import Refusal, Source
from gradwire.wire.formats import FORMATS
from gradwire.wire.read.elements import LONGEST_TEXT, WrongElement, decimal, read_float, read_integer
from gradwire.wire.read.tensor import read_tensor

FLOATS = [spec for spec in DTYPES.values() if spec.kind == "float"]


def bits(data, name):
    """The bits of a flat tensor of that dtype made from `data`."""
    tensor = read_tensor({"data": data, "dtype": name}, Source()).tensor
    return tensor.view(FORMATS[name].word).tolist()


@pytest.mark.parametrize(
    ("name", "nan", "negative"),
    [
        ("float64", 0x7FF8000000000000, 0xFFF8000000000000),
        ("float32", 0x7FC00000, 0xFFC00000),
        ("float16", 0x7E00, 0xFE00),
        ("bfloat16", 0x7FC0, 0xFFC0),
        ("float8_e5m2", 0x7F, 0xFF),
        ("float8_e4m3fn", 0x7F, 0xFF),
        ("float8_e5m2fnuz", 0x80, 0x80),
        ("float8_e4m3fnuz", 0x80, 0x80),
        ("float8_e8m0fnu", 0xFF, 0xFF),
    ],
)
def test_default_nans(name, nan, negative):
    assert bits(["NaN", "-NaN", 0.5], name)[:2] == [nan, negative]


@pytest.mark.parametrize("spec", FLOATS, ids=lambda spec: spec.name)
def test_words_and_overflow_become_what_torch_makes_of_them(spec):
    form = FORMATS[spec.name]
    texts = [
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "0",
        "-0",
        "-0.0",
        "0e5",
        "1e999999999999",
        "-1e-999999999999",
        "0e99999999",
        "-1",
        "1e-400",
    ]
    numbers = [math.inf, -math.inf, math.inf, -math.inf, 0.0, -0.0, -0.0, 0.0, math.inf, -0.0, 0.0, -1.0, 0.0]
    assert bits(texts, spec.name) == torch.tensor(numbers, dtype=form.dtype).view(form.word).tolist()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("float32", "0x7fc00001", 0x7FC00001),
        ("float32", "0xFF800001", 0xFF800001),
        ("float32", "0x3f800000", 0x3F800000),
        ("float64", "0x7ff0000000000001", 0x7FF0000000000001),
        ("float16", "0x7c01", 0x7C01),
        ("bfloat16", "0xff81", 0xFF81),
        ("float8_e5m2", "0x7d", 0x7D),
        ("float8_e4m3fn", "0xff", 0xFF),
        ("float8_e8m0fnu", "0x00", 0),
    ],
)
def test_raw_bits(name, text, expected):
    assert bits([text], name) == [expected]


@pytest.mark.parametrize(
    "text", ["0x7fc0000", "0x7fc000001", "0x", "0x7fc0000g", "0X7fc00001", "7fc00001", "-0x7fc00001", "0x7fc0 001"]
)
def test_wrong_raw_bits(text):
    with pytest.raises(WrongElement):
        read_float(text, DTYPES["float32"])


WRONG = [
    "",
    " ",
    "1 ",
    "+1",
    ".5",
    "1.",
    "01",
    "-01",
    "1e",
    "1e+",
    "1,5",
    "1_0",
    "nan",
    "inf",
    "infinity",
    "+Infinity",
    "--1",
    "١",
    "0b1",
    "1\n",
    "true",
]


@pytest.mark.parametrize("text", WRONG, ids=repr)
@pytest.mark.parametrize("name", ["float64", "float16"])
def test_text_is_by_the_grammar_of_json(text, name):
    with pytest.raises(WrongElement):
        read_float(text, DTYPES[name])


def test_texts_have_at_most_1100_characters():
    longest = "0." + "1" * (LONGEST_TEXT - 2)
    assert LONGEST_TEXT == 1100
    assert read_float(longest, DTYPES["float64"]) == float(longest)
    for spec in (DTYPES["float64"], DTYPES["float8_e5m2"]):
        with pytest.raises(WrongElement, match="1101 characters"):
            read_float(longest + "1", spec)
    assert read_integer("0" * 1099 + "7", DTYPES["int8"]) == 7
    with pytest.raises(WrongElement, match="1101 characters"):
        read_integer("0" * 1101, DTYPES["int8"])
    with pytest.raises(Refusal, match="out of range"):
        read_tensor({"data": ["9" * 1100], "dtype": "int64"}, Source())


# An oracle by exact arithmetic: all numbers of a dtype in order, and the nearest one to a fraction.


def numbers_of(name):
    """(value, bits) of every positive finite number, ascending."""
    form = FORMATS[name]
    words = torch.arange(1 << (8 * form.spec.itemsize), dtype=torch.int32).to(form.word)
    values = words.view(form.dtype).to(torch.float64)
    pairs = [(v, w) for v, w in zip(values.tolist(), words.tolist(), strict=True) if math.isfinite(v) and v > 0]
    return sorted(pairs)


def nearest_bits(exact, numbers):
    """The bits that `exact` (positive, in range) rounds to; ties to even, in e8m0 (no zero) up."""
    for (low, low_bits), (high, high_bits) in itertools.pairwise(numbers):
        if Fraction(low) <= exact <= Fraction(high):
            middle = (Fraction(low) + Fraction(high)) / 2
            if exact == middle:
                return high_bits if low_bits % 2 or numbers[0][1] == 0 else low_bits
            return low_bits if exact < middle else high_bits
    raise AssertionError(exact)


@pytest.mark.parametrize("name", [spec.name for spec in FLOATS if spec.itemsize == 1])
def test_texts_around_every_tie_of_float8(name):
    numbers = numbers_of(name)
    checked = 0
    for (low, _), (high, _) in itertools.pairwise(numbers):
        middle = (Fraction(low) + Fraction(high)) / 2
        for exact in (middle, middle * (1 + Fraction(1, 10**40)), middle * (1 - Fraction(1, 10**40))):
            text = as_text(exact)
            if len(text) <= LONGEST_TEXT:
                assert bits([text], name) == [nearest_bits(Fraction(text), numbers)], text
                checked += 1
    assert checked > 200


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_texts_around_ties_of_narrow_floats(name):
    numbers = numbers_of(name)
    random.seed(5)
    starts = [0, 1, 2, 126, 127, 128, 1022, 1023, 1024, len(numbers) - 2, *random.sample(range(len(numbers) - 1), 300)]
    for start in starts:
        pair = numbers[start : start + 2]
        middle = (Fraction(pair[0][0]) + Fraction(pair[1][0])) / 2
        for exact in (middle, middle * (1 + Fraction(1, 10**30)), middle * (1 - Fraction(1, 10**30))):
            text = as_text(exact)
            assert bits([text, f"-{text}"], name) == [
                nearest_bits(Fraction(text), pair),
                nearest_bits(Fraction(text), pair) | 0x8000,
            ]


def as_text(exact):
    """A decimal text that is exactly `exact`, or very nearly: enough digits that it is on the same side of any tie."""
    with_digits, power = exact, 0
    while with_digits < 10**180:
        with_digits *= 10**20
        power -= 20
    return f"{int(with_digits)}e{power}"


def next_float32(value):
    return torch.nextafter(torch.tensor(value, dtype=torch.float32), torch.tensor(math.inf)).item()


@given(
    st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=0),
    st.sampled_from([-1, 0, 1]),
    st.integers(20, 300),
)
@settings(max_examples=500, deadline=None)
def test_float32_texts_are_rounded_once(low, side, digits):
    high = next_float32(low)
    if math.isinf(high):
        return
    middle = (Fraction(low) + Fraction(high)) / 2
    exact = middle * (1 + side * Fraction(1, 10**digits))
    scale = 10**1000
    text = (
        f"{int(exact * scale)}e-1000"
        if exact * scale == int(exact * scale) and len(str(int(exact * scale))) < 1000
        else as_text(exact)
    )
    read = Fraction(text)
    low_bits, high_bits = (torch.tensor([v]).view(torch.int32).item() for v in (low, high))
    expected = low_bits if read < middle or (read == middle and low_bits % 2 == 0) else high_bits
    assert bits([text], "float32") == [expected]


def test_double_rounding_is_what_a_string_avoids():
    """2^24 + 1 plus a bit too small for a float64: a number rounds to the tie first, a text does not."""
    text = "16777217.0000000001"
    assert bits([text], "float32") == [0x4B800001]
    assert bits([16777217.0], "float32") == [0x4B800000]
    assert bits(["1.00048828125000000000000000001"], "float16") == [0x3C01]
    assert bits([1.00048828125], "float16") == [0x3C00]


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=500, deadline=None)
def test_float64_texts_read_as_python_reads_them(value):
    assert decimal(repr(value), DTYPES["float64"]) == value
    assert decimal(f"{value:.30e}", DTYPES["float64"]) == float(f"{value:.30e}")


@pytest.mark.parametrize("spec", FLOATS, ids=lambda spec: spec.name)
@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(max_examples=300, deadline=None)
def test_a_text_of_a_float32_reads_as_the_number_does(spec, value):
    """From a float32 there is one rounding either way. (PyTorch misrounds the lowest binade of float8_e8m0fnu.)"""
    if spec.name == "float8_e8m0fnu" and 2.0**-127 < abs(value) < 2.0**-126:
        return
    assert bits([repr(value)], spec.name) == bits([value], spec.name)
