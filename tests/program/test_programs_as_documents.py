"""Compiled programs written as JSON nodes, read back as a request's body, do what the program does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program_runs import SEED, Ran, forked, here, run_graph

from gradwire.contract.limits import Limits
from gradwire.program.documents import nodes_of
from gradwire.program.parse import read_program
from gradwire.wire.read.graph import read_graph
from gradwire.wire.read.skeleton import skeleton

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def by_document(text: str, names: list[str]) -> Ran:
    program, findings = read_program(text, "/program")
    assert findings == []
    body = json.dumps({"nodes": nodes_of(program.statements)[0], "seed": SEED}, allow_nan=False)
    graph, findings = read_graph(skeleton(body.encode(), Limits().max_depth), Limits())
    return run_graph(graph, names) if not findings else Ran(error=str([one.message for one in findings]))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_compiled_program_is_a_graph_that_does_the_same(path: Path) -> None:
    text = path.read_text()
    names = [name for name in read_program(text, "/program")[0].assigned if name not in deleted(text)]
    direct, read = here(text, names), forked(lambda: by_document(text, names))
    assert (read.error, direct.error) == ("", "")
    assert read.printed == direct.printed
    assert read.variables == direct.variables
    assert len(direct.variables) == len(names)


def deleted(text: str) -> set[str]:
    """The names that a program deletes at its outermost level."""
    lines = [line[4:] for line in text.splitlines() if line.startswith("del ")]
    return {name.strip() for line in lines for name in line.split(",")}
