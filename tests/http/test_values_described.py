"""`"describe": "full"`: views and aliases are recognisable; sparse, quantized and nested results come dense, noted."""

from __future__ import annotations

import pytest
import torch

from service import Service, node
from tensor_json import document

X = torch.arange(6.0).reshape(2, 3)
SPARSE = {"data": [[0.0, 1.0], [2.0, 0.0]]}


def full(service, *nodes, **inputs):
    return service.run(list(nodes), [one["id"] for one in nodes], inputs, describe="full")


def test_a_view_shares_the_storage_and_has_its_own_strides(service):
    found = full(
        service,
        node("clone", "$x", id="base"),
        node("transpose", "$base", 0, 1, id="view"),
        node("getitem", "$base", "1, 1:", id="part"),
        node("clone", "$base", id="copy"),
        x=document(X),
    )
    base, view, part, copy = (found[name] for name in ("base", "view", "part", "copy"))
    assert base["storage"] == view["storage"] == part["storage"] != copy["storage"]
    assert (base["strides"], base["storage_offset"]) == ([3, 1], 0)
    assert (view["strides"], view["storage_offset"]) == ([1, 3], 0)
    assert (part["strides"], part["storage_offset"]) == ([1], 4)


def test_an_input_and_what_is_it_share_one_storage(service):
    outputs = service.run(
        [node("Tensor.contiguous", "$x", id="same"), node("add", "$x", 0, id="other")],
        ["x", "same", "other"],
        {"x": document(X)},
        describe="full",
    )
    assert outputs["x"]["storage"] == outputs["same"]["storage"] != outputs["other"]["storage"]


def test_the_version_counts_writes_also_through_a_view(service):
    found = full(
        service,
        node("zeros", 3, id="a"),
        node("Tensor.add_", "$a", 1, id="b"),
        node("getitem", "$a", "0", id="c"),
        node("Tensor.mul_", "$c", 2, id="d"),
        node("detach", "$a", id="e"),
    )
    assert [found[name]["version"] for name in "abcde"] == [2, 2, 2, 2, 2]
    assert {one["storage"] for one in found.values()} == {found["a"]["storage"]}
    assert found["a"]["data"] == [2.0, 1.0, 1.0]


def test_an_expanded_tensor_has_strides_of_zero(service):
    found = full(service, node("Tensor.expand", "$x", 4, 2, id="wide"), x={"data": [1.0, 2.0]})
    assert (found["wide"]["strides"], found["wide"]["shape"]) == ([0, 1], [4, 2])


def test_one_output_alone_can_be_described(service):
    outputs = service.run([node("t", "$x", id="y")], ["y", {"ref": "x", "describe": "full"}], {"x": document(X)})
    assert "strides" not in outputs["y"]
    assert outputs["x"]["strides"] == [3, 1]


def test_items_of_tuples_are_described_too(service):
    parts = full(service, node("split", "$x", 1, id="s"), x=document(X))["s"]["items"]
    assert [part["storage_offset"] for part in parts] == [0, 3]
    assert len({part["storage"] for part in parts}) == 1


def test_an_array_shares_the_memory_of_its_tensor(service):
    found = full(service, node("Tensor.numpy", "$x", id="a"), node("from_numpy", "$a", id="t"), x=document(X))
    assert found["a"]["kind"] == "ndarray"
    assert found["t"]["kind"] == "tensor"
    assert found["t"]["data"] == X.tolist()


@pytest.mark.parametrize(
    ("op", "args", "word"),
    [
        ("Tensor.to_sparse", [], "sparse_coo"),
        ("Tensor.to_sparse_csr", [], "sparse_csr"),
        ("Tensor.to_sparse_csc", [], "sparse_csc"),
        ("Tensor.to_sparse_bsr", [[1, 1]], "sparse_bsr"),
        ("Tensor.to_sparse_bsc", [[1, 1]], "sparse_bsc"),
        ("Tensor.to_mkldnn", [], "mkldnn"),
    ],
)
def test_another_layout_comes_dense_with_a_note(service, op, args, word):
    value = service.value(node(op, {"tensor": SPARSE}, *args))
    assert value["data"] == SPARSE["data"]
    assert word in value["note"]


def test_quantized_numbers_come_as_floats_with_a_note(service):
    value = service.value(node("quantize_per_tensor", {"tensor": {"data": [0.5, 1.0]}}, 0.5, 0, "qint8"))
    assert (value["dtype"], value["data"]) == ("float32", [0.5, 1.0])
    assert "qint8" in value["note"]
    whole = service.value(
        node("quantize_per_tensor", {"tensor": {"data": [0.5, 1.0]}}, 0.5, 0, "qint8", id="q"), node("int_repr", "$q")
    )
    assert (whole["dtype"], whole["data"]) == ("int8", [1, 2])


def test_nested_parts_come_padded_with_a_note(service):
    call = node("nested.nested_tensor", [{"tensor": {"data": [1.0, 2.0]}}, {"tensor": {"data": [3.0]}}])
    value = service.value(call)
    assert (value["shape"], value["data"]) == ([2, 2], [[1.0, 2.0], [3.0, 0.0]])
    assert "[2], [1]" in value["note"]
    padded = service.value(call | {"id": "n"}, node("nested.to_padded_tensor", "$n", -1.0))
    assert padded["data"] == [[1.0, 2.0], [3.0, -1.0]]


def test_a_sparse_result_says_what_its_parts_are_when_asked(service):
    found = service.run(
        [
            node("Tensor.to_sparse", {"tensor": SPARSE}, id="s"),
            node("Tensor.indices", "$s", id="i"),
            node("Tensor.values", "$s", id="v"),
        ],
        ["i", "v", "s.layout"],
    )
    assert found["i"]["data"] == [[0, 1], [1, 0]]
    assert found["v"]["data"] == [1.0, 2.0]
    assert found["s.layout"] == {"kind": "layout", "value": "sparse_coo"}


def test_tensors_without_data_are_refused_with_what_to_do(service):
    problem = service.refused({"nodes": [node("ones", 2, device="meta", id="m")], "returns": ["m"]})
    assert problem["status"] == 422


def test_full_descriptions_fit_every_kind_of_tensor(service):
    for op, args in (("Tensor.to_sparse", []), ("Tensor.to_mkldnn", []), ("quantize_per_tensor", [0.5, 0, "qint8"])):
        value = service.value(node(op, {"tensor": SPARSE}, *args), describe="full")
        assert value["kind"] == "tensor"
        assert value["data"] == SPARSE["data"]


def test_a_jagged_tensor_whose_offsets_are_no_integers_is_refused(service: Service) -> None:
    x = {"tensor": {"data": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}}
    narrow = node("nested.narrow", x, 1, 0, {"tensor": {"data": [-0.0, 3]}}, id="r", layout="jagged")
    problem = service.refused({"nodes": [narrow], "returns": ["r"]})
    assert problem["status"] == 422
    assert "narrow()" in problem["detail"]
