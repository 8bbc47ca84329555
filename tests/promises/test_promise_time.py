"""Nothing runs past its deadline, inside a kernel that never returns to Python either, and the next one is served."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asked import ENDLESS, RUN, all_ready, answers, quick, until

from server import Server
from service import Service, node

pytestmark = pytest.mark.alone

# Each is inside its node `slow` for far longer than its deadline.
LONG: dict[str, list[dict[str, Any]]] = {
    "svd of 4000 by 4000": [node("ones", 4000, 4000, id="x"), node("linalg.svd", "$x", id="slow")],
    "a long loop inside one kernel": ENDLESS["nodes"],
    "one long matrix product": [
        node("ones", 1, 1, id="one"),
        node("expand", "$one", 5000, 5000, id="x"),
        node("expand", "$one", 2000, 5000, 5000, id="many"),
        node("einsum", "bij,jk->ik", "$many", "$x", id="slow"),
    ],
    "eigenvalues": [node("rand", 4000, 4000, id="x"), node("linalg.eig", "$x", id="slow")],
}
LATE_S = 0.5


def late(server: Server, body: dict[str, Any], deadline_ms: int) -> tuple[float, dict[str, Any]]:
    """How many seconds after its deadline the refusal came, and what it said first."""
    with server.client() as client:
        begun = time.monotonic()
        problem = Service(client).problem(client.post(RUN, json=body | {"deadline_ms": deadline_ms}))
        took = time.monotonic() - begun
    assert (problem["status"], problem["code"]) == (504, "deadline_exceeded")
    return took - deadline_ms / 1000, problem["errors"][0]


def test_a_kernel_is_stopped_at_the_deadline_and_its_node_named(promised: Server, full: bool) -> None:
    for name, nodes in LONG.items():
        for deadline_ms in (1000, 2000, 5000) if full else (1000,):
            until(lambda: all_ready(promised))
            over, error = late(promised, {"nodes": nodes, "returns": []}, deadline_ms)
            print(f"{name}: {1e3 * over:+.0f} ms after its deadline of {deadline_ms} ms")
            assert over < LATE_S, name
            assert (error["node"], error["pointer"]) == ("slow", f"/nodes/{len(nodes) - 1}"), name


def test_a_chain_is_stopped_at_the_link_where_it_is(promised: Server) -> None:
    nodes = [node("eye", 1500, id="p0")] + [node("mm", f"$p{n}", f"$p{n}", id=f"p{n + 1}") for n in range(2000)]
    over, error = late(promised, {"nodes": nodes, "returns": []}, 600)
    assert over < LATE_S
    place = int(error["node"].removeprefix("p"))
    assert 0 < place < 2000
    assert error["pointer"] == f"/nodes/{place}"


def test_the_next_request_finds_a_worker(promised: Server, full: bool) -> None:
    waits = []
    with promised.client() as client:
        for number in range(30 if full else 9):
            over, _ = late(promised, ENDLESS, 100)
            assert over < LATE_S
            begun = time.monotonic()
            assert answers(client.post(RUN, json=quick(number)), number)
            waits.append(time.monotonic() - begun)
    print(f"next request after a 504: median {1e3 * statistics.median(waits):.1f} ms, most {1e3 * max(waits):.1f} ms")
    # A machine that does much else meanwhile gets some room where the short form runs.
    assert statistics.median(waits) < (0.05 if full else 0.2)


def test_two_at_once_and_both_workers_are_stopped(promised: Server) -> None:
    """The spare takes the next request while two others are being started."""
    killed = promised.workers()["killed"]
    until(lambda: all_ready(promised))
    with ThreadPoolExecutor(2) as pool, promised.client() as client:
        stopped = list(pool.map(lambda _: late(promised, ENDLESS, 300), range(2)))
        begun = time.monotonic()
        assert answers(client.post(RUN, json=quick(5)), 5)
        assert time.monotonic() - begun < LATE_S
    assert all(over < LATE_S for over, _ in stopped)
    assert promised.workers()["killed"] == killed + 2
