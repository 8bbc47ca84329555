"""Floats as JSON text: the fewest digits that read back, laid out as Python's repr, NaN payloads as hex."""

from __future__ import annotations

import math

import numpy as np
import orjson

from gradwire.contract.dtypes import DTYPES, Dtype

# Texts of arrays up to this many bytes are searched for what needs care; larger arrays are looked at as numbers.
_SMALL = 2048
# So many elements are Python objects sooner than they are told apart by array operations.
_FEW = 8
_NUMPY = orjson.OPT_SERIALIZE_NUMPY
_FLOAT64 = DTYPES["float64"]
# From which magnitude on orjson writes an exponent; Python does from 1e16 on.
_EXPONENT_FROM = {"float32": 1e13, "float64": 1e16}


def float_text(array: np.ndarray, words: np.ndarray, dtype: Dtype) -> bytes:
    """JSON of a float32 or float64 array, C-contiguous, nested as its shape (of one dimension at least).

    `words` holds the bits of each element in `dtype`, which tell NaNs apart. orjson writes the array; only what it does
    not write as Python's repr does becomes Python objects.
    """
    if array.nbytes <= _SMALL:
        text = orjson.dumps(array, option=_NUMPY)
        # Neither null (for what is not finite), nor an exponent, nor a number that should have one.
        if b"n" not in text and b"e" not in text and b"0.0000" not in text:
            return text
        if array.size <= _FEW:
            return nested(_texts(array.reshape(-1), words.reshape(-1), dtype), array.shape)
    special = _laid_out_otherwise(array)
    if not special.any():
        return orjson.dumps(array, option=_NUMPY)
    texts = _texts(array[special], words[special], dtype)
    if len(texts) == array.size:
        return nested(texts, array.shape)
    rest = array.copy()
    rest[special] = math.nan
    pieces = [b""] * (2 * len(texts) + 1)
    pieces[0::2] = orjson.dumps(rest, option=_NUMPY).split(b"null")
    pieces[1::2] = texts
    return b"".join(pieces)


def _laid_out_otherwise(array: np.ndarray) -> np.ndarray:
    """Which elements orjson does not write as Python's repr does.

    Those that are not finite become null; 1e-05 becomes 0.00001 and 1e-07 becomes 1e-7; and 1e+13 of a float32 comes
    with its exponent. Bounds are compared in the array's own dtype: its nearest number to 1e-05 is what prints so.
    """
    number = array.dtype.type
    magnitudes = np.abs(array)
    otherwise: np.ndarray = ~np.isfinite(array) | (magnitudes < number(1e-4)) & (magnitudes >= number(1e-9))
    start = _EXPONENT_FROM[array.dtype.name]
    if start < 1e16:
        otherwise |= (magnitudes >= number(start)) & (magnitudes < number(1e16))
    return otherwise


def _texts(values: np.ndarray, words: np.ndarray, dtype: Dtype) -> list[bytes]:
    """The text of each value of a flat array.

    As Python floats, orjson's digits (at most 9 of a float32, 17 of a float64) are the same ones, and repr lays them
    out. Arrays of one value, such as the gradient of a mean, are frequent.
    """
    if len(values) > 1 and bool((words == words[0]).all()):
        return _texts(values[:1], words[:1], dtype) * len(values)
    texts = list(map(repr, orjson.loads(orjson.dumps(values, option=_NUMPY))))
    for index in np.flatnonzero(~np.isfinite(values)).tolist():
        texts[index] = _word(values[index], int(words[index]), dtype)
    return ",".join(texts).encode().split(b",")


def _word(value: float, bits: int, dtype: Dtype) -> str:
    """The JSON string for a NaN or an infinity."""
    if not math.isnan(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    if bits == dtype.nan:
        return '"NaN"'
    if bits == dtype.negative_nan:
        return '"-NaN"'
    return f'"0x{bits:0{2 * dtype.itemsize}x}"'


def python_float(value: float) -> bytes:
    """A Python float as JSON text."""
    if math.isfinite(value):
        return repr(value).encode()
    return _word(value, int(np.float64(value).view(np.uint64)), _FLOAT64).encode()


def nested(texts: list[bytes], shape: tuple[int, ...]) -> bytes:
    """The texts of elements in C order as nested JSON lists of `shape`, none of its sizes 0."""
    for size in reversed(shape):
        texts = [b"[%b]" % b",".join(texts[start : start + size]) for start in range(0, len(texts), size)]
    return texts[0]
