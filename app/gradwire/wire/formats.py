"""What torch and NumPy need to know about each dtype of the wire contract."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
import torch

from gradwire.contract.dtypes import DTYPES, Dtype

_WORDS = {1: torch.uint8, 2: torch.uint16, 4: torch.uint32, 8: torch.uint64}


@dataclass(frozen=True, slots=True)
class Format:
    """A dtype as torch has it. `word` is the unsigned integer dtype of its width (of its parts, for a complex one)."""

    spec: Dtype
    dtype: torch.dtype
    word: torch.dtype
    real: Format | None = None

    @property
    def name(self) -> str:
        return self.spec.name


def _formats() -> dict[str, Format]:
    found: dict[str, Format] = {}
    for spec in DTYPES.values():
        if spec.real is None:
            found[spec.name] = Format(spec, getattr(torch, spec.name), _WORDS[spec.itemsize])
    for spec in DTYPES.values():
        if spec.real is not None:
            real = found[spec.real]
            found[spec.name] = Format(spec, getattr(torch, spec.name), real.word, real)
    return found


FORMATS: dict[str, Format] = _formats()
FORMAT_OF: dict[torch.dtype, Format] = {format_.dtype: format_ for format_ in FORMATS.values()}


def owned(array: np.ndarray, dtype: torch.dtype | None = None, shape: tuple[int, ...] | None = None) -> torch.Tensor:
    """A tensor with the bytes of `array`, in memory that torch allocated: alignment changes the bits of results.

    `dtype` and `shape`, where they are not the array's own, take as many bytes. Nothing tells the tensor from one that
    PyTorch made: it is no view, and can be resized, which it could not once NumPy had seen its memory.
    """
    array = np.ascontiguousarray(array)
    tensor = torch.empty(array.shape if shape is None else shape, dtype=dtype or _TORCH_DTYPES[array.dtype])
    ctypes.memmove(tensor.data_ptr(), array.__array_interface__["data"][0], array.nbytes)
    return tensor


def base(tensor: torch.Tensor) -> torch.Tensor:
    """A new tensor over the same memory that is no view: PyTorch forbids views some in-place ops."""
    return tensor.data if tensor._is_view() else tensor


_TORCH_DTYPES = {
    np.dtype(name): getattr(torch, name)
    for name in (
        "float64 float32 float16 complex128 complex64 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()
    )
}
