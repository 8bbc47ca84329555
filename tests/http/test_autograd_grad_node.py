"""`autograd.grad` as a node: outputs, inputs, cotangents, batches, higher orders; and dual numbers as plain ops."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import forward_ad

from applying import apply, function, same, tensors
from service import Service, node

X, W = [1.0, -2.0, 0.5], [0.25, 3.0, -1.0]
INPUTS = {name: {"data": data, "dtype": "float64", "requires_grad": True} for name, data in (("x", X), ("w", W))}
NODES = [
    node("mul", "$x", "$w", id="p"),
    node("sin", "$p", id="y"),
    node("sum", "$y", id="s"),
    node("sum", "$x", id="t"),
]


def local() -> tuple[torch.Tensor, ...]:
    """x, w, y, s and t."""
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    w = torch.tensor(W, dtype=torch.float64, requires_grad=True)
    y = torch.sin(x * w)
    return x, w, y, y.sum(), x.sum()


def grad(service: Service, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What the node gives behind NODES."""
    return service.value(*NODES, node("autograd.grad", *args, **kwargs), inputs=INPUTS)


def test_one_output_and_one_input_give_a_tuple_of_one(service: Service) -> None:
    x, _, _, s, _ = local()
    same(grad(service, "$s", "$x"), torch.autograd.grad(s, x))


def test_several_outputs_and_inputs(service: Service) -> None:
    x, w, y, s, _ = local()
    given = torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)
    expected = torch.autograd.grad([s, y], [x, w], [None, given])
    found = grad(
        service, ["$s", "$y"], ["$x", "$w"], grad_outputs=[None, {"tensor": {"data": [1, 0, 2], "dtype": "float64"}}]
    )
    same(found, expected)


def test_inputs_may_be_between_the_leaves_and_the_outputs(service: Service) -> None:
    _, _, y, s, _ = local()
    same(grad(service, "$s", "$y"), torch.autograd.grad(s, y))


def test_cotangents_as_numbers(service: Service) -> None:
    x, _, y, _, _ = local()
    expected = torch.autograd.grad(y, x, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    same(grad(service, "$y", "$x", grad_outputs=[1, 2, 3]), expected)


def test_batched_cotangents_give_the_jacobian(service: Service) -> None:
    x, w, y, _, _ = local()
    eye = torch.eye(3, dtype=torch.float64)
    expected = torch.autograd.grad(y, (x, w), eye, is_grads_batched=True)
    nodes = [*NODES, node("eye", 3, dtype="float64", id="basis")]
    made = node("autograd.grad", "$y", ["$x", "$w"], grad_outputs="$basis", is_grads_batched=True)
    same(service.value(*nodes, made, inputs=INPUTS), expected)


def test_create_graph_gives_gradients_of_gradients(service: Service) -> None:
    x, w, _, s, _ = local()
    first = torch.autograd.grad(s, x, create_graph=True)[0]
    second = torch.autograd.grad(first.sum(), (x, w))
    nodes = [
        *NODES,
        node("autograd.grad", "$s", "$x", create_graph=True, id="first"),
        node("sum", "$first.0", id="total"),
        node("autograd.grad", "$total", ["$x", "$w"], id="second"),
    ]
    outputs = service.run(nodes, ["first", "second"], INPUTS)
    assert outputs["first"]["items"][0]["grad_fn"] == type(first.grad_fn).__name__
    same(outputs["second"], second)


def test_retain_graph_allows_a_second_time(service: Service) -> None:
    nodes = [
        *NODES,
        node("autograd.grad", "$s", "$x", retain_graph=True, id="a"),
        node("autograd.grad", "$s", "$x", id="b"),
    ]
    outputs = service.run(nodes, ["a", "b"], INPUTS)
    assert outputs["a"]["items"][0]["data"] == outputs["b"]["items"][0]["data"]
    del nodes[-2]["kwargs"]
    problem = service.refused({"inputs": INPUTS, "nodes": nodes})
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("op_failed", "/nodes/5")
    assert "retain_graph" in problem["errors"][0]["hint"]


def test_an_unused_input_is_told_by_name(service: Service) -> None:
    found = grad(service, "$t", ["$x", "$w"], allow_unused=True)
    assert found["items"][1] == {"kind": "none", "value": None, "note": "the outputs do not depend on 'w'"}
    same(found["items"][0], torch.ones(3, dtype=torch.float64))


def test_materialized_it_is_zeros(service: Service) -> None:
    found = grad(service, "$t", ["$x", "$w"], materialize_grads=True)
    same(found, (torch.ones(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)))


def test_unused_without_leave_is_refused_with_what_to_write(service: Service) -> None:
    problem = service.refused({"inputs": INPUTS, "nodes": [*NODES, node("autograd.grad", "$t", ["$x", "$w"], id="g")]})
    (error,) = problem["errors"]
    assert (error["code"], error["pointer"], error["node"]) == ("op_failed", "/nodes/4", "g")
    assert "at index 1 appears to not have been used" in error["message"]
    assert '{"allow_unused": true}' in error["hint"]


def test_a_cotangent_of_another_shape_is_refused(service: Service) -> None:
    made = node("autograd.grad", "$s", "$x", grad_outputs={"tensor": {"data": [1.0, 2.0]}}, id="g")
    problem = service.refused({"inputs": INPUTS, "nodes": [*NODES, made]})
    assert problem["code"] == "op_failed"
    assert problem["errors"][0]["hint"] == "a cotangent has the shape of its output"


def test_it_works_inside_a_function(service: Service) -> None:
    slope = function(
        "x", [node("exp", "$x", id="e"), node("sum", "$e", id="s"), node("autograd.grad", "$s", "$x", id="g")], "g.0"
    )
    found = service.value(apply("call", "slope", "$x"), inputs=INPUTS, functions={"slope": slope})
    same(found, torch.exp(torch.tensor(X, dtype=torch.float64)))


# ---- dual numbers

PRIMAL, TANGENT = torch.tensor([0.5, -1.0], dtype=torch.float64), torch.tensor([1.0, 2.0], dtype=torch.float64)
DUAL = [
    node("autograd.forward_ad.make_dual", "$p", "$t", id="d"),
    node("sin", "$d", id="y"),
    node("autograd.forward_ad.unpack_dual", "$y", id="u"),
]


def _unpacked() -> Any:
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(torch.sin(forward_ad.make_dual(PRIMAL, TANGENT)))


def test_a_dual_tensor_carries_its_tangent_through_the_graph(service: Service) -> None:
    outputs = service.run(DUAL, ["u", "u.tangent", "u.primal"], tensors(p=PRIMAL, t=TANGENT))
    expected = _unpacked()
    assert outputs["u"]["names"] == ["primal", "tangent"]
    same(outputs["u.primal"], expected.primal)
    same(outputs["u.tangent"], expected.tangent)


def test_dual_tensors_inside_a_function(service: Service) -> None:
    along = function("p t", DUAL, ["u.primal", "u.tangent"])
    found = service.value(
        apply("call", "along", "$p", "$t"), inputs=tensors(p=PRIMAL, t=TANGENT), functions={"along": along}
    )
    same(found, tuple(_unpacked()))


def test_a_tensor_that_is_no_dual_has_no_tangent(service: Service) -> None:
    nodes = [node("autograd.forward_ad.unpack_dual", "$p", id="u")]
    outputs = service.run(nodes, ["u.tangent"], tensors(p=PRIMAL))
    assert outputs["u.tangent"]["kind"] == "none"


def test_a_tangent_of_another_shape_is_refused(service: Service) -> None:
    made = node("autograd.forward_ad.make_dual", "$p", {"tensor": {"data": [1.0], "dtype": "float64"}}, id="d")
    problem = service.refused({"inputs": tensors(p=PRIMAL), "nodes": [made]})
    assert (problem["code"], problem["errors"][0]["node"]) == ("op_failed", "d")
