"""Recurrent layers given as plain functions, whose kernels trust that states and weights fit the input."""

from __future__ import annotations

from typing import Any

import torch

from gradwire.engine.ops.fences.given import Fence, Given


def packed(given: Given) -> None:
    """On packed data they read the first batch size even of none, and take the sizes for contiguous."""
    sizes = given.tensor("batch_sizes")
    if sizes is None:
        return
    if sizes.numel() == 0:
        raise given.refusal("batch_sizes", "'batch_sizes' must not be empty")
    given.put("batch_sizes", sizes.contiguous())


def lstm(given: Given) -> None:
    """The kernel for float32 checks nothing: the sizes are checked here as torch.nn.LSTM does before it calls."""
    packed(given)
    is_packed = given.place("batch_sizes") is not None
    data, states, weights = given.get("data" if is_packed else "input"), given.get("hx"), given.get("params")
    layers = given.integer("num_layers")
    if not isinstance(data, torch.Tensor) or not isinstance(weights, (list, tuple)) or layers is None or not weights:
        return
    if not all(isinstance(one, torch.Tensor) and one.dim() for one in weights) or not data.dim():
        return
    hidden = weights[0].shape[0] // 4
    directions = 2 if given.get("bidirectional") else 1
    projected = _check_weights(given, weights, hidden, directions, data.shape[-1])
    batch = _batch(given, data, is_packed)
    for state, width in zip(states if isinstance(states, (list, tuple)) else (), (projected, hidden), strict=False):
        wanted = [layers * directions, batch, width]
        if isinstance(state, torch.Tensor) and batch is not None and list(state.shape) != wanted:
            raise given.refusal("hx", f"a state must have the shape {wanted}", expected=wanted, got=list(state.shape))


def _check_weights(given: Given, weights: Any, hidden: int, directions: int, features: int) -> int:
    """The width of the states that come out of a layer: that of the hidden ones, or of their projection."""
    biases = bool(given.get("has_biases"))
    each = len(weights) // max(1, (given.integer("num_layers") or 0) * directions)
    projecting = each == (5 if biases else 3)
    plain = 4 if biases else 2
    if each not in (plain, plain + 1) or each * (given.integer("num_layers") or 0) * directions != len(weights):
        return hidden  # PyTorch counts them itself
    projected = weights[each - 1].shape[0] if projecting else hidden
    for start in range(0, len(weights), each):
        first = start < each * directions
        wanted = [[4 * hidden, features if first else projected * directions], [4 * hidden, projected]]
        wanted += [[4 * hidden]] * 2 if biases else []
        wanted += [[projected, hidden]] if projecting else []
        for weight, shape in zip(weights[start : start + each], wanted, strict=True):
            if list(weight.shape) != shape:
                message = f"weights for {features} features and {hidden} hidden ones: one has the wrong shape"
                raise given.refusal("params", message, expected=shape, got=list(weight.shape))
    return int(projected)


def _batch(given: Given, data: torch.Tensor, is_packed: bool) -> int | None:
    if is_packed:
        sizes = given.tensor("batch_sizes")
        return int(sizes[0]) if sizes is not None else None
    if data.dim() != 3:
        return None
    return data.shape[0 if given.get("batch_first") else 1]


FENCES: dict[str, Fence] = {
    "lstm": lstm,
    **dict.fromkeys(("gru", "rnn_tanh", "rnn_relu"), packed),
}
