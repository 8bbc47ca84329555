"""Drive one service for some seconds at a number of connections, and say what was seen.

With `wrk` (a C program) where it is installed; else with a small asyncio client that writes one prepared request again
and again and looks only for the end of each reply. Both cost less than any service here; the table says which it was.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

WRK = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{{"requests":%d,"seconds":%.6f,"failed":%d,"p50":%.4f,"p99":%.4f}}\\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Sample:
    """One measurement: requests per second, and latencies in milliseconds as the client saw them."""

    rate: float
    p50: float
    p99: float


def client() -> str:
    """Which client will be used."""
    return "wrk" if shutil.which("wrk") else "own asyncio client"


def drive(port: int, path: str, body: bytes, connections: int, seconds: float) -> Sample:
    """POST `body` over `connections` kept-alive connections, each with one request under way, for `seconds`."""
    if shutil.which("wrk"):
        return _wrk(port, path, body, connections, seconds)
    return asyncio.run(_own(port, path, body, connections, seconds))


def _wrk(port: int, path: str, body: bytes, connections: int, seconds: float) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "body.json"
        text.write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(WRK.format(body=text))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
        shown = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
    seen = json.loads(shown.stdout.strip().splitlines()[-1])
    if seen["failed"]:
        raise SystemExit(f"{seen['failed']} requests failed:\n{shown.stdout}")
    return Sample(seen["requests"] / seen["seconds"], seen["p50"], seen["p99"])


class _Connection(asyncio.Protocol):
    """Writes `request`, waits for the whole reply, notes how long it took, and goes on until `end`."""

    def __init__(self, request: bytes, end: float) -> None:
        self.request = request
        self.end = end
        self.times: list[float] = []
        self.received = b""
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, rest = self.received.partition(b"\r\n\r\n")
        if not separator or len(rest) < _length(head):
            return
        now = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            self._end(SystemExit(f"a request failed: {self.received[:200]!r}"))
            return
        self.times.append(now - self.started)
        self.received = b""
        if now < self.end:
            self._send()
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(SystemExit(f"a connection was closed early: {exc}"))

    def _end(self, error: BaseException | None) -> None:
        if self.finished.done():
            return
        if error:
            self.finished.set_exception(error)
        else:
            self.finished.set_result(None)
        self.transport.close()


def _length(head: bytes) -> int:
    start = head.lower().index(b"content-length:") + len(b"content-length:")
    return int(head[start:].split(b"\r\n", 1)[0])


async def _own(port: int, path: str, body: bytes, connections: int, seconds: float) -> Sample:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    started = time.perf_counter()
    loop = asyncio.get_running_loop()
    opened = [
        loop.create_connection(lambda: _Connection(request, started + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    clients = [protocol for _, protocol in await asyncio.gather(*opened)]
    await asyncio.gather(*(one.finished for one in clients))
    elapsed = time.perf_counter() - started
    times = sorted(time for one in clients for time in one.times)
    return Sample(len(times) / elapsed, 1e3 * times[len(times) // 2], 1e3 * times[int(len(times) * 0.99)])
