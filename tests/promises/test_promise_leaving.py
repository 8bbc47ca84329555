"""Clients that leave, workers that are not there, and what /readyz says of it.

Stopping by signals is tried in tests/front and tests/http, through `make serve` in tests/delivery.
"""

from __future__ import annotations

import os
import signal
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from asked import ENDLESS, RUN, all_ready, answers, quick, send, until

from server import Server, alive

pytestmark = pytest.mark.alone

GRACE_MS = 20_000


def test_a_client_that_leaves_frees_its_worker(promised: Server, full: bool) -> None:
    freed = []
    with promised.client() as client:
        for _ in range(20 if full else 5):
            until(lambda: all_ready(promised))
            connection = send(promised, ENDLESS)
            until(lambda: promised.workers()["busy"] == 1)
            killed = promised.workers()["killed"]
            connection.close()
            left = time.monotonic()
            while client.get("/v1/server").json()["workers"]["busy"]:
                assert time.monotonic() < left + 5
            freed.append(time.monotonic() - left)
            assert promised.workers()["killed"] == killed + 1
    print(
        f"a worker is free {1e3 * statistics.median(freed):.1f} ms after its client left; most {1e3 * max(freed):.1f}"
    )
    assert statistics.median(freed) < 0.1


def test_readyz_says_whether_the_next_request_is_served_at_once(promised: Server) -> None:
    until(lambda: all_ready(promised))
    with promised.client() as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        connections = [send(promised, ENDLESS) for _ in range(2)]
        until(lambda: promised.workers()["busy"] == 2)
        # The spare is for the place of a worker that is lost, not for a third job.
        assert (client.get("/readyz").status_code, client.get("/healthz").status_code) == (503, 200)
        connections[0].close()
        until(lambda: client.get("/readyz").status_code == 200)
        assert answers(client.post(RUN, json=quick(2)), 2)
        connections[1].close()
        until(lambda: all_ready(promised))


def test_readyz_through_the_loss_of_all_processes_and_through_the_end(full: bool) -> None:
    """No worker and no nursery: not ready, alive, and requests wait until there are some. Then a stop, hurried."""
    if not full:
        pytest.skip("loads PyTorch twice; make promises runs it")
    with Server(workers=1, grace_ms=GRACE_MS) as running, running.client() as client, ThreadPoolExecutor(2) as pool:
        assert client.get("/readyz").status_code == 200
        for pid in [*running.nursery_pids(), *running.worker_pids()]:
            os.kill(pid, signal.SIGKILL)
        until(lambda: client.get("/readyz").status_code == 503, 2)
        waiting = pool.submit(client.post, RUN, json=quick(7), timeout=60)
        until(running.is_ready, 60)
        assert client.get("/healthz").json() == {"status": "alive"}
        assert answers(waiting.result() if waiting.result().status_code == 200 else client.post(RUN, json=quick(7)), 7)
        processes = [*running.nursery_pids(), *running.worker_pids()]
        job = pool.submit(client.post, RUN, json=ENDLESS)
        until(lambda: running.workers()["busy"] == 1)
        begun = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert running.process.poll() is None, "what runs has its grace time"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        assert time.monotonic() - begun < 5
        assert isinstance(job.exception(), httpx.TransportError) or job.result().status_code == 503
        until(lambda: not any(map(alive, processes)), 5)
