"""A program's records written as Python again run in local Python, and here, to the same characters and bits."""

from __future__ import annotations

from pathlib import Path

import pytest
from program_runs import SEED, here, locally

from gradwire.engine.graph import Graph
from gradwire.program.parse import read_program
from gradwire.program.show import python_of

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_written_again_does_the_same(path: Path) -> None:
    text = path.read_text()
    program, _ = read_program(text, "/program")
    again, changed = python_of(Graph(nodes=program.statements))
    first, local = locally(text), locally(again)
    assert (first.error, local.error) == ("", "")
    assert local.printed == first.printed
    written = {name: local.variables[changed.get(name, name)] for name in first.variables}
    assert written == first.variables
    once_more = here(again, list(local.variables))
    assert once_more.error == ""
    assert once_more.printed == first.printed
    assert once_more.variables == local.variables


def test_the_seed_is_the_one_that_the_tests_run_with() -> None:
    assert python_of(Graph(seed=SEED))[0] == f"import torch\ntorch.manual_seed({SEED})\n"
