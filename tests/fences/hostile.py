"""Hostile variants of a legal call: each leaf of its arguments replaced by what may break the op."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

INTS = (
    0,
    -1,
    1,
    2,
    3,
    -2,
    7,
    17,
    100,
    -100,
    2**31 - 1,
    -(2**31),
    2**31,
    2**32,
    10**6,
    10**9,
    2**40,
    -(2**40),
    2**62,
    2**63 - 1,
    -(2**63),
)
SMALL_INTS = (0, -1, 1, 2, 5, 100, 70_000)
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, math.nan, math.inf, -math.inf, 1e308, -1e308, 1e38, 1e-310, 2.0**31, 2.0**63, 1e6)
DTYPES = (
    "float64 float32 bfloat16 float16 complex64 int64 int32 int16 int8 uint8 bool float8_e4m3fn uint16 uint64".split()
)
MOST_COPIED = 1 << 20

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class Call:
    """A call that is meant to be legal: values as Python has them."""

    op: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Edit:
    """What is done at one place of a call; a path is a position or keyword, then indices of lists."""

    path: tuple[int | str, ...]
    name: str
    change: Change


@dataclass(frozen=True)
class Variant:
    """A call with edits. `later` is done between the call and its backward pass, to an argument or, by the path
    ("result", number), to what came out.
    """

    base: Call
    edits: tuple[Edit, ...] = ()
    later: Edit | None = None

    def made(self, place: Callable[[Any], Any] = lambda value: value) -> tuple[list[Any], dict[str, Any]]:
        """Fresh arguments, tensors and arrays passed through `place`; one that stood twice stands twice again."""
        memo: dict[int, Any] = {}
        whole: dict[int | str, Any] = dict(enumerate(self.base.args))
        copied = {name: _copied(value, memo) for name, value in {**whole, **self.base.kwargs}.items()}
        for edit in self.edits:
            copied[edit.path[0]] = _edited(copied.get(edit.path[0]), edit.path[1:], edit.change)
        copied = {name: copied.get(0) if value is _FIRST else value for name, value in copied.items()}
        memo = {}
        placed = {name: _placed(value, place, memo) for name, value in copied.items()}
        args = [placed[index] for index in range(len(self.base.args)) if placed[index] is not _LEFT_OUT]
        kwargs = {name: value for name, value in placed.items() if isinstance(name, str) and value is not _LEFT_OUT}
        return args, kwargs

    @property
    def text(self) -> str:
        """What was done."""
        told = [f"{'.'.join(map(str, edit.path))}: {edit.name}" for edit in self.edits]
        if self.later is not None:
            told.append(f"afterwards {'.'.join(map(str, self.later.path))}: {self.later.name}")
        return "; ".join(told) or "as it is"

    def change_later(self, result: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
        """Do what is to be done between the call and its backward pass."""
        if self.later is None:
            return
        path = self.later.path
        found: Any = kwargs.get(path[0]) if isinstance(path[0], str) else args[path[0]] if path[0] < len(args) else None
        if path[0] == "result":
            found = [result] if isinstance(result, torch.Tensor) else result
        for step in path[1:]:
            is_there = isinstance(found, (list, tuple)) and isinstance(step, int) and step < len(found)
            found = found[step] if is_there else None
        if isinstance(found, torch.Tensor):
            self.later.change(found)


_LEFT_OUT = object()
_FIRST = object()


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, torch.Tensor):
        if id(value) not in memo:
            copy = value.detach()
            if copy.numel() <= MOST_COPIED and 0 not in copy.stride() if copy.layout is torch.strided else True:
                copy = copy.clone()
            memo[id(value)] = copy.requires_grad_() if value.requires_grad else copy
        return memo[id(value)]
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(_copied(one, memo) for one in value)
    return value


def _edited(value: Any, path: tuple[int | str, ...], change: Change) -> Any:
    if not path:
        return change(value)
    if isinstance(value, (list, tuple)) and isinstance(path[0], int) and path[0] < len(value):
        items = list(value)
        items[path[0]] = _edited(items[path[0]], path[1:], change)
        return type(value)(items) if type(value) in (list, tuple) else tuple(items)
    return value


def _placed(value: Any, place: Callable[[Any], Any], memo: dict[int, Any]) -> Any:
    if isinstance(value, (torch.Tensor, np.ndarray)):
        if id(value) not in memo:
            placed = place(value.detach() if isinstance(value, torch.Tensor) else value)
            if isinstance(value, torch.Tensor) and value.requires_grad and _may_require_grad(placed):
                placed.requires_grad_()
            memo[id(value)] = placed
        return memo[id(value)]
    if type(value) in (list, tuple):
        return type(value)(_placed(one, place, memo) for one in value)
    return value


def _may_require_grad(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def variants(bases: list[Call], added: dict[str, str], rng: random.Random, most: int) -> Iterator[Variant]:
    """The bases as they are, then single edits in random order, then random pairs and triples; `most` in all.

    `added`: further keywords that the op takes, each with its kind.
    """
    count = 0
    for base in bases:
        yield Variant(base)
        count += 1
    single = [(base, edit) for base in bases for edit in _edits(base, added)]
    rng.shuffle(single)
    for base, edit in single[: max(most * 3 // 4, most - len(single))]:
        yield Variant(base, (edit,))
        count += 1
    by_base: dict[int, list[Edit]] = {}
    for base, edit in single:
        by_base.setdefault(id(base), []).append(edit)
    while count < most and single:
        base, first = rng.choice(single)
        others = rng.sample(by_base[id(base)], min(len(by_base[id(base)]), rng.choice((1, 1, 2))))
        edits = {edit.path: edit for edit in (first, *others)}
        yield Variant(base, tuple(edits.values()))
        count += 1


def later_variants(bases: list[Call], rng: random.Random, most: int) -> Iterator[Variant]:
    """Calls whose saved tensors are changed before the backward pass, behind the back of the version counter."""
    found = []
    for base in bases:
        named = (*enumerate(base.args), *base.kwargs.items())
        leaves = [(path, leaf) for name, value in named for path, leaf in _leaves((name,), value)]
        tensors = [(path, leaf) for path, leaf in leaves if isinstance(leaf, torch.Tensor)]
        if not any(leaf.requires_grad for _, leaf in tensors):
            continue
        for path, leaf in tensors:
            if not leaf.requires_grad:
                found += [Variant(base, (), Edit(path, *change)) for change in _later_changes(leaf.is_floating_point())]
        for number in range(4):
            found += [Variant(base, (), Edit(("result", number), *change)) for change in _later_changes(False)]
    rng.shuffle(found)
    yield from found[:most]


def _later_changes(is_floating: bool) -> Iterator[tuple[str, Change]]:
    for number in () if is_floating else (-1, 7, 1000, 2**31 - 1, 10**12, -(10**12)):
        yield f"filled with {number}", lambda value, number=number: _fill_integers(value, number)
    for size in (0, 1, 4000):
        yield f"resized to {size}", lambda value, size=size: value.resize_(size)
    yield "transposed in place", lambda value: value.t_()


def _fill_integers(value: torch.Tensor, number: int) -> None:
    if not value.is_floating_point() and not value.is_complex():
        value.data.fill_(number)


def _edits(base: Call, added: dict[str, str]) -> Iterator[Edit]:
    for name, value in (*enumerate(base.args), *base.kwargs.items()):
        for path, leaf in _leaves((name,), value):
            for text, change in _changes(leaf):
                yield Edit(path, text, change)
        yield Edit((name,), "left out", lambda _: _LEFT_OUT)
        if name != 0 and isinstance(value, torch.Tensor) and base.args and isinstance(base.args[0], torch.Tensor):
            yield Edit((name,), "the same tensor as the first", lambda _: _FIRST)
    for name, kind in added.items():
        if name not in base.kwargs:
            for text, change in _of_kind(kind, base):
                yield Edit((name,), text, change)


def _leaves(path: tuple[int | str, ...], value: Any) -> Iterator[tuple[tuple[int | str, ...], Any]]:
    yield path, value
    if type(value) in (list, tuple) and len(value) <= 8:
        for index, one in enumerate(value):
            yield from _leaves((*path, index), one)


def _constant(value: Any) -> Change:
    return lambda _: value


def _changes(leaf: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(leaf, torch.Tensor):
        yield from _tensor_changes(leaf)
    elif isinstance(leaf, np.ndarray):
        yield from _array_changes(leaf)
    elif isinstance(leaf, bool):
        yield f"{not leaf}", _constant(not leaf)
    elif isinstance(leaf, int):
        for value in INTS:
            yield f"{value}", _constant(value)
    elif isinstance(leaf, (float, complex)):
        for number in FLOATS:
            yield f"{number}", _constant(number)
    elif leaf is None:
        for value in (0, -1, 5, 2**40, [], [1], torch.ones(3), torch.ones(2, 2), torch.arange(3), 1.0, "sum", True):
            yield f"{_shown(value)}", _constant(value)
    elif isinstance(leaf, str):
        for text in (
            "",
            "none",
            "mean",
            "sum",
            "max",
            "trunc",
            "floor",
            "reflect",
            "circular",
            "complete",
            "raise",
            "clip",
            "wrap",
            "no such",
            "i,j->",
            "...,...",
        ):
            yield repr(text), _constant(text)
    elif isinstance(leaf, torch.dtype):
        for name in DTYPES:
            yield name, _constant(getattr(torch, name))
    elif type(leaf) in (list, tuple):
        yield from _list_changes(leaf)


def _list_changes(leaf: Any) -> Iterator[tuple[str, Change]]:
    yield "an empty list", lambda value: type(value)()
    yield "one less", lambda value: value[:-1]
    yield "one more", lambda value: type(value)((*value, value[-1])) if value else type(value)((1,))
    yield "twenty times", lambda value: value * 20
    if all(isinstance(one, int) for one in leaf):
        for number in (0, -1, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63)):
            yield f"all {number}", lambda value, number=number: type(value)(number for _ in value)


def _of_kind(kind: str, base: Call) -> Iterator[tuple[str, Change]]:
    """Values for a keyword that the base leaves out."""
    tensors = [one for one in base.args if isinstance(one, torch.Tensor)]
    if kind == "out":
        for one in tensors[:1]:
            yield "the first tensor itself", lambda _, one=one: torch.empty_like(one)
            yield "a short one", lambda _: torch.zeros(1)
            yield "an expanded one", lambda _, one=one: torch.zeros(1).expand(one.shape)
    for value in {
        "int": (0, -1, 1, 2, 5, 2**31, 2**40, 2**63 - 1, -(2**63)),
        "bool": (True, False),
        "float": (0.0, 0.5, -1.0, math.nan, math.inf, 1e30),
        "Number": (0, 2, -1, math.nan),
        "str": ("", "none", "mean", "sum", "trunc", "floor", "max", "no such"),
        "int[]": ([], [0], [1], [0, 1], [2**40], [-1, -1]),
        "float[]": ([], [0.0, 1.0], [math.nan, 1.0], [-1e30, 1e30]),
        "dtype": tuple(getattr(torch, name) for name in DTYPES),
        "layout": (torch.sparse_coo, torch.sparse_csr, torch._mkldnn),  # type: ignore[attr-defined]
        "memory_format": (torch.channels_last, torch.channels_last_3d, torch.preserve_format),
        "Tensor": (
            torch.ones(3),
            torch.ones(3, 3),
            torch.arange(3),
            torch.tensor([-1, 99]),
            torch.tensor(2),
            torch.tensor([]),
        ),
    }.get(kind, ()):
        yield f"{_shown(value)}", _constant(value)


def _shown(value: Any) -> str:
    return " ".join(str(value).split())[:60]


def _tensor_changes(leaf: torch.Tensor) -> Iterator[tuple[str, Change]]:
    if leaf.layout is torch.strided and leaf.numel() and not leaf.is_meta and leaf.numel() <= MOST_COPIED:
        yield from _elements(leaf)
    yield from _shapes()
    for name in DTYPES:
        if leaf.dtype is not getattr(torch, name):
            yield f"as {name}", lambda value, name=name: value.detach().to(getattr(torch, name))
    yield from _layouts()


def _elements(leaf: torch.Tensor) -> Iterator[tuple[str, Change]]:
    if leaf.dtype is torch.bool:
        yield "bytes of 255", lambda value: torch.full_like(value, 255, dtype=torch.uint8).view(torch.bool)
        yield "all true", torch.ones_like
        yield "all false", torch.zeros_like
    elif leaf.is_floating_point() or leaf.is_complex():
        for number in (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e38, 1e-42, 3e9, -3e9):
            yield f"first {number}", lambda value, number=number: _with(value, number, first=True)
            yield f"all {number}", lambda value, number=number: _with(value, number, first=False)
    else:
        low, high = torch.iinfo(leaf.dtype).min, torch.iinfo(leaf.dtype).max
        for number in (-1, 0, 1, 2, 5, 20, 100, -100, 2**20, 2**31, 2**40, -(2**40), low, high):
            if low <= number <= high:
                yield f"first {number}", lambda value, number=number: _with(value, number, first=True)
                yield f"last {number}", lambda value, number=number: _with(value, number, last=True)
                yield f"all {number}", lambda value, number=number: _with(value, number, first=False)


def _with(value: torch.Tensor, number: float, *, first: bool = False, last: bool = False) -> torch.Tensor:
    changed = value.detach().contiguous().clone()
    flat = changed.view(-1)
    if first:
        flat[0] = number
    elif last:
        flat[-1] = number
    else:
        flat.fill_(number)
    return changed.requires_grad_() if value.requires_grad else changed


def _shapes() -> Iterator[tuple[str, Change]]:
    yield "first dimension empty", lambda value: value.narrow(0, 0, 0)
    yield "last dimension empty", lambda value: value.narrow(-1, 0, 0)
    yield "all empty", lambda value: value.flatten()[:0]
    yield "0-dimensional", lambda value: value.flatten()[0]
    yield "one dimension more", lambda value: value.unsqueeze(0)
    yield "one dimension more at the end", lambda value: value.unsqueeze(-1)
    yield "one dimension less", lambda value: value[0]
    yield "flat", lambda value: value.flatten()
    yield "one longer", lambda value: torch.cat([value, value[:1]])
    yield "longer at the end", lambda value: torch.cat([value, value], -1)
    yield "one shorter", lambda value: value[:-1]
    yield "shorter at the end", lambda value: value[..., :-1]
    yield "one row", lambda value: value[:1]
    yield "transposed", lambda value: value.transpose(0, -1)
    yield "every second", lambda value: torch.cat([value, value], -1)[..., ::2]
    yield "expanded rows", lambda value: value[:1].expand(value.shape)
    yield "expanded columns", lambda value: value[..., :1].expand(value.shape)
    yield "all one element", lambda value: value.flatten()[:1].expand(value.shape)
    yield "shape (0, 2^40)", lambda value: value.new_zeros(0).reshape(0).as_strided((0, 2**40), (1, 1))
    yield "large", lambda value: value.flatten()[:1].expand(300_000).contiguous()
    yield "seven dimensions", lambda value: value.reshape(*value.shape, *([1] * (7 - value.dim())))
    yield "30 dimensions", lambda value: value.reshape(*value.shape, *([1] * (30 - value.dim())))
    yield "a number", lambda value: value.flatten()[0].item()


def _layouts() -> Iterator[tuple[str, Change]]:
    yield "sparse", lambda value: value.detach().to_sparse()
    yield "a sparse nothing", lambda value: torch.zeros((), dtype=value.dtype, layout=torch.sparse_coo)
    yield "sparse without elements", lambda value: torch.zeros_like(value.detach()).to_sparse()
    yield "uncoalesced", lambda value: _uncoalesced(value.detach())
    yield "sparse_csr", lambda value: value.detach().to_sparse_csr()
    yield "sparse_csc", lambda value: value.detach().to_sparse_csc()
    yield "sparse_bsr", lambda value: value.detach().to_sparse_bsr((1, 1))
    yield "hybrid", lambda value: value.detach().to_sparse(1)
    yield "mkldnn", lambda value: value.detach().to_mkldnn()
    yield "quantized", lambda value: torch.quantize_per_tensor(value.detach().float(), 0.1, 3, torch.quint8)
    yield "quantized qint32", lambda value: torch.quantize_per_tensor(value.detach().float(), 0.1, 3, torch.qint32)
    yield "quantized by channel", _by_channel
    yield "nested", lambda value: torch.nested.nested_tensor([value.detach(), value.detach()[:1]])
    yield "jagged", lambda value: torch.nested.nested_tensor([value.detach(), value.detach()[:1]], layout=torch.jagged)
    yield "conj", lambda value: value.detach().to(torch.complex64).conj()
    yield "negative view", lambda value: value.detach().to(torch.complex64).conj().imag
    yield "requires grad", lambda value: value.detach().requires_grad_()
    yield "an array", lambda value: value.detach().numpy()


def _uncoalesced(value: torch.Tensor) -> torch.Tensor:
    made = value.to_sparse()
    indices, values = torch.cat([made.indices(), made.indices()], 1), torch.cat([made.values(), made.values()])
    return torch.sparse_coo_tensor(indices, values, made.shape)


def _by_channel(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().float()
    count = value.shape[0]
    return torch.quantize_per_channel(value, torch.full((count,), 0.1), torch.zeros(count), 0, torch.qint8)


def _array_changes(leaf: np.ndarray) -> Iterator[tuple[str, Change]]:
    for name in "float64 float32 float16 complex64 int64 int32 int8 uint8 uint64 bool".split():
        yield f"as {name}", lambda value, name=name: value.astype(name)
    for number in (-1, 0, 1, 5, 100, 2**31, 2**40, -(2**63), 2**63 - 1, math.nan, math.inf):
        yield f"first {number}", lambda value, number=number: _array_with(value, number, first=True)
        yield f"all {number}", lambda value, number=number: _array_with(value, number, first=False)
    yield "empty", lambda value: value.reshape(-1)[:0]
    yield "empty rows", lambda value: value[:0]
    yield "0-dimensional", lambda value: np.asarray(value.reshape(-1)[0])
    yield "one dimension more", lambda value: value[None]
    yield "one dimension less", lambda value: value[0]
    yield "one longer", lambda value: np.concatenate([value, value[:1]])
    yield "reversed", lambda value: value[::-1]
    yield "transposed", lambda value: value.T
    yield "broadcast", lambda value: np.broadcast_to(value, (1000, *value.shape))
    yield "a tensor", torch.from_numpy
    yield "30 dimensions", lambda value: value.reshape(*value.shape, *([1] * (30 - value.ndim)))


def _array_with(value: np.ndarray, number: float, *, first: bool) -> np.ndarray:
    changed = value.copy()
    if first:
        changed.reshape(-1)[0] = number
    else:
        changed[...] = number
    return changed
