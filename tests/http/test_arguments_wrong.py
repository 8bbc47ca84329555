"""Calls that fit no overload: the overloads are listed, and the wrong parameter of the nearest one is named."""

from __future__ import annotations

import pytest
import torch

from service import node
from tensor_json import document

INPUTS = {
    "x": document(torch.tensor([[2.0, 0.5], [0.5, 1.0]])),
    "i": document(torch.tensor([0, 1])),
    "b": document(torch.tensor([True, False])),
}

# (the call, where the error points, below /nodes/0; the parameter that the message names)
TYPES = [
    (node("add", "$x", "abc"), "/args/1", "other"),
    (node("add", "abc", "$x"), "/args/0", "input"),
    (node("add", "$x", None), "/args/1", "other"),
    (node("add", "$x", {"slice": [1]}), "/args/1", "other"),
    (node("add", "$x", {"dtype": "int8"}), "/args/1", "other"),
    (node("add", "$x", 1, alpha="two"), "/kwargs/alpha", "alpha"),
    (node("add", "$x", 1, alpha=[1]), "/kwargs/alpha", "alpha"),
    (node("mul", "$x", {"layout": "strided"}), "/args/1", "other"),
    (node("sum", "$x", 0.5), "/args/1", "dim"),
    (node("sum", "$x", "rows"), "/args/1", "dim"),
    (node("sum", "$x", [0.5]), "/args/1", "dim"),
    (node("sum", "$x", 0, keepdim="yes"), "/kwargs/keepdim", "keepdim"),
    (node("sum", "$x", dtype=5), "/kwargs/dtype", "dtype"),
    (node("sum", "$x", dtype="flaot32"), "/kwargs/dtype", "dtype"),
    (node("mean", "$x", dim={"tensor": INPUTS["x"]}), "/kwargs/dim", "dim"),
    (node("softmax", "$x", "last"), "/args/1", "dim"),
    (node("softmax", "$x", 1.5), "/args/1", "dim"),
    (node("zeros", 2.5), "/args/0", "size"),
    (node("zeros", "two"), "/args/0", "size"),
    (node("zeros", [2, "a"]), "/args/0", "size"),
    (node("zeros", [2.5, 1]), "/args/0", "size"),
    (node("zeros", 2, dtype="int65"), "/kwargs/dtype", "dtype"),
    (node("zeros", 2, layout="dense"), "/kwargs/layout", "layout"),
    (node("zeros", 2, requires_grad="no"), "/kwargs/requires_grad", "requires_grad"),
    (node("full", [2, 2], "a"), "/args/1", "fill_value"),
    (node("full", "a", 1), "/args/0", "size"),
    (node("arange", "ten"), "/args/0", "end"),
    (node("linspace", 0, 1, 2.5), "/args/2", "steps"),
    (node("eye", 2.5), "/args/0", "n"),
    (node("cat", "$x", "a"), "/args/1", "dim"),
    (node("cat", ["a"]), "/args/0", "tensors"),
    (node("cat", 5), "/args/0", "tensors"),
    (node("stack", [None]), "/args/0", "tensors"),
    (node("reshape", "$x", "flat"), "/args/1", "shape"),
    (node("transpose", "$x", 0, "a"), "/args/2", "dim1"),
    (node("transpose", "$x", 0.0, 1), "/args/1", "dim0"),
    (node("permute", "$x", ["a"]), "/args/1", "dims"),
    (node("clone", "$x", memory_format="last"), "/kwargs/memory_format", "memory_format"),
    (node("gather", "$x", 0, "a"), "/args/2", "index"),
    (node("gather", "$x", "a", "$i"), "/args/1", "dim"),
    (node("index_select", "$x", 0, None), "/args/2", "index"),
    (node("topk", "$x", "a"), "/args/1", "k"),
    (node("topk", "$x", 1, largest="no"), "/kwargs/largest", "largest"),
    (node("div", "$x", 2, rounding_mode=1), "/kwargs/rounding_mode", "rounding_mode"),
    (node("linalg.svd", "$x", full_matrices="yes"), "/kwargs/full_matrices", "full_matrices"),
    (node("linalg.solve", "$x", "b"), "/args/1", "B"),
    (node("fft.fft", "$x", "n"), "/args/1", "n"),
    (node("fft.fft", "$x", 2, "d"), "/args/2", "dim"),
    (node("special.erf", "x"), "/args/0", "input"),
    (node("matmul", "$x", {"ellipsis": True}), "/args/1", "other"),
    (node("conv2d", "$x", "$x", "bias"), "/args/2", "bias"),
    (node("nn.functional.relu", "a"), "/args/0", "input"),
    (node("nn.functional.softmax", "$x", "a"), "/args/1", "dim"),
    (node("nn.functional.linear", "$x", "w"), "/args/1", "weight"),
    (node("nn.functional.mse_loss", "$x", None), "/args/1", "target"),
    (node("Tensor.add_", "$x", "a"), "/args/1", "other"),
    (node("Tensor.view", "$x", "a"), "/args/1", "dtype"),
    (node("Tensor.to", "$x", "nowhere"), "/args/1", ""),
    (node("multinomial", "$x", "a"), "/args/1", "num_samples"),
    (node("randint", 0, "ten", [2]), "/args/1", "high"),
    (node("randperm", 2.5), "/args/0", "n"),
    (node("where", "$b", "a", 1.0), "/args/1", "input"),
]
KEYWORDS = [
    (node("sum", "$x", dimm=0), "/kwargs/dimm", "dim"),
    (node("add", "$x", 1, beta=2), "/kwargs/beta", None),
    (node("zeros", 2, dtyp="int8"), "/kwargs/dtyp", "dtype"),
    (node("amax", "$x", axes=0), "/kwargs/axes", None),
    (node("linalg.svd", "$x", full_matrix=True), "/kwargs/full_matrix", "full_matrices"),
    (node("nn.functional.relu", "$x", in_place=True), "/kwargs/in_place", "inplace"),
    (node("mul", "$x", 1, other=2), "/kwargs/other", None),
    (node("Tensor.view", "$x", shap=[4]), "/kwargs/shap", None),
    (node("fft.fft", "$x", normalize="ortho"), "/kwargs/normalize", None),
]
COUNTS = [
    (node("add", "$x"), "'other'"),
    (node("add"), "'other'"),
    (node("linalg.svd"), "'A'"),
    (node("gather", "$x", 0), "'index'"),
    (node("cat"), "'tensors'"),
    (node("nn.functional.linear", "$x"), "'weight'"),
    (node("add", "$x", 1, 2, 3, 4), "too many"),
    (node("relu", "$x", 1, 2), "too many"),
    (node("nn.functional.relu", "$x", True, 3), "too many"),
    (node("transpose", "$x", 0), "'dim1'"),
]


def the_error(service, call):
    problem = service.refused({"inputs": INPUTS, "nodes": [call]})
    assert problem["status"] == 422
    assert len(problem["errors"]) == 1, problem["errors"]
    assert problem["errors"][0]["code"] == "invalid_argument"
    return problem["errors"][0]


def test_there_are_sixty_wrong_calls_and_more():
    assert len(TYPES) + len(KEYWORDS) + len(COUNTS) >= 60


@pytest.mark.parametrize(("call", "place", "parameter"), TYPES, ids=lambda value: str(value)[:40])
def test_a_wrong_type_names_the_parameter_where_it_stands(service, call, place, parameter):
    error = the_error(service, call)
    assert error["pointer"].startswith(f"/nodes/0{place}")
    assert parameter in error["message"]
    assert error["expected"]
    last = call["op"].rpartition(".")[2]
    # For a wrong word, the right ones; else the overloads.
    assert isinstance(error["expected"], list) or f"{last}(" in error["hint"]


@pytest.mark.parametrize(("call", "place", "near"), KEYWORDS, ids=lambda value: str(value)[:40])
def test_an_unknown_keyword_is_named_and_the_nearest_one_told(service, call, place, near):
    error = the_error(service, call)
    assert error["pointer"] == f"/nodes/0{place}"
    assert all("(" in overload for overload in error["expected"])
    if near is not None:
        assert f"'{near}'" in error["hint"]


@pytest.mark.parametrize(("call", "told"), COUNTS, ids=lambda value: str(value)[:40])
def test_a_wrong_count_stands_at_the_node_with_the_overloads(service, call, told):
    error = the_error(service, call)
    assert error["pointer"] == "/nodes/0"
    assert told in error["message"]
    last = call["op"].rpartition(".")[2]
    assert error["expected"]
    assert all(overload.startswith((f"{last}(", f"{last} (")) for overload in error["expected"])


def test_references_are_judged_when_they_have_a_value(service):
    """A reference may be anything while the graph is planned; PyTorch's parser says what is wrong with its value."""
    graph = {"inputs": INPUTS, "nodes": [node("add", "$x", "$x.dtype")]}
    error = service.refused(graph)["errors"][0]
    assert (error["code"], error["pointer"]) == ("invalid_argument", "/nodes/0/args/1")
    assert "other" in error["message"]


def test_all_wrong_arguments_of_a_graph_are_told_at_once(service):
    graph = {"inputs": INPUTS, "nodes": [node("add", "$x", "a"), node("sum", "$x", dimm=1), node("zeros", 2.5)]}
    errors = service.refused(graph)["errors"]
    assert [error["pointer"] for error in errors] == ["/nodes/0/args/1", "/nodes/1/kwargs/dimm", "/nodes/2/args/0"]
