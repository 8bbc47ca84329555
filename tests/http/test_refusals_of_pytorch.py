"""What PyTorch itself refuses comes as op_failed with its own message; what is too much is limit_exceeded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from bad import Bad, refuses

from service import Service, node

INPUTS = {
    "x": {"data": [[1, 2, 3], [4, 5, 6]], "dtype": "float32"},
    "w": {"data": [1.0, 2.0], "requires_grad": True},
    "i": {"data": [0, 5]},
}


@dataclass(frozen=True)
class Refused:
    """Nodes of which the last, `y`, fails, and the same in local PyTorch."""

    name: str
    nodes: list[dict[str, Any]]
    local: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Any]


def _twice(w: torch.Tensor) -> None:
    y = (w * w).sum()
    y.backward()
    y.backward()


def _in_place(w: torch.Tensor) -> None:
    w += 1


def _assign(w: torch.Tensor) -> None:
    w[0] = 1


CASES = [
    Refused("shapes that do not broadcast", [node("add", "$x", "$w", id="y")], lambda x, w, i: x + w),
    Refused("shapes that do not multiply", [node("mm", "$x", "$x", id="y")], lambda x, w, i: torch.mm(x, x)),
    Refused("matmul", [node("operator.matmul", "$x", "$x", id="y")], lambda x, w, i: x @ x),
    Refused("an index out of range", [node("getitem", "$x", "5", id="y")], lambda x, w, i: x[5]),
    Refused("a column out of range", [node("getitem", "$x", ":, -4", id="y")], lambda x, w, i: x[:, -4]),
    Refused("too many indices", [node("getitem", "$x", [0, 0, 0], id="y")], lambda x, w, i: x[0, 0, 0]),
    Refused("an index tensor out of range", [node("getitem", "$x", "$i", id="y")], lambda x, w, i: x[i]),
    Refused("a step under zero", [node("getitem", "$x", "::-1", id="y")], lambda x, w, i: x[::-1]),
    Refused("a dim out of range", [node("sum", "$x", 2, id="y")], lambda x, w, i: x.sum(2)),
    Refused("a view of another size", [node("view", "$x", 4, id="y")], lambda x, w, i: x.view(4)),
    Refused("two sizes to be found", [node("view", "$x", -1, -1, id="y")], lambda x, w, i: x.view(-1, -1)),
    Refused("cat of other sizes", [node("cat", ["$x", "$w"], id="y")], lambda x, w, i: torch.cat([x, w])),
    Refused("item of many", [node("item", "$x", id="y")], lambda x, w, i: x.item()),
    Refused("a mean of integers", [node("mean", "$i", id="y")], lambda x, w, i: i.mean()),
    Refused(
        "no gradient to flow",
        [node("sum", "$x", id="s"), node("backward", "$s", id="y")],
        lambda x, w, i: x.sum().backward(),
    ),
    Refused(
        "backward from many",
        [node("mul", "$w", 2, id="s"), node("backward", "$s", id="y")],
        lambda x, w, i: (w * 2).backward(),
    ),
    Refused(
        "backward twice",
        [
            node("mul", "$w", "$w", id="ww"),
            node("sum", "$ww", id="s"),
            node("backward", "$s"),
            node("backward", "$s", id="y"),
        ],
        lambda x, w, i: _twice(w),
    ),
    Refused(
        "a cotangent of another shape",
        [node("mul", "$w", 2, id="s"), node("backward", "$s", "$x", id="y")],
        lambda x, w, i: (w * 2).backward(x),
    ),
    Refused("a leaf in place", [node("add_", "$w", 1, id="y")], lambda x, w, i: w.add_(1)),
    Refused("a leaf augmented", [node("operator.iadd", "$w", 1, id="y")], lambda x, w, i: _in_place(w)),
    Refused("a leaf assigned", [node("setitem", "$w", 0, 1, id="y")], lambda x, w, i: _assign(w)),
    Refused("requires_grad_ on integers", [node("requires_grad_", "$i", id="y")], lambda x, w, i: i.requires_grad_()),
    Refused(
        "requires_grad_ False on no leaf",
        [node("mul", "$w", 2, id="s"), node("requires_grad_", "$s", False, id="y")],
        lambda x, w, i: (w * 2).requires_grad_(False),
    ),
    Refused(
        "unused in autograd.grad",
        [node("sum", "$w", id="s"), node("autograd.grad", "$s", "$x", id="y")],
        lambda x, w, i: torch.autograd.grad(w.sum(), x),
    ),
    Refused(
        "an out of another dtype", [node("add", "$x", "$x", out="$i", id="y")], lambda x, w, i: torch.add(x, x, out=i)
    ),
    Refused(
        "an out that wants gradients", [node("add", "$w", 1, out="$w", id="y")], lambda x, w, i: torch.add(w, 1, out=w)
    ),
    Refused("numpy of a tensor with gradients", [node("numpy", "$w", id="y")], lambda x, w, i: w.numpy()),
    Refused(
        "not positive definite",
        [node("linalg.cholesky", {"tensor": [[-1.0, 0.0], [0.0, 1.0]]}, id="y")],
        lambda x, w, i: torch.linalg.cholesky(torch.tensor([[-1.0, 0.0], [0.0, 1.0]])),
    ),
    Refused(
        "singular",
        [node("linalg.inv", {"tensor": [[1.0, 2.0], [2.0, 4.0]]}, id="y")],
        lambda x, w, i: torch.linalg.inv(torch.tensor([[1.0, 2.0], [2.0, 4.0]])),
    ),
    Refused(
        "an equation that is none",
        [node("einsum", "ij,jk->iz", "$x", "$x", id="y")],
        lambda x, w, i: torch.einsum("ij,jk->iz", x, x),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_pytorchs_own_message_at_the_node(service: Service, case: Refused) -> None:
    with pytest.raises((RuntimeError, IndexError, ValueError, TypeError)) as raised:
        case.local(
            torch.tensor([[1.0, 2, 3], [4, 5, 6]]), torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([0, 5])
        )
    bad = Bad(case.name, {"inputs": INPUTS, "nodes": case.nodes}, "op_failed", f"/nodes/{len(case.nodes) - 1}", "y")
    error = refuses(service, bad)["errors"][0]
    assert error["message"] == str(raised.value)


def test_by_the_op_route_the_pointer_is_the_body(service: Service) -> None:
    args = [{"data": [1.0, 2.0]}, {"data": [1.0, 2.0, 3.0]}]
    refuses(service, Bad("", {"args": args}, "op_failed", "", message="size of tensor a (2)", path="/v1/ops/add"))


def test_a_node_without_an_id_is_named_by_its_index(service: Service) -> None:
    body = {"inputs": INPUTS, "nodes": [node("ones", 2), node("add", "$x", "$w")]}
    refuses(service, Bad("", body, "op_failed", "/nodes/1", 1))


SQUARE = [node("mul", "$w", 1, id="y"), node("exp", "$y", id="saved"), node("sum", "$saved", id="out")]
BREAKS = {
    "add_": ([node("add_", "$saved", 1, id="broken")], "broken"),
    "without an id": ([node("mul_", "$saved", 2)], None),
    "through a view": ([node("view", "$saved", 2, 1, id="v"), node("zero_", "$v", id="broken")], "broken"),
    "setitem": ([node("setitem", "$saved", 0, 0, id="broken")], "broken"),
    "operator.imul": ([node("operator.imul", "$saved", 2, id="broken")], "broken"),
    "out=": ([node("add", "$w", 1, out="$saved", id="broken") | {"no_grad": True}], "broken"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_the_node_that_changed_a_saved_tensor_is_named(service: Service, name: str) -> None:
    breaking, named = BREAKS[name]
    nodes = [*SQUARE, node("ones", 2, id="other"), node("add_", "$other", 1, id="harmless"), *breaking]
    named = named or str(len(nodes) - 1)
    body = {"inputs": INPUTS, "nodes": [*nodes, node("backward", "$out", id="back")]}
    problem = service.refused(body)
    error = problem["errors"][0]
    assert (error["code"], error["pointer"], error["node"]) == ("op_failed", f"/nodes/{len(nodes)}", "back")
    assert "modified by an inplace operation" in error["message"]
    assert named in error["hint"]
    assert "harmless" not in error["hint"]
    service.still_works()


def test_the_hint_comes_through_autograd_grad_too(service: Service) -> None:
    nodes = [*SQUARE, node("add_", "$saved", 1, id="broken"), node("autograd.grad", "$out", "$w", id="g")]
    refuses(service, Bad("", {"inputs": INPUTS, "nodes": nodes}, "op_failed", "/nodes/4", "g", hint="broken"))


TOO_MUCH = {
    "elements": [node("zeros", 10**12, id="y")],
    "a size that overflows": [node("zeros", [2**62, 2**62], id="y")],
    "bytes": [node("ones", 2**40, dtype="uint8", id="y")],
    "a matrix of a product": [node("ones", 10**6, 1, id="a"), node("mm", "$a", "$a.T", id="y")],
    "repeat": [node("ones", 10, id="a"), node("repeat", "$a", 10**11, id="y")],
    "numpy": [node("numpy.zeros", 10**13, id="y")],
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_needs_too_much_memory(service: Service, name: str) -> None:
    nodes = TOO_MUCH[name]
    refuses(service, Bad(name, {"nodes": nodes}, "limit_exceeded", f"/nodes/{len(nodes) - 1}", "y"))


@pytest.mark.parametrize(
    "nodes",
    [
        [node("ones", 1, id="a"), node("expand", "$a", 10**10, id="y")],
        [node("zeros", 10**9, 0, id="y")],
        [node("zeros", 10**5, 10**5, 0, id="y")],
        [node("ones", 5000, 5000, id="y"), node("sum", "$y", id="s")],
    ],
    ids=["elements of an expanded tensor", "brackets without elements", "more brackets", "text"],
)
def test_a_reply_that_would_be_too_long(service: Service, nodes: list[dict[str, Any]]) -> None:
    problem = service.refused({"nodes": nodes, "returns": ["y"]})
    assert (problem["status"], problem["code"]) == (422, "limit_exceeded")
    assert "y" in problem["detail"]
    service.still_works()
