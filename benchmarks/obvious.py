"""The service that one would write in an afternoon: FastAPI, pydantic models, getattr, tolist(). No safety, no errors.

uvicorn obvious:app
"""

from typing import Any

import torch
from fastapi import FastAPI
from pydantic import BaseModel


class TensorIn(BaseModel):
    data: Any
    dtype: str = "float32"
    requires_grad: bool = False


class Node(BaseModel):
    id: str | None = None
    op: str
    args: list[Any] = []
    kwargs: dict[str, Any] = {}


class Graph(BaseModel):
    inputs: dict[str, TensorIn] = {}
    nodes: list[Node]
    returns: list[str]


class TensorOut(BaseModel):
    dtype: str
    shape: list[int]
    requires_grad: bool
    grad_fn: str | None
    data: Any


class Result(BaseModel):
    outputs: dict[str, TensorOut]


app = FastAPI()


def resolve(value: Any, names: dict[str, Any]) -> Any:
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    name, _, attribute = value[1:].partition(".")
    return getattr(names[name], attribute) if attribute else names[name]


def written(tensor: torch.Tensor) -> TensorOut:
    return TensorOut(
        dtype=str(tensor.dtype).removeprefix("torch."),
        shape=list(tensor.shape),
        requires_grad=tensor.requires_grad,
        grad_fn=type(tensor.grad_fn).__name__ if tensor.grad_fn else None,
        data=tensor.tolist(),
    )


@app.post("/v1/graphs/run")
def run(graph: Graph) -> Result:
    names: dict[str, Any] = {
        name: torch.tensor(given.data, dtype=getattr(torch, given.dtype), requires_grad=given.requires_grad)
        for name, given in graph.inputs.items()
    }
    for node in graph.nodes:
        args = [resolve(arg, names) for arg in node.args]
        op = getattr(torch, node.op, None) or getattr(torch.Tensor, node.op)
        names[node.id or ""] = op(*args, **node.kwargs)
    return Result(outputs={name: written(resolve(f"${name}", names)) for name in graph.returns})
