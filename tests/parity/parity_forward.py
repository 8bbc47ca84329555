"""Samples in forward mode: dual tensors in, the tangents of the outputs held bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from parity_calls import Call, Index, Leaf, Read, evaluate
from parity_samples import Path, Prepared, random_like
from torch.autograd import forward_ad

MAKE, UNPACK = "autograd.forward_ad.make_dual", "autograd.forward_ad.unpack_dual"


@dataclass(slots=True, eq=False)
class Forward(Prepared):
    """A sample whose differentiable inputs are dual tensors; `tangents` are its outputs', by the way to each."""

    tangents: dict[Path, torch.Tensor | None] = field(default_factory=dict)

    def run(self) -> None:
        """Evaluate it here, inside of a level of forward mode. Raises what PyTorch raises."""
        self.leaves = [one.detach().clone() for one in self.inputs.tensors]
        self.outs, self.grads = [], ()
        with forward_ad.dual_level():
            self.value = evaluate(self.call, self.leaves)
            self.tangents = {path: forward_ad.unpack_dual(one).tangent for path, one in _tensors(self.value)}


def forward(sample: Prepared) -> Forward | None:
    """`sample` with dual inputs; None where none of its inputs is differentiable."""
    count = len(sample.inputs.tensors)
    places = [place for place, one in enumerate(sample.inputs.tensors) if one.requires_grad]
    if not places or not isinstance(sample.call, Call):
        return None
    generator = torch.Generator().manual_seed(sample.number)
    inputs = sample.inputs
    inputs.tensors = [one.detach() for one in inputs.tensors]
    inputs.tensors += [random_like(inputs.tensors[place], generator) for place in places]
    duals = {place: Call(MAKE, (Leaf(place), Leaf(count + index))) for index, place in enumerate(places)}
    call = _with_duals(sample.call, duals)
    return Forward(call, inputs, sample.dtype, sample.number, gradient=False, form="forward")


def _with_duals(value: Any, duals: dict[int, Call]) -> Any:
    """An expression with the duals of its leaves."""
    if isinstance(value, Leaf):
        return duals.get(value.index, value)
    if isinstance(value, Call):
        args = tuple(_with_duals(one, duals) for one in value.args)
        return replace(value, args=args, kwargs={name: _with_duals(one, duals) for name, one in value.kwargs.items()})
    if isinstance(value, Read):
        return replace(value, of=_with_duals(value.of, duals))
    if isinstance(value, Index):
        return Index(tuple(_with_duals(one, duals) for one in value.items))
    if type(value) in (list, tuple):
        return type(value)(_with_duals(one, duals) for one in value)
    if type(value) is dict:
        return {name: _with_duals(one, duals) for name, one in value.items()}
    return value


def _tensors(value: Any, path: Path = ()) -> Iterator[tuple[Path, torch.Tensor]]:
    """The dense tensors among the outputs that may have a tangent, and the way to each."""
    if isinstance(value, torch.Tensor):
        if (value.is_floating_point() or value.is_complex()) and value.layout is torch.strided:
            yield path, value
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _tensors(item, (*path, index))


def add_tangents(body: dict[str, Any], sample: Forward, prefix: str, reference: str) -> None:
    """The nodes that read the tangents of a sample's outputs, and what is wanted of them."""
    for index, path in enumerate(sample.tangents):
        name = f"{prefix}n{index}u"
        of = "$" + ".".join([reference, *map(str, path)])
        body["nodes"].append({"id": name, "op": UNPACK, "args": [of]})
        body["returns"][f"{prefix}t{index}"] = f"{name}.tangent"
