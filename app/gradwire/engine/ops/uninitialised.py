"""Ops that leave memory as they find it, and what they are given instead: no request sees another's numbers.

The whole storage is filled, with the gaps of empty_strided and the part that resize_ adds: NaN for floating dtypes,
the largest integer, True for bool.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

# Made anew, or made larger. A test looks for memory of others in the results of all ops.
_MADE = re.compile(r"(?:Tensor\.)?(?:new_)?empty(?:_\w+)?")
_GROWN = re.compile(r"(?:Tensor\.)?(?:sparse_)?resize_\w*")


def leaves(name: str) -> bool:
    """Whether the op `name` leaves memory uninitialised."""
    return _MADE.fullmatch(name) is not None or _GROWN.fullmatch(name) is not None


def filled(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The op's result, nothing of it uninitialised."""
    if not _GROWN.fullmatch(op.name):
        result = op.call(*args, **kwargs)
        fill(result)
        return result
    tensor = args[0] if args else None
    if isinstance(tensor, torch.Tensor) and tensor.layout is torch.strided and not tensor.untyped_storage().resizable():
        # PyTorch notices only once it has changed the sizes, and the tensor then reaches beyond its memory.
        raise RuntimeError("Trying to resize storage that is not resizable")
    before = _nbytes(tensor)
    result = op.call(*args, **kwargs)
    fill(result, before)
    return result


def _nbytes(tensor: Any) -> int:
    """The size of a tensor's storage; 0 for what has none."""
    if isinstance(tensor, torch.Tensor) and tensor.layout is torch.strided:
        return tensor.untyped_storage().nbytes()
    return 0


def fill(tensor: Any, from_byte: int = 0) -> None:
    """Fill a tensor's storage from `from_byte` on, gaps included; sparse tensors through their parts."""
    if not isinstance(tensor, torch.Tensor) or tensor.is_meta:
        return
    if tensor.layout is not torch.strided:
        _fill_parts(tensor)
        return
    whole = _whole(tensor)
    start = -(-from_byte // max(whole.itemsize, 1))
    if start < whole.numel():
        _fill_elements(whole[start:])


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    """All elements of the storage, as a tensor with a version counter of its own."""
    storage = tensor.untyped_storage()
    dtype = torch.uint8 if tensor.is_quantized else tensor.dtype
    whole = torch.empty(0, dtype=dtype, device=tensor.device)
    with torch.no_grad():
        whole.set_(storage, 0, (storage.nbytes() // whole.itemsize,), (1,))
    return whole


def _fill_elements(part: torch.Tensor) -> None:
    with torch.no_grad():
        if part.dtype is torch.bool:
            part.fill_(True)
        elif part.is_complex():
            part.fill_(complex("nan+nanj"))
        elif part.is_floating_point():
            part.fill_(float("nan"))
        else:
            part.fill_(torch.iinfo(part.dtype).max)


def _fill_parts(tensor: torch.Tensor) -> None:
    """Indices of a sparse tensor must point inside it, so they are zeroed; values are filled."""
    if tensor.layout is torch.sparse_coo:
        fill(tensor._values())
        return
    compressed = tensor.layout in (torch.sparse_csr, torch.sparse_bsr)
    _whole(tensor.crow_indices() if compressed else tensor.ccol_indices()).zero_()
    fill(tensor.values())
