"""Gradients, and products of Jacobians and Hessians with vectors; the graph runs once, however many vectors come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gradwire.engine.derivatives.asked import Asked, Derivatives
from gradwire.engine.derivatives.fitting import Direction, cotangents_of, directions_of
from gradwire.engine.derivatives.function import GraphFunction
from gradwire.engine.derivatives.modes import in_mode
from gradwire.engine.derivatives.tapes import gradients


def value_and_grad(function: GraphFunction, asked: Asked) -> Derivatives:
    """The gradient of one number by each input: `torch.autograd.grad` of the graph as it ran."""
    ran = function.record()
    _require_scalar(function, ran.output)
    found = gradients((ran.output,), ran.leaves)
    return Derivatives({"value": ran.output, "grads": function.named(found)}, function.unused(ran))


def vjp(function: GraphFunction, asked: Asked) -> Derivatives:
    """Cotangents times Jacobian, with a backward pass for each cotangent."""
    ran = function.record()
    each = cotangents_of(asked.cotangents, ran.output)
    found = [function.named(gradients((ran.output,), ran.leaves, (cotangent,))) for cotangent in each]
    many = asked.cotangents is not None and asked.cotangents.many
    return Derivatives({"value": ran.output, "vjp": _one_or_many(found, many)}, function.unused(ran))


def hvp(function: GraphFunction, asked: Asked) -> Derivatives:
    """Hessian times vectors, with a backward pass through the backward pass for each vector."""
    ran = function.record()
    _require_scalar(function, ran.output)
    vectors = directions_of(asked.directions, function, ran.leaves)
    first = gradients((ran.output,), ran.leaves, create_graph=True)
    found = [function.named(gradients(first, ran.leaves, vector)) for vector in vectors]
    many = asked.directions is not None and asked.directions.many
    members = {"value": ran.output, "hvp": _one_or_many(found, many), "grads": function.named(first)}
    return Derivatives(members, function.unused(ran))


def jvp(function: GraphFunction, asked: Asked) -> Derivatives:
    """Jacobian times tangents, in forward mode; several are mapped by vmap over one run of the graph.

    Where PyTorch has no forward mode for something in the graph, two backward passes give the same.
    """
    leaves = function.leaves()
    tangents = directions_of(asked.directions, function, leaves)
    many = asked.directions is not None and asked.directions.many
    (value, found), mode = in_mode(
        "auto", lambda: _forward(function, leaves, tangents, many), lambda: _backward_twice(function, tangents)
    )
    return Derivatives({"value": value, "jvp": _one_or_many(found, many), "mode": mode})


def _one_or_many(found: list[Any], many: bool) -> Any:
    return found if many else found[0]


def _forward(
    function: GraphFunction, leaves: Direction, tangents: Sequence[Direction], many: bool
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The output and its tangents."""
    values = tuple(leaf.detach() for leaf in leaves)
    with function.forward_mode():
        if not many:
            one = torch.func.jvp(function, values, tangents[0])
            return one[0], [one[1]]

        def along(*direction: torch.Tensor) -> Any:
            return torch.func.jvp(function, values, direction)

        stacked = tuple(torch.stack(parts) for parts in zip(*tangents, strict=True))
        places: Any = (None, 0)
        value, rows = torch.func.vmap(along, out_dims=places, randomness="same")(*stacked)
        return value, list(rows.unbind())


def _backward_twice(function: GraphFunction, tangents: Sequence[Direction]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The same: a VJP is linear in its cotangent, and its derivative by that is the JVP."""
    ran = function.record()
    cotangent = torch.zeros_like(ran.output, requires_grad=True)
    back = gradients((ran.output,), ran.leaves, (cotangent,), create_graph=True)
    return ran.output, [gradients(back, (cotangent,), tangent)[0] for tangent in tangents]


def _require_scalar(function: GraphFunction, output: torch.Tensor) -> None:
    """Raise Refusal where `output` is not one real number."""
    if output.numel() != 1:
        raise function.refuse(
            "invalid_argument",
            f"a gradient is that of one number; the output has the shape {list(output.shape)}",
            got=list(output.shape),
            expected="one number",
            hint="reduce it with a `sum` or `mean` node, or ask for /v1/autograd/vjp or /v1/autograd/jacobian",
        )
    if output.is_complex():
        raise function.refuse(
            "invalid_argument",
            "a gradient is that of one real number; the output is complex",
            got=str(output.dtype).removeprefix("torch."),
            expected="a floating dtype",
            hint="return its `.real` or its `abs`, or ask for /v1/autograd/vjp",
        )
