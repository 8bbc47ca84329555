"""A bounded part of the fuzz, with fixed seeds: thousands of requests, none of which may break a promise."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from fuzz_calls import callable_names, entries
from fuzz_drive import drive_calls, drive_schema
from fuzz_verdicts import Tally

from server import Server

SEED = 20_261_128
BUDGET_S = 10.0


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Server]:
    with Server(workers=2, deadline_ms=1000, hidden={"CUDA_VISIBLE_DEVICES": ""}) as running:
        yield running


def fine(tally: Tally) -> None:
    assert tally.broken == []
    assert tally.lost == []


def test_calls_from_the_catalogue(fuzzed: Server) -> None:
    with fuzzed.client() as client:
        names = callable_names(client)
        assert len(names) > 1000
        known = entries(client, names[:: len(names) // 150])
    tally = drive_calls(fuzzed.url, known, 1000, SEED, time.monotonic() + BUDGET_S)
    fine(tally)
    # How many there are by then depends on the machine.
    assert tally.statuses["200"] > 0
    assert any(status.startswith("422") for status in tally.statuses)


def test_requests_from_the_openapi_document(fuzzed: Server) -> None:
    tally = drive_schema(fuzzed.url, 280, SEED, time.monotonic() + BUDGET_S)
    fine(tally)
    assert tally.requests > 0


def test_the_service_is_as_it_was(fuzzed: Server) -> None:
    with fuzzed.client() as client:
        assert client.post("/v1/ops/ones", json={"args": [2]}).json()["result"]["data"] == [1.0, 1.0]
    assert fuzzed.workers()["lost"] == 0
