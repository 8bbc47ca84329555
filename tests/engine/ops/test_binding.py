"""Planning a call: literals become what the signature says, and what can never fit is reported with its place."""

import pytest
import torch
from calls import NODE, expression, mistake, mistakes, op, prepared

from gradwire.engine.graph import Collection, Literal, Numbers, Ref, TensorDocument
from gradwire.engine.ops.arguments import Prepared, prepare

X = torch.arange(4.0)


def arguments(name, *args, **kwargs):
    found = prepared(name, *args, **kwargs)
    assert isinstance(found, Prepared), found
    return found


def test_references_and_numbers_stay_as_they_are():
    found = arguments("add", "$x", 2)
    assert isinstance(found.args[0], Ref)
    assert found.args[1].value == 2
    assert type(found.args[1].value) is int


def test_texts_become_what_the_parameter_is():
    found = arguments("zeros", 2, dtype="long", device="cpu", layout="strided")
    assert {name: one.value for name, one in found.kwargs.items()} == {
        "dtype": torch.int64,
        "device": torch.device("cpu"),
        "layout": torch.strided,
    }
    assert arguments("clone", "$x", memory_format="channels_last").kwargs["memory_format"].value is torch.channels_last
    assert arguments("to", "$x", "float64").args[1].value is torch.float64
    assert arguments("to", "$x", "cpu").args[1].value == torch.device("cpu")
    assert arguments("zeros", 2, dtype="torch.half").kwargs["dtype"].value is torch.float16


def test_numpys_words_are_taken_where_pytorch_takes_them():
    found = arguments("sum", "$x", axis=0, keepdims=True)
    assert {name: one.value for name, one in found.kwargs.items()} == {"dim": 0, "keepdim": True}
    assert set(arguments("add", x="$x", x2=1).kwargs) == {"input", "other"}
    assert set(arguments("numpy.sum", "$x", axis=0).kwargs) == {"axis"}
    assert mistake("norm", "$x", axis=0).message == "norm takes no argument called 'axis'"  # a Python function


def test_values_that_are_typed_already_pass():
    source = NODE.at("kwargs", "dtype")
    found = prepare(op("zeros"), [Literal(2, NODE)], {"dtype": Literal(torch.int8, source)}, NODE, "n")
    assert found.kwargs["dtype"].value is torch.int8


def test_a_string_parameter_keeps_its_text():
    found = arguments("div", "$x", 2, rounding_mode="floor")
    assert found.kwargs["rounding_mode"].value == "floor"


def test_a_list_is_sizes_where_an_overload_takes_sizes():
    assert isinstance(arguments("sum", "$x", [0, 1]).args[1], Numbers)
    assert isinstance(arguments("reshape", "$x", [2, 2]).args[1], Numbers)
    assert isinstance(arguments("tensor", [5.5, 3]).args[0], Numbers)


def test_a_list_is_a_tensor_where_only_a_tensor_is_taken():
    found = arguments("add", [1, 2], 2)
    assert isinstance(found.args[0], TensorDocument)
    assert found.args[0].tensor.tolist() == [1, 2]
    assert found.args[0].source.pointer == "/nodes/0/args/0"
    assert isinstance(arguments("max", "$x", [1, 2]).args[1], TensorDocument)


def test_a_list_of_lists_is_a_list_of_tensors_where_these_are_taken():
    found = arguments("cat", [[1, 2], [3, 4]])
    assert isinstance(found.args[0], Collection)
    assert [one.tensor.tolist() for one in found.args[0].items] == [[1, 2], [3, 4]]
    assert [one.source.pointer for one in found.args[0].items] == ["/nodes/0/args/0/0", "/nodes/0/args/0/1"]
    mixed = arguments("cat", ["$x", [1, 2], 3]).args[0].items
    assert [type(one) for one in mixed] == [Ref, TensorDocument, TensorDocument]


def test_numbers_become_tensors_at_once_for_python_functions_only():
    assert isinstance(arguments("nn.functional.relu", 2.5).args[0], TensorDocument)
    assert isinstance(arguments("maximum", "$x", 2).args[1], Literal)


def test_the_method_serves_where_the_function_does_not():
    assert arguments("reshape", "$x", 2, 2).op is op("Tensor.reshape")
    assert arguments("reshape", "$x", [2, 2]).op is op("reshape")


def test_self_may_be_given_by_name():
    found = prepare(op("Tensor.sum"), [], {"self": Ref("x", NODE)}, NODE, "n")
    assert [one.text for one in found.args] == ["x"]
    assert found.kwargs == {}


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "pointer"),
    [
        ("add", ["$x", "abc"], {}, "/nodes/0/args/1"),
        ("nn.functional.relu", ["a"], {}, "/nodes/0/args/0"),
        ("sum", ["$x", 0.5], {}, "/nodes/0/args/1"),
        ("sum", ["$x"], {"dim": "0"}, "/nodes/0/kwargs/dim"),
        ("sum", ["$x"], {"dimm": 0}, "/nodes/0/kwargs/dimm"),
        ("sum", ["$x"], {"keepdim": [1]}, "/nodes/0/kwargs/keepdim"),
        ("zeros", [2.5], {}, "/nodes/0/args/0"),
        ("zeros", [2], {"dtype": "flot64"}, "/nodes/0/kwargs/dtype"),
        ("zeros", [2], {"layout": "dense"}, "/nodes/0/kwargs/layout"),
        ("add", ["$x", {"a": 1}], {}, "/nodes/0/args/1"),
        ("add", ["$x", 1], {"alpha": [1, 2]}, "/nodes/0/kwargs/alpha"),
        ("full", [[2, 2], "a"], {}, "/nodes/0/args/1"),
        ("linalg.svd", ["$x"], {"full_matrices": "yes"}, "/nodes/0/kwargs/full_matrices"),
        ("add", ["$x"], {}, "/nodes/0"),
        ("add", ["$x", 1, 2, 3], {}, "/nodes/0"),
        ("linalg.svd", [], {}, "/nodes/0"),
        ("mul", ["$x", 1], {"other": 2}, "/nodes/0/kwargs/other"),
        ("normal", [0.0, 1.0, [2]], {"generator": 1}, "/nodes/0/kwargs/generator"),
        ("cat", ["$x"], {"dim": "a"}, "/nodes/0/kwargs/dim"),
        ("cat", [["a"]], {}, "/nodes/0/args/0"),
        ("item", [None], {}, "/nodes/0/args/0"),
        ("manual_seed", ["a"], {}, "/nodes/0/args/0"),
    ],
)
def test_what_can_never_fit_is_reported_at_its_place(name, args, kwargs, pointer):
    finding = mistake(name, *args, **kwargs)
    assert (finding.code, finding.source.pointer, finding.node) == ("invalid_argument", pointer, "n")


def test_a_wrong_type_names_the_parameter_and_what_it_takes():
    finding = mistake("add", "$x", "abc")
    assert finding.message == "add: 'other' must be Tensor or number, not a string"
    assert finding.expected == "Tensor or number"
    assert finding.got == "abc"
    assert "add(Tensor or number input" in finding.hint


def test_a_wrong_word_lists_those_that_are_right():
    assert "float64" in mistake("zeros", 2, dtype="flot64").expected
    assert mistake("div", "$x", 2, rounding_mode=1).expected == ["trunc", "floor"]
    assert "channels_last" in mistake("clone", "$x", memory_format="last").expected
    assert mistake("numpy.zeros", 2, dtype="object").expected[:3] == ["bool", "complex128", "complex64"]


def test_an_unknown_keyword_gets_the_nearest_name():
    assert mistake("sum", "$x", dimm=0).hint == "did you mean 'dim'?"
    assert mistake("sum", "$x", **{"k" * 200: 0}).hint is None


def test_no_overload_lists_all_of_them():
    finding = mistake("add", "$x")
    assert finding.message == "add lacks 'other'"
    assert len(finding.expected) >= 3
    assert all(shape.startswith(("add(", "add (")) for shape in finding.expected)


def test_a_generator_is_refused_with_the_way_that_works():
    assert '"seed"' in mistake("normal", 0.0, 1.0, [2], generator=1).hint


def test_all_mistakes_of_a_call_are_reported():
    found = mistakes("sum", "$x", "a", keepdim="b", nonsense=1)
    assert [one.source.pointer for one in found] == [
        "/nodes/0/args/1",
        "/nodes/0/kwargs/keepdim",
        "/nodes/0/kwargs/nonsense",
    ]


def test_a_device_that_no_machine_has_is_unavailable():
    finding = mistake("zeros", 2, device="abacus")
    assert (finding.code, finding.source.pointer) == ("unavailable_device", "/nodes/0/kwargs/device")
    assert "cpu" in finding.expected


def test_numbers_that_no_tensor_holds_are_reported_where_they_stand():
    finding = mistake("neg", [2**70, 1])
    assert (finding.code, finding.source.pointer) == ("invalid_argument", "/nodes/0/args/0")


def test_ragged_lists_are_reported_where_a_tensor_is_wanted():
    finding = mistake("neg", [[1, 2], [3]])
    assert (finding.code, finding.source.pointer) == ("invalid_argument", "/nodes/0/args/0")


def test_the_second_binding_of_a_kind_of_call_is_as_the_first():
    for _ in range(2):
        assert [one.value for one in arguments("arange", 1, 5).args] == [1, 5]
        assert mistake("add", "$x", None).source.pointer == "/nodes/0/args/1"


def test_empty_lists_are_lists_of_sizes_or_tensors_as_needed():
    assert arguments("zeros", []).args[0].items == ()
    assert arguments("neg", []).args[0].tensor.tolist() == []


def test_sizes_may_hold_references():
    assert isinstance(arguments("zeros", ["$n", 2]).args[0], Collection)


def test_expressions_keep_their_sources():
    source = NODE.at("args", 0)
    assert expression([1, 2], source).source is source
