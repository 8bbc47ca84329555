"""Ops that cut their data into segments by lengths, offsets or counts which they hardly look at."""

from __future__ import annotations

import torch

from gradwire.engine.ops.fences.given import Concern, Fence, Given
from gradwire.engine.ops.fences.saved import own


def segment_reduce(given: Given) -> None:
    """unsafe=True reads beyond the data; the shape of the lengths and the offsets are not checked in any case."""
    if given.get("unsafe"):
        raise given.refusal("unsafe", "'unsafe' leaves out the checks of 'lengths'")
    data = given.get("data")
    axis = given.get("axis") or 0
    if not isinstance(data, torch.Tensor) or not isinstance(axis, int) or not 0 <= axis < data.dim():
        return
    for name in ("lengths", "offsets"):
        value = given.get(name)
        if isinstance(value, torch.Tensor) and value.dim() == axis + 1 and value.shape[:-1] != data.shape[:axis]:
            wanted = [*data.shape[:axis], value.shape[-1]]
            raise given.refusal(name, f"'{name}' must have the shape {wanted}", expected=wanted, got=list(value.shape))
    offsets = given.tensor("offsets")
    if offsets is not None and offsets.numel():
        _check_offsets(given, "offsets", offsets, data.shape[axis])


def _check_offsets(given: Given, name: str, offsets: torch.Tensor, size: int) -> None:
    falling = bool((offsets.diff(dim=-1) < 0).any()) if offsets.dim() else False
    if falling or bool((offsets < 0).any()) or bool((offsets > size).any()):
        raise given.refusal(name, f"'{name}' must rise from 0 to {size}")


def embedding_bag(given: Given) -> None:
    """Bags that end before they begin leave their results as the memory was."""
    offsets = given.tensor("offsets")
    name = "input" if given.place("input") is not None else "indices"
    indices = given.get(name)
    if offsets is None or offsets.is_floating_point() or offsets.is_complex():
        return
    if isinstance(indices, torch.Tensor) and indices.dim() == 1 and offsets.numel():
        _check_offsets(given, "offsets", offsets, indices.numel())


def embedding(given: Given) -> None:
    """A gradient that is sparse or scaled by frequency takes the indices as they are by then."""
    if given.get("sparse") or given.get("scale_grad_by_freq"):
        for name in ("indices", "input"):
            value = given.get(name)
            if isinstance(value, torch.Tensor) and not value.is_floating_point():
                given.put(name, own(value, []))


def repeat_interleave(given: Given) -> None:
    """The sum of the repeats wraps around, and the kernel writes as often as they say."""
    repeats = given.tensor("repeats") if given.place("repeats") is not None else given.tensor("input")
    if repeats is None or repeats.numel() == 0 or repeats.dtype not in (torch.int32, torch.int64):
        return
    total = float(repeats.double().sum())
    if total >= 2**62 and bool((repeats >= 0).all()):  # negative ones are PyTorch's to refuse
        raise given.refusal(
            "repeats" if given.place("repeats") is not None else "input", "the repeats are too many", got=str(total)
        )


FENCES: dict[str, Fence] = {
    "segment_reduce": segment_reduce,
    "embedding": embedding,
    "embedding_bag": embedding_bag,
    "repeat_interleave": repeat_interleave,
}
CONCERNS: dict[str, Concern] = {
    "embedding": lambda args, kwargs: len(args) > 3 or "sparse" in kwargs or "scale_grad_by_freq" in kwargs,
}
