"""What is wrong with a short form is told at its place, with what would be right."""

from __future__ import annotations

import time
from typing import Any

import pytest

from server import Server
from service import Service, node

Json = Any
X = {"x": {"data": [1, 2, 3], "dtype": "float64"}}
CUBE = {"inputs": X, "nodes": [node("pow", "$x", 3, id="y"), node("sum", "$y", id="s")]}
VECTOR = CUBE | {"returns": "y"}
LEAF = {"inputs": X, "nodes": [node("mul_", "$x", 2, id="y"), node("sum", "$y", id="s")]}
COMPLEX = {"inputs": {"z": {"data": [[1, 2]], "dtype": "complex64"}}, "nodes": [node("sum", "$z", id="s")]}


def error(service: Service, name: str, body: Json) -> Json:
    """The only error of a request that must fail."""
    problem = service.refused(body, f"/v1/autograd/{name}")
    assert problem["status"] == 422
    (found,) = problem["errors"]
    return found


NAMES: list[tuple[Json, str, str, str]] = [
    ({"wrt": ["q"]}, "/wrt/0", "unknown_reference", "there is no input called 'q'"),
    ({"wrt": ["x", "$y"]}, "/wrt/1", "unknown_reference", "there is no input called 'y'"),
    ({"wrt": ["x", "x"]}, "/wrt/1", "invalid_argument", "'x' stands in `wrt` twice"),
    ({"wrt": []}, "/wrt", "invalid_request", "`wrt`: the list is empty"),
    ({"wrt": "x"}, "/wrt", "invalid_request", "`wrt`: expected a list, got a string"),
    ({"wrt": [1]}, "/wrt/0", "invalid_request", "expected a string, got an integer"),
    ({"returns": "q"}, "/returns", "unknown_reference", "there is no input or node called 'q'"),
    ({"returns": ["s"]}, "/returns", "invalid_request", "`returns`: expected a string, got a list"),
    ({"tape": True}, "/tape", "invalid_request", "the body has no member `tape`"),
    ({"deadline_ms": 0}, "/deadline_ms", "invalid_request", "`deadline_ms`: must be at least 1"),
    ({"device": "cuda:77"}, "/device", "unavailable_device", "there is no device 'cuda:77' here"),
    ({"inputs": {"i": [1]}, "nodes": [node("sum", "$i", id="s")]}, "/inputs", "invalid_argument",
     "no input is floating or complex, so there is nothing to differentiate by"),
    ({"inputs": {"i": [1], **X}, "wrt": ["i"]}, "/wrt/0", "invalid_argument",
     "only floating and complex inputs have derivatives; 'i' is int64"),
    ({"nodes": [node("sum", "$x")]}, "", "invalid_request",
     "there is nothing to differentiate: no node has an `id`, and `returns` does not name an output"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "pointer", "code", "message"), NAMES)
@pytest.mark.parametrize("name", ["grad", "jacobian", "gradcheck"])
def test_a_wrong_member_is_told_at_its_place(
    service: Service, name: str, members: Json, pointer: str, code: str, message: str
) -> None:
    found = error(service, name, CUBE | members)
    assert (found["pointer"], found["code"], found["message"]) == (pointer, code, message)


OUTPUTS: list[tuple[str, Json, str, str, str, str]] = [
    ("grad", VECTOR, "/returns", "y", "a gradient is that of one number; the output has the shape [3]", "`sum`"),
    ("hvp", VECTOR | {"vector": {"x": [1, 1, 1]}}, "/returns", "y",
     "a gradient is that of one number; the output has the shape [3]", "/v1/autograd/jacobian"),
    ("value_and_grad", COMPLEX, "/nodes/0", "s", "a gradient is that of one real number; the output is complex",
     "`.real`"),
    ("vjp", {"inputs": X, "nodes": [node("argmax", "$x", id="a")]}, "/nodes/0", "a",
     "only floating and complex outputs have derivatives; 'a' is int64", ""),
    ("jacobian", {"inputs": X, "nodes": [node("max", "$x", 0, id="m")]}, "/nodes/0", "m",
     "a derivative is that of one tensor; 'm' is a tuple", "'m.0'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "pointer", "label", "message", "hint"), OUTPUTS)
def test_an_output_without_such_a_derivative_is_refused_with_the_fix(
    service: Service, name: str, body: Json, pointer: str, label: str, message: str, hint: str
) -> None:
    found = error(service, name, body)
    assert (found["code"], found["pointer"], found["node"]) == ("invalid_argument", pointer, label)
    assert found["message"] == message
    assert hint in found.get("hint", "")


COTANGENTS: list[tuple[Json, str, str, str]] = [
    ([1, 2], "/cotangents", "invalid_argument", "a cotangent has the shape of the output: [2] is not [3]"),
    ([], "/cotangents", "invalid_argument", "a cotangent has the shape of the output: [0] is not [3]"),
    ([{"data": [1, 2, 3]}, {"data": 1}], "/cotangents/1", "invalid_argument",
     "a cotangent has the shape of the output: [] is not [3]"),
    ({"data": [[1, 0]] * 3, "dtype": "complex64"}, "/cotangents", "invalid_argument",
     "a cotangent has the dtype of the output: complex64 does not become float64"),
    ([1, "a", 3], "/cotangents/1", "invalid_tensor", "'a' is no number"),
    ([[1, 2], [3]], "/cotangents/1", "invalid_tensor",
     "the data is ragged: a list of 1, where the first list of its level has 2"),
    ([{"data": [1, 2, 3]}, {"data": [1, None, 3]}], "/cotangents/1/data/1", "invalid_tensor", "null is no number"),
    (None, "/cotangents", "invalid_tensor", "null is no tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "pointer", "code", "message"), COTANGENTS)
def test_a_cotangent_that_does_not_fit_is_refused(
    service: Service, given: Json, pointer: str, code: str, message: str
) -> None:
    found = error(service, "vjp", VECTOR | {"cotangents": given})
    assert (found["pointer"], found["code"], found["message"]) == (pointer, code, message)


def test_several_outputs_need_cotangents(service: Service) -> None:
    found = error(service, "vjp", VECTOR)
    assert (found["pointer"], found["code"]) == ("", "invalid_argument")
    assert found["message"] == "vjp needs `cotangents`, since the output has the shape [3]"


DIRECTIONS: list[tuple[Json, str, str, str]] = [
    ({"x": [1, 2]}, "/x", "invalid_argument", "a direction has the shape of 'x': [2] is not [3]"),
    ([{"x": [1, 1, 1]}, {"x": 1}], "/1/x", "invalid_argument", "a direction has the shape of 'x': [] is not [3]"),
    ({"q": [1]}, "/q", "invalid_argument", "'q' is no input that is differentiated by"),
    ({"i": [1]}, "/i", "invalid_argument", "'i' is no input that is differentiated by"),
    ({}, "", "invalid_argument", "no tensor for 'x'"),
    ([{"x": [1, 1, 1]}, {}], "/1", "invalid_argument", "no tensor for 'x'"),
    ([], "", "invalid_request", "the list is empty"),
    (5, "", "invalid_request",
     'expected an object of tensors by input, such as {"x": [1, 0]}, or a list of such objects'),
    ({"x": [1, "a", 3]}, "/x/1", "invalid_tensor", "'a' is no number"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "place", "code", "message"), DIRECTIONS)
@pytest.mark.parametrize(("name", "member"), [("jvp", "tangents"), ("hvp", "vector")])
def test_a_direction_that_does_not_fit_is_refused(
    service: Service, name: str, member: str, given: Json, place: str, code: str, message: str
) -> None:
    found = error(service, name, CUBE | {"inputs": {**X, "i": [1]}, member: given})
    assert (found["pointer"], found["code"]) == (f"/{member}{place}", code)
    assert found["message"].removeprefix(f"`{member}`: ") == message


def test_an_input_that_wrt_names_needs_a_direction(service: Service) -> None:
    inputs = {**X, "w": 2.0}
    body = {"inputs": inputs, "nodes": [node("mul", "$x", "$w", id="y")], "tangents": {"x": [1, 1, 1]}}
    found = error(service, "jvp", body | {"wrt": ["x", "w"]})
    assert (found["pointer"], found["message"], found["expected"]) == ("/tangents", "no tensor for 'w'", ["w"])


@pytest.mark.parametrize(("name", "member"), [("jvp", "tangents"), ("hvp", "vector")])
def test_a_direction_must_come(service: Service, name: str, member: str) -> None:
    found = error(service, name, CUBE)
    assert (found["pointer"], found["message"]) == ("", f"the body must have `{member}`")


OPTIONS: list[tuple[str, Json, str, str]] = [
    ("jacobian", {"mode": "up"}, "/mode", "`mode`: expected 'auto', 'forward' or 'reverse'"),
    ("hessian", {"chunk_size": 0}, "/chunk_size", "`chunk_size`: must be at least 1"),
    ("hessian", {"chunk_size": "all"}, "/chunk_size", "`chunk_size`: expected an integer, got a string"),
    ("gradcheck", {"order": 3}, "/order", "`order`: expected 1 or 2"),
    ("gradcheck", {"eps": 0}, "/eps", "`eps`: must be above 0"),
    ("gradcheck", {"atol": -1}, "/atol", "`atol`: must be at least 0"),
    ("gradcheck", {"rtol": "x"}, "/rtol", "`rtol`: expected a number, got a string"),
]


@pytest.mark.parametrize(("name", "members", "pointer", "message"), OPTIONS)
def test_a_wrong_option_is_told_at_its_place(
    service: Service, name: str, members: Json, pointer: str, message: str
) -> None:
    found = error(service, name, CUBE | members)
    assert (found["pointer"], found["code"], found["message"]) == (pointer, "invalid_request", message)


def test_forward_mode_over_reverse_mode_is_refused_where_gradients_are_turned_off(service: Service) -> None:
    held = [{**node("pow", "$x", 2, id="c"), "no_grad": True}, node("sum", "$c", id="s")]
    found = error(service, "hessian", {"inputs": X, "nodes": held, "mode": "forward"})
    assert (found["pointer"], found["expected"]) == ("/mode", ["auto", "reverse"])


@pytest.mark.parametrize("name", ["grad", "vjp", "jacobian", "hessian", "gradcheck"])
def test_an_input_is_a_leaf_and_cannot_be_changed_in_place(service: Service, name: str) -> None:
    found = error(service, name, LEAF)
    assert (found["code"], found["pointer"], found["node"]) == ("op_failed", "/nodes/0", "y")
    assert found["message"] == "a leaf Variable that requires grad is being used in an in-place operation."


def test_a_tensor_that_the_backward_pass_needs_and_that_was_changed_names_the_node(service: Service) -> None:
    nodes = [node("exp", "$x", id="e"), node("mul_", "$e", 2, id="twice"), node("sum", "$e", id="s")]
    found = error(service, "grad", {"inputs": X, "nodes": nodes})
    assert (found["code"], found["pointer"], found["node"]) == ("op_failed", "/nodes/2", "s")
    assert "modified by an inplace operation" in found["message"]
    assert found["hint"].startswith("node 'twice' changed in place a tensor that the backward pass needs")


@pytest.mark.parametrize("name", ["grad", "jacobian", "hessian", "gradcheck"])
def test_an_op_that_fails_names_its_node_inside_a_function_too(service: Service, name: str) -> None:
    functions = {"f": {"params": ["a"], "nodes": [node("matmul", "$a", "$w", id="m")], "returns": "m"}}
    call = {"id": "y", "op": "call", "of": "f", "args": ["$x"]}
    body = {"inputs": {**X, "w": [1.0, 2.0]}, "functions": functions, "nodes": [call]}
    found = error(service, name, body)
    assert (found["code"], found["pointer"], found["node"]) == ("op_failed", "/functions/f/nodes/0", "m")


def test_all_mistakes_come_at_once_in_the_requests_order(service: Service) -> None:
    body = {"inputs": {"x": {"data": [1, None]}, "u": [1.0]}, "nodes": [node("nope", "$u", id="y")], "wrt": ["v"]}
    problem = service.refused(body, "/v1/autograd/grad")
    assert [one["pointer"] for one in problem["errors"]] == ["/inputs/x/data/1", "/nodes/0/op", "/wrt/0"]


def test_what_is_no_object_and_what_is_no_short_form(service: Service) -> None:
    found = error(service, "grad", [1])
    assert (found["pointer"], found["code"]) == ("", "invalid_request")
    assert service.refused(CUBE, "/v1/autograd/gradient")["status"] == 404
    assert service.problem(service.client.get("/v1/autograd/grad"))["status"] == 405


def test_limits_and_deadlines_hold() -> None:
    with Server(workers=1, max_output_bytes=20_000, max_nodes=12) as running, running.client() as client:
        own = Service(client)
        wide = {"inputs": {"x": {"data": [1.0] * 100}}, "nodes": [node("mul", "$x", 2, id="y")]}
        found = error(own, "jacobian", wide)
        assert (found["code"], found["pointer"], found["node"]) == ("limit_exceeded", "/nodes/0", "y")
        assert found["message"] == "the result has 10000 elements, more than a reply holds"
        many = {"inputs": X, "nodes": [node("mul", "$x", 2, id=f"y{i}") for i in range(13)]}
        assert error(own, "grad", many)["pointer"] == "/nodes"
        slow = [node("ones", 3000, 3000, id="big"), node("linalg.svd", "$big", id="slow")]
        begun = time.monotonic()
        problem = own.refused(CUBE | {"nodes": slow, "deadline_ms": 300, "returns": "slow.S"}, "/v1/autograd/vjp")
        assert time.monotonic() - begun < 5
        (late,) = problem["errors"]
        assert (problem["status"], late["node"], late["pointer"]) == (504, "slow", "/nodes/1")
