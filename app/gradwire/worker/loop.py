"""In a worker: set it up, then jobs in, replies out, until the front closes the socket."""

from __future__ import annotations

import logging
import resource
import signal
import socket
import uuid
import warnings

import numpy as np
import torch

from gradwire.contract.frames import LENGTHS, Job, Reply, read_job, reply_head
from gradwire.contract.limits import Limits
from gradwire.contract.page import JobPage
from gradwire.contract.problems import MEDIA_TYPE, problem
from gradwire.findings import Finding
from gradwire.worker.answer import Answerer

_log = logging.getLogger("gradwire.worker")


def work(channel: socket.socket, page_descriptor: int, limits: Limits) -> int:
    """Answer jobs from `channel` until it is closed; the exit status."""
    _prepare(limits)
    page = JobPage(page_descriptor)
    answerer = Answerer(limits)
    while (frame := _receive(channel)) is not None:
        job, body = frame
        reply = _answer(answerer, job, body, page)
        # The job's memory must be free before the next one comes.
        del frame, body
        _send(channel, reply)
        del reply
        _reset()
    return 0


def _prepare(limits: Limits) -> None:
    """Signals, limits and threads of one worker."""
    # The front alone decides when a worker ends, by closing its socket or by SIGKILL.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Threads take memory of their own when they start, so they come before the limit.
    torch.set_num_threads(limits.threads)
    if limits.threads > 1:
        torch.ones(100_000).sum()
    # With CUDA the address space is far larger than the memory, so what a process may write to is limited there.
    kind = resource.RLIMIT_DATA if torch.backends.cuda.is_built() else resource.RLIMIT_AS
    resource.setrlimit(kind, (limits.worker_memory_bytes, limits.worker_memory_bytes))


def _answer(answerer: Answerer, job: Job, body: bytes, page: JobPage) -> Reply:
    try:
        return answerer.answer(job, body, page)
    except Exception:
        number = uuid.uuid4().hex
        _log.exception("request %s: a %s job failed", number, job.kind)
        message = f"something went wrong in the server; the operator finds it under {number}"
        status, document = problem([Finding("internal_error", message)])
        return Reply(status=status, media_type=MEDIA_TYPE, body=document)


def _reset() -> None:
    """Process-wide state that a job could have changed goes back to what a fresh process has."""
    torch.set_grad_enabled(True)
    if torch.get_default_dtype() is not torch.float32:
        torch.set_default_dtype(torch.float32)
    if torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(False)
    if torch.is_anomaly_enabled():
        torch.autograd.set_detect_anomaly(False)
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")


def _receive(channel: socket.socket) -> tuple[Job, bytes] | None:
    """The next job and its body; None where the front has closed the socket."""
    lengths = _exactly(channel, LENGTHS.size)
    if lengths is None:
        return None
    header_length, body_length = LENGTHS.unpack(lengths)
    header = _exactly(channel, header_length)
    body = _exactly(channel, body_length)
    if header is None or body is None:
        return None
    return read_job(bytes(header)), bytes(body)


def _exactly(channel: socket.socket, length: int) -> bytes | bytearray | None:
    """`length` bytes; None where the socket ends before."""
    first = channel.recv(length) if length else b""
    if len(first) == length:
        return first
    buffer = bytearray(length)
    view, filled = memoryview(buffer), len(first)
    view[:filled] = first
    while filled < length and first:
        received = channel.recv_into(view[filled:])
        if received == 0:
            return None
        filled += received
    return buffer if filled == length else None


def _send(channel: socket.socket, reply: Reply) -> None:
    head = reply_head(reply)
    if len(reply.body) < 65536:
        channel.sendall(head + reply.body)
    else:
        channel.sendall(head)
        channel.sendall(reply.body)
