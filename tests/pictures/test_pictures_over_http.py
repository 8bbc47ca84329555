"""POST /v1/graphs/draw: media types, headers, the parameter, and errors as a run has them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from drawn import DRAW, GRAPHVIZ, MERMAID, SVG, Dot, Mermaid, Svg, draw, program

from service import RUN, TUTORIAL_GRAPH, Service

POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", SVG),
        ("image/*", SVG),
        (SVG, SVG),
        ("text/html, image/svg+xml;q=0.9, */*;q=0.1", SVG),
        ("text/*", GRAPHVIZ),
        (GRAPHVIZ, GRAPHVIZ),
        (MERMAID, MERMAID),
        (f"{GRAPHVIZ};q=0.5, {MERMAID}", MERMAID),
    ],
)
def test_accept_chooses_the_language(service: Service, accept: str, media_type: str) -> None:
    reply = service.post(DRAW, TUTORIAL_GRAPH, accept=accept)
    assert (reply.status_code, reply.headers["content-type"]) == (200, media_type)
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers.get("content-security-policy") == (POLICY if media_type == SVG else None)


def test_without_accept_it_is_svg(client: httpx.Client) -> None:
    request = client.build_request("POST", DRAW, json=TUTORIAL_GRAPH)
    del request.headers["accept"]
    assert client.send(request).headers["content-type"] == SVG


@pytest.mark.parametrize("accept", ["application/json", "image/png", "text/html", "application/problem+json"])
def test_other_media_types_are_not_written(service: Service, accept: str) -> None:
    reply = service.post(DRAW, TUTORIAL_GRAPH, accept=accept)
    assert (reply.status_code, reply.headers["content-type"]) == (406, "application/problem+json")
    (error,) = reply.json()["errors"]
    assert (error["code"], error["got"], error["expected"]) == ("not_acceptable", accept, [SVG, GRAPHVIZ, MERMAID])


@pytest.mark.parametrize("show", ["nodes", "Both", "both,tape"])
def test_a_wrong_parameter_says_what_it_may_be(service: Service, show: str) -> None:
    reply = service.post(f"{DRAW}?show={show}", TUTORIAL_GRAPH)
    assert reply.status_code == 422
    (error,) = reply.json()["errors"]
    assert {name: error[name] for name in ("pointer", "code", "parameter", "got", "expected")} == {
        "pointer": "",
        "code": "invalid_request",
        "parameter": "show",
        "got": show,
        "expected": ["both", "graph", "tape"],
    }


def test_a_parameter_without_a_value_counts_as_left_out(service: Service) -> None:
    assert service.post(f"{DRAW}?show=", TUTORIAL_GRAPH).text == draw(service, TUTORIAL_GRAPH).text


BAD: list[Any] = [
    b"{",
    b"[]",
    {"nodes": [{"op": "matmull", "args": []}]},
    {"nodes": [{"op": "add", "args": ["$x", 1]}, {"id": "a", "op": "add", "args": [1]}]},
    {"nodes": [{"id": "a", "op": "add", "args": [1, 2]}, {"id": "a", "op": "add", "args": [1, 2]}]},
    {"inputs": {"x": {"data": [1, [2]]}}, "nodes": []},
    {"nodes": [], "returns": ["nothing"]},
    {"nodes": [], "nope": 1},
    {
        "nodes": [{"op": "ones", "args": [2, 3]}, {"op": "matmul", "args": ["$x", "$x"]}],
        "inputs": {"x": {"data": [[1, 2]]}},
    },
    {"nodes": [{"id": "x", "op": "ones", "args": [2]}, {"op": "backward", "args": ["$x"]}]},
    {"nodes": [], "device": "cuda:9"},
    {"nodes": [{"op": "zeros", "args": [10**12]}]},
    {"nodes": [], "tape": "yes"},
    {"nodes": [], "program": "x = 1"},
    program("x = [", "y"),
    program("x = torch.ones(2)", "x.nope()"),
    program("while True:", "    pass"),
    program("def f(n):", "    return f(n + 1)", "f(0)"),
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_errors_are_those_of_a_run(service: Service, body: Any) -> None:
    drawn, ran = service.post(DRAW, body, accept=SVG), service.post(RUN, body)
    assert drawn.status_code == ran.status_code >= 400
    assert drawn.headers["content-type"] == "application/problem+json"
    assert drawn.json() == ran.json()


def test_a_deadline_holds(service: Service) -> None:
    body = program("x = torch.ones(2)", "while True:", "    x = x * 1", deadline_ms=150)
    reply = service.post(DRAW, body, accept=SVG)
    assert (reply.status_code, reply.json()["code"]) in ((504, "deadline_exceeded"), (422, "limit_exceeded"))


def test_a_seed_decides_which_way_is_taken(service: Service) -> None:
    body = program("if torch.rand(1) > 0.5:", "    y = torch.ones(1)", "else:", "    y = torch.ones(2)", "z = y + 1")
    for seed in range(6):
        shape = service.graph(body | {"seed": seed})["outputs"]["z"]["shape"]
        dot = Dot.of(draw(service, body | {"seed": seed}, GRAPHVIZ, "graph").text)
        (label,) = [text for _, target, text in dot.edges if dot.nodes[target].startswith("z = ")]
        assert label == f"float32{shape}"


def test_the_three_languages_draw_the_same(service: Service) -> None:
    body = TUTORIAL_GRAPH | {"returns": ["y", "out", "x.grad"]}
    svg, dot = Svg.of(draw(service, body).text), Dot.of(draw(service, body, GRAPHVIZ).text)
    flow = Mermaid.of(draw(service, body, MERMAID).text)
    assert (
        sorted("\n".join(cell.texts) for cell in svg.cells) == sorted(dot.nodes.values()) == sorted(flow.nodes.values())
    )
    assert {(one, other, label) for one, other, label in dot.edges} == {
        (one, other, label) for one, _, label, other in flow.edges
    }


def test_a_picture_is_the_same_each_time(service: Service) -> None:
    body = program(
        "x = torch.randn(3, requires_grad=True)", "for i in range(3):", "    y = (x * i).sum()", "    y.backward()"
    )
    assert len({draw(service, body | {"seed": 1}).text for _ in range(3)}) == 1


def test_drawing_takes_the_bodies_that_a_run_takes(service: Service, client: httpx.Client) -> None:
    import json

    body = {
        "inputs": {"x": {"dtype": "float32", "shape": [2], "encoding": "part", "data": "bytes"}},
        "nodes": [{"id": "y", "op": "add", "args": ["$x", 1]}],
    }
    files = {"request": (None, json.dumps(body), "application/json"), "bytes": (None, bytes(8))}
    reply = client.post(DRAW, files=files)
    assert reply.status_code == 200
    assert "float32[2]" in Svg.of(reply.text).labels


def test_screen_readers_hear_what_is_in_it(service: Service) -> None:
    svg = Svg.of(draw(service, TUTORIAL_GRAPH).text)
    told = "Graph and tape. A graph of 5 nodes and 1 input. Its tape has 5 nodes and keeps 16 B."
    assert (svg.root.get("role"), svg.root.get("aria-label")) == ("img", told)
    assert svg.root[0].text == "Graph and tape"
    titles = [group[0].text for group in svg.all("g") if group.get("class", "").startswith("tape-node")]
    assert titles[1] == "MulBackward0 — other = 3"
