"""Short ways to write graph records in tests of the engine as a library."""

from __future__ import annotations

from typing import Any

import torch

from gradwire.engine.graph import (
    Collection,
    Expression,
    Graph,
    Literal,
    Node,
    Numbers,
    Output,
    Ref,
    TensorDocument,
)
from gradwire.engine.plan import plan
from gradwire.engine.run import run
from gradwire.engine.values import Outcome
from gradwire.findings import Finding, Refusal, Source


def expression(value: Any, source: Source) -> Expression:
    """`"$x"` is a reference, a list of numbers `Numbers`, another list a `Collection`, the rest a literal."""
    if isinstance(value, str) and value.startswith("$"):
        return Ref(value[1:], source)
    if isinstance(value, torch.Tensor):
        return TensorDocument(value, source)
    if isinstance(value, list):
        if value and all(isinstance(item, (int, float)) for item in value):
            return Numbers((len(value),), lambda: list(value), lambda: torch.tensor(value), source)
        return Collection("list", tuple(expression(item, source.at(i)) for i, item in enumerate(value)), source)
    return Literal(value, source)


def node(index: int, op: str, *args: Any, id: str | None = None, no_grad: bool = False, **kwargs: Any) -> Node:
    source = Source(f"/nodes/{index}")
    return Node(
        index,
        op,
        [
            Literal(argument, source.at("args", i))
            if op in ("getitem", "setitem") and isinstance(argument, str) and i == 1
            else expression(argument, source.at("args", i))
            for i, argument in enumerate(args)
        ],
        {name: expression(value, source.at("kwargs", name)) for name, value in kwargs.items()},
        source,
        id,
        no_grad,
    )


def graph(inputs: dict[str, Any], *nodes: tuple[Any, ...], returns: list[str] | None = None, **more: Any) -> Graph:
    """A graph from tensors and nodes written as (id, op, args…) or (id, op, args…, {kwargs})."""
    made = []
    for index, (name, op, *args) in enumerate(nodes):
        kwargs = args.pop() if args and isinstance(args[-1], dict) else {}
        made.append(node(index, op, *args, id=name, **kwargs))
    documents = {
        name: TensorDocument(value.detach().clone(), Source(f"/inputs/{name}"), value.requires_grad)
        for name, value in inputs.items()
    }
    wanted = None
    if returns is not None:
        wanted = [Output(text, Ref(text, Source(f"/returns/{i}"))) for i, text in enumerate(returns)]
    return Graph(documents, made, wanted, **more)


def outcome(*args: Any, **kwargs: Any) -> Outcome:
    """Plan and run; raises Refusal with everything that planning found."""
    prepared, findings = plan(graph(*args, **kwargs))
    if findings:
        raise Refusal(findings)
    return run(prepared)


def values(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """The values of the outputs."""
    return {name: output.value for name, output in outcome(*args, **kwargs).outputs.items()}


def findings(*args: Any, **kwargs: Any) -> list[Finding]:
    """What planning or running finds wrong."""
    try:
        outcome(*args, **kwargs)
    except Refusal as refusal:
        return refusal.findings
    return []
