"""One element of a tensor document: a number, boolean or string, read exactly for its dtype."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

from gradwire.contract.dtypes import Dtype

LONGEST_TEXT = 1100
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?[0-9]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
WORDS = {"Infinity": math.inf, "-Infinity": -math.inf}
_NANS = ("NaN", "-NaN")
FLOAT_WORDS = frozenset((*WORDS, *_NANS))


class WrongElement(Exception):
    """An element that its dtype cannot hold; the message says why."""

    def __init__(self, message: str, expected: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.expected = expected
        self.hint = hint


class Bits(int):
    """The raw bits of an element, where no number stands for it: a NaN with its payload."""


Number: TypeAlias = int | float | Bits
Reader: TypeAlias = Callable[[Any, Dtype], Number]


def read_float(value: Any, dtype: Dtype) -> float | Bits:
    """An element of a floating dtype: a float that `torch.tensor` converts without a second rounding, or bits."""
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        return float(value)
    if kind is str:
        return _float_text(value, dtype)
    raise _no_element(value, dtype)


def _float_text(text: str, dtype: Dtype) -> float | Bits:
    if text in WORDS:
        return WORDS[text]
    if text in _NANS:
        bits = dtype.nan if text == "NaN" else dtype.negative_nan
        assert bits is not None
        return Bits(bits)
    if text[:2] == "0x":
        return _hex(text, dtype)
    if len(text) > LONGEST_TEXT:
        raise WrongElement(f"a number's text has {len(text)} characters", f"at most {LONGEST_TEXT} characters")
    if not _DECIMAL.fullmatch(text):
        raise WrongElement(
            f"'{text[:64]}' is no number",
            'decimal text, "NaN", "-NaN", "Infinity", "-Infinity", or the raw bits such as '
            f'"{"0x" + "0" * (2 * dtype.itemsize)}"',
        )
    return decimal(text, dtype)


def _hex(text: str, dtype: Dtype) -> Bits:
    digits = 2 * dtype.itemsize
    if len(text) != digits + 2 or not _HEX.fullmatch(text):
        raise WrongElement(f"'{text[:64]}' is not the raw bits of a {dtype.name}", f"0x and {digits} hex digits")
    return Bits(text, 16)


def decimal(text: str, dtype: Dtype) -> float:
    """Decimal text as a float that a conversion to `dtype` rounds as it would have rounded the text itself.

    The way from a float64 to a narrow dtype rounds to float32 first. Rounding to odd on the way (Boldo and Melquiond,
    "Emulation of FMA and correctly rounded sums", 2008) leaves the last rounding with all it needs: the last bit of
    what is kept says whether anything was lost.
    """
    nearest = float(text)
    if dtype.itemsize == 8:
        return nearest
    odd = _odd_float64(text, nearest)
    if dtype.itemsize == 4:
        return odd
    if dtype.name == "float8_e8m0fnu" and abs(odd) < 1.5 * _LEAST_E8M0:
        # Below its second number PyTorch rounds up what lies nearer to the first.
        return _LEAST_E8M0
    return _odd_float32(odd)


_LEAST_E8M0 = math.ldexp(1, -127)
_MAX64 = math.ldexp(2**53 - 1, 971)
_MIN64 = math.ldexp(1, -1074)


def _odd_float64(text: str, nearest: float) -> float:
    """The float64 that decimal `text` rounds to odd; `nearest` is what it rounds to nearest."""
    if math.isinf(nearest):
        return math.copysign(_MAX64, nearest)
    if nearest == 0.0:
        digits = re.split("[eE]", text)[0]
        return math.copysign(_MIN64, nearest) if re.search("[1-9]", digits) else nearest
    exact = Fraction(text)
    if exact == nearest:
        return nearest
    if int(nearest / math.ulp(nearest)) % 2:
        return nearest
    return math.nextafter(nearest, math.inf if exact > nearest else -math.inf)


def _odd_float32(value: float) -> float:
    """The float32 (as a float) that `value` rounds to odd."""
    if value == 0.0 or math.isinf(value):
        return value
    exponent = max(math.frexp(value)[1] - 24, -149)
    scaled = math.ldexp(value, -exponent)
    kept = int(scaled)
    if kept != scaled:
        kept = (abs(kept) | 1) * (1 if value > 0 else -1)
    return max(-_MAX32, min(_MAX32, math.ldexp(kept, exponent)))


_MAX32 = math.ldexp(2**24 - 1, 104)


def read_integer(value: Any, dtype: Dtype) -> int:
    """An element of an integer dtype: an integer, a float without a fraction, a boolean, or digits; never wrapped."""
    kind = type(value)
    if kind is float:
        if not value.is_integer():
            raise WrongElement(f"{value!r} has a fraction", f"an integer, for {dtype.name}")
        number = int(value)
    elif kind is int or kind is bool:
        number = int(value)
    elif kind is str:
        number = _integer_text(value, dtype)
    else:
        raise _no_element(value, dtype)
    if not dtype.lowest <= number <= dtype.highest:
        shown = str(value)[:64] if kind is str else value
        raise WrongElement(f"{shown} is out of range for {dtype.name}", f"from {dtype.lowest} to {dtype.highest}")
    return number


def _integer_text(text: str, dtype: Dtype) -> int:
    if len(text) > LONGEST_TEXT:
        raise WrongElement(f"a number's text has {len(text)} characters", f"at most {LONGEST_TEXT} characters")
    if not _INTEGER.fullmatch(text):
        raise WrongElement(f"'{text[:64]}' is no integer", f"an optional minus and digits, for {dtype.name}")
    return int(text)


def read_bool(value: Any, dtype: Dtype) -> bool:
    """An element of dtype bool: true, false, 0 or 1."""
    if type(value) is bool or (type(value) is int and value in (0, 1)):
        return bool(value)
    if type(value) in (int, float, str):
        raise WrongElement(f"{str(value)[:64]!r} is no boolean", "true, false, 0 or 1")
    raise _no_element(value, dtype)


def _no_element(value: Any, dtype: Dtype) -> WrongElement:
    if value is None:
        hint = 'for a missing value write "NaN"' if dtype.kind == "float" else None
        return WrongElement("null is no number", f"a number, for {dtype.name}", hint)
    what = "an object" if isinstance(value, dict) else f"a {type(value).__name__}"
    return WrongElement(f"{what} is no number", f"a number, for {dtype.name}")


READERS: dict[str, Reader] = {"float": read_float, "int": read_integer, "uint": read_integer, "bool": read_bool}
