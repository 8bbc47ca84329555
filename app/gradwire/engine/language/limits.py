"""Python's own values within limits: how large a number, a text or a list may become, asked before it is made."""

from __future__ import annotations

from typing import TypeVar

from gradwire.engine.language.budget import MAX_INT_BITS, MAX_ITEMS, exceeded

T = TypeVar("T")


def allow_bits(bits: float) -> None:
    """Raise Refusal (`limit_exceeded`) where an integer would have more than MAX_INT_BITS bits."""
    if bits > MAX_INT_BITS:
        some = f"some {int(bits)}" if bits < 1e15 else "far too many"
        raise exceeded(f"the result would have {some} bits; integers have at most {MAX_INT_BITS}", "floats, or tensors")


def allow_items(count: int, what: str = "lists and texts") -> None:
    """Raise Refusal (`limit_exceeded`) where a list or text would have more than MAX_ITEMS items."""
    if count > MAX_ITEMS:
        amount = f"{count} items" if count < 10**30 else "far too many items"
        raise exceeded(f"the result would have {amount}; {what} have at most {MAX_ITEMS}", f"at most {MAX_ITEMS}")


def bounded(value: T) -> T:
    """`value` itself, where it is no integer or text beyond the limits."""
    if isinstance(value, int):
        allow_bits(value.bit_length())
    elif isinstance(value, str):
        allow_items(len(value), "texts")
    return value
