"""Ops whose gradient uses the indices that they saved without another look.

PyTorch's version counter notices most changes in between, but not those through `.data` or a NumPy array. What these
ops save is therefore memory of their own, and where the client's differs by then the backward pass is refused. The
version counter stays shared, so that the changes which PyTorch notices are still its errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import torch

# By last name: with their arguments, or with the indices that they return.
_POOLS = (
    *(f"max_pool{count}d" for count in (1, 2, 3)),
    *(f"adaptive_max_pool{count}d" for count in (1, 2, 3)),
    *(f"fractional_max_pool{count}d" for count in (2, 3)),
)
OPS = frozenset(
    (
        *("nll_loss", "cross_entropy", "ctc_loss", "embedding_bag", "segment_reduce"),
        *_POOLS,
        *(f"{pool}_with_indices" for pool in _POOLS),
    )
)
Pairs: TypeAlias = list[tuple[torch.Tensor, torch.Tensor]]


def concerns(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether the call will have a backward pass."""
    return torch.is_grad_enabled() and any(one.requires_grad for one in _tensors((*args, *kwargs.values())))


def own(value: Any, pairs: Pairs) -> Any:
    """Tensors of integers with memory of their own, in lists and tuples, too; anything else as it is.

    Each with its copy goes into `pairs`.
    """
    if isinstance(value, torch.Tensor):
        return _own(value, pairs)
    if isinstance(value, tuple) and type(value) is not torch.Size:
        items = [own(one, pairs) for one in value]
        # A named tuple of PyTorch's is made from one sequence.
        return tuple(items) if type(value) is tuple else type(value)(items)
    return [own(one, pairs) for one in value] if isinstance(value, list) else value


def _own(value: torch.Tensor, pairs: Pairs) -> torch.Tensor:
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(value)
    if value.is_floating_point() or value.is_complex() or value.layout is not torch.strided or wrapped:
        return value
    alone = value.detach()  # it shares the version counter
    alone.data = value.detach().clone()
    pairs.append((value, alone))
    return alone


def watch(result: Any, pairs: Pairs, op: str) -> None:
    """Refuse the backward pass of `result` where one of a pair is no longer equal to the other."""
    node = next((one.grad_fn for one in _tensors((result,)) if one.grad_fn is not None), None)
    if node is None or not pairs:
        return

    versions = [one._version for one, _ in pairs]

    def look(gradients: Any) -> None:
        if versions != [one._version for one, _ in pairs]:
            return  # PyTorch says so itself
        if not all(torch.equal(one, other) for one, other in pairs):
            raise RuntimeError(
                f"the indices that {op} saved for its backward pass were changed behind PyTorch's back, "
                "through .data or an array"
            )

    node.register_prehook(look)


def _tensors(values: Sequence[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
