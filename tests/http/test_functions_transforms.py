"""Every transform as a node gives what torch.func and torch.autograd.functional give locally, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import functional

from applying import apply, function, same, tensors
from service import Service, node

FUNCTIONS = {
    "energy": function(
        "x", [node("sin", "$x", id="s"), node("mul", "$s", "$x", id="p"), node("sum", "$p", id="e")], "e"
    ),
    "wave": function("x", [node("cumsum", "$x", 0, id="c"), node("cos", "$c", id="y")], "y"),
    "distance": function(
        "x y",
        [
            node("sub", "$x", "$y", id="d"),
            node("linalg.norm", "$d", id="n"),
            node("getitem", "$x", 0, id="first"),
            node("mul", "$n", "$first", id="m"),
        ],
        "m",
    ),
    "product": function("x y", [node("mul", "$x", "$y", id="p"), node("exp", "$p", id="y2")], "y2"),
    "both": function("x", [node("sin", "$x", id="s"), node("sum", "$s", id="l")], ["l", "s"]),
    "spread": function("x", [node("sin", "$x", id="s"), node("sum", "$s", id="t")], {"sines": "s", "sum": "t"}),
}
X = torch.tensor([0.3, -1.25, 2.0], dtype=torch.float64)
Y = torch.tensor([1.5, 0.25, -0.75], dtype=torch.float64)
ROWS = torch.tensor([[0.5, 1.0, -2.0], [3.0, 0.1, 0.7], [1.1, -0.4, 0.9], [0.0, 2.0, 4.0]])
INPUTS = tensors(x=X, y=Y, rows=ROWS)


def energy(x: Tensor) -> Tensor:
    """What `energy` does."""
    return (torch.sin(x) * x).sum()


def wave(x: Tensor) -> Tensor:
    """What `wave` does."""
    return torch.cos(torch.cumsum(x, 0))


def distance(x: Tensor, y: Tensor) -> Tensor:
    """What `distance` does."""
    return torch.linalg.norm(x - y) * x[0]


def product(x: Tensor, y: Tensor) -> Tensor:
    """What `product` does."""
    return torch.exp(x * y)


def both(x: Tensor) -> tuple[Tensor, Tensor]:
    """What `both` does: a value and something beside it."""
    s = torch.sin(x)
    return s.sum(), s


def spread(x: Tensor) -> dict[str, Tensor]:
    """What `spread` does."""
    return {"sines": torch.sin(x), "sum": torch.sin(x).sum()}


@dataclass(frozen=True)
class Case:
    """A node, and the same in local PyTorch."""

    name: str
    op: str
    of: Any
    args: list[Any]
    local: Callable[[], Any]
    options: dict[str, Any] = field(default_factory=dict)


def case(name: str, op: str, of: Any, args: list[Any], local: Callable[[], Any], **options: Any) -> Case:
    """A case with options as keywords."""
    return Case(name, op, of, args, local, options)


def of(op: str, inner: Any, **options: Any) -> dict[str, Any]:
    """A transform of a function, for `of`."""
    return {"op": op, "of": inner, "options": options}


f = torch.func
FIRST = [
    case("grad", "func.grad", "energy", ["$x"], lambda: f.grad(energy)(X)),
    case("torch.func.grad", "torch.func.grad", "$energy", ["$x"], lambda: f.grad(energy)(X)),
    case("grad by the second", "func.grad", "distance", ["$x", "$y"], lambda: f.grad(distance, 1)(X, Y), argnums=1),
    case("by the last", "func.grad", "distance", ["$x", "$y"], lambda: f.grad(distance, -1)(X, Y), argnums=-1),
    case("by both", "func.grad", "distance", ["$x", "$y"], lambda: f.grad(distance, (0, 1))(X, Y), argnums=[0, 1]),
    case("by one of a list", "func.grad", "distance", ["$x", "$y"], lambda: f.grad(distance, (1,))(X, Y), argnums=[1]),
    case("grad has_aux", "func.grad", "both", ["$x"], lambda: f.grad(both, has_aux=True)(X), has_aux=True),
    case("grad_and_value", "func.grad_and_value", "energy", ["$x"], lambda: f.grad_and_value(energy)(X)),
    case(
        "grad_and_value has_aux",
        "func.grad_and_value",
        "both",
        ["$x"],
        lambda: f.grad_and_value(both, has_aux=True)(X),
        has_aux=True,
    ),
    case("jacrev", "func.jacrev", "wave", ["$x"], lambda: f.jacrev(wave)(X)),
    case(
        "jacrev by both",
        "func.jacrev",
        "product",
        ["$x", "$y"],
        lambda: f.jacrev(product, (0, 1))(X, Y),
        argnums=[0, 1],
    ),
    case("jacrev in chunks", "func.jacrev", "wave", ["$x"], lambda: f.jacrev(wave, chunk_size=2)(X), chunk_size=2),
    case("jacrev has_aux", "func.jacrev", "both", ["$x"], lambda: f.jacrev(both, has_aux=True)(X), has_aux=True),
    case("jacrev of a dict", "func.jacrev", "spread", ["$x"], lambda: f.jacrev(spread)(X)),
    case("jacfwd", "func.jacfwd", "wave", ["$x"], lambda: f.jacfwd(wave)(X)),
    case("jacfwd by the second", "func.jacfwd", "product", ["$x", "$y"], lambda: f.jacfwd(product, 1)(X, Y), argnums=1),
    case("jacfwd has_aux", "func.jacfwd", "both", ["$x"], lambda: f.jacfwd(both, has_aux=True)(X), has_aux=True),
    case("hessian", "func.hessian", "energy", ["$x"], lambda: f.hessian(energy)(X)),
    case(
        "hessian by both",
        "func.hessian",
        "distance",
        ["$x", "$y"],
        lambda: f.hessian(distance, (0, 1))(X, Y),
        argnums=[0, 1],
    ),
    case("call", "call", "product", ["$x", "$y"], lambda: product(X, Y)),
    case(
        "call of a transform",
        "call",
        of("func.grad", "distance", argnums=1),
        ["$x", "$y"],
        lambda: f.grad(distance, 1)(X, Y),
    ),
]
PAIRS = [
    case("vjp", "func.vjp", "wave", ["$x"], lambda: _vjp(wave, Y, X), cotangents="$y"),
    case("vjp from numbers", "func.vjp", "wave", ["$x"], lambda: _vjp(wave, Y, X), cotangents=Y.tolist()),
    case("vjp of two", "func.vjp", "product", ["$x", "$y"], lambda: _vjp(product, X, X, Y), cotangents="$x"),
    case(
        "vjp of a dict",
        "func.vjp",
        "spread",
        ["$x"],
        lambda: _vjp(spread, {"sines": Y, "sum": torch.tensor(2.0).double()}, X),
        cotangents={"dict": {"sines": "$y", "sum": 2}},
    ),
    case(
        "vjp has_aux",
        "func.vjp",
        "both",
        ["$x"],
        lambda: _vjp_aux(both, torch.tensor(1.0).double(), X),
        cotangents=1,
        has_aux=True,
    ),
    case("jvp", "func.jvp", "wave", ["$x"], lambda: f.jvp(wave, (X,), (Y,)), tangents="$y"),
    case("jvp from a list of one", "func.jvp", "wave", ["$x"], lambda: f.jvp(wave, (X,), (Y,)), tangents=["$y"]),
    case(
        "jvp of two", "func.jvp", "product", ["$x", "$y"], lambda: f.jvp(product, (X, Y), (Y, X)), tangents=["$y", "$x"]
    ),
    case(
        "jvp from numbers",
        "func.jvp",
        "product",
        ["$x", "$y"],
        lambda: f.jvp(product, (X, Y), (Y, X)),
        tangents=[Y.tolist(), X.tolist()],
    ),
    case(
        "jvp has_aux",
        "func.jvp",
        "both",
        ["$x"],
        lambda: f.jvp(both, (X,), (Y,), has_aux=True),
        tangents="$y",
        has_aux=True,
    ),
    case("linearize", "func.linearize", "wave", ["$x"], lambda: _linearized(wave, (X,), (Y,)), tangents="$y"),
    case(
        "linearize of two",
        "func.linearize",
        "product",
        ["$x", "$y"],
        lambda: _linearized(product, (X, Y), (Y, X)),
        tangents=["$y", "$x"],
    ),
]
MAPPED = [
    case("vmap", "func.vmap", "energy", ["$rows"], lambda: f.vmap(energy)(ROWS)),
    case("vmap over columns", "func.vmap", "energy", ["$rows"], lambda: f.vmap(energy, 1)(ROWS), in_dims=1),
    case(
        "vmap over one of two",
        "func.vmap",
        "product",
        ["$rows", 2.0],
        lambda: f.vmap(product, (0, None))(ROWS, 2.0),
        in_dims=[0, None],
    ),
    case("vmap out_dims", "func.vmap", "wave", ["$rows"], lambda: f.vmap(wave, out_dims=1)(ROWS), out_dims=1),
    case(
        "vmap of a pair", "func.vmap", "both", ["$rows"], lambda: f.vmap(both, out_dims=(0, 1))(ROWS), out_dims=[0, 1]
    ),
    case("vmap in chunks", "func.vmap", "wave", ["$rows"], lambda: f.vmap(wave, chunk_size=3)(ROWS), chunk_size=3),
    case("vmap of an op", "func.vmap", {"function": "linalg.norm"}, ["$rows"], lambda: f.vmap(torch.linalg.norm)(ROWS)),
    case(
        "per-sample gradients", "func.vmap", of("func.grad", "energy"), ["$rows"], lambda: f.vmap(f.grad(energy))(ROWS)
    ),
    case(
        "vmap of hessian", "func.vmap", of("func.hessian", "energy"), ["$rows"], lambda: f.vmap(f.hessian(energy))(ROWS)
    ),
    case(
        "vmap of vmap",
        "func.vmap",
        of("func.vmap", {"function": "sin"}),
        ["$rows"],
        lambda: f.vmap(f.vmap(torch.sin))(ROWS),
    ),
    case("jacrev of vmap", "func.jacrev", of("func.vmap", "energy"), ["$rows"], lambda: f.jacrev(f.vmap(energy))(ROWS)),
]
NESTED = [
    case("jacfwd of jacrev", "func.jacfwd", of("func.jacrev", "energy"), ["$x"], lambda: f.jacfwd(f.jacrev(energy))(X)),
    case("jacrev of jacfwd", "func.jacrev", of("func.jacfwd", "wave"), ["$x"], lambda: f.jacrev(f.jacfwd(wave))(X)),
    case(
        "a third derivative",
        "func.jacfwd",
        of("func.hessian", "energy"),
        ["$x"],
        lambda: f.jacfwd(f.hessian(energy))(X),
    ),
    case(
        "mixed derivatives",
        "func.jacrev",
        of("func.grad", "distance"),
        ["$x", "$y"],
        lambda: f.jacrev(f.grad(distance), 1)(X, Y),
        argnums=1,
    ),
    case(
        "a vjp of a gradient",
        "func.vjp",
        of("func.grad", "energy"),
        ["$x"],
        lambda: _vjp(f.grad(energy), Y, X),
        cotangents="$y",
    ),
    case(
        "a jvp of a gradient",
        "func.jvp",
        of("func.grad", "energy"),
        ["$x"],
        lambda: f.jvp(f.grad(energy), (X,), (Y,)),
        tangents="$y",
    ),
    case(
        "grad five times",
        "func.grad",
        of("func.grad", of("func.grad", of("func.grad", of("func.grad", {"function": "sin"})))),
        [{"tensor": {"data": 0.5, "dtype": "float64"}}],
        lambda: f.grad(f.grad(f.grad(f.grad(f.grad(torch.sin)))))(torch.tensor(0.5).double()),
    ),
]
BY_AUTOGRAD = [
    case("jacobian", "autograd.functional.jacobian", "wave", ["$x"], lambda: functional.jacobian(wave, X)),
    case(
        "jacobian of two",
        "autograd.functional.jacobian",
        "product",
        ["$x", "$y"],
        lambda: functional.jacobian(product, (X, Y)),
    ),
    case(
        "jacobian vectorized",
        "autograd.functional.jacobian",
        "wave",
        ["$x"],
        lambda: functional.jacobian(wave, X, vectorize=True, strategy="forward-mode"),
        vectorize=True,
        strategy="forward-mode",
    ),
    case("hessian", "autograd.functional.hessian", "energy", ["$x"], lambda: functional.hessian(energy, X)),
    case(
        "hessian of two",
        "autograd.functional.hessian",
        "distance",
        ["$x", "$y"],
        lambda: functional.hessian(distance, (X, Y)),
    ),
    case("vjp", "autograd.functional.vjp", "wave", ["$x"], lambda: functional.vjp(wave, X, Y), v="$y"),
    case(
        "vjp from numbers", "autograd.functional.vjp", "wave", ["$x"], lambda: functional.vjp(wave, X, Y), v=Y.tolist()
    ),
    case("vjp of a scalar", "autograd.functional.vjp", "energy", ["$x"], lambda: functional.vjp(energy, X)),
    case(
        "jvp",
        "autograd.functional.jvp",
        "product",
        ["$x", "$y"],
        lambda: functional.jvp(product, (X, Y), (Y, X)),
        v=["$y", "$x"],
    ),
    case("vhp", "autograd.functional.vhp", "energy", ["$x"], lambda: functional.vhp(energy, X, Y), v="$y"),
    case("hvp", "autograd.functional.hvp", "energy", ["$x"], lambda: functional.hvp(energy, X, Y), v="$y"),
    case(
        "hvp of two",
        "autograd.functional.hvp",
        "distance",
        ["$x", "$y"],
        lambda: functional.hvp(distance, (X, Y), (Y, X)),
        v=[Y.tolist(), X.tolist()],
    ),
    case(
        "strict",
        "autograd.functional.jacobian",
        "wave",
        ["$x"],
        lambda: functional.jacobian(wave, X, strict=True),
        strict=True,
    ),
]


def _vjp(local: Callable[..., Any], cotangents: Any, *args: Tensor) -> Any:
    output, back = f.vjp(local, *args)
    return output, back(cotangents)


def _vjp_aux(local: Callable[..., Any], cotangents: Any, *args: Tensor) -> Any:
    output, back, aux = f.vjp(local, *args, has_aux=True)
    return output, back(cotangents), aux


def _linearized(local: Callable[..., Any], args: tuple[Tensor, ...], tangents: tuple[Tensor, ...]) -> Any:
    output, push = f.linearize(local, *args)
    return output, push(*tangents)


@pytest.mark.parametrize(
    "case", [*FIRST, *PAIRS, *MAPPED, *NESTED, *BY_AUTOGRAD], ids=lambda case: f"{case.op} {case.name}"
)
def test_a_transform_gives_what_it_gives_locally(service: Service, case: Case) -> None:
    made = apply(case.op, case.of, *case.args, id="r", **case.options)
    outputs = service.run([made], ["r"], INPUTS, functions=FUNCTIONS)
    same(outputs["r"], case.local())


def test_numbers_in_args_are_tensors(service: Service) -> None:
    found = service.value(apply("func.grad", "energy", [0.5, 2.0]), functions=FUNCTIONS)
    same(found, f.grad(energy)(torch.tensor([0.5, 2.0])))


def test_a_transform_without_args_is_a_function_for_of(service: Service) -> None:
    nodes = [
        apply("func.grad", "distance", id="slope", argnums=1),
        apply("call", "slope", "$x", "$y", id="first"),
        apply("func.jacrev", "$slope", "$x", "$y", id="mixed"),
        apply("func.vmap", {"op": "func.jacfwd", "of": "slope"}, "$rows", "$rows", id="many"),
    ]
    outputs = service.run(nodes, ["first", "mixed", "many"], INPUTS, functions=FUNCTIONS)
    slope = f.grad(distance, 1)
    same(outputs["first"], slope(X, Y))
    same(outputs["mixed"], f.jacrev(slope)(X, Y))
    same(outputs["many"], f.vmap(f.jacfwd(slope))(ROWS, ROWS))


def test_the_function_that_vjp_or_linearize_gives_can_be_called_many_times(service: Service) -> None:
    nodes = [
        apply("func.vjp", "wave", "$x", id="back"),
        apply("call", "back.1", "$y", id="once"),
        apply("func.vmap", "back.1", "$basis", id="all"),
        apply("func.linearize", "wave", "$x", id="line"),
        apply("call", "line.1", "$y", id="along"),
    ]
    basis = torch.eye(3, dtype=torch.float64)
    inputs = INPUTS | tensors(basis=basis)
    outputs = service.run(nodes, ["once", "all", "along"], inputs, functions=FUNCTIONS)
    _, back = f.vjp(wave, X)
    same(outputs["once"], back(Y))
    same(outputs["all"], f.vmap(back)(basis))
    same(outputs["along"], f.linearize(wave, X)[1](Y))


@pytest.mark.parametrize("randomness", ["same", "different"])
def test_randomness_in_vmap(service: Service, randomness: str) -> None:
    noisy = function("x", [node("rand_like", "$x", id="n"), node("add", "$x", "$n", id="y")], "y")
    made = apply("func.vmap", "noisy", "$rows", id="r", randomness=randomness)
    outputs = service.run([made], ["r"], INPUTS, functions={"noisy": noisy}, seed=7)
    torch.manual_seed(7)
    same(outputs["r"], f.vmap(lambda x: x + torch.rand_like(x), randomness=randomness)(ROWS))


def test_a_gradient_of_a_transform_flows_backward(service: Service) -> None:
    nodes = [
        apply("func.grad", "energy", "$x", id="g"),
        node("sum", "$g", id="s"),
        node("backward", "$s"),
    ]
    inputs = {"x": {"data": X.tolist(), "dtype": "float64", "requires_grad": True}}
    outputs = service.run(nodes, ["g", "x.grad"], inputs, functions=FUNCTIONS)
    x = X.clone().requires_grad_()
    g = f.grad(energy)(x)
    g.sum().backward()
    assert g.grad_fn is not None
    assert outputs["g"]["grad_fn"] == type(g.grad_fn).__name__
    same(outputs["x.grad"], x.grad)


def test_no_grad_holds_for_a_whole_transform(service: Service) -> None:
    made = apply("call", "energy", "$x", id="r") | {"no_grad": True}
    inputs = {"x": {"data": [1.0], "requires_grad": True}}
    assert service.run([made], ["r"], inputs, functions=FUNCTIONS)["r"]["requires_grad"] is False
