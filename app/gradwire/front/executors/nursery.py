"""The front's side of the nursery: starting it, asking it for workers, hearing what becomes of them."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import subprocess
import sys
from typing import Any, Protocol

import msgspec

from gradwire.contract.limits import Limits

_log = logging.getLogger("gradwire.front")

# A nursery loads PyTorch in seconds; one that takes this long has hung.
_START_S = 120.0
# Variables of the loader, the locale, Python, and the libraries below PyTorch.
_PASSED_ON = re.compile(
    r"(?:PATH|HOME|LANG|TZ|TMPDIR|VIRTUAL_ENV)$|(?:LC|LD|PYTHON|GLIBC|MALLOC|OMP|GOMP|KMP|MKL|OPENBLAS|DNNL|ONEDNN|ATEN|"
    r"TORCH|PYTORCH|NPY|CUDA|CUBLAS|CUDNN|NVIDIA)(?:_\w+)?$|(?:PYTHON|LD_|MALLOC_)\w+$"
)


class Parent(Protocol):
    """Who is told what happens in a nursery."""

    def nursery_ready(self) -> None:
        """Workers can be asked for."""

    def worker_started(self, number: int, pid: int, descriptor: int | None) -> None:
        """The worker asked for under `number` has been forked; `descriptor` is a pidfd, the receiver's to close."""

    def worker_exited(self, pid: int, code: int) -> None:
        """A worker's process is over; `code` is its exit code, or minus the signal that ended it."""

    def nursery_died(self) -> None:
        """This nursery is no more, and was not stopped."""

    def nursery_refused(self, why: str) -> None:
        """Workers cannot be had on this system as the settings ask for them; another nursery would say the same."""


class Nursery:
    """One run of the nursery program. It is not restarted: a new one takes its place."""

    def __init__(self, limits: Limits, parent: Parent) -> None:
        self._limits = limits
        self._parent = parent
        self._control: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self.ready = False

    def start(self) -> None:
        """Start the program; `nursery_ready` follows in a second or two."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        # A session of its own: a Ctrl-C for the front must not end jobs that may still finish.
        self._program = subprocess.Popen(
            [sys.executable, "-m", "gradwire.worker", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self._control = ours
        ours.send(msgspec.json.encode(self._limits))
        loop = asyncio.get_running_loop()
        loop.add_reader(ours.fileno(), self._read)
        self._watchdog = loop.call_later(_START_S, self._hung)

    def spawn(self, number: int, descriptors: tuple[int, int]) -> bool:
        """Ask for a worker that gets `descriptors`, its socket and its page; False where it cannot be asked now."""
        if self._control is None or not self.ready:
            return False
        try:
            socket.send_fds(self._control, [msgspec.json.encode({"spawn": number})], list(descriptors))
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Close the control socket: the nursery kills what is left of its workers and ends."""
        self._disconnect()
        if self._program is not None:
            try:
                self._program.wait(2)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()

    def _hung(self) -> None:
        if not self.ready and self._program is not None:
            _log.error("the nursery was not ready within %d s", _START_S)
            self._program.kill()

    def _read(self) -> None:
        assert self._control is not None
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, 65536, 1)
        except BlockingIOError:
            return
        except ConnectionError:
            message, descriptors = b"", []
        if message:
            self._told(msgspec.json.decode(message), descriptors)
        else:
            self._died()

    def _told(self, told: dict[str, Any], descriptors: list[int]) -> None:
        if "ready" in told:
            self.ready = True
            self._parent.nursery_ready()
        elif "refused" in told:
            self._disconnect()
            self._parent.nursery_refused(told["refused"])
        elif "started" in told:
            self._parent.worker_started(told["started"], told["pid"], descriptors[0] if descriptors else None)
        elif "ended" in told:
            self._parent.worker_exited(told["ended"], told["status"])

    def _died(self) -> None:
        self._disconnect()
        assert self._program is not None
        # Its socket is closed, so it is about to end if it has not; nothing could be done with it anyway.
        self._program.kill()
        _log.error("the nursery ended with status %d", self._program.wait())
        self._parent.nursery_died()

    def _disconnect(self) -> None:
        self.ready = False
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None


def _environment() -> dict[str, str]:
    """What the nursery and its workers may see: what Python, PyTorch and its libraries are set up by, and no more.

    A setting of the service, or whatever other keys lie in its environment, is nothing for a worker.
    """
    return {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
