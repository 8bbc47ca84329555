"""PyTorch's and NumPy's exceptions, translated into findings at one border: the call of an op."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from gradwire.findings import Finding

MAX_MESSAGE = 4000


@dataclass(slots=True)
class NoOverload(Exception):
    """No overload of an op takes these arguments.

    `place` is the position or the name of the argument that is wrong, None where the call as a whole is.
    """

    message: str
    place: int | str | None = None
    expected: object = None
    got: object = None
    hint: str | None = None

    def __str__(self) -> str:
        return self.message


# The words that the allocators of PyTorch, oneDNN, NumPy and the C++ library use when there is no memory left.
_MEMORY = re.compile(
    r"not enough memory|can't allocate memory|cannot allocate memory|out of memory|std::bad_alloc|"
    r"could not create a (?:primitive|memory)|bad allocation|Unable to allocate",
    re.IGNORECASE,
)
# A size that no machine has: the count of bytes or elements does not fit its own type.
_OVERFLOW = re.compile(
    r"Storage size calculation overflowed|integer multiplication overflow|numel.*overflow|"
    r"array is too big|Maximum allowed dimension exceeded|too large to (?:allocate|fit)|vector::_M_default_append|"
    r"cannot create std::vector|length_error|Invalid size.*overflow",
    re.IGNORECASE,
)
_BACKTRACE = re.compile(r"\n(?:Exception raised from|C\+\+ CapturedTraceback|frame #).*", re.DOTALL)
_SOURCE_PATH = re.compile(r"(?:\"|')?(?<![\w:/])(?:/[\w.+-]+){2,}(?:\"|')?(?::\d+)?")

# Values of the engine's own, as libraries write what they were given: their modules, and addresses.
_OWN_MODULE = re.compile(r"\bgradwire(?:\.\w+)+\.(?=\w)")
_ADDRESS = re.compile(r"(?<=\bat )0x[0-9a-fA-F]{4,}\b")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that an allocation failed, in whichever words."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or bool(_MEMORY.search(str(error)))


def is_too_large(error: BaseException) -> bool:
    """Whether `error` says that a size overflows its type."""
    return bool(_OVERFLOW.search(str(error)))


def message_of(error: BaseException) -> str:
    """The library's own message, without its C++ backtrace, paths of source files, modules of ours and addresses."""
    text = str(error)
    if isinstance(error, KeyError) and error.args:
        text = f"KeyError: {error.args[0]!r}"
    text = _SOURCE_PATH.sub("<source>", _BACKTRACE.sub("", text)).strip()
    text = _ADDRESS.sub("0x0", _OWN_MODULE.sub("", text))
    return (text or type(error).__name__)[:MAX_MESSAGE]


def finding_of(error: Exception, op: str) -> Finding:
    """What to tell the client of an exception that the call of `op` raised; the caller adds the place."""
    if is_out_of_memory(error):
        return Finding(
            "limit_exceeded",
            f"{op} needs more memory than a worker has",
            hint="use smaller sizes, or a smaller dtype",
        )
    if is_too_large(error):
        return Finding("limit_exceeded", f"{op}: {message_of(error)}", hint="use smaller sizes")
    return Finding("op_failed", message_of(error))
