"""In a worker: set it up, then jobs in, replies out, until the front closes the socket."""

from __future__ import annotations

import logging
import os
import signal
import socket
import uuid

from gradwire.contract.frames import LENGTHS, READY, Job, Reply, read_job, reply_head
from gradwire.contract.limits import Limits
from gradwire.contract.page import JobPage
from gradwire.contract.problems import MEDIA_TYPE, problem
from gradwire.findings import Finding
from gradwire.worker import memory, preload, sandbox, state
from gradwire.worker.answer import Answerer

_log = logging.getLogger("gradwire.worker")

# Up to here it is cheaper to take a frame's header and body together, or to send them so.
_SMALL = 65536


def work(channel: socket.socket, page_descriptor: int, limits: Limits) -> int:
    """Answer jobs from `channel` until it is closed; the exit status."""
    # The front alone decides when a worker ends, by closing its socket or by SIGKILL.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    page = JobPage(page_descriptor)
    os.close(page_descriptor)
    answerer = Answerer(limits)
    state.diverge()
    memory.volunteer()
    sandbox.close_files(limits)
    memory.start_threads(limits.threads)
    # What is slow only the first time (autograd's own start, kernels that choose themselves) is not for a client.
    preload.first_graph(page)
    memory.bound(limits)
    sandbox.filter_calls(limits)
    try:
        channel.sendall(READY)
        _serve(channel, answerer, page)
    except (BrokenPipeError, ConnectionResetError):
        # The front has gone, or given this worker up.
        return 0
    return 0


def _serve(channel: socket.socket, answerer: Answerer, page: JobPage) -> None:
    fresh = state.FreshState()
    while (frame := _receive(channel, page)) is not None:
        job, body = frame
        reply = _answer(answerer, job, body, page)
        # The job's memory must be free before the next one comes.
        del frame, body
        reply.retire = reply.retire or fresh.left_open()
        _send(channel, reply)
        del reply
        fresh.restore()


def _answer(answerer: Answerer, job: Job, body: bytes, page: JobPage) -> Reply:
    try:
        return answerer.answer(job, body, page)
    except Exception:
        number = uuid.uuid4().hex
        _log.exception("request %s: a %s job failed", number, job.kind)
        message = f"something went wrong in the server; the operator finds it under {number}"
        status, document = problem([Finding("internal_error", message)])
        return Reply(status=status, media_type=MEDIA_TYPE, body=document)


def _receive(channel: socket.socket, page: JobPage) -> tuple[Job, bytes] | None:
    """The next job and its body; None where the front has closed the socket."""
    lengths = _exactly(channel, LENGTHS.size)
    if lengths is None:
        return None
    page.take()
    header_length, body_length = LENGTHS.unpack(lengths)
    if header_length + body_length <= _SMALL:
        both = _exactly(channel, header_length + body_length)
        return None if both is None else (read_job(both[:header_length]), both[header_length:])
    header = _exactly(channel, header_length)
    body = _exactly(channel, body_length)
    return None if header is None or body is None else (read_job(header), body)


def _exactly(channel: socket.socket, length: int) -> bytes | None:
    """`length` bytes; None where the socket ends before."""
    if length == 0:
        return b""
    # The kernel fills one buffer to its end: a large body is not copied once more here.
    data = channel.recv(length, socket.MSG_WAITALL)
    if len(data) == length:
        return data
    pieces = [data]
    missing = length - len(data)
    while missing and pieces[-1]:
        pieces.append(channel.recv(missing, socket.MSG_WAITALL))
        missing -= len(pieces[-1])
    return None if missing else b"".join(pieces)


def _send(channel: socket.socket, reply: Reply) -> None:
    head = reply_head(reply)
    if len(reply.body) <= _SMALL:
        channel.sendall(head + reply.body)
    else:
        channel.sendall(head)
        channel.sendall(reply.body)
