"""Statistics: native forms which trust that sizes and strides fit, and loops as long as one likes."""

from __future__ import annotations

import torch

from gradwire.engine.ops.fences.given import Fence, Given

MOST_BINS = 1_000_000

_STATISTICS = ("weight", "bias", "running_mean", "running_var")


def native_batch_norm(given: Given) -> None:
    """The kernels read one number per channel from each of weight, bias and statistics."""
    data = given.get("input")
    if not isinstance(data, torch.Tensor):
        return
    if data.dim() < 2:
        raise given.refusal("input", "'input' needs a batch and channels, so two dimensions or more")
    for name in _STATISTICS:
        value = given.get(name)
        if isinstance(value, torch.Tensor) and tuple(value.shape) != (data.shape[1],):
            _wrong_size(given, name, [data.shape[1]], value)
    if given.get("training") is False and (given.get("running_mean") is None or given.get("running_var") is None):
        raise given.refusal("running_mean", "'running_mean' and 'running_var' are needed outside of training")


def _wrong_size(given: Given, name: str, wanted: list[int], value: torch.Tensor) -> None:
    message = f"'{name}' must have the shape {wanted}, one number per channel"
    raise given.refusal(name, message, expected=wanted, got=list(value.shape))


def fused_moving_average(given: Given) -> None:
    """The observer writes one minimum and maximum per tensor, or per channel, wherever these are."""
    data, axis = given.get("input"), given.integer("ch_axis")
    if not isinstance(data, torch.Tensor) or axis is None:
        return
    per_row = bool(given.get("per_row_fake_quant"))
    if per_row and not 0 <= axis < data.dim():
        raise given.refusal("ch_axis", f"'ch_axis' must be from 0 to {data.dim() - 1}", got=axis)
    count = data.shape[axis] if per_row else 1
    for name in ("running_min", "running_max", "scale", "zero_point"):
        value = given.get(name)
        # The observer itself makes running statistics that are empty as large as they must be.
        grows = per_row and isinstance(value, torch.Tensor) and value.numel() == 0
        if isinstance(value, torch.Tensor) and value.numel() != count and not grows:
            _wrong_size(given, name, [count], value)


def native_group_norm(given: Given) -> None:
    """The kernel divides by the group, trusts the counts, and takes weight and bias for contiguous."""
    data = given.get("input")
    batch, channels, pixels, groups = (given.integer(name) for name in ("N", "C", "HxW", "group"))
    if not isinstance(data, torch.Tensor) or batch is None or channels is None or pixels is None or groups is None:
        return
    if min(batch, channels, pixels) < 0 or batch * channels * pixels != data.numel():
        raise given.refusal("N", "'N', 'C' and 'HxW' must multiply to the elements of 'input'", expected=data.numel())
    if groups < 1 or channels % groups:
        raise given.refusal("group", f"'group' must divide the {channels} channels", got=groups)
    for name in ("weight", "bias"):
        value = given.get(name)
        if isinstance(value, torch.Tensor):
            if tuple(value.shape) != (channels,):
                _wrong_size(given, name, [channels], value)
            if 0 in value.stride() and channels > 1:
                raise given.refusal(name, f"'{name}' is expanded", hint="call contiguous first")


def median(given: Given) -> None:
    """Along a dimension that is expanded it reads as if that were not so, beyond the memory."""
    value, dim = given.get("input"), given.integer("dim")
    plain = given.tensor("input")
    if plain is None or dim is None or not -value.dim() <= dim < value.dim():
        return
    dim = dim if dim < 0 else dim - value.dim()
    if plain.shape[dim] > 1 and plain.stride(dim) == 0:
        raise given.refusal("input", f"dimension {dim + value.dim()} is expanded", hint="call contiguous first")


def choose_qparams(given: Given) -> None:
    """The search for the best range takes a step per bin, and never comes to an end by steps of nothing."""
    bins, ratio = given.integer("n_bins"), given.get("ratio")
    if bins is not None and not 1 <= bins <= MOST_BINS:
        raise given.refusal("n_bins", f"'n_bins' is from 1 to {MOST_BINS}", got=str(bins))
    if isinstance(ratio, (int, float)) and not 0 <= ratio <= 1:
        raise given.refusal("ratio", "'ratio' is from 0 to 1", got=str(ratio))


FENCES: dict[str, Fence] = {
    **dict.fromkeys(("median", "nanmedian"), median),
    "choose_qparams_optimized": choose_qparams,
    "native_group_norm": native_group_norm,
    **dict.fromkeys(("native_batch_norm", "batch_norm_update_stats"), native_batch_norm),
    "fused_moving_avg_obs_fake_quant": fused_moving_average,
}
