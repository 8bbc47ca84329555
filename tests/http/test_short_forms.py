"""Short forms give what torch.autograd and torch.func give of the same function locally, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from short_form_cases import CASES, Case
from torch import Tensor
from torch.func import hessian, jacfwd, jacrev, jvp, vmap

from applying import tensors
from service import Service, node, read
from tensor_json import document, same_bits

Json = Any
ALL = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
X = {"x": {"data": [1, 2, 3], "dtype": "float64"}}
CUBE = [node("pow", "$x", 3, id="y")]


def ask(service: Service, name: str, body: Json) -> Json:
    reply = service.post(f"/v1/autograd/{name}", body)
    assert reply.status_code == 200, reply.text[:2000]
    found = read(reply)
    assert {"value", "seed", "device", "torch", "timing_ms"} <= set(found)
    return found


def leaves(case: Case) -> tuple[Tensor, ...]:
    return tuple(value.clone().requires_grad_() for value in case.values)


def same_by_input(found: Json, case: Case, local: Sequence[Tensor]) -> None:
    assert list(found) == list(case.inputs)
    for value, tensor in zip(found.values(), local, strict=True):
        same_bits(value, tensor.detach())


@ALL
@pytest.mark.parametrize("name", ["grad", "value_and_grad"])
def test_gradients_are_those_of_autograd(service: Service, name: str, case: Case) -> None:
    found = ask(service, name, case.body("number"))
    own = leaves(case)
    number = case.number(*own)
    same_bits(found["value"], number.detach())
    same_by_input(found["grads"], case, torch.autograd.grad(number, own))


@ALL
def test_each_of_many_cotangents_gives_what_it_gives_alone(service: Service, case: Case) -> None:
    own = leaves(case)
    output = case.local(*own)
    cotangents = [torch.randn(output.shape, dtype=output.dtype) for _ in range(3)]
    found = ask(service, "vjp", case.body(cotangents=[document(one) for one in cotangents]))
    alone = ask(service, "vjp", case.body(cotangents=document(cotangents[1])))
    same_bits(found["value"], output.detach())
    assert len(found["vjp"]) == 3
    for row, cotangent in zip(found["vjp"], cotangents, strict=True):
        same_by_input(row, case, torch.autograd.grad(output, own, cotangent, retain_graph=True))
    assert alone["vjp"] == found["vjp"][1]


@ALL
def test_a_tangent_is_pushed_forward_as_by_torch_func(service: Service, case: Case) -> None:
    tangents = case.directions(11)
    found = ask(service, "jvp", case.body(tangents=tensors(**tangents)))
    value, tangent = jvp(case.local, case.values, tuple(tangents.values()))
    same_bits(found["value"], value)
    same_bits(found["jvp"], tangent)
    assert found["mode"] == "forward"


@ALL
def test_many_tangents_are_mapped_by_vmap(service: Service, case: Case) -> None:
    each = [case.directions(seed) for seed in range(4)]
    found = ask(service, "jvp", case.body(tangents=[tensors(**one) for one in each]))
    stacked = tuple(torch.stack([one[name] for one in each]) for name in case.inputs)
    rows = vmap(lambda *direction: jvp(case.local, case.values, direction)[1])(*stacked)
    assert len(found["jvp"]) == 4
    for value, row in zip(found["jvp"], rows, strict=True):
        same_bits(value, row)


@ALL
@pytest.mark.parametrize(("mode", "transform"), [("reverse", jacrev), ("forward", jacfwd)])
def test_jacobians_are_those_of_torch_func(service: Service, mode: str, transform: Any, case: Case) -> None:
    found = ask(service, "jacobian", case.body(mode=mode))
    local = transform(case.local, argnums=case.argnums)(*case.values)
    assert found["mode"] == mode
    same_by_input(found["jacobian"], case, local)


@ALL
@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
def test_hessians_are_those_of_torch_func(service: Service, mode: str, case: Case) -> None:
    found = ask(service, "hessian", case.body("number", mode=mode))
    argnums = case.argnums
    if mode == "reverse":
        local = jacrev(jacrev(case.number, argnums=argnums), argnums=argnums)(*case.values)
    else:
        local = hessian(case.number, argnums=argnums)(*case.values)
    assert found["mode"] == ("reverse" if mode == "reverse" else "forward")
    for row, parts in zip(found["hessian"].values(), local, strict=True):
        same_by_input(row, case, parts)


@ALL
def test_hessian_vector_products_are_two_backward_passes(service: Service, case: Case) -> None:
    each = [case.directions(seed) for seed in (1, 2)]
    found = ask(service, "hvp", case.body("number", vector=[tensors(**one) for one in each]))
    own = leaves(case)
    first = torch.autograd.grad(case.number(*own), own, create_graph=True)
    same_by_input(found["grads"], case, first)
    for row, vector in zip(found["hvp"], each, strict=True):
        pairs = zip(own, torch.autograd.grad(first, own, list(vector.values()), True, allow_unused=True), strict=True)
        same_by_input(row, case, [torch.zeros_like(leaf) if one is None else one for leaf, one in pairs])


@ALL
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_pass_the_check(service: Service, order: int, case: Case) -> None:
    if case is CASES["single precision"] or case is CASES["convolution"]:
        found = ask(service, "gradcheck", case.body(order=order, eps=1e-2, atol=0.05, rtol=0.05))
        assert set(found["notes"]) == set(case.inputs)
        assert "float32 is too coarse for finite differences" in found["notes"][next(iter(case.inputs))]
    else:
        found = ask(service, "gradcheck", case.body(order=order))
        assert "notes" not in found
    assert (found["passed"], found["failures"], found["failed"]) == (True, [], 0)
    assert (found["deterministic"], found["order"]) == (True, order)


# ---- names


def test_what_wrt_leaves_out_is_every_floating_or_complex_input(service: Service) -> None:
    inputs = {"i": [1, 2], "b": [True, False], "h": {"data": [1, 2], "dtype": "float16"}, "x": [0.5, 1.5]}
    nodes = [node("mul", "$x", "$h", id="y"), node("mul", "$y", "$i", id="z"), node("sum", "$z", id="s")]
    assert list(ask(service, "grad", {"inputs": inputs, "nodes": nodes})["grads"]) == ["h", "x"]
    chosen = ask(service, "grad", {"inputs": inputs, "nodes": nodes, "wrt": ["$x"]})
    assert {name: value["data"] for name, value in chosen["grads"].items()} == {"x": [1.0, 4.0]}
    assert not chosen["grads"]["x"]["requires_grad"]


def test_an_input_that_does_not_matter_gets_zeros_and_a_note(service: Service) -> None:
    inputs = {**X, "u": {"data": [[1, 2]], "dtype": "float32"}}
    body = {"inputs": inputs, "nodes": [*CUBE, node("sum", "$y", id="s")]}
    for name, member in (("value_and_grad", "grads"), ("vjp", "vjp"), ("jacobian", "jacobian")):
        found = ask(service, name, body)
        assert found[member]["u"]["data"] == [[0.0, 0.0]]
        assert found[member]["u"]["dtype"] == "float32"
        assert found["notes"] == {"u": "the output does not depend on it: its derivatives are zero"}
    second = ask(service, "hessian", body)["hessian"]
    assert second["u"]["x"]["data"] == [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    assert second["x"]["u"]["shape"] == [3, 1, 2]


def test_an_output_that_depends_on_nothing_has_zeros_everywhere(service: Service) -> None:
    body = {"inputs": X, "nodes": [node("detach", "$x", id="d"), node("sum", "$d", id="s")]}
    found = ask(service, "value_and_grad", body)
    assert (found["value"]["data"], found["grads"]["x"]["data"]) == (6.0, [0.0, 0.0, 0.0])
    assert set(found["notes"]) == {"x"}
    assert ask(service, "hvp", body | {"vector": {"x": [1, 1, 1]}})["hvp"]["x"]["data"] == [0.0, 0.0, 0.0]


def test_the_output_left_out_is_the_last_named_node(service: Service) -> None:
    nodes = [*CUBE, node("sum", "$y", id="s"), node("mul", "$s", 0)]
    assert ask(service, "grad", {"inputs": X, "nodes": nodes})["value"]["data"] == 36.0
    assert ask(service, "vjp", {"inputs": X, "nodes": nodes, "returns": "$y.shape.0"} | ONE)["value"]["data"] == 1.0


ONE = {"returns": "$y1", "nodes": [node("pow", "$x", 3, id="y"), node("getitem", "$y", 0, id="y1")]}


ROSENBROCK = """
def f(p):
    return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2

y = f(p)
"""


def test_a_program_may_stand_in_place_of_nodes(service: Service) -> None:
    body = {"inputs": {"p": {"data": [-1.2, 1], "dtype": "float64"}}, "program": ROSENBROCK}
    assert ask(service, "hessian", body)["hessian"]["p"]["p"]["data"] == [[1330.0, 480.0], [480.0, 200.0]]
    found = ask(service, "grad", body | {"returns": "y"})
    p = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    local = 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2
    same_bits(found["value"], local.detach())
    same_bits(found["grads"]["p"], torch.autograd.grad(local, p)[0])
    loop = {"inputs": X, "program": "y = 0\nfor i in range(3):\n    y = y + x[i] ** 3"}
    assert ask(service, "grad", loop)["grads"]["x"]["data"] == [3.0, 12.0, 27.0]


# ---- directions


def test_numbers_without_a_dtype_are_rounded_once_to_that_of_what_they_belong_to(service: Service) -> None:
    found = ask(service, "vjp", {"inputs": X, "nodes": CUBE, "cotangents": [0.1, 1, 0.0001]})
    assert found["vjp"]["x"]["data"] == [3 * 0.1, 12.0, 27 * 0.0001]
    narrow = {"x": {"data": [1, 2, 3], "dtype": "float32"}}
    found = ask(service, "jvp", {"inputs": narrow, "nodes": CUBE, "tangents": {"x": [0.1, 0, 0]}})
    assert found["jvp"]["data"] == [0.3, 0.0, 0.0]
    assert found["jvp"]["dtype"] == "float32"


def test_a_bare_nested_list_is_one_cotangent_and_a_list_of_objects_is_many(service: Service) -> None:
    matrix = {"inputs": {"x": [[1.0, 2.0], [3.0, 4.0]]}, "nodes": CUBE}
    one = ask(service, "vjp", matrix | {"cotangents": [[1, 0], [0, 1]]})
    assert one["vjp"]["x"]["data"] == [[3.0, 0.0], [0.0, 48.0]]
    many = ask(service, "vjp", matrix | {"cotangents": [{"data": [[1, 0], [0, 1]]}]})
    assert [row["x"]["data"] for row in many["vjp"]] == [[[3.0, 0.0], [0.0, 48.0]]]


def test_one_number_needs_no_cotangent(service: Service) -> None:
    found = ask(service, "vjp", {"inputs": X, "nodes": [*CUBE, node("sum", "$y", id="s")]})
    assert found["vjp"]["x"]["data"] == [3.0, 12.0, 27.0]


def test_an_input_without_a_direction_does_not_move(service: Service) -> None:
    body = {"inputs": {**X, "w": {"data": 2, "dtype": "float64"}}, "nodes": [node("mul", "$x", "$w", id="y")]}
    assert ask(service, "jvp", body | {"tangents": {"w": 1}})["jvp"]["data"] == [1.0, 2.0, 3.0]
    total = body | {"nodes": [*body["nodes"], node("sum", "$y", id="s")], "vector": {"w": 1}}
    found = ask(service, "hvp", total)
    assert (found["hvp"]["x"]["data"], found["hvp"]["w"]["data"]) == ([1.0, 1.0, 1.0], 0.0)


# ---- modes and sizes


@pytest.mark.parametrize(("count", "mode"), [(2, "forward"), (3, "reverse"), (4, "reverse")])
def test_auto_takes_the_mode_with_fewer_passes(service: Service, count: int, mode: str) -> None:
    inputs = {"x": {"data": list(range(count)), "dtype": "float64"}}
    nodes = [node("ones", 3, count, id="a", dtype="float64"), node("matmul", "$a", "$x", id="y")]
    found = ask(service, "jacobian", {"inputs": inputs, "nodes": nodes})
    assert (found["mode"], found["chunk_size"]) == (mode, min(3, count))
    assert found["jacobian"]["x"]["data"] == [[1.0] * count] * 3


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(("chunk", "said"), [(1, 1), (2, 2), (3, 3), (100, 4), (None, 4)])
def test_any_chunk_size_gives_the_same(service: Service, mode: str, chunk: int | None, said: int) -> None:
    case = CASES["written in place"]
    found = ask(service, "jacobian", case.body(mode=mode, chunk_size=chunk))
    assert (found["mode"], found["chunk_size"]) == (mode, said)
    same_by_input(found["jacobian"], case, jacrev(case.local, argnums=(0,))(*case.values))
    second = ask(service, "hessian", case.body("number", mode=mode, chunk_size=chunk))
    assert second["chunk_size"] == said


def test_the_hessian_of_several_outputs_has_their_shape_in_front(service: Service) -> None:
    found = ask(service, "hessian", {"inputs": X, "nodes": CUBE})
    assert found["hessian"]["x"]["x"]["shape"] == [3, 3, 3]
    assert [found["hessian"]["x"]["x"]["data"][i][i][i] for i in range(3)] == [6.0, 12.0, 18.0]


def test_empty_inputs_and_outputs_have_empty_derivatives(service: Service) -> None:
    body = {"inputs": {"x": {"data": [], "shape": [0], "dtype": "float32"}}, "nodes": CUBE}
    assert ask(service, "jacobian", body)["jacobian"]["x"]["shape"] == [0, 0]
    total = body | {"nodes": [*CUBE, node("sum", "$y", id="s")]}
    assert ask(service, "jacobian", total | {"mode": "forward"})["jacobian"]["x"]["shape"] == [0]
    assert ask(service, "hessian", total)["hessian"]["x"]["x"]["shape"] == [0, 0]
    assert ask(service, "gradcheck", total)["passed"]


def test_complex_derivatives_are_those_of_reverse_mode(service: Service) -> None:
    z = torch.tensor([1 + 2j, 0.5 - 1j], dtype=torch.complex128)
    body = {"inputs": tensors(z=z), "nodes": [node("pow", "$z", 2, id="y"), node("getitem", "$y", "[0, 1, 0]", id="w")]}
    found = ask(service, "jacobian", body)
    assert found["mode"] == "reverse"
    leaf = z.clone().requires_grad_()
    output = torch.pow(leaf, 2)[[0, 1, 0]]
    rows = [torch.autograd.grad(output, leaf, unit, True)[0] for unit in torch.eye(3, dtype=z.dtype)]
    same_bits(found["jacobian"]["z"], torch.stack(rows))
    assert ask(service, "gradcheck", body)["passed"]
    assert ask(service, "gradcheck", body | {"order": 2})["passed"]
    norm = {"inputs": tensors(z=z), "nodes": [node("abs", "$z", id="a"), node("sum", "$a", id="s")]}
    same_bits(ask(service, "grad", norm)["grads"]["z"], torch.autograd.grad(leaf.abs().sum(), leaf)[0])


# ---- what the nodes do


HELD = [{**node("pow", "$x", 2, id="c"), "no_grad": True}, node("mul", "$x", "$c", id="y"), node("sum", "$y", id="s")]


def test_nodes_without_gradients_are_constants_in_every_form(service: Service) -> None:
    body = {"inputs": X, "nodes": HELD}
    assert ask(service, "grad", body)["grads"]["x"]["data"] == [1.0, 4.0, 9.0]
    assert ask(service, "jvp", body | {"tangents": {"x": [1, 1, 1]}})["jvp"]["data"] == 14.0
    many = ask(service, "jvp", body | {"tangents": [{"x": [1, 0, 0]}, {"x": [0, 1, 0]}]})
    assert [one["data"] for one in many["jvp"]] == [1.0, 4.0]
    for mode in ("forward", "reverse"):
        found = ask(service, "jacobian", body | {"mode": mode, "returns": "y"})
        assert found["jacobian"]["x"]["data"] == [[1.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 9.0]]
    second = ask(service, "hessian", body)
    assert second["mode"] == "reverse"
    assert second["hessian"]["x"]["x"]["data"] == [[0.0] * 3] * 3
    assert ask(service, "hvp", body | {"vector": {"x": [1, 1, 1]}})["hvp"]["x"]["data"] == [0.0] * 3


def test_the_block_no_grad_is_respected_too(service: Service) -> None:
    inner = [{"let": "c", **node("pow", "$x", 2)}]
    nodes = [{"op": "with", "of": "no_grad", "body": inner}, node("mul", "$x", "$c", id="y")]
    for name, more in (("jacobian", {"mode": "forward"}), ("jacobian", {"mode": "reverse"})):
        found = ask(service, name, {"inputs": X, "nodes": nodes, **more})
        assert found["jacobian"]["x"]["data"] == [[1.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 9.0]]


PENALTY = [
    *CUBE,
    node("sum", "$y", id="s"),
    node("autograd.grad", "$s", "$x", id="g", create_graph=True),
    node("pow", "$g.0", 2, id="p"),
]


def test_a_graph_that_asks_for_gradients_itself_is_differentiated_through_them(service: Service) -> None:
    body = {"inputs": X, "nodes": PENALTY}
    assert ask(service, "jacobian", body)["jacobian"]["x"]["data"][1] == [0.0, 288.0, 0.0]
    found = ask(service, "jvp", body | {"tangents": [{"x": [1, 0, 0]}, {"x": [0, 1, 0]}]})
    assert found["mode"] == "reverse"
    assert [one["data"] for one in found["jvp"]] == [[36.0, 0.0, 0.0], [0.0, 288.0, 0.0]]
    assert ask(service, "gradcheck", body)["passed"]


def test_random_ops_draw_the_same_numbers_whenever_the_graph_is_run_again(service: Service) -> None:
    nodes = [node("nn.functional.dropout", "$x", 0.5, id="d"), node("rand_like", "$x", id="r")]
    body = {"inputs": X, "nodes": [*nodes, node("mul", "$d", "$r", id="y")], "seed": 4}
    value = ask(service, "vjp", body | {"cotangents": [1, 1, 1]})["value"]["data"]
    torch.manual_seed(4)
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert value == (torch.nn.functional.dropout(x, 0.5) * torch.rand_like(x)).tolist()
    reverse, forward = (ask(service, "jacobian", body | {"mode": mode}) for mode in ("reverse", "forward"))
    assert reverse["jacobian"] == forward["jacobian"]
    assert forward["value"]["data"] == value
    assert ask(service, "gradcheck", body)["passed"]


def test_numbers_come_in_base64_where_that_is_asked_for(service: Service) -> None:
    found = ask(service, "jacobian", {"inputs": X, "nodes": CUBE, "encoding": "base64"})
    assert found["value"]["encoding"] == found["jacobian"]["x"]["encoding"] == "base64"


# ---- gradcheck


def test_the_check_says_where_derivatives_are_wrong(service: Service) -> None:
    found = ask(service, "gradcheck", {"inputs": X, "nodes": HELD, "returns": "y"})
    assert not found["passed"]
    assert found["failed"] == len(found["failures"]) == 3
    assert [one["input"] for one in found["failures"]] == ["x"] * 3
    assert [(one["index"], one["output_index"]) for one in found["failures"]] == [([i], [i]) for i in range(3)]
    assert [one["analytic"] for one in found["failures"]] == [1.0, 4.0, 9.0]
    for failure, right in zip(found["failures"], [3.0, 12.0, 27.0], strict=True):
        assert failure["numerical"] == pytest.approx(right)
        assert failure["difference"] == abs(failure["analytic"] - failure["numerical"])


def test_the_second_check_says_whose_gradient_is_wrong(service: Service) -> None:
    found = ask(service, "gradcheck", {"inputs": X, "nodes": HELD, "returns": "s", "order": 2, "seed": 0})
    assert not found["passed"]
    assert {(one["input"], one["gradient_of"]) for one in found["failures"]} == {("x", "x")}
    assert [(one["index"], one["output_index"]) for one in found["failures"]] == [([i], [i]) for i in range(3)]


def test_a_complex_failure_is_told_in_pairs(service: Service) -> None:
    z = {"z": {"data": [[1, 2]], "dtype": "complex128"}}
    nodes = [{**node("mul", "$z", "$z", id="c"), "no_grad": True}, node("mul", "$z", "$c", id="y")]
    (first, *_) = ask(service, "gradcheck", {"inputs": z, "nodes": nodes})["failures"]
    assert first["output_index"] == [0, 0]
    assert first["analytic"] == [-3.0, -4.0]
    assert first["numerical"] == pytest.approx([-9.0, -12.0])


def test_at_most_a_hundred_failures_are_listed(service: Service) -> None:
    inputs = {"x": {"data": [1.0] * 150, "dtype": "float64"}}
    found = ask(service, "gradcheck", {"inputs": inputs, "nodes": HELD, "returns": "y"})
    assert (len(found["failures"]), found["failed"]) == (100, 150)
