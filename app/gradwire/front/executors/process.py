"""One worker process as the front sees it: a socket, a page of shared memory, and the job that it holds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import cast

from gradwire.contract import page
from gradwire.contract.frames import LENGTHS, Job, Reply, job_head, read_reply
from gradwire.contract.page import JobPage

# Below this, joining head and body is cheaper than writing twice.
_SMALL = 65536


class WorkerProcess(asyncio.Protocol):
    """Holds at most one job. `on_end` is called once, when the process has gone or its socket has broken.

    `job` is the future of the reply; it stays unresolved when the process ends with a job in hand: the pool says what
    that means for the client.
    """

    def __init__(self, on_end: Callable[[WorkerProcess], None]) -> None:
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._chunks: list[bytes] = []
        self._received = 0
        self._needed = 0
        self._pid_descriptor: int | None = None
        self._their_socket: socket.socket | None = None
        self._page_descriptor = page.create()
        self.page = JobPage(self._page_descriptor)
        self.job: asyncio.Future[Reply] | None = None
        self.pid: int | None = None
        self.ended = False

    async def connect(self) -> tuple[int, int]:
        """Make the socket; the two descriptors are for the process: its end, and the page."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self, sock=ours)
        self._their_socket = theirs
        return theirs.fileno(), self._page_descriptor

    def handed_over(self) -> None:
        """The descriptors are on their way: the front keeps none, so that the process's end closes the socket."""
        if self._their_socket is not None:
            self._their_socket.close()
            self._their_socket = None
            os.close(self._page_descriptor)

    def started(self, pid: int) -> None:
        """The process runs. Its descriptor stays valid where its number could be given to another process."""
        self.pid = pid
        with contextlib.suppress(ProcessLookupError):
            self._pid_descriptor = os.pidfd_open(pid)

    def give(self, job: Job, body: bytes) -> asyncio.Future[Reply]:
        """Hand over a job; the future of its reply."""
        assert self._transport is not None
        self.page.clear()
        self.job = asyncio.get_running_loop().create_future()
        head = job_head(job, len(body))
        if len(body) < _SMALL:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        return self.job

    def kill(self) -> None:
        """End the process at once, whatever it does. Its job, if any, gets no reply from here."""
        if self._pid_descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pid_descriptor, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Close the socket: an idle process ends by itself."""
        if self._transport is not None:
            self._transport.abort()
        self.handed_over()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface of asyncio.Transport without being one.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._received += len(data)
        if self._needed == 0 and self._received >= LENGTHS.size:
            self._chunks = [b"".join(self._chunks)]
            header_length, body_length = LENGTHS.unpack_from(self._chunks[0])
            self._needed = LENGTHS.size + header_length + body_length
        if self._needed and self._received >= self._needed:
            self._finish()

    def _finish(self) -> None:
        whole = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        header_length, _ = LENGTHS.unpack_from(whole)
        split = LENGTHS.size + header_length
        self._chunks, self._received, self._needed = [], 0, 0
        reply = read_reply(whole[LENGTHS.size : split], whole[split:])
        job, self.job = self.job, None
        if job is not None and not job.done():
            job.set_result(reply)

    def connection_lost(self, exception: Exception | None) -> None:
        if not self.ended:
            self.ended = True
            if self._pid_descriptor is not None:
                os.close(self._pid_descriptor)
                self._pid_descriptor = None
            self._on_end(self)
