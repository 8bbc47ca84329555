"""The header field Server-Timing: where the time of a request went."""

from __future__ import annotations

import re

import pytest

from service import RUN, TUTORIAL_GRAPH, Service

VALUE = re.compile(r"(\w+);dur=(\d+\.\d{3})(?:, |$)")
CALLS = [
    (RUN, TUTORIAL_GRAPH, "application/json"),
    (RUN, TUTORIAL_GRAPH, "application/x-npz"),
    ("/v1/ops/ones", {"args": [2]}, "application/json"),
    ("/v1/autograd/grad", {"inputs": {"x": 2.0}, "program": "y = x * x", "returns": "y"}, "application/json"),
]


@pytest.mark.parametrize(("path", "body", "accept"), CALLS)
def test_a_reply_of_a_computation_tells_its_times(service: Service, path: str, body: object, accept: str) -> None:
    reply = service.post(path, body, accept=accept)
    told = dict(VALUE.findall(reply.headers["server-timing"]))
    assert list(told) == ["queue", "decode", "run", "encode"]
    assert float(told["decode"]) > 0
    if accept == "application/json":
        times = reply.json()["timing_ms"]
        # The header's `encode` ends later: with the whole reply.
        assert all(float(told[name]) == times[name] for name in ("queue", "decode", "run"))
        assert float(told["encode"]) >= times["encode"]


def test_an_error_has_no_times(service: Service) -> None:
    assert "server-timing" not in service.post(RUN, {"nodes": [{"op": "nope"}]}).headers
