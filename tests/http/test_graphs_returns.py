"""What a run gives back: the default, lists, maps and objects of returns, every kind of value, seeds and devices."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from service import Service, node, read
from tensor_json import document, same_bits, same_tensor, to_bytes, to_torch

X = {"x": {"data": [1.0, 2.0, 3.0], "requires_grad": True}, "k": {"data": [5.0, 6.0, 7.0]}}
CHAIN = [node("mul", "$x", "$k", id="y"), node("sum", "$y", id="s")]


def test_the_reply_says_seed_device_torch_and_timing(service: Service) -> None:
    reply = service.graph({"nodes": []})
    assert reply["outputs"] == {}
    assert (reply["device"], reply["torch"]) == ("cpu", torch.__version__.partition("+")[0])
    assert {"queue", "decode", "run", "encode"} <= set(reply["timing_ms"])
    assert all(isinstance(time, (int, float)) and time >= 0 for time in reply["timing_ms"].values())
    assert "tape" not in reply


DEFAULTS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "the last node that has an id": (CHAIN, ["s"]),
    "and the gradients that were filled": ([*CHAIN, node("backward", "$s")], ["s", "x.grad"]),
    "the last with an id, not the last": ([*CHAIN, node("neg", "$y")], ["s"]),
    "no ids": ([node("neg", "$x")], []),
    "nothing": ([], []),
    "a node that is a leaf": (
        [node("ones", 3, requires_grad=True, id="w"), node("dot", "$w", "$k", id="d"), node("backward", "$d")],
        ["d", "w.grad"],
    ),
    "a gradient that was kept": (
        [CHAIN[0], node("retain_grad", "$y"), CHAIN[1], node("backward", "$s")], ["s", "x.grad", "y.grad"],
    ),
    "a gradient that was dropped": ([*CHAIN, node("backward", "$s"), node("setattr", "$x", "grad", None)], ["s"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_left_out_returns_are(service: Service, name: str) -> None:
    nodes, expected = DEFAULTS[name]
    outputs = service.run(nodes, None, X)
    assert sorted(outputs) == sorted(expected)
    if "x.grad" in outputs:
        assert outputs["x.grad"]["data"] == [5.0, 6.0, 7.0]


def test_an_empty_list_returns_nothing(service: Service) -> None:
    assert service.run([*CHAIN, node("backward", "$s")], [], X) == {}


def test_a_map_names_the_outputs_and_a_dollar_is_optional(service: Service) -> None:
    returns: Any = {"loss": "s", "gradient of x": "$x.grad", "": {"ref": "$y"}, "x.grad": "k"}
    outputs = service.run([*CHAIN, node("backward", "$s")], returns, X)
    assert {name: output["data"] for name, output in outputs.items()} == {
        "loss": 38.0, "gradient of x": [5.0, 6.0, 7.0], "": [5.0, 12.0, 21.0], "x.grad": [5.0, 6.0, 7.0],
    }  # fmt: skip
    outputs = service.run(CHAIN, ["$s", "y", {"ref": "$k"}], X)
    assert list(outputs) == ["s", "y", "k"]


def test_encodings_for_all_and_for_one(service: Service) -> None:
    outputs = service.run(CHAIN, ["y", {"ref": "s", "encoding": "base64"}, {"ref": "k", "describe": "full"}], X)
    assert [outputs[name]["encoding"] for name in ("y", "s", "k")] == ["json", "base64", "json"]
    assert outputs["s"]["data"] == "AAAYQg=="
    assert ["strides" in outputs[name] for name in ("y", "s", "k")] == [False, False, True]
    outputs = service.run(CHAIN, {"a": "y", "b": {"ref": "y", "encoding": "json"}}, X, encoding="base64")
    assert [outputs[name]["encoding"] for name in ("a", "b")] == ["base64", "json"]
    assert to_bytes(to_torch(outputs["a"])) == to_bytes(to_torch(outputs["b"]))


def test_encoding_reaches_into_tuples(service: Service) -> None:
    outputs = service.run([node("max", "$k", 0, id="m")], ["m"], X, encoding="base64")
    assert [item["encoding"] for item in outputs["m"]["items"]] == ["base64", "base64"]


def test_named_tuples_have_their_type_and_names(service: Service) -> None:
    outputs = service.run(
        [node("max", "$k", 0, id="m"), node("linalg.svd", "$a", id="svd")],
        ["m", "svd"],
        X | {"a": [[2.0, 0.0], [0.0, 1.0]]},
    )
    assert outputs["m"]["kind"] == "tuple"
    assert outputs["m"]["type"] == "torch.return_types.max"
    assert outputs["m"]["names"] == ["values", "indices"]
    assert [item["data"] for item in outputs["m"]["items"]] == [7.0, 2]
    assert outputs["svd"]["type"] == "torch.return_types.linalg_svd"
    assert outputs["svd"]["names"] == ["U", "S", "Vh"]


KINDS = [
    ([node("numel", "$k", id="v")], {"kind": "int", "value": 3}),
    ([node("is_tensor", "$k", id="v")], {"kind": "bool", "value": True}),
    (
        [node("tolist", "$k", id="v")],
        {"kind": "list", "items": [{"kind": "float", "value": n} for n in (5.0, 6.0, 7.0)]},
    ),
    ([node("stride", "$k", id="v")], {"kind": "tuple", "items": [{"kind": "int", "value": 1}]}),
    ([node("backward", "$s", id="v")], {"kind": "none", "value": None}),
    ([node("type", "$k", id="v")], {"kind": "string", "value": "torch.FloatTensor"}),
    ([node("operator.mul", {"int": "9007199254740992"}, 1, id="v")], {"kind": "int", "value": "9007199254740992"}),
    (
        [node("operator.mul", {"int": "123456789012345678901"}, -1, id="v")],
        {"kind": "int", "value": "-123456789012345678901"},
    ),
    ([node("operator.truediv", 1, 3, id="v")], {"kind": "float", "value": 1 / 3}),
    ([node("operator.mul", {"float": "Infinity"}, -1, id="v")], {"kind": "float", "value": "-Infinity"}),
    ([node("operator.mul", {"float": "NaN"}, 1, id="v")], {"kind": "float", "value": "NaN"}),
    (
        [node("operator.mul", {"complex": [0, 1]}, {"complex": [0, 1]}, id="v")],
        {"kind": "complex", "value": [-1.0, 0.0]},
    ),
    ([node("result_type", "$k", 1, id="v")], {"kind": "dtype", "value": "float32"}),
    (
        [node("getitem", {"dict": {"a": {"dict": {"b": None}}}}, "a", id="v")],
        {"kind": "dict", "items": {"b": {"kind": "none", "value": None}}},
    ),
]


@pytest.mark.parametrize(("nodes", "expected"), KINDS, ids=lambda value: str(value)[-60:])
def test_values_of_every_kind(service: Service, nodes: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    outputs = service.run([*CHAIN, *nodes], ["v"], X)
    assert outputs["v"] == expected
    assert repr(outputs["v"].get("value")) == repr(expected.get("value"))


def test_unused_gradients_say_why(service: Service) -> None:
    x = X | {"z": {"data": [1.0], "requires_grad": True}}
    nodes = [*CHAIN, node("autograd.grad", "$s", ["$x", "$z"], allow_unused=True, id="g")]
    outputs = service.run(nodes, ["g", "g.1"], x)
    assert outputs["g"]["kind"] == "tuple"
    first, second = outputs["g"]["items"]
    assert first["data"] == [5.0, 6.0, 7.0]
    for value in (second, outputs["g.1"]):
        assert (value["kind"], value["value"]) == ("none", None)
        assert "z" in value["note"]


RANDOM = [
    node("rand", 3, id="a"),
    node("randn", 2, id="b"),
    node("randperm", 5, id="c"),
    node("bernoulli", "$k01", id="d"),
]
K01 = {"k01": [0.2, 0.5, 0.8]}


@pytest.mark.parametrize("seed", [0, 1, -1, -(2**63), 2**63 - 1, 2**63, 2**64 - 1])
def test_a_seed_is_torch_manual_seed_before_the_first_node(service: Service, seed: int) -> None:
    reply = service.graph({"inputs": K01, "nodes": RANDOM, "returns": ["a", "b", "c", "d"], "seed": seed})
    assert reply["seed"] == seed
    torch.manual_seed(seed)
    for name, expected in [("a", torch.rand(3)), ("b", torch.randn(2)), ("c", torch.randperm(5)),
                           ("d", torch.bernoulli(torch.tensor([0.2, 0.5, 0.8])))]:  # fmt: skip
        same_tensor(reply["outputs"][name], expected)


def test_a_drawn_seed_is_new_each_time_and_reproduces_the_run(service: Service) -> None:
    body = {"inputs": K01, "nodes": RANDOM, "returns": ["a", "b", "c", "d"]}
    replies = [service.graph(body) for _ in range(20)]
    seeds = [reply["seed"] for reply in replies]
    assert len(set(seeds)) == 20
    assert all(0 <= seed < 2**53 for seed in seeds)
    for reply in replies[:3]:
        assert service.graph(body | {"seed": reply["seed"]})["outputs"] == reply["outputs"]
    assert read(service.post("/v1/ops/rand", {"args": [2]}))["seed"] >= 0


def test_manual_seed_is_a_node(service: Service) -> None:
    nodes = [
        node("rand", 2, id="a"),
        node("manual_seed", 42),
        node("rand", 2, id="b"),
        node("manual_seed", 42),
        node("rand", 2, id="c"),
    ]
    reply = service.graph({"nodes": nodes, "returns": ["a", "b", "c"], "seed": 7})
    assert reply["seed"] == 7
    torch.manual_seed(7)
    same_tensor(reply["outputs"]["a"], torch.rand(2))
    torch.manual_seed(42)
    expected = torch.rand(2)
    same_tensor(reply["outputs"]["b"], expected)
    same_tensor(reply["outputs"]["c"], expected)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_devices(service: Service, device: str) -> None:
    reply = service.graph({"nodes": [node("ones", 1, id="a")], "device": device})
    if device == "cpu":
        assert reply["device"] == reply["outputs"]["a"]["device"] == "cpu"
    assert reply["device"] in read(service.client.get("/v1/server"))["devices"]


def test_ten_thousand_nodes(service: Service) -> None:
    limit = read(service.client.get("/v1/server"))["limits"]["max_nodes"]
    nodes = [node("add", 1.0, 1, id="n1")] + [node("add", f"$n{i}", 1, id=f"n{i + 1}") for i in range(1, limit)]
    assert service.run(nodes, [f"n{limit}"])[f"n{limit}"]["data"] == float(limit + 1)


def test_the_op_route_has_the_same_members(service: Service) -> None:
    reply = read(
        service.post(
            "/v1/ops/rand", {"args": [2], "seed": 5, "encoding": "base64", "describe": "full", "device": "cpu"}
        )
    )
    torch.manual_seed(5)
    same_bits(reply["result"], torch.rand(2))
    assert reply["result"]["encoding"] == "base64"
    assert reply["result"]["strides"] == [1]
    assert (reply["seed"], reply["device"]) == (5, "cpu")
    assert "torch" in reply
    assert "timing_ms" in reply
    same_bits(service.op("add", document(torch.ones(2)), other=3), torch.full([2], 4.0))
