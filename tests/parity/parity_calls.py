"""What is compared: a call of a public op, as an expression that can be evaluated here and written as JSON."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

MOST_BYTES = 8 * 2**20
_CONSTANTS = (bool, int, float, complex, str, type(None), type(...))
_WORDS = (torch.dtype, torch.layout, torch.memory_format, torch.device)
_SPARSE = {
    torch.sparse_csr: "Tensor.to_sparse_csr",
    torch.sparse_csc: "Tensor.to_sparse_csc",
    torch.sparse_bsr: "Tensor.to_sparse_bsr",
    torch.sparse_bsc: "Tensor.to_sparse_bsc",
}


class Unwritable(Exception):
    """A value that JSON cannot carry; the text says which kind."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor that the client sends, by its place among the inputs."""

    index: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the op `name`: a node of its own."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """An attribute or an item of an expression: `$x.T`, `$x.0`; no node. Slices are for what is run here only."""

    of: Any
    steps: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """What stands between brackets, always as a tuple; in JSON the outermost list is that tuple."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Substitute:
    """Public ops that give the bits of a function that is not public: `sent` goes out, `reference` is run here."""

    sent: Call
    reference: Call | Read


class Inputs:
    """The tensors of one sample, each once however often it occurs, contiguous and owning their memory."""

    def __init__(self) -> None:
        self.tensors: list[torch.Tensor] = []
        self._known: dict[int, Leaf] = {}
        self._alive: list[torch.Tensor] = []

    @property
    def bytes(self) -> int:
        """How much data they are."""
        return sum(tensor.numel() * tensor.itemsize for tensor in self.tensors)

    def leaf(self, tensor: torch.Tensor) -> Leaf:
        """The leaf for a dense tensor."""
        if id(tensor) not in self._known:
            self._alive.append(tensor)
            plain = tensor.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
            self.tensors.append(plain.requires_grad_(tensor.requires_grad))
            self._known[id(tensor)] = Leaf(len(self.tensors) - 1)
        return self._known[id(tensor)]


def expression(value: Any, inputs: Inputs) -> Any:
    """`value` with leaves for its tensors. Raises Unwritable."""
    if isinstance(value, Substitute):
        return Substitute(_composed(value.sent, inputs), _composed(value.reference, inputs))
    if isinstance(value, (Call, Read)):
        return _composed(value, inputs)
    if isinstance(value, Index):
        return Index(tuple(expression(item, inputs) for item in value.items))
    if isinstance(value, torch.Tensor):
        return _tensor(value, inputs)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (*_CONSTANTS, *_WORDS)):
        return value
    if isinstance(value, slice):
        return slice(*(expression(bound, inputs) for bound in (value.start, value.stop, value.step)))
    if isinstance(value, torch.Size):
        return value
    if type(value) in (list, tuple):
        return type(value)(expression(item, inputs) for item in value)
    if type(value) is dict and all(isinstance(key, str) for key in value):
        return {key: expression(item, inputs) for key, item in value.items()}
    raise Unwritable("a Python function" if callable(value) else f"a {type(value).__module__}.{type(value).__name__}")


def _composed(value: Any, inputs: Inputs) -> Any:
    if isinstance(value, Read):
        return Read(expression(value.of, inputs), value.steps)
    args = tuple(expression(argument, inputs) for argument in value.args)
    return Call(value.name, args, {name: expression(one, inputs) for name, one in value.kwargs.items()})


def _tensor(tensor: torch.Tensor, inputs: Inputs) -> Any:
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        raise Unwritable(f"a tensor of the class {type(tensor).__name__}")
    if tensor.is_quantized or tensor.is_nested or tensor.device.type != "cpu":
        kind = "quantized" if tensor.is_quantized else "nested" if tensor.is_nested else f"{tensor.device.type}"
        raise Unwritable(f"a {kind} tensor")
    if tensor.layout is torch.strided:
        return inputs.leaf(tensor)
    dense = inputs.leaf(tensor.detach().to_dense().requires_grad_(tensor.requires_grad))
    if tensor.layout is torch.sparse_coo:
        return Call("Tensor.to_sparse", (dense, tensor.sparse_dim()))
    if tensor.layout in (torch.sparse_bsr, torch.sparse_bsc):
        return Call(_SPARSE[tensor.layout], (dense, tuple(tensor.values().shape[-2:])))
    return Call(_SPARSE[tensor.layout], (dense,))


def public(name: str) -> Callable[..., Any]:
    """PyTorch's public function of a name; for a bare name without one, the Tensor method."""
    if name == "getitem":
        return operator.getitem
    if name.startswith("operator."):
        return getattr(operator, name.removeprefix("operator."))
    found: Any = torch
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found) and "." not in name:
        found = getattr(torch.Tensor, name, None)
    if not callable(found):
        raise LookupError(f"PyTorch has no public function {name}")
    return found


def evaluate(value: Any, leaves: list[torch.Tensor]) -> Any:
    """What Python gives for an expression, its arguments evaluated from the left."""
    if isinstance(value, Leaf):
        return leaves[value.index]
    if isinstance(value, Substitute):
        return evaluate(value.reference, leaves)
    if isinstance(value, Call):
        args = [evaluate(argument, leaves) for argument in value.args]
        return public(value.name)(*args, **{name: evaluate(one, leaves) for name, one in value.kwargs.items()})
    if isinstance(value, Read):
        found = evaluate(value.of, leaves)
        for step in value.steps:
            found = found[step] if isinstance(step, (int, slice)) else getattr(found, step)
        return found
    if isinstance(value, Index):
        return tuple(evaluate(item, leaves) for item in value.items)
    if isinstance(value, slice):
        return slice(*(evaluate(bound, leaves) for bound in (value.start, value.stop, value.step)))
    if type(value) in (list, tuple):
        return type(value)(evaluate(item, leaves) for item in value)
    if type(value) is dict:
        return {key: evaluate(item, leaves) for key, item in value.items()}
    return value
