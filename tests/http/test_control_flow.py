"""cond, while_loop, scan and map: values and gradients as in the same plain Python over PyTorch, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from bad import Bad, names, refuses
from torch import Tensor

from applying import apply, function, same, tensors
from service import Service, node

X = torch.tensor([0.5, -1.25, 2.0], dtype=torch.float64)
ROWS = torch.tensor([[1.0, 2.0, -1.0], [0.5, -0.5, 0.25], [3.0, 0.0, 1.5], [1.5, 1.0, 0.75]], dtype=torch.float64)
INPUTS = tensors(x=X, rows=ROWS, n=torch.tensor(3), zero=torch.zeros(3, dtype=torch.float64))
FUNCTIONS = {
    "always": function("x", [], True),
    "same": function("x", [], "x"),
    "sines": function("x", [node("sin", "$x", id="y")], "y"),
    "cubes": function("x", [node("pow", "$x", 3, id="y")], "y"),
    "choose": function(
        "x",
        [
            node("sum", "$x", id="s"),
            node("gt", "$s", 0, id="c"),
            apply("cond", {"then": "sines", "else": "cubes"}, "$c", "$x", id="y"),
        ],
        "y",
    ),
    "near": function("x", [node("linalg.norm", "$x", id="n"), node("lt", "$n", 50, id="c")], "c"),
    "grow": function("x", [node("mul", "$x", "$x", id="q"), node("add", "$q", "$x", id="y")], "y"),
    "expand": function("x", [apply("while_loop", {"while": "near", "do": "grow"}, "$x", id="y")], "y"),
    "left": function("x k", [node("lt", "$k", "$n", id="c")], "c"),
    "next": function("x k", [node("sin", "$x", id="s"), node("add", "$k", 1, id="m")], ["s", "m"]),
    "turns": function("x", [apply("while_loop", {"while": "left", "do": "next"}, "$x", 0, id="t")], "t.0"),
    "decay": function(
        "carry x",
        [node("mul", "$carry", 0.5, id="h"), node("add", "$h", "$x", id="c"), node("tanh", "$c", id="y")],
        ["c", "y"],
    ),
    "through": function("rows", [apply("scan", "decay", "$zero", "$rows", id="r"), node("sum", "$r.1", id="s")], "s"),
    "scaled": function("x k", [node("mul", "$x", "$k", id="p"), node("sin", "$p", id="y")], "y"),
    "each": function("rows", [apply("map", "choose", "$rows", id="y")], "y"),
}
F = torch.func


def choose(x: Tensor) -> Tensor:
    """What `choose` does."""
    return torch.sin(x) if x.sum() > 0 else torch.pow(x, 3)


def expand(x: Tensor) -> Tensor:
    """What `expand` does."""
    while torch.linalg.norm(x) < 50:
        x = x * x + x
    return x


def turns(x: Tensor) -> Tensor:
    """What `turns` does."""
    for _ in range(3):
        x = torch.sin(x)
    return x


def through(rows: Tensor) -> Tensor:
    """What `through` does."""
    return _scanned(rows)[1].sum()


def _scanned(rows: Tensor) -> tuple[Tensor, Tensor]:
    carry, ys = torch.zeros(3, dtype=torch.float64), []
    for row in rows:
        carry = carry * 0.5 + row
        ys.append(torch.tanh(carry))
    return carry, torch.stack(ys)


def each(rows: Tensor) -> Tensor:
    """What `each` does."""
    return torch.stack([choose(row) for row in rows])


LOCAL = {"choose": choose, "expand": expand, "turns": turns, "through": through, "each": each}
ARGUMENT = {"choose": "x", "expand": "x", "turns": "x", "through": "rows", "each": "rows"}


def found(service: Service, *nodes: dict[str, Any]) -> dict[str, Any]:
    """What the last node gives."""
    return service.value(*nodes, inputs=INPUTS, functions=FUNCTIONS)


@pytest.mark.parametrize("op", ["call", "func.jacrev", "func.jacfwd"])
@pytest.mark.parametrize("name", LOCAL)
def test_control_flow_and_its_derivatives_in_both_modes(service: Service, name: str, op: str) -> None:
    local = LOCAL[name] if op == "call" else getattr(F, op[5:])(LOCAL[name])
    argument = {"x": X, "rows": ROWS}[ARGUMENT[name]]
    same(found(service, apply(op, name, f"${ARGUMENT[name]}")), local(argument))


@pytest.mark.parametrize("name", ["choose", "expand", "turns"])
def test_second_derivatives_through_control_flow(service: Service, name: str) -> None:
    same(found(service, apply("func.hessian", name, "$x")), F.hessian(LOCAL[name])(X))


def test_backward_goes_through_a_loop(service: Service) -> None:
    inputs = INPUTS | {"x": {"data": X.tolist(), "dtype": "float64", "requires_grad": True}}
    nodes = [apply("call", "expand", "$x", id="y"), node("sum", "$y", id="s"), node("backward", "$s")]
    outputs = service.run(nodes, ["y", "x.grad"], inputs, functions=FUNCTIONS)
    x = X.clone().requires_grad_()
    expand(x).sum().backward()
    same(outputs["x.grad"], x.grad)
    assert outputs["y"]["grad_fn"] == "AddBackward0"


def test_cond_takes_one_branch_only(service: Service) -> None:
    functions = {"good": function("x", [], "x"), "bad": function("x", [node("mm", "$x", "$x", id="y")], "y")}
    for predicate, place in ((True, "then"), (False, "else"), ({"tensor": {"data": [1]}}, "then"), (0, "else")):
        of = {"then": "bad", "else": "bad"} | {place: "good"}
        assert service.value(apply("cond", of, predicate, 5), functions=functions) == {"kind": "int", "value": 5}


def test_while_loop_of_one_carry_gives_the_bare_value_and_of_more_a_tuple(service: Service) -> None:
    same(found(service, apply("while_loop", {"while": "near", "do": "grow"}, "$x")), expand(X))
    same(found(service, apply("while_loop", {"while": "left", "do": "next"}, "$x", 0)), (turns(X), torch.tensor(3)))


def test_max_steps_is_how_many_turns_there_may_be(service: Service) -> None:
    made = apply("while_loop", {"while": "left", "do": "next"}, "$x", 0, max_steps=3)
    same(found(service, made), (turns(X), torch.tensor(3)))
    made["options"]["max_steps"] = 2
    body = {"inputs": INPUTS, "functions": FUNCTIONS, "nodes": [made | {"id": "loop"}]}
    refuses(service, Bad("", body, "limit_exceeded", "/nodes/0", node="loop", message="goes on after 2 turns"))


def test_scan_gives_the_last_carry_and_stacked_ys(service: Service) -> None:
    same(found(service, apply("scan", "decay", "$zero", "$rows")), _scanned(ROWS))


def test_scan_by_length_counts_its_steps(service: Service) -> None:
    count = function("c k", [node("add", "$c", "$k", id="s")], ["s", "k"])
    value = service.value(apply("scan", "count", 10, length=4), functions={"count": count})
    same(value, (torch.tensor(16), torch.tensor([0, 1, 2, 3])))


def test_carries_xs_and_ys_nest(service: Service) -> None:
    walk = function(
        "c x",
        [
            node("add", "$c.at.0", "$x.step", id="at"),
            node("add", "$c.n", 1, id="n"),
            node("mul", "$at", "$x.weight", id="y"),
        ],
        [{"at": ["$at"], "n": "$n"}, {"y": "$y", "parts": ["$n", "$x.weight"]}],
    )
    steps, weights = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.5, 0.25, 2.0])
    carry = {"dict": {"at": [0.0], "n": 0}}
    xs = {"dict": {"step": "$steps", "weight": "$weights"}}
    nodes = [apply("scan", "walk", carry, xs, id="r")]
    outputs = service.run(
        nodes, ["r.0.n", "r.0.at.0", "r.1"], tensors(steps=steps, weights=weights), functions={"walk": walk}
    )
    at = torch.tensor([1.0, 3.0, 7.0])
    same(outputs["r.0.n"], torch.tensor(3))
    same(outputs["r.0.at.0"], at[2])
    same(outputs["r.1"], {"y": at * weights, "parts": (torch.tensor([1, 2, 3]), weights)})


def test_map_stacks_and_takes_operands(service: Service) -> None:
    same(found(service, apply("map", "scaled", "$rows", "$x")), torch.stack([torch.sin(row * X) for row in ROWS]))
    same(
        found(service, apply("map", {"op": "func.jacrev", "of": "choose"}, "$rows")),
        torch.stack([F.jacrev(choose)(row) for row in ROWS]),
    )


def test_control_flow_inside_vmap_where_the_condition_is_the_same_for_all(service: Service) -> None:
    same(found(service, apply("func.vmap", "turns", "$rows")), F.vmap(turns)(ROWS))
    made = apply("func.vmap", {"op": "func.grad", "of": "inner"}, "$rows")
    functions = FUNCTIONS | {
        "inner": function("x", [apply("scan", "sum", 0.0, "$x", id="r")], "r.0"),
        "sum": function("c x", [node("mul", "$x", "$x", id="q"), node("add", "$c", "$q", id="d")], ["d", "d"]),
    }
    value = service.value(made, inputs=INPUTS, functions=functions)
    same(value, 2 * ROWS)


def test_loops_in_loops(service: Service) -> None:
    functions = FUNCTIONS | {
        "outer": function("c x", [apply("call", "turns", "$x", id="t"), node("add", "$c", "$t", id="d")], ["d", "t"])
    }
    value = service.value(apply("scan", "outer", "$zero", "$rows"), inputs=INPUTS, functions=functions)
    carry = torch.zeros(3, dtype=torch.float64)
    ys = [turns(row) for row in ROWS]
    for y in ys:
        carry = carry + y
    same(value, (carry, torch.stack(ys)))


NEAR = {"while": "near", "do": "grow"}


def bad(name: str, code: str, pointer: str, made: dict[str, Any], **said: Any) -> Bad:
    """A graph of one node, `r`, that must be refused."""
    body = {"inputs": INPUTS, "functions": FUNCTIONS, "nodes": [made | {"id": "r"}]}
    return Bad(name, body, code, pointer, node="r", **said)


WRONG = [
    bad(
        "no predicate",
        "invalid_argument",
        "/nodes/0",
        apply("cond", {"then": "sines", "else": "cubes"}),
        message="a predicate",
    ),
    bad(
        "a predicate of many",
        "op_failed",
        "/nodes/0",
        apply("cond", {"then": "sines", "else": "cubes"}, "$x", 1),
        hint="any or all",
    ),
    bad(
        "operands that do not fit",
        "invalid_argument",
        "/nodes/0",
        apply("cond", {"then": "sines", "else": "cubes"}, True, 1, 2),
        message="sines takes 1 argument (x), got 2",
    ),
    bad("no carry", "invalid_argument", "/nodes/0", apply("while_loop", NEAR), message="at least one carry"),
    bad(
        "one of two carries",
        "invalid_argument",
        "/nodes/0",
        apply("while_loop", {"while": "left", "do": "scaled"}, 1.0, 2),
        message="gives 1 of 2 carries",
    ),
    bad(
        "a loop without end",
        "limit_exceeded",
        "/nodes/0",
        apply("while_loop", {"while": "always", "do": "same"}, "$x"),
        message="1000000",
    ),
    bad(
        "more steps than a run has",
        "limit_exceeded",
        "/nodes/0",
        apply("scan", "decay", 0.0, length=2_000_000),
        message="1000000",
    ),
    *[
        bad(
            f"max_steps {wrong}",
            "invalid_argument",
            "/nodes/0/options/max_steps",
            apply("while_loop", NEAR, "$x", max_steps=wrong),
            expected="1 to 1000000",
        )
        for wrong in (0, -1, 1.5, True, "a", 1_000_001)
    ],
    bad(
        "no xs", "invalid_argument", "/nodes/0", apply("scan", "decay", 0.0), message="needs xs, or the option 'length'"
    ),
    bad(
        "xs of two lengths",
        "invalid_argument",
        "/nodes/0/args/1",
        apply("scan", "decay", 0.0, ["$x", "$rows"]),
        message="[3, 4]",
    ),
    bad(
        "xs that are a number",
        "invalid_argument",
        "/nodes/0/args/1",
        apply("scan", "decay", 0.0, 3),
        message="at least one dimension",
    ),
    bad(
        "a length that xs lack",
        "invalid_argument",
        "/nodes/0/args/1",
        apply("scan", "decay", 0.0, "$x", length=5),
        message="[3, 5]",
    ),
    bad(
        "one value in place of two",
        "invalid_argument",
        "/nodes/0",
        apply("scan", "scaled", 0.0, "$x"),
        message="returns two values",
    ),
    bad(
        "nothing to scan", "invalid_argument", "/nodes/0", apply("scan", "decay", 0.0, length=0), message="over nothing"
    ),
    *[
        bad(f"length {wrong}", "invalid_argument", "/nodes/0/options/length", apply("scan", "decay", 0.0, length=wrong))
        for wrong in (-1, 1.5, True, "a")
    ],
    bad("map over nothing", "invalid_argument", "/nodes/0", apply("map", "sines"), message="map needs xs"),
    bad("map by length", "invalid_argument", "/nodes/0/options/length", apply("map", "sines", "$x", length=2)),
]


@pytest.mark.parametrize("bad", WRONG, ids=names(WRONG))
def test_wrong_control_flow_is_refused_with_its_place(service: Service, bad: Bad) -> None:
    refuses(service, bad)
