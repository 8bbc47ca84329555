"""References: every path, names that hold dots, the literal dollar, and where references may stand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import document, same_bits, same_tensor

X = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
Z = torch.tensor([[1 + 2j, 3 - 4j]], dtype=torch.complex64)
INPUTS = {"x": document(X, requires_grad=True), "z": document(Z)}

# What a path gives: (reference, the whole value of the reply).
VALUES = [
    ("x.shape", {"kind": "size", "value": [2, 3]}),
    ("x.shape.1", {"kind": "int", "value": 3}),
    ("x.dtype", {"kind": "dtype", "value": "float32"}),
    ("x.dtype.itemsize", {"kind": "int", "value": 4}),
    ("x.device", {"kind": "device", "value": "cpu"}),
    ("x.device.type", {"kind": "string", "value": "cpu"}),
    ("x.device.index", {"kind": "none", "value": None}),
    ("x.layout", {"kind": "layout", "value": "strided"}),
    ("x.ndim", {"kind": "int", "value": 2}),
    ("x.itemsize", {"kind": "int", "value": 4}),
    ("x.nbytes", {"kind": "int", "value": 24}),
    ("x.requires_grad", {"kind": "bool", "value": True}),
    ("x.is_leaf", {"kind": "bool", "value": True}),
    ("x.is_sparse", {"kind": "bool", "value": False}),
    ("x.is_cuda", {"kind": "bool", "value": False}),
    ("x.grad", {"kind": "none", "value": None}),
    ("x.grad_fn", {"kind": "none", "value": None}),
    ("y.grad_fn", {"kind": "string", "value": "MulBackward0"}),
    ("y.is_leaf", {"kind": "bool", "value": False}),
    ("f.eps", {"kind": "float", "value": 1.1920928955078125e-07}),
    ("f.max", {"kind": "float", "value": 3.4028234663852886e38}),
    ("f.tiny", {"kind": "float", "value": 1.1754943508222875e-38}),
    ("f.bits", {"kind": "int", "value": 32}),
    ("i.max", {"kind": "int", "value": "9223372036854775807"}),
    ("i.min", {"kind": "int", "value": "-9223372036854775808"}),
    ("d.a", {"kind": "int", "value": 5}),
    ("d.b.1", {"kind": "string", "value": "two"}),
]
NODES = [
    node("mul", "$x", 2, id="y"),
    node("finfo", {"dtype": "float32"}, id="f"),
    node("iinfo", {"dtype": "int64"}, id="i"),
    node("max", "$x", 1, id="m"),
    node("split", "$x", 1, id="parts"),
    node("linalg.svd", "$x.data", id="svd"),
    node("getitem", {"dict": {"d": {"dict": {"a": 5, "b": [1, "two"]}}}}, "d", id="d"),
]


@pytest.mark.parametrize(("reference", "value"), VALUES)
def test_paths_that_give_values(service: Service, reference: str, value: dict[str, Any]) -> None:
    got = service.run(NODES, [reference], INPUTS)[reference]
    assert {member: got[member] for member in value} == value


TENSORS = [
    ("x.T", X.T), ("x.mT", X.mT), ("x.H", X.H), ("x.mH", X.mH), ("x.data", X), ("x.real", X), ("z.real", Z.real),
    ("z.imag", Z.imag), ("z.H", Z.H), ("z.mH.T", Z.mH.T), ("m.0", X.max(1)[0]), ("m.values", X.max(1).values),
    ("m.indices", X.max(1).indices), ("m.1.T", X.max(1)[1]), ("parts.1", X.split(1)[1]),
    ("svd.S", torch.linalg.svd(X).S), ("svd.Vh.mT", torch.linalg.svd(X).Vh.mT), ("svd.2", torch.linalg.svd(X)[2]),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "expected"), TENSORS, ids=[name for name, _ in TENSORS])
def test_paths_that_give_tensors(service: Service, reference: str, expected: torch.Tensor) -> None:
    same_bits(service.run(NODES, [reference], INPUTS)[reference], expected)
    same_bits(service.run([*NODES, node("clone", f"${reference}", id="c")], ["c"], INPUTS)["c"], expected)


def test_paths_are_arguments_everywhere(service: Service) -> None:
    nodes = [
        node("zeros", "$x.shape", dtype="$z.dtype", id="a"),
        node("zeros", ["$x.shape.1", "$x.ndim"], id="b"),
        node("cat", ["$x", "$x.data"], dim="$one.shape.0", id="c"),
        node("to", "$x", "$d.dtype", id="e"),
        node("mul", "$x", "$f.eps", id="g"),
        node("finfo", "$d.dtype", id="f2"),
    ]
    first = [
        node("ones", 1, dtype="float64", id="d"),
        node("finfo", {"dtype": "float32"}, id="f"),
        node("ones", 1, 5, id="one"),
    ]
    outputs = service.run([*first, *nodes], ["a", "b", "c", "e", "g", "f2.bits"], INPUTS)
    x = X.clone().requires_grad_()
    same_tensor(outputs["a"], torch.zeros(2, 3, dtype=torch.complex64))
    same_tensor(outputs["b"], torch.zeros(3, 2))
    same_tensor(outputs["c"], torch.cat([x, x.data], dim=1))
    same_tensor(outputs["e"], x.to(torch.float64))
    same_tensor(outputs["g"], x * torch.finfo(torch.float32).eps)
    assert outputs["f2.bits"]["value"] == 64


def test_the_longest_name_that_exists_wins(service: Service) -> None:
    inputs = {"a": {"data": [1.0]}, "a.b": {"data": [2.0]}, "a.b.T": {"data": [3.0]}, "a.shape": {"data": [4.0]}}
    nodes = [
        node("clone", "$a.b.T", id="one"),
        node("clone", "$a.shape", id="three"),
        node("clone", "$a.shape.data", id="four"),
        node("clone", "$a.data", id="grad.x"),
    ]
    outputs = service.run(nodes, ["one", "three", "four", "a.b.shape", "grad.x", "grad.x.shape"], inputs)
    assert [outputs[name]["data"] for name in ("one", "three", "four", "grad.x")] == [[3.0], [4.0], [4.0], [1.0]]
    assert outputs["a.b.shape"] == outputs["grad.x.shape"] == {"kind": "size", "value": [1]}


@pytest.mark.parametrize(
    "name", ["a b", "é", "日本", "😀", "0", "1.5", "a/b~c", 'q"q', "grad", "x.", "..", "true", "A" * 256]
)
def test_names_may_be_almost_anything(service: Service, name: str) -> None:
    nodes = [node("mul", f"${name}", 3, id=f"{name[:250]}!")]
    outputs = service.run(nodes, [name, f"${name[:250]}!"], {name: {"data": [2.0]}})
    assert outputs[name]["data"] == [2.0]
    assert outputs[f"{name[:250]}!"]["data"] == [6.0]


def test_two_dollars_are_one(service: Service) -> None:
    nodes = [
        node("getitem", {"dict": {"k": "$$x", "l": ["$$", "$$$x"]}}, "k", id="a"),
        node("getitem", {"dict": {"l": ["$$", "$$$x", "x$", "$x"]}}, "l", id="b"),
    ]
    outputs = service.run(nodes, ["a", "b"], {"x": 5})
    assert outputs["a"] == {"kind": "string", "value": "$x"}
    assert [item.get("value", item.get("data")) for item in outputs["b"]["items"]] == ["$", "$$x", "x$", 5]


def test_grad_is_read_when_the_node_runs(service: Service) -> None:
    nodes = [
        node("sum", "$x", id="s"),
        node("backward", "$s", retain_graph=True),
        node("clone", "$x.grad", id="once"),
        node("backward", "$s"),
        node("clone", "$x.grad", id="twice"),
    ]
    outputs = service.run(nodes, ["once", "twice", "x.grad"], INPUTS)
    assert outputs["once"]["data"] == [[1.0] * 3] * 2
    assert outputs["twice"]["data"] == outputs["x.grad"]["data"] == [[2.0] * 3] * 2


def test_a_path_that_only_the_run_can_know_is_an_error_of_its_node(service: Service) -> None:
    nodes = [node("split", "$x", 1, id="parts"), node("neg", "$parts.2", id="y")]
    error = service.refused({"inputs": INPUTS, "nodes": nodes})["errors"][0]
    assert (error["code"], error["pointer"], error["node"]) == ("unknown_reference", "/nodes/1/args/0", "y")
    nodes = [node("neg", "$x.grad", id="y")]
    error = service.refused({"inputs": INPUTS, "nodes": nodes})["errors"][0]
    assert error["node"] == "y"


def test_infinite_and_nan_items(service: Service) -> None:
    outputs = service.run([node("item", "$v", id="a")], ["a"], {"v": math.pi})
    assert outputs["a"] == {"kind": "float", "value": torch.tensor(math.pi).item()}
