"""/docs in a real browser: Execute works as it stands, and nothing is asked of another host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

pytestmark = pytest.mark.browser

PATIENCE_MS = 30_000


class Docs:
    """The page, and what happened on it."""

    def __init__(self, page: Any, base_url: str) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", self._requested)
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{base_url}/docs")
        page.wait_for_selector(".opblock")

    def _requested(self, request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob"):
            self.hosts.add(url.netloc)

    def open(self, tag: str, operation: str) -> Any:
        block = self.page.locator(f"#operations-{tag}-{operation}")
        block.locator(".opblock-summary").click()
        block.locator("button.execute").wait_for()
        return block

    def execute(self, block: Any) -> tuple[int, str]:
        """Presses Execute and gives the status and the body that the page shows."""
        block.locator("button.execute").click()
        reply = block.locator(".live-responses-table tbody .response")
        shown = reply.locator(".highlight-code pre").first
        shown.wait_for()
        return int(reply.locator(".response-col_status").inner_text().split()[0]), shown.inner_text()


@pytest.fixture
def docs(chromium: Any, client: httpx.Client) -> Iterator[Docs]:
    page = chromium.new_page(viewport={"width": 1200, "height": 1400})
    opened = Docs(page, str(client.base_url).rstrip("/"))
    yield opened
    page.close()
    assert opened.complaints == []
    assert opened.hosts == {client.base_url.netloc.decode()}


def test_execute_shows_the_tutorials_gradient(docs: Docs, tmp_path: Path):
    block = docs.open("Graphs", "run_graph")
    status, body = docs.execute(block)
    docs.page.screenshot(path=tmp_path / "docs.png", full_page=True)
    assert status == 200
    reply = json.loads(body)
    assert reply["outputs"]["x.grad"]["data"] == [[4.5, 4.5], [4.5, 4.5]]
    assert "[[4.5, 4.5], [4.5, 4.5]]" in body


def test_every_example_of_a_graph_succeeds_in_the_browser(docs: Docs):
    block = docs.open("Graphs", "run_graph")
    examples = block.locator(".opblock-section-request-body select.examples-select-element, .examples-select select")
    labels = examples.first.locator("option").all_inner_texts()
    assert len(labels) >= 5
    for label in labels:
        examples.first.select_option(label=label)
        status, body = docs.execute(block)
        assert status == 200, f"{label}: {body[:500]}"
        block.locator("button.btn-clear").click()


def test_one_op_and_the_search_succeed_in_the_browser(docs: Docs):
    assert docs.execute(docs.open("Ops", "call_op"))[0] == 200
    assert docs.execute(docs.open("Ops", "describe_op"))[0] == 200
    status, body = docs.execute(docs.open("Ops", "list_ops"))
    assert status == 200
    assert json.loads(body)["ops"][0]["name"] == "relu"
    assert docs.execute(docs.open("Server", "describe_server"))[0] == 200


def test_big_integers_pass_through_the_page_unchanged(docs: Docs):
    block = docs.open("Graphs", "run_graph")
    seed = 2**64 - 1
    block.locator("textarea.body-param__text").fill(
        f'{{"nodes": [{{"id": "x", "op": "ones", "args": [2]}}], "seed": {seed}}}'
    )
    status, body = docs.execute(block)
    assert status == 200
    assert json.loads(body)["seed"] == seed


def test_a_reply_of_megabytes_is_cut_and_does_not_hang_the_page(docs: Docs):
    block = docs.open("Graphs", "run_graph")
    graph = {"nodes": [{"id": "x", "op": "arange", "args": [500_000]}]}
    block.locator("textarea.body-param__text").fill(json.dumps(graph))
    status, body = docs.execute(block)
    assert status == 200
    assert len(body) < 60_000
    assert "characters in all" in body
