"""What reaches the service in pieces, too slowly, too long, or as no HTTP at all."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from jobs import QUICK, Reader, connect, head, request

from server import Server

pytestmark = pytest.mark.alone

LIMIT = 200_000
EMPTY = b'{"nodes": []}'


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A server with a small limit on bodies and little patience."""
    with Server(workers=1, max_body_bytes=LIMIT, body_timeout_ms=400) as running:
        yield running


def padded(length: int) -> bytes:
    """A right body of `length` bytes."""
    return EMPTY[:-1] + b" " * (length - len(EMPTY)) + b"}"


def test_a_body_that_comes_byte_by_byte_is_read(small: Server) -> None:
    text = request(QUICK)
    with connect(small) as connection:
        for place in range(len(text)):
            connection.sendall(text[place : place + 1])
        status, _, reply = Reader(connection).reply()
    assert status == 200
    assert reply["outputs"]["x.grad"]["data"] == [[6.0, 6.0], [6.0, 6.0]]


def test_a_body_in_chunks_is_read(small: Server) -> None:
    with connect(small) as connection:
        connection.sendall(head(None) + b'7\r\n{"nodes\r\n' + b'6\r\n": []}\r\n0\r\n\r\n')
        status, _, reply = Reader(connection).reply()
    assert (status, reply["outputs"]) == (200, {})


def test_a_pause_shorter_than_the_limit_is_no_fault_however_often(small: Server) -> None:
    with connect(small) as connection:
        connection.sendall(head(len(EMPTY)))
        for place in range(0, len(EMPTY), 4):
            time.sleep(0.2)
            connection.sendall(EMPTY[place : place + 4])
        assert Reader(connection).reply()[0] == 200


def test_a_longer_pause_is_408_and_the_end_of_the_connection(small: Server) -> None:
    with connect(small) as connection:
        connection.sendall(head(len(EMPTY)) + EMPTY[:5])
        begun = time.monotonic()
        reader = Reader(connection)
        status, headers, problem = reader.reply()
        assert 0.3 < time.monotonic() - begun < 2
        assert (status, problem["code"], problem["errors"][0]["pointer"]) == (408, "request_timeout", "")
        assert headers["connection"] == "close"
        assert reader.rest() == b""


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(small: Server) -> None:
    with small.client() as client:
        kind = {"content-type": "application/json"}
        assert client.post("/v1/graphs/run", content=padded(LIMIT), headers=kind).status_code == 200
        reply = client.post("/v1/graphs/run", content=padded(LIMIT + 1), headers=kind)
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
    assert reply.json()["errors"][0]["got"] == LIMIT + 1
    assert reply.json()["errors"][0]["expected"] == LIMIT


def test_a_declared_body_that_is_too_large_is_refused_before_it_is_sent(small: Server) -> None:
    with connect(small) as connection:
        connection.sendall(head(10**12, "Expect: 100-continue"))
        status, headers, problem = Reader(connection).reply()
    assert (status, problem["code"], headers["connection"]) == (413, "body_too_large", "close")


@pytest.mark.parametrize("declared", [True, False])
def test_a_client_that_sends_all_of_a_large_body_still_sees_why_it_is_refused(small: Server, declared: bool) -> None:
    """Closing with bytes unread resets a connection; the reply may then be lost."""
    piece = b" " * 65536
    count = 200
    with connect(small) as connection:
        connection.sendall(head(count * len(piece) if declared else None))
        for _ in range(count):
            connection.sendall(piece if declared else b"%x\r\n%s\r\n" % (len(piece), piece))
        if not declared:
            connection.sendall(b"0\r\n\r\n")
        reader = Reader(connection)
        status, headers, problem = reader.reply()
        assert (status, problem["code"], headers["connection"]) == (413, "body_too_large", "close")
        assert reader.rest() == b""


def test_a_short_body_that_is_refused_leaves_the_connection_open(small: Server) -> None:
    with connect(small) as connection:
        reader = Reader(connection)
        connection.sendall(head(len(EMPTY)).replace(b"application/json", b"text/plain") + EMPTY)
        status, headers, problem = reader.reply()
        assert (status, problem["code"]) == (415, "unsupported_media_type")
        assert "connection" not in headers
        connection.sendall(request(QUICK))
        assert reader.reply()[0] == 200


def test_all_that_is_wrong_with_the_headers_is_said_at_once(small: Server) -> None:
    with connect(small) as connection:
        right = head(len(EMPTY), "Content-Encoding: br", "Accept: text/html")
        connection.sendall(right.replace(b"application/json", b"text/plain") + EMPTY)
        status, _, problem = Reader(connection).reply()
    assert status == 415
    assert [(error["code"], error["got"]) for error in problem["errors"]] == [
        ("unsupported_media_type", "text/plain"),
        ("unsupported_media_type", "br"),
        ("not_acceptable", "text/html"),
    ]


def test_requests_that_are_sent_ahead_are_answered_in_their_order(small: Server) -> None:
    sizes = [len(EMPTY), 150_000, len(EMPTY)]
    with connect(small) as connection:
        connection.sendall(b"".join(head(size) + padded(size) for size in sizes) + head(4) + b"true")
        reader = Reader(connection)
        assert [reader.reply()[0] for _ in range(4)] == [200, 200, 200, 422]


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100]
)
def test_what_is_no_http_is_a_problem_document_too(small: Server, nonsense: bytes) -> None:
    with connect(small) as connection:
        connection.sendall(nonsense)
        reader = Reader(connection)
        status, headers, problem = reader.reply()
        assert (status, headers["content-type"], problem["code"]) == (400, "application/problem+json", "malformed_body")
        assert reader.rest() == b""


def test_the_head_of_a_request_is_bounded(small: Server) -> None:
    with connect(small) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        lines = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 100) for number in range(100_000))
        with pytest.raises(OSError, match=r"reset|pipe"):
            connection.sendall(lines)
    with connect(small) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 60_000 + b"\r\n\r\n")
        assert Reader(connection).reply()[0] == 200
