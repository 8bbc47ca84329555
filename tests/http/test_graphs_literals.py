"""Literals in arguments: the one-key objects, numbers that stay numbers, lists that become what the op takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import document, same_bits, same_tensor

N = torch.tensor([1, 2, 3])
F = torch.tensor([1.5, 2.5, -3.5])
H = torch.tensor([1.5, 2.5], dtype=torch.float16)
B = torch.tensor([True, False, True])
INPUTS = {name: document(tensor) for name, tensor in (("i", N), ("f", F), ("h", H), ("b", B))}


@dataclass(frozen=True)
class Call:
    """A node, and the same in local PyTorch."""

    node: dict[str, Any]
    local: Callable[[], Any]


# Numbers stay numbers: the type promotion is that of a Python scalar, not of a tensor.
NUMBERS = [
    Call(node("add", "$i", 2), lambda: N + 2),
    Call(node("add", "$i", 2.0), lambda: N + 2.0),
    Call(node("add", "$i", True), lambda: torch.add(N, True)),
    Call(node("add", "$h", 2.5), lambda: H + 2.5),
    Call(node("add", "$h", {"tensor": 2.5}), lambda: torch.add(H, torch.tensor(2.5))),
    Call(node("add", "$h", {"tensor": [2.5]}), lambda: torch.add(H, torch.tensor([2.5]))),
    Call(node("mul", "$b", 2), lambda: B * 2),
    Call(node("mul", "$b", 2.5), lambda: B * 2.5),
    Call(node("div", "$i", 2), lambda: N / 2),
    Call(node("operator.floordiv", "$i", 2), lambda: N // 2),
    Call(node("pow", "$i", 2), lambda: N**2),
    Call(node("pow", "$i", 2.0), lambda: N**2.0),
    Call(node("pow", 2, "$i"), lambda: torch.pow(2, N)),
    Call(node("where", "$b", "$f", 0), lambda: torch.where(B, F, 0)),
    Call(node("where", "$b", 1, 0), lambda: torch.where(B, 1, 0)),
    Call(node("clamp", "$f", 0), lambda: torch.clamp(F, 0)),
    Call(node("clamp", "$f", min=-1, max=2), lambda: torch.clamp(F, -1, 2)),
    Call(node("full", [2], 1), lambda: torch.full([2], 1)),
    Call(node("full", [2], 1.0), lambda: torch.full([2], 1.0)),
    Call(node("full", [2], True), lambda: torch.full([2], True)),
    Call(node("arange", 3), lambda: torch.arange(3)),
    Call(node("arange", 3.0), lambda: torch.arange(3.0)),
    Call(node("tensor", 2), lambda: torch.tensor(2)),
    Call(node("tensor", [1, 2.5]), lambda: torch.tensor([1, 2.5])),
    Call(node("tensor", [[1, 2], [3, 4]]), lambda: torch.tensor([[1, 2], [3, 4]])),
    Call(node("tensor", [True, False]), lambda: torch.tensor([True, False])),
    Call(node("tensor", []), lambda: torch.tensor([])),
    Call(node("result_type", "$i", 2.0), lambda: torch.result_type(N, 2.0)),
]
# Only where no overload takes a number or list does it become a tensor.
BECOMES_A_TENSOR = [
    Call(node("add", "$f", [1, 2, 3]), lambda: torch.add(F, torch.tensor([1, 2, 3]))),
    Call(node("add", [1.5, 2], [1, 2]), lambda: torch.add(torch.tensor([1.5, 2]), torch.tensor([1, 2]))),
    Call(node("add", 1, 2), lambda: torch.add(torch.tensor(1), torch.tensor(2))),
    Call(node("relu", [-1.5, 2]), lambda: torch.relu(torch.tensor([-1.5, 2]))),
    Call(node("sin", 1), lambda: torch.sin(torch.tensor(1))),
    Call(node("sin", 0.5), lambda: torch.sin(torch.tensor(0.5))),
    Call(node("mm", [[1.0, 2.0]], [[3.0], [4.0]]), lambda: torch.tensor([[11.0]])),
    Call(node("nn.functional.relu", [-1.0, 2.0]), lambda: torch.tensor([0.0, 2.0])),
    Call(node("F.softmax", [1.0, 2.0], dim=0), lambda: torch.softmax(torch.tensor([1.0, 2.0]), 0)),
    Call(node("nn.functional.mse_loss", [1.0, 2.0], [0.0, 0.0]), lambda: torch.tensor(2.5)),
    Call(node("index_select", "$f", 0, [2, 0]), lambda: torch.index_select(F, 0, torch.tensor([2, 0]))),
    Call(node("dot", [1, 2], [3, 4]), lambda: torch.tensor(11)),
]
# Lists are sizes, dims, sections or lists of tensors where the op takes such.
LISTS = [
    Call(node("zeros", [2, 3]), lambda: torch.zeros([2, 3])),
    Call(node("zeros", []), lambda: torch.zeros([])),
    Call(node("permute", "$t", [1, 0]), lambda: F.view(1, 3).permute(1, 0)),
    Call(node("sum", "$t", [0, 1]), lambda: F.view(1, 3).sum([0, 1])),
    Call(node("sum", "$t", dim=0, keepdim=True), lambda: F.view(1, 3).sum(0, keepdim=True)),
    Call(node("cat", ["$f", "$f"]), lambda: torch.cat([F, F])),
    Call(node("cat", {"tuple": ["$f", "$f"]}, dim=0), lambda: torch.cat([F, F])),
    Call(node("stack", ["$f", "$f"], 1), lambda: torch.stack([F, F], 1)),
    Call(node("cat", ["$f", {"tensor": [9.0]}]), lambda: torch.cat([F, torch.tensor([9.0])])),
    Call(node("split", "$f", [1, 2]), lambda: torch.split(F, [1, 2])),
    Call(node("split", "$f", 2), lambda: torch.split(F, 2)),
    Call(node("einsum", "i,i->", "$f", "$f"), lambda: torch.einsum("i,i->", F, F)),
    Call(node("einsum", "i,j->ij", "$f", "$f"), lambda: torch.einsum("i,j->ij", F, F)),
    Call(node("meshgrid", "$f", "$f", indexing="ij"), lambda: torch.meshgrid(F, F, indexing="ij")),
    Call(node("broadcast_shapes", [3, 1], [1, 4]), lambda: torch.Size([3, 4])),
    Call(
        node("nn.functional.pad", "$t", [1, 2], value=-1.0),
        lambda: torch.nn.functional.pad(F.view(1, 3), [1, 2], value=-1.0),
    ),
    Call(node("roll", "$f", 1), lambda: F.roll(1)),
    Call(node("tile", "$f", [2]), lambda: F.tile([2])),
]
# The one-key objects, and plain strings where the signature says what they are.
OBJECTS = [
    Call(node("to", "$f", {"dtype": "float64"}), lambda: F.to(torch.float64)),
    Call(node("to", "$f", dtype="double"), lambda: F.to(torch.float64)),
    Call(node("to", "$f", "cpu"), lambda: F.to("cpu")),
    Call(node("to", "$f", {"device": "cpu"}), lambda: F.to("cpu")),
    Call(
        node("zeros", 2, dtype="torch.float64", device="cpu", layout="strided"),
        lambda: torch.zeros(2, dtype=torch.float64),
    ),
    Call(node("zeros", {"size": [2, 1]}, layout={"layout": "strided"}), lambda: torch.zeros(2, 1)),
    Call(node("zeros", {"tuple": [2, 1]}), lambda: torch.zeros(2, 1)),
    Call(node("clone", "$t", memory_format="contiguous_format"), lambda: F.view(1, 3).clone()),
    Call(node("clone", "$t", memory_format={"memory_format": "preserve_format"}), lambda: F.view(1, 3).clone()),
    Call(node("full", [2], {"float": "NaN"}), lambda: torch.full([2], float("nan"))),
    Call(node("full", [2], {"float": "-Infinity"}), lambda: torch.full([2], float("-inf"))),
    Call(node("full", [2], {"float": 3}), lambda: torch.full([2], 3.0)),
    Call(node("mul", "$f", {"float": "Infinity"}), lambda: F * float("inf")),
    Call(node("mul", "$f", {"complex": [0, 1]}), lambda: F * 1j),
    Call(node("mul", "$f", {"complex": [1.5, "-Infinity"]}), lambda: F * complex(1.5, float("-inf"))),
    Call(node("full", [1], {"int": "7"}), lambda: torch.full([1], 7)),
    Call(
        node("full", [1], {"int": "18446744073709551615"}, dtype="uint64"),
        lambda: torch.tensor([2**64 - 1], dtype=torch.uint64),
    ),
    Call(node("nan_to_num", {"tensor": ["NaN", 1.0]}, nan=5), lambda: torch.tensor([5.0, 1.0])),
    Call(
        node("add", {"tensor": {"data": [1], "dtype": "int8"}}, {"tensor": {"data": [2], "dtype": "int8"}}),
        lambda: torch.tensor([3], dtype=torch.int8),
    ),
    Call(node("sum", "$f", dtype="float64"), lambda: F.sum(dtype=torch.float64)),
    Call(node("sum", "$f", dtype=None), F.sum),
    Call(node("can_cast", "float32", "int64"), lambda: torch.can_cast(torch.float32, torch.int64)),
    Call(node("promote_types", "float32", {"dtype": "int64"}), lambda: torch.promote_types(torch.float32, torch.int64)),
]
FIRST = node("view", "$f", 1, 3, id="t")


def same(value: dict[str, Any], expected: Any) -> None:
    """Assert that a value of the reply is what local PyTorch gave."""
    if isinstance(expected, torch.Tensor):
        same_tensor(value, expected)
    elif isinstance(expected, torch.Size):
        assert value == {"kind": "size", "value": list(expected)}
    elif isinstance(expected, torch.dtype):
        assert value == {"kind": "dtype", "value": str(expected).removeprefix("torch.")}
    elif isinstance(expected, (tuple, list)):
        assert value["kind"] == type(expected).__name__
        for item, part in zip(value["items"], expected, strict=True):
            same(item, part)
    else:
        assert value == {"kind": type(expected).__name__, "value": expected}


CALLS = [*NUMBERS, *BECOMES_A_TENSOR, *LISTS, *OBJECTS]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: str({k: v for k, v in call.node.items() if v})[8:70])
def test_an_argument_is_what_it_is_in_python(service: Service, call: Call) -> None:
    same(service.value(FIRST, call.node, inputs=INPUTS), call.local())


@pytest.mark.parametrize("call", [*BECOMES_A_TENSOR, *NUMBERS], ids=lambda call: str(call.node)[8:70])
def test_the_op_route_takes_the_same(service: Service, call: Call) -> None:
    args = [
        INPUTS[arg[1:]] if isinstance(arg, str) and arg in ("$i", "$f", "$h", "$b") else arg
        for arg in call.node["args"]
    ]
    same(service.op(call.node["op"], *args, **call.node.get("kwargs", {})), call.local())


def test_a_channels_last_clone_has_its_strides(service: Service) -> None:
    nodes = [node("ones", 1, 2, 3, 4, id="x"), node("clone", "$x", memory_format="channels_last", id="y")]
    outputs = service.run(nodes, ["y"], describe="full")
    assert outputs["y"]["strides"] == list(torch.ones(1, 2, 3, 4).clone(memory_format=torch.channels_last).stride())


def test_operators_take_tensors_on_either_side_and_numbers_alone(service: Service) -> None:
    assert service.op("operator.add", 2, 3) == {"kind": "int", "value": 5}
    assert service.op("operator.truediv", 1, 2) == {"kind": "float", "value": 0.5}
    assert service.op("operator.lt", 1, 2) == {"kind": "bool", "value": True}
    same_bits(service.value(node("operator.rshift", "$i", 1), inputs=INPUTS), N >> 1)
    same_bits(service.value(node("operator.matmul", "$f", "$f"), inputs=INPUTS), F @ F)
    same_bits(service.value(node("operator.invert", "$b"), inputs=INPUTS), ~B)
    same_bits(service.value(node("operator.neg", "$f"), inputs=INPUTS), -F)


def test_bare_numbers_and_lists_are_inputs(service: Service) -> None:
    inputs = {"a": 2, "b": 2.5, "c": True, "d": [[1, 2], [3, 4]], "e": [], "f": ["NaN"]}
    outputs = service.run([], {name: name for name in inputs}, inputs)
    assert [outputs[name]["dtype"] for name in inputs] == ["int64", "float32", "bool", "int64", "float32", "float32"]
    assert [outputs[name]["shape"] for name in inputs] == [[], [], [], [2, 2], [0], [1]]
