"""Random functions: value, gradient, VJP, JVP, Hessian and a third derivative have torch.func's bits."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import orjson
import pytest
import torch
from derivatives import NAMES, graph, local, same_bits, transposes_agree
from generator import KINDS, Sample, samples
from hypothesis import HealthCheck, Phase, given, settings

from applying import same
from gradwire.findings import Refusal
from gradwire.worker.local import run_graph
from service import Service

IN_PROCESS, OVER_HTTP = 300, 30
_SETTINGS: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate, Phase.shrink],
}


def directions(sample: Sample) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
    """A cotangent of the value and a tangent for each argument."""
    generator = torch.Generator().manual_seed(1)
    like = [sample.program(*sample.args), *sample.args]
    v, ux, uy = (torch.randn(one.shape, generator=generator, dtype=torch.float64) for one in like)
    return v, (ux, uy)


def test_in_this_process() -> None:
    counts: Counter[str] = Counter()

    @settings(max_examples=IN_PROCESS, **_SETTINGS)
    @given(samples())
    def check(sample: Sample) -> None:
        v, u = directions(sample)
        expected = local(sample, v, u)
        known = [name for name in NAMES if not isinstance(expected[name], Exception)]
        found = run_graph(orjson.dumps(graph(sample, v, u, known)))
        for name in known:
            same_bits(name, found[name], expected[name])
        for name in set(NAMES) - set(known):
            with pytest.raises(Refusal, match=re.escape(str(expected[name])[:60])):
                run_graph(orjson.dumps(graph(sample, v, u, [name])))
        if {"pull", "push"} <= set(known):
            transposes_agree(found, v, u)
        counts.update({"function", *known, *sample.program.kinds()})

    check()
    assert counts["function"] >= IN_PROCESS
    assert all(counts[name] >= 0.95 * counts["function"] for name in NAMES), counts
    assert all(counts[kind] >= 0.1 * counts["function"] for kind in KINDS), counts


def test_over_http(service: Service) -> None:
    @settings(max_examples=OVER_HTTP, **_SETTINGS)
    @given(samples())
    def check(sample: Sample) -> None:
        v, u = directions(sample)
        expected = local(sample, v, u)
        known = [name for name in NAMES if not isinstance(expected[name], Exception)]
        outputs = service.graph(graph(sample, v, u, known))["outputs"]
        for name in known:
            same(outputs[name], expected[name])

    check()
