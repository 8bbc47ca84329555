"""The files of the page at /: its own and no others, asked for again only when they have changed."""

from __future__ import annotations

import re

import httpx
import pytest

from service import Service


def test_the_page_names_its_files_and_each_is_there(client: httpx.Client) -> None:
    text = client.get("/").text
    files = set(re.findall(r'(?:href|src)="(docs/page/[^"]+)"', text))
    assert {"docs/page/main.js", "docs/page/layout.css"} <= files
    for file in files:
        reply = client.get("/" + file)
        assert reply.status_code == 200
        kind = "text/javascript" if file.endswith(".js") else "text/css"
        assert reply.headers["content-type"].split(";")[0] == kind
        assert reply.headers["cache-control"] == "no-cache"
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text)


def test_an_unchanged_file_is_not_sent_again(client: httpx.Client) -> None:
    tag = client.get("/docs/page/main.js", headers={"accept-encoding": "identity"}).headers["etag"]
    for known in (tag, f'"other", W/{tag}'):
        reply = client.get("/docs/page/main.js", headers={"if-none-match": known})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", tag)
    assert client.get("/docs/page/main.js", headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("name", ["nothing.js", "..%2findex.html", "%2e%2e%2fstart.js", "main.js%00", "MAIN.JS"])
def test_no_other_file_can_be_had(client: httpx.Client, name: str) -> None:
    assert client.get(f"/docs/page/{name}").status_code == 404


def test_the_page_has_a_rule_for_each_of_the_picture(service: Service) -> None:
    """The page's policy forbids the picture's own style sheet."""
    svg = service.post("/v1/graphs/draw", {"nodes": []}, accept="image/svg+xml").text
    style = re.search(r"<style>([^<]*)</style>", svg)
    assert style is not None
    wanted = set(re.findall(r"\.gradwire (\.[\w.-]+(?:>\.box)?|text)", style[1]))
    assert len(wanted) > 15
    rules = service.client.get("/docs/page/picture.css").text.replace(" > ", ">")
    assert wanted - set(re.findall(r"\.gradwire (\.[\w.-]+(?:>\.box)?|text)", rules)) == set()
