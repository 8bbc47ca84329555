"""What stands around a body: trailers, upgrades, and requests that are sent ahead of a broken one."""

from __future__ import annotations

import asyncio
import gzip
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jobs import QUICK, Reader, busy_for, connect, head, request, until

from gradwire.front import intake
from gradwire.front.codings import zstd
from gradwire.front.room import Room
from server import APP, Server

pytestmark = pytest.mark.alone

EMPTY = b'{"nodes": []}'
IN_CHUNKS = b"%x\r\n%s\r\n0\r\n" % (len(EMPTY), EMPTY)
NEXT = b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")


@pytest.fixture(scope="module")
def brisk() -> Iterator[Server]:
    with Server(workers=1, body_timeout_ms=500) as running:
        yield running


def peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def pour(connection: socket.socket, text: bytes) -> None:
    for _ in range(20_000):
        connection.sendall(text)


def test_trailers_say_nothing(brisk: Server) -> None:
    with connect(brisk) as connection:
        connection.sendall(
            head(None) + IN_CHUNKS + b"Origin: http://elsewhere\r\nContent-Type: text/plain\r\n\r\n" + NEXT
        )
        reader = Reader(connection)
        assert reader.reply()[0] == 200
        assert reader.reply()[2] == {"status": "alive"}
    without_type = head(None).replace(b"Content-Type: application/json\r\n", b"")
    with connect(brisk) as connection:
        connection.sendall(without_type + IN_CHUNKS + b"Content-Type: application/json\r\n\r\n")
        assert Reader(connection).reply()[0] == 415


@pytest.mark.parametrize("flood", [b"X: %s\r\n" % (b"y" * 60), b"y" * 64], ids=["fields", "one field"])
def test_trailers_without_end_are_400_and_cost_no_memory(brisk: Server, flood: bytes) -> None:
    before = peak_kib(brisk.process.pid)
    with connect(brisk) as connection:
        connection.sendall(head(None) + IN_CHUNKS + b"X: ")
        with pytest.raises(OSError, match=r"reset|pipe"):
            pour(connection, flood * 100)
    assert peak_kib(brisk.process.pid) - before < 8192


def test_trailers_up_to_64_kib_are_read(brisk: Server) -> None:
    with connect(brisk) as connection:
        connection.sendall(head(None) + IN_CHUNKS)
        for _ in range(60):
            connection.sendall(b"X: %s\r\n" % (b"y" * 1000))
        connection.sendall(b"\r\n" + NEXT)
        reader = Reader(connection)
        assert [reader.reply()[0], reader.reply()[0]] == [200, 200]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_upgrade_that_is_not_taken_changes_nothing(brisk: Server, at_once: bool) -> None:
    """Java's client asks for HTTP/2 with its first request, whatever the method."""
    whole = request(QUICK, *UPGRADE)
    chunked = head(None, *UPGRADE) + IN_CHUNKS + b"\r\n"
    with connect(brisk) as connection:
        for text in (
            whole,
            chunked,
            NEXT.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
            NEXT,
        ):
            for piece in [text] if at_once else text.partition(b"\r\n\r\n"):
                connection.sendall(piece)
                time.sleep(0 if at_once else 0.05)
        reader = Reader(connection)
        replies = [reader.reply() for _ in range(4)]
    assert [status for status, _, _ in replies] == [200] * 4
    assert replies[0][2]["outputs"]["x.grad"]["data"] == [[6.0, 6.0], [6.0, 6.0]]
    assert replies[2][2] == replies[3][2] == {"status": "alive"}


def test_a_body_behind_an_upgrade_is_no_request_of_its_own(brisk: Server) -> None:
    with connect(brisk) as connection:
        connection.sendall(head(len(NEXT), *UPGRADE) + NEXT)
        reader = Reader(connection)
        status, _, problem = reader.reply()
        assert (status, problem["code"]) == (400, "malformed_body")
        connection.sendall(request(QUICK))
        assert reader.reply()[2]["outputs"]["x.grad"]["data"] == [[6.0, 6.0], [6.0, 6.0]]


@pytest.mark.parametrize(
    ("after", "status"),
    [(b"NONSENSE\r\n\r\n", 400), (head(None) + b"zz\r\n", 400), (b"GET /healthz HT", 408)],
    ids=["no head", "broken body", "half a head"],
)
def test_what_is_wrong_with_a_request_waits_for_the_answers_before_it(brisk: Server, after: bytes, status: int) -> None:
    with connect(brisk) as connection:
        connection.sendall(request(busy_for(900)))
        time.sleep(0.1)
        connection.sendall(after)
        reader = Reader(connection)
        assert reader.reply()[0] == 504
        found, headers, problem = reader.reply()
        assert (found, problem["status"], headers["connection"]) == (status, status, "close")
        assert reader.rest() == b""


@pytest.mark.parametrize("count", [1, 50])
def test_a_client_that_leaves_with_requests_sent_ahead_frees_its_worker(brisk: Server, count: int) -> None:
    until(lambda: brisk.workers()["busy"] == 0 and brisk.workers()["ready"] > 0)
    with connect(brisk) as connection:
        connection.sendall(request(busy_for(20_000)))
        until(lambda: brisk.workers()["busy"] == 1)
        connection.sendall(request(QUICK) * count)
        time.sleep(0.1)
    begun = time.monotonic()
    until(lambda: brisk.workers()["busy"] == 0)
    assert time.monotonic() - begun < 0.5
    assert "Traceback" not in brisk.output()


def test_a_request_that_is_broken_off_leaves_no_traceback(brisk: Server) -> None:
    with connect(brisk) as connection:
        connection.sendall(head(None, path="/nowhere") + b"zz\r\n")
        reader = Reader(connection)
        assert reader.reply()[0] == 400
        assert reader.rest() == b""
    assert "Traceback" not in brisk.output()


# In a process of its own, where nothing else keeps what has passed.
SMALLEST = """
import asyncio, tracemalloc
from gradwire.front.intake import read_body
from gradwire.front.room import Room

async def read(count):
    async def receive():
        nonlocal count
        await asyncio.sleep(0)
        count -= 1
        return {"type": "http.request", "body": b"%2d" % (count % 100), "more_body": count > 0}

    return await read_body(receive, None, None, Room(2**30, 30).place(), most=2**20, pause_ms=30_000)

tracemalloc.start()
body = asyncio.run(read(100_000))
print(len(body), tracemalloc.get_traced_memory()[1])
"""


def test_a_body_in_the_smallest_pieces_takes_the_memory_of_its_bytes() -> None:
    """An object of Python's takes some 40 bytes beside its own: 4 MB here, were each piece kept."""
    environment = {"PYTHONPATH": str(APP), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", SMALLEST], env=environment, capture_output=True, text=True, check=True)
    length, peak = map(int, done.stdout.split())
    assert length == 200_000
    assert peak < 1_000_000


@pytest.mark.parametrize("empty", [gzip.compress(b""), zstd.compress(b"")], ids=["gzip", "zstd"])
def test_empty_members_give_others_their_turns(empty: bytes) -> None:
    """Each makes a decoder, which takes longer than its bytes tell."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - begun)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": empty * 5000, "more_body": False}

    async def read() -> bytes:
        watching = asyncio.create_task(watch())
        await asyncio.sleep(0)
        coding = "gzip" if empty.startswith(b"\x1f\x8b") else "zstd"
        body = await intake.read_body(receive, None, coding, Room(2**30, 30).place(), most=2**20, pause_ms=30_000)
        watching.cancel()
        return body

    begun = time.perf_counter()
    assert asyncio.run(read()) == b""
    assert longest < (time.perf_counter() - begun) / 4


WRONG_HEADS = {
    "two Hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "two Hosts in HTTP/1.0": b"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "a coding before chunked": head(None).replace(b": chunked", b": gzip, chunked") + IN_CHUNKS + b"\r\n",
}


@pytest.mark.parametrize("text", WRONG_HEADS.values(), ids=list(WRONG_HEADS))
def test_a_head_that_can_be_read_in_two_ways_is_refused(brisk: Server, text: bytes) -> None:
    with connect(brisk) as connection:
        connection.sendall(text)
        status, _, problem = Reader(connection).reply()
    assert (status, problem["code"]) == (400, "malformed_body")
    assert "Host" in problem["detail"] or "chunked" in problem["detail"]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_head_needs_no_host(brisk: Server, version: bytes) -> None:
    with connect(brisk) as connection:
        connection.sendall(b"GET /healthz HTTP/%s\r\n\r\n" % version)
        assert Reader(connection).reply()[0] == 200
