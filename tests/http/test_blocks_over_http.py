"""Blocks over HTTP: what Python's statements do, what local PyTorch gives, and where mistakes are."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import to_torch

X = {"x": {"data": [1.0, 2.0, 3.0], "requires_grad": True}}


def bind(name: Any, value: Any) -> dict[str, Any]:
    return {"let": name, "value": value}


def let(name: str, op: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {"let": name, **node(op, *args, **kwargs)}


def test_gradients_flow_through_a_loop(service: Service) -> None:
    body = [let("y", "mul", "$y", "$x"), let("y", "sin", "$y")]
    nodes = [bind("y", "$x"), {"op": "for", "let": "i", "in": [0, 1, 2], "body": body}, node("sum", "$y", id="s")]
    outputs = service.run([*nodes, node("backward", "$s")], ["s", "x.grad"], X)
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x
    for _ in range(3):
        y = torch.sin(y * x)
    y.sum().backward()
    assert torch.equal(to_torch(outputs["x.grad"]), x.grad)
    assert torch.equal(to_torch(outputs["s"]), y.sum().detach())


def test_in_place_updates_in_a_loop_train(service: Service) -> None:
    step = [
        node("mul", "$w", "$w", id="square"),
        node("sum", "$square", id="loss"),
        node("backward", "$loss"),
        {"op": "with", "of": "no_grad", "body": [node("sub_", "$w", "$w.grad", alpha=0.25)]},
        node("setattr", "$w", "grad", None),
        node(".append", "$losses", "$loss"),
    ]
    nodes = [bind("losses", []), {"op": "for", "let": "i", "in": [0, 1, 2], "body": step}]
    outputs = service.run(nodes, ["w", "losses"], {"w": {"data": [1.0, 2.0], "requires_grad": True}})
    assert outputs["w"]["data"] == [0.125, 0.25]
    assert [one["data"] for one in outputs["losses"]["items"]] == [5.0, 1.25, 0.3125]


def test_a_loop_over_a_tensor_gives_its_rows(service: Service) -> None:
    nodes = [bind("rows", []), {"op": "for", "let": "r", "in": "$m", "body": [node(".append", "$rows", "$r")]}]
    outputs = service.run(nodes, ["rows"], {"m": [[1, 2], [3, 4]]})
    assert [one["data"] for one in outputs["rows"]["items"]] == [[1, 2], [3, 4]]


def test_print_and_format_write_what_python_writes(service: Service) -> None:
    reply = service.graph(
        {
            "inputs": {"x": [0.5]},
            "nodes": [
                node("format", "{:>6.2f}|{!r}", 3.14159, "a", id="t"),
                node("print", "$t", "$x", sep=" ~ ", end=""),
            ],
            "returns": ["t"],
        }
    )
    assert reply["outputs"]["t"]["value"] == "  3.14|'a'"
    assert reply["printed"] == [{"node": 1, "text": "  3.14|'a' ~ tensor([0.5000])", "end": ""}]


def test_a_star_spreads_a_list_over_the_arguments(service: Service) -> None:
    nodes = [bind("sizes", [2, 3]), node("ones", {"star": "$sizes"}, id="y")]
    assert service.run(nodes, ["y"])["y"]["shape"] == [2, 3]


def test_functions_are_values(service: Service) -> None:
    twice = {"op": "def", "let": "twice", "params": ["f", "v"], "body": [
        node("call", "$v", id="a") | {"of": "f"}, node("call", "$a", id="b") | {"of": "f"},
        {"op": "return", "value": "$b"}]}  # fmt: skip
    nodes = [twice, node("call", {"function": "exp"}, "$x", id="y") | {"of": "twice"}]
    y = service.run(nodes, ["y"], {"x": [0.0, 1.0]})["y"]
    assert torch.equal(to_torch(y), torch.exp(torch.exp(torch.tensor([0.0, 1.0]))))


def test_the_grad_mode_of_a_block_ends_with_it_and_with_errors(service: Service) -> None:
    inside = {"op": "with", "of": "no_grad", "body": [node("mm", "$x", "$x")]}
    assert service.refused({"inputs": X, "nodes": [inside]})["code"] == "op_failed"
    for _ in range(4):
        y = service.run([node("mul", "$x", 2, id="y")], ["y"], X)["y"]
        assert y["requires_grad"] is True


def test_an_error_in_vmap_leaves_nothing_behind(service: Service) -> None:
    body = {"inputs": {"m": [[1.0, 2.0]]}, "functions": {"f": {"params": ["r"], "nodes": [node("mm", "$r", "$r")]}}}
    failing = body | {"nodes": [node("func.vmap", "$m") | {"of": "f"}]}
    error = service.refused(failing)["errors"][0]
    assert (error["code"], error["pointer"]) == ("op_failed", "/functions/f/nodes/0")
    for _ in range(4):
        assert service.run([node("add", "$x", 1, id="y")], ["y"], {"x": [1.0]})["y"]["data"] == [2.0]


def test_an_automatic_dual_level_leaves_room_for_one_written_out(service: Service) -> None:
    inside = [
        node("autograd.forward_ad.make_dual", "$x", "$t", id="d"),
        node("sin", "$d", id="s"),
        let("u", "autograd.forward_ad.unpack_dual", "$s"),
    ]
    nodes = [{"op": "with", "of": "autograd.forward_ad.dual_level", "body": inside}]
    assert service.run(nodes, ["u.tangent"], {"x": 0.0, "t": 3.0})["u.tangent"]["data"] == 3.0


@pytest.mark.parametrize(
    ("nodes", "code", "pointer"),
    [
        ([{"let": "*a", "value": [1]}], "invalid_argument", "/nodes/0/let"),
        ([{"let": ["*a", "*b"], "value": [1]}], "invalid_argument", "/nodes/0/let"),
        ([{"op": "for", "let": "*a", "in": [1], "body": []}], "invalid_argument", "/nodes/0/let"),
        ([{"op": "with", "of": "no_grad", "let": "*a", "body": []}], "invalid_argument", "/nodes/0/let"),
        ([{"op": "def", "let": "f", "params": ["x"], "keyword_only": ["b", "x"], "body": []}],
         "duplicate_id", "/nodes/0/keyword_only/1"),
        ([{"op": "with", "of": "no_grad", "args": [1], "body": []}], "invalid_argument", "/nodes/0"),
        ([{"op": "for", "let": "i", "in": [1]}], "invalid_request", "/nodes/0"),
        ([{"op": "for", "let": "i", "in": [1], "body": [{"op": "sin", "arg": 1}]}],
         "invalid_request", "/nodes/0/body/0/arg"),
        ([{"op": "if", "test": True, "then": [node("nope", id="a")]}], "unknown_op", "/nodes/0/then/0/op"),
        ([node("call", of=1)], "invalid_argument", "/nodes/0"),
        ([node("sin", 1.0) | {"of": "f"}], "invalid_request", "/nodes/0/of"),
        ([node("func.grad", 1.0) | {"of": 3}], "invalid_request", "/nodes/0/of"),
    ],
)  # fmt: skip
def test_mistakes_are_told_where_they_are(service: Service, nodes: Any, code: str, pointer: str) -> None:
    error = service.refused({"nodes": nodes})["errors"][0]
    assert (error["code"], error["pointer"]) == (code, pointer)


def test_no_message_names_our_own_classes(service: Service) -> None:
    """Also what `fail` and PyTorch say of functions."""
    function = {"function": "exp"}
    bodies = [
        [{"op": "fail", "value": function}],
        [node("call", function, id="y") | {"of": "f"}],
        [node("func.vmap", function) | {"of": "f", "options": {"in_dims": 0}}],
    ]
    functions = {"f": {"params": ["v"], "nodes": [node("add", "$v", 1, id="y")], "returns": "y"}}
    for nodes in bodies:
        problem = service.refused({"nodes": nodes, "functions": functions})
        text = str(problem)
        assert "gradwire" not in text
        assert "OpFunction" not in text
        assert "0x7" not in text
