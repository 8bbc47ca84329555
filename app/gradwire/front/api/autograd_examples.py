"""Named examples of bodies for the short forms, shown in /docs. Each runs as it stands; a test sends every one."""

from __future__ import annotations

from typing import Any

from gradwire.front.api.examples import example, node

# Swagger UI writes 1.0 as 1: what must be floating says its dtype.
_ONES = {"data": [[1, 1], [1, 1]], "dtype": "float32"}
_POINT = {"data": [-1.2, 1], "dtype": "float64"}
_THREE = {"data": [1, 2, 3], "dtype": "float64"}
_TUTORIAL = [
    node("add", "$x", 2, id="y"),
    node("mul", "$y", "$y", id="yy"),
    node("mul", "$yy", 3, id="z"),
    node("mean", "$z", id="out"),
]
# 100 (y - x²)² + (1 - x)², the test function of optimisers.
_ROSENBROCK = [
    node("getitem", "$p", "0", id="x"),
    node("getitem", "$p", "1", id="y"),
    node("pow", "$x", 2, id="x2"),
    node("sub", "$y", "$x2", id="valley"),
    node("pow", "$valley", 2, id="valley2"),
    node("rsub", "$x", 1, id="rest"),
    node("pow", "$rest", 2, id="rest2"),
    node("add", "$rest2", "$valley2", id="f", alpha=100),
]
_MODEL = {
    "inputs": {
        "w": {"data": [0.5, -0.25], "dtype": "float64"},
        "b": {"data": 0.1, "dtype": "float64"},
        "x": {"data": [[1, 2], [3, 4], [5, 6]], "dtype": "float64"},
    },
    "nodes": [node("matmul", "$x", "$w", id="h"), node("add", "$h", "$b", id="z"), node("sigmoid", "$z", id="p")],
}
_LOSS = [*_MODEL["nodes"], node("mean", "$p", id="loss")]

_SCALARS: dict[str, dict[str, Any]] = {
    "tutorial": example(
        "The tutorial's gradient",
        "out = mean(3 (x + 2)²) over a 2 x 2 tensor of ones is 27; every element of its gradient is 4.5.",
        inputs={"x": _ONES},
        nodes=_TUTORIAL,
        returns="out",
    ),
    "rosenbrock": example(
        "Rosenbrock's function", "At (-1.2, 1) it is 24.2.", inputs={"p": _POINT}, nodes=_ROSENBROCK, wrt=["p"]
    ),
    "weights": example(
        "By some of the inputs",
        "The weights of a small model, but not its data.",
        inputs=_MODEL["inputs"],
        nodes=_LOSS,
        returns="loss",
        wrt=["w", "b"],
    ),
}
_CUBES = {"inputs": {"x": _THREE}, "nodes": [node("pow", "$x", 3, id="y")], "returns": "y"}
_MATRICES: dict[str, dict[str, Any]] = {
    "elementwise": example("A diagonal one", "Of y = x³.", **_CUBES),
    "model": example(
        "By several inputs", "Of the predictions of a small model.", **_MODEL, returns="p", wrt=["w", "b"]
    ),
    "chosen": example(
        "With the mode and the chunk size chosen",
        "Two passes at a time, in reverse mode.",
        **_CUBES,
        mode="reverse",
        chunk_size=2,
    ),
}
_HESSIANS: dict[str, dict[str, Any]] = {
    "rosenbrock": example(
        "Rosenbrock's function",
        "At (-1.2, 1): [[1330, 480], [480, 200]].",
        inputs={"p": _POINT},
        nodes=_ROSENBROCK,
        returns="f",
    ),
    "weights": _SCALARS["weights"],
    "chosen": example(
        "In reverse mode", "Of mean(3 (x + 2)²).", inputs={"x": _ONES}, nodes=_TUTORIAL, returns="out", mode="reverse"
    ),
}
BODIES: dict[str, dict[str, dict[str, Any]]] = {
    "value_and_grad": _SCALARS,
    "grad": _SCALARS,
    "vjp": {
        "one": example(
            "One cotangent", "vᵀJ of y = x³ for v = (0.1, 1, 0.0001).", **_CUBES, cotangents=[0.1, 1, 0.0001]
        ),
        "many": example(
            "Many cotangents",
            "The rows of the Jacobian, from one run of the graph.",
            **_CUBES,
            cotangents=[{"data": [1, 0, 0]}, {"data": [0, 1, 0]}, {"data": [0, 0, 1]}],
        ),
        "none": example("Of one number", "Without cotangents.", inputs={"x": _ONES}, nodes=_TUTORIAL, returns="out"),
    },
    "jvp": {
        "one": example("One tangent", "J v of y = x³.", **_CUBES, tangents={"x": [1, 0, 0]}),
        "many": example("Many tangents", "Each a direction.", **_CUBES, tangents=[{"x": [1, 0, 0]}, {"x": [0, 1, 1]}]),
        "some": example(
            "In some of the inputs",
            "Only the bias moves.",
            **_MODEL,
            returns="p",
            tangents={"b": {"data": 1, "dtype": "float64"}},
        ),
    },
    "jacobian": _MATRICES,
    "hessian": _HESSIANS,
    "hvp": {
        "one": example(
            "One vector", "H v of Rosenbrock's function.", inputs={"p": _POINT}, nodes=_ROSENBROCK, vector={"p": [1, 0]}
        ),
        "many": example(
            "Many vectors",
            "The columns of the Hessian, from one run of the graph.",
            inputs={"p": _POINT},
            nodes=_ROSENBROCK,
            vector=[{"p": [1, 0]}, {"p": [0, 1]}],
        ),
        "weights": example(
            "By several inputs",
            "What is left out of the vector does not move.",
            inputs=_MODEL["inputs"],
            nodes=_LOSS,
            returns="loss",
            vector={"w": [1, 1]},
        ),
    },
    "gradcheck": {
        "first": example("First derivatives", "Of Rosenbrock's function.", inputs={"p": _POINT}, nodes=_ROSENBROCK),
        "second": example("Second derivatives", "gradgradcheck.", **_MODEL, returns="p", wrt=["w", "b"], order=2),
        "fails": example(
            "One that fails",
            "A step of 1 is too far for x³: the numerical derivatives are off by 1.",
            **_CUBES,
            eps=1,
        ),
    },
}
