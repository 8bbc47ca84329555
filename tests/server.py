"""A real server for tests: uvicorn and workers in processes of their own, on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

APP = Path(__file__).parent.parent / "app"
_SERVING = re.compile(r"serving on (http://\S+)")
_START_S = 120


class Server:
    """`python -m gradwire serve` with settings from keywords: Server(workers=1, queue_size=0).

    `hidden` are further variables of its environment, such as those that hide a device.
    """

    def __init__(self, hidden: dict[str, str] | None = None, **settings: object) -> None:
        self.log = tempfile.NamedTemporaryFile(prefix="gradwire-", suffix=".log")  # noqa: SIM115 closed by stop
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GRADWIRE_")}
        environment |= {f"GRADWIRE_{name.upper()}": str(value) for name, value in ({"port": 0} | settings).items()}
        environment |= {"PYTHONPATH": str(APP)} | (hidden or {})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gradwire", "serve"], stdout=self.log, stderr=subprocess.STDOUT, env=environment
        )
        self.url = self._until(lambda: (found := _SERVING.search(self.output())) and found[1])
        self._until(self.is_ready)

    def _until(self, condition):
        """What `condition` gives as soon as it gives anything."""
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            if found := condition():
                return found
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.output()}")
            time.sleep(0.02)
        raise TimeoutError(f"the server was not ready in {_START_S} s:\n{self.output()}")

    def output(self) -> str:
        """What it has printed so far."""
        return Path(self.log.name).read_text(errors="replace")

    def is_ready(self) -> bool:
        """Whether a worker can take work."""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(self.url + "/readyz", timeout=5).status_code == 200
        return False

    def client(self, **options: object) -> httpx.Client:
        """A client of this server."""
        return httpx.Client(base_url=self.url, timeout=120, **options)

    def workers(self) -> dict[str, int]:
        """The counts that the server gives of its workers."""
        return httpx.get(self.url + "/v1/server", timeout=30).json()["workers"]

    def worker_pids(self) -> list[int]:
        """The processes that hold PyTorch and take jobs: the nursery's children."""
        return [pid for nursery in self.nursery_pids() for pid in children(nursery)]

    def nursery_pids(self) -> list[int]:
        """The nurseries; one, but for the moment after it died."""
        return [pid for pid in children(self.process.pid) if "gradwire.worker" in command(pid)]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.log.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def children(pid: int) -> list[int]:
    """The child processes of `pid`."""
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def command(pid: int) -> str:
    """The command line of a process; empty where it has gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
