"""Examples for the ops that small arguments of the declared types do not run: sizes that must agree, sparse input.

They stand in examples.json by op, each as a body for POST /v1/ops/{name}, or, where an argument is something that no
literal writes (a sparse or quantized tensor, an array), as the nodes of a graph whose last one is the op.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import torch


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """Op to its members `args` and `kwargs`, or `nodes`, or both."""
    text = resources.files("gradwire.engine.ops").joinpath("examples.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def of(name: str) -> dict[str, Any] | None:
    """The entry of the op `name`; methods and in-place forms share that of the function with the same arguments."""
    bare = name.removeprefix("Tensor.")
    for key in (name, name.removesuffix("_"), bare, bare.removesuffix("_")):
        # A graph names its op, and what it names is not the other spelling.
        if (entry := table().get(key)) is not None and (key == name or "nodes" not in entry):
            return entry
    return None


def read(document: Any, frame: Mapping[str, Any]) -> Any:
    """The value of an argument in the table; `frame` holds what the graph's nodes gave."""
    if isinstance(document, dict):
        return _tensor(**document["tensor"])
    if isinstance(document, list):
        return [read(one, frame) for one in document]
    if isinstance(document, str) and document.startswith("$"):
        return frame[document[1:]]
    return document


def _tensor(data: Any, dtype: str | None = None, *, requires_grad: bool = False) -> torch.Tensor:
    if dtype is not None and dtype.startswith("complex"):
        return torch.view_as_complex(torch.tensor(data)).to(getattr(torch, dtype))
    return torch.tensor(data, dtype=getattr(torch, dtype) if dtype else None, requires_grad=requires_grad)
