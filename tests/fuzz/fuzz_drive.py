"""Drives a running service with what hypothesis and schemathesis draw."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest

import httpx
import schemathesis
from fuzz_calls import Entry, Request, requests
from fuzz_verdicts import Tally, judge
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

_SCHEMA = Path(__file__).parents[2] / "openapi" / "openapi.json"
# How many are drawn before the time is looked at; few of one operation, so that all have their turn.
_AT_ONCE = 50
_OF_OPERATION = 5
# Header fields that the client sets itself, schemathesis for another client.
_OURS = ("accept-encoding", "connection", "content-length", "host", "user-agent")
# Nothing is kept, shrunk or said: what is found is counted and told at the end.
_QUIET = {
    "database": None,
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
    "print_blob": False,
}


def drive_calls(url: str, known: list[Entry], count: int, start: int, until: float) -> Tally:
    """`count` calls of the ops in `known`, the same ones for the same `start`; none after `until`."""
    tally = Tally()
    with httpx.Client(base_url=url, timeout=60) as client:
        for turn in range(-(-count // _AT_ONCE)):
            if time.monotonic() < until:
                _draw(requests(known), start * 1000 + turn, _AT_ONCE, lambda request: _post(client, tally, request))
    return tally


def _draw(strategy: st.SearchStrategy[Any], start: int, count: int, use: Callable[[Any], None]) -> None:
    """Hands `use` some of what `strategy` draws."""

    @seed(start)
    @settings(max_examples=count, **_QUIET)
    @given(strategy)
    def each(drawn: Any) -> None:
        use(drawn)

    each()


def _post(client: httpx.Client, tally: Tally, request: Request) -> None:
    body = json.dumps(request.body).encode()
    headers = {"content-type": "application/json"}
    judge(tally, "POST", request.path, body, lambda: client.post(request.path, content=body, headers=headers))


def drive_schema(url: str, count: int, start: int, until: float) -> Tally:
    """About `count` requests of all operations as openapi.json describes them: as they should be, and as not."""
    tally = Tally()
    schema = schemathesis.openapi.from_dict(json.loads(_SCHEMA.read_text("utf-8")))
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    found = [operation.ok() for operation in schema.get_all_operations()]
    strategies = [operation.as_strategy(generation_mode=mode) for operation in found for mode in modes]
    with httpx.Client(base_url=url, timeout=60) as client:
        for turn in range(max(1, count // (_OF_OPERATION * len(strategies)))):
            for strategy in strategies:
                if time.monotonic() < until:
                    _draw_what_there_is(strategy, start * 1000 + turn, lambda case: _send(client, tally, case))
    return tally


def _draw_what_there_is(strategy: st.SearchStrategy[Any], start: int, use: Callable[[Any], None]) -> None:
    """As `_draw`; an operation without parameters has nothing that could be wrong."""
    with contextlib.suppress(Unsatisfiable, SkipTest):
        _draw(strategy, start, _OF_OPERATION, use)


def _send(client: httpx.Client, tally: Tally, case: Any) -> None:
    told = case.as_transport_kwargs(base_url=str(client.base_url))
    content = told.get("data")
    body = json.dumps(told["json"]).encode() if told.get("json") is not None else content
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body or b""
    headers = {str(name): str(value) for name, value in (told.get("headers") or {}).items()}
    if told.get("json") is not None:
        headers.setdefault("Content-Type", "application/json")
    headers = {name: value for name, value in headers.items() if name.lower() not in _OURS}
    try:
        request = client.build_request(
            told["method"], told["url"], params=told.get("params"), headers=headers, content=body
        )
    except (UnicodeEncodeError, httpx.InvalidURL, ValueError):
        # Not to be sent as HTTP at all.
        return
    judge(tally, request.method, request.url.path, body, lambda: client.send(request))
