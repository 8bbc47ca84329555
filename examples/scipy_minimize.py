"""SciPy's minimize with derivatives from the service: gradients and Hessian-vector products of a function in JSON.

    python scipy_minimize.py [URL]

The function is Rosenbrock's valley in four dimensions. SciPy decides where to look; the service says how high it is
there, which way it falls (`func.grad_and_value`), and how it bends along a direction (`autograd.functional.hvp`).
"""

from __future__ import annotations

import sys
from typing import Any

import httpx
import numpy as np
from scipy.optimize import OptimizeResult, minimize

URL = "http://127.0.0.1:8000"
START = [1.3, 0.7, 0.8, 1.9]

VALLEY = {
    "params": ["x"],
    "nodes": [
        {"id": "left", "op": "getitem", "args": ["$x", ":-1"]},
        {"id": "right", "op": "getitem", "args": ["$x", "1:"]},
        {"id": "squares", "op": "square", "args": ["$left"]},
        {"id": "off", "op": "sub", "args": ["$right", "$squares"]},
        {"id": "steep", "op": "square", "args": ["$off"]},
        {"id": "to_one", "op": "rsub", "args": ["$left", 1.0]},
        {"id": "flat", "op": "square", "args": ["$to_one"]},
        {"id": "terms", "op": "add", "args": ["$flat", "$steep"], "kwargs": {"alpha": 100.0}},
        {"id": "height", "op": "sum", "args": ["$terms"]},
    ],
    "returns": "height",
}


class Remote:
    """The function, its gradient and its Hessian-vector product, each a request."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def _run(self, node: dict[str, Any], returns: dict[str, str], **inputs: np.ndarray) -> dict[str, Any]:
        tensors = {name: {"data": array.tolist(), "dtype": "float64"} for name, array in inputs.items()}
        body = {"inputs": tensors, "functions": {"valley": VALLEY}, "nodes": [node], "returns": returns}
        reply = self._client.post("/v1/graphs/run", json=body)
        reply.raise_for_status()
        return {name: output["data"] for name, output in reply.json()["outputs"].items()}

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The height at x, and its gradient."""
        node = {"id": "r", "op": "func.grad_and_value", "of": "valley", "args": ["$x"]}
        found = self._run(node, {"gradient": "r.0", "value": "r.1"}, x=x)
        return found["value"], np.array(found["gradient"])

    def hessian_times(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """H v at x."""
        node = {"id": "r", "op": "autograd.functional.hvp", "of": "valley", "args": ["$x"], "options": {"v": "$v"}}
        return np.array(self._run(node, {"product": "r.1"}, x=x, v=v)["product"])


def solve(url: str = URL) -> OptimizeResult:
    """The lowest point that Newton's method with conjugate gradients finds."""
    remote = Remote(url)
    start = np.array(START)
    return minimize(
        remote.value_and_gradient,
        start,
        jac=True,
        hessp=remote.hessian_times,
        method="Newton-CG",
        options={"xtol": 1e-9},
    )


def main(url: str = URL) -> None:
    """Solve, and print where the lowest point is."""
    found = solve(url)
    print(f"minimum at {np.round(found.x, 6).tolist()}, height {abs(found.fun):.6f}")
    print(f"{found.nfev} values and gradients, {found.nhev} Hessian-vector products")


if __name__ == "__main__":
    main(*sys.argv[1:])
