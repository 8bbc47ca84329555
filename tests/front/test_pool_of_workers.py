"""How the pool behaves when workers are killed, wanted by many, or gone with their nursery."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from jobs import ENDLESS, QUICK, RUN, Reader, busy_for, connect, head, request, right, until

from server import Server, alive, children

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def one() -> Iterator[Server]:
    """A server with one worker and its spare."""
    with Server(workers=1, queue_size=8, deadline_ms=5000) as running:
        yield running


@pytest.fixture
def client(one: Server) -> Iterator[httpx.Client]:
    """A client of the server with one worker."""
    with one.client() as made:
        yield made


def is_ready(server: Server) -> bool:
    return server.workers()["ready"] == 2


def test_the_front_holds_no_torch_and_the_workers_do(one: Server) -> None:
    assert "libtorch" not in Path(f"/proc/{one.process.pid}/maps").read_text()
    assert not any("/numpy" in line for line in Path(f"/proc/{one.process.pid}/maps").read_text().splitlines())
    (nursery,) = one.nursery_pids()
    assert "libtorch" in Path(f"/proc/{nursery}/maps").read_text()


def test_a_spare_is_kept_warm_beside_the_workers(one: Server) -> None:
    until(lambda: is_ready(one))
    assert len(one.worker_pids()) == 2


def test_jobs_stop_at_their_deadlines_and_the_next_request_finds_a_worker(one: Server, client: httpx.Client) -> None:
    late, waits = [], []
    killed = one.workers()["killed"]
    for _ in range(5):
        begun = time.monotonic()
        problem = client.post(RUN, json=busy_for(400)).json()
        late.append(time.monotonic() - begun - 0.4)
        assert (problem["status"], problem["code"]) == (504, "deadline_exceeded")
        assert problem["errors"][0]["node"] == "slow"
        assert problem["errors"][0]["pointer"] == "/nodes/1"
        begun = time.monotonic()
        assert right(client.post(RUN, json=QUICK))
        waits.append(time.monotonic() - begun)
    assert one.workers()["killed"] == killed + 5
    assert max(late) < 0.5
    # Loading PyTorch anew would take over a second.
    assert statistics.median(waits) < 0.5


def test_a_deadline_of_a_millisecond_ends_a_job_at_once(client: httpx.Client) -> None:
    begun = time.monotonic()
    assert client.post(RUN, json=busy_for(1)).json()["code"] == "deadline_exceeded"
    assert time.monotonic() - begun < 0.5


def test_time_in_the_queue_does_not_count_against_the_deadline(client: httpx.Client) -> None:
    quick = QUICK | {"deadline_ms": 200}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.post, RUN, json=busy_for(800))
        time.sleep(0.3)
        reply = client.post(RUN, json=quick)
        assert right(reply)
        assert reply.json()["timing_ms"]["queue"] > 300
        assert first.result().status_code == 504


def test_whoever_came_first_is_served_first(one: Server, client: httpx.Client) -> None:
    ended: list[int] = []

    # Long enough for the thread of one to have noted its reply before the next one's comes.
    large = [{"id": "m", "op": "ones", "args": [1500, 1500]}, {"op": "mm", "args": ["$m", "$m"]}]
    body = QUICK | {"nodes": [*QUICK["nodes"], *large]}

    def ask(number: int) -> None:
        assert right(client.post(RUN, json=body))
        ended.append(number)

    with ThreadPoolExecutor(8) as pool:
        pool.submit(client.post, RUN, json=busy_for(1500))
        until(lambda: one.workers()["busy"] == 1)
        for number in range(6):
            pool.submit(ask, number)
            time.sleep(0.1)
    assert ended == list(range(6))


def test_a_server_whose_workers_are_all_busy_says_that_it_is_not_ready(one: Server, client: httpx.Client) -> None:
    until(one.is_ready)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(client.post, RUN, json=busy_for(600))
        until(lambda: one.workers()["busy"] == 1)
        reply = httpx.get(one.url + "/readyz")
        assert (reply.status_code, reply.json()["code"]) == (503, "overloaded")
        assert httpx.get(one.url + "/healthz").status_code == 200
        job.result()
    until(one.is_ready)


def test_a_client_that_leaves_the_queue_costs_nobody_anything(one: Server, client: httpx.Client) -> None:
    killed = one.workers()["killed"]
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(client.post, RUN, json=busy_for(1500))
        until(lambda: one.workers()["busy"] == 1)
        waiting = [connect(one) for _ in range(8)]
        for connection in waiting:
            connection.sendall(request(QUICK))
        time.sleep(0.2)
        assert httpx.post(one.url + RUN, json=QUICK).status_code == 503
        for connection in waiting:
            connection.close()
        # Their places are free again within 100 ms: this one waits, and is answered.
        time.sleep(0.1)
        assert right(client.post(RUN, json=QUICK))
        assert job.result().status_code == 504
    assert one.workers()["killed"] == killed + 1


def test_a_client_that_leaves_while_its_body_is_read_costs_nobody_anything(one: Server, client: httpx.Client) -> None:
    killed = one.workers()["killed"]
    for _ in range(20):
        with connect(one) as connection:
            connection.sendall(head(1000) + b'{"nodes"')
    assert right(client.post(RUN, json=QUICK))
    assert one.workers()["killed"] == killed


def test_a_client_that_leaves_frees_its_worker_soon(one: Server) -> None:
    until(lambda: is_ready(one))
    for _ in range(3):
        with connect(one) as connection:
            connection.sendall(request(ENDLESS))
            until(lambda: one.workers()["busy"] == 1)
        left = time.monotonic()
        until(lambda: one.workers()["busy"] == 0)
        assert time.monotonic() - left < 0.5


def test_an_idle_worker_that_dies_is_replaced_before_anyone_notices(one: Server, client: httpx.Client) -> None:
    until(lambda: is_ready(one))
    lost = one.workers()["lost"]
    for _ in range(10):
        until(lambda: is_ready(one))
        for pid in one.worker_pids():
            os.kill(pid, signal.SIGKILL)
        # The front may not know yet that the worker it hands this to is dead.
        assert right(client.post(RUN, json=QUICK))
    until(lambda: one.workers()["lost"] == lost + 20)


def test_workers_outlive_their_nursery_and_go_when_there_are_others(one: Server, client: httpx.Client) -> None:
    until(lambda: is_ready(one))
    (nursery,) = one.nursery_pids()
    orphans = one.worker_pids()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(client.post, RUN, json=busy_for(700))
        until(lambda: one.workers()["busy"] == 1)
        os.kill(nursery, signal.SIGKILL)
        # What ran goes on to its own end, and no request sees that anything happened.
        assert job.result().json()["code"] == "deadline_exceeded"
    for _ in range(20):
        assert right(client.post(RUN, json=QUICK))
    until(lambda: len(one.worker_pids()) == 2, 60)
    until(lambda: not any(map(alive, orphans)))
    assert right(client.post(RUN, json=QUICK))


def test_no_descriptors_are_left_over_from_workers_that_are_gone(one: Server, client: httpx.Client) -> None:
    def descriptors(pid: int) -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    until(lambda: is_ready(one))
    (nursery,) = one.nursery_pids()
    assert right(client.post(RUN, json=QUICK))
    before = descriptors(one.process.pid), descriptors(nursery)
    for _ in range(6):
        client.post(RUN, json=busy_for(50))
    assert right(client.post(RUN, json=QUICK))
    until(lambda: is_ready(one))
    until(lambda: (descriptors(one.process.pid), descriptors(nursery)) <= before)


def test_jobs_that_outlast_the_grace_time_are_told_so() -> None:
    running = Server(workers=1, grace_ms=500)
    processes = [*running.nursery_pids(), *running.worker_pids()]
    with ThreadPoolExecutor(2) as pool, running.client() as client:
        jobs = [pool.submit(client.post, RUN, json=ENDLESS) for _ in range(2)]
        until(lambda: running.workers()["busy"] == 1)
        begun = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begun < 5
        for job in jobs:
            assert (job.result().status_code, job.result().json()["code"]) == (503, "overloaded")
            assert job.result().headers["retry-after"]
    until(lambda: not any(map(alive, processes)))


def test_a_stop_takes_no_new_jobs_and_no_new_connections() -> None:
    running = Server(workers=1)
    with connect(running) as kept, ThreadPoolExecutor(1) as pool, running.client() as client:
        reader = Reader(kept)
        kept.sendall(request(QUICK))
        assert reader.reply()[0] == 200
        job = pool.submit(client.post, RUN, json=busy_for(1200))
        until(lambda: running.workers()["busy"] == 1)
        kept.sendall(head(len(b'{"nodes": []}')) + b'{"nodes"')
        time.sleep(0.2)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(httpx.ConnectError):
            httpx.get(running.url + "/healthz")
        kept.sendall(b": []}")
        status, headers, problem = reader.reply()
        assert (status, problem["code"], headers["connection"]) == (503, "overloaded", "close")
        assert job.result().status_code == 504
    assert running.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_at_once_and_says_so_in_a_line(number: signal.Signals) -> None:
    running = Server(workers=1)
    processes = [*running.nursery_pids(), *running.worker_pids()]
    begun = time.monotonic()
    running.process.send_signal(number)
    assert running.process.wait(20) == 0
    assert time.monotonic() - begun < 3
    assert not any(map(alive, processes))
    said = [line.removeprefix("INFO gradwire.front: ") for line in running.output().splitlines()]
    running.stop()
    assert [line.split()[0] for line in said] == ["serving", "worker", "worker", "stopping;", "stopped"]
    assert [line.split(maxsplit=2)[2] for line in said if line.startswith("worker")] == ["is ready", "is ready"]


def test_a_worker_that_was_forked_but_is_stopped_is_not_waited_for(one: Server, client: httpx.Client) -> None:
    """A process that does nothing any more is killed at the deadline like any other."""
    until(lambda: is_ready(one))
    (nursery,) = one.nursery_pids()
    for pid in children(nursery):
        os.kill(pid, signal.SIGSTOP)
    problem = client.post(RUN, json=QUICK | {"deadline_ms": 100}, timeout=60).json()
    # A stopped worker reads no deadline: the server's own holds.
    assert problem["code"] == "deadline_exceeded"
    assert "node" not in problem["errors"][0]
    for pid in children(nursery):
        os.kill(pid, signal.SIGCONT)
    assert right(client.post(RUN, json=QUICK))
