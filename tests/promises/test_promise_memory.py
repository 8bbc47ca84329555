"""A request that asks for more memory than a worker has is refused, its node named, and nobody else notices."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import httpx
import pytest
from asked import RUN, all_ready, answers, quick, until
from bombs import SLOW_TO_FILL, TOO_LARGE

from gradwire.front.settings import Settings
from server import Server
from service import Service


def swapped() -> int:
    """Pages that the machine has swapped out since it started, and processes that its kernel has killed."""
    lines = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    return int(lines.get("pswpout", 0)) + int(lines.get("oom_kill", 0))


def test_no_bomb_harms_a_worker(promised: Server, full: bool) -> None:
    kinds = [name for name in TOO_LARGE if full or name not in SLOW_TO_FILL]
    assert len(kinds) >= 50
    until(lambda: all_ready(promised))
    before, outside = promised.workers(), swapped()
    wrong, waits = {}, []
    with promised.client() as client:
        for place, name in enumerate(kinds):
            reply = client.post(RUN, json=TOO_LARGE[name])
            if (found := mistaken(reply, name)) is not None:
                wrong[name] = found
            begun = time.monotonic()
            assert answers(client.post(RUN, json=quick(place)), place), name
            waits.append(time.monotonic() - begun)
    after = promised.workers()
    print(f"{len(kinds)} bombs; next request: median {1e3 * statistics.median(waits):.1f} ms; {after}")
    assert wrong == {}
    assert (after["lost"], after["killed"]) == (before["lost"], before["killed"])
    # A machine that does much else meanwhile gets some room where the short form runs.
    assert statistics.median(waits) < (0.05 if full else 0.25)
    assert swapped() == outside


def mistaken(reply: httpx.Response, name: str) -> str | None:
    """What is wrong with the answer to a bomb."""
    problem = reply.json()
    if (reply.status_code, problem.get("code")) != (422, "limit_exceeded"):
        return f"{reply.status_code} {reply.text[:300]}"
    bodies = [TOO_LARGE[name], *TOO_LARGE[name].get("functions", {}).values()]
    nodes = {node.get("id") for body in bodies for node in body["nodes"]}
    error = problem["errors"][0]
    named = error.get("node") in nodes and error["pointer"].startswith(("/nodes/", "/functions/f/nodes/"))
    return None if named else f"no node is named: {reply.text[:300]}"


@pytest.mark.parametrize("name", ["ones", "expand and contiguous", "outer", "returning an expanded one"])
def test_the_refusal_tells_what_to_do(promised: Server, name: str) -> None:
    with promised.client() as client:
        error = Service(client).refused(TOO_LARGE[name])["errors"][0]
    assert (error["node"], error["code"]) == ("bomb", "limit_exceeded")
    assert len(error["message"]) > 15
    assert error.get("hint") or error.get("expected")


def test_a_worker_that_ran_out_of_memory_is_replaced_before_it_could_fail_another(promised: Server) -> None:
    """Some libraries fail for ever after one failed allocation; convolutions are the first to show it."""
    convolution = {
        "nodes": [
            {"id": "x", "op": "ones", "args": [1, 3, 32, 32]},
            {"id": "w", "op": "ones", "args": [4, 3, 3, 3]},
            {"id": "y", "op": "nn.functional.conv2d", "args": ["$x", "$w"]},
            {"id": "s", "op": "sum", "args": ["$y"]},
        ],
        "returns": ["s"],
    }
    retired = promised.workers()["retired"]
    with promised.client() as client:
        for _ in range(5):
            assert client.post(RUN, json=TOO_LARGE["a convolution's channels"]).status_code == 422
            for _ in range(3):
                reply = client.post(RUN, json=convolution)
                assert reply.json()["outputs"]["s"]["data"] == 4.0 * 30 * 30 * 27, reply.text
    assert promised.workers()["retired"] == retired + 5


@pytest.mark.parametrize("workers", [1, 2, 4, 64, 512])
def test_by_default_all_workers_together_leave_a_quarter_of_the_machine_to_others(workers: int) -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    each = Settings(workers=workers).worker_memory_bytes
    # Below 1 GiB PyTorch has no room to compute in; above 4 GiB is for whoever asks for it.
    assert 2**30 <= each <= 4 * 2**30
    assert each * workers <= 0.75 * machine or each == 2**30
