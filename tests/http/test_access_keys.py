"""Keys: who is let in, and what strangers may see."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from openapi_check import check_response

from server import APP, Server
from service import Service

KEYS = ("gw_first", "gw_second")
EMPTY = b'{"nodes": []}'
OPEN = ("/healthz", "/readyz", "/", "/docs", "/docs/page.css", "/openapi.json", "/problems", "/problems/forbidden")


@pytest.fixture(scope="module")
def locked() -> Iterator[Server]:
    digests = [hashlib.sha256(key.encode()).hexdigest() for key in KEYS]
    with Server(workers=1, api_keys=f"{digests[0]}, {digests[1].upper()}") as running:
        yield running


@pytest.fixture
def stranger(locked: Server) -> Iterator[httpx.Client]:
    with locked.client(event_hooks={"response": [check_response]}) as client:
        yield client


def ask(client: httpx.Client, authorization: str | None) -> httpx.Response:
    headers = {"content-type": "application/json"} | ({} if authorization is None else {"authorization": authorization})
    return client.post("/v1/graphs/run", content=EMPTY, headers=headers)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_each_key_is_let_in_whatever_the_case_of_the_scheme(stranger: httpx.Client, key: str, scheme: str) -> None:
    assert ask(stranger, f"{scheme} {key}").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None, "", "Bearer", "gw_first", "Basic Z3dfZmlyc3Q6", "Bearer gw_third", "Bearer gw_firs",
        "Bearer gw_first2", "Bearer gw_first gw_second", "Bearer gw_first,gw_second", "Bearer\tgw_first",
        "Bearer " + hashlib.sha256(b"gw_first").hexdigest(), "Bearer " + "a" * 20_000, "Bearer gw_f\xefrst",
    ],
)  # fmt: skip
def test_anything_else_is_401_and_names_the_scheme(stranger: httpx.Client, authorization: str | None) -> None:
    headers = [("content-type", "application/json")]
    if authorization is not None:
        headers.append(("authorization", authorization.encode("latin-1")))
    reply = stranger.post("/v1/graphs/run", content=EMPTY, headers=headers)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert Service(stranger).problem(reply)["code"] == "unauthorized"
    assert "gw_" not in reply.text


def test_two_authorizations_are_none(stranger: httpx.Client) -> None:
    fields = [("authorization", "Bearer gw_first"), ("authorization", "Bearer gw_first")]
    assert stranger.get("/v1/ops", headers=fields).status_code == 401


@pytest.mark.parametrize("path", OPEN)
def test_what_the_server_is_may_be_seen_without_a_key(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code == 200
    assert stranger.head(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/server", "/v1/ops", "/v1/ops/add", "/metrics", "/nothing", "/healthz/", "/problemsx"]
)
def test_all_else_needs_one(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code == 401
    with_key = stranger.get(path, headers={"authorization": "Bearer gw_second"})
    assert with_key.status_code in (200, 404)


def test_a_key_is_asked_for_before_the_body_is_read(stranger: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 65536

    reply = stranger.post("/v1/graphs/run", content=pieces(), headers={"content-type": "application/json"})
    assert (reply.status_code, reply.headers["connection"]) == (401, "close")


def test_the_open_server_asks_nobody(client: httpx.Client) -> None:
    assert ask(client, "Bearer whatever").status_code == 200


def gradwire(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(APP), **settings}
    command = [sys.executable, "-m", "gradwire", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_gradwire_key_prints_a_new_key_and_its_digest() -> None:
    printed = [gradwire("key").stdout for _ in range(2)]
    for text in printed:
        key, digest = (line.split()[1] for line in text.splitlines())
        assert hashlib.sha256(key.encode()).hexdigest() == digest
        assert len(key) > 40
    assert printed[0] != printed[1]


@pytest.mark.parametrize("value", ["gw_first", "0" * 63, "0" * 64 + " " + "1" * 64])
def test_a_key_in_place_of_its_digest_stops_the_server_without_being_shown(value: str) -> None:
    ended = gradwire("serve", GRADWIRE_API_KEYS=value)
    assert ended.returncode == 2
    assert ended.stderr.startswith("GRADWIRE_API_KEYS: ")
    assert "64 hex digits" in ended.stderr
    assert value not in ended.stderr
