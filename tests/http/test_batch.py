"""POST /v1/graphs/batch: many graphs in one request, each with a result and a fate of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from service import RUN, TUTORIAL_GRAPH, Service, read

BATCH = "/v1/graphs/batch"
ONES = {"nodes": [{"id": "y", "op": "ones", "args": [2]}]}


def batch(service: Service, *graphs: Any) -> list[dict[str, Any]]:
    """The results of a batch that must succeed as a whole."""
    reply = service.post(BATCH, {"graphs": list(graphs)})
    assert reply.status_code == 200, reply.text[:2000]
    results = read(reply)["results"]
    assert isinstance(results, list)
    assert len(results) == len(graphs)
    return results


def without_times(reply: dict[str, Any]) -> dict[str, Any]:
    """A reply but for what differs from run to run."""
    return {name: value for name, value in reply.items() if name not in ("timing_ms", "seed")}


def test_results_are_what_each_graph_gives_alone_in_their_order(service: Service) -> None:
    graphs = [
        TUTORIAL_GRAPH | {"returns": ["y", "x.grad"], "tape": True},
        {"nodes": [{"id": "r", "op": "rand", "args": [5]}], "seed": 3},
        {"program": "x = torch.arange(3.)\nprint(x)"},
        {"nodes": [{"op": "nope"}]},
        {"inputs": {"x": [[1, 2], [3]]}, "nodes": []},
        ONES | {"encoding": "base64"},
    ]
    results = batch(service, *graphs)
    assert [result["status"] for result in results] == [200, 200, 200, 422, 422, 200]
    for graph, result in zip(graphs, results, strict=True):
        alone = service.post(RUN, graph)
        assert result["status"] == alone.status_code
        assert without_times(result["body"]) == without_times(read(alone))
    assert results[1]["body"]["seed"] == 3


def test_many_graphs_keep_their_order(service: Service) -> None:
    graphs = [{"nodes": [{"id": "y", "op": "full", "args": [[1], place]}]} for place in range(300)]
    results = batch(service, *graphs)
    assert [result["body"]["outputs"]["y"]["data"] for result in results] == [[place] for place in range(300)]


def test_each_graph_has_a_seed_of_its_own(service: Service) -> None:
    dice = {"nodes": [{"id": "r", "op": "rand", "args": [4]}]}
    results = batch(service, dice | {"seed": 7}, dice, dice, dice | {"seed": 7})
    rolled = [result["body"]["outputs"]["r"]["data"] for result in results]
    torch.manual_seed(7)
    assert torch.equal(torch.tensor(rolled[0]), torch.rand(4))
    assert rolled[0] == rolled[3]
    assert len({str(numbers) for numbers in rolled}) == 3
    assert len({result["body"]["seed"] for result in results}) == 3


@pytest.mark.parametrize("member", [5, "x", None, True, [], [1, 2], 1.5], ids=repr)
def test_a_member_that_is_no_object_is_a_failed_result(service: Service, member: Any) -> None:
    results = batch(service, ONES, member, ONES)
    assert [result["status"] for result in results] == [200, 422, 200]
    problem = results[1]["body"]
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid_request", "")
    assert problem["status"] == 422


def test_pointers_lead_into_the_graph(service: Service) -> None:
    results = batch(service, ONES, {"nodes": [ONES["nodes"][0], {"id": "z", "op": "add", "args": ["$y", "$w"]}]})
    assert results[1]["body"]["errors"][0]["pointer"] == "/nodes/1/args/1"
    assert results[1]["body"]["errors"][0]["node"] == "z"


def test_what_is_malformed_in_one_graph_alone_is_its_own_result(service: Service) -> None:
    deep = "[" * 150 + "]" * 150
    text = f'{{"graphs": [{json.dumps(ONES)}, {{"nodes": [], "nodes": []}}, {deep}]}}'
    results = read(service.post(BATCH, text.encode()))["results"]
    assert [result["status"] for result in results] == [200, 400, 422]
    assert results[1]["body"]["code"] == "malformed_body"


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"", 400, "malformed_body", ""),
        (b"{", 400, "malformed_body", ""),
        (b'{"graphs": [1,]}', 400, "malformed_body", ""),
        (b'{"graphs": [], "graphs": []}', 400, "malformed_body", ""),
        (b'{"graphs": [1], "graphs": [1]}', 400, "malformed_body", ""),
        (b'\xef\xbb\xbf{"graphs": []}', 400, "malformed_body", ""),
        (b'{"graphs": ["\xff"]}', 400, "malformed_body", ""),
        (b'{"graphs": [{"seed": 1e400}]}', 400, "malformed_body", ""),
        (b'{"graphs": %b}' % (b"[" * 3000 + b"]" * 3000), 400, "malformed_body", ""),
        (b"[]", 422, "invalid_request", ""),
        (b"5", 422, "invalid_request", ""),
        (b"{}", 422, "invalid_request", ""),
        (b'{"graphs": {}}', 422, "invalid_request", "/graphs"),
        (b'{"graphs": null}', 422, "invalid_request", "/graphs"),
        (b'{"graphs": "[]"}', 422, "invalid_request", "/graphs"),
        (b'{"graphs": [], "seed": 0}', 422, "invalid_request", "/seed"),
        (b'{"a": [1], "graphs": [1]}', 422, "invalid_request", "/a"),
        (b'{"graphs": [%b1]}' % (b"1," * 1000), 422, "limit_exceeded", "/graphs"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_wrong_with_the_whole_is_told_of_the_whole(
    service: Service, body: bytes, status: int, code: str, pointer: str
) -> None:
    problem = service.refused(body, BATCH)
    assert (problem["status"], problem["code"], problem["errors"][0]["pointer"]) == (status, code, pointer)


@pytest.mark.parametrize(
    "text",
    ['{"graphs":[]}', ' {"graphs" : [ ] } ', '\n{"gr\\u0061phs":\t[\r\n]}'],
)
def test_an_empty_batch_has_no_results(service: Service, text: str) -> None:
    assert read(service.post(BATCH, text.encode())) == {"results": []}


def test_white_space_around_graphs_is_no_part_of_them(service: Service) -> None:
    graph = json.dumps(ONES)
    text = f'\n{{ "graphs"\t:\r\n[ {graph} ,\n\n{graph}\t,{graph}\n] }}'
    assert [one["status"] for one in read(service.post(BATCH, text.encode()))["results"]] == [200, 200, 200]


def test_replies_are_json_only(service: Service) -> None:
    problem = service.problem(service.post(BATCH, {"graphs": [ONES]}, accept="application/x-npz"))
    assert (problem["status"], problem["errors"][0]["expected"]) == (406, ["application/json"])


def test_a_long_batch_comes_whole(service: Service) -> None:
    numbers = list(range(30_000))
    graphs = [{"inputs": {"x": numbers}, "nodes": [{"id": "y", "op": "add", "args": ["$x", at]}]} for at in range(12)]
    results = batch(service, *graphs)
    for at, result in enumerate(results):
        assert result["body"]["outputs"]["y"]["data"] == [number + at for number in numbers]
