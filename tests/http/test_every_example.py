"""Every callable op's example, as the catalogue gives it, sent to the service: each must run as it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service import RUN, read

# A worker each.
_AT_ONCE = 2
# Arguments that no literal writes, so that only a graph can call the op: what the first node of its example makes.
_MADE_BY_NODES = {
    "to_sparse",
    "Tensor.to_sparse_csr",
    "Tensor.to_sparse_csc",
    "Tensor.to_mkldnn",
    "quantize_per_tensor",
    "quantize_per_channel",
    "numpy.array",
    "nested.nested_tensor",
}


@dataclass(frozen=True)
class Tried:
    """One op: its description, and the status and text of each reply to an example of it."""

    described: dict[str, Any]
    replies: tuple[tuple[int, str], ...]


@pytest.fixture(scope="module")
def tried(server) -> dict[str, Tried]:
    """All callable ops, each described and both of its examples sent, over a few connections."""
    with server.client() as client, ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(pool.map(lambda name: (name, _tried(client, name)), _callable_names(client)))


def _callable_names(client) -> Iterator[str]:
    cursor = ""
    while cursor is not None:
        page = client.get("/v1/ops", params={"status": "callable", "limit": 1000, "cursor": cursor}).json()
        yield from (op["name"] for op in page["ops"])
        cursor = page["next_cursor"]


def _tried(client, name: str) -> Tried:
    described = read(client.get(f"/v1/ops/{name}"))
    bodies = ((f"/v1/ops/{name}", described["example"]), (RUN, described["example_graph"]))
    replies = [client.post(path, json=body) for path, body in bodies if body is not None]
    return Tried(described, tuple((reply.status_code, reply.text[:400]) for reply in replies))


def test_every_callable_op_has_an_example(tried):
    assert len(tried) > 1950
    assert [name for name, one in tried.items() if one.described["example_graph"] is None] == []


def test_every_example_runs_as_it_stands(tried):
    failed = {name: one.replies for name, one in tried.items() if any(status != 200 for status, _ in one.replies)}
    assert failed == {}


def test_only_what_no_literal_writes_needs_a_graph(tried):
    graphs = {name: one.described["example_graph"] for name, one in tried.items() if one.described["example"] is None}
    assert {name: graph for name, graph in graphs.items() if graph["nodes"][0]["op"] not in _MADE_BY_NODES} == {}
    assert len(graphs) < 80


def test_the_last_node_of_a_graph_is_the_op(tried):
    for name, one in tried.items():
        assert one.described["example_graph"]["nodes"][-1]["op"] == one.described["name"], name


def test_every_example_fits_the_schema_of_its_op(tried):
    misfits = {}
    for name, one in tried.items():
        schema, example = one.described["schema"], one.described["example"]
        if example is not None and not Draft202012Validator(schema).is_valid(example):
            misfits[name] = example
    assert misfits == {}


def test_every_description_says_what_a_form_needs(tried):
    for name, one in tried.items():
        found = one.described
        assert found["status"] == "callable"
        for flag in ("in_place", "random", "view", "data_dependent_shape", "differentiable"):
            assert isinstance(found[flag], bool), (name, flag)
        for overload in found["overloads"]:
            for parameter in overload["parameters"]:
                assert isinstance(parameter["type"], str)
                given = not parameter["required"] and not parameter["variadic"]
                assert given or parameter["default"] is None, name
        json.dumps(found, allow_nan=False)
