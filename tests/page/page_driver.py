"""The page at / as a person uses it, driven in a real browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

PATIENCE_MS = 30_000
# How Chromium's console tells of a reply that the page shows as a problem.
REFUSED = "Failed to load resource: the server responded with a status of 4"


class Page:
    """One tab. `refusals` says whether replies of 4xx are what the test is about."""

    def __init__(self, browser: Any, url: str, path: str = "/", **options: Any) -> None:
        self.url = url
        self.refusals = False
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(PATIENCE_MS)
        self.tab.on("request", self._requested)
        self.tab.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.open(path)

    def __enter__(self) -> Page:
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        self.context.close()
        if kind is None:
            heard = [text for text in self.complaints if not (self.refusals and text.startswith(REFUSED))]
            assert heard == []
            assert self.hosts == {urlsplit(self.url).netloc}

    def _requested(self, request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob"):
            self.hosts.add(url.netloc)

    def open(self, path: str) -> None:
        self.tab.goto(self.url + path)
        self.tab.wait_for_selector("html[data-ready]")

    def write(self, program: str) -> None:
        self.tab.locator("#program").fill(program)

    @property
    def program(self) -> str:
        return self.tab.locator("#program").input_value()

    def run(self, program: str | None = None) -> None:
        """Presses Run, and waits for the end of the run."""
        if program is not None:
            self.write(program)
        self.tab.click("#run")
        self.ended()

    def ended(self) -> None:
        """Waits until results or a problem are there."""
        self.tab.wait_for_selector("#welcome", state="hidden")
        self.tab.wait_for_selector("#run:not([aria-disabled])")

    def drawn(self) -> None:
        """Waits for the tape and its picture, which come after the results; of a slow run they are asked for."""
        self.tab.wait_for_selector("#picture:not([aria-busy]) :is(svg, button)")
        if self.tab.locator("#picture button").count():
            self.tab.locator("#picture button").click()
        self.tab.wait_for_selector("#picture:not([aria-busy]) svg")

    def example(self, name: str) -> None:
        """Chooses an example from the menu, which runs it."""
        self.tab.click("#examples-button")
        menu = self.tab.locator("#examples")
        with self.tab.expect_response(lambda reply: reply.url.endswith("/v1/graphs/run")):
            menu.get_by_role("button").filter(has=self.tab.locator(f"b:text-is('{name}')")).click()
        self.ended()

    def printed(self) -> str:
        """What the program printed, as the page shows it."""
        rows = self.tab.locator("#output .printed pre").all()
        return "".join(row.text_content() + "\n" for row in rows)

    def value(self, name: str) -> Any:
        """The card of a variable."""
        return self.tab.locator(f'#variables .value[data-name="{name}"]')

    def cells(self, name: str) -> list[list[str]]:
        """The numbers of a variable's table."""
        rows = self.value(name).locator("tbody tr").all()
        return [row.locator("td").all_inner_texts() for row in rows]

    def code(self, language: str) -> str:
        """The text of one of the tabs under "As a request"."""
        self.tab.get_by_role("tab", name=language, exact=True).click()
        return str(self.tab.locator("#request-code").text_content())

    def lit_lines(self) -> list[int]:
        """The numbers of the lines that are lit in the editor."""
        return [int(text) for text in self.tab.locator("#gutter .lit").all_inner_texts()]
