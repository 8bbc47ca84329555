"""The gradients that flow into the nodes of the tape while a backward pass runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import torch
from torch._C import _functorch

from gradwire.engine.observe.origins import grad_fn_of, leaf_of

EntryOf: TypeAlias = Callable[[Any], dict[str, Any] | None]


class Flow:
    """Hooks on backward nodes for the time of one backward pass. They look only: none of them returns anything.

    `entry_of` gives the tape's record of a backward node; its `grad` is set to what flowed in, copied, as PyTorch adds
    later gradients into the same memory.
    """

    def __init__(self, entry_of: EntryOf) -> None:
        self._entry_of = entry_of
        self._handles: list[Any] = []

    def watch(self, roots: Iterable[Any], inputs: Iterable[torch.Tensor] = ()) -> None:
        """Hook every node behind `roots`, and the `inputs` that autograd.grad stops at."""
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            fn = stack.pop()
            entry = self._entry_of(fn)
            if entry is None or entry["id"] in seen:
                continue
            seen.add(entry["id"])
            self._handles.append(self._hook(fn, entry))
            stack.extend(following for following, _ in fn.next_functions if following is not None)
        for tensor in inputs:
            self._watch_input(tensor)

    def release(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _hook(self, fn: Any, entry: dict[str, Any]) -> Any:
        """A leaf's own hook fires also where autograd.grad takes the gradient away before it is accumulated."""
        leaf = leaf_of(fn)
        if leaf is not None:
            return leaf.register_hook(_keep_one(entry, 0, 1))
        return fn.register_prehook(_keep(entry))

    def _watch_input(self, tensor: torch.Tensor) -> None:
        """Hook a tensor that a node made; a leaf is hooked already."""
        fn = grad_fn_of(tensor)
        entry = None if fn is None else self._entry_of(fn)
        if entry is not None:
            width = len(fn._input_metadata)
            self._handles.append(tensor.register_hook(_keep_one(entry, tensor.output_nr, width)))


def _keep(entry: dict[str, Any]) -> Callable[[Sequence[torch.Tensor | None]], None]:
    def hook(grads: Sequence[torch.Tensor | None]) -> None:
        entry["grad"] = [copied(grad) for grad in grads]

    return hook


def _keep_one(entry: dict[str, Any], place: int, width: int) -> Callable[[torch.Tensor | None], None]:
    def hook(grad: torch.Tensor | None) -> None:
        entry["grad"] = [copied(grad) if index == place else None for index in range(width)]

    return hook


def copied(grad: torch.Tensor | None) -> torch.Tensor | None:
    """A copy of a gradient; batched cotangents come as one tensor with the batch as its first dimension.

    None where no gradient flows, and for one that is batched in more than one way (transforms within transforms).
    """
    if grad is None:
        return None
    with torch.no_grad():
        if _functorch.is_legacy_batchedtensor(grad):  # is_grads_batched: the older vmap, whose only level is 1
            grad = torch._remove_batch_dim(grad, 1, 1, 0)
        elif _functorch.is_batchedtensor(grad):
            grad = _functorch.get_unwrapped(grad).movedim(_functorch.maybe_get_bdim(grad), 0)
        if _functorch.is_legacy_batchedtensor(grad) or _functorch.is_functorch_wrapped_tensor(grad):
            return None
        return _compact(grad.detach())


def _compact(grad: torch.Tensor) -> torch.Tensor:
    """A copy with as much memory as `grad` has: the gradient of a sum is one number, expanded."""
    if grad.layout is not torch.strided or grad.is_nested or 0 not in grad.stride():
        return grad.clone()
    small = grad
    for dim, stride in enumerate(grad.stride()):
        if stride == 0 and grad.size(dim) > 1:
            small = small.narrow(dim, 0, 1)
    return small.clone().expand(grad.shape)
