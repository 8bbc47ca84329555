"""Gradient descent in one request: a hundred training steps, written one after the other into a graph.

    python linear_regression.py [URL]

The data lie on y = 2x + 1; weight and bias start at 0. Each step is what a training loop does: predict, loss, backward,
update the parameters in place under no_grad, and set the gradients to zero.
"""

from __future__ import annotations

import sys

from client import URL, Graph

STEPS = 100
RATE = 0.1


def main(url: str = URL) -> None:
    """Train, and print the first and last loss and what was learnt."""
    graph = Graph()
    points = [-2.0, -1.0, 0.0, 1.0, 2.0]
    x = graph.input("x", points, dtype="float32")
    target = graph.input("target", [2 * point + 1 for point in points], dtype="float32")
    weight = graph.input("weight", 0.0, dtype="float32", requires_grad=True)
    bias = graph.input("bias", 0.0, dtype="float32", requires_grad=True)
    losses = []
    for _ in range(STEPS):
        predicted = graph.add("add", graph.add("mul", x, weight), bias)
        loss = graph.add("nn.functional.mse_loss", predicted, target)
        graph.add("backward", loss)
        for parameter in (weight, bias):
            graph.add("sub_", parameter, f"{parameter}.grad", alpha=RATE, no_grad=True)
            graph.add("zero_", f"{parameter}.grad")
        losses.append(loss)
    outputs = graph.run(url, first=losses[0], last=losses[-1], weight=weight, bias=bias)
    print(f"loss: {outputs['first']['data']:.4f}, after {STEPS} steps: {outputs['last']['data']:.4f}")
    print(f"y = {outputs['weight']['data']:.4f} x + {outputs['bias']['data']:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
