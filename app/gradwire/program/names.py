"""What a dotted name such as `torch.nn.functional.relu` stands for: a module, a constant, a function, or nothing here.

Derived once per process from PyTorch's, NumPy's and Python's own modules and from the registry. A program's word is a
key into what came out and nothing else.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import torch

from gradwire.engine.language import names as language
from gradwire.engine.language.members import METHODS
from gradwire.engine.ops.registry import Excluded, Op, registry
from gradwire.engine.transforms import AS_FUNCTIONS


@dataclass(frozen=True, slots=True)
class Module:
    """A module that a program may name: `torch.linalg`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A name that is a value: `torch.float32`, `math.pi`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Function:
    """A function. `op` is what nodes call it, `value` what stands for it as a value, where that is a type.

    `on_functions`: it transforms functions, so it is called as a value.
    """

    op: str
    value: type | None = None
    on_functions: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What stands behind `with`: `torch.no_grad`."""

    of: str


@dataclass(frozen=True, slots=True)
class Left:
    """A name that exists and is left out, with the reason."""

    name: str
    reason: str


Meaning = Module | Constant | Function | Context | Left

# Names that every program sees; `import` gives others.
ALWAYS = {
    "torch": "torch",
    "F": "torch.nn.functional",
    "np": "numpy",
    "numpy": "numpy",
    "math": "math",
    "functools": "functools",
}
BUILTINS = frozenset(name.removeprefix("builtins.") for name in language.names() if name.startswith("builtins."))
_CONTEXTS = {
    "torch.no_grad": "no_grad",
    "torch.enable_grad": "enable_grad",
    "torch.set_grad_enabled": "set_grad_enabled",
    "torch.inference_mode": "inference_mode",
    "torch.autograd.no_grad": "no_grad",
    "torch.autograd.enable_grad": "enable_grad",
    "torch.autograd.set_grad_enabled": "set_grad_enabled",
    "torch.autograd.inference_mode": "inference_mode",
    "torch.autograd.forward_ad.dual_level": "autograd.forward_ad.dual_level",
}
# The same function under a second name in PyTorch.
_SPELLINGS = {
    "torch.vmap": "torch.func.vmap",
    "torch.random.manual_seed": "torch.manual_seed",
    "torch.functional.einsum": "torch.einsum",
}
# Classes that values have and that nobody calls.
_TYPES = {"torch.Tensor": torch.Tensor, "torch.dtype": torch.dtype, "numpy.ndarray": np.ndarray}
_MODULES = (
    "torch torch.nn torch.nn.functional torch.nn.init torch.autograd torch.autograd.functional "
    "torch.autograd.forward_ad torch.func torch.random torch.signal numpy numpy.random math functools"
).split()


def find(dotted: str) -> Meaning | None:
    """The meaning of a full name; None for one that nothing has."""
    dotted = _SPELLINGS.get(dotted, dotted)
    if dotted in modules():
        return Module(dotted)
    if dotted in _CONTEXTS:
        return Context(_CONTEXTS[dotted])
    if dotted in constants():
        return Constant(constants()[dotted])
    if dotted == "functools.partial":
        return Function(dotted)
    root, _, rest = dotted.partition(".")
    if root == "math":
        return Function(dotted) if language.find(dotted) is not None else None
    return _registered(rest if root == "torch" else dotted) if root in ("torch", "numpy") else None


def _registered(name: str) -> Meaning | None:
    """What the registry or the transforms have under exactly this name."""
    if name in AS_FUNCTIONS:
        return Function(name, on_functions=True)
    entry = registry().find(name)
    if entry is None or entry.name != name:
        return None
    if isinstance(entry, Excluded):
        return Left(name, entry.reason)
    return Function(name, entry.call if isinstance(entry.call, type) else None)


@functools.cache
def modules() -> frozenset[str]:
    """Every module's full name."""
    found = set(_MODULES)
    for entry in registry().entries():
        namespace = entry.name.rpartition(".")[0]
        if namespace and not namespace.startswith(("Tensor", "operator", "numpy.ndarray", "builtins", "math")):
            found.add(namespace if namespace.startswith("numpy") else f"torch.{namespace}")
    return frozenset(found)


@functools.cache
def legacy_classes() -> dict[str, torch.dtype]:
    """`torch.Tensor`, `torch.LongTensor` and their kind: the dtype that each gives to a list."""
    of_dtypes = [(name, value) for name, value in vars(torch).items() if type(value) is type(torch.FloatTensor)]
    return {"torch.Tensor": torch.float32, **{f"torch.{name}": value.dtype for name, value in of_dtypes}}


@functools.cache
def constants() -> dict[str, Any]:
    """Every name that is a value: dtypes, layouts, memory formats, numbers, NumPy's scalar types."""
    found: dict[str, Any] = dict(_TYPES)
    for root, place in (("torch", torch), ("numpy", np), ("math", math)):
        found.update((f"{root}.{name}", value) for name, value in _plain(place))
    for entry in registry().entries():
        if isinstance(entry, Op) and isinstance(entry.call, type) and issubclass(entry.call, np.generic):
            found[entry.name] = entry.call
    return found


def is_scalar_type(value: Any) -> bool:
    """Whether `value` is one of NumPy's scalar types, which are dtypes and can be called, too."""
    return isinstance(value, type) and issubclass(value, np.generic)


def _plain(place: ModuleType) -> Iterator[tuple[str, Any]]:
    kinds = (torch.dtype, torch.layout, torch.memory_format, float)
    for name, value in vars(place).items():
        if not name.startswith("_") and (isinstance(value, kinds) or (name == "newaxis" and value is None)):
            yield name, value


@functools.cache
def methods() -> frozenset[str]:
    """Every method that a value of some kind has, also those that are left out."""
    found = {entry.name.rpartition(".")[2] for entry in registry().entries() if _is_method(entry.name)}
    return frozenset(found.union(*(methods for _, methods in METHODS)))


def excluded_method(name: str) -> str | None:
    """Why no value's method `name` may be called; None where one may."""
    entries = [registry().find(f"{kind}.{name}") for kind in ("Tensor", "numpy.ndarray")]
    if any(name in some for _, some in METHODS) or any(isinstance(entry, Op) for entry in entries):
        return None
    return next((entry.reason for entry in entries if isinstance(entry, Excluded)), None)


def _is_method(name: str) -> bool:
    return name.startswith(("Tensor.", "numpy.ndarray."))
