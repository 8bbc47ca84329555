"""The code that the page gives for a run does the same run, whatever stands in the program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from page_driver import Page

from service import Service

pytestmark = pytest.mark.browser

AWKWARD = r'''import torch
print("it's", 'a "quote"', "back\\slash", "${x} `tick` $HOME", """tri"ple""", '\'', "π")
print(torch.rand(1), end="")
print("\n", end="")
x = r"\"  # "'''


@pytest.fixture
def awkward(page: Page, service: Service) -> tuple[Page, str]:
    """The page with an awkward program and a seed, and what the program prints."""
    page.tab.locator("#seed").fill("5")
    page.run(AWKWARD)
    reply = service.graph({"program": AWKWARD, "seed": 5})
    return page, "".join(entry["text"] + entry.get("end", "\n") for entry in reply["printed"])


def test_json_is_the_body(awkward: tuple[Page, str], service: Service) -> None:
    page, printed = awkward
    reply = service.graph(page.code("JSON").encode())
    assert "".join(entry["text"] + entry.get("end", "\n") for entry in reply["printed"]) == printed
    assert set(reply) >= {"variables", "tape"}


def test_curl(awkward: tuple[Page, str]) -> None:
    page, printed = awkward
    ran = subprocess.run(["bash", "-c", page.code("curl")], capture_output=True, text=True, timeout=60, check=True)
    entries = json.loads(ran.stdout)["printed"]
    assert "".join(entry["text"] + entry.get("end", "\n") for entry in entries) == printed


def test_httpx(awkward: tuple[Page, str]) -> None:
    page, printed = awkward
    assert _output([sys.executable, "-c", page.code("httpx")]) == printed


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node, which is not installed")
def test_fetch(awkward: tuple[Page, str]) -> None:
    page, printed = awkward
    assert _output(["node", "--input-type=module", "--eval", page.code("fetch")]) == printed


def _output(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_copy_button_copies(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = page.code("curl")
    page.tab.get_by_role("button", name="Copy", exact=True).click()
    page.tab.get_by_role("button", name="Copied").wait_for()
    assert page.tab.evaluate("navigator.clipboard.readText()") == code


def test_the_tabs_follow_the_arrows(page: Page) -> None:
    page.tab.get_by_role("tab", name="JSON").focus()
    page.tab.keyboard.press("ArrowRight")
    assert page.tab.get_by_role("tab", selected=True).inner_text() == "curl"
    page.tab.keyboard.press("End")
    assert page.tab.get_by_role("tab", selected=True).inner_text() == "fetch"
    assert "await fetch(" in page.tab.get_by_role("tabpanel").inner_text()
