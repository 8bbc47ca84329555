"""Sparse tensors: their indices are checked when they are made, and cannot be changed from outside afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gradwire.engine.ops.fences.given import Concern, Fence, Given

# Methods that hand out a sparse tensor's own indices; changed in place, these would point outside of it.
INDICES = frozenset(("indices", "crow_indices", "ccol_indices", "col_indices", "row_indices"))
_COMPRESSED = ("compressed_indices", "plain_indices")
_MADE = ("sparse_coo_tensor", "sparse_csr_tensor", "sparse_csc_tensor", "sparse_bsr_tensor", "sparse_bsc_tensor")


def checks_invariants(given: Given) -> None:
    """A sparse tensor with indices outside of its shape reads and writes foreign memory."""
    if given.get("is_coalesced"):
        raise given.refusal("is_coalesced", "'is_coalesced' is not taken on trust", hint="call coalesce")
    if given.get("check_invariants") is False:
        raise given.refusal("check_invariants", "the invariants are always checked", hint="leave it out")
    given.kwargs["check_invariants"] = True
    # The tensor would share the indices with the one they came from, which can be changed in place after the check.
    for name in (*INDICES, *_COMPRESSED):
        if given.place(name) is not None:
            given.put(name, own(given.get(name)))


def own(value: Any) -> Any:
    """A copy of a tensor; anything else as it is."""
    return value.clone() if isinstance(value, torch.Tensor) else value


def multiplies(given: Given) -> None:
    """A sparse number without a stored element is read all the same: one from before its memory."""
    for name in ("input", "other", "a", "b"):
        value = given.get(name)
        is_number = isinstance(value, torch.Tensor) and value.layout is torch.sparse_coo and value.dim() == 0
        if is_number and value._nnz() != 1:
            raise given.refusal(name, "a sparse number must have one stored element", hint="call to_dense")


def any_sparse(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether a tensor of other than the strided layout is among the operands, or may be among the keywords."""
    for value in args:
        if isinstance(value, torch.Tensor) and value.layout is not torch.strided:
            return True
    return bool(kwargs)


def dropout(given: Given) -> None:
    """With p = 1 it multiplies by a sparse number without a stored element."""
    value = given.get("input")
    if isinstance(value, torch.Tensor) and value.layout is not torch.strided and given.get("p", 0.5) == 1:
        raise given.refusal("input", "a sparse tensor cannot be dropped as a whole", hint="call to_dense")


_PRODUCTS = ("mul", "multiply", "imul")
_DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout")

FENCES: dict[str, Fence] = {
    **dict.fromkeys((*_MADE, "sparse_compressed_tensor"), checks_invariants),
    **dict.fromkeys(_PRODUCTS, multiplies),
    **dict.fromkeys((*_DROPOUTS, "feature_alpha_dropout"), dropout),
}
CONCERNS: dict[str, Concern] = dict.fromkeys(_PRODUCTS, any_sparse)
