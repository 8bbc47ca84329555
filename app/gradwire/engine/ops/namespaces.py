"""The places where PyTorch and Python keep public functions, and what stands in them.

Names are enumerated once, here. A name that a client sends is only ever a key into what came out.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MethodDescriptorType,
    ModuleType,
)
from typing import Any

import torch
import torch.signal.windows


@dataclass(frozen=True, slots=True)
class Candidate:
    """A public name, its value, and where it stands. `name` is what PyTorch's documentation calls it, without torch."""

    name: str
    value: Any

    @property
    def namespace(self) -> str:
        """`torch` for names without a dot."""
        return self.name.rpartition(".")[0] or "torch"

    @property
    def last(self) -> str:
        """The name behind the last dot."""
        return self.name.rpartition(".")[2]


# Prefix of the documented names, and the module or class that holds them.
PLACES: tuple[tuple[str, Any], ...] = (
    ("", torch),
    ("Tensor.", torch.Tensor),
    ("nn.functional.", torch.nn.functional),
    ("nn.init.", torch.nn.init),
    ("linalg.", torch.linalg),
    ("fft.", torch.fft),
    ("special.", torch.special),
    ("signal.windows.", torch.signal.windows),
    ("sparse.", torch.sparse),
    ("masked.", torch.masked),
    ("nested.", torch.nested),
    ("operator.", operator),
)
# Of these modules only some are plain functions; the rest are classes, modes, transforms and state of the process.
_SINGLE = (
    ("autograd", torch.autograd, ("grad", "backward")),
    ("autograd.forward_ad", torch.autograd.forward_ad, ("make_dual", "unpack_dual")),
    ("cuda", torch.cuda, ("is_available", "device_count")),
    ("accelerator", torch.accelerator, ("is_available", "device_count", "current_accelerator")),
    ("backends.mps", torch.backends.mps, ("is_available", "is_built")),
)
# What getitem and setattr stand for is Python's syntax; the engine carries it out itself.
SYNTAX = ("getitem", "setitem", "setattr")

_FUNCTIONS = (BuiltinFunctionType, FunctionType, MethodDescriptorType, functools._lru_cache_wrapper)


def candidates() -> Iterator[Candidate]:
    """Every public function, class and attribute of the places, in a fixed order."""
    for prefix, place in PLACES:
        for name in dir(place):
            value = getattr(place, name, None)
            if not name.startswith("_") and is_kept(value) and (prefix == "" or not isinstance(value, type)):
                yield Candidate(prefix + name, value)
    for prefix, module, names in _SINGLE:
        for name in names:
            yield Candidate(f"{prefix}.{name}", getattr(module, name))


def is_function(value: Any) -> bool:
    """Whether `value` is a function, or a method as it stands in its class."""
    return isinstance(value, _FUNCTIONS)


def is_attribute(value: Any) -> bool:
    """Whether `value` is an attribute as it stands in its class."""
    return isinstance(value, (GetSetDescriptorType, property))


def is_kept(value: Any) -> bool:
    """Whether a name is worth an entry: modules, constants and types for annotations are no ops at all."""
    if isinstance(value, (ModuleType, torch.dtype, torch.layout, torch.memory_format)):
        return False
    if isinstance(value, torch._ops.OpOverloadPacket):
        return True
    return is_function(value) or is_attribute(value) or (isinstance(value, type) and not _is_foreign(value))


def _is_foreign(value: type) -> bool:
    """Python's own types, exceptions, and the classes of the TorchScript compiler, which are not documented."""
    from_torch = getattr(value, "__module__", "").startswith("torch")
    return not from_torch or type(value).__name__ == "pybind11_type" or issubclass(value, BaseException)
