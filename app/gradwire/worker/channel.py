"""The socket of a worker: jobs come in, replies go out, and what is long lies in memory that both sides see."""

from __future__ import annotations

import os
import socket
from array import array

from gradwire.contract import memory
from gradwire.contract.frames import LENGTHS, READY, SPLIT, Job, Reply, read_job, reply_head
from gradwire.contract.media import JSON
from gradwire.contract.memory import Body
from gradwire.contract.page import JobPage

# Up to here it is cheaper to take a frame's header and body together, or to send them so.
_SMALL = 65536
_INT = array("i").itemsize
# A body, and a file for the next long reply.
_ROOM_FOR_FILES = socket.CMSG_SPACE(2 * _INT)


class Channel:
    """Holds one job at a time."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        # The file for the next long reply. Once it is used, the next job comes with another.
        self._outbox: int | None = None

    def ready(self) -> None:
        """Tell the front that jobs can come."""
        self._channel.sendall(READY)

    def receive(self, page: JobPage) -> tuple[Job, Body] | None:
        """The next job and its body; None where the front has closed the socket."""
        lengths, ancillary, _, _ = self._channel.recvmsg(LENGTHS.size, _ROOM_FOR_FILES, socket.MSG_WAITALL)
        if len(lengths) < LENGTHS.size:
            return None
        page.take()
        header_length, body_length = LENGTHS.unpack(lengths)
        if header_length + body_length <= _SMALL:
            both = self._exactly(header_length + body_length)
            header, body = (None, None) if both is None else (both[:header_length], both[header_length:])
        else:
            header = self._exactly(header_length)
            body = self._exactly(body_length)
        if header is None or body is None:
            return None
        job = read_job(header)
        return job, self._filed(job, body, ancillary) if job.length or job.outbox else body

    def _exactly(self, length: int) -> bytes | None:
        """`length` bytes; None where the socket ends before."""
        if length == 0:
            return b""
        # The kernel fills one buffer to its end: a large body is not copied once more here.
        data = self._channel.recv(length, socket.MSG_WAITALL)
        if len(data) == length:
            return data
        pieces = [data]
        missing = length - len(data)
        while missing and pieces[-1]:
            pieces.append(self._channel.recv(missing, socket.MSG_WAITALL))
            missing -= len(pieces[-1])
        return None if missing else b"".join(pieces)

    def _filed(self, job: Job, body: bytes, ancillary: list[tuple[int, int, bytes]]) -> Body:
        """Take the files that came with a job: the body, where it is in one."""
        files = array("i", b"".join(data for _, _, data in ancillary))
        if job.outbox:
            self._outbox = files.pop()
        if not job.length:
            return body
        try:
            return _read(job, files[0])
        finally:
            os.close(files[0])

    def send(self, reply: Reply) -> None:
        """Send a reply, a long one through the file."""
        pieces = (reply.body, *reply.rest)
        if reply.length > memory.LONG and self._outbox is not None:
            memory.write(self._outbox, pieces)
            os.close(self._outbox)
            self._outbox = None
            self._channel.sendall(reply_head(reply, filed=True))
        elif reply.length <= _SMALL:
            self._channel.sendall(b"".join((reply_head(reply), *pieces)))
        else:
            self._channel.sendall(reply_head(reply))
            for piece in pieces:
                self._channel.sendall(piece)


def _read(job: Job, descriptor: int) -> Body:
    """The body in a file: mapped, but for JSON, which is read as a whole at once."""
    mapped = memory.map_body(descriptor, job.length)
    if job.media_type != JSON:
        return mapped
    text = memory.read(descriptor, 0, job.length)
    if job.kind != SPLIT:  # of which the front will read the parts
        mapped.release()
    return text
