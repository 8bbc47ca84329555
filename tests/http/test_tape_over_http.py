"""The tape: the backward graph as it stood when backward or autograd.grad started, tied to the nodes that made it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from service import Service, node

X = {"x": {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}}
GRADIENT = [
    node("add", "$x", 2, id="y"),
    node("mul", "$y", "$y", id="yy"),
    node("mul", "$yy", 3, id="z"),
    node("mean", "$z", id="out"),
    node("backward", "$out"),
]
V = {"v": {"data": [1.0, 2.0, 3.0], "requires_grad": True}}


def taped(
    service: Service, nodes: list[dict[str, Any]], inputs: Any, returns: Any = None, tape: Any = True
) -> dict[str, Any]:
    """The tape of a run."""
    body = {"inputs": inputs, "nodes": nodes, "tape": tape} | ({} if returns is None else {"returns": returns})
    tape = service.graph(body)["tape"]
    assert [entry["id"] for entry in tape["nodes"]] == list(range(len(tape["nodes"])))
    return tape  # type: ignore[no-any-return]


def named(tape: dict[str, Any], name: str) -> dict[str, Any]:
    """The only tape node of a name."""
    (found,) = [entry for entry in tape["nodes"] if entry["name"] == name]
    return found  # type: ignore[no-any-return]


def test_the_contracts_example(service: Service) -> None:
    tape = taped(service, GRADIENT, X, ["y", "out", "x.grad"])
    assert tape["roots"] == {"out": 0}
    assert tape["saved_bytes"] == 16
    shape = [(e["name"], e.get("node"), e.get("input"), e["next"]) for e in tape["nodes"]]
    assert shape == [
        ("MeanBackward0", "out", None, [[1, 0]]),
        ("MulBackward0", "z", None, [[2, 0], None]),
        ("MulBackward0", "yy", None, [[3, 0], [3, 0]]),
        ("AddBackward0", "y", None, [[4, 0], None]),
        ("AccumulateGrad", None, "x", []),
    ]
    mean, three, square, add, leaf = tape["nodes"]
    assert {"name": "self_sym_sizes", "value": [2, 2]} in mean["saved"]
    assert mean["saved_bytes"] == 0
    assert {"name": "other", "value": 3} in three["saved"]
    assert three["saved_bytes"] == 0
    saved = {entry["name"]: entry for entry in square["saved"]}
    assert set(saved) == {"self", "other"}
    assert saved["self"]["storage"] == saved["other"]["storage"]
    for entry in saved.values():
        assert (entry["dtype"], entry["shape"], entry["bytes"]) == ("float32", [2, 2], 16)
    assert square["saved_bytes"] == 16
    assert (leaf["saved"], leaf["saved_bytes"]) == ([], 0)
    assert add["saved_bytes"] == 0


def test_a_tape_changes_no_result(service: Service) -> None:
    body = {"inputs": X, "nodes": GRADIENT, "returns": ["y", "z", "out", "x", "x.grad"]}
    plain = service.graph(body)["outputs"]
    for tape in (True, {"gradients": True}, {"gradients": False}, {}):
        assert service.graph(body | {"tape": tape})["outputs"] == plain
    assert "tape" not in service.graph(body | {"tape": False})


def test_without_backward_the_roots_are_the_returned_tensors(service: Service) -> None:
    nodes = [*GRADIENT[:4], node("max", "$y", 1, id="m"), node("detach", "$y", id="d")]
    tape = taped(service, nodes, X, ["m", "z", "d", "x"])
    roots = {name: tape["nodes"][place]["name"] for name, place in tape["roots"].items()}
    assert roots.pop("x", "AccumulateGrad") == "AccumulateGrad"
    assert roots == {"m.0": "MaxBackward0", "z": "MulBackward0"}
    tape = taped(service, nodes, X, {"a": "m.values", "b": "z"})
    assert set(tape["roots"]) == {"m.values", "z"}


def test_backward_decides_the_roots_even_where_more_is_returned(service: Service) -> None:
    nodes = [*GRADIENT, node("exp", "$y", id="other")]
    tape = taped(service, nodes, X, ["other"])
    assert tape["roots"] == {"out": 0}
    assert "ExpBackward0" not in [entry["name"] for entry in tape["nodes"]]


def test_a_second_start_from_the_same_root_is_numbered(service: Service) -> None:
    nodes = [*GRADIENT[:4], node("backward", "$out", retain_graph=True), node("backward", "$out", retain_graph=True),
             node("autograd.grad", "$out", "$x")]  # fmt: skip
    tape = taped(service, nodes, X)
    assert list(tape["roots"]) == ["out", "out#2", "out#3"]
    assert len(set(tape["roots"].values())) == 1
    assert len(tape["nodes"]) == 5


def test_roots_are_the_references_as_written(service: Service) -> None:
    nodes = [node("split", "$v", [1, 2], id="t"), node("sum", "$t.1", id="s"), node("mul", "$t.0", 2, id="u"),
             node("autograd.grad", ["$s", "$t.0"], "$v", retain_graph=True), node("backward", "$t.0")]  # fmt: skip
    tape = taped(service, nodes, V)
    assert set(tape["roots"]) == {"s", "t.0", "t.0#2"}
    assert tape["nodes"][tape["roots"]["t.0"]]["name"] == "SplitWithSizesBackward0"
    assert tape["roots"]["t.0"] == tape["roots"]["t.0#2"]
    assert "MulBackward0" not in [entry["name"] for entry in tape["nodes"]]


def test_edges_carry_the_input_number_of_a_node_with_many_outputs(service: Service) -> None:
    nodes = [node("unbind", "$v", id="t"), node("mul", "$t.2", "$t.0", id="m"), node("backward", "$m")]
    tape = taped(service, nodes, V)
    multiply, unbind = named(tape, "MulBackward0"), named(tape, "UnbindBackward0")
    assert multiply["next"] == [[unbind["id"], 2], [unbind["id"], 0]]
    assert unbind["node"] == "t"


def test_nodes_without_an_id_are_named_by_their_index(service: Service) -> None:
    nodes = [node("clone", "$v", id="c"), node("mul_", "$c", "$v"), node("sum", "$c", id="s"), node("backward", "$s")]
    tape = taped(service, nodes, V)
    assert [(entry["name"], entry.get("node")) for entry in tape["nodes"]][:3] == [
        ("SumBackward0", "s"), ("MulBackward0", 1), ("CloneBackward0", "c"),
    ]  # fmt: skip


def test_a_leaf_that_a_node_made_is_tied_to_it(service: Service) -> None:
    nodes = [
        node("ones", 3, requires_grad=True, id="w"),
        node("rand", 3, id="u"),
        node("requires_grad_", "$u"),
        node("mul", "$w", "$u", id="wu"),
        node("dot", "$wu", "$v", id="s"),
        node("backward", "$s"),
    ]
    tape = taped(service, nodes, V)
    leaves = [entry for entry in tape["nodes"] if entry["name"] == "AccumulateGrad"]
    assert {entry.get("input", entry.get("node")) for entry in leaves} in ({"w", "u", "v"}, {"w", 2, "v"})
    (v,) = [entry for entry in leaves if "input" in entry]
    assert v["input"] == "v"
    assert "node" not in v or v["node"] is None


def test_a_composite_ops_tape_nodes_all_belong_to_it(service: Service) -> None:
    nodes = [node("nn.functional.linear", "$v", "$w", id="l"), node("nn.functional.softmax", "$l", dim=0, id="p"),
             node("nn.functional.mse_loss", "$p", "$p.data", id="loss"), node("backward", "$loss")]  # fmt: skip
    tape = taped(service, nodes, V | {"w": {"data": [[1.0, 2, 3], [4, 5, 6]], "requires_grad": True}})
    owners = {entry.get("node") for entry in tape["nodes"] if entry["name"] != "AccumulateGrad"}
    assert owners == {"l", "p", "loss"}


def test_saved_bytes_count_each_storage_once_and_whole(service: Service) -> None:
    x = {
        "x": {
            "data": [[float(i + 4 * j) for i in range(4)] for j in range(4)],
            "dtype": "float32",
            "requires_grad": True,
        }
    }
    nodes = [node("getitem", "$x", ":, 0", id="c"), node("exp", "$x", id="e"), node("mul", "$c", "$c", id="s"),
             node("sum", "$s", id="out"), node("backward", "$out")]  # fmt: skip
    tape = taped(service, nodes, x)
    multiply = named(tape, "MulBackward0")
    assert [entry["bytes"] for entry in multiply["saved"]] == [16, 16]
    assert multiply["saved_bytes"] == 64
    assert tape["saved_bytes"] == 64


@pytest.mark.parametrize("name", ["sin", "exp", "tanh", "sigmoid", "log", "sqrt", "relu"])
def test_what_is_saved_is_what_the_hooks_of_pytorch_see(service: Service, name: str) -> None:
    nodes = [
        node(name, "$v", id="f"),
        node("mul", "$f", "$v", id="m"),
        node("sum", "$m", id="s"),
        node("backward", "$s"),
    ]
    tape = taped(service, nodes, V)
    v = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    seen: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = (getattr(torch, name)(v) * v).sum()
    assert out.grad_fn is not None
    assert tape["saved_bytes"] == sum(seen.values())


def test_gradients_that_flowed_into_each_node(service: Service) -> None:
    tape = taped(service, GRADIENT, X, tape={"gradients": True})
    grads = [[grad["data"] for grad in entry["grad"]] for entry in tape["nodes"]]
    assert grads == [[1.0], [[[0.25, 0.25]] * 2], [[[0.75, 0.75]] * 2], [[[4.5, 4.5]] * 2], [[[4.5, 4.5]] * 2]]
    assert all(grad["kind"] == "tensor" for entry in tape["nodes"] for grad in entry["grad"])


def test_a_gradient_that_did_not_flow_is_null(service: Service) -> None:
    nodes = [node("unbind", "$v", id="t"), node("mul", "$t.2", 3, id="m"), node("backward", "$m")]
    tape = taped(service, nodes, V, tape={"gradients": True})
    grads = named(tape, "UnbindBackward0")["grad"]
    assert grads[:2] == [None, None]
    assert grads[2]["data"] == 3.0


def test_gradients_are_of_the_last_run_across_a_node(service: Service) -> None:
    nodes = [node("mul", "$v", 2, id="m"), node("backward", "$m", [1.0, 1.0, 1.0], retain_graph=True),
             node("backward", "$m", [5.0, 6.0, 7.0])]  # fmt: skip
    tape = taped(service, nodes, V, tape={"gradients": True})
    assert [grad["data"] for grad in named(tape, "MulBackward0")["grad"]] == [[5.0, 6.0, 7.0]]


def test_without_a_run_backward_there_are_no_gradients(service: Service) -> None:
    tape = taped(service, GRADIENT[:4], X, ["out"], tape={"gradients": True})
    assert all(entry.get("grad") is None for entry in tape["nodes"])


def test_a_tape_of_nothing(service: Service) -> None:
    for nodes in ([], [node("ones", 2, id="a")]):
        assert taped(service, nodes, X) == {"roots": {}, "nodes": [], "saved_bytes": 0}


def test_a_tape_of_double_backward(service: Service) -> None:
    nodes = [node("pow", "$v", 3, id="c"), node("sum", "$c", id="s"),
             node("autograd.grad", "$s", "$v", create_graph=True, id="g"), node("sum", "$g.0", id="gs"),
             node("backward", "$gs")]  # fmt: skip
    tape = taped(service, nodes, V, ["v.grad"])
    assert set(tape["roots"]) == {"s", "gs"}
    owners = {entry.get("node") for entry in tape["nodes"]}
    assert {"c", "s", "g", "gs"} <= owners


@pytest.mark.parametrize("call", ["y.backward(create_graph=True)", "torch.autograd.backward([y], [None], None, True)"])
def test_a_gradient_with_a_graph_comes_from_its_backward(service: Service, call: str) -> None:
    begin = "x = torch.tensor([2.0], requires_grad=True)\ny = x ** 3"
    program = f"{begin}\n{call}\nz = x.grad * 1\nx.grad = None\nz.backward()"
    tape = service.graph({"program": program, "tape": True})["tape"]
    lines = [entry["line"] for entry in tape["nodes"] if entry["name"] == "MulBackward0"]
    assert lines[0] == 4
    assert set(lines[1:]) == {3}


def test_a_loop_of_backward_passes_has_a_root_for_each(service: Service) -> None:
    program = """
ws = [torch.full((2,), float(i), requires_grad=True) for i in range(40)]
for w in ws:
    loss = (w * w).sum()
    loss.backward()
"""
    tape = service.graph({"program": program, "tape": {"gradients": True}, "returns": []})["tape"]
    assert list(tape["roots"]) == ["loss", *(f"loss#{turn}" for turn in range(2, 41))]
    assert list(tape["roots"].values()) == list(range(0, 120, 3))
    leaves = [entry["grad"][0]["data"] for entry in tape["nodes"] if entry["name"] == "AccumulateGrad"]
    assert leaves == [[2.0 * turn] * 2 for turn in range(40)]


def test_in_place_checks_hold_with_a_tape(service: Service) -> None:
    nodes = [
        node("exp", "$v", id="e"),
        node("sum", "$e", id="s"),
        node("add_", "$e", 1, id="broken"),
        node("backward", "$s"),
    ]
    for tape in (False, True, {"gradients": True}):
        problem = service.refused({"inputs": V, "nodes": nodes, "tape": tape})
        assert problem["errors"][0]["code"] == "op_failed"
        assert "modified by an inplace operation" in problem["errors"][0]["message"]
        assert "broken" in problem["errors"][0]["hint"]


def test_a_chain_of_thousands(service: Service) -> None:
    nodes = [node("add", "$v", 0, id="n0")] + [node("add", f"$n{i}", 1, id=f"n{i + 1}") for i in range(4000)]
    tape = taped(service, [*nodes, node("sum", "$n4000", id="s"), node("backward", "$s")], V)
    assert len(tape["nodes"]) == 4003


def test_a_chain_as_long_as_a_loop_makes_it_is_let_go(service: Service) -> None:
    program = "import torch\nx = y = torch.ones(2, requires_grad=True)\nfor i in range(60000):\n    y = y * 1.0\n"
    tape = service.graph({"program": program, "tape": True})["tape"]
    assert (len(tape["nodes"]), tape["nodes"][-1]["name"]) == (60001, "AccumulateGrad")


def test_values_that_hold_themselves_or_much_change_nothing(service: Service) -> None:
    program = "import torch\nx = torch.ones(2, requires_grad=True)\nk = [x * 2]\nk.append(k)\nm = k[1]\n"
    program += "n = [x]\nfor i in range(60):\n    n = [n, n]\np = n[0]\nout = k[0].sum()\n"
    tape = service.graph({"program": program, "returns": ["out"], "tape": True})["tape"]
    assert [entry["name"] for entry in tape["nodes"]] == ["SumBackward0", "MulBackward0", "AccumulateGrad"]
    for name in ("k", "n"):
        plain, taped = (
            service.refused({"program": program, "returns": [name], "tape": tape}) for tape in (False, True)
        )
        assert (plain["code"], plain["errors"]) == ("limit_exceeded", taped["errors"])
