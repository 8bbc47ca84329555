"""Graphs that take known times, and raw HTTP for what a client library would not send."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx

from server import Server

RUN = "/v1/graphs/run"
QUICK: dict[str, Any] = {
    "inputs": {"x": {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}},
    "nodes": [
        {"id": "y", "op": "add", "args": ["$x", 2]},
        {"id": "z", "op": "mul", "args": ["$y", "$y"]},
        {"id": "out", "op": "sum", "args": ["$z"]},
        {"op": "backward", "args": ["$out"]},
    ],
    "returns": ["x.grad"],
}
# Many seconds inside one kernel that does not come back to Python; making its input takes none.
ENDLESS: dict[str, Any] = {
    "nodes": [
        {"id": "big", "op": "ones", "args": [2500, 2500]},
        {"id": "slow", "op": "linalg.svd", "args": ["$big"]},
    ],
    "returns": ["slow.S"],
}


def busy_for(milliseconds: int) -> dict[str, Any]:
    """A graph that runs until its deadline, so many milliseconds after a worker got it."""
    return ENDLESS | {"deadline_ms": milliseconds}


def right(reply: httpx.Response) -> bool:
    """Whether this is the answer to QUICK."""
    return reply.status_code == 200 and reply.json()["outputs"]["x.grad"]["data"] == [[6.0, 6.0], [6.0, 6.0]]


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `condition` gives as soon as it gives anything."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)
    return found


def connect(server: Server) -> socket.socket:
    """A bare connection to the server."""
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def head(length: int | None, *lines: str, method: str = "POST", path: str = RUN) -> bytes:
    """The head of a request with a JSON body of `length` bytes; None: in chunks."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    fields = ["Host: test", "Content-Type: application/json", size, *lines]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode()


def request(body: dict[str, Any], *lines: str) -> bytes:
    """A whole request."""
    text = json.dumps(body).encode()
    return head(len(text), *lines) + text


class Reader:
    """Reads replies from a bare connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def reply(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers (names in lower case) and the JSON of the next reply."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip().decode():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, json.loads(self._file.read(int(headers["content-length"])))

    def rest(self) -> bytes:
        """What comes until the server closes."""
        return self._file.read()
