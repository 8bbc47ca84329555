"""What a backward node keeps for its backward pass, as JSON-ready records.

Everything is read through `_raw_saved_*` and `_saved_*`. Saved-tensor hooks would see the tensors too, but a tensor
saved under hooks is no longer checked for in-place changes, so that asking for a tape would hide errors.
"""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from gradwire.engine.observe.hidden import Packed

MAX_SAFE_INT = 2**53 - 1


class Storages:
    """Numbers for storages, in order of first sight, without keeping their memory alive.

    A weak reference is held for every storage, so that an address freed and used again is not taken for the old one.
    `total` is the bytes of all of them, each whole and once.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, tuple[int, StorageWeakRef]] = {}
        self._sizes: list[int] = []

    @property
    def total(self) -> int:
        return sum(self._sizes)

    def size(self, numbers: set[int]) -> int:
        """The bytes of these storages together."""
        return sum(self._sizes[number] for number in numbers)

    def number(self, tensor: torch.Tensor) -> int:
        """The number of the storage that `tensor` lies in; of one without a storage, a new number."""
        try:
            storage = tensor.untyped_storage()
        except (RuntimeError, NotImplementedError):
            self._sizes.append(tensor.numel() * tensor.element_size())
            return len(self._sizes) - 1
        known = self._numbers.get(storage._cdata)
        if known is None:
            known = (len(self._sizes), StorageWeakRef(storage))
            self._numbers[storage._cdata] = known
            self._sizes.append(storage.nbytes())
        return known[0]


def saved_by(
    fn: Any, storages: Storages, hidden: Iterable[weakref.ref[Packed]] = ()
) -> tuple[list[dict[str, Any]], set[int]]:
    """The records of what `fn` keeps, as contract section 4 wants them, and the numbers of the storages that it keeps.

    `hidden` is what it saved that cannot be read from it (see hidden.py). A tensor that was not needed for the
    gradients in play is left out; one that is freed has value null and `freed`.
    """
    records: list[dict[str, Any]] = []
    numbers: set[int] = set()
    for name, value in itertools.chain(_kept(fn), _hidden(hidden)):
        if not isinstance(value, torch.Tensor):
            records.append({"name": name, **value})
        elif is_wrapped_number(value):
            records.append({"name": name, "value": jsonable(value.item())})
        else:
            records.append({"name": name, **_tensor_record(value, storages, numbers)})
    return records, numbers


def _kept(fn: Any) -> Iterator[tuple[str, Any]]:
    """Names with tensors, or with the record of what is no tensor."""
    for name, attribute, raw in _attributes(type(fn)):  # type: ignore[arg-type]  # mypy: a type is not hashable
        try:
            if raw:
                yield from _tensors(name, getattr(fn, attribute))
            else:
                yield name, {"value": jsonable(getattr(fn, attribute))}
        except RuntimeError:  # released by a backward pass that ran before
            yield name, {"value": None, "freed": True}


def _hidden(saves: Iterable[weakref.ref[Packed]]) -> Iterator[tuple[str, Any]]:
    for index, save in enumerate(saves):
        packed = save()
        yield f"saved.{index}", {"value": None, "freed": True} if packed is None else packed.tensor


@lru_cache(maxsize=4096)
def _attributes(kind: Any) -> tuple[tuple[str, str, bool], ...]:
    """(name, attribute, whether it holds saved tensors) of everything that this kind of node saves."""
    own = vars(kind)
    if "_raw_saved_tensors" in dir(kind) and "_saved_tensors" not in own:  # a Python autograd.Function
        return (("saved_tensors", "_raw_saved_tensors", True),)
    found = []
    for attribute in own:
        if attribute.startswith("_saved_"):
            raw = f"_raw{attribute}"
            found.append((attribute.removeprefix("_saved_"), raw if raw in own else attribute, raw in own))
    return tuple(found)


def _tensors(name: str, raw: Any) -> Iterator[tuple[str, Any]]:
    """The tensors behind one raw attribute: a SavedTensor, or a tuple of them (a list of tensors that was saved)."""
    if isinstance(raw, (tuple, list)):
        for index, part in enumerate(raw):
            yield from _tensors(f"{name}.{index}", part)
    elif raw is not None:
        # `data` is what is kept, even if it was changed since. Unpacking would refuse that; where nothing is kept, it
        # tells what was freed (an error) from what was never needed (None).
        kept = raw.data if raw.data is not None else raw.unpack()
        if kept is not None:
            yield name, kept.tensor if isinstance(kept, Packed) else kept


def _tensor_record(tensor: torch.Tensor, storages: Storages, numbers: set[int]) -> dict[str, Any]:
    parts = dense_parts(tensor)
    found = [storages.number(part) for part in parts]
    numbers.update(found)
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": _shape(tensor),
        "bytes": sum(part.numel() * part.element_size() for part in parts),
        "storage": found[-1],
    }


def dense_parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    """The tensors that hold memory: of a sparse tensor its indices and, last, its values."""
    if tensor.layout is torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        return [tensor.crow_indices(), tensor.col_indices(), tensor.values()]
    if tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        return [tensor.ccol_indices(), tensor.row_indices(), tensor.values()]
    return [tensor]


def _shape(tensor: torch.Tensor) -> list[int]:
    if tensor.is_nested:  # its parts have shapes of their own
        return [tensor.size(0)]
    return list(tensor.shape)


def is_wrapped_number(tensor: torch.Tensor) -> bool:
    """Whether `tensor` is a Python number that PyTorch wrapped (the 3 of `y * 3`), not a tensor of the program's.

    Saved-tensor hooks are not shown wrapped numbers: that is the only place where PyTorch lets Python see the flag.
    """
    if tensor.dim() != 0 or tensor.device.type != "cpu" or tensor.requires_grad:
        return False
    shown: list[torch.Tensor] = []

    def pack(value: torch.Tensor) -> torch.Tensor:
        shown.append(value)
        return value.detach()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        torch._C._autograd._make_saved_tensor(tensor, False)
    return not shown


def jsonable(value: Any) -> Any:
    """`value` in JSON's words, as replies write it.

    Non-finite floats and integers over 2^53-1 are text, complex numbers [re, im]. Integers from 2^63
    on are negative ones that PyTorch's getters show unsigned (`dim=-1`, `ignore_index=-100`).
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        signed = value - 2**64 if value >= 2**63 else value
        return signed if abs(signed) <= MAX_SAFE_INT else str(signed)
    if isinstance(value, float):
        return value if math.isfinite(value) else _non_finite(value)
    if isinstance(value, complex):
        return [jsonable(value.real), jsonable(value.imag)]
    if isinstance(value, torch.Tensor):
        return jsonable(value.tolist())
    if isinstance(value, (tuple, list)):
        return [jsonable(part) for part in value]
    return str(value).removeprefix("torch.")


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
