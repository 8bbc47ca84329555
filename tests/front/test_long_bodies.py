"""Long bodies and replies lie in files of shared memory: nothing of them is left, however a request ends."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from jobs import QUICK, RUN, connect, head, right, until

from server import Server

pytestmark = pytest.mark.alone

SAFETENSORS = {"content-type": "application/x-safetensors", "accept": "application/x-safetensors"}
SLOW = [{"id": "big", "op": "ones", "args": [2500, 2500]}, {"id": "s", "op": "linalg.svd", "args": ["$big"]}]


@pytest.fixture(scope="module")
def large() -> Iterator[Server]:
    with Server(workers=1, max_body_bytes=32 << 20, hidden={"CUDA_VISIBLE_DEVICES": ""}) as running:
        yield running


@pytest.fixture
def client(large: Server) -> Iterator[httpx.Client]:
    with large.client() as made:
        yield made


def body(count: int, **graph: object) -> bytes:
    """A file of so many float32, and the graph."""
    x = np.arange(count, dtype=np.float32)
    entry = {"dtype": "F32", "shape": [count], "data_offsets": [0, x.nbytes]}
    header = json.dumps({"__metadata__": {"request": json.dumps(graph)}, "x": entry}).encode()
    return len(header).to_bytes(8, "little") + header + x.tobytes()


NEGATED = body(1_000_000, nodes=[{"id": "y", "op": "neg", "args": ["$x"]}])
ENDLESS = body(1_000_000, nodes=SLOW, returns=["s.S"], deadline_ms=100)


def held(server: Server) -> list[str]:
    """What the front holds: files of bodies, of replies beyond one for each worker, and replies in its memory."""
    front = Path(f"/proc/{server.process.pid}")
    names = [name for link in front.glob("fd/*") if "memfd:gradwire-" in (name := _target(link))]
    bodies = [name for name in names if "gradwire-body" in name]
    outboxes = [name for name in names if "gradwire-outbox" in name][len(server.worker_pids()) :]
    return bodies + outboxes + [line for line in (front / "maps").read_text().splitlines() if "outbox" in line]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def nothing_is_left(server: Server, client: httpx.Client) -> None:
    until(lambda: not held(server))
    assert right(client.post(RUN, json=QUICK))


def test_nothing_is_left_of_answered_requests(large: Server, client: httpx.Client) -> None:
    for _ in range(10):
        reply = client.post(RUN, content=NEGATED, headers=SAFETENSORS)
        assert reply.content.endswith((-np.arange(1_000_000, dtype=np.float32)).tobytes())
        assert client.post(RUN, content=gzip.compress(NEGATED, 1), headers={**SAFETENSORS, "content-encoding": "gzip"})
    nothing_is_left(large, client)


def test_nothing_is_left_of_a_body_whose_worker_was_killed(large: Server, client: httpx.Client) -> None:
    reply = client.post(RUN, content=ENDLESS, headers=SAFETENSORS)
    assert (reply.status_code, reply.json()["errors"][0]["node"]) == (504, "s")
    nothing_is_left(large, client)


def test_nothing_is_left_of_a_body_that_was_too_long_or_broken(large: Server, client: httpx.Client) -> None:
    packed = gzip.compress(bytes(33 << 20))
    coded = {**SAFETENSORS, "content-encoding": "gzip"}
    assert client.post(RUN, content=packed, headers=coded).status_code == 413
    assert client.post(RUN, content=iter([bytes(1 << 20)] * 33), headers=SAFETENSORS).status_code == 413
    assert client.post(RUN, content=gzip.compress(bytes(7 << 20))[:-9], headers=coded).status_code == 400
    assert client.post(RUN, content=bytes(7 << 20), headers=SAFETENSORS).status_code == 400
    nothing_is_left(large, client)


def test_nothing_is_left_of_clients_that_leave(large: Server, client: httpx.Client) -> None:
    fields = "Content-Type: application/x-safetensors"
    start = head(len(ENDLESS)).replace(b"Content-Type: application/json", fields.encode())
    with connect(large) as within_the_body:
        within_the_body.sendall(start + ENDLESS[: 3 << 20])
        until(lambda: held(large))
    nothing_is_left(large, client)
    endless = body(1_000_000, nodes=SLOW, returns=["s.S"])
    start = head(len(endless)).replace(b"Content-Type: application/json", fields.encode())
    with connect(large) as within_the_run:
        within_the_run.sendall(start + endless)
        until(lambda: large.workers()["busy"] == 1)
    nothing_is_left(large, client)
    assert large.workers()["busy"] == 0


def test_a_reply_waits_for_a_slow_reader_while_the_worker_goes_on(large: Server, client: httpx.Client) -> None:
    # More than the buffers of a connection take.
    count = 7_000_000
    sent = body(count, nodes=[{"id": "y", "op": "neg", "args": ["$x"]}])
    expected = (-np.arange(count, dtype=np.float32)).tobytes()
    fields = "Content-Type: application/x-safetensors\r\nAccept: application/x-safetensors"
    with connect(large) as slow:
        slow.sendall(head(len(sent)).replace(b"Content-Type: application/json", fields.encode()) + sent)
        until(lambda: held(large) and large.workers()["busy"] == 0)
        for _ in range(3):
            other = client.post(RUN, content=body(1_000_000, nodes=[], returns=["x"]), headers=SAFETENSORS)
            assert other.content.endswith(np.arange(1_000_000, dtype=np.float32).tobytes())
        found = bytearray()
        while len(found) < len(expected) or not found.endswith(expected):
            found += slow.recv(1 << 20)
    nothing_is_left(large, client)


def test_a_tensor_takes_twice_its_bytes_in_the_worker_and_once_in_the_front(
    large: Server, client: httpx.Client
) -> None:
    for _ in range(3):
        client.post(RUN, content=body(10, nodes=[{"id": "y", "op": "neg", "args": ["$x"]}]), headers=SAFETENSORS)
    sent = body(7_500_000, nodes=[{"id": "y", "op": "neg", "args": ["$x"]}])
    workers = {pid: memory(pid, "VmRSS") for pid in large.worker_pids()}
    front = memory(large.process.pid, "VmRSS")
    reply = client.post(RUN, content=sent, headers={**SAFETENSORS, "accept-encoding": "identity"})
    assert len(reply.content) > 30_000_000
    # The peaks, with all that is mapped; some MB are noise.
    assert max(memory(pid, "VmHWM") - before for pid, before in workers.items()) < 2.3 * 30_000_000
    assert memory(large.process.pid, "VmHWM") - front < 1.5 * 30_000_000


def memory(pid: int, name: str) -> int:
    """Bytes, as a line of /proc/PID/status tells them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])
