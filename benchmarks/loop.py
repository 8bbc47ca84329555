"""What a loop of cheap nodes costs, beside the same text run by Python: 1,000 turns of 10 nodes.

python benchmarks/loop.py [--rounds N] [--no-http]

Rounds alternate between the two, in one process with one thread; which goes first turns. A ratio is formed within a
round, and its median, lowest and highest are shown. Compiling is timed apart. Over HTTP it is the reply's
`timing_ms.run`, planning included, of one worker that takes turns with this process.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import platform
import statistics
from collections.abc import Callable
from time import perf_counter
from types import CodeType

import torch

from gradwire.engine.graph import Graph
from gradwire.engine.plan import Plan, plan
from gradwire.engine.run import run
from gradwire.program.parse import read_program
from services import Service, services

HEAD = "import torch\nx = torch.tensor([0.5, -1.25, 2.0, 0.75])\ny = torch.tensor([0.25, 0.5, -0.5, 1.5])\n"
CALLS = (
    HEAD
    + """for step in range(1000):
    a = torch.add(x, y)
    b = torch.mul(a, y)
    c = torch.sub(b, x)
    d = torch.neg(c)
    e = torch.maximum(d, x)
    f = torch.mul(e, 0.5)
    g = torch.add(f, 1)
    h = torch.abs(g)
    k = torch.sub(h, a)
    z = torch.mul(k, k)
"""
)
OPERATORS = (
    HEAD
    + """for step in range(1000):
    a = x + y
    b = a * y
    c = b - x
    d = -c
    e = d / 4
    f = e * 0.5
    g = f + 1
    h = g ** 2
    k = h - a
    z = k * k
"""
)
LOOPS = {"torch.add and its kind": CALLS, "operators": OPERATORS}


def by_python(code: CodeType) -> torch.Tensor:
    """`z` of the text, run as Python runs a script."""
    names: dict[str, torch.Tensor] = {}
    exec(code, names)  # noqa: S102  # the two texts above
    return names["z"]


def prepared(text: str) -> Plan:
    """The plan of a text."""
    program, findings = read_program(text, "/program")
    planned, more = plan(Graph(nodes=program.statements, assigned=list(program.assigned), seed=0))
    if findings or more:
        raise SystemExit(f"the loop cannot be compiled: {[one.message for one in (*findings, *more)]}")
    return planned


def seconds(function: Callable[[], object]) -> float:
    started = perf_counter()
    function()
    return perf_counter() - started


def paired(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> list[tuple[float, float]]:
    """The seconds of both, round by round, each going first as often."""
    found = []
    for turn in range(rounds):
        if turn % 2:
            other = theirs()
            found.append((ours(), other))
        else:
            mine = ours()
            found.append((mine, theirs()))
    return found


def row(name: str, where: str, pairs: list[tuple[float, float]]) -> str:
    ours, theirs = (1e3 * statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [mine / other for mine, other in pairs]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    return f"| {name} | {where} | {ours:.2f} | {theirs:.2f} | {spread} |"


def measure(name: str, text: str, rounds: int, service: Service | None) -> list[str]:
    """The rows of one loop, after both have given the same bits."""
    code, planned = compile(text, name, "exec"), prepared(text)
    ours, theirs = run(planned).outputs["z"].value, by_python(code)
    if not torch.equal(ours, theirs):
        raise SystemExit(f"{name}: {ours} is not {theirs}")

    def local() -> float:
        return seconds(lambda: by_python(code))

    rows = [row(name, "in process", paired(lambda: seconds(lambda: run(planned)), local, rounds))]
    rows.append(row(name, "in process, compiled each time", paired(lambda: _anew(text), local, rounds)))
    if service is not None:
        rows.append(row(name, "over HTTP, `timing_ms.run`", paired(lambda: asked(service, text), local, rounds)))
    return rows


def _anew(text: str) -> float:
    return seconds(lambda: run(prepared(text)))


def asked(service: Service, text: str) -> float:
    """The seconds that a worker ran the text."""
    status, reply = service.ask("POST", "/v1/graphs/run", json.dumps({"program": text, "returns": ["z"]}).encode())
    if status != 200:
        raise SystemExit(f"{service.name} answered {status}: {reply[:500].decode(errors='replace')}")
    return float(json.loads(reply)["timing_ms"]["run"]) / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description="A loop of cheap nodes, beside the same text run by Python.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--no-http", action="store_true", help="only in this process")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    gc.freeze()
    with contextlib.ExitStack() as stack:
        service = None if chosen.no_http else stack.enter_context(next(iter(services(1))))
        rows = [one for name, text in LOOPS.items() for one in measure(name, text, chosen.rounds, service)]
    print(f"Python {platform.python_version()}, torch {torch.__version__}, one thread; {chosen.rounds} rounds\n")
    print("| loop | where | gradwire ms | Python ms | ratio: median (lowest–highest) |\n|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
