"""The tape's nodes, edges, roots, and which graph node each belongs to."""

from __future__ import annotations

import gc
import json
import time
import weakref
from typing import Any

import pytest
import torch
from taped import Taped, node_of

from gradwire.engine.observe.tape import Tape


def _tutorial(**more: Any) -> tuple[Taped, torch.Tensor, torch.Tensor]:
    x = torch.ones(2, 2, requires_grad=True)
    run = Taped(x=x, **more)
    y = run("y", torch.add, x, 2)
    yy = run("yy", torch.mul, y, y)
    z = run("z", torch.mul, yy, 3)
    return run, x, run("out", torch.mean, z)


def _made(tape: dict[str, Any]) -> dict[str, Any]:
    """What made the tape nodes, by their names, which must differ."""
    made = {node["name"]: node.get("node", node.get("input")) for node in tape["nodes"]}
    assert len(made) == len(tape["nodes"])
    return made


def test_the_tutorial() -> None:
    run, x, out = _tutorial()
    run.backward(4, "out", out)
    tape = run.read(out=out)
    both = {"dtype": "float32", "shape": [2, 2], "bytes": 16, "storage": 0}
    assert tape == {
        "roots": {"out": 0},
        "nodes": [
            {
                "id": 0,
                "name": "MeanBackward0",
                "node": "out",
                "next": [[1, 0]],
                "saved": [{"name": "self_sym_numel", "value": 4}, {"name": "self_sym_sizes", "value": [2, 2]}],
                "saved_bytes": 0,
            },
            {
                "id": 1,
                "name": "MulBackward0",
                "node": "z",
                "next": [[2, 0], None],
                "saved": [{"name": "other", "value": 3}],
                "saved_bytes": 0,
            },
            {
                "id": 2,
                "name": "MulBackward0",
                "node": "yy",
                "next": [[3, 0], [3, 0]],
                "saved": [{"name": "other", **both}, {"name": "self", **both}],
                "saved_bytes": 16,
            },
            {
                "id": 3,
                "name": "AddBackward0",
                "node": "y",
                "next": [[4, 0], None],
                "saved": [{"name": "alpha", "value": 1}],
                "saved_bytes": 0,
            },
            {"id": 4, "name": "AccumulateGrad", "input": "x", "next": [], "saved": [], "saved_bytes": 0},
        ],
        "saved_bytes": 16,
    }
    json.dumps(tape, allow_nan=False)
    assert torch.equal(x.grad, torch.full((2, 2), 4.5))


def test_without_a_backward_the_returned_tensors_are_the_roots() -> None:
    run, x, out = _tutorial()
    tape = run.read(out=out, x=x, plain=torch.ones(1))
    assert tape["roots"] == {"out": 0, "x": 4}
    assert tape["saved_bytes"] == 16


def test_where_nothing_asks_for_a_gradient_the_tape_is_empty() -> None:
    run = Taped()
    assert run.read(y=run("y", torch.ones, 2)) == {"roots": {}, "nodes": [], "saved_bytes": 0}


def test_a_second_start_from_the_same_root_gets_a_key_of_its_own_and_the_same_nodes() -> None:
    run, _, out = _tutorial()
    run.backward("a", "out", out, retain_graph=True)
    run.backward("b", "out", out, retain_graph=True)
    run.backward("c", "out#2", out)
    tape = run.read()
    assert tape["roots"] == {"out": 0, "out#2": 0, "out#2#2": 0}
    assert len(tape["nodes"]) == 5


def test_a_graph_that_was_freed_stays_on_the_tape_as_it_was_and_pytorch_refuses_the_second_backward() -> None:
    run, _, out = _tutorial()
    run.backward("a", "out", out)
    with pytest.raises(RuntimeError, match="second time"):
        run.backward("b", "out", out)
    assert node_of(run.read(), "MeanBackward0")["saved"][1]["value"] == [2, 2]
    assert run.read()["saved_bytes"] == 16


def test_a_start_that_failed_and_is_tried_again_is_one_root() -> None:
    x = torch.ones(2, requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.exp, x)
    with pytest.raises(TypeError):
        run.backward("b", "y", y, gradient=[1.0, 2.0])
    run.backward("b", "y", y, gradient=torch.tensor([1.0, 2.0]))
    assert run.read()["roots"] == {"y": 0}


def test_two_roots_share_the_nodes_that_they_share() -> None:
    x = torch.ones(3, requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.exp, x)
    pair = run("t", lambda value: (value.sum(), value.prod()), y)
    run.tape.starting([("t.0", pair[0]), ("t.1", pair[1])])
    torch.autograd.backward(pair)
    run.tape.finished()
    tape = run.read()
    assert tape["roots"] == {"t.0": 0, "t.1": 3}
    assert [(node["name"], node["next"]) for node in tape["nodes"]] == [
        ("SumBackward0", [[1, 0]]),
        ("ExpBackward0", [[2, 0]]),
        ("AccumulateGrad", []),
        ("ProdBackward0", [[1, 0]]),
    ]
    assert [node.get("node") for node in tape["nodes"]] == ["t", "y", None, "t"]


def test_an_edge_knows_which_output_of_a_node_it_goes_to() -> None:
    x = torch.rand(3, 2, requires_grad=True)
    run = Taped(x=x)
    parts = run("parts", torch.unbind, x)
    out = run("out", torch.sub, parts[2], parts[1])
    assert run.read(out=out)["nodes"][0]["next"] == [[1, 2], [1, 1]]


def test_a_node_of_several_backward_nodes_made_them_all() -> None:
    x = torch.rand(2, 2, requires_grad=True)
    run = Taped(x=x)
    out = run(0, torch.nn.functional.cross_entropy, x, torch.tensor([0, 1]))
    assert _made(run.read(out=out)) == {"NllLossBackward0": 0, "LogSoftmaxBackward0": 0, "AccumulateGrad": "x"}


def test_a_leaf_that_a_node_made_is_the_nodes_also_when_it_asks_for_gradients_later() -> None:
    run = Taped()
    a = run("a", torch.ones, 2)
    run(1, torch.Tensor.requires_grad_, a)
    out = run("out", torch.sum, a)
    tape = run.read(out=out)
    assert node_of(tape, "AccumulateGrad") == {
        "id": 1, "name": "AccumulateGrad", "node": "a", "next": [], "saved": [], "saved_bytes": 0
    }  # fmt: skip


def test_a_leaf_that_stands_in_an_argument_is_its_nodes() -> None:
    run = Taped()
    out = run("out", torch.sum, torch.ones(2, requires_grad=True))
    assert _made(run.read(out=out)) == {"SumBackward0": "out", "AccumulateGrad": "out"}


def test_an_input_that_asks_for_gradients_later_is_an_input() -> None:
    x = torch.ones(2)
    run = Taped(x=x)
    run("r", torch.Tensor.requires_grad_, x)
    out = run("out", torch.sum, x)
    assert node_of(run.read(out=out), "AccumulateGrad")["input"] == "x"


def test_an_in_place_op_made_the_node_that_it_put_on_the_graph() -> None:
    x = torch.rand(2, requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.exp, x)
    run.write("w", "mul_", y, 2)
    out = run("out", torch.sum, y)
    assert _made(run.read(out=out)) == {
        "SumBackward0": "out", "MulBackward0": "w", "ExpBackward0": "y", "AccumulateGrad": "x"
    }  # fmt: skip


def test_a_write_through_a_view_made_copy_slices_and_the_new_view_nodes() -> None:
    x = torch.rand(2, 2, requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.exp, x)
    row = run("row", torch.select, y, 0, 0)
    other = run("other", torch.select, y, 0, 1)
    run.write("w", "mul_", row, 2)
    out = run("out", torch.dot, row, other)
    tape = run.read(out=out)
    names = [(node["name"], node.get("node", node.get("input"))) for node in tape["nodes"]]
    assert names == [
        ("DotBackward0", "out"),
        ("AsStridedBackward0", "w"),
        ("AsStridedBackward0", "w"),
        ("CopySlices", "w"),
        ("ExpBackward0", "y"),
        ("AccumulateGrad", "x"),
    ]


def test_an_assignment_to_an_index_made_its_copy_slices() -> None:
    x = torch.rand(2, 2, requires_grad=True)
    run = Taped(x=x)
    base = run("base", torch.zeros, 2, 2)
    run.write(7, "setitem", base, 0, x[1])
    assert node_of(run.read(base=base), "CopySlices")["node"] == 7


def test_gradients_with_a_graph_come_from_the_node_that_ran_backward() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    run = Taped(x=x)
    y = run("y", lambda value: value**3, x)
    run.backward("b", "y", y, create_graph=True)
    second = run("second", torch.sin, x.grad)
    run.backward(3, "second", second)
    made = {node["name"]: node.get("node", node.get("input")) for node in run.read()["nodes"]}
    assert made["SinBackward0"] == "second"
    assert made["PowBackward0"] in ("y", "b")
    assert made["MulBackward0"] == "b"
    x.grad = None  # the gradient and its graph hold each other


def test_gradients_by_autograd_grad_come_from_their_node() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.exp, x)
    (first,) = run.grad("g", "y", y, [x], create_graph=True)
    run.grad("h", "g.0", first, [x])
    tape = run.read()
    assert list(tape["roots"]) == ["y", "g.0"]
    assert tape["nodes"][tape["roots"]["g.0"]]["node"] == "g"


def test_a_leaf_is_one_tape_node_in_graphs_of_different_times() -> None:
    x = torch.ones(2, requires_grad=True)
    run = Taped(x=x)
    for step in range(3):
        run.backward(f"b{step}", f"out{step}", run(f"out{step}", torch.sum, x))
        gc.collect()
    tape = run.read()
    assert [node["name"] for node in tape["nodes"]].count("AccumulateGrad") == 1
    assert tape["roots"] == {"out0": 0, "out1": 2, "out2": 3}
    assert all(node["next"] == [[1, 0]] for node in tape["nodes"] if node["name"] == "SumBackward0")


def test_a_custom_function_and_modules_of_it_keep_their_name() -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(value)
            return value * 2

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return grad * 2

    x = torch.ones(2, requires_grad=True)
    run = Taped(x=x)
    node = node_of(run.read(y=run("y", Twice.apply, x)), "TwiceBackward")
    assert node["node"] == "y"
    assert [(save["name"], save["bytes"]) for save in node["saved"]] == [("saved_tensors.0", 8)]


@pytest.mark.parametrize("gradients", [False, True])
def test_a_graph_of_ten_thousand_nodes_takes_linear_time(gradients: bool) -> None:
    def seconds(depth: int) -> float:
        x = torch.ones(1, requires_grad=True)
        start = time.perf_counter()
        run = Taped(gradients, x=x)
        value = x
        for index in range(depth):
            value = run(index, torch.sin, value)
        run.backward("b", "out", value)
        assert len(run.read()["nodes"]) == depth + 1
        return time.perf_counter() - start

    gc.collect()
    gc.disable()  # the collector's own time grows with everything that all tests made
    try:
        few, many = min(seconds(1_000) for _ in range(3)), min(seconds(10_000) for _ in range(2))
    finally:
        gc.enable()
    assert many < 30 * few


def test_ten_thousand_nodes_of_one_call_are_marked_without_recursion() -> None:
    def chain(value: torch.Tensor) -> torch.Tensor:
        for _ in range(10_000):
            value = value + 1
        return value

    run = Taped(x=(x := torch.ones(1, requires_grad=True)))
    tape = run.read(out=run("out", chain, x))
    assert {node.get("node") for node in tape["nodes"]} == {"out", None}
    assert len(tape["nodes"]) == 10_001


def test_watching_keeps_nothing_alive() -> None:
    x = torch.rand(100, requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.exp, x)
    run("z", torch.sin, y)
    gone = weakref.ref(y)
    del y
    gc.collect()
    assert gone() is None


def test_views_that_may_not_be_differentiated_are_left_to_pytorch() -> None:
    x = torch.rand(2, 2, requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.mul, x, 1)
    parts = run("parts", torch.unbind, y)
    run.write("w", "mul_", y, 2)
    run("shape", torch.Tensor.size, parts[0])
    with pytest.raises(RuntimeError, match="view"):
        run("bad", torch.sum, parts[0])
    run.read(part=parts[0], y=y)


def test_a_tape_of_its_own_sees_nothing_of_another() -> None:
    x = torch.ones(2, requires_grad=True)
    y = Taped(x=x)("y", torch.exp, x)
    other = Tape()
    tape = other.finish({"y": y})
    assert [node["node"] for node in tape["nodes"]] == [None, None]
