"""Graphs of JSON clients written as PyTorch: local Python and the program itself give the graph's own bits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from json_graphs import GRAPHS
from program_runs import SEED, forked, here, locally, run_graph

from gradwire.contract.limits import Limits
from gradwire.engine.graph import Graph
from gradwire.engine.statements import bound_names
from gradwire.findings import Refusal
from gradwire.program.show import python_of
from gradwire.wire.read.graph import read_graph
from gradwire.wire.read.skeleton import skeleton


def read(document: dict[str, Any]) -> Graph:
    graph, findings = read_graph(skeleton(json.dumps(document).encode(), 200), Limits())
    assert findings == []
    return graph


def test_there_are_enough_graphs() -> None:
    assert len(GRAPHS) >= 40


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_written_as_python_gives_the_same(name: str) -> None:
    document = {"seed": SEED, **GRAPHS[name]}
    text, changed = python_of(read(document))
    graph = read(document)
    deleted = {word for node in document["nodes"] for word in node.get("names", [])}
    wanted = [one for one in dict.fromkeys((*graph.inputs, *bound_names(graph.nodes))) if one not in deleted]
    direct = forked(lambda: run_graph(read(document), wanted))
    local = locally(text)
    assert (direct.error, local.error) == ("", "")
    assert local.printed == direct.printed
    expected = {one: value for one, value in direct.variables.items() if value is not None}
    assert {one: local.variables.get(changed.get(one, one)) for one in expected} == expected
    again = here(text, list(local.variables))
    assert (again.error, again.printed) == ("", direct.printed)
    assert again.variables == local.variables


def test_the_tutorial_reads_as_a_person_would_write_it() -> None:
    assert python_of(read(GRAPHS["tutorial"]))[0] == (
        "import torch\n"
        "x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)\n"
        "y = torch.add(x, 2)\n"
        "yy = torch.mul(y, y)\n"
        "z = torch.mul(yy, 3)\n"
        "out = torch.mean(z)\n"
        "out.backward()\n"
    )


def test_changed_names_are_told() -> None:
    _, changed = python_of(read(GRAPHS["names_that_python_lacks"]))
    assert changed == {
        "my x": "my_x",
        "class": "class_2",
        "torch": "torch_2",
        "a.b": "a_b",
        "a b": "a_b_2",
        "1": "v_1",
        "100%": "v_100",
        "np": "np_2",
    }


def test_an_op_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        python_of(read({"nodes": [{"id": "y", "op": "reluu", "args": [1]}]}))
    (finding,) = caught.value.findings
    assert (finding.code, finding.source.pointer) == ("unknown_op", "/nodes/0/op")
