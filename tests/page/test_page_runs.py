"""The page at / in a real browser: a program runs, and what came of it can be seen. Nobody else is asked anything."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from page_driver import Page

from server import Server

pytestmark = pytest.mark.browser

TENSOR = "tensor([[4.5000, 4.5000],\n        [4.5000, 4.5000]])\n"
ENDLESS = "import torch\nx = torch.ones(300, 300)\nfor _ in range(900000):\n    x = x @ x / 300\n"


def test_the_gradient_stands_ready_and_runs(page: Page) -> None:
    page.run()
    assert page.printed().endswith(TENSOR)
    assert page.cells("x.grad") == [["4.5", "4.5"], ["4.5", "4.5"]]
    assert page.cells("z") == [["27.0", "27.0"], ["27.0", "27.0"]]
    assert page.value("z").locator("header").inner_text().split() == ["z", "float32", "[2,", "2]", "MulBackward0"]
    assert page.value("out").locator(".scalar").inner_text() == "27.0"
    assert page.tab.locator("#said").inner_text() == "Done: 2 prints, 4 variables."


def test_the_keyboard_is_enough(page: Page) -> None:
    keys = page.tab.keyboard
    page.tab.locator("#program").focus()
    keys.press("Control+a")
    keys.type("import torch\nfor i in range(2):\nprint(i)")
    keys.press("Control+Enter")
    page.ended()
    assert page.program == "import torch\nfor i in range(2):\n    print(i)"
    assert page.printed() == "0\n1\n"
    keys.press("Tab")
    assert page.program.endswith("print(i)    ")
    keys.press("Escape")
    keys.press("Tab")
    assert page.tab.evaluate("document.activeElement.id") != "program"


def test_a_mistake_is_underlined_where_it_is(page: Page) -> None:
    page.refusals = True
    page.run("import torch\ns = 'π'; x = torch.onez(2)\ny = x + nothing\n")
    assert page.tab.locator("#marks .mistake").all_inner_texts() == ["torch.onez", "nothing"]
    first = page.tab.locator("#problem li").first
    assert "did you mean torch.ones" in first.inner_text()
    first.get_by_role("button", name="line 2, column 14").click()
    assert page.tab.evaluate("document.getElementById('program').selectionStart") == len("import torch\ns = 'π'; x = ")
    page.tab.keyboard.type("# ")
    assert page.tab.locator("#marks .mistake").count() == 0


def test_a_node_of_the_tape_lights_up_its_line_and_shows_what_it_holds(page: Page) -> None:
    page.run()
    page.drawn()
    page.tab.locator("#tape-table summary").click()
    page.tab.mouse.move(0, 0)
    page.tab.get_by_role("button", name="2 MulBackward0").focus()
    assert page.lit_lines() == [5]
    shown = page.tab.locator("#tape-node").inner_text()
    assert "MulBackward0 line 5" in shown
    assert "16 bytes" in shown
    assert page.tab.locator("#tape-node td").all_inner_texts()[-4:] == ["0.75"] * 4
    page.tab.locator("#run").focus()
    assert page.lit_lines() == []


def test_the_picture_does_the_same(page: Page) -> None:
    page.run()
    page.drawn()
    node = page.tab.locator("#picture g.tape-node").filter(has_text="MeanBackward0")
    node.hover()
    assert page.lit_lines() == [6]
    assert "MeanBackward0" in page.tab.locator("#tape-node").inner_text()
    leaf = page.tab.locator("#picture g.tape-node").filter(has_text="AccumulateGrad")
    leaf.focus()
    assert page.lit_lines() == [3]
    assert page.tab.locator("#tape-node td").all_inner_texts()[-4:] == ["4.5"] * 4
    for choice in ("graph", "both"):
        page.tab.locator("#picture-of label", has_text=choice).click()
        page.tab.wait_for_selector("#picture g.graph-node")
    assert page.tab.locator("#picture style, #picture script, #picture [style]").count() == 0


def test_big_tensors_are_told_by_their_range(page: Page) -> None:
    page.run("import torch\nx = torch.arange(10000.0).reshape(100, 100)\ny = torch.arange(30)\n")
    assert page.value("x").locator("dd").all_inner_texts() == ["0.0", "9999.0", "4999.5"]
    assert page.value("y").locator("dd").all_inner_texts() == ["0", "29", "14.5"]
    assert page.value("y").locator(".flat").text_content() == ", ".join(map(str, range(30)))


@pytest.mark.parametrize(
    ("program", "name", "shown"),
    [
        ("x = torch.tensor([1+2j, -0.0])", "x", [["1.0+2.0j", "-0.0+0.0j"]]),
        ("x = torch.tensor([float('nan'), float('inf'), -0.0])", "x", [["NaN", "Infinity", "-0.0"]]),
        ("x = torch.tensor([[True], [False]])", "x", [["True"], ["False"]]),
        ("x = torch.tensor([2**62, 1])", "x", [["4611686018427387904", "1"]]),
    ],
)
def test_numbers_are_shown_as_they_are(page: Page, program: str, name: str, shown: list[list[str]]) -> None:
    page.run(f"import torch\n{program}\n")
    assert page.cells(name) == shown


def test_values_that_are_no_tensors(page: Page) -> None:
    page.run("import torch\nn = 3\nd = {'a': [1.5, 2.5], 'b': None}\ns = torch.ones(2, 3).shape\nt = 'text'\n")
    scalars = {name: page.value(name).locator(".scalar").first.inner_text() for name in ("n", "s", "t")}
    assert scalars == {"n": "3", "s": "[2, 3]", "t": '"text"'}
    assert page.cells("d") == [["1.5", "2.5"]]


def test_values_that_are_too_large_say_so(page: Page) -> None:
    page.run("import torch\nxs = list(range(20000))\nc = torch.ones(2000, dtype=torch.cfloat)\nt = 'a' * 20000\n")
    shown = {name: " ".join(page.value(name).locator("header").inner_text().split()) for name in ("xs", "c", "t")}
    assert shown == {"xs": "xs list of 20,000", "c": "c complex64 [2000]", "t": "t string of 20,000"}
    assert "not shown whole" in page.value("xs").inner_text()


def test_stop_leaves_the_run_and_frees_its_worker(page: Page, server: Server) -> None:
    page.write(ENDLESS)
    page.tab.click("#run")
    page.tab.wait_for_selector("#elapsed:text-matches('^[0-9]+[.][0-9] s$')")
    page.tab.click("#stop")
    page.tab.wait_for_selector("#run:not([aria-disabled])")
    assert page.tab.locator("#said").inner_text().startswith("Stopped after ")
    end = time.monotonic() + 30
    while server.workers()["busy"] and time.monotonic() < end:
        time.sleep(0.05)
    assert server.workers()["busy"] == 0
    page.run("print(1)")
    assert page.printed() == "1\n"


def test_a_link_shares_the_program_and_its_seed(page: Page, chromium: Any) -> None:
    program = "import torch\nprint(torch.rand(2), 'π \"quoted\"')\n"
    page.tab.locator("#seed").fill("7")
    page.run(program)
    page.tab.click("#share")
    page.tab.wait_for_selector("#share:text('opied')")
    link = page.tab.evaluate("location.href")
    with Page(chromium, page.url, "/" + link.partition("/")[2].partition("/")[2].partition("/")[2]) as other:
        assert other.program == program
        other.run()
        assert other.printed() == page.printed()


@pytest.mark.parametrize("fragment", ["p=%%%", "p=AAAA", "seed=1", "p="])
def test_a_broken_link_opens_the_program_that_stands_ready(page: Page, fragment: str) -> None:
    page.open("/#" + fragment)
    page.tab.reload()
    page.tab.wait_for_selector("html[data-ready]")
    assert "out.backward()" in page.program


def test_numbers_that_a_loop_prints_become_a_curve(page: Page) -> None:
    page.run("import torch\nfor t in range(6):\n    print(t * 10, 'loss', 2.0 ** -t)\n")
    label = page.tab.locator("#curve svg").get_attribute("aria-label")
    assert label == "printed by line 3: 6 values, from 1.0 to 0.03125"


def test_markup_in_a_program_stays_text(page: Page) -> None:
    page.run("s = '<img src=x onerror=alert(1)>'\nprint(s)\n")
    assert page.printed() == "<img src=x onerror=alert(1)>\n"
    assert page.value("s").locator(".scalar").inner_text() == json.dumps("<img src=x onerror=alert(1)>")
    assert page.tab.locator("main img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_does_not_scroll_sideways(chromium: Any, server: Server, scheme: str) -> None:
    with Page(chromium, server.url, viewport={"width": 360, "height": 740}, color_scheme=scheme) as page:
        page.run("import torch\nx = torch.rand(12, 12, requires_grad=True)\nx.sin().sum().backward()\nprint(x)\n")
        page.drawn()
        assert page.tab.evaluate("document.documentElement.scrollWidth") == 360
