"""What a function sees: its parameters, the graph's inputs, other functions, and names bound when it is called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from bad import Bad, refuses

from applying import apply, function, same, tensors
from service import Service, node

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
K = torch.tensor([3.0, 0.25, -1.0], dtype=torch.float64)
INPUTS = tensors(x=X, k=K)
DEPTH = 60


def test_a_function_closes_over_inputs_and_the_gradient_is_by_its_parameter_alone(service: Service) -> None:
    weigh = function("x", [node("mul", "$x", "$k", id="p"), node("sum", "$p", id="s")], "s")
    outputs = service.run([apply("func.grad", "weigh", "$x", id="g")], ["g"], INPUTS, functions={"weigh": weigh})
    same(outputs["g"], K)


def test_a_function_sees_names_that_the_graph_has_bound_when_it_is_called(service: Service) -> None:
    shift = function("x", [node("add", "$x", "$late", id="y")], "y")
    nodes = [
        node("mul", "$k", 2, id="late"),
        apply("call", "shift", "$x", id="before"),
        node("add_", "$late", 1),
        apply("call", "shift", "$x", id="after"),
    ]
    outputs = service.run(nodes, ["before", "after"], INPUTS, functions={"shift": shift})
    same(outputs["before"], X + K * 2)
    same(outputs["after"], X + (K * 2 + 1))


def test_a_name_that_is_bound_only_after_the_call_is_unknown_at_the_inner_node(service: Service) -> None:
    shift = function("x", [node("add", "$x", "$late", id="y")], "y")
    nodes = [apply("call", "shift", "$x", id="r"), node("mul", "$k", 2, id="late")]
    bad = Bad(
        "late",
        {"inputs": INPUTS, "functions": {"shift": shift}, "nodes": nodes},
        "unknown_reference",
        "/functions/shift/nodes/0/args/1",
        node="y",
        message="'late' has no value here",
    )
    refuses(service, bad)


def test_a_parameter_hides_an_outer_name_and_inner_names_stay_inside(service: Service) -> None:
    hide = function("k", [node("sin", "$k", id="x2")], "x2")
    nodes = [apply("call", "hide", "$x", id="r"), node("neg", "$k", id="x2")]
    outputs = service.run(nodes, ["r", "x2"], INPUTS, functions={"hide": hide})
    same(outputs["r"], torch.sin(X))
    same(outputs["x2"], -K)


def test_functions_call_functions_written_after_them(service: Service) -> None:
    functions = {
        "outer": function(
            "x", [apply("call", "inner", "$x", id="a"), apply("func.grad", "inner", "$x", id="b")], ["a", "b"]
        ),
        "inner": function("x", [node("exp", "$x", id="e"), node("sum", "$e", id="s")], "s"),
    }
    outputs = service.run([apply("call", "outer", "$x", id="r")], ["r"], INPUTS, functions=functions)
    same(outputs["r"], (torch.exp(X).sum(), torch.exp(X)))


def test_defaults_and_arguments_by_name(service: Service) -> None:
    scaled = {
        "params": ["x", ["factor", 2]],
        "keyword_only": [["shift", 0.5]],
        "nodes": [node("mul", "$x", "$factor", id="m"), node("add", "$m", "$shift", id="y")],
        "returns": "$y",
    }
    nodes = [
        apply("call", "scaled", "$x", id="a"),
        apply("call", "scaled", "$x", 3, id="b"),
        apply("call", "scaled", "$x", id="c") | {"kwargs": {"shift": 0, "factor": 5}},
    ]
    outputs = service.run(nodes, ["a", "b", "c"], INPUTS, functions={"scaled": scaled})
    same(outputs["a"], X * 2 + 0.5)
    same(outputs["b"], X * 3 + 0.5)
    same(outputs["c"], X * 5 + 0)


def test_returns_nest_lists_and_objects(service: Service) -> None:
    returns = {"pair": ["$a", {"b": "$b"}], "shape": "x.shape"}
    both = function("x", [node("sin", "$x", id="a"), node("cos", "$x", id="b")], returns)
    outputs = service.run([apply("call", "both", "$x", id="r")], ["r", "r.pair.1.b"], INPUTS, functions={"both": both})
    items = outputs["r"]["items"]
    same(items["pair"], (torch.sin(X), {"b": torch.cos(X)}))
    assert items["shape"] == {"kind": "size", "value": [3]}
    same(outputs["r.pair.1.b"], torch.cos(X))


# ---- lists and dicts of tensors as arguments

MODEL = function(
    "p x",
    [
        node("mul", "$x", "$p.w", id="wx"),
        node("add", "$wx", "$p.biases.0", id="a"),
        node("tanh", "$a", id="t"),
        node("add", "$t", "$p.biases.1", id="y"),
        node("sum", "$y", id="s"),
    ],
    "s",
)
PARAMETERS = {"dict": {"w": "$k", "biases": ["$x", 0.5]}}


def _model(p: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    return (torch.tanh(x * p["w"] + p["biases"][0]) + p["biases"][1]).sum()


def _parameters() -> dict[str, Any]:
    return {"w": K, "biases": [X, torch.tensor(0.5)]}


@pytest.mark.parametrize("name", ["grad", "grad_and_value", "jacrev", "jacfwd", "hessian"])
def test_derivatives_by_a_dict_have_its_structure(service: Service, name: str) -> None:
    made = apply(f"func.{name}", "model", PARAMETERS, "$x", id="r")
    outputs = service.run([made], ["r"], INPUTS, functions={"model": MODEL})
    same(outputs["r"], getattr(torch.func, name)(_model)(_parameters(), X))


def test_vjp_and_jvp_by_a_dict(service: Service) -> None:
    tangents = [{"dict": {"w": [1, 0, 0], "biases": [[0, 1, 0], 2]}}, "$k"]
    nodes = [
        apply("func.vjp", "model", PARAMETERS, "$x", id="back", cotangents=2),
        apply("func.jvp", "model", PARAMETERS, "$x", id="along", tangents=tangents),
    ]
    outputs = service.run(nodes, ["back", "along"], INPUTS, functions={"model": MODEL})
    output, back = torch.func.vjp(_model, _parameters(), X)
    same(outputs["back"], (output, back(torch.tensor(2.0).double())))
    one, two = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).double()
    directions = ({"w": one, "biases": [two, torch.tensor(2.0)]}, K)
    same(outputs["along"], torch.func.jvp(_model, (_parameters(), X), directions))


def test_vmap_over_one_member_of_a_dict(service: Service) -> None:
    rows = torch.stack([X, K, X * K])
    in_dims = [{"dict": {"w": 0, "biases": [None, None]}}, None]
    made = apply("func.vmap", "model", {"dict": {"w": "$rows", "biases": ["$x", 0.5]}}, "$x", id="r", in_dims=in_dims)
    outputs = service.run([made], ["r"], INPUTS | tensors(rows=rows), functions={"model": MODEL})
    dims = ({"w": 0, "biases": [None, None]}, None)
    same(outputs["r"], torch.func.vmap(_model, dims)({"w": rows, "biases": [X, 0.5]}, X))


# ---- recursion

POWER = {
    "power": function(
        "x n",
        [
            node("gt", "$n", 1, id="more"),
            apply("cond", {"then": "step", "else": "first"}, "$more", "$x", "$n", id="y"),
        ],
        "y",
    ),
    "first": function("x n", [], "x"),
    "step": function(
        "x n",
        [node("sub", "$n", 1, id="m"), apply("call", "power", "$x", "$m", id="p"), node("mul", "$x", "$p", id="y")],
        "y",
    ),
}


def _count(turns: int) -> dict[str, Any]:
    return {"tensor": {"data": turns}}


def _powers(turns: int) -> list[dict[str, Any]]:
    one = {"tensor": {"data": 1.125, "dtype": "float64"}}
    return [
        apply("call", "power", one, _count(turns), id="value"),
        apply("func.grad", "power", one, _count(turns), id="slope"),
        apply("func.hessian", "power", one, _count(turns), id="curve"),
    ]


def test_recursion_works_to_a_depth_of_60_in_transforms_too(service: Service) -> None:
    turns = DEPTH // 2  # power and step call each other; the last call is `first`
    outputs = service.run(_powers(turns), ["value", "slope", "curve"], functions=POWER)
    x = torch.tensor(1.125, dtype=torch.float64)

    def power(x: torch.Tensor, n: int) -> torch.Tensor:
        return x * power(x, n - 1) if n > 1 else x

    same(outputs["value"], power(x, turns))
    same(outputs["slope"], torch.func.grad(power)(x, turns))
    same(outputs["curve"], torch.func.hessian(power)(x, turns))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_beyond_it_the_chain_of_calls_is_told(service: Service, place: int) -> None:
    made = _powers(DEPTH // 2 + 1)[place]
    problem = service.refused({"functions": POWER, "nodes": [made]})
    (error,) = problem["errors"]
    assert error["code"] == "limit_exceeded"
    assert error["pointer"] == "/functions/step/nodes/1"
    assert error["node"] == "p"
    assert error["message"].startswith("functions call each other at most 60 deep: power → step → power")
    assert error["message"].count("→") == DEPTH
    service.still_works()


ENDLESS = ["call", "func.grad", "func.jacrev", "func.jacfwd", "func.hessian", "func.vjp", "autograd.functional.hessian"]


@pytest.mark.parametrize("op", ENDLESS)
def test_endless_recursion_through_any_transform_is_refused(service: Service, op: str) -> None:
    body = [{"op": "if", "test": True, "then": [apply(op, "f", "$x", id="r")]}]
    functions = {"f": function("x", body, "r")}
    problem = service.refused({"functions": functions, "nodes": [apply(op, "f", [1.0])]})
    (error,) = problem["errors"]
    assert (error["code"], error["pointer"]) == ("limit_exceeded", "/functions/f/nodes/0/then/0")
    assert "f → f → f" in error["message"]
    service.still_works()


def test_twenty_transforms_inside_each_other(service: Service) -> None:
    of: Any = {"function": "sin"}
    for _ in range(20):
        of = {"op": "func.grad", "of": of}
    x = {"tensor": {"data": 0.5, "dtype": "float64"}}
    found = service.value(apply("call", of, x))
    same(found, torch.sin(torch.tensor(0.5).double()))
