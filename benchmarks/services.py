"""Start and stop the services that are compared, each on a free port of 127.0.0.1."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

HERE = Path(__file__).resolve().parent
UVICORN = ["uvicorn", "--app-dir", str(HERE), "--no-access-log", "--log-level", "warning", "--host", "127.0.0.1"]


@dataclass
class Service:
    """One service under test: `command` is what follows `python -m`; `{port}` in it is filled in."""

    name: str
    command: list[str]
    settings: dict[str, str]
    ready: str | None = None
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {**os.environ, **{key: value.format(port=self.port) for key, value in self.settings.items()}}
        command = [sys.executable, "-m", *(word.format(port=self.port) for word in self.command)]
        self.process = subprocess.Popen(command, env=environment)
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _wait(self, seconds: float = 60) -> None:
        """Until `ready` answers with 200 or, where there is no such page, the port is open."""
        assert self.process is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with {self.process.returncode} before it answered")
            if self._answers():
                return
            time.sleep(0.1)
        raise SystemExit(f"{self.name} did not answer within {seconds:.0f} s")

    def _answers(self) -> bool:
        try:
            if self.ready:
                return self.ask("GET", self.ready)[0] == 200
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One request on a connection of its own; status and body of the reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def services(workers: int) -> list[Service]:
    """gradwire, the obvious service and the floor.

    Each with one intra-op thread, as gradwire's workers have by default: the tensors are tiny.
    """
    single = {"OMP_NUM_THREADS": "1"}
    own = {
        "GRADWIRE_HOST": "127.0.0.1",
        "GRADWIRE_PORT": "{port}",
        "GRADWIRE_WORKERS": str(workers),
        "GRADWIRE_LOG_LEVEL": "warning",
    }
    return [
        Service("gradwire", ["gradwire", "serve"], own, ready="/readyz"),
        Service("obvious", [*UVICORN, "--port", "{port}", "obvious:app"], single),
        Service("bare", [*UVICORN, "--port", "{port}", "bare:app"], single),
    ]
