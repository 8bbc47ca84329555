"""An example call of an op that runs as it stands, found by trying small arguments of the declared types.

Nothing here knows any op: the first call that PyTorch accepts is the example.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from gradwire.engine.graph import Collection, Expression, Literal, Numbers, TensorDocument
from gradwire.engine.ops import arguments
from gradwire.engine.ops.parameters import Overload, Parameter
from gradwire.engine.ops.registry import Op
from gradwire.findings import Source

# Tried per op, at some 20 microseconds each.
_MOST_TRIES = 1500
_MATRIX = [[2.0, 0.5], [0.5, 1.0]]


@dataclass(frozen=True, slots=True)
class Value:
    """One argument: as JSON, and how to make it."""

    json: Any
    make: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Example:
    """A call that was seen to run: the body for POST /v1/ops/{name}, and its arguments."""

    body: dict[str, Any]
    args: tuple[Value, ...]
    kwargs: dict[str, Value]


def _tensor(data: Any, dtype: str | None = None, *, requires_grad: bool = False, shown: Any = None) -> Value:
    """`shown` where JSON writes the data otherwise, as pairs for complex numbers."""
    document: dict[str, Any] = {"data": data if shown is None else shown}
    if dtype is not None:
        document["dtype"] = dtype
    if requires_grad:
        document["requires_grad"] = True
    kind = getattr(torch, dtype) if dtype else None
    return Value({"tensor": document}, lambda: torch.tensor(data, dtype=kind, requires_grad=requires_grad))


def _plain(value: Any) -> Value:
    return Value(value, lambda: value)


_CUBE = [[[1.0, 2.0], [3.0, 4.0]]]
# From the most usual to the rarest; floating matrices, vectors and numbers serve most ops.
_TENSORS = (
    _tensor(_MATRIX),
    _tensor([1.0, 2.0, 3.0]),
    _tensor([0, 1]),
    _tensor(1.5),
    _tensor([[0, 1], [1, 0]]),
    _tensor(_CUBE),
    _tensor([_CUBE]),
    _tensor([[True, False], [False, True]]),
    _tensor(1),
    _tensor([0.25, 0.5]),
    _tensor([1, 2], "int32"),
    _tensor([1 + 1j, 2], "complex64", shown=[[1, 1], [2, 0]]),
    _tensor([[_CUBE]]),
    _tensor(2.0, requires_grad=True),
    _tensor([1, 2], "uint8"),
)
_NUMBERS = (_plain(1), _plain(2), _plain(0), _plain(0.5))
_BY_ATOM: dict[str, tuple[Value, ...]] = {
    "Tensor": _TENSORS,
    "Number": _NUMBERS,
    "float": (_plain(0.5), _plain(1.0)),
    "int": (_plain(0), _plain(1), _plain(2), _plain(4)),
    "bool": (_plain(False), _plain(True)),
    "complex": _NUMBERS,
    "str": (_plain("sum"),),
    "dtype": (Value("float64", lambda: torch.float64),),
    "device": (Value("cpu", lambda: torch.device("cpu")),),
    "layout": (Value("strided", lambda: torch.strided),),
    "memory_format": (Value("contiguous_format", lambda: torch.contiguous_format),),
    "int[]": (_plain([1]), _plain([0]), _plain([2, 2]), _plain([0, 1]), _plain([1, 1, 1]), _plain([1, 1])),
    "float[]": (_plain([0.5]),),
    "Number[]": (_plain([1, 2]),),
    "bool[]": (_plain([True]),),
    "Any": (*_TENSORS[:2], _plain(1), _plain([1, 2])),
    "None": (_plain(None),),
}


def _lists(values: Sequence[Value]) -> tuple[Value, ...]:
    """Lists of one and of two tensors of each kind."""
    return tuple(_list_of(one, count) for count in (2, 1) for one in values)


def _list_of(one: Value, count: int) -> Value:
    return Value([one.json] * count, lambda: [one.make() for _ in range(count)])


@functools.cache
def example(op: Op) -> Example | None:
    """An example of `op`; None where no small call was accepted."""
    if op.special:
        return _syntax(op.last)
    tries = 0
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        for args, kwargs in itertools.chain.from_iterable(_calls(op, overload) for overload in op.overloads):
            tries += 1
            if tries > _MOST_TRIES:
                break
            if _runs(op, args, kwargs):
                return _example(args, kwargs)
    return None


def _example(args: tuple[Value, ...], kwargs: dict[str, Value]) -> Example:
    body: dict[str, Any] = {"args": [value.json for value in args]}
    if kwargs:
        body["kwargs"] = {name: value.json for name, value in kwargs.items()}
    return Example(body, args, kwargs)


def _syntax(name: str) -> Example:
    """Indexing and assignment, which are Python's syntax."""
    target, index, value = _tensor([[1.0, 2.0], [3.0, 4.0]]), _plain(":, 1"), _plain(5)
    if name == "getitem":
        return _example((target, index), {})
    if name == "setitem":
        return _example((target, index, value), {})
    return _example((target, _plain("requires_grad"), _plain(True)), {})


def _calls(op: Op, overload: Overload) -> Iterator[tuple[tuple[Value, ...], dict[str, Value]]]:
    """Calls with what an overload requires: all tensors alike first, then every mixture."""
    needed = [one for one in overload.parameters if one.required]
    variadic = next((one for one in overload.parameters if one.variadic), None)
    counts = (0,) if variadic is None else (2, 1, 3, 4, 0)
    for count in counts:
        slots = [*(one for one in needed if not one.keyword_only), *([variadic] * count)]
        named = [one for one in needed if one.keyword_only]
        options = [_options(op, one) for one in (*slots, *named) if one is not None]
        if not all(options):
            return
        for values in _mixtures(options):
            keywords = zip(named, values[len(slots) :], strict=True)
            yield values[: len(slots)], {one.name: value for one, value in keywords}


def _options(op: Op, parameter: Parameter) -> tuple[Value, ...]:
    declared = parameter.type
    if op.is_numpy and declared.is_any:
        return (_plain([[1.0, 2.0], [3.0, 4.0]]), _plain([1, 2, 3]), _plain(2), _plain(0))
    if declared.choices:
        return tuple(_plain(word) for word in declared.choices)
    found: list[Value] = []
    for atom in declared.atoms:
        found += _lists(_TENSORS) if atom == "Tensor[]" else _BY_ATOM.get(atom, ())
    return tuple(found)


def _mixtures(options: Sequence[tuple[Value, ...]]) -> Iterator[tuple[Value, ...]]:
    longest = max((len(one) for one in options), default=0)
    seen = set()
    for index in range(longest):
        alike = tuple(one[min(index, len(one) - 1)] for one in options)
        seen.add(tuple(map(id, alike)))
        yield alike
    if not options:
        yield ()
    for mixed in itertools.product(*options):
        if tuple(map(id, mixed)) not in seen:
            yield mixed


def _runs(op: Op, args: tuple[Value, ...], kwargs: dict[str, Value]) -> bool:
    """Whether planning and PyTorch both accept the call."""
    source = Source()
    prepared = arguments.prepare(
        op,
        [expression(value, source) for value in args],
        {name: expression(value, source) for name, value in kwargs.items()},
        source,
        None,
    )
    if isinstance(prepared, list):
        return False
    try:
        arguments.invoke(
            op,
            [evaluated(one) for one in prepared.args],
            {name: evaluated(one) for name, one in prepared.kwargs.items()},
        )
    except Exception:  # whatever a library raises, the call is no example
        return False
    return True


def expression(value: Value, source: Source) -> Expression:
    """The record that a reader of the body would make."""
    made = value.make()
    if isinstance(made, torch.Tensor):
        return TensorDocument(made, source, made.requires_grad)
    if isinstance(made, list) and made and all(isinstance(one, (int, float)) for one in made):
        return Numbers((len(made),), lambda: list(made), lambda: torch.tensor(made), source)
    if isinstance(made, list) and made and isinstance(made[0], list):
        shape = (len(made), len(made[0]))
        return Numbers(shape, lambda: [list(row) for row in made], lambda: torch.tensor(made), source)
    if isinstance(made, list):
        return Collection("list", tuple(expression(_plain(one), source) for one in made), source)
    return Literal(made, source)


def evaluated(one: Expression) -> Any:
    """The value of an expression without references."""
    if isinstance(one, TensorDocument):
        return one.tensor
    if isinstance(one, Numbers):
        return one.tolist()
    if isinstance(one, Collection):
        return [evaluated(item) for item in one.items]
    return getattr(one, "value", None)


@functools.cache
def differentiable(op: Op) -> bool | None:
    """Whether gradients flow through the op's example; None where there is no example to try."""
    found = None if op.special else example(op)
    if op.special:
        return op.last in ("getitem", "setitem")
    if found is None:
        return None
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        try:
            args = [_tracked(value.make()) for value in found.args]
            result = arguments.invoke(op, args, {name: _tracked(value.make()) for name, value in found.kwargs.items()})
        except Exception:  # an op that refuses tracked tensors is not differentiable
            return False
    return _tracks(result)


def _tracked(value: Any) -> Any:
    """A tensor that is no leaf, so that in-place ops take it."""
    if isinstance(value, list):
        return [_tracked(one) for one in value]
    if isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex()):
        return value.detach().requires_grad_(True).clone()
    return value


def _tracks(result: Any) -> bool:
    if isinstance(result, (tuple, list)):
        return any(_tracks(one) for one in result)
    return isinstance(result, torch.Tensor) and result.requires_grad
