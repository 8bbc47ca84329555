"""Rates: so many requests and so many seconds of workers for each client."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from openapi_check import check_response

from gradwire.front.access.rates import Rates, client_of, parse_rate
from server import Server
from service import Service

pytestmark = pytest.mark.alone

EMPTY = b'{"nodes": []}'


def run(client: httpx.Client, key: str | None = None) -> httpx.Response:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    return client.post("/v1/graphs/run", content=EMPTY, headers=headers)


@pytest.fixture(scope="module")
def counting() -> Iterator[Server]:
    digests = ",".join(hashlib.sha256(key).hexdigest() for key in (b"one", b"two"))
    with Server(workers=1, api_keys=digests, rate_requests="3/hour") as running:
        yield running


def test_a_key_has_so_many_requests_and_is_told_what_is_left(counting: Server) -> None:
    with counting.client(event_hooks={"response": [check_response]}) as client:
        for left in (2, 1, 0):
            reply = run(client, "one")
            assert reply.status_code == 200
            assert reply.headers["ratelimit-policy"] == '"requests";q=3;w=3600'
            told = re.fullmatch(r'"requests";r=(\d+);t=(\d+)', reply.headers["ratelimit"])
            assert told
            assert int(told[1]) == left
            assert 3500 < int(told[2]) <= 3600
        over = run(client, "one")
        problem = Service(client).problem(over)
        assert (over.status_code, problem["code"]) == (429, "rate_limited")
        assert 3500 < int(over.headers["retry-after"]) <= 3600
        assert over.headers["ratelimit"].startswith('"requests";r=0;t=')
        # Neither the other key, nor what is open, nor a stranger is part of it.
        assert run(client, "two").status_code == 200
        assert client.get("/healthz").status_code == 200
        assert "ratelimit" not in client.get("/healthz").headers
        assert run(client, "three").status_code == 401
        assert client.get("/v1/ops", headers={"authorization": "Bearer one"}).status_code == 429


def test_without_keys_an_address_is_a_client() -> None:
    with Server(workers=1, rate_requests="2") as running, running.client() as client:
        assert [run(client).status_code for _ in range(3)] == [200, 200, 429]
        assert run(client).headers["ratelimit-policy"] == '"requests";q=2;w=60'
        with httpx.Client(base_url=running.url, transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other:
            assert run(other).status_code == 200


def test_seconds_of_workers_are_counted_also_of_runs_that_are_cut_off() -> None:
    slow = {
        "nodes": [{"id": "a", "op": "ones", "args": [2000, 2000]}, {"op": "linalg.svd", "args": ["$a"]}],
        "deadline_ms": 1100,
        "returns": [],
    }
    with Server(workers=1, rate_compute_seconds="1/minute", rate_requests="100") as running, running.client() as client:
        first = run(client)
        assert first.status_code == 200
        assert first.headers["ratelimit-policy"] == '"requests";q=100;w=60, "compute";q=1;w=60;qu="seconds"'
        assert re.fullmatch(r'"requests";r=99;t=\d+, "compute";r=0;t=\d+', first.headers["ratelimit"])
        assert client.post("/v1/graphs/run", json=slow).status_code == 504
        over = run(client)
        assert (over.status_code, over.json()["detail"]) == (429, "1 s of workers in 60 s are used up")
        assert 50 <= int(over.headers["retry-after"]) <= 60


def test_a_rate_is_a_number_or_a_number_per_time() -> None:
    for text, amount, seconds in [
        ("5", 5, 60),
        ("5/second", 5, 1),
        ("100 per 2 hours", 100, 7200),
        (" 7/day ", 7, 86400),
    ]:
        rate = parse_rate(text)
        assert rate is not None
        assert (rate.amount, rate.get_expiry()) == (amount, seconds)
    assert parse_rate("") is parse_rate("0") is None
    for text in ("soon", "-1", "1/fortnight", "0/minute", "1/second;5/minute", "1.5"):
        with pytest.raises(ValueError, match=r".*"):
            parse_rate(text)


def test_a_window_ends() -> None:
    rates = Rates(parse_rate("1/second"), None)
    assert rates.admit("a") is None
    found = rates.admit("a")
    assert found is not None
    assert found[1] == 1
    time.sleep(1.05)
    assert rates.admit("a") is None


def test_one_ipv6_client_is_64_bits() -> None:
    def client(address: str) -> str:
        return client_of({"client": (address, 1)})

    assert client("2001:db8:1:2:3::4") == client("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert client("2001:db8:1:3::4") != client("2001:db8:1:2::4")
    assert client("192.0.2.1") == "192.0.2.1"


def test_counts_are_kept_of_so_many_clients_only() -> None:
    rates = Rates(parse_rate("1/day"), None)
    for number in range(100_001):
        rates.admit(str(number))
    assert rates.admit("100000") is not None
    # The one that came first has been forgotten, for the sake of bounded memory.
    assert rates.admit("0") is None
