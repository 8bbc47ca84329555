"""All derivatives of a function at a sample: as nodes of one graph, and by torch.func in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from generator import Sample
from programs import Op, Program, Var, functions
from torch.utils import _pytree as pytree

from applying import apply, tensors

NAMES = ["value", "gradients", "pull", "push", "hessian", "third"]


def scalar(program: Program) -> Program:
    """The sum of the squared sines of what the function gives."""
    steps = [
        *program.steps,
        Op("reduction", "sin", [program.returns]),
    ]
    place = program.params + len(steps) - 1
    steps.append(Op("reduction", "square", [Var(place)]))
    steps.append(Op("reduction", "sum", [Var(place + 1)]))
    return Program("scalar", program.params, steps, Var(place + 2))


def graph(sample: Sample, v: torch.Tensor, u: tuple[torch.Tensor, torch.Tensor], names: list[str]) -> dict[str, Any]:
    """A body that asks for those of `names`."""
    inputs = tensors(x=sample.args[0], y=sample.args[1], outer=sample.outer.tensor, v=v, ux=u[0], uy=u[1])
    third = {"op": "func.hessian", "of": "scalar"}
    nodes = [
        apply("call", "f", "$x", "$y", id="value"),
        apply("func.grad_and_value", "scalar", "$x", "$y", id="gradients", argnums=[0, 1]),
        apply("func.vjp", "f", "$x", "$y", id="pull", cotangents="$v"),
        apply("func.jvp", "f", "$x", "$y", id="push", tangents=["$ux", "$uy"]),
        apply("func.hessian", "scalar", "$x", "$y", id="hessian", argnums=[0, 1]),
        apply("func.jacfwd", third, "$x", "$y", id="third"),
    ]
    used = functions([sample.program]) | functions([scalar(sample.program)])
    wanted = [one for one in nodes if one["id"] in names]
    return {"inputs": inputs, "functions": used, "nodes": wanted, "returns": names}


def local(sample: Sample, v: torch.Tensor, u: tuple[torch.Tensor, torch.Tensor]) -> dict[str, Any]:
    """What torch.func gives for the same; the error where it refuses."""
    f, loss, args = sample.program, scalar(sample.program), sample.args
    calls: dict[str, Callable[[], Any]] = {
        "value": lambda: f(*args),
        "gradients": lambda: torch.func.grad_and_value(loss, (0, 1))(*args),
        "pull": lambda: _pulled(f, args, v),
        "push": lambda: torch.func.jvp(f, args, u),
        "hessian": lambda: torch.func.hessian(loss, (0, 1))(*args),
        "third": lambda: torch.func.jacfwd(torch.func.hessian(loss))(*args),
    }
    return {name: _tried(call) for name, call in calls.items()}


def _pulled(f: Program, args: tuple[torch.Tensor, torch.Tensor], v: torch.Tensor) -> Any:
    value, back = torch.func.vjp(f, *args)
    return value, back(v)


def _tried(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except RuntimeError as error:
        return error


def same_bits(name: str, found: Any, expected: Any) -> None:
    """Assert that two nested values have the same structure and the same bits."""
    ours, structure = pytree.tree_flatten(found)
    theirs, other = pytree.tree_flatten(expected)
    assert structure == other, name
    for one, two in zip(ours, theirs, strict=True):
        assert (one.dtype, one.shape) == (two.dtype, two.shape), name
        assert torch.equal(_bits(one), _bits(two)), f"{name}: {one} is not {two}"


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.int64)


def transposes_agree(found: dict[str, Any], v: torch.Tensor, u: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Assert that v·(J u) is (vᵀJ)·u: forward and reverse mode agree, to 1e-9 of the sizes of their terms."""
    forward = v * found["push"][1]
    backward = [cotangent * tangent for cotangent, tangent in zip(found["pull"][1], u, strict=True)]
    size = forward.abs().sum() + sum(one.abs().sum() for one in backward)
    difference = (forward.sum() - sum(one.sum() for one in backward)).abs()
    assert difference <= 1e-9 * (1 + size), f"{forward.sum()} is not {backward}"
