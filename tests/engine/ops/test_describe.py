"""The catalogue: strict JSON, PyTorch's own text, and examples that run."""

import json

import pytest
import torch
from jsonschema import Draft202012Validator

from gradwire.engine.ops import examples, told
from gradwire.engine.ops.describe import describe, jsonable, summaries
from gradwire.engine.ops.registry import Op, registry

CALLABLE = [entry for entry in registry().entries() if isinstance(entry, Op)]
# A wide sample that always holds the same ops; every op is taken in turn as the registry grows.
SAMPLE = CALLABLE[::6]


def test_summaries_list_every_entry_with_status_and_reason():
    found = summaries()
    assert [one["name"] for one in found] == registry().names()
    assert {one["status"] for one in found} == {"callable", "excluded"}
    assert all((one["reason"] is None) == (one["status"] == "callable") for one in found)
    by_name = {one["name"]: one for one in found}
    assert by_name["add"]["summary"] == "Adds other, scaled by alpha, to input."
    assert by_name["nn.functional.relu"]["summary"] == "Applies the rectified linear unit function element-wise."
    assert by_name["from_file"]["reason"] == "it reads or writes files"
    json.dumps(found, allow_nan=False)


def test_a_description_holds_all_that_the_contract_names():
    found = describe("add")
    assert found["name"] == "add"
    assert found["status"] == "callable"
    assert found["differentiable"] is True
    assert (found["in_place"], found["random"], found["view"]) == (False, False, False)
    assert found["doc"].startswith("add(input, other, *, alpha=1, out=None) -> Tensor")
    assert found["doc_url"] == "https://docs.pytorch.org/docs/2.13/generated/torch.add.html"
    first = found["overloads"][0]
    assert first["returns"] == "Tensor"
    assert first["parameters"][2] == {
        "name": "alpha",
        "type": "number",
        "optional": True,
        "required": False,
        "keyword_only": True,
        "variadic": False,
        "default": 1,
    }


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("argmax", (False, False, False, False)),
        ("Tensor.add_", (True, True, False, False)),
        ("nn.functional.dropout", (True, False, True, False)),
        ("rand", (False, False, True, False)),
        ("transpose", (True, False, False, True)),
        ("linalg.svd", (True, False, False, False)),
        ("getitem", (True, False, False, True)),
        ("detach", (False, False, False, True)),
    ],
)
def test_what_an_op_is(name, facts):
    found = describe(name)
    assert tuple(found[key] for key in ("differentiable", "in_place", "random", "view")) == facts


def test_an_excluded_op_is_described_with_its_reason():
    found = describe("set_default_dtype")
    assert found["status"] == "excluded"
    assert found["reason"] == "it sets state of the whole process"
    assert found["example"] is None


def test_an_unknown_name_has_no_description():
    with pytest.raises(KeyError):
        describe("nonexistent")


def test_each_spelling_has_its_own_page():
    assert describe("F.relu")["doc_url"].endswith("/generated/torch.nn.functional.relu.html")
    assert describe("Tensor.add_")["doc_url"].endswith("/generated/torch.Tensor.add_.html")
    assert describe("special.erf")["doc_url"].endswith("/special.html#torch.special.erf")
    assert describe("numpy.add")["doc_url"] == "https://numpy.org/doc/stable/reference/generated/numpy.add.html"
    assert describe("operator.add")["doc_url"] == "https://docs.python.org/3/library/operator.html#operator.add"


def test_defaults_are_strict_json():
    assert jsonable(float("inf")) == "Infinity"
    assert jsonable(float("nan")) == "NaN"
    assert jsonable((1, None, True)) == [1, None, True]
    assert jsonable(torch.float32) == "torch.float32"


@pytest.mark.parametrize("entry", SAMPLE, ids=lambda entry: entry.name)
def test_a_sample_of_descriptions_is_strict_json_and_its_example_fits_its_schema(entry):
    found = describe(entry.name)
    json.dumps(found, allow_nan=False)
    Draft202012Validator.check_schema(found["schema"])
    if found["example"] is not None:
        errors = [error.message for error in Draft202012Validator(found["schema"]).iter_errors(found["example"])]
        assert errors == []


def test_every_op_of_a_sample_has_an_example_whose_last_node_it_is():
    for entry in SAMPLE:
        found = examples.example(entry)
        assert found is not None, entry.name
        assert found.nodes[-1]["op"] == entry.name


def test_the_table_of_examples_names_ops_that_can_be_called():
    names = {name for name in told.table() if isinstance(registry().find(name), Op)}
    assert names == told.table().keys()
    assert len(names) < 0.1 * len(CALLABLE)


def test_what_no_literal_writes_has_a_graph_for_an_example():
    found = describe("Tensor.coalesce")
    assert found["example"] is None
    assert [one["op"] for one in found["example_graph"]["nodes"]] == ["to_sparse", "Tensor.coalesce"]
    assert found["example_graph"]["returns"] == ["result"]


@pytest.mark.parametrize(
    ("name", "differentiable", "dynamic", "view"),
    [
        ("masked_select", True, True, False),
        ("nonzero", False, True, False),
        ("reshape", True, False, True),
        ("where", True, False, False),
        ("embedding_bag", True, False, False),
        ("meshgrid", True, False, True),
        ("Tensor.unique", True, True, False),
        ("numpy.ndarray.reshape", False, False, True),
        ("operator.add", True, False, False),
        ("getitem", True, True, True),
    ],
)
def test_what_running_the_example_shows(name, differentiable, dynamic, view):
    found = describe(name)
    assert (found["differentiable"], found["data_dependent_shape"], found["view"]) == (differentiable, dynamic, view)


@pytest.mark.parametrize(
    ("name", "parameter", "words"),
    [
        ("nn.functional.mse_loss", "reduction", ["none", "mean", "sum"]),
        ("Tensor.divide_", "rounding_mode", ["trunc", "floor"]),
        ("quantile", "interpolation", ["linear", "lower", "higher", "midpoint", "nearest"]),
        ("linalg.eigh", "UPLO", ["L", "U"]),
        ("nn.functional.gelu", "approximate", ["none", "tanh"]),
        ("nn.functional.conv1d", "padding", ["same", "valid"]),
        ("stft", "pad_mode", None),
    ],
)
def test_the_words_of_a_parameter_come_from_the_docstrings(name, parameter, words):
    found = [one for each in describe(name)["overloads"] for one in each["parameters"] if one["name"] == parameter]
    assert next((one["choices"] for one in found if "choices" in one), None) == words


def test_looking_for_examples_leaves_the_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    describe("randn")
    describe("Tensor.normal_")
    assert torch.equal(torch.rand(3), expected)


def test_the_schema_refuses_what_no_overload_takes():
    check = Draft202012Validator(describe("mm")["schema"])
    assert check.is_valid({"args": [[[1.0]], {"tensor": {"data": [[1.0]]}}]})
    assert not check.is_valid({"args": ["text", [[1.0]]]})
    assert not check.is_valid({"args": [[[1.0]], [[1.0]]], "kwargs": {"nonsense": 1}})
    assert not check.is_valid({"unknown": 1})
