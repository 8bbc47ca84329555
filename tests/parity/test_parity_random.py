"""Random ops draw what local PyTorch draws after the same seed, in the same order, whatever else runs."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from service import node
from tensor_json import document, same_bits, to_torch

PROBABILITIES = torch.tensor([[0.1, 0.5, 0.4], [0.9, 0.05, 0.05]])
X = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
INPUTS = {"p": document(PROBABILITIES), "x": document(X), "w": document(X.clone(), requires_grad=True)}
F = torch.nn.functional
DRAWS = [
    (node("rand", 3, 2), lambda: torch.rand(3, 2)),
    (node("rand", [5], dtype="float64"), lambda: torch.rand(5, dtype=torch.float64)),
    (node("randn", 17), lambda: torch.randn(17)),
    (node("randn", 3, dtype="complex64"), lambda: torch.randn(3, dtype=torch.complex64)),
    (node("randint", 10, [4]), lambda: torch.randint(10, [4])),
    (node("randint", -5, 5, [2, 3]), lambda: torch.randint(-5, 5, [2, 3])),
    (node("randperm", 12), lambda: torch.randperm(12)),
    (node("rand_like", "$x"), lambda: torch.rand_like(X)),
    (node("randn_like", "$x"), lambda: torch.randn_like(X)),
    (node("randint_like", "$x", 9), lambda: torch.randint_like(X, 9)),
    (node("bernoulli", "$p"), lambda: torch.bernoulli(PROBABILITIES)),
    (node("bernoulli_", {"tensor": document(X)}, 0.3), lambda: X.clone().bernoulli_(0.3)),
    (node("multinomial", "$p", 2), lambda: torch.multinomial(PROBABILITIES, 2)),
    (node("multinomial", "$p", 9, True), lambda: torch.multinomial(PROBABILITIES, 9, True)),
    (node("poisson", "$x"), lambda: torch.poisson(X)),
    (node("binomial", "$x", {"tensor": document(torch.full((4, 6), 0.5))}), lambda: torch.binomial(X, X * 0 + 0.5)),
    (node("normal", 0.0, 2.0, [3]), lambda: torch.normal(0.0, 2.0, [3])),
    (node("normal", "$x", 1.5), lambda: torch.normal(X, 1.5)),
    (node("normal", 1.0, "$x"), lambda: torch.normal(1.0, X)),
    (node("normal", "$x", "$x"), lambda: torch.normal(X, X)),
    (node("nn.functional.dropout", "$x", 0.4), lambda: F.dropout(X, 0.4)),
    (node("F.alpha_dropout", "$x", 0.4, True), lambda: F.alpha_dropout(X, 0.4, True)),
    (node("F.dropout1d", "$x", 0.4), lambda: F.dropout1d(X, 0.4)),
    (node("F.feature_alpha_dropout", "$x", 0.4, True), lambda: F.feature_alpha_dropout(X, 0.4, True)),
    (node("F.gumbel_softmax", "$x", hard=True), lambda: F.gumbel_softmax(X, hard=True)),
    (node("F.rrelu", "$x", training=True), lambda: F.rrelu(X, training=True)),
    *(
        (node(name, {"tensor": document(X)}, *args), lambda name=name, args=args: getattr(X.clone(), name)(*args))
        for name, args in (
            ("normal_", (1.0, 3.0)),
            ("uniform_", (-1.0, 1.0)),
            ("exponential_", (0.5,)),
            ("geometric_", (0.2,)),
            ("cauchy_", ()),
            ("log_normal_", (0.0, 0.25)),
            ("random_", (7,)),
            ("random_", ()),
        )
    ),
]
NODES = [draw | {"id": f"n{index}"} for index, (draw, _) in enumerate(DRAWS)]
NAMES = [one["id"] for one in NODES]


@pytest.mark.parametrize("seed", [0, 7, 2**53 - 1, 2**64 - 1, -1])
def test_a_graph_draws_what_a_program_draws(service, seed):
    outputs = service.run(NODES, NAMES, INPUTS, seed=seed, encoding="base64")
    torch.manual_seed(seed)
    for name, (_, local) in zip(NAMES, DRAWS, strict=True):
        same_bits(outputs[name], local())


@pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: draw[0]["op"])
def test_one_draw_alone(service, draw):
    sent, local = draw
    found = service.value(sent, inputs=INPUTS, seed=5)
    torch.manual_seed(5)
    same_bits(found, local())


def test_the_gradient_of_a_draw(service):
    nodes = [
        node("nn.functional.dropout", "$w", 0.5, id="d"),
        node("rand_like", "$d", id="r"),
        node("mul", "$d", "$r", id="m"),
        node("sum", "$m", id="s"),
        node("backward", "$s"),
    ]
    outputs = service.run(nodes, ["d", "r", "w.grad"], INPUTS, seed=11)
    w = X.clone().requires_grad_()
    torch.manual_seed(11)
    dropped = F.dropout(w, 0.5)
    drawn = torch.rand_like(dropped)
    (dropped * drawn).sum().backward()
    for name, expected in (("d", dropped), ("r", drawn), ("w.grad", w.grad)):
        same_bits(outputs[name], expected)


def test_without_a_seed_the_drawn_one_gives_the_same_bits_again(service):
    body = {"inputs": INPUTS, "nodes": NODES, "returns": NAMES, "encoding": "base64"}
    first = service.graph(body)
    assert service.graph(body | {"seed": first["seed"]})["outputs"] == first["outputs"]
    assert service.graph(body)["outputs"] != first["outputs"]


def test_requests_at_once_do_not_disturb_each_other(service):
    body = {"inputs": INPUTS, "nodes": NODES * 1, "returns": NAMES, "encoding": "base64"}
    alone = [service.graph(body | {"seed": seed})["outputs"] for seed in range(4)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda turn: service.graph(body | {"seed": turn % 4})["outputs"], range(32)))
    assert all(found == alone[turn % 4] for turn, found in enumerate(together))


def test_manual_seed_within_a_graph(service):
    nodes = [
        node("rand", 4, id="a"),
        node("manual_seed", 3),
        node("rand", 4, id="b"),
        node("manual_seed", 3),
        node("rand", 4, id="c"),
    ]
    outputs = service.run(nodes, ["a", "b", "c"], seed=1)
    torch.manual_seed(3)
    expected = torch.rand(4)
    assert torch.equal(to_torch(outputs["b"]), expected)
    assert outputs["b"] == outputs["c"] != outputs["a"]
