"""Sparse tensors: their indices are checked when they are made, and cannot be changed from outside afterwards."""

from __future__ import annotations

from typing import Any

import torch

from gradwire.engine.ops.fences.given import Fence, Given

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


FENCES: dict[str, Fence] = dict.fromkeys((*_MADE, "sparse_compressed_tensor"), checks_invariants)
