"""Running a graph in this process, as `gradwire run` does: the worker's road without a worker."""

from __future__ import annotations

import warnings
from typing import Any

from gradwire.contract.limits import Limits
from gradwire.contract.problems import order
from gradwire.engine.plan import plan
from gradwire.engine.run import run
from gradwire.engine.values import Outcome
from gradwire.findings import Refusal
from gradwire.wire.read.graph import read_graph
from gradwire.wire.read.skeleton import skeleton


def run_graph(body: bytes, limits: Limits | None = None) -> dict[str, Any]:
    """The outputs of the graph in a JSON document, by name, as PyTorch has them. Raises Refusal."""
    return {name: output.value for name, output in run_body(body, limits).outputs.items()}


def run_body(body: bytes, limits: Limits | None = None) -> Outcome:
    """What the graph or program in a JSON document gives and prints. Raises Refusal."""
    limits = limits or Limits()
    warnings.simplefilter("ignore")
    bones = skeleton(body, limits.max_depth)
    graph, findings = read_graph(bones, limits)
    prepared, more = plan(graph)
    if findings or more:
        raise Refusal(order([*findings, *more], bones))
    return run(prepared)
