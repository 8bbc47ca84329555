"""Every program of `programs/` prints the same characters and ends with the same bits as in local Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from program_runs import here, locally

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def test_there_are_enough_programs() -> None:
    assert len(PROGRAMS) >= 80


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_does_what_python_does(path: Path) -> None:
    text = path.read_text()
    expected = locally(text)
    assert expected.error == ""
    got = here(text, list(expected.variables))
    assert got.error == ""
    assert got.printed == expected.printed
    differing = [name for name, value in expected.variables.items() if got.variables[name] != value]
    assert differing == []
