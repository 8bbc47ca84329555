"""One sample of op_db as it is compared: an expression, its inputs, and what local PyTorch makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from parity_calls import Call, Inputs, Read, Substitute, evaluate

Path: TypeAlias = tuple[int | str, ...]


@dataclass(slots=True, eq=False)
class Prepared:
    """A sample as an expression. What local PyTorch makes of it: `value`, `grads`, or `error`."""

    call: Call | Read | Substitute
    inputs: Inputs
    dtype: str
    number: int
    gradient: bool
    form: str = "samples"
    leaves: list[torch.Tensor] = field(default_factory=list)
    value: Any = None
    outs: list[tuple[Path, torch.Tensor]] = field(default_factory=list)
    cotangents: list[torch.Tensor] = field(default_factory=list)
    grads: tuple[torch.Tensor | None, ...] = ()

    @property
    def label(self) -> str:
        form = "" if self.form == "samples" else f" ({self.form})"
        return f"{self.dtype} sample {self.number}{form}"

    def run(self) -> None:
        """Evaluate it here, gradients included. Raises what PyTorch raises."""
        self.leaves = [one.detach().clone().requires_grad_(one.requires_grad) for one in self.inputs.tensors]
        self.value = evaluate(self.call, self.leaves)
        self.outs = list(_differentiable(self.value)) if self.gradient else []
        self.grads = ()
        if self.outs and any(leaf.requires_grad for leaf in self.leaves):
            generator = torch.Generator().manual_seed(self.number)
            self.cotangents = [random_like(one, generator) for _, one in self.outs]
            roots, wanted = [one for _, one in self.outs], [leaf for leaf in self.leaves if leaf.requires_grad]
            self.grads = torch.autograd.grad(roots, wanted, self.cotangents, allow_unused=True)


def _differentiable(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The outputs that have a gradient, and the way to each."""
    if isinstance(value, torch.Tensor):
        if value.requires_grad and value.layout is torch.strided:
            yield path, value
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _differentiable(item, (*path, index))


def random_like(like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A cotangent, contiguous, without touching the run's own generator."""
    dtype = torch.complex128 if like.is_complex() else torch.float64
    return torch.randn(like.shape, dtype=dtype, generator=generator).to(like.dtype)
