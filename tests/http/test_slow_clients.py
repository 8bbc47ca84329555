"""Clients that are slow, at every point where one can be: heads, bodies, replies; and many of them at once."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server import Server

pytestmark = pytest.mark.alone

RUN = "/v1/graphs/run"
PATIENCE_S = 0.5
MIB = 2**20
BODY = b'{"nodes": []}'
# 12 MB of text out of a few bytes.
LARGE = json.dumps({"nodes": [{"id": "a", "op": "ones", "args": [3_000_000]}], "returns": ["a"]}).encode()


@pytest.fixture(scope="module")
def brisk() -> Iterator[Server]:
    """A server with little patience, and with room for two large bodies."""
    limits = {"max_body_bytes": 4 * MIB, "max_output_bytes": 20 * MIB, "max_held_bytes": 24 * MIB}
    with Server(workers=2, body_timeout_ms=int(1000 * PATIENCE_S), **limits) as running:
        yield running


def connect(server: Server) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(length: int, *lines: str) -> bytes:
    fields = ["Host: x", "Content-Type: application/json", f"Content-Length: {length}", *lines]
    return "\r\n".join([f"POST {RUN} HTTP/1.1", *fields, "", ""]).encode()


def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """The status and the problem document of a reply after which the server closes."""
    with connection.makefile("rb") as file:
        text = file.read()
    fields, _, body = text.partition(b"\r\n\r\n")
    return int(fields.split()[1]), json.loads(body)


def memory_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


# ---- heads


def test_a_connection_without_a_request_is_closed(brisk: Server) -> None:
    with connect(brisk) as connection:
        begun = time.monotonic()
        assert connection.recv(1) == b""
        assert 0.8 * PATIENCE_S < time.monotonic() - begun < PATIENCE_S + 1


def test_a_head_that_is_not_finished_in_time_is_408_though_bytes_keep_coming(brisk: Server) -> None:
    with connect(brisk) as connection:
        begun = time.monotonic()
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"reset|pipe"):
            trickle(connection, 5)
        assert PATIENCE_S <= time.monotonic() - begun < PATIENCE_S + 1
    with connect(brisk) as connection:
        connection.sendall(b"GET /healthz HTT")
        status, problem = answer(connection)
    assert (status, problem["code"], problem["type"]) == (408, "request_timeout", "/problems/request_timeout")


def trickle(connection: socket.socket, seconds: float) -> None:
    """Send a header line now and then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection.sendall(b"X-Slow: 1\r\n")
        time.sleep(0.05)


def test_the_head_of_a_later_request_has_the_same_time(brisk: Server) -> None:
    with connect(brisk) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answered = b""
        while b'"alive"' not in answered:
            answered += connection.recv(65536)
        # Between requests there is more: a connection that is kept open costs little.
        time.sleep(2 * PATIENCE_S)
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        begun = time.monotonic()
        assert answer(connection)[0] == 408
        assert 0.8 * PATIENCE_S < time.monotonic() - begun < PATIENCE_S + 1


def test_a_head_in_pieces_is_read_where_it_comes_in_time(brisk: Server) -> None:
    with connect(brisk) as connection:
        for piece in (b"GET /hea", b"lthz HTTP/1.1\r\nHo", b"st: x\r\n\r", b"\n"):
            connection.sendall(piece)
            time.sleep(0.05)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


# ---- bodies


def test_many_slow_bodies_keep_nobody_out(brisk: Server) -> None:
    slow = [connect(brisk) for _ in range(100)]
    for connection in slow:
        connection.sendall(head(1000) + b"{")
    begun = time.monotonic()
    with brisk.client() as client:
        assert client.post(RUN, content=BODY, headers={"content-type": "application/json"}).status_code == 200
    assert time.monotonic() - begun < PATIENCE_S
    codes = {answer(connection)[1]["code"] for connection in slow}
    assert codes == {"request_timeout"}
    for connection in slow:
        connection.close()


def test_bodies_that_arrive_at_once_are_bounded_together(brisk: Server) -> None:
    """Each is within its own limit, and all but the end of each is sent; there is room for six."""
    text = BODY[:-1] + b" " * (4 * MIB - len(BODY) - 1) + b"}"
    before = memory_kib(brisk.process.pid)
    senders = [connect(brisk) for _ in range(12)]
    refused = 0
    for connection in senders:
        connection.setblocking(True)
        try:
            connection.sendall(head(len(text) + 1) + text)
        except OSError:
            refused += 1
    time.sleep(0.3)
    assert memory_kib(brisk.process.pid) - before < 60 * 1024
    statuses = []
    for connection in senders:
        try:
            statuses.append(answer(connection)[0])
        except (OSError, IndexError):
            # Refused while it was still sending, and reset.
            statuses.append(503)
        connection.close()
    assert set(statuses) <= {408, 503}
    assert statuses.count(408) <= 6
    assert statuses.count(503) + refused >= 6
    with brisk.client() as client:
        assert client.post(RUN, content=text, headers={"content-type": "application/json"}).status_code == 200


def test_a_body_that_takes_its_time_gives_way(brisk: Server) -> None:
    """Bytes keep coming, so no pause is too long; but others want the room that it takes."""
    text = b" " * (4 * MIB - 1000)
    slow = [connect(brisk) for _ in range(6)]
    for connection in slow:
        connection.sendall(head(4 * MIB) + text)
    end = time.monotonic() + 3 * PATIENCE_S
    while time.monotonic() < end:
        for connection in slow:
            connection.sendall(b" ")
        time.sleep(PATIENCE_S / 5)
    large = BODY[:-1] + b" " * (2 * MIB) + b"}"
    with brisk.client() as client:
        statuses = []
        while 200 not in statuses and len(statuses) < 5:
            statuses.append(client.post(RUN, content=large, headers={"content-type": "application/json"}).status_code)
            time.sleep(0.02)
    assert statuses[-1] == 200
    assert set(statuses[:-1]) <= {503}
    assert slow[0].recv(65536).startswith(b"HTTP/1.1 408")
    for connection in slow:
        connection.close()


# ---- replies


def test_a_reply_that_nobody_takes_is_given_up(brisk: Server) -> None:
    """What the system's buffers hold already still comes."""
    with connect(brisk) as connection:
        connection.sendall(head(len(LARGE)) + LARGE)
        connection.recv(1)
        time.sleep(4 * PATIENCE_S)
        assert taken_of(connection) < 9_000_000
    with brisk.client() as client:
        assert len(client.post(RUN, content=LARGE, headers={"content-type": "application/json"}).content) > 12_000_000


def taken_of(connection: socket.socket) -> int:
    taken = 0
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            taken += len(piece)
    return taken


def test_a_slow_reader_that_goes_on_gets_all(brisk: Server) -> None:
    """Longer than the patience in all, but something is taken in each period."""
    taken = 0
    begun = time.monotonic()
    with connect(brisk) as connection:
        connection.sendall(head(len(LARGE), "Connection: close") + LARGE)
        while piece := connection.recv(65536):
            taken += len(piece)
            time.sleep(0.01)
    assert taken > 12_000_000
    assert time.monotonic() - begun > 2 * PATIENCE_S


def test_replies_that_wait_for_readers_count_as_held(brisk: Server) -> None:
    """Two of 15 MB: no room is left for a long body until they are given up."""
    readers = [connect(brisk) for _ in range(2)]
    for connection in readers:
        connection.sendall(head(len(LARGE)) + LARGE)
    large = BODY[:-1] + b" " * (2 * MIB) + b"}"
    statuses = []
    with brisk.client() as client:
        end = time.monotonic() + 15
        while statuses[-1:] != [200] or 503 not in statuses:
            reply = client.post(RUN, content=large, headers={"content-type": "application/json"})
            statuses.append(reply.status_code)
            assert time.monotonic() < end, statuses
            time.sleep(0.02)
    assert set(statuses) == {200, 503}
    for connection in readers:
        connection.close()


# ---- connections


def test_more_connections_than_fit_are_refused_and_the_rest_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 descriptors 122 are kept for what is no client."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -n 200\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with Server(workers=1, body_timeout_ms=3000) as running:
        check_connections(running)


def check_connections(running: Server) -> None:
    idle = [connect(running) for _ in range(78)]
    time.sleep(0.2)
    refused = connect(running)
    status, problem = answer(refused)
    assert (status, problem["code"]) == (503, "overloaded")
    idle[0].sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle[0].recv(65536).startswith(b"HTTP/1.1 200")
    for connection in [*idle, refused]:
        connection.close()
    deadline = time.monotonic() + 5
    while True:
        with httpx.Client(base_url=running.url) as client:
            reply = client.post(RUN, content=BODY, headers={"content-type": "application/json"})
        if reply.status_code == 200:
            return
        assert time.monotonic() < deadline
