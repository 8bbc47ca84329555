"""What pages forbid browsers to do with them."""

from __future__ import annotations

import httpx
import pytest

PAGES = ("/", "/docs", "/problems/", "/problems/forbidden")


def policy(reply: httpx.Response) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in reply.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in directives}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_cannot_be_framed(client: httpx.Client, path: str) -> None:
    reply = client.get(path, headers={"accept": "text/html"})
    found = policy(reply)
    assert found["default-src"] == "'none'"
    assert found["frame-ancestors"] == found["base-uri"] == found["form-action"] == "'none'"
    assert found.get("script-src", "'none'") == ("'self'" if path in ("/", "/docs") else "'none'")
    assert "unsafe-inline" not in found.get("script-src", "")
    assert {name: reply.headers[name] for name in list(reply.headers) if name.startswith(("x-", "cross", "ref"))} == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }


@pytest.mark.parametrize("path", ["/docs/swagger-ui-bundle.js", "/docs/page.css", "/openapi.json"])
def test_files_are_what_they_say(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["x-content-type-options"] == "nosniff"


def test_replies_tell_nothing_of_the_software(client: httpx.Client) -> None:
    for path in ("/healthz", "/nowhere", "/docs"):
        assert "server" not in client.get(path).headers
        assert "x-powered-by" not in client.get(path).headers
