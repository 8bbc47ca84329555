"""The tutorial, aliasing and errors on a CUDA device. Without one, these tests say so and skip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from server import Server
from service import Service, node
from tensor_json import document, same_bits

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device on this machine"),
]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A server that may use the device; the tests of the CPU share one that may not."""
    with Server(workers=1) as running, running.client() as client:
        yield Service(client)


LEAF = {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}
TUTORIAL = [
    node("add", "$x", 2, id="y"),
    node("mul", "$y", "$y", id="yy"),
    node("mul", "$yy", 3, id="z"),
    node("mean", "$z", id="out"),
    node("backward", "$out"),
]


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_the_tutorials_gradient_on_the_device(service: Service, device: str) -> None:
    outputs = service.run(TUTORIAL, ["y", "out", "x.grad"], {"x": LEAF}, device=device)
    for value in outputs.values():
        assert value["device"] == "cuda:0"
    assert outputs["y"]["data"] == [[3.0, 3.0], [3.0, 3.0]]
    assert (outputs["out"]["data"], outputs["out"]["grad_fn"]) == (27.0, "MeanBackward0")
    assert outputs["x.grad"]["data"] == [[4.5, 4.5], [4.5, 4.5]]


def test_the_tape_on_the_device(service: Service) -> None:
    reply = service.graph({"inputs": {"x": LEAF}, "nodes": TUTORIAL, "tape": True, "device": "cuda"})
    names = [made["name"] for made in reply["tape"]["nodes"]]
    assert names == ["MeanBackward0", "MulBackward0", "MulBackward0", "AddBackward0", "AccumulateGrad"]
    assert reply["tape"]["saved_bytes"] == 16
    assert reply["device"] == "cuda:0"


def test_creation_ops_use_the_runs_device_and_its_generator(service: Service) -> None:
    outputs = service.run(
        [node("ones", 2, 2, id="ones"), node("rand", 3, id="rand"), node("tensor", [1.5], id="tensor")],
        ["ones", "rand", "tensor"],
        device="cuda",
        seed=3,
    )
    assert {value["device"] for value in outputs.values()} == {"cuda:0"}
    torch.manual_seed(3)
    same_bits(outputs["rand"], torch.rand(3, device="cuda").cpu())


def test_a_tensor_may_stay_on_the_cpu_only_where_the_run_does(service: Service) -> None:
    on_cpu = service.run([node("neg", "$x", id="y")], ["y"], {"x": LEAF}, device="cpu")
    assert on_cpu["y"]["device"] == "cpu"
    moved = service.run([node("neg", "$x", id="y")], ["y"], {"x": LEAF | {"device": "cpu"}}, device="auto")
    assert moved["y"]["device"] == "cuda:0"
    kept = service.run([node("neg", "$x", id="y")], ["y"], {"x": LEAF | {"device": "cpu"}}, device="cuda")
    assert kept["y"]["device"] == "cpu"


def test_views_share_memory_on_the_device(service: Service) -> None:
    nodes = [node("view", "$x", 4, id="v"), node("add_", "$v", 1), node("getitem", "$x", ":, 0", id="column")]
    outputs = service.run(nodes, ["x", "v", "column"], {"x": {"data": [[1.0, 2.0], [3.0, 4.0]]}}, device="cuda")
    assert outputs["x"]["data"] == [[2.0, 3.0], [4.0, 5.0]]
    assert outputs["v"]["data"] == [2.0, 3.0, 4.0, 5.0]
    assert outputs["column"]["data"] == [2.0, 4.0]


def test_results_are_those_of_the_device(service: Service) -> None:
    torch.manual_seed(0)
    a, b = torch.randn(64, 64), torch.randn(64, 64)
    outputs = service.run(
        [node("matmul", "$a", "$b", id="c")], ["c"], {"a": document(a), "b": document(b)}, device="cuda"
    )
    same_bits(outputs["c"], (a.cuda() @ b.cuda()).cpu())


def test_uninitialised_memory_is_filled_on_the_device(service: Service) -> None:
    outputs = service.run([node("empty", 1000, id="e")], ["e"], device="cuda")
    assert set(outputs["e"]["data"]) == {"NaN"}


def test_a_device_beyond_those_present_is_refused(service: Service) -> None:
    problem = service.refused({"nodes": [], "device": f"cuda:{torch.cuda.device_count()}"})
    assert (problem["status"], problem["code"]) == (422, "unavailable_device")
    assert "cuda:0" in problem["errors"][0]["expected"]


def test_tensors_on_two_devices_are_pytorchs_refusal(service: Service) -> None:
    nodes = [node("to", "$x", "cpu", id="c"), node("add", "$x", "$c", id="y")]
    problem = service.refused({"inputs": {"x": {"data": [1.0]}}, "nodes": nodes, "device": "cuda"})
    assert (problem["code"], problem["errors"][0]["node"]) == ("op_failed", "y")
    assert "Expected all tensors to be on the same device" in problem["errors"][0]["message"]


def test_too_much_memory_on_the_device_is_a_limit(service: Service) -> None:
    problem = service.refused({"nodes": [node("empty", 1 << 40, dtype="uint8")], "device": "cuda"})
    assert problem["code"] == "limit_exceeded"
    service.still_works()
