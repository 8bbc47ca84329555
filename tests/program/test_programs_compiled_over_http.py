"""POST /v1/programs/compile and POST /v1/graphs/python: the other form prints and computes the same, to the bit."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import torch
from json_graphs import GRAPHS
from program_runs import SEED

from service import Service, read

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def ran(service: Service, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What a body printed, and all of its variables."""
    reply = service.graph({"seed": SEED, **body, "variables": True, "returns": []})
    printed = "".join(entry["text"] + entry.get("end", "\n") for entry in reply.get("printed", ()))
    return printed, reply["variables"]


def rewritten(service: Service, path: str, body: dict[str, Any]) -> dict[str, Any]:
    reply = service.post(path, body)
    assert reply.status_code == 200, reply.text[:2000]
    return read(reply)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_compiled_program_is_a_graph_that_does_the_same(path: Path, service: Service) -> None:
    text = path.read_text()
    compiled = rewritten(service, "/v1/programs/compile", {"program": text})
    printed, variables = ran(service, {"program": text})
    printed_by_nodes, values = ran(service, compiled["graph"])
    assert printed_by_nodes == printed
    assert {name: values[name] for name in variables} == variables
    for pointer, (line, column) in compiled["lines"].items():
        assert at(compiled["graph"], pointer)
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1


def at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_written_as_python_is_a_program_that_does_the_same(name: str, service: Service) -> None:
    body = {"seed": SEED, **GRAPHS[name]}
    written = rewritten(service, "/v1/graphs/python", body)
    printed, variables = ran(service, body)
    printed_by_program, values = ran(service, {"program": written["program"]})
    assert printed_by_program == printed
    names = written["names"]
    assert {one: values[names.get(one, one)] for one in variables} == variables


def test_inputs_come_back_as_they_came(service: Service) -> None:
    inputs = {"x": {"dtype": "float32", "data": [1, 2.50, -0.0, "0x7fc00001"]}, "n": 2**60}
    functions = {"f": {"params": ["a"], "program": "b = a + 1", "returns": "b"}}
    compiled = rewritten(
        service, "/v1/programs/compile", {"program": "y = f(x) * n", "inputs": inputs, "functions": functions}
    )
    assert compiled["graph"]["inputs"] == inputs
    assert compiled["graph"]["functions"] == {
        "f": {"params": ["a"], "returns": "b", "nodes": [{"let": "b", "op": "operator.add", "args": ["$a", 1]}]}
    }
    assert compiled["lines"]["/functions/f/nodes/0"] == [1, 5]
    (y,) = service.graph(compiled["graph"] | {"returns": ["y"], "encoding": "base64"})["outputs"].values()
    x = torch.tensor([1, 2.5, -0.0, 0])
    x.view(torch.int32)[3] = 0x7FC00001
    expected = (x + 1) * torch.tensor(2**60)
    assert y["data"] == base64.b64encode(expected.numpy().tobytes()).decode()


def test_all_that_is_wrong_with_a_program_is_told_before_anything_runs(service: Service) -> None:
    text = "import torch\nx = torch.onez(2)\ny = torch.save(x)\nclass A: pass\nz = w"
    problem = service.refused({"program": text}, "/v1/programs/compile")
    assert [(error["code"], error["line"]) for error in problem["errors"]] == [
        ("unknown_op", 2),
        ("excluded_op", 3),
        ("invalid_program", 4),
        ("unknown_reference", 5),
    ]


def test_a_body_without_a_program_is_refused(service: Service) -> None:
    problem = service.refused({"nodes": []}, "/v1/programs/compile")
    assert [(error["code"], error["pointer"]) for error in problem["errors"]] == [
        ("invalid_request", ""),
        ("invalid_request", "/nodes"),
    ]


def test_a_graph_that_could_not_run_is_not_written(service: Service) -> None:
    body = {"nodes": [{"id": "y", "op": "reluu", "args": ["$x"]}]}
    problem = service.refused(body, "/v1/graphs/python")
    assert [(error["code"], error["pointer"]) for error in problem["errors"]] == [
        ("unknown_op", "/nodes/0/op"),
        ("unknown_reference", "/nodes/0/args/0"),
    ]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([{"id": "y", "op": "print", "args": [{"slice": [1, 2]}]}], "no program can hold"),
        ([{"id": "y", "op": "func.jvp", "of": "f", "args": [1.0]}], "needs the option tangents"),
    ],
)
def test_what_python_has_no_text_for_is_refused(service: Service, nodes: list[Any], message: str) -> None:
    functions = {"f": {"params": ["a"], "nodes": [{"id": "s", "op": "sin", "args": ["$a"]}], "returns": "s"}}
    problem = service.refused({"functions": functions, "nodes": nodes}, "/v1/graphs/python")
    assert problem["code"] == "invalid_argument"
    assert message in problem["detail"]


def test_a_program_of_more_nodes_than_a_document_has_is_not_written(service: Service) -> None:
    text = "x = 1\n" + "x=x+1;" * 10_500
    assert service.graph({"program": text})["outputs"]["x"]["value"] == 10_501
    problem = service.refused({"program": text}, "/v1/programs/compile")
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("limit_exceeded", "/program")


def test_large_inputs_are_no_text(service: Service) -> None:
    zeros = base64.b64encode(bytes(4 << 20)).decode()
    body = {"inputs": {"x": {"dtype": "float32", "shape": [1 << 20], "encoding": "base64", "data": zeros}}, "nodes": []}
    problem = service.refused(body, "/v1/graphs/python")
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("limit_exceeded", "/inputs")


def test_a_program_is_compiled_with_as_many_inputs_as_a_graph_may_have(service: Service) -> None:
    body = {"program": "y = 1", "inputs": {f"x{i}": 1 for i in range(10_001)}}
    problem = service.refused(body, "/v1/programs/compile")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/inputs", "limit_exceeded")]
