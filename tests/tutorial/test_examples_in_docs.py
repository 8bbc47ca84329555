"""The examples of the README and of docs/ are run against the service, and give what the documents show."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from markdown_examples import BASE_URL, Example, examples, must_be_shown_in
from server import Server

FILES = [
    "README.md",
    "docs/tutorial.md",
    "docs/errors.md",
    "docs/derivatives.md",
    "docs/notebook-to-http.md",
    "docs/bodies.md",
    "docs/programs.md",
]
EXAMPLES = [example for file in FILES for example in examples(file)]


def written_in(language: str) -> pytest.MarkDecorator:
    """One test for each example of a language."""
    return pytest.mark.parametrize("example", [it for it in EXAMPLES if it.language == language], ids=str)


@written_in("sh")
def test_curl(server: Server, example: Example) -> None:
    command = example.code.replace(BASE_URL, server.url)
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    must_be_shown_in(example.shown, ran.stdout)


@written_in("python")
def test_python(server: Server, example: Example, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example.code.replace(BASE_URL, server.url), "utf-8")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(script))
    assert printed.getvalue() == example.shown
    assert example.shown


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="the JavaScript examples need Node, which is not installed")
@written_in("javascript")
def test_javascript(server: Server, example: Example) -> None:
    code = example.code.replace(BASE_URL, server.url)
    command = ["node", "--input-type=module", "--eval", code]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == example.shown
    assert example.shown


def test_every_row_of_the_tutorial_stands_in_three_languages() -> None:
    rows: dict[int, set[str]] = {}
    for example in examples("docs/tutorial.md"):
        if number := re.match(r"(\d+)\. ", example.heading):
            rows.setdefault(int(number[1]), set()).add(example.language)
    assert rows == {row: {"sh", "python", "javascript"} for row in range(1, 24)}


def test_the_readme_has_an_example() -> None:
    assert [example.language for example in examples("README.md")] == ["sh"]
