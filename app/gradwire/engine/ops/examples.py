"""An example call of an op that runs as it stands, found by trying small arguments of the declared types.

Nothing here knows any op: the first call that PyTorch accepts is the example. Only where no small call is accepted does
a table tell one (told.py).
"""

from __future__ import annotations

import copy
import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gradwire.engine.graph import Collection, Expression, Literal, Numbers, TensorDocument
from gradwire.engine.ops import arguments, told
from gradwire.engine.ops.parameters import Overload, Parameter
from gradwire.engine.ops.registry import Op, registry
from gradwire.findings import Source

# Tried per op, at some 20 microseconds each.
_MOST_TRIES = 1500
# After a call that runs but that no gradient flows through.
_MORE_TRIES = 60
_MATRIX = [[2.0, 0.5], [0.5, 1.0]]
_RESULT = "result"


@dataclass(frozen=True, slots=True)
class Value:
    """One argument: as JSON, and how to make it."""

    json: Any
    make: Callable[[], Any]


Call: TypeAlias = tuple[tuple[Value, ...], dict[str, Value]]


@dataclass(frozen=True, slots=True)
class Example:
    """A call that runs: as the body for POST /v1/ops/{name} and as the nodes of a graph, the last being the op.

    `body` is None where an argument can only come out of another node.
    """

    body: dict[str, Any] | None
    nodes: tuple[dict[str, Any], ...]

    @property
    def graph(self) -> dict[str, Any]:
        """The body for POST /v1/graphs/run."""
        return {"nodes": list(self.nodes), "returns": [_RESULT]}


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
        return _written(op.name, _syntax(op.last))
    entry = told.of(op.name)
    if entry is not None:
        return _written(op.name, entry)
    found = _searched(op)
    return None if found is None else _written(op.name, _body(*found))


def _searched(op: Op) -> Call | None:
    """The first call that runs, or, a little further on, one that gradients flow through."""
    first: Call | None = None
    with _quietly():
        calls = itertools.chain.from_iterable(_calls(op, overload) for overload in op.overloads)
        left = _MOST_TRIES
        for args, kwargs in calls:
            left -= 1
            if left < 0:
                break
            if (first is not None and not _holds_floats((*args, *kwargs.values()))) or not _runs(op, args, kwargs):
                continue
            if op.is_numpy or _differentiates(op, args, kwargs):
                return args, kwargs
            if first is None:
                first, left = (args, kwargs), min(left, _MORE_TRIES)
    return first


def _holds_floats(values: Sequence[Value]) -> bool:
    made = itertools.chain.from_iterable(_flat(one.make()) for one in values)
    return any(isinstance(one, torch.Tensor) and (one.is_floating_point() or one.is_complex()) for one in made)


def _differentiates(op: Op, args: tuple[Value, ...], kwargs: dict[str, Value]) -> bool:
    """Whether the result is tracked where the arguments are."""
    tracked = [_with_gradient(one) for one in args]
    try:
        return _tracks(_called(op, tracked, {name: _with_gradient(one) for name, one in kwargs.items()})[1])
    except Exception:  # an op that refuses tracked tensors
        return False


def _with_gradient(one: Value) -> Value:
    made = _tracked(one.make())
    return Value(one.json, lambda: made)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without warnings, and without a trace in the random state."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        yield


def _body(args: tuple[Value, ...], kwargs: dict[str, Value]) -> dict[str, Any]:
    body: dict[str, Any] = {"args": [value.json for value in args]}
    if kwargs:
        body["kwargs"] = {name: value.json for name, value in kwargs.items()}
    return body


def _written(name: str, entry: dict[str, Any]) -> Example:
    """The example that an entry of the table, or a body, stands for."""
    body: dict[str, Any] = {key: value for key, value in entry.items() if key != "nodes"}
    return Example(body or None, tuple(entry.get("nodes") or ({"id": _RESULT, "op": name, **body},)))


def _syntax(name: str) -> dict[str, Any]:
    """Indexing and assignment, which are Python's syntax."""
    target = _tensor([[1.0, 2.0], [3.0, 4.0]]).json
    if name == "getitem":
        return {"args": [target, ":, 1"]}
    if name == "setitem":
        return {"args": [target, ":, 1", 5]}
    return {"args": [target, "requires_grad", True]}


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
    try:
        return _called(op, args, kwargs)[0]
    except Exception:  # whatever a library raises, the call is no example
        return False


def _called(op: Op, args: Sequence[Value], kwargs: dict[str, Value]) -> tuple[bool, Any]:
    """(True, what the call gives), or (False, None) where planning refuses it."""
    source = Source()
    prepared = arguments.prepare(
        op,
        [expression(value, source) for value in args],
        {name: expression(value, source) for name, value in kwargs.items()},
        source,
        None,
    )
    if isinstance(prepared, list):
        return False, None
    keywords = {name: evaluated(one) for name, one in prepared.kwargs.items()}
    return True, arguments.invoke(prepared.op, [evaluated(one) for one in prepared.args], keywords)


def expression(value: Value, source: Source) -> Expression:
    """The record that a reader of the body would make."""
    made = value.make()
    if isinstance(made, torch.Tensor):
        return TensorDocument(made, source, made.requires_grad)
    if isinstance(made, list) and (shape := _shape(made)):
        return Numbers(shape, lambda: copy.deepcopy(made), lambda: torch.tensor(made), source)
    if isinstance(made, list):
        return Collection("list", tuple(expression(_plain(one), source) for one in made), source)
    return Literal(made, source)


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of nested lists of numbers; None for anything else, and for empty ones."""
    if not isinstance(value, list):
        return () if isinstance(value, (bool, int, float)) else None
    shapes = {_shape(one) for one in value}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(value), *inner)


def evaluated(one: Expression) -> Any:
    """The value of an expression without references."""
    if isinstance(one, TensorDocument):
        return one.tensor
    if isinstance(one, Numbers):
        return one.tolist()
    if isinstance(one, Collection):
        return [evaluated(item) for item in one.items]
    return getattr(one, "value", None)


@dataclass(frozen=True, slots=True)
class Observed:
    """What running an op's example showed."""

    differentiable: bool
    shares_memory: bool
    dynamic_shape: bool


class _Shapes(TorchDispatchMode):
    """Notes whether anything that ran has a shape that depends on the data."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dynamic = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.dynamic |= torch.Tag.dynamic_output_shape in func.tags
        return func(*args, **(kwargs or {}))


@functools.cache
def observed(op: Op) -> Observed | None:
    """What the op's example shows when its tensors are tracked; None where there is no example to try.

    An example that is refused once its tensors are tracked is run without.
    """
    if op.special:
        return Observed(op.last != "setattr", op.last == "getitem", op.last == "getitem")
    found = example(op)
    if found is None:
        return None
    with _quietly():
        for tracked in (True, False):
            shapes = _Shapes()
            try:
                with shapes:
                    taken, result = _result(found, tracked)
            except Exception:  # an op that refuses tracked tensors is not differentiable
                continue
            return Observed(_tracks(result), _share(result, taken), shapes.dynamic)
    return Observed(differentiable=False, shares_memory=False, dynamic_shape=False)


def _result(found: Example, tracked: bool) -> tuple[list[Any], Any]:
    """(the arguments, what the example gives)."""
    frame: dict[str, Any] = {}
    taken: list[Any] = []
    for node in found.nodes:
        op = registry().find(node["op"])
        assert isinstance(op, Op)
        values = [_from_table(one, frame, tracked) for one in node.get("args", ())]
        kwargs = {name: _from_table(one, frame, tracked) for name, one in node.get("kwargs", {}).items()}
        taken = [one.make() for one in (*values, *kwargs.values())]
        frame[node["id"]] = _called(op, values, kwargs)[1]
    return taken, frame[_RESULT]


def _share(result: Any, taken: Any) -> bool:
    """Whether a tensor or array in `result` lies in the memory of one in `taken`."""
    mine, others = ({_memory(one) for one in _flat(value)} - {0} for value in (result, taken))
    return bool(mine & others)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _memory(value: Any) -> int:
    """The address of the memory that holds the elements; 0 for what has none."""
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    if isinstance(value, np.ndarray):
        return int(value.__array_interface__["data"][0])
    if isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_mkldnn:
        return value.untyped_storage().data_ptr() if not value.is_nested else 0
    return 0


def _from_table(document: Any, frame: dict[str, Any], tracked: bool) -> Value:
    value = told.read(document, frame)
    made = _tracked(value) if tracked and not isinstance(document, str) else value
    return Value(document, lambda: made)


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
