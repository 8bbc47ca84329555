"""Words for parameters: those that PyTorch takes are taken, and for another one the error lists them."""

from __future__ import annotations

import pytest
import torch

from service import node
from tensor_json import document

M = {"tensor": document(torch.tensor([[2.0, 0.5], [0.5, 1.0]]))}
ROW = {"tensor": document(torch.tensor([[[1.0, 2.0, 3.0]]]))}
IMAGE = {"tensor": document(torch.arange(4.0).reshape(1, 1, 2, 2))}
GRID = {"tensor": document(torch.zeros(1, 2, 2, 2))}
PLACES = {"tensor": document(torch.tensor([[0, 1], [1, 0]]))}
NUMBERS = {"tensor": document(torch.tensor([1.0, 2.0, 3.0]))}
QUANTILE = ["linear", "lower", "higher", "midpoint", "nearest"]
RESIZE = ["nearest", "linear", "area", "nearest-exact"]
LOSS = ["none", "mean", "sum"]

# (a call with WORD where the word stands, the words that PyTorch takes there)
WORD = "a word that no op knows"
CALLS = [
    (node("nn.functional.mse_loss", M, M, reduction=WORD), LOSS),
    (node("nn.functional.l1_loss", M, M, reduction=WORD), LOSS),
    (node("nn.functional.smooth_l1_loss", M, M, reduction=WORD), LOSS),
    (node("nn.functional.triplet_margin_loss", M, M, M, reduction=WORD), LOSS),
    (node("nn.functional.kl_div", M, M, reduction=WORD), [*LOSS, "batchmean"]),
    (node("nn.functional.pad", ROW, [1, 1], mode=WORD), ["constant", "reflect", "replicate", "circular"]),
    (node("nn.functional.interpolate", ROW, scale_factor=2.0, mode=WORD), RESIZE),
    (node("nn.functional.grid_sample", IMAGE, GRID, mode=WORD), ["bilinear", "nearest", "bicubic"]),
    (node("nn.functional.grid_sample", IMAGE, GRID, padding_mode=WORD), ["zeros", "border", "reflection"]),
    (node("nn.functional.gelu", M, approximate=WORD), ["none", "tanh"]),
    (node("nn.functional.conv1d", ROW, {"tensor": {"data": [[[1.0]]]}}, padding=WORD), ["same", "valid"]),
    (node("nn.functional.embedding_bag", PLACES, M, mode=WORD), ["sum", "mean", "max"]),
    (node("div", M, 2, rounding_mode=WORD), ["trunc", "floor"]),
    (node("Tensor.div", M, 2, rounding_mode=WORD), ["trunc", "floor"]),
    (node("Tensor.div_", M, 2, rounding_mode=WORD), ["trunc", "floor"]),
    (node("divide", M, 2, rounding_mode=WORD), ["trunc", "floor"]),
    (node("linalg.norm", M, WORD), ["fro", "nuc"]),
    (node("linalg.matrix_norm", M, WORD), ["fro", "nuc"]),
    (node("linalg.cond", M, WORD), ["fro", "nuc"]),
    (node("linalg.qr", M, WORD), ["reduced", "complete", "r"]),
    (node("linalg.eigh", M, WORD), ["L", "U"]),
    (node("linalg.eigvalsh", M, WORD), ["L", "U"]),
    (node("fft.fft", M, norm=WORD), ["forward", "backward", "ortho"]),
    (node("fft.irfft2", M, norm=WORD), ["forward", "backward", "ortho"]),
    (node("quantile", NUMBERS, 0.4, interpolation=WORD), QUANTILE),
    (node("Tensor.nanquantile", NUMBERS, 0.4, interpolation=WORD), QUANTILE),
    (node("meshgrid", [NUMBERS], indexing=WORD), ["xy", "ij"]),
    (node("searchsorted", NUMBERS, 1.0, side=WORD), ["left", "right"]),
    (node("scatter", M, 0, PLACES, M, reduce=WORD), ["add", "multiply"]),
    (node("scatter_reduce", M, 0, PLACES, M, WORD), ["sum", "prod", "mean", "amax", "amin"]),
    (node("Tensor.scatter_reduce_", M, 0, PLACES, M, reduce=WORD), ["sum", "prod", "mean", "amax", "amin"]),
    (node("index_reduce", NUMBERS, 0, {"tensor": {"data": [0]}}, [5.0], WORD), ["prod", "mean", "amax", "amin"]),
    (node("segment_reduce", NUMBERS, WORD, lengths={"tensor": {"data": [3]}}), ["sum", "mean", "max", "min", "prod"]),
]  # fmt: skip


def spelled(value: object, word: str) -> object:
    """A call with `word` in the place of WORD."""
    if isinstance(value, dict):
        return {key: spelled(one, word) for key, one in value.items()}
    if isinstance(value, list):
        return [spelled(one, word) for one in value]
    return word if value == WORD else value


@pytest.mark.parametrize(("call", "words"), CALLS, ids=lambda value: value["op"] if isinstance(value, dict) else "")
def test_a_wrong_word_is_answered_with_the_right_ones(service, call, words):
    problem = service.refused({"nodes": [call]})
    error = problem["errors"][0]
    assert (problem["status"], error["code"], error["pointer"]) == (422, "op_failed", "/nodes/0")
    assert error["got"] == WORD
    assert set(words) <= set(error["expected"])
    assert all(word in error["hint"] for word in words)


@pytest.mark.parametrize(("call", "words"), CALLS, ids=lambda value: value["op"] if isinstance(value, dict) else "")
def test_the_right_words_are_taken(service, call, words):
    nodes = [{**spelled(call, word), "id": f"n{place}"} for place, word in enumerate(words)]
    if call["op"] == "nn.functional.interpolate":
        nodes = nodes[:2]
    assert len(service.run(nodes, [node["id"] for node in nodes])) == len(nodes)


def test_words_that_no_docstring_tells_are_left_to_pytorch(service):
    value = service.value(node("stft", {"tensor": {"data": [0.0] * 8}}, 4, return_complex=True, pad_mode="circular"))
    assert value["dtype"] == "complex64"


def test_the_catalogue_lists_the_words(client):
    described = client.get("/v1/ops/nn.functional.pad").json()
    mode = next(one for one in described["overloads"][0]["parameters"] if one["name"] == "mode")
    assert mode["choices"] == ["constant", "reflect", "replicate", "circular"]
    assert mode["default"] == "constant"


def test_an_equation_that_is_none_gets_pytorchs_message(service):
    error = service.refused({"nodes": [node("einsum", "ij!", M)]})["errors"][0]
    assert error["code"] == "op_failed"
    assert "invalid subscript" in error["message"]
