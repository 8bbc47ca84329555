"""Legal-looking calls of every op: PyTorch's own test samples, and small values of the declared types."""

from __future__ import annotations

import functools
import itertools
import random
import sys
import types
import unittest
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from hostile import Call

from gradwire.engine.ops.registry import Op

_SAMPLE_DTYPES = (torch.float32, torch.int64, torch.complex64, torch.bool, torch.float64)
_LARGEST = 5_000

# What a Tensor parameter of this name holds, where plain floats would be refused at once.
_INTEGERS = (
    "index indices offsets target targets lengths input_lengths target_lengths pivots boundaries sorter mask_indices "
    "batch_sizes size_splits LU_pivots repeats crow_indices col_indices ccol_indices row_indices zero_point count"
).split()
_MASKS = ("mask", "condition", "where", "attn_mask", "key_padding_mask")


def bases(op: Op, rng: random.Random, most: int = 8) -> list[Call]:
    """At most `most` calls from PyTorch's samples and as many from the signature."""
    if op.is_numpy:
        return _from_signature(op, rng, 2 * most)
    if op.special or op.last in ("getitem", "setitem"):
        return _indexed(op)
    found = list(itertools.islice(_from_samples(op), most))
    return found + _from_signature(op, rng, max(4, 2 * most - len(found)))


def _indexed(op: Op) -> list[Call]:
    """Python's square brackets, with all kinds of index."""
    x = torch.arange(24.0).reshape(2, 3, 4)
    indices: tuple[Any, ...] = (
        0, (1, 2), torch.tensor([1, 0]), (slice(None), torch.tensor([2, 0, 1])), (None, 1), (..., 3), x > 5,
        (torch.tensor([0, 1]), torch.tensor([[1], [2]]), 3), torch.tensor(1), [0, 1], (slice(0, 2, 1), 1),
    )  # fmt: skip
    more = () if op.last == "getitem" else (torch.tensor(7.0),)
    return [Call(op.name, (made, index, *more)) for index in indices for made in (x, x.clone().requires_grad_())]


def added(op: Op) -> dict[str, str]:
    """Keywords of the op with the kind of value that each takes."""
    found: dict[str, str] = {}
    for overload in op.overloads:
        for one in overload.parameters:
            kind = "out" if one.name == "out" else next((atom for atom in one.type.atoms if atom in _ADDED), None)
            if kind and one.name not in ("input", "self"):
                found[one.name] = kind
    return found


_ADDED = frozenset(
    ("int", "bool", "float", "Number", "str", "int[]", "float[]", "dtype", "layout", "memory_format", "Tensor")
)


@functools.cache
def _samples_by_name() -> dict[str, list[Any]]:
    try:
        import expecttest  # noqa: F401
    except ImportError:
        # torch.testing imports it for its own tests; the samples do without.
        stand_in = types.ModuleType("expecttest")
        stand_in.TestCase = unittest.TestCase  # type: ignore[attr-defined]
        sys.modules["expecttest"] = stand_in
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    found: dict[str, list[Any]] = {}
    for info in op_db:
        for name in {info.name, *(alias.name for alias in info.aliases)}:
            found.setdefault(name, []).append(info)
            found.setdefault(name.rpartition(".")[2].strip("_"), []).append(info)
    return found


def _from_samples(op: Op) -> Iterator[Call]:
    known = _samples_by_name()
    bare = op.name.removeprefix("Tensor.").removeprefix("operator.").rstrip("_")
    infos = known.get(bare) or known.get(bare.rpartition(".")[2]) or known.get(bare.removeprefix("_"), [])
    rounds = [_samples(info, dtype) for info in infos[:3] for dtype in _SAMPLE_DTYPES]
    for turn in range(6):
        for samples in rounds:
            for sample in itertools.islice(samples, 3 * turn, 3 * turn + 1):
                args = (sample.input, *sample.args)
                if all(_is_small(one) for one in (*args, *sample.kwargs.values())):
                    yield Call(op.name, args, dict(sample.kwargs))


def _samples(info: Any, dtype: torch.dtype) -> list[Any]:
    if dtype not in info.supported_dtypes("cpu"):
        return []
    torch.manual_seed(0)
    differentiable = info.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
    try:
        return list(itertools.islice(info.sample_inputs("cpu", dtype, requires_grad=differentiable), 20))
    except Exception:  # a sample that this build of PyTorch cannot make
        return []


def _is_small(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() <= _LARGEST
    if isinstance(value, (list, tuple)):
        return len(value) <= 32 and all(_is_small(one) for one in value)
    return not callable(value) or isinstance(value, (torch.dtype, type(None)))


def _from_signature(op: Op, rng: random.Random, most: int) -> list[Call]:
    found = []
    overloads = [one for one in op.overloads if len(one.parameters) < 30]
    for turn in range(most):
        if not overloads:
            break
        overload = overloads[turn % len(overloads)]
        shape = ((3, 4), (4,), (3, 3), (2, 3, 4), (1, 2, 8, 8), (1, 1, 4, 4, 4))[(turn // len(overloads)) % 6]
        dtype = (torch.float32, torch.float32, torch.int64, torch.int32, torch.complex64)[turn % 5]
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for one in overload.parameters:
            required = one.required or (one.variadic and not args)
            if not required and (turn < len(overloads) or rng.random() < 0.7):
                continue
            value = _value(one.name, one.type.atoms, shape, dtype, op.is_numpy, rng)
            if one.keyword_only or (not required):
                kwargs[one.name] = value
            else:
                args.append(value)
        for name in ("generator", "out", "pin_memory", "device", "requires_grad", "self"):
            kwargs.pop(name, None)
        found.append(Call(op.name, tuple(args), kwargs))
    return found


def _value(
    name: str, atoms: tuple[str, ...], shape: tuple[int, ...], dtype: torch.dtype, is_numpy: bool, rng: random.Random
) -> Any:
    for atom in atoms:
        if is_numpy and atom in ("Any", "ndarray", "Tensor"):
            return _array(name, shape, rng)
        match atom:
            case "Tensor" | "Any":
                return tensor(name, shape, dtype, rng)
            case "Tensor[]" | "Any[]":
                return [tensor(name, shape, dtype, rng) for _ in range(2)]
            case "int":
                return rng.choice((0, 1, 2, -1, 3))
            case "float" | "Number" | "complex":
                return rng.choice((0.5, 1.0, 2.0, 2, 0.1))
            case "bool":
                return rng.choice((True, False))
            case "int[]":
                return rng.choice(([0], [1], [2, 2], [0, 1], [1, 1], [2], list(shape)))
            case "float[]":
                return [0.0, 1.0]
            case "str":
                return rng.choice(("mean", "none", "sum", "i,i->i", "reflect"))
            case "dtype":
                return rng.choice((torch.float32, torch.float64, torch.int64))
            case "layout":
                return torch.strided
            case "memory_format":
                return torch.contiguous_format
            case _:
                continue
    return None


def tensor(name: str, shape: tuple[int, ...], dtype: torch.dtype, rng: random.Random) -> torch.Tensor:
    """A tensor such as a parameter of that name takes."""
    if name in _INTEGERS:
        return torch.tensor([rng.randrange(2) for _ in range(shape[-1])])
    made = torch.rand(shape, generator=torch.Generator().manual_seed(rng.randrange(1000))) * 3 + 0.1
    if name in _MASKS:
        return made > 1.5
    made = made.to(dtype)
    return made.requires_grad_() if dtype is torch.float32 and rng.random() < 0.7 else made


def _array(name: str, shape: tuple[int, ...], rng: random.Random) -> Any:
    kind = rng.choice(("float64", "float32", "int64", "int32", "bool"))
    if name in ("n", "axis", "k", "N", "M", "deg", "ndmin", "num", "order", "decimals", "minlength", "ddof", "shift"):
        return rng.choice((0, 1, 2, 3, -1))
    if name in ("shape", "newshape", "dims", "reps", "axes", "pad_width", "indices_or_sections", "shift", "repeats"):
        return rng.choice(([2, 3], 2, [1], [0, 1], (3, 4)))
    if name in ("where", "condition", "arr_mask", "mask"):
        return np.ones(shape, bool)
    values = np.random.default_rng(rng.randrange(1000)).random(shape) * 3 + 0.1
    if name in ("indices", "multi_index", "ind", "choices"):
        kind = "int64"
    return rng.choice((values.astype(kind), values.astype(kind), float(values.flat[0]), 2))
