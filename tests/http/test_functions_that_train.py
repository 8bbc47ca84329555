"""Programs that train in one request: losses and weights have the bits of the same loop in local PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import grad_and_value
from torch.nn.functional import binary_cross_entropy_with_logits

from applying import apply, function, same, tensors
from service import Service, node

STEPS = 40
_GENERATOR = torch.Generator().manual_seed(3)
POINTS = torch.randn(32, 2, generator=_GENERATOR)
LABELS = (POINTS @ torch.tensor([1.5, -2.0]) + 0.3 > 0).float()
START = {"w": torch.zeros(2), "b": torch.zeros(())}
INPUTS = tensors(points=POINTS, labels=LABELS, w0=START["w"], b0=START["b"])

LOSS = function(
    "p",
    [
        node("mv", "$points", "$p.w", id="m"),
        node("add", "$m", "$p.b", id="logits"),
        node("nn.functional.binary_cross_entropy_with_logits", "$logits", "$labels", id="loss_"),
    ],
    "loss_",
)
PARAMETERS = {"dict": {"w": "$w0", "b": "$b0"}}
FUNCTIONS: dict[str, Any] = {
    "loss": LOSS,
    "descend": function(
        "value slope", [node("mul", "$slope", 0.5, id="s"), node("sub", "$value", "$s", id="moved")], "moved"
    ),
    "sgd": function(
        "p step",
        [
            apply("func.grad_and_value", "loss", "$p", id="g"),
            apply("call", "descend", "$p.w", "$g.0.w", id="w"),
            apply("call", "descend", "$p.b", "$g.0.b", id="b"),
        ],
        [{"w": "$w", "b": "$b"}, "$g.1"],
    ),
    "momentum": function(
        "value slope velocity",
        [
            node("mul", "$velocity", 0.9, id="kept"),
            node("add", "$kept", "$slope", id="v"),
            node("mul", "$v", 0.1, id="s"),
            node("sub", "$value", "$s", id="moved"),
        ],
        ["moved", "v"],
    ),
    "momentum_step": function(
        "state step",
        [
            apply("func.grad_and_value", "loss", "$state.p", id="g"),
            apply("call", "momentum", "$state.p.w", "$g.0.w", "$state.v.w", id="w"),
            apply("call", "momentum", "$state.p.b", "$g.0.b", "$state.v.b", id="b"),
        ],
        [{"p": {"w": "$w.0", "b": "$b.0"}, "v": {"w": "$w.1", "b": "$b.1"}}, "$g.1"],
    ),
    "adam": function(
        "value slope first second step",
        [
            node("lerp", "$first", "$slope", 0.1, id="m"),
            node("mul", "$slope", "$slope", id="square"),
            node("lerp", "$second", "$square", 0.001, id="v"),
            node("operator.add", "$step", 1, id="t"),
            node("operator.pow", 0.9, "$t", id="power1"),
            node("operator.sub", 1, "$power1", id="bias1"),
            node("operator.pow", 0.999, "$t", id="power2"),
            node("operator.sub", 1, "$power2", id="bias2"),
            node("div", "$m", "$bias1", id="mean"),
            node("div", "$v", "$bias2", id="spread"),
            node("sqrt", "$spread", id="root"),
            node("add", "$root", 1e-8, id="scale"),
            node("addcdiv", "$value", "$mean", "$scale", value=-0.1, id="moved"),
        ],
        ["moved", "m", "v"],
    ),
    "adam_step": function(
        "state step",
        [
            apply("func.grad_and_value", "loss", "$state.p", id="g"),
            apply("call", "adam", "$state.p.w", "$g.0.w", "$state.m.w", "$state.v.w", "$step", id="w"),
            apply("call", "adam", "$state.p.b", "$g.0.b", "$state.m.b", "$state.v.b", "$step", id="b"),
        ],
        [{name: {"w": f"$w.{place}", "b": f"$b.{place}"} for place, name in enumerate(("p", "m", "v"))}, "$g.1"],
    ),
}
Parameters = dict[str, Tensor]


def loss(p: Parameters) -> Tensor:
    """What `loss` does."""
    return binary_cross_entropy_with_logits(torch.mv(POINTS, p["w"]) + p["b"], LABELS)


def sgd() -> tuple[Any, Tensor]:
    """The parameters after STEPS steps of gradient descent, and the losses."""
    p, losses = START, []
    for _ in range(STEPS):
        slopes, value = grad_and_value(loss)(p)
        p = {name: p[name] - slopes[name] * 0.5 for name in p}
        losses.append(value)
    return p, torch.stack(losses)


def momentum() -> tuple[Any, Tensor]:
    """The same with a velocity."""
    p, v, losses = START, {name: torch.zeros_like(one) for name, one in START.items()}, []
    for _ in range(STEPS):
        slopes, value = grad_and_value(loss)(p)
        v = {name: v[name] * 0.9 + slopes[name] for name in p}
        p = {name: p[name] - v[name] * 0.1 for name in p}
        losses.append(value)
    return {"p": p, "v": v}, torch.stack(losses)


def adam() -> tuple[Any, Tensor]:
    """The same with Adam's two means."""
    p, losses = START, []
    m = v = {name: torch.zeros_like(one) for name, one in START.items()}
    for step in range(1, STEPS + 1):
        slopes, value = grad_and_value(loss)(p)
        m = {name: torch.lerp(m[name], slopes[name], 0.1) for name in p}
        v = {name: torch.lerp(v[name], slopes[name] * slopes[name], 0.001) for name in p}
        scale = {name: torch.sqrt(v[name] / (1 - 0.999**step)) + 1e-8 for name in p}
        p = {name: torch.addcdiv(p[name], m[name] / (1 - 0.9**step), scale[name], value=-0.1) for name in p}
        losses.append(value)
    return {"p": p, "m": m, "v": v}, torch.stack(losses)


ZEROS = {"dict": {"w": "$w0", "b": "$b0"}}
TRAINED: list[tuple[str, Any, Callable[[], tuple[Any, Tensor]]]] = [
    ("sgd", PARAMETERS, sgd),
    ("momentum_step", {"dict": {"p": PARAMETERS, "v": ZEROS}}, momentum),
    ("adam_step", {"dict": {"p": PARAMETERS, "m": ZEROS, "v": ZEROS}}, adam),
]


@pytest.mark.parametrize(("step", "carry", "local"), TRAINED, ids=[name for name, _, _ in TRAINED])
def test_scan_trains_a_logistic_regression(
    service: Service, step: str, carry: Any, local: Callable[[], tuple[Any, Tensor]]
) -> None:
    value = service.value(apply("scan", step, carry, length=STEPS), inputs=INPUTS, functions=FUNCTIONS)
    expected = local()
    same(value, expected)
    losses = expected[1]
    assert losses[0] == pytest.approx(0.6931, abs=1e-4)
    assert losses[-1] < 0.5 * losses[0]


def test_while_loop_trains_until_the_loss_is_small(service: Service) -> None:
    functions = FUNCTIONS | {
        "poor": function("p last curve", [node("gt", "$last", 0.3, id="c")], "c"),
        "go": function(
            "p last curve",
            [
                apply("call", "sgd", "$p", 0, id="r"),
                node("unsqueeze", "$r.1", 0, id="one"),
                node("cat", ["$curve", "$one"], id="more"),
            ],
            ["$r.0", "$r.1", "$more"],
        ),
    }
    nodes = [
        node("empty", 0, id="none"),
        apply("while_loop", {"while": "poor", "do": "go"}, PARAMETERS, 1.0, "$none", id="r", max_steps=1000),
    ]
    outputs = service.run(nodes, ["r"], INPUTS, functions=functions)
    p, last, losses = START, torch.tensor(1.0), []
    while last > 0.3:
        slopes, last = grad_and_value(loss)(p)
        p = {name: p[name] - slopes[name] * 0.5 for name in p}
        losses.append(last)
    assert len(losses) > 10
    same(outputs["r"], (p, last, torch.stack(losses)))


def test_training_in_place_by_backward_in_a_loop(service: Service) -> None:
    """The same descent as a program: a `for` block with backward and an update in place."""
    inputs = INPUTS | {"w0": {"data": [0.0, 0.0], "requires_grad": True}, "b0": {"data": 0.0, "requires_grad": True}}
    turn = [
        apply("call", "loss", {"dict": {"w": "$w0", "b": "$b0"}}) | {"let": "l"},
        node("backward", "$l"),
        *[
            made
            for name in ("w0", "b0")
            for made in (
                node("sub_", f"${name}", f"${name}.grad", alpha=0.5) | {"no_grad": True},
                node("zero_", f"${name}.grad"),
            )
        ],
        node("detach", "$l") | {"let": "d"},
        node(".append", "$losses", "$d"),
    ]
    nodes = [
        {"let": "losses", "value": []},
        node("builtins.range", STEPS, id="steps"),
        {"op": "for", "let": "i", "in": "$steps", "body": turn},
        node("stack", "$losses", id="curve"),
    ]
    outputs = service.run(nodes, ["w0", "b0", "curve"], inputs, functions={"loss": LOSS})
    w, b = torch.zeros(2, requires_grad=True), torch.zeros((), requires_grad=True)
    losses = []
    for _ in range(STEPS):
        value = loss({"w": w, "b": b})
        value.backward()
        with torch.no_grad():
            for one in (w, b):
                one.sub_(one.grad, alpha=0.5)
                one.grad.zero_()
        losses.append(value.detach())
    same(outputs["w0"], w)
    same(outputs["b0"], b)
    same(outputs["curve"], torch.stack(losses))


ROSENBROCK = {
    "rosenbrock": function(
        "x",
        [
            node("rsub", "$x.0", 1.0, id="a"),
            node("square", "$a", id="aa"),
            node("square", "$x.0", id="q"),
            node("sub", "$x.1", "$q", id="b"),
            node("square", "$b", id="bb"),
            node("mul", "$bb", 100.0, id="far"),
            node("add", "$aa", "$far", id="y"),
        ],
        "y",
    ),
    "valley": function("x", [node("unbind", "$x", id="parts"), apply("call", "rosenbrock", "$parts", id="y")], "y"),
    "newton": function(
        "x step",
        [
            apply("func.grad_and_value", "valley", "$x", id="g"),
            apply("func.hessian", "valley", "$x", id="H"),
            node("linalg.solve", "$H", "$g.0", id="d"),
            node("sub", "$x", "$d", id="next"),
        ],
        ["next", "g.1"],
    ),
}


def test_newton_steps_with_the_hessian_solve_rosenbrock(service: Service) -> None:
    start = torch.tensor([-1.2, 1.0], dtype=torch.float64)
    value = service.value(
        apply("scan", "newton", "$start", length=8), inputs=tensors(start=start), functions=ROSENBROCK
    )

    def valley(x: Tensor) -> Tensor:
        first, second = x.unbind()
        return torch.square(torch.rsub(first, 1.0)) + torch.square(second - torch.square(first)) * 100.0

    x, values = start, []
    for _ in range(8):
        slope, now = grad_and_value(valley)(x)
        x = x - torch.linalg.solve(torch.func.hessian(valley)(x), slope)
        values.append(now)
    same(value, (x, torch.stack(values)))
    assert value["items"][0]["data"] == pytest.approx([1.0, 1.0], abs=1e-9)
