"""The files in examples/ run as their README says, and print what they promise."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from server import APP, Server
from service import Service

EXAMPLES = Path(__file__).parents[2] / "examples"
GRAPHS = {
    "tutorial_gradient.json": {
        "y": [[3.0, 3.0], [3.0, 3.0]],
        "z": [[27.0, 27.0], [27.0, 27.0]],
        "out": 27.0,
        "x.grad": [[4.5, 4.5], [4.5, 4.5]],
    },
    "jacobian.json": {"y": [36.0, 78.0], "jacobian": [[2.0, 8.0, 18.0], [8.0, 20.0, 36.0]]},
    "hessian_vector_product.json": {"gradient": [3.0, 12.0, 27.0], "hessian times v": [6.0, 0.0, -18.0]},
}
PRINTED = {
    "tutorial_gradient.json": """\
y = tensor([[3., 3.],
        [3., 3.]], grad_fn=<AddBackward0>)
z = tensor([[27., 27.],
        [27., 27.]], grad_fn=<MulBackward0>)
out = tensor(27., grad_fn=<MeanBackward0>)
x.grad = tensor([[4.5000, 4.5000],
        [4.5000, 4.5000]])
""",
    "hessian_vector_product.json": """\
gradient = tensor([ 3., 12., 27.], dtype=torch.float64, grad_fn=<MulBackward0>)
hessian times v = tensor([  6.,   0., -18.], dtype=torch.float64)
""",
}


def run(*command: str) -> str:
    """What a command prints; it must succeed."""
    environment = os.environ | {"PYTHONPATH": str(APP)}
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=EXAMPLES, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("file", GRAPHS)
def test_graphs_by_the_service(service: Service, file: str) -> None:
    outputs = service.graph((EXAMPLES / file).read_bytes())["outputs"]
    assert {name: output["data"] for name, output in outputs.items()} == GRAPHS[file]


@pytest.mark.parametrize("file", PRINTED)
def test_graphs_without_a_service(file: str) -> None:
    assert run(sys.executable, "-m", "gradwire", "run", file) == PRINTED[file]


def test_every_graph_here_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.json")} == set(GRAPHS)


def test_curl(server: Server) -> None:
    graph, norm = run("sh", "curl.sh", server.url).splitlines()
    assert json.loads(graph)["outputs"]["x.grad"]["data"] == [[4.5, 4.5], [4.5, 4.5]]
    assert json.loads(norm)["result"]["data"] == 5.0


def test_python(server: Server) -> None:
    assert (
        run(sys.executable, "client.py", server.url) == "out: 27.0 MeanBackward0\ngradient: [[4.5, 4.5], [4.5, 4.5]]\n"
    )


def test_linear_regression(server: Server) -> None:
    loss, line = run(sys.executable, "linear_regression.py", server.url).splitlines()
    assert loss == "loss: 9.0000, after 100 steps: 0.0000"
    assert re.fullmatch(r"y = 2\.0000 x \+ 1\.0000", line)


def test_logistic_regression(server: Server) -> None:
    losses, weights = run(sys.executable, "logistic_regression.py", server.url).splitlines()
    first, *_, last = [float(text) for text in losses.removeprefix("loss: ").split()]
    assert first == 0.6931
    assert last < 0.02
    assert all(weight > 1 for weight in json.loads(weights.removeprefix("weights: ")))


def _valley(x: torch.Tensor) -> torch.Tensor:
    left, right = x[:-1], x[1:]
    steep = torch.square(right - torch.square(left))
    return torch.add(torch.square(1.0 - left), steep, alpha=100.0).sum()


def test_scipy_by_the_service_ends_where_scipy_by_local_derivatives_does(server: Server) -> None:
    example = runpy.run_path(str(EXAMPLES / "scipy_minimize.py"))
    found = example["solve"](server.url)

    def value_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        gradient, value = torch.func.grad_and_value(_valley)(torch.tensor(x))
        return value.item(), gradient.numpy()

    def hessian_times(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return torch.autograd.functional.hvp(_valley, torch.tensor(x), torch.tensor(v))[1].numpy()

    options = {"xtol": 1e-9}
    start = np.array(example["START"])
    local = minimize(value_and_gradient, start, jac=True, hessp=hessian_times, method="Newton-CG", options=options)
    assert found.success
    assert found.x.tolist() == local.x.tolist()
    assert (found.nit, found.nfev, found.nhev) == (local.nit, local.nfev, local.nhev)
    assert found.x == pytest.approx(np.ones(4), abs=1e-8)


def test_scipy_prints_the_lowest_point(server: Server) -> None:
    lines = run(sys.executable, "scipy_minimize.py", server.url).splitlines()
    assert lines[0] == "minimum at [1.0, 1.0, 1.0, 1.0], height 0.000000"
    assert re.fullmatch(r"\d+ values and gradients, \d+ Hessian-vector products", lines[1])


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="the JavaScript example needs Node, which is not installed")
def test_javascript(server: Server) -> None:
    lines = run("node", "client.mjs", server.url).splitlines()
    assert lines[:4] == [
        "y [[3,3],[3,3]] AddBackward0",
        "z [[27,27],[27,27]] MulBackward0",
        "out 27 MeanBackward0",
        "x.grad [[4.5,4.5],[4.5,4.5]] ",
    ]
    assert lines[4].startswith("/inputs/x/requires_grad: ")
