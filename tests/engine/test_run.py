"""A graph runs as one Python-like program: names, aliases, in-place changes, gradients."""

import torch
from graphs import outcome, values

from gradwire.engine.values import NoneBecause

ONES = torch.ones(2, 2)
LEAF = torch.ones(2, 2, requires_grad=True)


def test_the_tutorials_gradient():
    found = values(
        {"x": LEAF},
        ("y", "add", "$x", 2),
        ("yy", "mul", "$y", "$y"),
        ("z", "mul", "$yy", 3),
        ("out", "mean", "$z"),
        (None, "backward", "$out"),
    )
    assert list(found) == ["out", "x.grad"]
    assert found["out"].item() == 27.0
    assert found["x.grad"].tolist() == [[4.5, 4.5], [4.5, 4.5]]
    assert found["out"].grad_fn.name() == "MeanBackward0"


def test_another_name_of_a_tensor_sees_an_in_place_change():
    found = values({"x": ONES}, ("v", "view", "$x", 4), ("w", "add_", "$v", 1), returns=["x", "v", "w"])
    assert found["x"].tolist() == [[2, 2], [2, 2]]
    assert found["w"] is found["v"]


def test_out_names_the_tensor_that_holds_the_result():
    found = values({"x": ONES}, ("r", "zeros", 2, 2), ("s", "add", "$x", 1, {"out": "$r"}), returns=["r", "s"])
    assert found["r"].tolist() == [[2, 2], [2, 2]]
    assert found["s"] is found["r"]


def test_item_assignment_gives_the_container_and_takes_lists():
    found = values({"x": ONES}, ("s", "setitem", "$x", ":, 0", [5, 6]), returns=["s", "x"])
    assert found["x"].tolist() == [[5, 1], [6, 1]]
    assert found["s"] is found["x"]


def test_gradients_can_be_assigned_and_cleared():
    found = values(
        {"x": LEAF},
        ("out", "sum", "$x"),
        (None, "backward", "$out"),
        (None, "setattr", "$x", "grad", None),
        ("again", "sum", "$x"),
        (None, "backward", "$again"),
        returns=["x.grad"],
    )
    assert found["x.grad"].tolist() == [[1, 1], [1, 1]]


def test_a_leaf_that_a_node_made_returns_its_gradient_by_default():
    found = values(
        {},
        ("w", "ones", 3, {"requires_grad": True}),
        ("loss", "sum", "$w"),
        (None, "backward", "$loss"),
    )
    assert list(found) == ["loss", "w.grad"]
    assert found["w.grad"].tolist() == [1, 1, 1]


def test_a_graph_without_nodes_returns_filled_gradients_only():
    assert values({"x": LEAF}) == {}


def test_an_unused_input_of_autograd_grad_is_none_with_the_reason():
    found = values(
        {"x": LEAF, "u": LEAF},
        ("out", "sum", "$x"),
        ("g", "autograd.grad", "$out", ["$x", "$u"], {"allow_unused": True}),
        returns=["g", "g.1", "g.0"],
    )
    reason = NoneBecause("the outputs do not depend on 'u'")
    assert found["g"][1] == reason
    assert found["g.1"] == reason
    assert found["g.0"].tolist() == [[1, 1], [1, 1]]


def test_the_same_seed_gives_the_same_bits_as_torch():
    torch.manual_seed(7)
    expected = torch.rand(3, 2), torch.randn(2)
    found = values({}, ("a", "rand", 3, 2), ("b", "randn", 2), returns=["a", "b"], seed=7)
    assert torch.equal(found["a"], expected[0])
    assert torch.equal(found["b"], expected[1])


def test_a_drawn_seed_is_reported_and_reproduces_the_run():
    first = outcome({}, ("a", "rand", 4))
    assert 0 <= first.seed < 2**53
    again = values({}, ("a", "rand", 4), seed=first.seed)
    assert torch.equal(first.outputs["a"].value, again["a"])


def test_manual_seed_in_a_graph_reseeds_the_run_and_gives_its_generator():
    found = values({}, ("s", "manual_seed", 3), ("a", "rand", 2), returns=["a", "s"])
    torch.manual_seed(3)
    assert torch.equal(found["a"], torch.rand(2))
    assert found["s"] is torch.default_generator


def test_values_are_given_back_after_their_last_use():
    from graphs import graph

    from gradwire.engine.plan import plan
    from gradwire.engine.run import run

    prepared, findings = plan(graph({}, ("a", "ones", 2), ("b", "neg", "$a"), ("c", "neg", "$b"), returns=["c"]))
    assert findings == []
    assert [step.free for step in prepared.steps] == [(), (prepared.names["a"],), (prepared.names["b"],)]
    assert run(prepared).outputs["c"].value.tolist() == [1, 1]
