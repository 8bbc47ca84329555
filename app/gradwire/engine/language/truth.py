"""Python's truth of a value, as `if`, `while` and `not` ask for it."""

from __future__ import annotations

from typing import Any


def truth(value: Any) -> bool:
    """`bool(value)`. PyTorch and NumPy raise their own errors for what has no truth: a tensor of two elements."""
    return bool(value)
