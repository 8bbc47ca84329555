"""Which node changed a tensor in place: to explain a backward pass that PyTorch refuses for it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch.multiprocessing.reductions import StorageWeakRef

from gradwire.engine.observe.origins import Maker

# How many writes are remembered in all; the oldest storage is forgotten first.
MAX_WRITES = 20_000

_MODIFIED = re.compile(
    r"modified by an inplace operation: \[(?P<type>[\w.]+) \[(?P<shape>[\d, ]*)\]\]"
    r"(?:, which is output (?P<output>\d+) of (?P<maker>[\w:]+),)?"
    r" is at version (?P<version>\d+); expected version (?P<expected>\d+)"
)


@dataclass(slots=True)
class _Write:
    """Writes of one node in a row: the version counter after the last of them."""

    maker: Maker
    version: int
    shape: tuple[int, ...]


@dataclass(slots=True)
class _Written:
    """The writes into one storage, oldest first. `ref` keeps the storage's address from reuse, not its memory.

    `differentiated`: some tensor that was written through had a gradient flowing through it.
    """

    ref: StorageWeakRef
    kind: str
    differentiated: bool = False
    writes: list[_Write] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What PyTorch's message says of the tensor: its type and shape, who made it, its version and the one expected."""

    kind: str
    shape: tuple[int, ...]
    maker: str | None
    version: int
    expected: int


class Writes:
    """Remembers in-place writes without keeping a tensor alive, and names the one that spoilt a saved tensor."""

    def __init__(self) -> None:
        self._storages: OrderedDict[int, _Written] = OrderedDict()
        self._count = 0

    def record(self, maker: Maker, tensor: torch.Tensor) -> None:
        """The node `maker` has just written into `tensor`. A node that goes on writing the same tensor is kept once."""
        try:
            version = tensor._version
            storage = tensor.untyped_storage()
        except (RuntimeError, NotImplementedError):  # an inference tensor has no version, a sparse one no storage
            return
        written = self._storages.get(storage._cdata)
        if written is None:
            written = _Written(StorageWeakRef(storage), kind_of(tensor))
            self._storages[storage._cdata] = written
        written.differentiated |= tensor.requires_grad
        if written.writes and written.writes[-1].maker == maker:
            written.writes[-1].version = version
        else:
            written.writes.append(_Write(maker, version, tuple(tensor.shape)))
            self._count += 1
            self._trim()

    def clear(self) -> None:
        """Forget everything: another run begins."""
        self._storages.clear()
        self._count = 0

    def _trim(self) -> None:
        while self._count > MAX_WRITES and len(self._storages) > 1:
            _, oldest = self._storages.popitem(last=False)
            self._count -= len(oldest.writes)
        if self._count > MAX_WRITES:  # one storage alone: its older half has the least to say about a recent save
            (written,) = self._storages.values()
            del written.writes[: MAX_WRITES // 2]
            self._count = len(written.writes)

    def explain(self, error: str, live: Iterable[torch.Tensor]) -> str | None:
        """Which node broke the rule that PyTorch's message `error` complains of, and what to do; None for other errors.

        `live` are the tensors that the run still holds: they tell apart storages that look alike.
        """
        complaint = _complaint(error)
        if complaint is None:
            return None
        maker = self._culprit(complaint, list(live))
        if maker is None:
            return None
        return (
            f"{_named(maker)} changed in place a tensor that the backward pass needs: use the out-of-place form there "
            f"(such as add for add_), or clone the tensor before it is changed"
        )

    def _culprit(self, complaint: _Complaint, live: list[torch.Tensor]) -> Maker | None:
        best: tuple[int, Maker] | None = None
        for key, written in self._storages.items():
            spoilt = next((write for write in written.writes if write.version > complaint.expected), None)
            if spoilt is not None:
                score = _likeness(complaint, written, key, live)
                if best is None or score >= best[0]:
                    best = (score, spoilt.maker)
        return None if best is None else best[1]


def _named(maker: Maker) -> str:
    """By its line, where it stands in a program; the node that a line became is nothing that its writer knows."""
    if maker.line is not None:
        return f"line {maker.line}"
    return f"node '{maker.label}'" if isinstance(maker.label, str) else f"node {maker.label}"


def _complaint(error: str) -> _Complaint | None:
    found = _MODIFIED.search(error)
    if found is None:
        return None
    shape = tuple(int(size) for size in found["shape"].replace(",", " ").split())
    kind = found["type"].rpartition(".")[2]
    return _Complaint(kind, shape, found["maker"], int(found["version"]), int(found["expected"]))


def _likeness(complaint: _Complaint, written: _Written, key: int, live: list[torch.Tensor]) -> int:
    """How much speaks for the complaint being about this storage."""
    score = 4 * (written.kind == complaint.kind) + 2 * any(write.shape == complaint.shape for write in written.writes)
    score += written.writes[-1].version == complaint.version
    if complaint.maker is not None and written.differentiated:
        score += 4  # only what a gradient flows through has a maker
    for tensor in live:
        if not _lies_in(tensor, key) or tensor._version != complaint.version:
            continue
        score += 2
        if tuple(tensor.shape) == complaint.shape:
            score += 2
    return score


def _lies_in(tensor: torch.Tensor, key: int) -> bool:
    try:
        return tensor.untyped_storage()._cdata == key and not tensor.is_inference()
    except (RuntimeError, NotImplementedError):
        return False


def kind_of(tensor: torch.Tensor) -> str:
    """PyTorch's old name for dtype and device as messages give it, without the module: `FloatTensor`."""
    return str(tensor.type()).rpartition(".")[2]
