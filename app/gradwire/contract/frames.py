"""What passes between the front and a worker: jobs one way, replies the other.

A frame is the lengths of its header and of its body, the header (a job or a reply, MessagePack), then the body as it
is. Each worker has a socket of its own and holds one job at a time, so frames need no numbers.
"""

from __future__ import annotations

import struct

import msgspec

LENGTHS = struct.Struct("<IQ")


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of work for a worker.

    `kind` says which road it takes (`graph.run`, `op.run`, `op.describe`, `catalogue`, `devices`), `target` what it is
    about (an op's name). `accept` is the reply's media type, already negotiated; `queued_ms` how long the job waited.
    The body travels beside this header.
    """

    kind: str
    target: str = ""
    media_type: str = "application/json"
    accept: str = "application/json"
    queued_ms: float = 0.0


class Reply(msgspec.Struct, kw_only=True):
    """A finished reply; the front hands `body` to the client as it is.

    `retire`: the worker ran out of memory and should not take another job.
    """

    status: int
    media_type: str
    body: bytes = b""
    retire: bool = False


class ReplyHeader(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A reply as it travels: all but its body."""

    status: int
    media_type: str
    retire: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode_job = msgspec.msgpack.Decoder(Job).decode
_decode_reply = msgspec.msgpack.Decoder(ReplyHeader).decode


def job_head(job: Job, length: int) -> bytes:
    """What goes before a job's body of `length` bytes."""
    header = _encode(job)
    return LENGTHS.pack(len(header), length) + header


def reply_head(reply: Reply) -> bytes:
    """What goes before a reply's body."""
    header = _encode(ReplyHeader(status=reply.status, media_type=reply.media_type, retire=reply.retire))
    return LENGTHS.pack(len(header), len(reply.body)) + header


def read_job(header: bytes) -> Job:
    """The job in a frame's header."""
    return _decode_job(header)


def read_reply(header: bytes, body: bytes) -> Reply:
    """The reply in a frame's header, with its body."""
    head = _decode_reply(header)
    return Reply(status=head.status, media_type=head.media_type, retire=head.retire, body=body)
