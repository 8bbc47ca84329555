"""What passes between the front and a worker: jobs one way, replies the other.

A frame is the lengths of its header and of its body, the header (a job or a reply, MessagePack), then the body as it
is. Each worker has a socket of its own and holds one job at a time, so frames need no numbers. A worker's first frame
is empty: it is ready for jobs.

Bodies travel in the socket, long ones in files of shared memory (memory.py), whose descriptors go beside the header
(SCM_RIGHTS): a job's body in one of its own, and an empty one for the next long reply, as only the front can receive
no descriptors.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import msgspec

from gradwire.contract.memory import Buffer

LENGTHS = struct.Struct("<IQ")
# The kind of a job that cuts a batch into byte ranges of its graphs.
SPLIT = "graph.split"
READY = LENGTHS.pack(0, 0)
# No header is longer; one that is comes from a process that has gone wrong.
_LONGEST_HEADER = 65536


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of work for a worker.

    `kind` says which road it takes (`graph.run`, `op.run`, `op.describe`, `autograd`, `catalogue`, `devices`), `target`
    what it is about (an op's name, a short form's). `media_type` is the body's, `boundary` the parameter of a multipart
    one; `accept` is the reply's media type, already negotiated; `queued_ms` how long the job waited. The body travels
    beside this header, or in a file of `length` bytes; `outbox`: with a file for the next long reply.
    """

    kind: str
    target: str = ""
    media_type: str = "application/json"
    boundary: str = ""
    accept: str = "application/json"
    queued_ms: float = 0.0
    length: int = 0
    outbox: bool = False


class Reply(msgspec.Struct, kw_only=True):
    """A finished reply; the front hands `body` to the client as it is.

    `rest` are further pieces of the body, in a worker only; `timing` is the header field Server-Timing. `retire`: the
    worker ran out of memory and should not take another job.
    """

    status: int
    media_type: str
    body: Buffer = b""
    rest: Sequence[Buffer] = ()
    timing: str = ""
    retire: bool = False

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.body) + sum(map(len, self.rest))


class ReplyHeader(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A reply as it travels: all but its body, which may be the first `filed` bytes of the file for it."""

    status: int
    media_type: str
    timing: str = ""
    filed: int = 0
    retire: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode_job = msgspec.msgpack.Decoder(Job).decode
_decode_reply = msgspec.msgpack.Decoder(ReplyHeader).decode


def job_head(job: Job, length: int) -> bytes:
    """What goes before a job's body of `length` bytes."""
    header = _encode(job)
    return LENGTHS.pack(len(header), length) + header


def reply_head(reply: Reply, *, filed: bool = False) -> bytes:
    """What goes before a reply's body, or all that is sent where that is in the file."""
    length = reply.length
    head = ReplyHeader(
        status=reply.status,
        media_type=reply.media_type,
        timing=reply.timing,
        filed=length if filed else 0,
        retire=reply.retire,
    )
    header = _encode(head)
    return LENGTHS.pack(len(header), 0 if filed else length) + header


def read_job(header: bytes) -> Job:
    """The job in a frame's header."""
    return _decode_job(header)


def read_reply(header: bytes, body: bytes, filed: Callable[[int], Buffer] | None = None) -> Reply:
    """The reply in a frame's header, with its body; `filed` gives so many bytes of the file, where it is there."""
    head = _decode_reply(header)
    found = filed(head.filed) if head.filed and filed is not None else body
    return Reply(status=head.status, media_type=head.media_type, timing=head.timing, retire=head.retire, body=found)


class FrameReader:
    """Puts a frame together from pieces as they come; the other side is not trusted.

    At most one frame is under way at a time, so nothing may follow one.
    """

    def __init__(self, longest_body: int) -> None:
        self._longest_body = longest_body
        self._pieces: list[bytes] = []
        self._received = 0
        self._header = b""
        # Of header and body together; None until the lengths are known.
        self._expected: int | None = None

    def feed(self, piece: bytes) -> tuple[bytes, bytes] | None:
        """Header and body of the frame that `piece` completes. Raises ValueError for what can be no frame."""
        if self._expected is None:
            return self._begin(piece)
        self._pieces.append(piece)
        self._received += len(piece)
        return self._finished()

    def _begin(self, piece: bytes) -> tuple[bytes, bytes] | None:
        """Pieces while the header is not there as a whole; most frames come in one."""
        data = b"".join((*self._pieces, piece)) if self._pieces else piece
        self._pieces, self._received = [data], len(data)
        if len(data) < LENGTHS.size:
            return None
        header_length, body_length = LENGTHS.unpack_from(data)
        if header_length > _LONGEST_HEADER or body_length > self._longest_body:
            raise ValueError(f"a frame of {header_length} + {body_length} bytes")
        split = LENGTHS.size + header_length
        if len(data) < split:
            return None
        self._header = data[LENGTHS.size : split]
        self._pieces, self._received, self._expected = [data[split:]], len(data) - split, body_length
        return self._finished()

    def _finished(self) -> tuple[bytes, bytes] | None:
        assert self._expected is not None
        if self._received < self._expected:
            return None
        if self._received > self._expected:
            raise ValueError("bytes after the end of a frame")
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._received, self._expected = [], 0, None
        return self._header, body
