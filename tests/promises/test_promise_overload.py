"""More than it can do: what is taken is done in time, the rest is sent away at once, and it leaves no trace."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from asked import RUN

from server import Server

pytestmark = pytest.mark.alone

QUEUE_MS = 1000
CLIENTS = 300
# Some 20 ms of a worker.
WORK = {
    "nodes": [
        {"id": "a", "op": "ones", "args": [400, 400]},
        {"id": "b", "op": "linalg.matrix_exp", "args": ["$a"]},
        {"id": "c", "op": "sum", "args": ["$b"]},
    ],
    "returns": [],
}


@dataclass
class Seen:
    """Milliseconds of each reply, by what it was."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@pytest.fixture
def single() -> Iterator[Server]:
    """One worker and a queue of 16, so that the machine has a processor left for the clients."""
    with Server(workers=1, queue_size=16, queue_ms=QUEUE_MS, hidden={"CUDA_VISIBLE_DEVICES": ""}) as running:
        yield running


def unloaded(server: Server, count: int = 40) -> list[float]:
    """How long each takes when it is alone, in milliseconds."""
    times = []
    with server.client() as client:
        for _ in range(count):
            begun = time.monotonic()
            assert client.post(RUN, json=WORK).status_code == 200
            times.append(1000 * (time.monotonic() - begun))
    return times[5:]


def memory_kib(server: Server) -> int:
    lines = Path(f"/proc/{server.process.pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss"))


async def ask(server: Server, text: bytes, every: float, until: float, seen: Seen) -> None:
    """One client: a request each `every` seconds, or as soon as the one before is answered."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    while time.monotonic() < until:
        begun = time.monotonic()
        writer.write(text)
        status, head, _ = await reply(reader)
        took = 1000 * (time.monotonic() - begun)
        note(seen, status, head, took)
        await asyncio.sleep(max(0.0, begun + every - time.monotonic()))
    writer.close()


async def reply(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    return int(head.split()[1]), head, await reader.readexactly(int(fields[b"content-length"]))


def note(seen: Seen, status: int, head: bytes, took: float) -> None:
    if status == 200:
        seen.accepted.append(took)
    elif status == 503 and b"retry-after: 1" in head:
        (seen.waited if took > 0.8 * QUEUE_MS else seen.refused).append(took)
    else:
        seen.wrong.append(head.decode())


async def press(server: Server, rate: float, seconds: float) -> Seen:
    """`rate` requests a second from all clients together."""
    body = json.dumps(WORK).encode()
    head = f"POST {RUN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    seen, until = Seen(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for place in range(CLIENTS):
            group.create_task(ask(server, head.encode() + body, CLIENTS / rate, until, seen))
            if place % 10 == 0:
                await asyncio.sleep(0.01)
    return seen


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def test_ten_times_its_capacity(single: Server, full: bool) -> None:
    alone = unloaded(single)
    service = statistics.median(alone)
    rate = 10 * 1000 / service
    asyncio.run(press(single, rate, 1.0))
    before = memory_kib(single)
    seen = asyncio.run(press(single, rate, 30.0 if full else 3.0))
    grown = memory_kib(single) - before
    again = statistics.median(unloaded(single))
    print(
        f"\nalone {service:.1f} ms; {len(seen.accepted)} accepted, p99 {percentile(seen.accepted, 0.99):.0f} ms; "
        f"{len(seen.refused)} refused, p99 {percentile(seen.refused, 0.99):.0f} ms; {len(seen.waited)} waited in vain; "
        f"the front grew by {grown} KiB; afterwards {again:.1f} ms"
    )
    assert seen.wrong == []
    assert len(seen.accepted) > 10
    assert len(seen.refused) > 2 * len(seen.accepted)
    assert percentile(seen.accepted, 0.99) <= 3 * percentile(alone, 0.99) + QUEUE_MS
    assert percentile(seen.refused, 0.5) < QUEUE_MS / 10
    assert grown < 8 * 1024
    assert again < 2 * service + 10


def test_small_requests_are_not_stuck_behind_large_ones() -> None:
    """Ten large ones came first; a small one goes after the one or two that a worker has by then."""
    with Server(workers=1, queue_size=16, queue_ms=60_000, hidden={"CUDA_VISIBLE_DEVICES": ""}) as patient:
        order = asyncio.run(ten_large_and_a_small(patient))
    assert len(order) == 11
    assert order.index("small") <= 6


async def ten_large_and_a_small(server: Server) -> list[str]:
    """The order in which they were answered."""
    large = json.dumps({**WORK, "inputs": {"x": {"data": [0.5] * 40_000}}}).encode()
    order: list[str] = []

    async def send(kind: str, body: bytes) -> None:
        async with httpx.AsyncClient(base_url=server.url, timeout=90) as client:
            answer = await client.post(RUN, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 200, answer.text
        order.append(kind)

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(send("large", large))
        await asyncio.sleep(0.03)
        group.create_task(send("small", json.dumps(WORK).encode()))
    return order
