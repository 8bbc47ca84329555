"""How fast the tutorial's gradient is: gradwire beside the service one would write instead, and beside the floor.

python benchmarks/tutorial.py [--short] [--rounds N] [--seconds S] [--workers N] [--save]

The services run side by side and are driven one at a time, in rounds whose order turns, so that what the machine does
meanwhile falls on all of them alike. Every service must first give the same numbers. Ratios are formed within a round;
the table gives their median and, in brackets, the lowest and highest. All traffic stays on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from load import Sample, client, drive
from services import Service, services

PATH = "/v1/graphs/run"
BODY = json.dumps(
    {
        "inputs": {"x": {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}},
        "nodes": [
            {"id": "y", "op": "add", "args": ["$x", 2]},
            {"id": "yy", "op": "mul", "args": ["$y", "$y"]},
            {"id": "z", "op": "mul", "args": ["$yy", 3]},
            {"id": "out", "op": "mean", "args": ["$z"]},
            {"op": "backward", "args": ["$out"]},
        ],
        "returns": ["y", "out", "x.grad"],
    }
).encode()
EXPECTED = {"y": [[3.0, 3.0], [3.0, 3.0]], "out": 27.0, "x.grad": [[4.5, 4.5], [4.5, 4.5]]}
CONNECTIONS = (1, 16)

Samples = dict[tuple[str, int], list[Sample]]


def verify(service: Service) -> None:
    """Stop the whole run if the service gives other numbers than PyTorch."""
    status, reply = service.ask("POST", PATH, BODY)
    if status != 200:
        raise SystemExit(f"{service.name} answered {status}: {reply[:500].decode(errors='replace')}")
    given = {name: value["data"] for name, value in json.loads(reply)["outputs"].items()}
    if given != EXPECTED:
        raise SystemExit(f"{service.name} gives {given}, not {EXPECTED}")


def measure(running: list[Service], rounds: int, seconds: float) -> Samples:
    samples: Samples = {}
    for service in running:
        drive(service.port, PATH, BODY, 16, min(1.0, seconds))
    for turn in range(rounds):
        for connections in CONNECTIONS:
            for place in range(len(running)):
                service = running[(place + turn) % len(running)]
                sample = drive(service.port, PATH, BODY, connections, seconds)
                samples.setdefault((service.name, connections), []).append(sample)
    return samples


def ratio(samples: Samples, other: str, connections: int, of: Callable[[Sample], float]) -> str:
    """gradwire's figure over `other`'s, round by round: median (lowest–highest)."""
    pairs = zip(samples["gradwire", connections], samples[other, connections], strict=True)
    values = [of(ours) / of(theirs) for ours, theirs in pairs]
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def table(samples: Samples, names: list[str]) -> str:
    lines = [
        "| connections | service | requests/s | p50 ms | p99 ms | gradwire's requests/s ÷ its | gradwire's p50 ÷ its |",
        "|---|---|---|---|---|---|---|",
    ]
    for connections in CONNECTIONS:
        for name in names:
            mine = samples[name, connections]
            figures = [
                f"{statistics.median(sample.rate for sample in mine):,.0f}",
                f"{statistics.median(sample.p50 for sample in mine):.2f}",
                f"{statistics.median(sample.p99 for sample in mine):.2f}",
            ]
            if name == "gradwire":
                figures += ["", ""]
            else:
                figures += [ratio(samples, name, connections, of) for of in (lambda s: s.rate, lambda s: s.p50)]
            lines.append(f"| {connections} | {name} | {' | '.join(figures)} |")
    return "\n".join(lines)


def circumstances(rounds: int, seconds: float, workers: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "fastapi", "uvicorn", "orjson"))
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}; gradwire with "
        f"{workers} workers; client: {client()}; medians of {rounds} rounds of {seconds:g} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="The tutorial's gradient, three services side by side.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--short", action="store_true", help="one short round: shows that it runs, not how fast")
    parser.add_argument("--save", action="store_true", help="also write the table to benchmarks/results/")
    chosen = parser.parse_args()
    rounds, seconds = (1, 1.0) if chosen.short else (chosen.rounds, chosen.seconds)
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(service) for service in services(chosen.workers)]
        for service in running:
            verify(service)
        samples = measure(running, rounds, seconds)
    report = f"{circumstances(rounds, seconds, chosen.workers)}\n\n{table(samples, [one.name for one in running])}\n"
    print(report)
    if chosen.save:
        results = Path(__file__).resolve().parent / "results"
        results.mkdir(exist_ok=True)
        (results / time.strftime("%Y-%m-%dT%H-%M-%S.md")).write_text(report)


if __name__ == "__main__":
    main()
