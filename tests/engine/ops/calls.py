"""Short ways to call ops as a graph does: expressions, prepare, then invoke."""

from __future__ import annotations

import copy
from typing import Any

import torch

from gradwire.engine.graph import Collection, Dictionary, Expression, Literal, Numbers, Ref, TensorDocument
from gradwire.engine.ops.arguments import Prepared, invoke, prepare, second_try
from gradwire.engine.ops.registry import Op, registry
from gradwire.findings import Finding, Refusal, Source

NODE = Source("/nodes/0")


def op(name: str) -> Op:
    entry = registry().find(name)
    assert isinstance(entry, Op), entry
    return entry


def expression(value: Any, source: Source) -> Expression:
    """What a reader makes of JSON: `"$x"` a reference, a rectangular list of numbers `Numbers`."""
    if isinstance(value, str) and value.startswith("$"):
        return Ref(value[1:], source)
    if isinstance(value, torch.Tensor):
        return TensorDocument(value, source)
    if isinstance(value, dict):
        return Dictionary({name: expression(one, source.at(name)) for name, one in value.items()}, source)
    if isinstance(value, (list, tuple)):
        shape = _shape(value) if isinstance(value, list) else None
        if shape:
            return Numbers(shape, lambda: copy.deepcopy(value), lambda: torch.tensor(value), source)
        items = tuple(expression(one, source.at(index)) for index, one in enumerate(value))
        return Collection(type(value).__name__, items, source)
    return Literal(value, source)


def _shape(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return () if isinstance(value, (bool, int, float)) else None
    shapes = {_shape(one) for one in value}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(value), *inner)


def prepared(name: str, *args: Any, **kwargs: Any) -> Prepared | list[Finding]:
    return prepare(
        op(name),
        [expression(value, NODE.at("args", index)) for index, value in enumerate(args)],
        {key: expression(value, NODE.at("kwargs", key)) for key, value in kwargs.items()},
        NODE,
        "n",
    )


def call(name: str, *args: Any, names: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    """The value of one node whose references are `names`; raises Refusal with what planning finds."""
    found = prepared(name, *args, **kwargs)
    if isinstance(found, list):
        raise Refusal(found)
    frame = names or {}
    values = [evaluated(one, frame) for one in found.args]
    keywords = {key: evaluated(one, frame) for key, one in found.kwargs.items()}
    target = op(name)
    if not target.plain:
        return invoke(target, values, keywords)
    try:
        return target.call(*values, **keywords)
    except TypeError as error:
        return second_try(target, values, keywords, error)


def evaluated(one: Expression, frame: dict[str, Any]) -> Any:
    if isinstance(one, Ref):
        return frame[one.text]
    if isinstance(one, TensorDocument):
        return one.tensor
    if isinstance(one, Numbers):
        return one.tolist()
    if isinstance(one, Collection):
        return {"list": list, "tuple": tuple, "size": torch.Size}[one.kind](
            evaluated(each, frame) for each in one.items
        )
    if isinstance(one, Dictionary):
        return {name: evaluated(each, frame) for name, each in one.items.items()}
    assert isinstance(one, Literal)
    return one.value


def mistakes(name: str, *args: Any, **kwargs: Any) -> list[Finding]:
    """What planning finds wrong with a call."""
    found = prepared(name, *args, **kwargs)
    assert isinstance(found, list), found
    return found


def mistake(name: str, *args: Any, **kwargs: Any) -> Finding:
    (finding,) = mistakes(name, *args, **kwargs)
    return finding


def same(one: Any, other: Any) -> bool:
    """The same values bit for bit, of the same kinds, dtypes and shapes."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if (one.dtype, one.shape) != (other.dtype, other.shape):
            return False
        return bytes(one.detach().contiguous().view(-1).view(torch.uint8).numpy()) == bytes(
            other.detach().contiguous().view(-1).view(torch.uint8).numpy()
        )
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other
