"""Functions and the nodes over them as clients write them, and values compared with local ones, nested as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tensor_json import document, same_bits

Json = Any


def function(params: str, nodes: Sequence[dict[str, Json]], returns: Json) -> dict[str, Json]:
    """An entry of `functions`; `params` are the names, with spaces between."""
    return {"params": params.split(), "nodes": list(nodes), "returns": returns}


def apply(op: str, of: Json, *args: Json, id: str | None = None, **options: Json) -> dict[str, Json]:
    """A node that applies a transform, `call` or control flow to a function, its empty members left out."""
    made: dict[str, Json] = {"op": op, "of": of} if id is None else {"id": id, "op": op, "of": of}
    if args:
        made["args"] = list(args)
    if options:
        made["options"] = options
    return made


def tensors(**given: torch.Tensor) -> dict[str, Json]:
    """Local tensors as the inputs of a graph, bit for bit."""
    return {name: document(tensor) for name, tensor in given.items()}


def same(value: Json, local: Any) -> None:
    """Assert that a reply's value is the local one: the same nesting, and tensors of the same bits."""
    if isinstance(local, torch.Tensor):
        assert value["kind"] == "tensor", value
        same_bits(value, local.detach())
    elif isinstance(local, dict):
        assert value["kind"] == "dict", value
        assert set(value["items"]) == set(local)
        for name, one in local.items():
            same(value["items"][name], one)
    elif isinstance(local, (list, tuple)):
        assert value["kind"] == type(local).__name__, value
        assert len(value["items"]) == len(local)
        for part, one in zip(value["items"], local, strict=True):
            same(part, one)
    elif local is None:
        assert value["kind"] == "none", value
    else:
        assert (value["kind"], value["value"]) == (type(local).__name__, local)
