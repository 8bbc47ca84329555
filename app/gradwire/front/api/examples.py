"""Named examples of request bodies, shown in /docs. Each runs as it stands; a test sends every one."""

from __future__ import annotations

from typing import Any

# Swagger UI writes 1.0 as 1: what must be floating says its dtype.
ONES = {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}
VECTOR = {"data": [1, 2, 3], "dtype": "float32", "requires_grad": True}


def node(op: str, *args: Any, id: str | None = None, **kwargs: Any) -> dict[str, Any]:
    """A node of a graph."""
    made: dict[str, Any] = {} if id is None else {"id": id}
    made.update(op=op, args=list(args))
    if kwargs:
        made["kwargs"] = kwargs
    return made


def example(summary: str, description: str, **value: Any) -> dict[str, Any]:
    """An example as OpenAPI has them; `value` are the members of the body."""
    return {"summary": summary, "description": description, "value": value}


_GRADIENT = [
    node("add", "$x", 2, id="y"),
    node("mul", "$y", "$y", id="yy"),
    node("mul", "$yy", 3, id="z"),
    node("mean", "$z", id="out"),
    node("backward", "$out"),
]
_TRAINING = (
    "import torch\nw = torch.zeros(2, requires_grad=True)\nfor step in range(3):\n"
    "    loss = ((x @ w - y) ** 2).mean()\n    loss.backward()\n    with torch.no_grad():\n"
    "        w -= 0.1 * w.grad\n    w.grad = None\nprint(w)"
)
_POINTS = {
    "x": {"data": [[1, 2], [3, 4]], "dtype": "float32"},
    "y": {"data": [5, 6], "dtype": "float32"},
}
PROGRAMS: dict[str, dict[str, Any]] = {
    "gradient": example(
        "The tutorial's gradient",
        "Five lines, and the nodes that they are.",
        program="import torch\nx = torch.ones(2, 2, requires_grad=True)\nz = (x + 2) ** 2 * 3\nout = z.mean()\n"
        "out.backward()",
    ),
    "training": example(
        "A loop that trains",
        "Loops stay loops: a `for` node with a body. `x` and `y` are inputs of the graph.",
        program=_TRAINING,
        inputs=_POINTS,
    ),
    "closure": example(
        "A function of functions",
        "`def`, a closure and torch.func: functions are values of nodes.",
        program="import torch\ndef power(n):\n    def f(x):\n        return (x ** n).sum()\n    return f\n"
        "H = torch.func.hessian(power(3))(torch.tensor([1.0, 2.0]))\nprint(H)",
    ),
}
AS_PYTHON: dict[str, dict[str, Any]] = {
    "gradient": example(
        "The tutorial's gradient",
        "Ready to be pasted into a notebook.",
        inputs={"x": ONES},
        nodes=_GRADIENT,
    ),
    "function": example(
        "A function and its Hessian",
        "A function of nodes, differentiated by torch.func.",
        inputs={"x": VECTOR},
        functions={
            "f": {
                "params": ["v"],
                "nodes": [node("mul", "$v", "$v", id="s"), node("sum", "$s", id="y")],
                "returns": "y",
            }
        },
        nodes=[{"id": "H", "op": "func.hessian", "of": "f", "args": ["$x"]}],
    ),
    "training": example(
        "A loop that trains",
        "A `for` node becomes a `for` statement. A name that Python lacks is changed, and `names` says so.",
        inputs=_POINTS | {"learning rate": 0.1},
        nodes=[
            {"let": "w", **node("zeros", 2, requires_grad=True)},
            {
                "op": "for",
                "let": "step",
                "in": [0, 1, 2],
                "body": [
                    node("matmul", "$x", "$w", id="out"),
                    node("nn.functional.mse_loss", "$out", "$y", id="loss"),
                    node("autograd.grad", "$loss", ["$w"], id="g"),
                    node("mul", "$g.0", "$learning rate", id="down"),
                    node("Tensor.sub_", "$w", "$down") | {"no_grad": True},
                ],
            },
            node("print", "$w"),
        ],
    ),
}
GRAPHS: dict[str, dict[str, Any]] = {
    "gradient": example(
        "The tutorial's gradient",
        "out = mean(3 (x + 2)²) over a 2 x 2 tensor of ones; every element of its gradient is 4.5.",
        inputs={"x": ONES},
        nodes=_GRADIENT,
        returns=["y", "out", "x.grad"],
        tape=True,
    ),
    "program": example(
        "PyTorch as it is written",
        "The same gradient as the text of a program: compiled to nodes, nothing of it run as Python. `printed` holds "
        "what `print` wrote.",
        program="import torch\nx = torch.ones(2, 2, requires_grad=True)\ny = x + 2\nz = y * y * 3\nout = z.mean()\n"
        "print(z, out)\nout.backward()\nprint(x.grad)",
    ),
    "random": example(
        "Random numbers with a seed",
        "`torch.rand(5, 3)` after `torch.manual_seed(0)`, and its size.",
        nodes=[node("rand", 5, 3, id="x"), node("size", "$x", id="size")],
        returns=["x", "size"],
        seed=0,
    ),
    "create": example(
        "Creating tensors",
        "Zeros of a dtype, a tensor of numbers, ones like another, random numbers of another's shape.",
        nodes=[
            node("zeros", 5, 3, id="z", dtype="int64"),
            node("tensor", [5.5, 3], id="t"),
            node("new_ones", "$t", 5, 3, id="ones", dtype="float64"),
            node("randn_like", "$ones", id="like", dtype="float32"),
        ],
        returns=["z", "t", "ones", "like"],
        seed=0,
    ),
    "views": example(
        "Views share memory",
        "Adding 100 in place to a column of a view shows in the tensor that it views.",
        nodes=[
            node("arange", 6, id="x"),
            node("view", "$x", 2, 3, id="v"),
            node("getitem", "$v", ":, 1", id="column"),
            node("add_", "$column", 100),
        ],
        returns=["x", "v", "column"],
        describe="full",
    ),
    "vjp": example(
        "A vector-Jacobian product",
        "vᵀJ of y = x³ for v = (0.1, 1, 0.0001), without the whole Jacobian matrix.",
        inputs={"x": VECTOR, "v": [0.1, 1.0, 0.0001]},
        nodes=[
            node("pow", "$x", 3, id="y"),
            node("autograd.grad", "$y", "$x", id="g", grad_outputs="$v"),
        ],
        returns={"vjp": "g.0"},
    ),
    "jacobian": example(
        "A Jacobian matrix",
        "J[i][j] = dy_i/dx_j of y = cumprod(x), by one batched backward pass over the rows of the identity.",
        inputs={"x": VECTOR},
        nodes=[
            node("cumprod", "$x", id="y", dim=0),
            node("eye", 3, id="rows"),
            node("autograd.grad", "$y", "$x", id="g", grad_outputs="$rows", is_grads_batched=True),
        ],
        returns={"y": "y", "jacobian": "g.0"},
    ),
    "second_derivative": example(
        "A second derivative",
        "y = x³ at 2: 12 by the first backward pass, 12 by the second.",
        inputs={"x": {"data": 2.0, "dtype": "float64", "requires_grad": True}},
        nodes=[
            node("pow", "$x", 3, id="y"),
            node("autograd.grad", "$y", "$x", id="first", create_graph=True),
            node("autograd.grad", "$first.0", "$x", id="second"),
        ],
        returns={"dy": "first.0", "ddy": "second.0"},
        tape={"gradients": True},
    ),
    "exact": example(
        "Numbers that JSON has no word for",
        "NaN, infinities, a NaN by its bits, and an integer beyond 2^53; one output as base64.",
        inputs={
            "f": {"data": ["NaN", "-Infinity", "0x7fc00001", "-0.0", 0.1], "dtype": "float32"},
            "i": {"data": ["18446744073709551615", 1], "dtype": "uint64"},
        },
        nodes=[node("neg", "$f", id="negated")],
        returns=["f", "i", {"ref": "negated", "encoding": "base64"}],
    ),
}

# All of them fit `add`, which the path's example names.
CALLS: dict[str, dict[str, Any]] = {
    "two_tensors": example(
        "Two tensors", "`torch.add(a, b)`.", args=[{"data": [1.5, 2.5, 3.5]}, {"data": [10, 20, 30]}]
    ),
    "number": example("A tensor and a number", "`torch.add(a, 2)`.", args=[{"data": [[1, 1], [1, 1]]}, 2]),
    "keyword": example(
        "With a keyword argument",
        "`torch.add(a, b, alpha=10)`: a + 10 b.",
        args=[{"tensor": {"data": [1, 2], "dtype": "float64"}}, {"tensor": {"data": [3, 4], "dtype": "float64"}}],
        kwargs={"alpha": 10},
    ),
    "base64": example(
        "Bytes in base64, both ways",
        "The float32 numbers 1 and 2, plus 1.",
        args=[{"data": "AACAPwAAAEA=", "encoding": "base64", "dtype": "float32", "shape": [2]}, 1],
        encoding="base64",
    ),
}
BATCHES: dict[str, dict[str, Any]] = {
    "powers": example(
        "Derivatives at several places",
        "x³ and its derivative at 1, 2 and 3: three graphs, each with a reply of its own.",
        graphs=[
            {
                "inputs": {"x": {"data": place, "dtype": "float32", "requires_grad": True}},
                "nodes": [node("pow", "$x", 3, id="y"), node("backward", "$y")],
                "returns": ["y", "x.grad"],
            }
            for place in (1, 2, 3)
        ],
    ),
    "seeds": example(
        "One program, two seeds",
        "What the first dice show, and what the others.",
        graphs=[{"program": "x = torch.randint(1, 7, (3,))\nprint(x)", "seed": seed} for seed in (0, 1)],
    ),
    "one_fails": example(
        "One that fails",
        "The second is a problem document; the first and the third have their results.",
        graphs=[
            {"nodes": [node("ones", 2, id="y")]},
            {"nodes": [node("matmull", 2, id="y")]},
            {"nodes": [node("zeros", 2, id="y")]},
        ],
    ),
}
