"""Graphs with the local functions that they stand for, to be differentiated by both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from applying import apply, function, tensors
from service import Node, node

DOUBLE = {"dtype": torch.float64}


@dataclass(frozen=True)
class Case:
    """A graph, and the same as a function of its inputs; `output` is one tensor, `number` its sum."""

    inputs: dict[str, Tensor]
    nodes: list[Node]
    local: Callable[..., Tensor]
    functions: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> Callable[..., Tensor]:
        """The local function of the sum."""
        return lambda *values: self.local(*values).sum()

    def body(self, returns: str = "output", **members: Any) -> dict[str, Any]:
        """The body of a request."""
        nodes = [*self.nodes, node("sum", "$output", id="number")]
        return {
            "inputs": tensors(**self.inputs),
            "functions": self.functions,
            "nodes": nodes,
            "returns": returns,
            "encoding": "base64",
            **members,
        }

    @property
    def values(self) -> tuple[Tensor, ...]:
        """The inputs' tensors."""
        return tuple(self.inputs.values())

    @property
    def argnums(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(range(len(self.inputs)))

    def directions(self, seed: int) -> dict[str, Tensor]:
        """A random tensor like each of the inputs."""
        generator = torch.Generator().manual_seed(seed)
        return {
            name: torch.randn(value.shape, dtype=value.dtype, generator=generator)
            for name, value in self.inputs.items()
        }


def _drawn(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _model(w: Tensor, b: Tensor, x: Tensor) -> Tensor:
    return torch.tanh(torch.matmul(x, w) + b)


def _solved(a: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.solve(torch.matmul(a, a.T) + torch.eye(3, **DOUBLE), b)


def _written(x: Tensor) -> Tensor:
    y = torch.mul(x, 2)
    y.add_(x)
    y[0] = 5.0
    torch.Tensor.mul_(y[1:], x[1:])
    return torch.mul(y, x)


def _normalised(x: Tensor, w: Tensor) -> Tensor:
    return torch.nn.functional.softmax(torch.nn.functional.conv1d(x, w), -1)


def _called(x: Tensor) -> Tensor:
    return torch.cumsum(torch.sin(x), 0) if x.sum() > 0 else torch.exp(x)


CASES: Mapping[str, Case] = {
    "a model": Case(
        {"w": _drawn(1, 4, 3), "b": _drawn(2, 3), "x": _drawn(3, 5, 4)},
        [node("matmul", "$x", "$w", id="h"), node("add", "$h", "$b", id="z"), node("tanh", "$z", id="output")],
        _model,
    ),
    "single precision": Case(
        {"w": _drawn(1, 4, 3, dtype=torch.float32), "b": _drawn(2, 3, dtype=torch.float32)},
        [node("mul", "$w", "$b", id="z"), node("logsumexp", "$z", 0, id="output")],
        lambda w, b: torch.logsumexp(torch.mul(w, b), 0),
    ),
    "linear algebra": Case(
        {"a": _drawn(4, 3, 3), "b": _drawn(5, 3)},
        [
            node("matmul", "$a", "$a.T", id="square"),
            node("eye", 3, id="i", dtype="float64"),
            node("add", "$square", "$i", id="m"),
            node("linalg.solve", "$m", "$b", id="output"),
        ],
        _solved,
    ),
    "written in place": Case(
        {"x": _drawn(6, 4)},
        [
            node("mul", "$x", 2, id="y"),
            node("add_", "$y", "$x"),
            node("setitem", "$y", "0", 5.0),
            node("getitem", "$y", "1:", id="rest"),
            node("getitem", "$x", "1:", id="others"),
            node("mul_", "$rest", "$others"),
            node("mul", "$y", "$x", id="output"),
        ],
        _written,
    ),
    "convolution": Case(
        {"x": _drawn(7, 1, 1, 8, dtype=torch.float32), "w": _drawn(8, 2, 1, 3, dtype=torch.float32)},
        [node("nn.functional.conv1d", "$x", "$w", id="c"), node("nn.functional.softmax", "$c", -1, id="output")],
        _normalised,
    ),
    "a function and a branch": Case(
        {"x": _drawn(9, 3).abs()},
        [
            node("sum", "$x", id="total"),
            node("gt", "$total", 0, id="positive"),
            apply("cond", {"then": "wave", "else": "grow"}, "$positive", "$x", id="output"),
        ],
        _called,
        {
            "wave": function("x", [node("sin", "$x", id="s"), node("cumsum", "$s", 0, id="y")], "y"),
            "grow": function("x", [node("exp", "$x", id="y")], "y"),
        },
    ),
}
