"""Forward mode or reverse mode: trying the one, and the other where PyTorch has no rule for something in the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gradwire.engine.errors import is_out_of_memory
from gradwire.engine.failure import OutOfMemoryRefusal
from gradwire.findings import Refusal

Found = TypeVar("Found")
# What PyTorch raises where a transform meets an op that it has no rule for.
NO_RULE = (RuntimeError, ValueError, TypeError, NotImplementedError)


def in_mode(mode: str, forward: Callable[[], Found], reverse: Callable[[], Found]) -> tuple[Found, str]:
    """What is found in `mode` (`forward`, `reverse`), and the mode; `auto` is forward mode or else reverse mode."""
    if mode == "reverse":
        return reverse(), mode
    try:
        return forward(), "forward"
    except (Refusal, *NO_RULE) as error:
        if mode == "forward" or not may_be_of_the_mode(error):
            raise
        first = error
    try:
        return reverse(), "reverse"
    except (Refusal, *NO_RULE):
        raise first from None


def may_be_of_the_mode(error: Exception) -> bool:
    """Whether the other mode might get by without `error`; after memory ran out nothing is tried again."""
    if isinstance(error, Refusal):
        return not isinstance(error, OutOfMemoryRefusal) and error.findings[0].code == "op_failed"
    return not is_out_of_memory(error)
