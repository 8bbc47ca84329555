"""Inputs are to every op what a tensor that PyTorch made is, in whichever way their data was written."""

import pytest
import torch

from service import node
from tensor_json import document, same_bits

X = torch.arange(6.0).reshape(2, 3)
WAYS = {
    "base64": document(X),
    "nested": {"data": X.tolist()},
    "flat": {"data": X.reshape(-1).tolist(), "shape": [2, 3]},
    "complex": document(torch.complex(X, X)),
    "bits": {"data": [[0, 1, 2], [3, 4, "0x40a00000"]], "dtype": "float32"},
    "long": {"data": torch.arange(600.0).tolist(), "shape": [200, 3]},
}


@pytest.mark.parametrize("way", WAYS)
def test_an_input_can_be_resized(service, way):
    outputs = service.run([node("resize_", "$x", 2, 2), node("detach_", "$x", id="d")], ["x", "d"], {"x": WAYS[way]})
    assert outputs["x"]["shape"] == outputs["d"]["shape"] == [2, 2]


@pytest.mark.parametrize("way", WAYS)
def test_an_input_can_take_a_result_of_another_shape(service, way):
    kind = WAYS[way].get("dtype", "float32")
    nodes = [node("ones", 5, dtype=kind, id="a"), node("add", "$a", 1, out="$x", id="y")]
    outputs = service.run(nodes, ["x"], {"x": WAYS[way]})
    same_bits(outputs["x"], torch.full((5,), 2, dtype=getattr(torch, kind)))


def test_a_leaf_is_refused_in_the_words_for_leaves(service):
    problem = service.refused({"inputs": {"x": document(X, requires_grad=True)}, "nodes": [node("add_", "$x", 1)]})
    assert problem["errors"][0]["message"] == (
        "a leaf Variable that requires grad is being used in an in-place operation."
    )
