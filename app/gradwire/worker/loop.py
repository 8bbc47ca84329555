"""In a worker: set it up, then jobs in, replies out, until the front closes the socket."""

from __future__ import annotations

import logging
import os
import signal
import socket
import uuid

from gradwire.contract.frames import Job, Reply
from gradwire.contract.limits import Limits
from gradwire.contract.memory import Body
from gradwire.contract.page import JobPage
from gradwire.contract.problems import MEDIA_TYPE, problem
from gradwire.findings import Finding
from gradwire.worker import memory, preload, sandbox, state
from gradwire.worker.answer import Answerer
from gradwire.worker.channel import Channel

_log = logging.getLogger("gradwire.worker")


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
        _serve(Channel(channel), answerer, page)
    except (BrokenPipeError, ConnectionResetError):
        # The front has gone, or given this worker up.
        return 0
    return 0


def _serve(channel: Channel, answerer: Answerer, page: JobPage) -> None:
    fresh = state.FreshState()
    channel.ready()
    while (frame := channel.receive(page)) is not None:
        job, body = frame
        reply = _answer(answerer, job, body, page)
        # The job's memory must be free before the next one comes.
        del frame, body
        reply.retire = reply.retire or fresh.left_open()
        channel.send(reply)
        del reply
        fresh.restore()


def _answer(answerer: Answerer, job: Job, body: Body, page: JobPage) -> Reply:
    try:
        return answerer.answer(job, body, page)
    except Exception:
        number = uuid.uuid4().hex
        _log.exception("request %s: a %s job failed", number, job.kind)
        message = f"something went wrong in the server; the operator finds it under {number}"
        status, document = problem([Finding("internal_error", message)])
        return Reply(status=status, media_type=MEDIA_TYPE, body=document)
