"""The page of a service that asks for a key."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from page_driver import Page

from server import Server

pytestmark = pytest.mark.browser

KEY = "gw_of_this_test"


def test_the_page_asks_for_a_key_and_keeps_it_to_itself(chromium: Any) -> None:
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    with Server(workers=1, api_keys=digest) as locked, Page(chromium, locked.url) as page:
        page.refusals = True
        page.run()
        for key in ("gw_wrong", KEY):
            page.tab.get_by_label("This server asks for a key").fill(key)
            page.tab.get_by_role("button", name="Use key").click()
            page.ended()
        page.tab.wait_for_selector("#output .printed")
        page.drawn()
        assert page.tab.locator("#key-form").is_hidden()
        assert "$GRADWIRE_KEY" in page.code("curl")
        assert KEY not in page.tab.content() + page.tab.evaluate("location.href + JSON.stringify(localStorage)")
