"""Calls drawn from the op catalogue: right ones, nearly right ones, and wrong ones."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from hypothesis import strategies as st

Json = Any
Place = tuple[str | int, ...]

RUN = "/v1/graphs/run"
_INTS = (0, -1, 1, 2, 3, 7, -2, 100, 2**31 - 1, -(2**31), 2**31, 2**40, 10**9, 2**62, 2**63 - 1, -(2**63), 2**64 - 1)
_FLOATS = (0.0, -0.0, 0.5, -1.0, 1e-310, 1e38, -1e308)
_WORDS = ("", "mean", "sum", "none", "constant", "NaN", "Infinity", "$x", "ij,jk->ik", "a" * 300, "\u0000", "é")
_DTYPES = (
    "float64 float32 float16 bfloat16 float8_e4m3fn complex64 complex128 int64 int32 int16 int8 uint8 uint64 bool"
).split()
_NUMBERS = {
    "bool": (True, False),
    "uint": (0, 1, 2, 200),
    "int": (0, 1, -1, 2, 127, -128),
    "float": (0, 1, -1, 0.5, 2.5, 1e4, "NaN", "Infinity", "-Infinity"),
    "complex": ([0, 0], [1, -1], [0.5, "NaN"], ["Infinity", 2]),
}
_SPECIAL = (
    None,
    True,
    False,
    {},
    [],
    {"dtype": "float16"},
    {"dtype": "complex64"},
    {"slice": [None, None, 2]},
    {"ellipsis": True},
    {"float": "NaN"},
    {"float": "-Infinity"},
    {"int": "-9223372036854775808"},
    {"complex": [1, 2]},
    {"tuple": [1, 2]},
    {"device": "cpu"},
    {"device": "cuda:7"},
    {"layout": "sparse_coo"},
    {"memory_format": "channels_last"},
    {"nonsense": 1},
    {"ref": "x"},
)


@dataclass(frozen=True)
class Entry:
    """An op that may be called: its example, and the names of its parameters."""

    name: str
    example: dict[str, Json]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """A POST of JSON."""

    path: str
    body: Json


def entries(client: httpx.Client, names: list[str]) -> list[Entry]:
    """The catalogue's entries for `names`."""
    return [_entry(_described(client, name)) for name in names]


def _described(client: httpx.Client, name: str) -> dict[str, Json]:
    """Asked again where a busy machine makes a short deadline pass."""
    for _ in range(5):
        reply = client.get(f"/v1/ops/{name}")
        if reply.status_code == 200:
            return reply.json()
    raise AssertionError(f"{name}: {reply.text[:500]}")


def callable_names(client: httpx.Client) -> list[str]:
    """All ops that may be called."""
    names: list[str] = []
    cursor = ""
    while True:
        query = {"status": "callable", "limit": 1000} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/ops", params=query).json()
        names += [op["name"] for op in page["ops"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return names


def _entry(described: dict[str, Json]) -> Entry:
    names = {p["name"] for overload in described["overloads"] for p in overload["parameters"]}
    return Entry(described["name"], described["example"] or {}, tuple(sorted(names)))


@cache
def tensors() -> st.SearchStrategy[Json]:
    """Small tensors of every kind: empty, 0-dimensional, with NaN, that need a gradient or wrongly do."""
    return st.builds(
        _tensor, st.sampled_from(_DTYPES), st.lists(st.integers(0, 3), max_size=4), st.randoms(), st.booleans()
    )


def _tensor(dtype: str, shape: list[int], random: Any, grad: bool) -> Json:
    count = 1
    for size in shape:
        count *= size
    kind = next(kind for kind in _NUMBERS if dtype.startswith(("bfloat" if kind == "float" else kind, kind)))
    document = {"dtype": dtype, "shape": shape, "data": [random.choice(_NUMBERS[kind]) for _ in range(count)]}
    if not shape:
        document["data"] = document["data"][0]
    return document | ({"requires_grad": True} if grad and random.random() < 0.5 else {})


@cache
def values() -> st.SearchStrategy[Json]:
    """What may stand for an argument."""
    plain = st.one_of(
        st.sampled_from(_INTS), st.sampled_from(_FLOATS), st.sampled_from(_WORDS), st.sampled_from(_SPECIAL), tensors()
    )
    return st.one_of(plain, plain, st.lists(st.sampled_from(_INTS[:9]), max_size=4), st.lists(plain, max_size=3))


@cache
def _several() -> st.SearchStrategy[list[Json]]:
    return st.lists(values(), max_size=4)


@st.composite
def requests(draw: Any, known: list[Entry]) -> Request:
    """One call of one op, alone or within a graph that runs backward."""
    entry = draw(st.sampled_from(known))
    kind = draw(st.sampled_from(("right", "near", "near", "near", "wrong")))
    body = copy.deepcopy(entry.example)
    if kind == "near":
        for _ in range(draw(st.integers(1, 2))):
            _spoil(draw, body)
    elif kind == "wrong":
        names = st.sampled_from(entry.parameters or ("x",))
        body = {
            "args": draw(_several()),
            "kwargs": draw(st.dictionaries(names, values(), max_size=2)),
        }
    if draw(st.integers(0, 3)):
        return Request(f"/v1/ops/{entry.name}", body)
    return Request(RUN, _in_graph(entry.name, body, draw(st.booleans())))


def _spoil(draw: Any, body: dict[str, Json]) -> None:
    """Replace, leave out or repeat one thing among the arguments."""
    places = list(_places(body))
    if not places:
        body["args"] = [copy.deepcopy(draw(values()))]
        return
    *way, last = draw(st.sampled_from(places))
    owner = body
    for step in way:
        owner = owner[step]
    what = draw(st.sampled_from(("replace", "replace", "replace", "leave out", "repeat")))
    if what == "replace":
        owner[last] = copy.deepcopy(draw(values()))
    elif what == "leave out":
        del owner[last]
    elif isinstance(owner, list):
        owner.insert(last, copy.deepcopy(owner[last]))


def _places(value: Json, way: Place = ()) -> Iterator[Place]:
    """Every place of a body that may be changed, but for the members args and kwargs themselves."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in list(steps)[:12]:
        if way or step in ("args", "kwargs"):
            if len(way) >= 1:
                yield (*way, step)
            yield from _places(below, (*way, step))


def _in_graph(name: str, body: dict[str, Json], backward: bool) -> Json:
    call = {"id": "r", "op": name, "args": body.get("args", []), "kwargs": body.get("kwargs", {})}
    nodes = [call]
    if backward:
        nodes += [{"id": "s", "op": "sum", "args": ["$r"]}, {"op": "backward", "args": ["$s"]}]
    return {"nodes": nodes, "returns": ["r"], "tape": backward, "seed": 1}
