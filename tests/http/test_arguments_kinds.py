"""Every kind of argument, over HTTP: each gives what local PyTorch gives for what it stands for."""

from __future__ import annotations

import pytest
import torch

from service import node
from tensor_json import document, same_tensor

F = torch.nn.functional
X = torch.arange(24.0).reshape(2, 3, 4) / 7
IMAGE = torch.arange(32.0).reshape(1, 2, 4, 4) / 3
ORDER = torch.tensor([0, 2, 1])
MASK = torch.tensor([True, False])
INPUTS = {"x": document(X), "image": document(IMAGE), "i": document(ORDER), "mask": document(MASK)}

# name of the case: (node, what local PyTorch gives)
CASES = {
    "dtype as text": (node("zeros", 2, dtype="float64"), lambda: torch.zeros(2, dtype=torch.float64)),
    "dtype with torch.": (node("zeros", 2, dtype="torch.half"), lambda: torch.zeros(2, dtype=torch.half)),
    "dtype as object": (node("zeros", 2, dtype={"dtype": "int8"}), lambda: torch.zeros(2, dtype=torch.int8)),
    "dtype by position": (node("Tensor.to", "$x", "bfloat16"), lambda: X.to(torch.bfloat16)),
    "dtype of a reference": (node("zeros", 2, dtype="$i.dtype"), lambda: torch.zeros(2, dtype=torch.int64)),
    "dtype null": (node("sum", "$x", dtype=None), lambda: X.sum(dtype=None)),
    "layout": (node("ones", 2, layout="strided"), lambda: torch.ones(2, layout=torch.strided)),
    "layout as object": (node("ones", 2, layout={"layout": "strided"}), lambda: torch.ones(2)),
    "memory format": (node("clone", "$image", memory_format="channels_last"), IMAGE.clone),
    "memory format as object": (
        node("Tensor.contiguous", "$image", memory_format={"memory_format": "channels_last"}),
        lambda: IMAGE.contiguous(memory_format=torch.channels_last),
    ),
    "device": (node("ones", 2, device="cpu"), lambda: torch.ones(2)),
    "device by position": (node("Tensor.to", "$x", "cpu"), lambda: X),
    "device of a reference": (node("ones", 2, device="$x.device"), lambda: torch.ones(2)),
    "complex scalar": (node("mul", "$x", {"complex": [0, 1]}), lambda: X * 1j),
    "NaN": (node("full", [2], {"float": "NaN"}), lambda: torch.full([2], float("nan"))),
    "infinity": (node("clamp", "$x", max={"float": "Infinity"}), lambda: X.clamp(max=float("inf"))),
    "infinite norm": (node("linalg.vector_norm", "$x", {"float": "Infinity"}), lambda: X.abs().max()),
    "big int": (node("add", "$i", {"int": "9007199254740993"}), lambda: ORDER + 9007199254740993),
    "nested list": (node("tensor", [[[1, 2], [3, 4]]]), lambda: torch.tensor([[[1, 2], [3, 4]]])),
    "empty list": (node("tensor", []), lambda: torch.tensor([])),
    "sizes as numbers": (node("zeros", 2, 3), lambda: torch.zeros(2, 3)),
    "sizes as a list": (node("zeros", [2, 3]), lambda: torch.zeros([2, 3])),
    "sizes as a size": (node("zeros", {"size": [2, 3]}), lambda: torch.zeros(2, 3)),
    "sizes as a tuple": (node("Tensor.view", "$x", {"tuple": [6, 4]}), lambda: X.view((6, 4))),
    "sizes of a reference": (node("zeros", "$x.shape"), lambda: torch.zeros(X.shape)),
    "a size among sizes": (node("zeros", ["$x.shape.0", 5]), lambda: torch.zeros(2, 5)),
    "negative dim": (node("sum", "$x", -1), lambda: X.sum(-1)),
    "dims": (node("sum", "$x", [0, 2]), lambda: X.sum([0, 2])),
    "dim null": (node("mean", "$x", None), lambda: X.mean(None)),
    "int for a pair": (node("nn.functional.avg_pool2d", "$image", 2), lambda: F.avg_pool2d(IMAGE, 2)),
    "pair": (node("nn.functional.avg_pool2d", "$image", [2, 1]), lambda: F.avg_pool2d(IMAGE, (2, 1))),
    "slice": (node("getitem", "$x", [{"slice": [None]}, 1]), lambda: X[:, 1]),
    "slice with a step": (node("getitem", "$x", [0, {"slice": [None, None, 2]}]), lambda: X[0, ::2]),
    "ellipsis": (node("getitem", "$x", [{"ellipsis": True}, 0]), lambda: X[..., 0]),
    "new axis": (node("getitem", "$x", [None, 0]), lambda: X[None, 0]),
    "mask": (node("getitem", "$x", ["$mask"]), lambda: X[MASK]),
    "mask as a list": (node("getitem", "$x", [[True, False]]), lambda: X[[True, False]]),
    "index tensor": (node("getitem", "$x", [{"ellipsis": True}, "$i"]), lambda: X[..., ORDER]),
    "index list": (node("getitem", "$x", [[1, 0, 1]]), lambda: X[[1, 0, 1]]),
    "index text": (node("getitem", "$x", "..., ::2, $i"), lambda: X[..., ::2, ORDER]),
    "masked_select": (node("masked_select", "$x", {"tensor": document(X > 1)}), lambda: X.masked_select(X > 1)),
    "optional tensor given": (
        node("nn.functional.linear", "$x", {"tensor": document(torch.ones(2, 4))}, [1.0, 2.0]),
        lambda: F.linear(X, torch.ones(2, 4), torch.tensor([1.0, 2.0])),
    ),
    "optional tensor null": (
        node("nn.functional.linear", "$x", {"tensor": document(torch.ones(2, 4))}, None),
        lambda: F.linear(X, torch.ones(2, 4), None),
    ),
    "tensor list": (node("cat", ["$x", "$x"], dim=1), lambda: torch.cat([X, X], 1)),
    "tensor tuple": (node("stack", {"tuple": ["$x", "$x"]}), lambda: torch.stack((X, X))),
    "list of lists as tensors": (node("cat", [[1, 2], [3]]), lambda: torch.tensor([1, 2, 3])),
    "word": (node("div", "$x", 0.3, rounding_mode="floor"), lambda: torch.div(X, 0.3, rounding_mode="floor")),
    "word null": (node("div", "$x", 0.3, rounding_mode=None), lambda: X / 0.3),
    "equation": (node("einsum", "bij,bkj->bik", "$x", "$x"), lambda: torch.einsum("bij,bkj->bik", X, X)),
    "equation with a list": (node("einsum", "bij->ij", ["$x"]), lambda: torch.einsum("bij->ij", [X])),
    "bool flag": (node("sum", "$x", 1, keepdim=True), lambda: X.sum(1, keepdim=True)),
    "norm by word": (node("linalg.matrix_norm", "$x", "nuc"), lambda: torch.linalg.matrix_norm(X, "nuc")),
    "out": (node("add", "$x", 1, out="$x"), lambda: X + 1),
    "tensor for a scalar": (node("full_like", "$x", "$x.shape.1"), lambda: torch.full_like(X, 3)),
    "alpha": (node("add", "$x", "$x", alpha=0.5), lambda: torch.add(X, X, alpha=0.5)),
    "a float8": (node("Tensor.to", "$x", "float8_e5m2"), lambda: X.to(torch.float8_e5m2)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_argument_of_each_kind_is_what_it_stands_for(service, case):
    call, local = CASES[case]
    same_tensor(service.value(call, inputs=INPUTS), local())


def test_lists_of_results_and_named_tuples(service):
    parts = service.value(node("split", "$x", [1, 2], 1), inputs=INPUTS)
    assert [part["shape"] for part in parts["items"]] == [[2, 1, 4], [2, 2, 4]]
    best = service.value(node("max", "$x", 1), inputs=INPUTS)
    assert (best["type"], best["names"]) == ("torch.return_types.max", ["values", "indices"])


def test_memory_formats_show_in_the_strides(service):
    call = node("clone", "$image", memory_format="channels_last")
    assert service.value(call, inputs=INPUTS, describe="full")["strides"] == [32, 1, 8, 2]


@pytest.mark.parametrize(
    ("op", "args"),
    [("randn", [2]), ("bernoulli", ["$x"]), ("randperm", [4]), ("Tensor.normal_", ["$x"]), ("multinomial", ["$x", 1])],
)
def test_a_generator_is_refused_with_the_seed_as_the_way(service, op, args):
    problem = service.refused({"inputs": INPUTS, "nodes": [node(op, *args, generator=5)]})
    error = problem["errors"][0]
    assert (problem["status"], error["code"], error["pointer"]) == (
        422,
        "invalid_argument",
        "/nodes/0/kwargs/generator",
    )
    assert '"seed"' in error["hint"]


@pytest.mark.parametrize("name", ["cuda", "cuda:7", "xpu", "abacus"])
def test_a_missing_device_lists_those_present(service, name):
    if name.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("this machine has one")
    problem = service.refused({"nodes": [node("ones", 2, device=name)]})
    error = problem["errors"][0]
    assert (error["code"], error["pointer"]) == ("unavailable_device", "/nodes/0/kwargs/device")
    assert "cpu" in str(error["expected"])
