"""All mistakes that can be found before running are found at once, each with its place."""

import torch
from graphs import findings

LEAF = torch.ones(2, 2, requires_grad=True)


def found(*args, **kwargs):
    return [(finding.code, finding.source.pointer, finding.node) for finding in findings(*args, **kwargs)]


def test_every_mistake_is_reported_in_order():
    assert found(
        {"x": LEAF},
        ("a", "ad", "$x", 1),
        ("b", "add", "$y", 1),
        ("c", "add", "$d", "$x.shap"),
        ("d", "from_file", "x"),
        returns=["q", "x.grad"],
    ) == [
        ("unknown_op", "/nodes/0/op", "a"),
        ("unknown_reference", "/nodes/1/args/0", "b"),
        ("unknown_reference", "/nodes/2/args/0", "c"),
        ("unknown_reference", "/nodes/2/args/1", "c"),
        ("excluded_op", "/nodes/3/op", "d"),
        ("unknown_reference", "/returns/0", None),
    ]


def test_unknown_names_get_the_nearest_one_as_a_hint():
    (finding,) = findings({"weights": LEAF}, ("a", "sum", "$wieghts"))
    assert finding.hint == "did you mean '$weights'?"


def test_a_forward_reference_is_told_apart_from_an_unknown_name():
    (finding,) = findings({}, ("a", "neg", "$b"), ("b", "ones", 1))
    assert "comes later" in finding.message


def test_a_node_cannot_refer_to_itself():
    assert found({}, ("a", "neg", "$a")) == [("unknown_reference", "/nodes/0/args/0", "a")]


def test_only_grad_and_requires_grad_can_be_assigned():
    (finding,) = findings({"x": LEAF}, (None, "setattr", "$x", "data", 0))
    assert (finding.code, finding.source.pointer) == ("invalid_argument", "/nodes/0/args/1")
    assert "copy_" in finding.hint


def test_pytorchs_refusal_carries_its_message_and_the_node():
    (finding,) = findings({"x": torch.ones(2, 3)}, ("y", "mm", "$x", "$x"))
    assert (finding.code, finding.source.pointer, finding.node) == ("op_failed", "/nodes/0", "y")
    assert finding.message == "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"


def test_a_refused_backward_names_the_node_that_changed_a_saved_tensor():
    (finding,) = findings(
        {"x": LEAF},
        ("y", "mul", "$x", 2),
        ("z", "mul", "$y", "$y"),
        ("broken", "add_", "$y", 1),
        ("out", "sum", "$z"),
        (None, "backward", "$out"),
    )
    assert finding.code == "op_failed"
    assert finding.node == 4
    assert "broken" in finding.hint


def test_a_path_that_leads_nowhere_is_found_when_the_node_runs():
    (finding,) = findings({"x": LEAF}, ("s", "size", "$x"), ("y", "add", "$s.grad", 1))
    assert (finding.code, finding.source.pointer, finding.node) == ("unknown_reference", "/nodes/1/args/0", "y")


def test_a_missing_device_is_refused_before_running():
    devices = ["cuda:99"] if torch.cuda.is_available() else ["cuda", "cuda:1"]
    for device in (*devices, "meta", "nonsense"):
        assert found({"x": LEAF}, ("y", "neg", "$x"), device=device) == [("unavailable_device", "/device", None)]
