"""make fuzz: a hundred thousand requests and more, in bounded time, with figures.

python tests/fuzz/fuzz_long.py [--requests N] [--seconds S] [--seed N] [--processes N] [--report FILE]

Exits with 1 where a reply broke a promise or memory grew; requests that cost a worker go to the report, and count as
failures too: each is to be refused before it runs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "http")]

from fuzz_calls import Entry, callable_names, entries
from fuzz_drive import drive_calls, drive_schema
from fuzz_verdicts import Tally

from server import Server, children

# A task is as many requests as take some seconds, so that all processes end at about the same time.
_TASK = 1000
_MOST_GROWTH_KIB = 32 * 1024


def memory_kib(pid: int) -> int:
    """What a process has to itself."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_", "Shared_Dirty")))


def _task(url: str, known: list[Entry], start: int, until: float) -> Tally:
    """A few requests from openapi.json, which take long to draw, and many calls of some of the ops."""
    tally = drive_schema(url, 0, start, until)
    some = random.Random(start).sample(known, min(len(known), 200))
    tally.add(drive_calls(url, some, _TASK - tally.requests, start, until))
    return tally


def fuzz(server: Server, options: argparse.Namespace) -> tuple[Tally, int]:
    """The tally, and by how much the front grew after the first fifth."""
    with server.client() as client:
        known = entries(client, callable_names(client))
    until = time.monotonic() + options.seconds
    tally = Tally()
    early = 0
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        seeds = range(options.seed, options.seed - (-options.requests // _TASK))
        tasks = [pool.submit(_task, server.url, known, start, until) for start in seeds]
        for task in concurrent.futures.as_completed(tasks):
            tally.add(task.result())
            if not early and tally.requests > options.requests // 5:
                early = memory_kib(server.process.pid)
            if sys.stderr.isatty():
                print(f"\r{tally.requests} requests", end="", file=sys.stderr)
    return tally, memory_kib(server.process.pid) - early if early else 0


def report(tally: Tally, seconds: float, growth: int, workers: dict[str, int], where: Path | None) -> None:
    print(f"{tally.requests} requests in {seconds:.0f} s ({tally.requests / seconds:.0f}/s)")
    for status, count in tally.statuses.most_common():
        print(f"  {count:8} {status}")
    print(f"workers {workers}; the front grew by {growth} KiB after the first fifth")
    print(f"{len(tally.broken)} replies that break a promise, {len(tally.lost)} lost workers")
    lines = [f"BROKEN {wrong}\n  {path} {body}" for wrong, path, body in tally.broken]
    lines += [f"LOST {path} {body}" for path, body in tally.lost]
    if where is not None:
        where.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print("\n".join(line[:600] for line in lines[:20]))


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz a server of its own.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=max(2, (os.cpu_count() or 2)))
    parser.add_argument("--report", type=Path, help="where to write every request that broke something")
    options = parser.parse_args()
    settings = {"workers": max(2, (os.cpu_count() or 2) // 2), "deadline_ms": 1000}
    with Server(hidden={"CUDA_VISIBLE_DEVICES": ""}, **settings) as server:
        begun = time.monotonic()
        tally, growth = fuzz(server, options)
        report(tally, time.monotonic() - begun, growth, server.workers(), options.report)
        alive = server.is_ready() and len(children(server.process.pid)) > 0
    return int(bool(tally.broken or tally.lost or growth > _MOST_GROWTH_KIB or not alive))


if __name__ == "__main__":
    sys.exit(main())
