"""docs/programs.md says what a program may hold: its tables are those of the allow-lists, and its examples hold what
they are examples of."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
import torch

from gradwire.cli import main
from gradwire.program import markdown
from gradwire.program.constructs import INPUTS, LOWERED
from gradwire.program.parse import EXPRESSIONS, STATEMENTS, read_program

PAGE = Path(__file__).parents[2] / "docs" / "programs.md"
ALLOWED = {kind.__name__: kind for kind in (*EXPRESSIONS, *STATEMENTS)}


def test_every_class_that_is_lowered_has_a_row() -> None:
    assert set(LOWERED) == set(ALLOWED)


@pytest.mark.parametrize("name", LOWERED)
def test_an_example_holds_what_it_shows_and_compiles(name: str) -> None:
    _, example = LOWERED[name]
    assert any(type(part) is ALLOWED[name] for part in ast.walk(ast.parse(example)))
    _, findings = read_program(example, "/program", inputs=INPUTS)
    assert [finding.message for finding in findings] == []


@pytest.mark.skipif(
    torch.backends.cuda.is_built() or sys.version_info[:2] != (3, 11),
    reason="the page is of the CPU build and Python 3.11",
)
def test_the_page_is_as_the_compiler_decides(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(markdown.BEGIN)
    emptied = tmp_path / "programs.md"
    emptied.write_text(f"{head}{markdown.BEGIN}\n{markdown.END}{rest.partition(markdown.END)[2]}", "utf-8")
    assert main(["syntax", "--page", str(emptied)]) == 0
    assert emptied.read_text("utf-8") == text, "docs/programs.md is stale: make docs"


def test_the_command_prints_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["syntax"]) == 0
    printed = capsys.readouterr().out
    assert "| `a @ b` | `operator.matmul` | `a @= b` | `operator.imatmul` |" in printed
    assert "| yield | collect the values in a list and return it |" in printed
