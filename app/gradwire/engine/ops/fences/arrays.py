"""NumPy's functions that count in a loop, or whose sizes overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradwire.engine.ops.fences.given import Fence, Given

_MOST_BYTES = 2**62
_WRAP = 1  # numpy's own number for mode="wrap", which it takes too


def repeat(given: Given) -> None:
    """The sum of the repeats wraps around, and the copy writes as often as they say: SIGSEGV."""
    name = "a" if given.place("a") is not None else "input"
    data, repeats = _integers(given.get("repeats")), given.get("repeats")
    array = np.asarray(given.get(name))
    axis = given.get("axis")
    if data is None or data.size == 0 or not isinstance(axis, (int, type(None))):
        return
    if axis is not None and not -array.ndim <= axis < array.ndim:
        return
    length = array.size if axis is None else array.shape[axis]
    total = float(data.astype(np.float64).sum()) * (length if data.size == 1 else 1)
    if total * max(1, array.itemsize) >= _MOST_BYTES and bool((data >= 0).all()):
        raise given.refusal("repeats", "the repeats are too many", got=str(repeats)[:64])


def _integers(value: Any) -> np.ndarray[Any, Any] | None:
    """`value` as an array where it holds integers of 64 bits."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):
        return None
    return array if array.dtype.kind in "iu" else None


def _wrap(given: Given, name: str, length: int) -> None:
    """Bring indices into range here: NumPy adds or takes off the length until they are in it."""
    indices = _integers(given.get(name))
    if given.get("mode") not in ("wrap", _WRAP) or indices is None or length < 1:
        return
    if indices.size and (int(indices.max()) >= length or int(indices.min()) < 0):
        given.put(name, indices % length)


def take(given: Given) -> None:
    """numpy.take and ndarray.take along an axis, or over all elements."""
    array = np.asarray(given.get("a", given.get("input")))
    axis = given.get("axis")
    if axis is None:
        _wrap(given, "indices", array.size)
    elif isinstance(axis, int) and -array.ndim <= axis < array.ndim:
        _wrap(given, "indices", array.shape[axis])


def put(given: Given) -> None:
    """numpy.put and ndarray.put."""
    array = np.asarray(given.get("a", given.get("input")))
    _wrap(given, "ind" if given.place("ind") is not None else "indices", array.size)


def choose(given: Given) -> None:
    """numpy.choose and ndarray.choose: the array itself holds the indices."""
    choices = given.get("choices")
    count = len(choices) if isinstance(choices, (list, tuple)) or np.ndim(choices) else 0
    _wrap(given, "a" if given.place("a") is not None else "input", count)


def diff(given: Given) -> None:
    """numpy.diff goes on taking differences of an empty array, as often as `n` says: with 2**63 - 1 for ever."""
    times = given.get("n", 1)
    longest = sum(np.size(given.get(name)) + 1 for name in ("a", "prepend", "append"))
    if isinstance(times, int) and times > longest:
        given.put("n", longest)


def diagonal(given: Given) -> None:
    """The negative of the smallest offset overflows, and elements before the array are read."""
    name = "offset" if given.place("offset") is not None else "k"
    offset = given.integer(name)
    if offset is not None and offset <= -(2**31):
        raise given.refusal(name, f"'{name}' must lie above -2^31", got=str(offset))


def singular(given: Given) -> None:
    """With infinity in the matrix the decomposition by LAPACK's gesdd and gelsd may never end."""
    if given.get("hermitian") or given.get("compute_uv", True) is False:
        return
    matrix = _numbers(given.get("a"))
    if matrix is not None and bool(np.isinf(matrix).any()):
        raise given.refusal("a", "the matrix holds infinity", expected="finite numbers")


def polyfit(given: Given) -> None:
    """The powers of the points are a matrix for lstsq, and may overflow."""
    points, degree = _numbers(given.get("x")), given.integer("deg")
    if points is None or points.size == 0 or degree is None:
        return
    with np.errstate(all="ignore"):
        highest = np.max(np.abs(points)) ** max(degree, 1)
    if bool(np.isinf(highest)):
        raise given.refusal("x", f"the {degree}th power of a point is infinite", expected="finite numbers")


def _numbers(value: Any) -> np.ndarray[Any, Any] | None:
    """`value` as an array where it holds numbers that may be infinite."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):
        return None
    return array if array.dtype.kind in "fc" else None


_INDEXING: dict[str, Fence] = {
    "repeat": repeat,
    "take": take,
    "put": put,
    "choose": choose,
    "diagonal": diagonal,
    "trace": diagonal,
}
FENCES: dict[str, Fence] = {
    **{f"numpy.{name}": fence for name, fence in _INDEXING.items()},
    **{f"numpy.ndarray.{name}": fence for name, fence in _INDEXING.items()},
    **{f"numpy.{name}": diagonal for name in ("diag", "linalg.diagonal", "linalg.trace")},
    **{f"numpy.linalg.{name}": singular for name in ("svd", "pinv", "lstsq")},
    "numpy.diff": diff,
    "numpy.polyfit": polyfit,
}
