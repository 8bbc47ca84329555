"""Each program of the page's menu runs in the page, and prints what it prints in local Python."""

from __future__ import annotations

import contextlib
import io
import re
from typing import Any

import pytest
from page_driver import Page

pytestmark = pytest.mark.browser

LOAD = "import('./docs/page/examples.js').then(({ GROUPS }) => GROUPS.flatMap(({ examples }) => examples))"


def locally(program: str) -> tuple[str, str | None]:
    """What `program` prints in this process, addresses as the service prints them; the error that ends it."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(program, {"__name__": "example"})  # noqa: S102 text of our own
        except Exception as error:
            return printed.getvalue(), str(error)
    return re.sub(r"0x[0-9a-f]+", "0x0", printed.getvalue()), None


def test_every_example_does_what_local_python_does(page: Page) -> None:
    page.refusals = True
    examples: list[dict[str, Any]] = page.tab.evaluate(LOAD)
    assert len(examples) >= 16
    for example in examples:
        page.example(example["name"])
        printed, error = locally(example["program"])
        assert page.program == example["program"]
        if "fails" in example:
            assert error is not None
            assert page.tab.locator("#problem .code-link").first.inner_text() == example["fails"]
            assert page.tab.locator("#marks .mistake").count() > 0
        else:
            assert error is None
            assert page.tab.locator("#problem").is_hidden()
            assert page.printed() == printed, example["name"]


@pytest.mark.parametrize("name", ["A line through points", "A cubic for the sine", "A small network learns XOR"])
def test_a_training_loop_shows_its_loss(page: Page, name: str) -> None:
    page.example(name)
    numbers = page.tab.locator("#curve .readout").inner_text().replace(",", "").split()
    assert float(numbers[-1]) < float(numbers[-3])
    page.drawn()
    assert "Backward0" in page.tab.locator("#picture .chosen").text_content()


def test_the_mistake_in_place_is_explained(page: Page) -> None:
    page.refusals = True
    page.example("Changed in place")
    problem = page.tab.locator("#problem").inner_text()
    assert "modified by an inplace operation" in problem
    assert "line 5 changed in place a tensor that the backward pass needs" in problem
