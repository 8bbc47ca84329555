"""Nothing of one request is left for the next: requests that try to leave something are followed by ones that look."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from service import RUN, Service, node, read
from tensor_json import same_tensor

X = {"x": {"data": [1.0, 2.0, 3.0], "requires_grad": True}}
# What a request may try: each is sent as it is, and may be refused.
TRIES: dict[str, dict[str, Any]] = {
    "a seed": {"nodes": [node("manual_seed", 5), node("rand", 10, id="a")], "seed": 5},
    "a default dtype": {"nodes": [node("set_default_dtype", "float64")]},
    "a default dtype, the old way": {"nodes": [node("set_default_tensor_type", "torch.DoubleTensor")]},
    "a default device": {"nodes": [node("set_default_device", "meta")]},
    "threads": {"nodes": [node("set_num_threads", 7)]},
    "grad mode": {"nodes": [node("set_grad_enabled", False)]},
    "grad mode by a context's name": {"nodes": [node("no_grad"), node("enable_grad"), node("inference_mode")]},
    "autograd.set_grad_enabled": {"nodes": [node("autograd.set_grad_enabled", False)]},
    "anomaly mode": {"nodes": [node("autograd.set_detect_anomaly", True)]},
    "print options": {"nodes": [node("set_printoptions", precision=2)]},
    "numpy's print options": {"nodes": [node("numpy.set_printoptions", precision=2)]},
    "numpy's errors": {"nodes": [node("numpy.seterr", all="raise")]},
    "numpy's seed": {"nodes": [node("numpy.random.seed", 5)]},
    "deterministic algorithms": {"nodes": [node("use_deterministic_algorithms", True)]},
    "filling": {"nodes": [node("utils.deterministic.fill_uninitialized_memory", False)]},
    "flush denormal": {"nodes": [node("set_flush_denormal", True)]},
    "matmul precision": {"nodes": [node("set_float32_matmul_precision", "medium")]},
    "warnings": {"nodes": [node("set_warn_always", True)]},
    "the generator's state": {"nodes": [node("get_rng_state", id="s"), node("set_rng_state", "$s")]},
    "an initial seed": {"nodes": [node("seed"), node("initial_seed")]},
    "no_grad on its node": {"inputs": X, "nodes": [node("mul", "$x", 2, id="y") | {"no_grad": True}]},
    "no_grad on a node that fails": {"inputs": X, "nodes": [node("mm", "$x", "$x") | {"no_grad": True}]},
    "a backward that fails": {"inputs": X, "nodes": [node("mul", "$x", 2, id="y"), node("backward", "$y")]},
    "a change of an input": {"inputs": X, "nodes": [node("requires_grad_", "$x", False), node("fill_", "$x", 99)]},
    "requires_grad": {
        "inputs": X,
        "nodes": [node("requires_grad_", "$x", False), node("setattr", "$x", "requires_grad", True)],
    },
    "a gradient": {"inputs": X, "nodes": [node("sum", "$x", id="s"), node("backward", "$s")]},
    "memory": {
        "nodes": [node("full", [100_000], 1234.5, id="secret"), node("mul", "$secret", 2, id="b")],
        "returns": ["b"],
    },
    "much memory": {"nodes": [node("zeros", 10**12)]},
    "a graph that is broken": {"nodes": [node("add", "$nothing", 1)]},
    "malformed": {"nodes": [{"op": 5}]},
    "a deadline": {"nodes": [node("ones", 1)], "deadline_ms": 1},
    "a tape": {
        "inputs": X,
        "nodes": [node("exp", "$x", id="e"), node("sum", "$e", id="s"), node("backward", "$s")],
        "tape": {"gradients": True},
    },
}


def look(service: Service) -> None:
    """Assert that a run sees a fresh PyTorch: defaults, grad mode, generator, printing of errors, empty memory."""
    nodes = [
        node("ones", 1, id="one"),
        node("tensor", [0.5], id="half"),
        node("result_type", "$one", 0.5, id="dtype"),
        node("mul", "$x", 2, id="y"),
        node("empty", 5, id="empty"),
        node("numpy.ones", 1, id="array"),
        node("rand", 3, id="random"),
        node("mul", {"tensor": {"data": [1e-40], "dtype": "float32"}}, 1, id="denormal"),
        node("sum", "$y", id="s"),
        node("backward", "$s"),
    ]
    returns = ["one", "half", "dtype", "x", "y", "empty", "array", "random", "denormal", "x.grad"]
    reply = service.graph({"inputs": X, "nodes": nodes, "returns": returns, "seed": 0})
    outputs = reply["outputs"]
    torch.manual_seed(0)
    same_tensor(outputs["random"], torch.rand(3))
    same_tensor(outputs["one"], torch.ones(1))
    same_tensor(outputs["half"], torch.tensor([0.5]))
    same_tensor(outputs["denormal"], torch.tensor([1e-40]))
    assert outputs["dtype"]["value"] == "float32"
    assert (outputs["array"]["dtype"], outputs["array"]["device"]) == ("float64", "cpu")
    assert (outputs["x"]["data"], outputs["x"]["requires_grad"], outputs["x"]["is_leaf"]) == (
        [1.0, 2.0, 3.0],
        True,
        True,
    )
    assert (outputs["y"]["data"], outputs["y"]["grad_fn"]) == ([2.0, 4.0, 6.0], "MulBackward0")
    assert outputs["empty"]["data"] == ["NaN"] * 5
    assert outputs["x.grad"]["data"] == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("name", TRIES)
def test_what_a_request_tried_is_not_there_for_the_next(service: Service, name: str) -> None:
    for _ in range(4):  # as many as reach each worker
        reply = service.post(RUN, TRIES[name])
        assert reply.status_code in (200, 400, 422, 504), reply.text[:500]
        look(service)


def test_process_state_is_refused_with_a_reason(service: Service) -> None:
    for op in ("set_default_dtype", "set_num_threads", "set_grad_enabled", "set_printoptions", "set_default_device"):
        problem = service.refused({"nodes": [node(op, "float64")]})
        assert problem["code"] == "excluded_op", op


def test_drawn_seeds_do_not_follow_from_a_seed_that_was_given(service: Service) -> None:
    """A run with a seed must not make the random numbers of runs after it, in the same workers, predictable."""
    drawn = []
    for _ in range(8):
        service.run([node("rand", 1)], [], seed=0)
        drawn.append(service.op("rand", 4)["data"][0])
    assert len(set(drawn)) == 8


def test_many_at_once_do_not_mix(service: Service) -> None:
    """Twenty-four clients with values, seeds and names of their own, each getting its own back."""

    def ask(number: int) -> list[float]:
        body = {
            "inputs": {"x": {"data": [float(number)], "requires_grad": True}},
            "nodes": [
                node("rand", 4, id="r"),
                node("mul", "$x", number, id="y"),
                node("backward", "$y"),
                node("add_", "$x.data", 1000),
            ],
            "returns": ["r", "y", "x", "x.grad"],
            "seed": number,
        }
        reply = service.post(RUN, body)
        assert reply.status_code == 200, reply.text
        found = read(reply)
        assert found["seed"] == number
        assert found["outputs"]["y"]["data"] == [float(number * number)]
        assert found["outputs"]["x.grad"]["data"] == [float(number)]
        assert found["outputs"]["x"]["data"] == [number + 1000.0]
        return found["outputs"]["r"]["data"]  # type: ignore[no-any-return]

    with ThreadPoolExecutor(24) as clients:
        randoms = list(clients.map(ask, range(1, 241)))
    for number, random in enumerate(randoms, 1):
        torch.manual_seed(number)
        assert torch.equal(torch.tensor(random), torch.rand(4))


def test_storage_numbers_start_anew(service: Service) -> None:
    body = {"nodes": [node("ones", 1, id="a"), node("ones", 1, id="b")], "returns": ["a", "b"], "describe": "full"}
    numbers = [[service.graph(body)["outputs"][name]["storage"] for name in "ab"] for _ in range(5)]
    assert all(first != second for first, second in numbers)
    assert len({tuple(pair) for pair in numbers}) == 1
