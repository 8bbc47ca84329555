"""One worker process as the front sees it: a socket, a page of shared memory, and the job that it holds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from typing import Protocol, cast

import msgspec

from gradwire.contract import memory, page
from gradwire.contract.frames import FrameReader, Job, Reply, job_head, read_reply
from gradwire.contract.memory import FiledBody
from gradwire.contract.page import JobPage

# Below this, joining head and body is cheaper than writing twice.
_SMALL = 65536


class Owner(Protocol):
    """Who is told what becomes of a worker."""

    def worker_ready(self, worker: WorkerProcess) -> None:
        """It has warmed up and can take its first job."""

    def worker_ended(self, worker: WorkerProcess) -> None:
        """Its socket has closed: the process has gone, or was let go. Told once."""


class WorkerProcess(asyncio.Protocol):
    """Holds at most one job. `job` is the future of its reply; it stays unresolved when the process ends with the job
    in hand, since the owner knows what that means for the client.
    """

    def __init__(self, number: int, owner: Owner, longest_reply: int) -> None:
        self.number = number
        self._owner = owner
        self._longest_reply = longest_reply
        self._reader = FrameReader(longest_reply)
        self._socket: socket.socket
        # A file for the worker's next long reply; None until the next job.
        self._outbox: int | None = None
        self._transport: asyncio.Transport | None = None
        self._pid_descriptor: int | None = None
        self._theirs: tuple[socket.socket, int] | None = None
        self.page: JobPage
        self.job: asyncio.Future[Reply] | None = None
        # Whether the running node's place in the page is its place among the request's own nodes.
        self.runs_graph = False
        self.pid: int | None = None
        # Kills a process that does not become ready.
        self.watchdog: asyncio.TimerHandle | None = None
        self.ended = False

    async def connect(self) -> tuple[int, int]:
        """Make socket and page; the two descriptors are for the process. `handed_over` closes them here."""
        ours, theirs = socket.socketpair()
        self._theirs = theirs, page.create()
        self.page = JobPage(self._theirs[1])
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        ours.setblocking(False)
        self._socket = ours
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        return theirs.fileno(), self._theirs[1]

    def handed_over(self) -> None:
        """The descriptors are on their way: the front keeps none, so that the process's end closes the socket."""
        if self._theirs is not None:
            self._theirs[0].close()
            os.close(self._theirs[1])
            self._theirs = None

    def started(self, pid: int, descriptor: int | None) -> None:
        """The process runs as `pid`. By `descriptor` it can be killed where its number may be another's by then."""
        self.pid = pid
        self._pid_descriptor = descriptor

    def warm(self) -> None:
        """It has become ready, or its end is known: it needs no watching any more."""
        if self.watchdog is not None:
            self.watchdog.cancel()
            self.watchdog = None

    def give(self, job: Job, body: bytes | FiledBody) -> asyncio.Future[Reply]:
        """Hand over a job; the future of its reply. A body in a file stays the giver's to close."""
        assert self._transport is not None
        self.page.clear()
        self.runs_graph = job.kind in ("graph.run", "graph.draw", "autograd")
        self.job = asyncio.get_running_loop().create_future()
        if self._outbox is None or not isinstance(body, bytes):
            job, files, body = self._files(job, body)
            self._send_head(job_head(job, len(body)), files)
            self._transport.write(body)
            return self.job
        head = job_head(job, len(body))
        if len(body) < _SMALL:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        return self.job

    def _files(self, job: Job, body: bytes | FiledBody) -> tuple[Job, list[int], bytes]:
        """What goes along with a job in files, and the body that does not."""
        files = []
        if isinstance(body, FiledBody):
            job = msgspec.structs.replace(job, length=len(body))
            files.append(body.descriptor)
            body = b""
        if self._outbox is None:
            self._outbox = memory.create("outbox", self._longest_reply, sealed=True)
            job = msgspec.structs.replace(job, outbox=True)
            files.append(self._outbox)
        return job, files, body

    def _send_head(self, head: bytes, files: list[int]) -> None:
        """Past the transport, which knows no descriptors. It has nothing left to send: the worker waits for a job."""
        # Where the worker has died, the transport is about to say so.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._socket, [head], files)

    def _filed(self, length: int) -> memoryview:
        """The reply in the outbox, which the next job comes with another of."""
        if self._outbox is None or length > self._longest_reply:
            raise ValueError(f"a reply of {length} bytes in a file")
        try:
            return memory.frozen(self._outbox, length)
        except OSError as error:
            raise ValueError("a reply in a file that could still be changed") from error
        finally:
            self._close_outbox()

    def _close_outbox(self) -> None:
        if self._outbox is not None:
            os.close(self._outbox)
            self._outbox = None

    def kill(self) -> None:
        """End the process at once, whatever it does. Its job, if any, gets no reply from here."""
        with contextlib.suppress(ProcessLookupError):
            if self._pid_descriptor is not None:
                signal.pidfd_send_signal(self._pid_descriptor, signal.SIGKILL)
            elif self.pid is not None and not self.ended:
                # A kernel without pidfds: the number is safe while the socket is open.
                os.kill(self.pid, signal.SIGKILL)
        self.let_go()

    def let_go(self) -> None:
        """Close the socket: a process that waits for a job ends by itself."""
        self.handed_over()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface of asyncio.Transport without being one.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            frame = self._reader.feed(data)
            if frame is not None:
                self._received(*frame)
        except ValueError:
            # Not a frame, or not of a reply (msgspec's errors are ValueErrors): its memory is broken.
            self.kill()

    def _received(self, header: bytes, body: bytes) -> None:
        if not header:
            self._owner.worker_ready(self)
            return
        reply = read_reply(header, body, self._filed)
        job, self.job = self.job, None
        if job is not None and not job.done():
            job.set_result(reply)

    def connection_lost(self, exception: Exception | None) -> None:
        if not self.ended:
            self.ended = True
            self.warm()
            self._owner.worker_ended(self)
            self._forget()

    def _forget(self) -> None:
        """Give back what the front held of it."""
        self._close_outbox()
        if self._pid_descriptor is not None:
            os.close(self._pid_descriptor)
            self._pid_descriptor = None
        if self.pid is not None:
            # An orphan of a dead nursery becomes the front's own child where the front is process 1.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
