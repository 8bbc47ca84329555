"""Nothing of one client is seen by another: memory that was not written, and the state of a process.

What else a request may try to leave behind is in tests/http/test_isolation_over_http.py.
"""

from __future__ import annotations

import base64
import os
import struct
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from asked import RUN
from uninitialised import REFUSED, WAYS

from server import APP, Server
from service import node, read

# As int32; as float32 it is about 7.3e18. The same wherever in memory it lands, as memory is aligned.
SECRET = 0x5EC2E75E
SIZES = [2**14, 2**18, 2**21]


@pytest.fixture(scope="module")
def client(promised: Server) -> Iterator[httpx.Client]:
    with promised.client() as made:
        yield made


def leave_secrets(client: httpx.Client, count: int) -> None:
    """What others send and compute: bodies, inputs, results and arrays full of the secret, then freed."""
    data = base64.b64encode(struct.pack("<i", SECRET) * (count // 8)).decode()
    sent = {"dtype": "int32", "shape": [count // 8], "encoding": "base64", "data": data}
    nodes = [
        node("full", [count], SECRET, dtype="int32", id="a"),
        node("add", "$a", 0, id="b"),
        node("clone", "$sent", id="c"),
        node("numpy.full", count, SECRET, dtype="int32", id="d"),
        node("numpy.add", "$d", 0, id="e"),
    ]
    body = {"inputs": {"sent": sent}, "nodes": nodes, "returns": {"c": {"ref": "c", "encoding": "base64"}}}
    reply = client.post(RUN, json=body)
    assert reply.status_code == 200, reply.text[:500]


def looked_at(way: str, count: int) -> dict[str, object]:
    """A graph that counts the secret's words, and all words that are not 0, in what `way` gives."""
    seen = [
        node("contiguous", "$y", id="whole"),
        node("reshape", "$whole", -1, id="flat"),
        node("view", "$flat", dtype="int32", id="words"),
        node("eq", "$words", SECRET, id="same"),
        node("sum", "$same", id="found"),
        node("numel", "$words", id="count"),
    ]
    return {"nodes": [*WAYS[way](count), *seen], "returns": ["found", "count"]}


def test_no_unwritten_memory_shows_what_others_sent(client: httpx.Client, full: bool) -> None:
    scanned, refused, seen = 0, set(), {}
    for _ in range(12 if full else 1):
        for count in SIZES:
            for way in WAYS:
                leave_secrets(client, count)
                for _ in range(2):
                    reply = client.post(RUN, json=looked_at(way, count))
                    if reply.status_code != 200:
                        assert reply.status_code == 422, f"{way}: {reply.text[:500]}"
                        refused.add(way)
                        continue
                    outputs = read(reply)["outputs"]
                    scanned += 4 * outputs["count"]["value"]
                    if outputs["found"]["data"]:
                        seen[way, count] = outputs["found"]["data"]
    print(f"{scanned / 2**20:.0f} MiB of results scanned, {len(WAYS) - len(refused)} ways, {len(refused)} refused")
    assert seen == {}
    assert refused == REFUSED
    assert scanned > (3 * 2**30 if full else 200 * 2**20)


@pytest.mark.parametrize("way", sorted(set(WAYS) - REFUSED))
def test_the_bytes_of_a_reply_are_free_of_it(client: httpx.Client, way: str) -> None:
    """The same from outside: the bytes as they come."""
    leave_secrets(client, 2**16)
    reply = client.post(RUN, json={"nodes": WAYS[way](2**16), "returns": ["y"], "encoding": "base64"})
    data = base64.b64decode(read(reply)["outputs"]["y"]["data"])
    assert len(data) >= 4 * 2**16 - 4096
    assert struct.pack("<i", SECRET) not in data
    assert len(set(struct.unpack(f"<{len(data) // 4}I", data))) <= 2, "a filler, and what the graph itself wrote"


ENTERED = {
    "a default device": "torch.set_default_device('meta')",
    "a dual level": "torch.autograd.forward_ad.enter_dual_level()",
    "inference mode": "(mode := torch.inference_mode(), mode.__enter__())",
    "hooks of saved tensors": "torch.autograd.graph.saved_tensors_hooks(str, str).__enter__()",
    "a dispatch mode": "torch.utils._python_dispatch.TorchDispatchMode().__enter__()",
    "a transform": "torch._C._functorch._vmap_increment_nesting(3, 'error')",
}
# Each is entered in a fork of its own, which says by its exit code what it has found.
PROGRAM = """
import os, sys, torch, torch.utils._python_dispatch
from gradwire.worker.state import FreshState
fresh = FreshState()
for entered in sys.argv[1:]:
    if (pid := os.fork()) == 0:
        before = fresh.left_open()
        kept = eval(entered)
        os._exit(10 * before + fresh.left_open())
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_worker_in_which_something_is_left_open_takes_no_other_job() -> None:
    environment = {**os.environ, "PYTHONPATH": str(APP), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, *ENTERED.values()]
    ended = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert dict(zip(ENTERED, ended.stdout.split(), strict=True)) == dict.fromkeys(ENTERED, "1"), ended.stderr
