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
    if not sizes.is_contiguous():
        raise given.refusal("batch_sizes", "'batch_sizes' must be contiguous", hint="call contiguous first")


def lstm(given: Given) -> None:
    """Nothing is checked by the kernel for float32: sizes are checked here as torch.nn.LSTM does before it calls."""
    packed(given)
    is_packed = given.place("batch_sizes") is not None
    name = "data" if is_packed else "input"
    data, states, weights = given.get(name), given.get("hx"), given.get("params")
    layers = given.integer("num_layers")
    if not isinstance(data, torch.Tensor) or not _are_tensors(weights) or not _are_tensors(states) or layers is None:
        return
    if data.dim() != (2 if is_packed else 3):
        raise given.refusal(name, f"'{name}' must have {2 if is_packed else 3} dimensions", got=list(data.shape))
    if len(states) != 2:
        raise given.refusal("hx", "'hx' is two states, of the hidden ones and of the cells", got=len(states))
    directions = 2 if given.get("bidirectional") else 1
    if layers < 1:
        raise given.refusal("num_layers", "there must be a layer", got=layers)
    hidden, projected = _check_weights(given, weights, layers, directions, data.shape[-1])
    batch = _batch(given, data, is_packed)
    for state, width in zip(states, (projected, hidden), strict=True):
        wanted = [layers * directions, batch, width]
        if batch is not None and list(state.shape) != wanted:
            raise given.refusal("hx", f"a state must have the shape {wanted}", expected=wanted, got=list(state.shape))


def _are_tensors(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(isinstance(one, torch.Tensor) for one in values)


def _check_weights(given: Given, weights: Any, layers: int, directions: int, features: int) -> tuple[int, int]:
    """The widths of the states of cells and of hidden ones; these differ where they are projected."""
    biases = bool(given.get("has_biases"))
    each, rest = divmod(len(weights), layers * directions)
    plain = 4 if biases else 2
    if rest or each not in (plain, plain + 1):
        message = f"{layers} layers in {directions} directions have {plain} weights each, or one more to project"
        raise given.refusal("params", message, got=len(weights))
    projecting = each > plain
    hidden = weights[0].shape[0] // 4 if weights[0].dim() else 0
    projected = weights[each - 1].shape[0] if projecting and weights[each - 1].dim() else hidden
    for start in range(0, len(weights), each):
        first = start < each * directions
        wanted = [[4 * hidden, features if first else projected * directions], [4 * hidden, projected]]
        wanted += [[4 * hidden]] * 2 if biases else []
        wanted += [[projected, hidden]] if projecting else []
        for weight, shape in zip(weights[start : start + each], wanted, strict=True):
            if list(weight.shape) != shape:
                message = f"weights for {features} features and {hidden} hidden ones: one has the wrong shape"
                raise given.refusal("params", message, expected=shape, got=list(weight.shape))
    return hidden, projected


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
