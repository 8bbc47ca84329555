"""Requests whose answers are known, and waiting for what must come about."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx

from server import Server

# A key of somebody else's, in the environment of the service.
FOREIGN_KEY = "0123456789abcdef" * 4
RUN = "/v1/graphs/run"
# Hours inside one kernel that never comes back to Python.
ENDLESS: dict[str, Any] = {
    "nodes": [
        {"id": "one", "op": "ones", "args": [1]},
        {"id": "wide", "op": "expand", "args": ["$one", 10**14]},
        {"id": "slow", "op": "sum", "args": ["$wide"]},
    ],
    "returns": ["slow"],
}


def quick(number: int) -> dict[str, Any]:
    """A graph whose answer is its own number's."""
    return {
        "inputs": {"x": {"data": [[number, 1], [1, 1]], "dtype": "float32", "requires_grad": True}},
        "nodes": [
            {"id": "y", "op": "mul", "args": ["$x", "$x"]},
            {"id": "out", "op": "sum", "args": ["$y"]},
            {"op": "backward", "args": ["$out"]},
        ],
        "returns": ["x.grad"],
    }


def answers(reply: httpx.Response, number: int) -> bool:
    """Whether this is the answer to quick(number)."""
    wanted = [[2.0 * number, 2.0], [2.0, 2.0]]
    return reply.status_code == 200 and reply.json()["outputs"]["x.grad"]["data"] == wanted


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `condition` gives as soon as it gives anything."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.002)
    return found


def all_ready(server: Server) -> bool:
    """Whether both workers and the spare wait for work."""
    return server.workers()["ready"] == 3


def send(server: Server, body: dict[str, Any]) -> socket.socket:
    """A bare connection on which a request is under way."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    text = json.dumps(body).encode()
    fields = ["Host: test", "Content-Type: application/json", f"Content-Length: {len(text)}"]
    connection.sendall("\r\n".join([f"POST {RUN} HTTP/1.1", *fields, "", ""]).encode() + text)
    return connection
