"""A logistic regression trained in one request: Adam, written in nodes, inside a `scan`.

    python logistic_regression.py [URL]

`loss` is the function to learn by; `adam` moves one parameter; `step` asks `func.grad_and_value` for the slopes of all
parameters and calls `adam` for each. `scan` carries the parameters and Adam's two means, and stacks the losses.
"""

from __future__ import annotations

import sys
from typing import Any

import httpx

URL = "http://127.0.0.1:8000"
STEPS = 60
RATE = 0.2
POINTS = [[1.0, 2.0], [2.0, 0.5], [3.0, 1.0], [-1.0, -1.5], [-2.0, 0.5], [-0.5, -2.0], [0.5, 1.5], [-1.5, -0.5]]
LABELS = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def node(id: str, op: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """A call of an op."""
    return {"id": id, "op": op, "args": list(args), "kwargs": kwargs}


def apply(id: str, op: str, of: str, *args: Any, **options: Any) -> dict[str, Any]:
    """A call of a function, a transform of it, or a loop over it."""
    return {"id": id, "op": op, "of": of, "args": list(args), "options": options}


FUNCTIONS = {
    "loss": {
        "params": ["p"],
        "nodes": [
            node("products", "mv", "$points", "$p.w"),
            node("logits", "add", "$products", "$p.b"),
            node("l", "nn.functional.binary_cross_entropy_with_logits", "$logits", "$labels"),
        ],
        "returns": "l",
    },
    "adam": {
        "params": ["value", "slope", "mean", "square", "step"],
        "nodes": [
            node("m", "lerp", "$mean", "$slope", 0.1),
            node("slope2", "square", "$slope"),
            node("v", "lerp", "$square", "$slope2", 0.001),
            node("t", "operator.add", "$step", 1),
            node("power1", "operator.pow", 0.9, "$t"),
            node("bias1", "operator.sub", 1, "$power1"),
            node("power2", "operator.pow", 0.999, "$t"),
            node("bias2", "operator.sub", 1, "$power2"),
            node("direction", "div", "$m", "$bias1"),
            node("spread", "div", "$v", "$bias2"),
            node("root", "sqrt", "$spread"),
            node("scale", "add", "$root", 1e-8),
            node("moved", "addcdiv", "$value", "$direction", "$scale", value=-RATE),
        ],
        "returns": ["moved", "m", "v"],
    },
    "step": {
        "params": ["state", "step"],
        "nodes": [
            apply("g", "func.grad_and_value", "loss", "$state.p"),
            apply("w", "call", "adam", "$state.p.w", "$g.0.w", "$state.m.w", "$state.v.w", "$step"),
            apply("b", "call", "adam", "$state.p.b", "$g.0.b", "$state.m.b", "$state.v.b", "$step"),
        ],
        "returns": [{name: {"w": f"$w.{i}", "b": f"$b.{i}"} for i, name in enumerate("pmv")}, "$g.1"],
    },
}


def train(url: str = URL) -> dict[str, Any]:
    """The outputs: losses, weights and bias."""
    zeros = {"dict": {"w": "$zeros", "b": "$zero"}}
    inputs = {"points": POINTS, "labels": LABELS, "zeros": [0.0, 0.0], "zero": 0.0}
    state = {"dict": {"p": zeros, "m": zeros, "v": zeros}}
    nodes = [apply("trained", "scan", "step", state, length=STEPS)]
    returns = {"losses": "trained.1", "weights": "trained.0.p.w", "bias": "trained.0.p.b"}
    body = {"inputs": inputs, "functions": FUNCTIONS, "nodes": nodes, "returns": returns}
    reply = httpx.post(f"{url}/v1/graphs/run", json=body, timeout=60)
    reply.raise_for_status()
    outputs: dict[str, Any] = reply.json()["outputs"]
    return outputs


def main(url: str = URL) -> None:
    """Train, and print the loss on the way and what was learnt."""
    outputs = train(url)
    losses = outputs["losses"]["data"]
    print("loss:", " ".join(f"{losses[at]:.4f}" for at in (0, 9, 29, STEPS - 1)))
    print("weights:", [round(weight, 2) for weight in outputs["weights"]["data"]])


if __name__ == "__main__":
    main(*sys.argv[1:])
