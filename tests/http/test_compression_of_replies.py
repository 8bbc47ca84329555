"""`Accept-Encoding`: long replies are coded as the client likes best, short ones are left alone."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gradwire.front.codings import Wish, wish, zstd
from server import Server
from service import Service

RUN = "/v1/graphs/run"
LONG = {"nodes": [{"id": "a", "op": "arange", "args": [1000]}], "returns": ["a"]}
SHORT = {"nodes": [{"id": "a", "op": "arange", "args": [5]}], "returns": ["a"]}
READERS = {"gzip": gzip.decompress, "zstd": zstd.decompress, None: bytes}


@pytest.fixture
def bare(server: Server) -> Iterator[httpx.Client]:
    """A client that takes nothing coded unless it says so."""
    with server.client() as client:
        del client.headers["accept-encoding"]
        yield client


def get(client: httpx.Client, method: str, path: str, taken: str | None, body: Any = None) -> httpx.Response:
    headers = {} if taken is None else {"accept-encoding": taken}
    content = None if body is None else json.dumps(body).encode()
    if body is not None:
        headers["content-type"] = "application/json"
    request = client.build_request(method, path, headers=headers, content=content)
    reply = client.send(request, stream=True)
    reply.raw = b"".join(reply.iter_raw())
    reply.close()
    return reply


def plain(reply: Any) -> bytes:
    """The body with its coding taken off, after looking that the headers tell the truth."""
    assert int(reply.headers["content-length"]) == len(reply.raw)
    return READERS[reply.headers.get("content-encoding")](reply.raw)


@pytest.mark.parametrize(
    ("taken", "coding"),
    [
        (None, None), ("", None), ("identity", None), ("br", None), ("gzip", "gzip"), ("zstd", "zstd"),
        ("x-gzip", "gzip"), ("GZIP", "gzip"), ("gzip, deflate, br", "gzip"), ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"), ("gzip;q=0.5, zstd;q=0.9", "zstd"), ("gzip;q=0", None), ("*", "gzip"),
        ("*;q=0.5", "gzip"), ("zstd;q=0, *", "gzip"), ("gzip;q=0, *", "zstd"), ("gzip;q=0.5, identity", None),
        ("gzip, identity;q=0.5", "gzip"), ("gzip;q=2", None), ("gzip;q=x", None), ("gzip ; q=0.1", "gzip"),
        (", ,gzip,", "gzip"), ("identity;q=0, gzip", "gzip"),
    ],
)  # fmt: skip
def test_the_coding_that_the_client_likes_best(bare: httpx.Client, taken: str | None, coding: str | None) -> None:
    reply = get(bare, "POST", RUN, taken, LONG)
    assert reply.status_code == 200
    assert reply.headers.get("content-encoding") == coding
    assert reply.headers["vary"] == "Accept-Encoding"
    assert json.loads(plain(reply))["outputs"]["a"]["data"] == list(range(1000))
    if coding is not None:
        assert len(reply.raw) < 3000


def test_short_replies_are_left_as_they_are(bare: httpx.Client) -> None:
    reply = get(bare, "POST", RUN, "gzip", SHORT)
    assert "content-encoding" not in reply.headers
    assert json.loads(plain(reply))["outputs"]["a"]["data"] == [0, 1, 2, 3, 4]


def test_a_client_that_takes_nothing_plain_gets_short_ones_coded_too(bare: httpx.Client) -> None:
    reply = get(bare, "POST", RUN, "gzip, identity;q=0", SHORT)
    assert reply.headers["content-encoding"] == "gzip"
    assert json.loads(plain(reply))["outputs"]["a"]["data"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("taken", ["identity;q=0", "*;q=0", "br, *;q=0", "identity;q=0, br"])
@pytest.mark.parametrize(("method", "path"), [("POST", RUN), ("GET", "/v1/ops/add")])
def test_a_client_that_takes_nothing_at_all_is_told_what_there_is(
    bare: httpx.Client, taken: str, method: str, path: str
) -> None:
    reply = get(bare, method, path, taken, LONG if method == "POST" else None)
    problem = json.loads(reply.raw)
    assert (reply.status_code, problem["code"]) == (406, "not_acceptable")
    assert problem["errors"][0]["expected"] == ["gzip", "zstd", "identity"]


@pytest.mark.parametrize("path", ["/v1/ops", "/v1/ops/add", "/", "/docs", "/docs/swagger-ui.css", "/openapi.json"])
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_whatever_is_got_is_coded_and_the_same(bare: httpx.Client, path: str, coding: str) -> None:
    as_it_is = get(bare, "GET", path, None)
    reply = get(bare, "GET", path, coding)
    assert as_it_is.status_code == reply.status_code == 200
    assert "content-encoding" not in as_it_is.headers
    assert plain(reply) == plain(as_it_is)
    if len(as_it_is.raw) > 1024:
        assert reply.headers["content-encoding"] == coding
        assert reply.headers["vary"] == as_it_is.headers["vary"] == "Accept-Encoding"
        assert len(reply.raw) < len(as_it_is.raw)


def test_head_tells_of_the_reply_that_get_would_be(bare: httpx.Client) -> None:
    got = get(bare, "GET", "/openapi.json", "gzip")
    told = get(bare, "HEAD", "/openapi.json", "gzip")
    assert told.raw == b""
    for name in ("content-length", "content-encoding", "vary", "content-type"):
        assert told.headers[name] == got.headers[name]


def test_a_part_of_a_file_is_not_coded(bare: httpx.Client) -> None:
    headers = {"range": "bytes=0-1999", "accept-encoding": "gzip"}
    reply = bare.get("/docs/swagger-ui.css", headers=headers)
    assert (reply.status_code, len(reply.content)) == (206, 2000)
    assert "content-encoding" not in reply.headers


def test_a_coded_file_has_a_tag_of_its_own_kind(bare: httpx.Client) -> None:
    assert get(bare, "GET", "/docs/swagger-ui.css", "gzip").headers["etag"].startswith('W/"')
    assert get(bare, "GET", "/docs/swagger-ui.css", None).headers["etag"].startswith('"')


def test_long_errors_are_coded_too(bare: httpx.Client) -> None:
    nodes = [{"op": f"no_such_op_{number}"} for number in range(40)]
    reply = get(bare, "POST", RUN, "gzip", {"nodes": nodes})
    assert reply.status_code == 422
    assert reply.headers["content-encoding"] == "gzip"
    assert len(json.loads(plain(reply))["errors"]) == 40


def test_what_gains_nothing_is_left_alone(bare: httpx.Client) -> None:
    random = {
        "nodes": [{"id": "a", "op": "randint", "args": [0, 256, [200_000]], "kwargs": {"dtype": {"dtype": "uint8"}}}],
        "returns": ["a"],
        "encoding": "base64",
    }
    reply = get(bare, "POST", RUN, "gzip", random)
    assert reply.status_code == 200
    # Base64 has six bits of chance in eight.
    assert reply.headers["content-encoding"] == "gzip"
    assert 0.74 < len(reply.raw) / len(plain(reply)) < 0.80


@pytest.mark.alone
def test_a_reply_of_megabytes_does_not_hold_up_others(server: Server, service: Service) -> None:
    """2,000,000 random numbers, coded in a thread."""
    replies: list[httpx.Response] = []

    def ask() -> None:
        body = {"nodes": [{"id": "a", "op": "rand", "args": [2_000_000]}], "returns": ["a"]}
        with server.client() as client:
            replies.append(get(client, "POST", RUN, "gzip", body))

    asking = threading.Thread(target=ask)
    asking.start()
    slowest = 0.0
    while asking.is_alive():
        begun = time.monotonic()
        assert service.client.get("/healthz").status_code == 200
        slowest = max(slowest, time.monotonic() - begun)
    assert replies[0].status_code == 200
    assert replies[0].headers["content-encoding"] == "gzip"
    assert slowest < 1.0


def test_wishes() -> None:
    assert wish(None) == wish(b"") == Wish("identity", True)
    assert wish(b"gzip, *;q=0") == Wish("gzip", False)
    assert wish(b"*;q=0") is None
    assert wish(b"identity;q=0") is None
