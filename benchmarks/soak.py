"""A soak: mixed traffic at full load, while memory, descriptors and latency of the service are watched.

python benchmarks/soak.py [--seconds 600] [--clients 16] [--workers 2] [--every 30]

Clients ask again and again for what a day brings: small graphs, large tensors both ways, gradients, single ops, lists
of ops, mistakes, bodies that are no JSON, too-large requests, deadlines that pass, clients that leave. Every
reply is checked. The first minute warms up; what has grown after it is told in percent, and more than 5% is a failure.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services import Service

RUN = "/v1/graphs/run"
WARM_S = 60.0
MOST_GROWTH = 5.0
# What descriptors may differ by: connections and workers come and go while they are counted.
DESCRIPTORS_ROOM = 8

Body = dict[str, Any]


def small(number: int) -> Body:
    nodes = [
        {"id": "y", "op": "add", "args": ["$x", 2]},
        {"id": "z", "op": "mul", "args": ["$y", "$y"]},
        {"id": "out", "op": "sum", "args": ["$z"]},
        {"op": "backward", "args": ["$out"]},
    ]
    inputs = {"x": {"data": [[number, 1.0]], "dtype": "float32", "requires_grad": True}}
    return {"inputs": inputs, "nodes": nodes, "returns": ["x.grad"]}


def large(number: int) -> Body:
    data = [float(number + place % 7) for place in range(50_000)]
    return {"inputs": {"x": {"data": data}}, "nodes": [{"id": "y", "op": "relu", "args": ["$x"]}]}


def layers(number: int) -> Body:
    nodes: list[Body] = [{"id": "h0", "op": "randn", "args": [64, 128]}]
    for layer in range(20):
        nodes += [
            {"id": f"w{layer}", "op": "randn", "args": [128, 128], "kwargs": {"requires_grad": True}},
            {"id": f"m{layer}", "op": "mm", "args": [f"$h{layer}", f"$w{layer}"]},
            {"id": f"h{layer + 1}", "op": "tanh", "args": [f"$m{layer}"]},
        ]
    nodes += [{"id": "s", "op": "sum", "args": ["$h20"]}, {"op": "backward", "args": ["$s"]}]
    return {"nodes": nodes, "returns": ["s"], "seed": number}


def too_large(number: int) -> Body:
    return {"nodes": [{"id": "x", "op": "ones", "args": [10**10 + number]}]}


def too_long(number: int) -> Body:
    nodes = [
        {"id": "one", "op": "ones", "args": [1]},
        {"id": "wide", "op": "expand", "args": ["$one", 10**13]},
        {"id": "slow", "op": "sum", "args": ["$wide"]},
    ]
    return {"nodes": nodes, "deadline_ms": 50 + number % 10}


@dataclass(frozen=True)
class Kind:
    """One kind of request: how often it comes, what is sent, and which status is right."""

    name: str
    weight: float
    status: int
    body: Callable[[int], Body | bytes] | None
    path: str = RUN


KINDS = [
    Kind("small", 60, 200, small),
    Kind("op", 12, 200, lambda number: {"args": [{"tensor": {"data": [1.0, float(number)]}}, 0]}, "/v1/ops/cumsum"),
    Kind("large", 4, 200, large),
    Kind("layers", 6, 200, layers),
    Kind("catalogue", 2, 200, None, "/v1/ops?q=matrix&limit=20"),
    Kind("described", 2, 200, None, "/v1/ops/nn.functional.conv2d"),
    Kind("server", 2, 200, None, "/v1/server"),
    Kind("mistake", 6, 422, lambda number: {"nodes": [{"id": "y", "op": "ad", "args": ["$x", number]}]}),
    Kind("no JSON", 3, 400, lambda number: b'{"nodes": [' + str(number).encode()),
    Kind("not found", 1, 404, None, "/v1/nothing"),
    # Each costs its worker, and a worker must live for a while if what it keeps is to show.
    Kind("too large", 0.02, 422, too_large),
    Kind("too long", 0.02, 504, too_long),
]


@dataclass
class Seen:
    """What all clients saw: times by kind and part of the run, replies that were wrong."""

    begun: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    times: list[tuple[float, str, float]] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)

    def note(self, kind: Kind, status: int, reply: bytes, took: float) -> None:
        good = status == kind.status and json.loads(reply) is not None
        with self.lock:
            self.times.append((time.monotonic() - self.begun, kind.name, took))
            if not good:
                self.wrong[f"{kind.name}: {status} {reply[:120].decode(errors='replace')}"] += 1


def ask(port: int, seen: Seen, seed: int, stop: threading.Event) -> None:
    """One client: a connection that is kept, and now and then given up in the middle of a request."""
    choice = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.is_set():
        (kind,) = choice.choices(KINDS, [kind.weight for kind in KINDS])
        content = kind.body(choice.randrange(1000)) if kind.body else None
        body = json.dumps(content).encode() if isinstance(content, dict) else content
        begun = time.monotonic()
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request("POST" if body else "GET", kind.path, body, headers)
        if choice.random() < 0.0002:
            connection.close()
            continue
        reply = connection.getresponse()
        seen.note(kind, reply.status, reply.read(), time.monotonic() - begun)
    connection.close()


@dataclass
class Reading:
    """The service's processes at one moment: memory in MiB (PSS where it may be read, else RSS), and descriptors."""

    at: float
    front: float
    nursery: float
    workers: list[float]
    descriptors: int
    nursery_descriptors: int


def read(pid: int, at: float) -> Reading:
    (nursery, *_) = children(pid) or [0]
    workers = [used for worker in children(nursery) if (used := memory(worker))]
    return Reading(at, memory(pid), memory(nursery), workers, descriptors(pid), descriptors(nursery))


def children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def memory(pid: int) -> float:
    for file, unit in (("smaps_rollup", r"^Pss:\s+(\d+)"), ("status", r"^VmRSS:\s+(\d+)")):
        try:
            found = re.search(unit, Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)
        except OSError:
            continue
        if found:
            return int(found[1]) / 1024
    return 0.0


def descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def watch(pid: int, begun: float, seconds: float, every: float) -> list[Reading]:
    readings = []
    while (left := begun + seconds - time.monotonic()) > 0:
        time.sleep(min(every, left))
        readings.append(read(pid, time.monotonic() - begun))
    return readings


def table(readings: list[Reading], seen: Seen, every: float) -> str:
    lines = [
        "| at s | front MiB | nursery MiB | workers MiB | descriptors | requests/s | p50 ms | p99 ms | small: p50 ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for reading in readings:
        within = [entry for entry in seen.times if reading.at - every <= entry[0] < reading.at]
        times = sorted(entry[2] for entry in within) or [0.0]
        smalls = [entry[2] for entry in within if entry[1] == "small"] or [0.0]
        figures = [
            f"{reading.at:.0f}",
            f"{reading.front:.1f}",
            f"{reading.nursery:.1f}",
            " ".join(f"{worker:.0f}" for worker in reading.workers),
            f"{reading.descriptors}+{reading.nursery_descriptors}",
            f"{len(within) / every:.0f}",
            f"{1e3 * times[len(times) // 2]:.1f}",
            f"{1e3 * times[int(len(times) * 0.99)]:.0f}",
            f"{1e3 * statistics.median(smalls):.1f}",
        ]
        lines.append(f"| {' | '.join(figures)} |")
    return "\n".join(lines)


def growth(readings: list[Reading], of: Callable[[Reading], float]) -> float:
    """By how many percent the last third of what came after the first minute is above its first third."""
    steady = [of(reading) for reading in readings if reading.at >= WARM_S] or [of(readings[-1])]
    third = max(1, len(steady) // 3)
    before, after = statistics.median(steady[:third]), statistics.median(steady[-third:])
    return 100 * (after / before - 1) if before else 0.0


def verdict(readings: list[Reading], seen: Seen) -> list[str]:
    """The lines that say how it went; those that begin with a cross are failures."""
    parts: list[tuple[str, Callable[[Reading], float]]] = [
        ("front", lambda reading: reading.front),
        ("nursery", lambda reading: reading.nursery),
        ("largest worker", lambda reading: max(reading.workers, default=0.0)),
    ]
    lines = []
    for name, of in parts:
        grown = growth(readings, of)
        lines.append(f"{'✗' if grown > MOST_GROWTH else '✓'} memory of {name}: {grown:+.1f}% after the first minute")
    steady = [reading for reading in readings if reading.at >= WARM_S] or readings[-1:]
    more = steady[-1].descriptors - steady[0].descriptors
    lines.append(f"{'✗' if more > DESCRIPTORS_ROOM else '✓'} descriptors of the front: {more:+d}")
    lines.append(f"{'✗' if seen.wrong else '✓'} {len(seen.times)} replies, {seen.wrong.total()} of them wrong")
    return lines + [f"  {count} times {text}" for text, count in seen.wrong.most_common(10)]


def main() -> int:
    parser = argparse.ArgumentParser(description="Mixed traffic at full load, for as long as you like.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=30)
    chosen = parser.parse_args()
    settings = {
        "GRADWIRE_HOST": "127.0.0.1",
        "GRADWIRE_PORT": "{port}",
        "GRADWIRE_WORKERS": str(chosen.workers),
        "GRADWIRE_LOG_LEVEL": "critical",
    }
    with Service("gradwire", ["gradwire", "serve"], settings, ready="/readyz") as service:
        assert service.process is not None
        seen, stop = Seen(time.monotonic()), threading.Event()
        arguments = [(service.port, seen, seed, stop) for seed in range(chosen.clients)]
        clients = [threading.Thread(target=ask, args=given, daemon=True) for given in arguments]
        for client in clients:
            client.start()
        readings = watch(service.process.pid, seen.begun, chosen.seconds, chosen.every)
        stop.set()
        for client in clients:
            client.join(60)
        workers = json.loads(service.ask("GET", "/v1/server")[1])["workers"]
    said = verdict(readings, seen)
    print(table(readings, seen, chosen.every), "", *said, f"  workers: {workers}", sep="\n")
    return 1 if any(line.startswith("✗") for line in said) else 0


if __name__ == "__main__":
    sys.exit(main())
