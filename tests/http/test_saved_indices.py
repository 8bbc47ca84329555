"""Indices that an op saved for its backward pass and that are changed behind PyTorch's back: no foreign memory.

Plain PyTorch writes wherever they point by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from service import Json, Node, Service, node

IMAGE = {"data": [[[[1.0, 2.0], [3.0, 4.0]]]], "requires_grad": True}
VOLUME = {"data": [[[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]], "requires_grad": True}
LINE = {"data": [[1.0, 2.0, 3.0, 4.0]], "requires_grad": True}
TABLE = {"data": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "requires_grad": True}
LOGITS = {"data": [[[-1.0] * 3] * 2] * 4, "requires_grad": True}
FAR = 10**12


@dataclass(frozen=True)
class Saves:
    """An op of `x` whose gradient uses the indices `kept`: an input, or a part of the result."""

    last: Node
    x: Json
    kept: str = "i"
    i: Any = (1, 0)

    @property
    def inputs(self) -> dict[str, Json]:
        return {"x": self.x, "i": {"data": list(self.i)}, "two": {"data": [2, 2]}, "zero": {"data": [0]}}

    def loss(self) -> list[Node]:
        return [{**self.last, "id": "y"}, node("sum", "$y.0" if self.kept != "i" else "$y", id="s")]


F = "nn.functional."
VECTOR = {"data": [1.0, 2.0, 3.0], "requires_grad": True}
CASES = {
    "nll_loss": Saves(node(F + "nll_loss", "$x", "$i", reduction="none"), TABLE, i=(1, 0, 1)),
    "cross_entropy": Saves(node(F + "cross_entropy", "$x", "$i", reduction="none"), TABLE, i=(1, 0, 1)),
    "ctc_loss": Saves(node(F + "ctc_loss", "$x", "$i", [4, 4], [2, 2]), LOGITS, i=((1, 2), (2, 1))),
    "embedding_bag": Saves(node(F + "embedding_bag", "$i", "$x", "$zero", mode="sum"), TABLE),
    "segment_reduce": Saves(node("segment_reduce", "$x", "sum", lengths="$i"), VECTOR, i=(1, 2)),
    **{
        f"{kind}{count}d": Saves(node(f"{F}{kind}{count}d", "$x", size, return_indices=True), x, "y.1")
        for kind, size in (("max_pool", 2), ("adaptive_max_pool", 1))
        for count, x in ((1, LINE), (2, IMAGE), (3, VOLUME))
    },
}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@pytest.fixture(scope="module", autouse=True)
def _no_worker_is_lost(service: Service) -> Any:
    before = service.client.get("/v1/server").json()["workers"]
    yield
    after = service.client.get("/v1/server").json()["workers"]
    assert after["lost"] == before["lost"]


@cases
def test_the_gradient_is_as_ever_without_a_change(service: Service, case: Saves) -> None:
    ops = [*case.loss(), node("backward", "$s")]
    outputs = service.run(ops, ["x.grad", "x.shape"], case.inputs)
    assert outputs["x.grad"]["shape"] == outputs["x.shape"]["value"]


@cases
def test_a_change_through_data_never_reaches_the_kernel(service: Service, case: Saves) -> None:
    change = node("fill_", f"${case.kept}.data", FAR)
    body = {"inputs": case.inputs, "nodes": [*case.loss(), change, node("backward", "$s")], "seed": 0}
    problem = service.refused(body)
    assert problem["code"] == "op_failed"
    assert "changed behind PyTorch's back" in problem["errors"][0]["message"]
    assert problem["errors"][0]["pointer"] == "/nodes/3"


def test_a_change_through_an_array_is_noticed_too(service: Service) -> None:
    case = CASES["nll_loss"]
    change = [node("Tensor.numpy", "$i", id="a"), node("numpy.put", "$a", [0], 900)]
    problem = service.refused({"inputs": case.inputs, "nodes": [*case.loss(), *change, node("backward", "$s")]})
    assert "changed behind PyTorch's back" in problem["errors"][0]["message"]


def test_a_change_in_place_is_pytorchs_own_error(service: Service) -> None:
    case = CASES["nll_loss"]
    nodes = [*case.loss(), node("fill_", "$i", 1, id="changed"), node("backward", "$s")]
    problem = service.refused({"inputs": case.inputs, "nodes": nodes})
    assert "has been modified by an inplace operation" in problem["errors"][0]["message"]


def test_an_embedding_scaled_by_frequency_counts_the_indices_it_was_given(service: Service) -> None:
    nodes = [
        node(F + "embedding", "$i", "$x", scale_grad_by_freq=True, id="y"),
        node("fill_", "$i.data", FAR),
        node("sum", "$y", id="s"),
        node("backward", "$s"),
    ]
    inputs = {"x": TABLE, "i": {"data": [1, 1, 2]}}
    assert service.run(nodes, ["x.grad"], inputs)["x.grad"]["data"] == [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("op", ["embedding", "embedding_bag"])
def test_a_sparse_gradient_has_indices_of_its_own(service: Service, op: str) -> None:
    args = ["$i", "$x", "$zero"] if op == "embedding_bag" else ["$i", "$x"]
    more = {"mode": "sum"} if op == "embedding_bag" else {}
    nodes = [
        node(f"nn.functional.{op}", *args, sparse=True, id="y", **more),
        node("sum", "$y", id="s"),
        node("autograd.grad", "$s", ["$x"], id="g"),
        node("fill_", "$i", FAR),
        node("to_dense", "$g.0", id="dense"),
    ]
    inputs = {"x": TABLE, "i": {"data": [1, 2]}, "zero": {"data": [0]}}
    assert service.run(nodes, ["dense"], inputs)["dense"]["data"] == [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
