"""Pooling and sampling: windows larger than anything, and modes that do not exist."""

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


def fractional(given: Given) -> None:
    """A negative window is walked through as often as its product says."""
    for value in _numbers(given.get("kernel_size")):
        if value < 1:
            raise given.refusal("kernel_size", "'kernel_size' must be positive", got=str(value))


def grid_sampler(given: Given) -> None:
    """A mode without a kernel leaves the result as the memory was."""
    for name, most in (("interpolation_mode", 1 if given.op.last == "grid_sampler_3d" else 2), ("padding_mode", 2)):
        mode = given.integer(name)
        if mode is not None and not 0 <= mode <= most:
            raise given.refusal(name, f"'{name}' is from 0 to {most}", got=str(mode))


def _numbers(value: Any) -> list[int]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if isinstance(one, int)]


_FRACTIONAL = ("fractional_max_pool2d", "fractional_max_pool3d")

FENCES: dict[str, Fence] = {
    "max_pool1d": max_pool1d,
    **dict.fromkeys((*_FRACTIONAL, *(f"{name}_with_indices" for name in _FRACTIONAL)), fractional),
    **dict.fromkeys(("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"), grid_sampler),
}
