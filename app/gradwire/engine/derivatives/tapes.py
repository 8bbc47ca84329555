"""What lies behind a tensor: which leaves it depends on, and how much memory one backward pass through it may take."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

import torch

Tensors: TypeAlias = tuple[torch.Tensor, ...]


@dataclass(slots=True)
class Reach:
    """`leaves` are those that a backward pass from the tensor comes to; `bytes` those of all gradients on its way."""

    leaves: list[torch.Tensor] = field(default_factory=list)
    bytes: int = 0

    def holds(self, leaf: torch.Tensor) -> bool:
        """Whether a gradient may come to `leaf`."""
        return any(one is leaf for one in self.leaves)


def reach(tensor: torch.Tensor) -> Reach:
    """Walks the backward graph of `tensor` once."""
    found = Reach()
    if tensor.grad_fn is None:
        found.leaves = [tensor] if tensor.requires_grad else []
        return found
    seen = {tensor.grad_fn}
    pending = [tensor.grad_fn]
    while pending:
        node = pending.pop()
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, torch.Tensor):
            found.leaves.append(leaf)
        found.bytes += _bytes(node)
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                pending.append(following)
    return found


def _bytes(node: torch.autograd.graph.Node) -> int:
    """Those of the gradients that flow into a node, which are as large as what its op gave."""
    return sum(math.prod(one.shape) * one.dtype.itemsize for one in node._input_metadata)


def gradients(
    outputs: Tensors, leaves: Tensors, cotangents: Tensors | None = None, *, create_graph: bool = False
) -> Tensors:
    """`torch.autograd.grad` of `outputs`, which may be asked again; zeros for leaves that they do not depend on."""
    places = [place for place, output in enumerate(outputs) if output.requires_grad]
    if not places:
        return tuple(torch.zeros_like(leaf) for leaf in leaves)
    found = torch.autograd.grad(
        [outputs[place] for place in places],
        leaves,
        None if cotangents is None else [cotangents[place] for place in places],
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=True,
    )
    return tuple(torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, leaves, strict=True))
