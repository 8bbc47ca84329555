"""A worker that dies costs its own request, and no other."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from asked import ENDLESS, RUN, all_ready, answers, quick, send, until

from server import Server
from service import Service

pytestmark = pytest.mark.alone

CLIENTS = 16
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)


def working(number: int) -> dict[str, object]:
    """quick(number) behind some milliseconds of work, so that most workers are hit at work."""
    body = quick(number)
    work = [{"id": "w", "op": "ones", "args": [150, 150]}, {"id": "v", "op": "linalg.matrix_exp", "args": ["$w"]}]
    return {**body, "nodes": [*work, *body["nodes"]]}


class Client:
    """Asks again and again until told to stop, and counts what comes back."""

    def __init__(self, server: Server, number: int) -> None:
        self.server = server
        self.number = number
        self.came: Counter[str] = Counter()
        self.wrong: list[str] = []

    def ask(self, stop: threading.Event) -> Client:
        with self.server.client() as client:
            while not stop.is_set():
                reply = client.post(RUN, json=working(self.number))
                self.count(reply)
        return self

    def count(self, reply: httpx.Response) -> None:
        if answers(reply, self.number):
            self.came["right"] += 1
        elif reply.status_code == 500 and reply.json()["code"] == "worker_lost":
            self.came["lost"] += 1
        else:
            self.wrong.append(f"{reply.status_code} {reply.text[:200]}")


def kill_one_after_the_other(server: Server, seconds: float, every: float) -> int:
    """How many workers were sent a signal that ends them."""
    generator, killed = random.Random(0), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(ProcessLookupError, IndexError):
            os.kill(generator.choice(server.worker_pids()), SIGNALS[killed % len(SIGNALS)])
            killed += 1
        time.sleep(every)
    return killed


def test_every_other_request_is_answered_right(promised: Server, full: bool) -> None:
    until(lambda: all_ready(promised))
    before = promised.workers()["lost"]
    stop = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(Client(promised, number).ask, stop) for number in range(CLIENTS)]
        killed = kill_one_after_the_other(promised, 30 if full else 4, 0.2)
        stop.set()
        ended = [client.result(60) for client in clients]
    came = sum((client.came for client in ended), Counter[str]())
    print(f"{killed} workers killed; {came['right']} right, {came['lost']} worker_lost")
    assert [wrong for client in ended for wrong in client.wrong] == []
    assert killed > (100 if full else 12)
    assert 0 < came["lost"] <= killed
    assert came["right"] > 2 * came["lost"]
    until(lambda: all_ready(promised))
    assert promised.workers()["lost"] - before <= killed


def test_a_crash_in_an_op_is_told_with_the_node(promised: Server) -> None:
    until(lambda: all_ready(promised))
    for number in SIGNALS:
        before = {pid: ticks(pid) for pid in promised.worker_pids()}
        with promised.client() as client, ThreadPoolExecutor(1) as pool:
            reply = pool.submit(client.post, RUN, json=ENDLESS)
            os.kill(until(lambda before=before: busiest(before)), number)
            problem = Service(client).problem(reply.result())
        assert (problem["status"], problem["code"]) == (500, "worker_lost")
        assert (problem["errors"][0]["node"], problem["errors"][0]["pointer"]) == ("slow", "/nodes/2")
        until(lambda: all_ready(promised))


def busiest(before: dict[int, int]) -> int | None:
    """The process that has worked a tenth of a second since `before`, its times then."""
    return next((pid for pid in before if ticks(pid) > before[pid] + 10), None)


def ticks(pid: int) -> int:
    """The processor time of a process, in the kernel's ticks; 0 where it has gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0


def test_workers_that_die_with_clients_that_leave_cost_nobody_anything(promised: Server) -> None:
    """Everything at once: jobs under way, their clients gone, their workers killed."""
    until(lambda: all_ready(promised))
    for _ in range(3):
        connections = [send(promised, ENDLESS) for _ in range(2)]
        until(lambda: promised.workers()["busy"] == 2)
        for pid in promised.worker_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for connection in connections:
            connection.close()
        with promised.client() as client:
            assert answers(client.post(RUN, json=quick(3)), 3)
    until(lambda: all_ready(promised))
