"""A browser for the tests of the page at /."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from page_driver import Page

from server import Server


@pytest.fixture
def page(chromium: Any, server: Server) -> Iterator[Page]:
    """The page as it opens. What the console said, and who was asked, is looked at when a test has ended."""
    with Page(chromium, server.url) as opened:
        yield opened
