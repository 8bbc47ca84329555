"""Rows 15 to 23 of the tutorial: gradients, grad_fn names, the Jacobian matrix, and products with it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import document, same_bits, same_tensor

ONES = {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}


def test_row_15_a_leaf_that_wants_gradients(service: Service) -> None:
    ones = node("ones", 2, 2, id="x")
    for x in (
        service.value(node("ones", 2, 2, requires_grad=True)),
        service.op("ones", 2, 2, requires_grad=True),
        service.run([], {"x": "x"}, {"x": ONES})["x"],
        service.value(ones, node("requires_grad_", "$x")),
        service.run([ones, node("setattr", "$x", "requires_grad", True)], ["x"])["x"],
    ):
        same_tensor(x, torch.ones(2, 2, requires_grad=True))
        assert (x["requires_grad"], x["is_leaf"], x["grad_fn"]) == (True, True, None)


def _a() -> torch.Tensor:
    torch.manual_seed(16)
    a = torch.randn(2, 2)
    return (a * 8) / (a - 2)


SPELLINGS = {
    "functions": [node("mul", "$r", 8, id="p"), node("sub", "$r", 2, id="q"), node("div", "$p", "$q", id="a")],
    "operators": [
        node("operator.mul", "$r", 8, id="p"),
        node("operator.sub", "$r", 2, id="q"),
        node("operator.truediv", "$p", "$q", id="a"),
    ],
    "methods": [
        node("Tensor.mul", "$r", 8, id="p"),
        node("Tensor.sub", "$r", 2, id="q"),
        node("Tensor.div", "$p", "$q", id="a"),
    ],
}
RANDOM = node("randn", 2, 2, id="r")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_rows_17_and_18_requires_grad_in_place(service: Service, spelling: str) -> None:
    nodes = [
        RANDOM,
        *SPELLINGS[spelling],
        node("requires_grad_", "$a", True, id="same"),
        node("mul", "$a", "$a", id="aa"),
        node("sum", "$aa", id="b"),
    ]
    returns = ["a.requires_grad", "same", "b", "b.grad_fn", "a"]
    outputs = service.run(nodes, returns, seed=16)
    a = _a().requires_grad_(True)
    b = (a * a).sum()
    same_tensor(outputs["a"], a)
    same_tensor(outputs["same"], a)
    same_tensor(outputs["b"], b)
    assert outputs["a.requires_grad"] == {"kind": "bool", "value": True}
    assert outputs["b.grad_fn"] == {"kind": "string", "value": "SumBackward0"}
    assert outputs["b"]["grad_fn"] == "SumBackward0"


def test_row_16_a_result_of_tensors_without_requires_grad_has_none(service: Service) -> None:
    outputs = service.run([RANDOM, *SPELLINGS["operators"]], ["a", "a.requires_grad", "a.grad_fn"], seed=16)
    same_tensor(outputs["a"], _a())
    assert outputs["a.requires_grad"] == {"kind": "bool", "value": False}
    assert outputs["a.grad_fn"]["kind"] == "none"


@pytest.mark.parametrize("change", [node("requires_grad_", "$a", True), node("Tensor.requires_grad_", "$a"),
                                    node("setattr", "$a", "requires_grad", True),
                                    node("requires_grad_", "$a", requires_grad=True)])  # fmt: skip
def test_row_17_every_way_to_ask_for_gradients_later(service: Service, change: dict[str, Any]) -> None:
    outputs = service.run([RANDOM, *SPELLINGS["functions"], change], ["a", "a.requires_grad"], seed=16)
    assert outputs["a.requires_grad"]["value"] is True
    same_tensor(outputs["a"], _a().requires_grad_(True))


@pytest.mark.parametrize(
    "add", [node("add", "$x", 2, id="y"), node("operator.add", "$x", 2, id="y"), node("operator.add", 2, "$x", id="y")]
)
@pytest.mark.parametrize("x", [node("ones", 2, 2, requires_grad=True, id="x"), None], ids=["made", "input"])
def test_rows_19_to_21_the_gradient(service: Service, add: dict[str, Any], x: dict[str, Any] | None) -> None:
    nodes = [
        *([x] if x else []),
        add,
        node("mul", "$y", "$y", id="yy"),
        node("operator.mul", "$yy", 3, id="z"),
        node("mean", "$z", id="out"),
        node("backward", "$out"),
    ]
    outputs = service.run(nodes, ["x", "y", "z", "out", "x.grad"], {} if x else {"x": ONES})
    local = torch.ones(2, 2, requires_grad=True)
    y = local + 2
    z = y * y * 3
    out = z.mean()
    out.backward()
    for name, expected in [("x", local), ("y", y), ("z", z), ("out", out), ("x.grad", local.grad)]:
        same_tensor(outputs[name], expected)
    assert (outputs["y"]["data"], outputs["y"]["grad_fn"]) == ([[3.0, 3.0], [3.0, 3.0]], "AddBackward0")
    assert (outputs["z"]["data"], outputs["z"]["grad_fn"]) == ([[27.0, 27.0], [27.0, 27.0]], "MulBackward0")
    assert (outputs["out"]["data"], outputs["out"]["grad_fn"]) == (27.0, "MeanBackward0")
    assert (outputs["x.grad"]["data"], outputs["x.grad"]["grad_fn"]) == ([[4.5, 4.5], [4.5, 4.5]], None)


@pytest.mark.parametrize("backward", ["backward", "Tensor.backward", "autograd.backward"])
def test_row_21_every_name_of_backward(service: Service, backward: str) -> None:
    nodes = [node("mul", "$x", "$x", id="y"), node("sum", "$y", id="out"), node(backward, "$out")]
    outputs = service.run(nodes, ["x.grad"], {"x": {"data": [1.5, -2.0], "requires_grad": True}})
    assert outputs["x.grad"]["data"] == [3.0, -4.0]


def test_row_21_a_node_that_is_no_reduction_takes_its_cotangent(service: Service) -> None:
    """The first tutorial's own vector: y = x * 2 until it is large, then y.backward(v)."""
    nodes = [node("mul", "$x", 2, id="y"), node("backward", "$y", {"tensor": {"data": [0.1, 1.0, 0.0001]}})]
    outputs = service.run(nodes, ["x.grad"], {"x": {"data": [1.0, 2.0, 3.0], "requires_grad": True}})
    same_tensor(outputs["x.grad"], torch.tensor([0.1, 1.0, 0.0001]) * 2)
    nodes[1] = node("backward", "$y", [0.1, 1.0, 0.0001])
    outputs = service.run(nodes, ["x.grad"], {"x": {"data": [1.0, 2.0, 3.0], "requires_grad": True}})
    same_tensor(outputs["x.grad"], torch.tensor([0.1, 1.0, 0.0001]) * 2)


# y = W tanh(x) for a W of 3 rows and 4 columns.
torch.manual_seed(22)
W, POINT = torch.randn(3, 4), torch.randn(4)
FUNCTION = [node("tanh", "$x", id="t"), node("mv", "$w", "$t", id="y")]
INPUTS = {"w": document(W), "x": document(POINT, requires_grad=True)}


def _y(x: torch.Tensor) -> torch.Tensor:
    return W.mv(torch.tanh(x))


def test_row_22_the_whole_jacobian_by_batched_cotangents(service: Service) -> None:
    nodes = [
        *FUNCTION,
        node("eye", 3, id="rows"),
        node("autograd.grad", "$y", "$x", grad_outputs="$rows", is_grads_batched=True, id="j"),
    ]
    outputs = service.run(nodes, ["j", "j.0"], INPUTS)
    jacobian = torch.autograd.functional.jacobian(_y, POINT)
    assert outputs["j"]["kind"] == "tuple"
    for value in (outputs["j.0"], outputs["j"]["items"][0]):
        same_bits(value, jacobian)
        assert value["shape"] == [3, 4]
    expected = W * (1 - torch.tanh(POINT) ** 2)
    torch.testing.assert_close(jacobian, expected)


def test_row_22_the_whole_jacobian_row_by_row(service: Service) -> None:
    nodes = list(FUNCTION)
    for i in range(3):
        nodes.append(node("getitem", "$y", i, id=f"y{i}"))
        nodes.append(node("autograd.grad", [f"$y{i}"], ["$x"], retain_graph=True, id=f"g{i}"))
    nodes.append(node("stack", ["$g0.0", "$g1.0", "$g2.0"], id="j"))
    same_bits(service.run(nodes, ["j"], INPUTS)["j"], torch.autograd.functional.jacobian(_y, POINT))


@pytest.mark.parametrize("v", [[1.0, 0.0, 0.0], [0.1, 1.0, 0.0001], [-3.5, 2.0, 7.25]])
def test_row_23_vector_jacobian_product_without_the_whole(service: Service, v: list[float]) -> None:
    expected = torch.autograd.functional.vjp(_y, POINT, torch.tensor(v))[1]
    for cotangent, more in (("$v", {"v": v}), ({"tensor": {"data": v}}, {}), (v, {})):
        nodes = [*FUNCTION, node("autograd.grad", "$y", "$x", cotangent, id="g")]
        same_bits(service.run(nodes, ["g.0"], INPUTS | more)["g.0"], expected)
    nodes = [*FUNCTION, node("backward", "$y", "$v")]
    same_bits(service.run(nodes, ["x.grad"], INPUTS | {"v": v})["x.grad"], expected)


def test_row_23_many_vectors_at_once(service: Service) -> None:
    vs = torch.randn(5, 3)
    nodes = [*FUNCTION, node("autograd.grad", "$y", "$x", "$vs", is_grads_batched=True, id="g")]
    x = POINT.clone().requires_grad_()
    expected = torch.autograd.grad(_y(x), x, vs, is_grads_batched=True)[0]
    same_bits(service.run(nodes, ["g.0"], INPUTS | {"vs": document(vs)})["g.0"], expected)


@pytest.mark.parametrize("v", [[1.0, 0.0, 0.0, 0.0], [0.5, -1.0, 2.0, 0.001]])
def test_row_23_jacobian_vector_product_by_double_backward(service: Service, v: list[float]) -> None:
    nodes = [
        *FUNCTION,
        node("zeros_like", "$y", requires_grad=True, id="u"),
        node("autograd.grad", "$y", "$x", "$u", create_graph=True, id="g"),
        node("autograd.grad", "$g.0", "$u", "$v", id="jv"),
    ]
    outputs = service.run(nodes, ["jv.0"], INPUTS | {"v": v})
    same_bits(outputs["jv.0"], torch.autograd.functional.jvp(_y, POINT, torch.tensor(v))[1])
    product = torch.autograd.functional.jacobian(_y, POINT).mv(torch.tensor(v))
    torch.testing.assert_close(torch.tensor(outputs["jv.0"]["data"]), product)
