"""A worker that runs too long, dies, or whose client leaves costs its own request and no other."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from server import Server, alive
from service import TUTORIAL_GRAPH, Service

pytestmark = pytest.mark.alone

TUTORIAL = TUTORIAL_GRAPH | {"returns": ["x.grad"]}
# Minutes inside one kernel that never comes back to Python.
SLOW = {
    "nodes": [
        {"id": "big", "op": "ones", "args": [4000, 4000]},
        {"id": "slow", "op": "linalg.svd", "args": ["$big"]},
    ],
    "returns": ["slow.S"],
}


def right(reply: httpx.Response) -> bool:
    return reply.status_code == 200 and reply.json()["outputs"]["x.grad"]["data"] == [[4.5, 4.5], [4.5, 4.5]]


def until(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    with Server(workers=2) as running:
        yield running


def test_a_run_past_its_deadline_is_stopped_and_the_node_named(own: Server) -> None:
    with own.client() as client:
        killed = own.workers()["killed"]
        begun = time.monotonic()
        problem = Service(client).refused(SLOW | {"deadline_ms": 300})
        assert time.monotonic() - begun < 5
        assert (problem["status"], problem["code"]) == (504, "deadline_exceeded")
        assert (problem["errors"][0]["node"], problem["errors"][0]["pointer"]) == ("slow", "/nodes/1")
        drawn = Service(client).refused(SLOW | {"deadline_ms": 300}, "/v1/graphs/draw", accept="image/svg+xml")
        assert drawn["errors"] == problem["errors"]
        assert right(client.post("/v1/graphs/run", json=TUTORIAL))
        assert own.workers()["killed"] == killed + 2


def test_the_servers_own_deadline_holds_where_the_request_asks_for_more() -> None:
    with Server(workers=1, deadline_ms=300) as running, running.client() as client:
        problem = Service(client).refused(SLOW | {"deadline_ms": 600_000})
        assert (problem["status"], problem["errors"][0]["node"]) == (504, "slow")


def test_a_killed_worker_costs_its_own_request_alone(own: Server) -> None:
    before = set(own.worker_pids())
    with own.client() as client, ThreadPoolExecutor(10) as pool:
        lost = pool.submit(client.post, "/v1/graphs/run", json=SLOW)
        until(lambda: own.workers()["busy"] == 1)
        others = [pool.submit(client.post, "/v1/graphs/run", json=TUTORIAL) for _ in range(200)]
        used = {pid: cpu_seconds(pid) for pid in before}
        until(lambda: max(cpu_seconds(pid) - used[pid] for pid in before) > 0.5)
        os.kill(max(before, key=lambda pid: cpu_seconds(pid) - used[pid]), signal.SIGKILL)
        problem = lost.result().json()
        assert (problem["status"], problem["code"]) == (500, "worker_lost")
        assert problem["errors"][0]["node"] == "slow"
        assert all(right(other.result()) for other in others)
    until(lambda: len(own.worker_pids()) == 3)
    assert own.workers()["lost"] == 1


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_client_that_leaves_frees_its_worker(own: Server) -> None:
    with pytest.raises(httpx.ReadTimeout), httpx.Client(base_url=own.url, timeout=0.3) as client:
        client.post("/v1/graphs/run", json=SLOW)
    until(lambda: own.workers()["busy"] == 0, 2)


def test_a_full_queue_is_told_at_once_and_a_wait_ends() -> None:
    with Server(workers=1, queue_size=1, queue_ms=400) as running, running.client() as client:
        with ThreadPoolExecutor(2) as pool:
            running_job = pool.submit(client.post, "/v1/graphs/run", json=SLOW | {"deadline_ms": 1500})
            until(lambda: running.workers()["busy"] == 1)
            waiting = pool.submit(client.post, "/v1/graphs/run", json=TUTORIAL)
            time.sleep(0.2)
            begun = time.monotonic()
            refused = client.post("/v1/graphs/run", json=TUTORIAL)
            assert time.monotonic() - begun < 0.25
            for reply in (refused, waiting.result()):
                assert (reply.status_code, reply.json()["code"]) == (503, "overloaded")
                assert int(reply.headers["retry-after"]) >= 1
            assert running_job.result().status_code == 504
        assert right(client.post("/v1/graphs/run", json=TUTORIAL))


def test_a_nursery_that_dies_is_replaced(own: Server) -> None:
    (nursery,) = own.nursery_pids()
    os.kill(nursery, signal.SIGKILL)
    until(lambda: own.nursery_pids() not in ([], [nursery]), 20)
    until(own.is_ready, 60)
    with own.client() as client:
        assert right(client.post("/v1/graphs/run", json=TUTORIAL))


def test_the_workers_end_with_a_front_that_is_killed() -> None:
    running = Server(workers=2)
    with running.client() as client, ThreadPoolExecutor(1) as pool:
        job = pool.submit(client.post, "/v1/graphs/run", json=SLOW)
        until(lambda: running.workers()["busy"] == 1)
        processes = [*running.nursery_pids(), *running.worker_pids()]
        running.stop(signal.SIGKILL)
        assert isinstance(job.exception(10), httpx.TransportError)
    until(lambda: not any(map(alive, processes)), 5)


def test_a_stop_lets_running_requests_finish_and_exits_0() -> None:
    running = Server(workers=1)
    slow = {"nodes": [{"id": "x", "op": "ones", "args": [1200, 1200]}, {"id": "s", "op": "linalg.svd", "args": ["$x"]}]}
    with running.client() as client, ThreadPoolExecutor(1) as pool:
        job = pool.submit(client.post, "/v1/graphs/run", json=slow | {"returns": ["s.S"]})
        until(lambda: running.workers()["busy"] == 1)
        status = running.stop()
        assert job.result().status_code == 200
    assert status == 0


def test_a_second_signal_hurries_the_stop() -> None:
    running = Server(workers=1, grace_ms=60_000)
    with running.client() as client, ThreadPoolExecutor(1) as pool:
        pool.submit(client.post, "/v1/graphs/run", json=SLOW)
        until(lambda: running.workers()["busy"] == 1)
        running.process.send_signal(signal.SIGTERM)
        threading.Timer(0.5, running.process.send_signal, [signal.SIGTERM]).start()
        begun = time.monotonic()
        assert running.process.wait(20) == 0
        assert time.monotonic() - begun < 5
    running.stop()


def test_a_body_over_the_limit_is_refused_declared_or_not() -> None:
    with Server(workers=1, max_body_bytes=2000) as running, running.client() as client:
        kind = {"content-type": "application/json"}
        body = b'{"nodes": [' + b" " * 3000 + b"]}"
        for content in (body, iter([body[:1500], body[1500:]])):
            reply = client.post("/v1/graphs/run", content=content, headers=kind)
            assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
        assert right(client.post("/v1/graphs/run", json=TUTORIAL))


def test_a_body_that_comes_too_slowly_is_given_up() -> None:
    with Server(workers=1, body_timeout_ms=300) as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as slow:
            slow.sendall(
                b"POST /v1/graphs/run HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b'Content-Length: 100\r\n\r\n{"nodes"'
            )
            received = b""
            while chunk := slow.recv(65536):
                received += chunk
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"request_timeout"' in received


def test_running_out_of_memory_is_a_limit_and_the_worker_is_retired() -> None:
    with Server(workers=1, worker_memory_bytes=1 << 30) as running, running.client() as client:
        problem = Service(client).refused({"nodes": [{"id": "big", "op": "ones", "args": [1 << 30]}]})
        assert (problem["status"], problem["code"]) == (422, "limit_exceeded")
        assert (problem["errors"][0]["pointer"], problem["errors"][0]["node"]) == ("/nodes/0", "big")
        assert right(client.post("/v1/graphs/run", json=TUTORIAL))
        until(lambda: running.workers()["retired"] == 1)
        assert running.workers()["lost"] == 0
