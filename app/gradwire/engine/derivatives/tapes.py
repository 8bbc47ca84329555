"""What lies behind a tensor: which leaves it depends on, and how much memory one backward pass through it may take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch


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
    output: torch.Tensor,
    leaves: Sequence[torch.Tensor],
    cotangent: torch.Tensor | None = None,
    *,
    create_graph: bool = False,
    batched: bool = False,
) -> tuple[torch.Tensor, ...]:
    """`torch.autograd.grad` of `output`, which may be asked again; zeros for leaves that it does not depend on.

    `batched`: `cotangent` and the gradients have one dimension more in front.
    """
    rows = cotangent.shape[:1] if batched and cotangent is not None else torch.Size()
    if not output.requires_grad:
        return tuple(leaf.new_zeros(rows + leaf.shape) for leaf in leaves)
    found = torch.autograd.grad(
        output,
        leaves,
        cotangent,
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=True,
        is_grads_batched=batched,
    )
    pairs = zip(found, leaves, strict=True)
    return tuple(leaf.new_zeros(rows + leaf.shape) if one is None else one for one, leaf in pairs)
