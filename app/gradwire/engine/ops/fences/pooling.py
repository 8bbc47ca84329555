"""Pooling with windows larger than anything."""

from __future__ import annotations

from typing import Any

from gradwire.engine.ops.fences.given import Fence, Given


def max_pool1d(given: Given) -> None:
    """Without a gradient it takes sizes of 64 bits, which overflow or walk through a window of 2^40: SIGSEGV or hang.

    The other pools, and this one with a gradient, refuse what does not fit 32 bits.
    """
    for name in ("kernel_size", "stride", "padding", "dilation"):
        for value in _numbers(given.get(name)):
            if not -(2**31) <= value < 2**31:
                raise given.refusal(name, f"'{name}' does not fit 32 bits", got=str(value))


def _numbers(value: Any) -> list[int]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if isinstance(one, int)]


FENCES: dict[str, Fence] = {"max_pool1d": max_pool1d}
