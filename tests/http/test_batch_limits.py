"""What a batch may take: time, room and seconds of workers; and that it keeps nobody out."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import Server
from service import RUN

pytestmark = pytest.mark.alone

BATCH = "/v1/graphs/batch"
ONES = {"nodes": [{"id": "y", "op": "ones", "args": [2]}]}
SLOW = {
    "nodes": [{"id": "big", "op": "ones", "args": [2500, 2500]}, {"id": "s", "op": "linalg.svd", "args": ["$big"]}],
    "returns": ["s.S"],
}


@pytest.fixture(scope="module")
def narrow() -> Iterator[Server]:
    """One worker and no queue, short replies, few graphs, and rates."""
    with Server(
        workers=1,
        queue_size=0,
        max_output_bytes=20_000,
        max_batch=50,
        rate_compute_seconds="1000/hour",
        hidden={"CUDA_VISIBLE_DEVICES": ""},
    ) as running:
        yield running


@pytest.fixture
def narrow_client(narrow: Server) -> Iterator[httpx.Client]:
    with narrow.client() as made:
        yield made


def results_of(client: httpx.Client, *graphs: Any) -> list[dict[str, Any]]:
    reply = client.post(BATCH, json={"graphs": list(graphs)})
    assert reply.status_code == 200, reply.text
    return reply.json()["results"]


def test_a_graph_that_runs_too_long_takes_nothing_from_the_others(narrow_client: httpx.Client) -> None:
    results = results_of(narrow_client, ONES, SLOW | {"deadline_ms": 50}, ONES, ONES)
    assert [result["status"] for result in results] == [200, 504, 200, 200]
    problem = results[1]["body"]
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("deadline_exceeded", "/nodes/1")
    assert problem["errors"][0]["node"] == "s"


def test_the_replies_together_hold_to_the_limit_of_one(narrow_client: httpx.Client) -> None:
    thousand = {"nodes": [{"id": "y", "op": "ones", "args": [2000]}]}
    results = results_of(narrow_client, ONES, thousand, thousand, thousand, ONES, {"nodes": [{"op": "nope"}]})
    assert [result["status"] for result in results] == [200, 200, 200, 422, 422, 422]
    for result in results[3:]:
        assert result["body"]["code"] == "limit_exceeded"
    assert results[1]["body"]["outputs"]["y"]["data"] == [1.0] * 2000
    # One that is too long alone says so itself, and takes no room from those after it.
    alone = results_of(narrow_client, {"nodes": [{"id": "y", "op": "ones", "args": [9000]}]}, ONES)
    assert [result["status"] for result in alone] == [422, 200]
    assert alone[0]["body"]["errors"][0]["pointer"] == "/nodes/0"


def test_the_setting_says_how_many_graphs_a_batch_may_have(narrow_client: httpx.Client) -> None:
    assert len(results_of(narrow_client, *[ONES] * 50)) == 50
    refused = narrow_client.post(BATCH, json={"graphs": [ONES] * 51}).json()
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("limit_exceeded", "/graphs")
    assert narrow_client.get("/v1/server").json()["limits"]["max_batch"] == 50


def test_the_seconds_of_every_graph_are_counted(narrow_client: httpx.Client) -> None:
    def left() -> int:
        reply = narrow_client.post(RUN, json=ONES)
        return int(reply.headers["ratelimit"].split(";r=")[1].split(";")[0])

    before = left()
    results = results_of(narrow_client, *[SLOW | {"deadline_ms": 600}] * 4)
    assert [result["status"] for result in results] == [504] * 4
    # Four times 600 ms; what is left is told in whole seconds.
    assert before - left() >= 2


def test_a_graph_whose_worker_dies_is_a_result_of_its_own(narrow: Server) -> None:
    with narrow.client() as client, ThreadPoolExecutor(1) as pool:
        idle = {pid: _cpu_ticks(pid) for pid in narrow.worker_pids()}
        running = pool.submit(results_of, client, SLOW, ONES, ONES)
        # So much work is the first graph's.
        _until(lambda: any(_cpu_ticks(pid) > ticks + 30 for pid, ticks in idle.items()))
        for pid in idle:
            os.kill(pid, signal.SIGKILL)
        lost, *others = running.result()
    assert (lost["status"], lost["body"]["code"]) == (500, "worker_lost")
    assert lost["body"]["errors"][0]["node"] == "s"
    # There is no queue to wait in for another worker.
    assert {other["status"] for other in others} <= {200, 503}
    _until(narrow.is_ready)


def _cpu_ticks(pid: int) -> int:
    """Hundredths of a second that a process has computed; it may be over."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])
    except OSError:
        return 0


def test_a_client_that_leaves_frees_all_that_ran_for_it(narrow: Server) -> None:
    killed = narrow.workers()["killed"]
    text = json.dumps({"graphs": [SLOW] * 50}).encode()
    host, port = narrow.url.removeprefix("http://").split(":")
    head = f"POST {BATCH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    with socket.create_connection((host, int(port))) as leaving:
        leaving.sendall(head.encode() + text)
        _until(lambda: narrow.workers()["busy"] == 1)
    # The only worker is free for others, who could not have it while 50 graphs of a minute wait.
    with narrow.client() as client:
        _until(lambda: client.post(RUN, json=ONES).status_code == 200)
    assert narrow.workers()["killed"] == killed + 1


def _until(condition: Callable[[], bool]) -> None:
    """Wait for what must come about."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_other_clients_have_their_turn_while_a_batch_runs(server: Server) -> None:
    """The batch has a thousand graphs; the others' requests are answered while it is under way."""
    graph = {"nodes": [{"id": "y", "op": "rand", "args": [200, 200]}, {"id": "s", "op": "sum", "args": ["$y"]}]}
    with server.client() as client, server.client() as other, ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.post, BATCH, json={"graphs": [graph] * 1000})
        answered = 0
        while not running.done():
            assert other.post(RUN, json=ONES).status_code == 200
            answered += not running.done()
        assert {result["status"] for result in running.result().json()["results"]} == {200}
        assert answered >= 5
