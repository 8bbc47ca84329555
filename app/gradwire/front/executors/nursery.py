"""The front's side of the nursery: starting it, asking it for workers, starting another when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from gradwire.contract.limits import Limits

_log = logging.getLogger("gradwire.front")

# What a worker must not be able to read: clients' keys.
_PRIVATE = ("GRADWIRE_API_KEYS",)
_RESTART_S = 0.5
# A nursery loads PyTorch in seconds; one that takes this long has hung.
_START_S = 120.0


class Nursery:
    """A running nursery program. `on_message` gets what it tells, `on_death` is called when it has gone."""

    def __init__(
        self, limits: Limits, on_message: Callable[[dict[str, Any]], None], on_death: Callable[[], None]
    ) -> None:
        self._limits = limits
        self._on_message = on_message
        self._on_death = on_death
        self._control: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self.ready = False

    def start(self) -> None:
        """Start the program; `ready` when it has said so."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        environment = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
        # A session of its own: a Ctrl-C for the front must not end jobs that may still finish.
        self._program = subprocess.Popen(
            [sys.executable, "-m", "gradwire.worker", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env=environment,
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
        """Ask for a worker; False where the nursery cannot be asked now."""
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
                self._program.wait(5)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()

    def _hung(self) -> None:
        if not self.ready and self._program is not None:
            _log.error("the nursery did not become ready within %d s; starting another", _START_S)
            self._program.kill()

    def _read(self) -> None:
        assert self._control is not None
        try:
            message = self._control.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            message = b""
        if message:
            told = msgspec.json.decode(message)
            self.ready = self.ready or "ready" in told
            self._on_message(told)
        else:
            self._died()

    def _died(self) -> None:
        self._disconnect()
        if self._program is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._program.wait(1)
            _log.error("the nursery ended with status %s; starting another", self._program.returncode)
        asyncio.get_running_loop().call_later(_RESTART_S, self._on_death)

    def _disconnect(self) -> None:
        self.ready = False
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
