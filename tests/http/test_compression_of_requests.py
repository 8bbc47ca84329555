"""`Content-Encoding` of requests: gzip and zstd are read in bounded memory, anything else is said to be wrong."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_check import check_response

from gradwire.front.codings import zstd
from server import Server
from service import Service

RUN = "/v1/graphs/run"
LIMIT = 4_000_000
GRAPH = {"nodes": [{"id": "a", "op": "arange", "args": [5]}], "returns": ["a"]}
BODY = json.dumps(GRAPH).encode()
CODINGS = {
    "gzip": gzip.compress,
    "zstd": lambda text: zstd.compress(text, options={zstd.CompressionParameter.checksum_flag: 1}),
}
PIECES = 65536


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """A server with a small limit on bodies."""
    with Server(workers=1, max_body_bytes=LIMIT) as running:
        yield running


@pytest.fixture
def sender(small: Server) -> Iterator[httpx.Client]:
    with small.client(event_hooks={"response": [check_response]}) as client:
        yield client


def post(client: httpx.Client, content: Any, coding: str, **headers: str) -> httpx.Response:
    named = {"content-type": "application/json", "content-encoding": coding}
    return client.post(RUN, content=content, headers=named | headers)


def chunks(text: bytes, size: int = 1000) -> Iterator[bytes]:
    for place in range(0, len(text), size):
        yield text[place : place + size]


def padded(length: int) -> bytes:
    """A right body of `length` bytes."""
    return BODY[:-1] + b" " * (length - len(BODY)) + b"}"


def right(reply: httpx.Response) -> bool:
    return reply.status_code == 200 and reply.json()["outputs"]["a"]["data"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_coded_body_is_read(sender: httpx.Client, coding: str, chunked: bool) -> None:
    text = CODINGS[coding](padded(300_000))
    assert right(post(sender, chunks(text, 7) if chunked else text, coding))


@pytest.mark.parametrize("name", ["GZIP", "x-gzip", "X-Gzip", " gzip "])
def test_names_of_codings_have_no_case(sender: httpx.Client, name: str) -> None:
    headers = [("content-type", "application/json"), ("content-encoding", name.strip())]
    assert right(sender.post(RUN, content=gzip.compress(BODY), headers=headers))


@pytest.mark.parametrize("name", ["", "identity", "Identity"])
def test_no_coding_at_all_may_be_said(sender: httpx.Client, name: str) -> None:
    assert right(post(sender, BODY, name))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_in_several_members_is_their_sum(sender: httpx.Client, coding: str) -> None:
    code = CODINGS[coding]
    members = [code(part) for part in (BODY[:10], b"", BODY[10:30], BODY[30:])]
    assert right(post(sender, b"".join(members), coding))
    assert right(post(sender, chunks(b"".join(members), 1), coding))


def test_a_skippable_frame_holds_nothing(sender: httpx.Client) -> None:
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    assert right(post(sender, skippable + zstd.compress(BODY) + skippable, "zstd"))


def broken(coding: str) -> dict[str, bytes]:
    text = CODINGS[coding](BODY)
    middle = len(text) // 2
    return {
        "plain": BODY,
        "empty": b"",
        "the other coding": CODINGS["zstd" if coding == "gzip" else "gzip"](BODY),
        "its first byte": text[:1],
        "cut off": text[:-1],
        "cut in half": text[:middle],
        "a byte changed": text[:middle] + bytes([text[middle] ^ 0xFF]) + text[middle + 1 :],
        "the checksum changed": text[:-5] + bytes([text[-5] ^ 1]) + text[-4:] if coding == "gzip" else text[:-1],
        "a byte behind": text + b"\0",
        "garbage behind": text + b"garbage",
        "half a member behind": text + text[:middle],
    }


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", list(broken("gzip")))
def test_a_broken_coding_is_400(sender: httpx.Client, coding: str, name: str) -> None:
    reply = post(sender, broken(coding)[name], coding)
    problem = Service(sender).problem(reply)
    assert (reply.status_code, problem["code"]) == (400, "malformed_body")
    assert problem["errors"][0]["got"] == coding
    assert problem["errors"][0]["pointer"] == ""
    assert "Content-Encoding" in problem["detail"]


def test_raw_deflate_and_zlib_are_no_gzip(sender: httpx.Client) -> None:
    assert post(sender, zlib.compress(BODY), "gzip").status_code == 400


@pytest.mark.parametrize("coding", CODINGS)
def test_a_coded_body_that_is_no_json_is_400_of_the_json(sender: httpx.Client, coding: str) -> None:
    problem = Service(sender).problem(post(sender, CODINGS[coding](b"{"), coding))
    assert problem["code"] == "malformed_body"
    assert "Content-Encoding" not in problem["detail"]


@pytest.mark.parametrize(
    "name",
    ["br", "deflate", "compress", "gzip, gzip", "gzip,zstd", "identity, gzip", "gzip;q=1", "*", "zst", "gzip\tx"],
)
def test_any_other_coding_is_415_and_says_which_are_read(sender: httpx.Client, name: str) -> None:
    reply = post(sender, gzip.compress(BODY), name)
    problem = Service(sender).problem(reply)
    assert (reply.status_code, problem["code"]) == (415, "unsupported_media_type")
    assert problem["errors"][0]["expected"] == ["gzip", "zstd", "identity"]
    assert reply.headers["accept-encoding"] == "gzip, zstd"


def test_two_fields_are_a_stack_of_codings(sender: httpx.Client) -> None:
    fields = [("content-type", "application/json"), ("content-encoding", "gzip"), ("content-encoding", "gzip")]
    text = gzip.compress(gzip.compress(BODY))
    assert sender.post(RUN, content=text, headers=fields).status_code == 415


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_is_on_what_comes_out(sender: httpx.Client, coding: str) -> None:
    code = CODINGS[coding]
    assert right(post(sender, code(padded(LIMIT)), coding))
    over = post(sender, code(padded(LIMIT + 1)), coding)
    problem = Service(sender).problem(over)
    assert (over.status_code, problem["code"]) == (413, "body_too_large")
    assert problem["errors"][0]["expected"] == LIMIT


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_is_on_what_goes_in_too(sender: httpx.Client, coding: str) -> None:
    def empty_members() -> Iterator[bytes]:
        member = CODINGS[coding](b"")
        for _ in range(2 * LIMIT // PIECES):
            yield member * (PIECES // len(member))

    assert post(sender, empty_members(), coding).status_code in (400, 413)
    assert post(sender, b"a" * (LIMIT + 1), coding).status_code == 413


def test_a_member_for_each_byte_is_too_many(sender: httpx.Client) -> None:
    member = gzip.compress(b"")
    problem = Service(sender).problem(post(sender, member * 10_001, "gzip"))
    assert problem["code"] == "malformed_body"
    assert "more than 10000 members" in problem["detail"]


def gzip_bomb(megabytes: int) -> bytes:
    coder = zlib.compressobj(6, wbits=31)
    return b"".join([*(coder.compress(b" " * 2**20) for _ in range(megabytes)), coder.flush()])


def zstd_bomb(megabytes: int) -> bytes:
    coder = zstd.ZstdCompressor(3)
    return b"".join([*(coder.compress(b" " * 2**20) for _ in range(megabytes)), coder.flush()])


def wide_window(log: int) -> bytes:
    """A frame that asks its reader for a window of 2^log bytes."""
    options = {zstd.CompressionParameter.window_log: log, zstd.CompressionParameter.content_size_flag: 0}
    coder = zstd.ZstdCompressor(options=options)
    return coder.compress(BODY) + coder.flush(zstd.ZstdCompressor.FLUSH_BLOCK) + coder.flush()


def peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_bombs_are_413_and_cost_the_front_no_memory(small: Server, sender: httpx.Client) -> None:
    before = peak_kib(small.process.pid)
    for text, coding in ((gzip_bomb(300), "gzip"), (zstd_bomb(300), "zstd")):
        assert len(text) < LIMIT
        for content in (text, chunks(text, 500)):
            assert post(sender, content, coding).status_code == 413
    assert peak_kib(small.process.pid) - before < 40 * 1024


def test_a_window_of_8_mib_is_read_and_a_larger_one_is_not(small: Server, sender: httpx.Client) -> None:
    """RFC 9659: what every reader of the coding must take, and no more."""
    assert right(post(sender, wide_window(23), "zstd"))
    before = peak_kib(small.process.pid)
    for log in (24, 27, 31):
        problem = Service(sender).problem(post(sender, wide_window(log), "zstd"))
        assert problem["code"] == "malformed_body"
        assert "memory" in problem["detail"]
    assert peak_kib(small.process.pid) - before < 10 * 1024


@pytest.mark.alone
def test_others_are_answered_while_a_bomb_is_read(server: Server, client: httpx.Client) -> None:
    """40 MiB out of 40 KiB, at the default limit: the event loop gets its turns."""
    text = gzip_bomb(40)
    done = threading.Event()

    def send() -> None:
        with server.client() as other:
            for _ in range(2):
                post(other, text, "gzip")
        done.set()

    threading.Thread(target=send).start()
    slowest = 0.0
    while not done.is_set():
        begun = time.monotonic()
        assert client.get("/healthz").status_code == 200
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 1.0
