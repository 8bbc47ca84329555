"""Jacobians and Hessians, row by row in reverse mode or column by column in forward mode, many at once.

What is computed is what torch.func.jacrev, jacfwd and hessian compute: one backward or forward pass, mapped over the
rows of the identity by vmap; `chunk_size` of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from gradwire.engine.derivatives.tapes import Tensors, gradients


def reverse(function: Callable[..., Tensors], values: Tensors, chunk: int | None) -> list[Tensors]:
    """For each output of `function` its Jacobian by each of `values`, of shape output.shape + value.shape.

    One run of the function, then `chunk` rows at a time; None: all, 1: each alone and without vmap.
    """
    outputs, pull, *_ = torch.func.vjp(function, *values)
    return _by_rows(outputs, values, lambda *cotangents: tuple(pull(cotangents)), chunk)


def recorded(outputs: Tensors, leaves: Tensors, chunk: int | None) -> list[Tensors]:
    """The same of what has been run with a tape: where a function cannot be run inside of a transform.

    Backward passes of torch.func can always be differentiated again, and some formulas depend on that; so can these.
    """
    if not any(output.requires_grad for output in outputs):
        return [_nothing(output, leaves) for output in outputs]
    return _by_rows(outputs, leaves, lambda *each: gradients(outputs, leaves, each, create_graph=True), chunk)


def _by_rows(outputs: Tensors, values: Tensors, pull: Callable[..., Tensors], chunk: int | None) -> list[Tensors]:
    """`pull` takes a cotangent for each of `outputs`, and gives a gradient for each of `values`."""
    count = sum(output.numel() for output in outputs)
    if count == 0:
        return [_nothing(output, values) for output in outputs]
    parts: list[Tensors] = []
    for start in range(0, count, chunk or count):
        basis = _directions(outputs, start, min(start + (chunk or count), count))
        parts.append(_pulled(pull, basis, batched=chunk != 1))
    whole = _together(parts)
    pieces = [rows.split([output.numel() for output in outputs]) for rows in whole]
    return [
        tuple(rows.reshape(output.shape + value.shape) for rows, value in zip(row, values, strict=True))
        for output, row in zip(outputs, zip(*pieces, strict=True), strict=True)
    ]


def _pulled(pull: Callable[..., Tensors], cotangents: Tensors, *, batched: bool) -> Tensors:
    if batched:
        mapped: Tensors = torch.func.vmap(pull)(*cotangents)
        return mapped
    return tuple(one.unsqueeze(0) for one in pull(*(one[0] for one in cotangents)))


def _nothing(output: torch.Tensor, values: Tensors) -> Tensors:
    return tuple(value.new_zeros(output.shape + value.shape) for value in values)


def forward(function: Callable[..., Tensors], values: Tensors, chunk: int | None) -> list[Tensors]:
    """For each output of `function` its Jacobian by each of `values`, of shape output.shape + value.shape.

    `chunk` columns are computed at a time, each chunk with a run of the function; None: all, 1: each alone and
    without vmap. Random ops draw the same numbers for all columns.
    """
    count = sum(value.numel() for value in values)
    if count == 0:
        return [_nothing(one, values) for one in function(*values)]
    parts: list[Tensors] = []
    for start in range(0, count, chunk or count):
        tangents = _directions(values, start, min(start + (chunk or count), count))
        parts.append(push(function, values, tangents, batched=chunk != 1))
    whole = _together(parts)
    sizes = [value.numel() for value in values]
    return [
        tuple(
            part.movedim(0, -1).reshape(part.shape[1:] + value.shape)
            for part, value in zip(columns.split(sizes), values, strict=True)
        )
        for columns in whole
    ]


def push(function: Callable[..., Tensors], values: Tensors, tangents: Tensors, *, batched: bool) -> Tensors:
    """The outputs' tangents for each of many directions, which stand along the first dimension of `tangents`."""

    def along(*direction: torch.Tensor) -> Tensors:
        found: Tensors = torch.func.jvp(function, values, direction)[1]
        return found

    if batched:
        mapped: Tensors = torch.func.vmap(along, randomness="same")(*tangents)
        return mapped
    each = [along(*direction) for direction in zip(*tangents, strict=True)]
    return tuple(torch.stack(columns) for columns in zip(*each, strict=True))


def _together(parts: list[Tensors]) -> Tensors:
    """Chunks one below the other."""
    return parts[0] if len(parts) == 1 else tuple(torch.cat(chunks) for chunks in zip(*parts, strict=True))


def _directions(values: Tensors, start: int, stop: int) -> Tensors:
    """Rows of the identity matrix over the elements of all of `values` together: a part for each, in its shape."""
    found: list[torch.Tensor] = []
    before = 0
    for value in values:
        part = torch.zeros((stop - start, value.numel()), dtype=value.dtype, device=value.device)
        first, last = max(start - before, 0), min(stop - before, value.numel())
        if first < last:
            part[first + before - start : last + before - start, first:last].fill_diagonal_(1)
        found.append(part.view(-1, *value.shape))
        before += value.numel()
    return tuple(found)
