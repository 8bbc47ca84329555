"""Memory that shows who touched it: tensors inside one buffer, each between stretches of a known byte.

A call is made twice, with another byte around its tensors and another one in fresh heap memory. What differs in the
results was read from outside of the arguments; what differs around the tensors was written there.
"""

from __future__ import annotations

import ctypes

import numpy as np
import torch

GUARD = 4096
SIZE = 1 << 18
# Read as a float of any width they are finite and far from each other, as an integer they are far from every size.
BYTES = (0x5A, 0x25)
_PERTURB = -6  # glibc's M_PERTURB: fresh memory is filled with the complement of a byte, freed memory with it


class Arena:
    """One buffer; `place` puts tensors into it one after the other."""

    def __init__(self) -> None:
        self.process = ctypes.CDLL(None)
        self.guarded = hasattr(self.process, "guard_check")
        self.memory = bytearray(SIZE)
        self.view = np.frombuffer(self.memory, np.uint8)
        self.byte = BYTES[0]
        self.end = GUARD
        self.places: list[tuple[int, int]] = []

    def reset(self, byte: int) -> None:
        """Empty the arena, and fill it and all heap memory to come with `byte`."""
        self.byte = byte
        self.view[:] = byte
        self.end = GUARD
        self.places = []
        self.process.mallopt(_PERTURB, byte ^ 0xFF)
        if self.guarded:
            self.process.guard_set(byte)
            self.process.guard_check()

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        """A copy of a dense tensor with a storage of its own inside the arena; the tensor itself where it cannot be."""
        if not placeable(tensor):
            return tensor
        span = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
        count = span * tensor.itemsize
        if tensor.numel() == 0 or count + self.end + 2 * GUARD > SIZE:
            return tensor
        storage = torch.frombuffer(self.memory, dtype=torch.uint8, count=count, offset=self.end).untyped_storage()
        self.view[self.end : self.end + count] = 0
        placed = torch.empty(0, dtype=tensor.dtype)
        placed.set_(storage, 0, tensor.shape, tensor.stride())
        if 0 in tensor.stride():
            placed.as_strided((span,), (1,)).copy_(tensor.as_strided((span,), (1,)))
        else:
            placed.copy_(tensor)
        self.places.append((self.end, self.end + count))
        self.end = (self.end + count + GUARD + 63) // 64 * 64
        return placed

    def array(self, array: np.ndarray) -> np.ndarray:
        """The same for an array of NumPy's."""
        if array.size == 0 or array.nbytes + self.end + 2 * GUARD > SIZE or array.dtype.hasobject:
            return array
        placed = np.frombuffer(self.memory, array.dtype, array.size, self.end).reshape(array.shape)
        placed[...] = array
        self.places.append((self.end, self.end + array.nbytes))
        self.end = (self.end + array.nbytes + GUARD + 63) // 64 * 64
        return placed

    def touched(self) -> bool:
        """Whether something was written between the tensors, or around those that PyTorch made."""
        if self.guarded and self.process.guard_check():
            return True
        start = 0
        for begin, end in [*self.places, (self.end, self.end)]:
            if bool((self.view[start:begin] != self.byte).any()):
                return True
            start = end
        return bool((self.view[start : start + GUARD] != self.byte).any()) if start < self.end else False


def placeable(tensor: torch.Tensor) -> bool:
    """Whether a tensor's elements lie in a plain stretch of memory."""
    odd = tensor.is_quantized or tensor.is_nested or tensor.is_meta or tensor.is_mkldnn
    return tensor.layout is torch.strided and not odd and not tensor.is_conj() and not tensor.is_neg()
