"""Cotangents, tangents and vectors of a request as tensors that fit what they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from gradwire.engine.derivatives.asked import Cotangents, Directions
from gradwire.engine.derivatives.function import GraphFunction
from gradwire.engine.graph import TensorDocument
from gradwire.findings import refuse

Direction = tuple[torch.Tensor, ...]


def cotangents_of(given: Cotangents | None, output: torch.Tensor) -> list[torch.Tensor]:
    """Tensors like `output`; a one where none is given for an output of one number. Raises Refusal."""
    if given is not None:
        return [_fitting(one, output, "a cotangent", "the output") for one in given.each]
    if output.numel() == 1:
        return [torch.ones_like(output)]
    shape = list(output.shape)
    message = f"vjp needs `cotangents`, since the output has the shape {shape}"
    raise refuse("invalid_argument", message, expected=f"cotangents of the shape {shape}")


def directions_of(given: Directions | None, function: GraphFunction, leaves: Sequence[torch.Tensor]) -> list[Direction]:
    """For each direction one tensor like each of `leaves`; zeros for inputs that it leaves out. Raises Refusal."""
    return [] if given is None else [_direction(one, function, leaves) for one in given.each]


def _direction(
    given: Mapping[str, TensorDocument], function: GraphFunction, leaves: Sequence[torch.Tensor]
) -> Direction:
    return tuple(
        _fitting(given[name], leaf, "a direction", f"'{name[:64]}'") if name in given else torch.zeros_like(leaf)
        for name, leaf in zip(function.names, leaves, strict=True)
    )


def _fitting(document: TensorDocument, like: torch.Tensor, what: str, whose: str) -> torch.Tensor:
    """The tensor in the dtype and on the device of `like`."""
    tensor = document.tensor
    if tensor.shape != like.shape:
        expected, got = list(like.shape), list(tensor.shape)
        message = f"{what} has the shape of {whose}: {got} is not {expected}"
        raise refuse("invalid_argument", message, document.source, got=got, expected=expected)
    if not torch.can_cast(tensor.dtype, like.dtype):
        dtypes = [str(one.dtype).removeprefix("torch.") for one in (tensor, like)]
        message = f"{what} has the dtype of {whose}: {dtypes[0]} does not become {dtypes[1]}"
        raise refuse("invalid_argument", message, document.source, got=dtypes[0], expected=dtypes[1])
    return tensor.to(like.device, like.dtype)
