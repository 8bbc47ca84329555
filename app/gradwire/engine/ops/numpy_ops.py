"""NumPy's functions and array methods: an allow-list, derived from NumPy, and the calls of what is on it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, GetSetDescriptorType, MethodDescriptorType, MethodType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradwire.engine import seeds
from gradwire.engine.errors import NoOverload

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

# The dtypes that NumPy and torch both have.
DTYPES: frozenset[np.dtype[Any]] = frozenset(
    np.dtype(name)
    for name in (
        "float64 float32 float16 complex128 complex64 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()
    )
)
# Texts of dtypes that mean something else to NumPy (float64, int64) than to PyTorch (float32, int32).
OWN_WORDS = ("float", "int")
DTYPE_NAMES = sorted(dtype.name for dtype in DTYPES)

FILES = "it reads or writes files"
CALLABLE = "it takes a Python function"
MEMORY = "it hands out or takes raw memory"
STATE = "it sets state of the whole process"
OTHER_DTYPES = "it is for texts, objects, dates or records, which torch has no dtype for"
HELPER = "it is a helper for people or for NumPy itself"
IN_PLACE_SHAPE = "it changes an array's memory or its view of it in place"

_HELPERS = (
    r"show_\w+|info|test|deprecate\w*|lookfor|source|who|get_include|array2string|array_repr|array_str|"
    r"format_float\w*|base_repr|binary_repr|require|nested_iters|bmat|asmatrix|matrix|poly1d|iterable|disp|"
    r"einsum_path|nditer|ndindex|ndenumerate|flatiter|finfo|iinfo|mintypecode|common_type|sctype\w*|"
    r"issubdtype|isdtype|min_scalar_type|promote_types|result_type|can_cast|add_newdoc\w*|"
    r"get_printoptions|geterr\w*|getbufsize|(?:to_?bytes|tostring)"
)

# Why a name is left out, by pattern; what no pattern covers and NumPy dispatches on arrays is on the list.
_REASONS: tuple[tuple[str, str], ...] = (
    (FILES, r"load\w*|save\w*|\w*fromfile|memmap|genfromtxt|tofile|dumps?|fromregex|DataSource"),
    (CALLABLE, r"frompyfunc|vectorize|fromfunction|apply_\w+|piecewise|fromiter"),
    (MEMORY, r"frombuffer|from_dlpack|fromstring|getbuffer|ctypes|data|shares_memory|may_share_memory"),
    (IN_PLACE_SHAPE, r"ndarray\.(?:resize|setflags|setfield|getfield|newbyteorder)|as_strided"),
    (STATE, r"seterr\w*|setbufsize|set_\w+|printoptions|errstate|get_state|get_bit_generator"),
    (OTHER_DTYPES, r"\w*busday\w*|datetime\w*|isnat|chararray|rec|record|recarray|bytes|mask_indices|typename"),
    (HELPER, _HELPERS),
)


_PLACES: tuple[tuple[str, Any], ...] = (
    ("", np),
    ("ndarray.", np.ndarray),
    ("linalg.", np.linalg),
    ("fft.", np.fft),
    ("random.", np.random),
)


# Of functions that NumPy writes in C or Cython, whose types have no public name.
_KINDS_WITHOUT_A_NAME = ("_ArrayFunctionDispatcher", "cython_function_or_method")


def entries() -> Iterator[tuple[str, Any, str | None]]:
    """(documented name, public callable, None or the reason why it is left out)."""
    for prefix, place in _PLACES:
        # What a module loads when it is first asked for is no function of arrays.
        for name in sorted(vars(place)):
            value = vars(place)[name]
            if name.startswith("_") or not _is_kept(value):
                continue
            yield f"numpy.{prefix}{name}", value, _reason(prefix + name, value)


def _is_kept(value: Any) -> bool:
    kinds = (np.ufunc, BuiltinFunctionType, FunctionType, MethodType, MethodDescriptorType, GetSetDescriptorType)
    return isinstance(value, (*kinds, type)) or type(value).__name__ in _KINDS_WITHOUT_A_NAME


def _reason(name: str, value: Any) -> str | None:
    last = name.rpartition(".")[2]
    if isinstance(value, GetSetDescriptorType):
        return f"it is an attribute, not a function: read it as a reference, $x.{last}"
    if isinstance(value, type):
        return None if _is_scalar_type(value) else "it is a class, not a function"
    for reason, pattern in _REASONS:
        if re.fullmatch(pattern, name) or re.fullmatch(pattern, last):
            return reason
    return None


def _is_scalar_type(value: type) -> bool:
    """numpy.float32 and its kind: calling one makes a number of that dtype."""
    abstract = (np.flexible, np.object_)
    return issubclass(value, np.generic) and not issubclass(value, abstract) and _dtype_of(value) in DTYPES


def _dtype_of(value: Any) -> np.dtype[Any] | None:
    try:
        return np.dtype(value)  # type: ignore[no-any-return]  # anything may stand there
    except (TypeError, ValueError):
        return None


@functools.cache
def method(name: str) -> Op | None:
    """The callable op `numpy.ndarray.{name}`, if there is one."""
    from gradwire.engine.ops.registry import Op, registry

    entry = registry().find(f"numpy.ndarray.{name}")
    return entry if isinstance(entry, Op) else None


def call(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Call a NumPy function; dtypes of either library are taken, and only shared dtypes come out.

    Raises NoOverload (`invalid_argument`) for a dtype that torch lacks, in an argument or in the result.
    """
    args = [_as_numpy(value, index) for index, value in enumerate(args)]
    if op.namespace == "numpy.ndarray" and args:
        args[0] = _as_array(args[0])
    kwargs = {name: _as_numpy(value, name) for name, value in kwargs.items()}
    if op.last == "pad":
        args, kwargs = _padded_with_values(args, kwargs)
    if op.namespace == "numpy.random":
        _require_seed(op, args, kwargs)
        seeds.numpy_ready()
    result = op.call(*args, **kwargs)
    if "where" in kwargs and kwargs.get("out") is None and isinstance(op.call, np.ufunc):
        result = _fill_left_out(result, kwargs["where"])
    if op.last.startswith("empty"):
        _fill(result)
    check_result(result)
    return result


def _require_seed(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """What takes a seed draws one of its own where it gets none, and no second run would draw the same."""
    given = (*args, *kwargs.values())
    if op.last in ("seed", "default_rng") and (not given or given[0] is None):
        raise NoOverload(f"{op.last} without a seed gives other numbers in each run", hint=f"give it one: {op.last}(0)")


def _padded_with_values(args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """numpy.pad leaves its margins uninitialised in the mode `empty`: they get the value that stands for that here."""
    modes = (kwargs.get("mode"), *args[2:3])
    if not any(isinstance(mode, str) and mode == "empty" for mode in modes):
        return args, kwargs
    array = np.asarray(args[0] if args else kwargs["array"])
    margins = {"mode": "constant", "constant_values": _fill_value(array.dtype)}
    return args[:2], {name: value for name, value in kwargs.items() if name != "mode"} | margins


def _as_numpy(value: Any, place: int | str) -> Any:
    if isinstance(value, torch.dtype):
        name = str(value).removeprefix("torch.")
        if name not in DTYPE_NAMES:
            raise NoOverload(f"NumPy has no dtype {name}", place, expected=DTYPE_NAMES)
        return np.dtype(name)
    if isinstance(value, torch.device):
        return value.type  # NumPy names devices by texts
    if place == "dtype" and value is not None:
        return _shared_dtype(value, place)
    return value


def _as_array(value: Any) -> Any:
    """The array that a method belongs to: a tensor gives the one that shares its memory, a list a new one."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    return np.array(value) if isinstance(value, (list, tuple, bool, int, float, complex)) else value


def _shared_dtype(value: Any, place: int | str) -> np.dtype[Any]:
    dtype = _dtype_of(value)
    if dtype is None or dtype not in DTYPES:
        raise NoOverload("not a dtype that NumPy and torch both have", place, expected=DTYPE_NAMES, got=str(value)[:64])
    return dtype


def _fill_value(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b":
        return True
    if dtype.kind in "iu":
        return np.iinfo(dtype).max
    return complex("nan+nanj") if dtype.kind == "c" else float("nan")


def _fill(array: Any) -> None:
    if isinstance(array, np.ndarray) and array.dtype in DTYPES:
        array.fill(_fill_value(array.dtype))


def _fill_left_out(result: Any, where: Any) -> Any:
    """A ufunc leaves the elements that `where` leaves out as it finds them."""
    filled = []
    for one in result if isinstance(result, tuple) else (result,):
        array = np.asarray(one)
        if array.dtype in DTYPES:
            np.copyto(array, _fill_value(array.dtype), where=np.logical_not(where))
        filled.append(array if isinstance(one, np.ndarray) else array[()])
    return tuple(filled) if isinstance(result, tuple) else filled[0]


def check_result(result: Any) -> None:
    if isinstance(result, (tuple, list)):
        for one in result:
            check_result(one)
    elif isinstance(result, (np.ndarray, np.generic)) and result.dtype not in DTYPES:
        raise NoOverload(
            f"the result would have NumPy's dtype {result.dtype.name[:64]}, which torch lacks", expected=DTYPE_NAMES
        )
