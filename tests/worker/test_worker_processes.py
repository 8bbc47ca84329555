"""What a worker process is: one of several forks that share only their ancestor, and hold nothing of the front."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server import Server, alive
from service import Service, node

pytestmark = pytest.mark.alone

MEMORY = 3 * 2**30
KEY = "gw_secret"


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a process that is not dumpable")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server with a secret among its settings, and a listening socket like any other."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    os.environ["GRADWIRE_API_KEYS"] = digest
    try:
        running = Server(workers=2, worker_memory_bytes=MEMORY, api_keys=digest)
    finally:
        del os.environ["GRADWIRE_API_KEYS"]
    with running:
        asking = {"authorization": f"Bearer {KEY}"}
        end = time.monotonic() + 30
        # Both workers and the spare: a worker puts its limits up before it is ready.
        while httpx.get(f"{running.url}/v1/server", headers=asking).json()["workers"]["ready"] < 3:
            assert time.monotonic() < end
            time.sleep(0.02)
        yield running


def descriptors(pid: int) -> dict[int, str]:
    """What each descriptor of a process leads to."""
    return {int(link.name): str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}


def limit(pid: int, name: str) -> list[str]:
    """The soft and the hard limit of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith(name)).removeprefix(name).split()[:2]


@only_root
def test_no_setting_of_the_server_is_in_the_environment_of_a_worker(guarded: Server) -> None:
    assert b"GRADWIRE_API_KEYS" in Path(f"/proc/{guarded.process.pid}/environ").read_bytes()
    for pid in [*guarded.nursery_pids(), *guarded.worker_pids()]:
        assert b"GRADWIRE_" not in Path(f"/proc/{pid}/environ").read_bytes()


@only_root
def test_a_worker_holds_its_own_socket_page_and_file_for_replies_and_no_other(guarded: Server) -> None:
    sockets = []
    files = []
    for pid in guarded.worker_pids():
        held = {number: target.split()[0] for number, target in descriptors(pid).items() if number > 2}
        *memory, own = sorted(held.values())
        assert own.startswith("socket:")
        # The file comes with the first job.
        assert memory in (["/memfd:gradwire-page"], ["/memfd:gradwire-outbox", "/memfd:gradwire-page"])
        sockets.append(own)
        files += [Path(f"/proc/{pid}/fd/{number}").stat().st_ino for number, target in held.items() if target != own]
    assert len(set(files)) == len(files)
    assert len(set(sockets)) == len(sockets) == 3
    assert not set(sockets) & set(descriptors(guarded.process.pid).values())
    (nursery,) = guarded.nursery_pids()
    assert not set(sockets) & set(descriptors(nursery).values())


def test_the_nursery_has_one_thread(guarded: Server) -> None:
    (nursery,) = guarded.nursery_pids()
    assert len(list(Path(f"/proc/{nursery}/task").iterdir())) == 1


def test_the_limits_are_those_of_the_settings(guarded: Server) -> None:
    for pid in guarded.worker_pids():
        assert limit(pid, "Max core file size") == ["0", "0"]
        assert [str(MEMORY), str(MEMORY)] in (limit(pid, "Max address space"), limit(pid, "Max data size"))


def test_signals_that_a_terminal_sends_end_no_worker(guarded: Server) -> None:
    pids = guarded.worker_pids()
    for pid in pids:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(pid, number)
    for pid in guarded.nursery_pids():
        os.kill(pid, signal.SIGINT)
    time.sleep(0.3)
    assert all(map(alive, pids))
    assert guarded.worker_pids() == pids


def test_workers_draw_seeds_of_their_own(guarded: Server) -> None:
    with guarded.client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        service = Service(client)
        drawn = {service.graph({"nodes": [node("rand", 3, id="x")]})["seed"] for _ in range(50)}
    assert len(drawn) == 50


def test_a_worker_answers_thousands_of_jobs_in_the_same_memory(guarded: Server) -> None:
    """Half a megabyte comes and goes with each."""
    with guarded.client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        service = Service(client)
        nodes = [node("randn", 256, 256, id="x", requires_grad=True), node("mm", "$x", "$x", id="y")]
        graph = {"nodes": [*nodes, node("sum", "$y", id="z"), node("backward", "$z")], "returns": ["z"]}

        def resident() -> int:
            return sum(
                int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                for pid in guarded.worker_pids()
            )

        for _ in range(300):
            service.graph(graph)
        before = resident()
        for _ in range(1500):
            service.graph(graph)
        assert resident() - before < 16 * 2**20
