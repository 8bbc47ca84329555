"""References that lead nowhere, told apart from attributes that PyTorch itself refuses."""

from __future__ import annotations

from typing import Any

import pytest

from service import Service, node

X: dict[str, Any] = {"x": {"data": [[1.0, 2.0], [3.0, 4.0]]}, "v": [1.0, 2.0, 3.0], "i": {"data": [0, 1]}}


def first(service: Service, nodes: list[Any], returns: list[str]) -> dict[str, Any]:
    error = service.refused({"inputs": X, "nodes": nodes, "returns": returns})["errors"][0]
    assert isinstance(error, dict)
    return error


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("v.imag", "imag is not implemented for tensors with non-complex dtypes."),
        ("v.mT", "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor."),
    ],
)
def test_an_attribute_that_pytorch_refuses_is_its_own_refusal(service: Service, reference: str, message: str) -> None:
    output = first(service, [], [reference])
    assert (output["code"], output["pointer"], output["message"]) == ("op_failed", "/returns/0", message)
    argument = first(service, [node("add", f"${reference}", 1, id="a")], ["a"])
    assert (argument["code"], argument["pointer"], argument["node"]) == ("op_failed", "/nodes/0", "a")
    assert argument["message"] == message


def test_a_reference_inside_the_text_of_an_index_is_found_at_that_text(service: Service) -> None:
    error = first(service, [node("getitem", "$x", "$i.shape.9, 0", id="a")], ["a"])
    assert (error["code"], error["pointer"], error["node"]) == ("unknown_reference", "/nodes/0/args/1", "a")


def test_the_place_of_an_item_is_written_in_the_digits_of_json(service: Service) -> None:
    error = first(service, [], ["x.shape.\u0661"])
    assert (error["code"], error["pointer"]) == ("unknown_reference", "/returns/0")
