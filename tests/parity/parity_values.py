"""Expressions as JSON, and a reply's values held to what local PyTorch gave."""

from __future__ import annotations

import math
from typing import Any

import torch
from parity_calls import Call, Index, Leaf, Read, Substitute, Unwritable

from tensor_json import SIZES, document, name_of, to_bytes, to_torch

Json = Any
_FLOAT_WORDS = {math.inf: "Infinity", -math.inf: "-Infinity"}


class Writer:
    """Writes one sample's expression; its nodes and inputs begin with `prefix`."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.nodes: list[dict[str, Json]] = []

    def write(self, value: Any) -> Json:
        """An argument. Raises Unwritable."""
        if isinstance(value, (Leaf, Call, Read)):
            return "$" + self.reference(value)
        if isinstance(value, str):
            return "$" + value if value.startswith("$") else value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if -(2**63) <= value < 2**64 else {"int": str(value)}
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": _FLOAT_WORDS.get(value, "NaN")}
        if isinstance(value, complex):
            parts = [self.write(value.real), self.write(value.imag)]
            return {"complex": [part["float"] if isinstance(part, dict) else part for part in parts]}
        return self._object(value)

    def _object(self, value: Any) -> Json:
        if value is ...:
            return {"ellipsis": True}
        for kind, word in ((torch.dtype, "dtype"), (torch.layout, "layout"), (torch.memory_format, "memory_format")):
            if isinstance(value, kind):
                return {word: str(value).removeprefix("torch.")}
        if isinstance(value, torch.device):
            return {"device": str(value)}
        if isinstance(value, slice):
            return {"slice": [self.write(bound) for bound in (value.start, value.stop, value.step)]}
        if isinstance(value, torch.Size):
            return {"size": list(value)}
        if isinstance(value, Index):
            return [self.write(item) for item in value.items]
        if isinstance(value, list):
            return [self.write(item) for item in value]
        if isinstance(value, tuple):
            return {"tuple": [self.write(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": {key: self.write(item) for key, item in value.items()}}
        raise Unwritable(f"a {type(value).__name__}")

    def reference(self, value: Leaf | Call | Read | Substitute) -> str:
        """A reference without `$`; a call becomes a node first."""
        if isinstance(value, Substitute):
            return self.reference(value.sent)
        if isinstance(value, Leaf):
            return f"{self.prefix}x{value.index}"
        if isinstance(value, Read):
            return ".".join([self.reference(value.of), *map(str, value.steps)])
        made: dict[str, Json] = {"op": value.name}
        if value.args:
            made["args"] = [self.write(argument) for argument in value.args]
        if value.kwargs:
            made["kwargs"] = {name: self.write(one) for name, one in value.kwargs.items()}
        made["id"] = f"{self.prefix}n{len(self.nodes)}"
        self.nodes.append(made)
        return made["id"]


def written(tensor: torch.Tensor) -> Json:
    """A tensor's document. Raises Unwritable for a dtype that the contract lacks."""
    if name_of(tensor.dtype) not in SIZES:
        raise Unwritable(f"a tensor of {name_of(tensor.dtype)}")
    made = document(tensor)
    return made | {"requires_grad": True} if tensor.requires_grad else made


def difference(value: Json, expected: Any, *, names: bool = True) -> str | None:
    """How a value of a reply differs from the local one; None where every bit is the same.

    `names`: the backward nodes have the same names, too.
    """
    if isinstance(expected, torch.Tensor):
        return _tensor(value, expected, names)
    if isinstance(expected, torch.Size):
        return None if value == {"kind": "size", "value": list(expected)} else f"{value} is not {expected}"
    if isinstance(expected, (list, tuple)):
        return _items(value, expected, names)
    if isinstance(expected, dict):
        if value["kind"] != "dict" or value["items"].keys() != expected.keys():
            return f"a {value['kind']} is not the dict {list(expected)}"
        return next((found for key in expected if (found := difference(value["items"][key], expected[key]))), None)
    return _plain(value, expected)


def _items(value: Json, expected: list[Any] | tuple[Any, ...], names: bool) -> str | None:
    kind = "list" if isinstance(expected, list) else "tuple"
    if value["kind"] != kind or len(value["items"]) != len(expected):
        return f"a {value['kind']} of {len(value.get('items', ()))} is not a {kind} of {len(expected)}"
    if type(expected) not in (list, tuple):
        name = f"{type(expected).__module__}.{type(expected).__name__}"
        if not name.endswith(value.get("type", "?")):
            return f"the named tuple {value.get('type')} is not {name}"
    for index, part in enumerate(expected):
        if found := difference(value["items"][index], part, names=names):
            return f"item {index}: {found}"
    return None


def _plain(value: Json, expected: Any) -> str | None:
    if expected is None:
        return None if value["kind"] == "none" else f"{value} is not None"
    if isinstance(expected, (torch.dtype, torch.layout, torch.memory_format, torch.device)):
        same = value["value"] == str(expected).removeprefix("torch.")
    elif isinstance(expected, complex) and value["kind"] == "complex":
        same = all(
            _same_float(part, one) for part, one in zip(value["value"], (expected.real, expected.imag), strict=True)
        )
    elif isinstance(expected, bool) or value["kind"] == "bool":
        same = value["kind"] == "bool" and value["value"] is expected
    elif isinstance(expected, int):
        same = value["kind"] == "int" and int(value["value"]) == expected
    elif isinstance(expected, float):
        same = value["kind"] == "float" and _same_float(value["value"], expected)
    else:
        same = value["kind"] == {"str": "string"}.get(type(expected).__name__) and value["value"] == expected
    return None if same else f"{value} is not {expected!r}"


def _same_float(part: Json, expected: float) -> bool:
    got = float(part.replace("Infinity", "inf")) if isinstance(part, str) else float(part)
    if math.isnan(expected):
        return math.isnan(got)
    return got == expected and math.copysign(1, got) == math.copysign(1, expected)


def _tensor(value: Json, expected: torch.Tensor, names: bool) -> str | None:
    if value["kind"] != "tensor":
        return f"a {value['kind']} is not a tensor"
    facts = {
        "dtype": name_of(expected.dtype),
        "shape": list(expected.shape),
        "requires_grad": expected.requires_grad,
        "is_leaf": expected.is_leaf,
        "grad_fn": _grad_fn(expected.grad_fn),
    }
    if not names:
        del facts["grad_fn"]
    if expected.layout is torch.strided and not expected.is_quantized:
        for fact, one in facts.items():
            if value[fact] != one:
                return f"{fact} {value[fact]} is not {one}"
    elif "note" not in value:
        return f"a {expected.layout} tensor comes without a note"
    return _bits(to_torch(value), dense(expected))


def _grad_fn(node: Any) -> str | None:
    """A backward node's name as PyTorch prints it."""
    name = None if node is None else type(node).__name__
    return str(node.name()).rpartition("::")[2] if name == "CppFunction" else name


def dense(tensor: torch.Tensor) -> torch.Tensor:
    """What a reply holds of a tensor: sparse ones are written dense."""
    tensor = tensor.detach()
    if tensor.is_quantized:
        return tensor.dequantize()
    if tensor.layout is not torch.strided:
        return tensor.to_dense()
    return tensor.clone(memory_format=torch.contiguous_format)  # a copy has the strides of its shape, and memory


def _bits(got: torch.Tensor, expected: torch.Tensor) -> str | None:
    if to_bytes(got) == to_bytes(expected):
        return None
    if got.dtype != expected.dtype or got.shape != expected.shape:
        return f"{got.dtype} {list(got.shape)} is not {expected.dtype} {list(expected.shape)}"
    flat, wanted = got.reshape(-1), expected.reshape(-1)
    wrong = [i for i in range(flat.numel()) if to_bytes(flat[i]) != to_bytes(wanted[i])]
    return f"{len(wrong)} of {flat.numel()} elements, the first {flat[wrong[0]].item()} for {wanted[wrong[0]].item()}"
