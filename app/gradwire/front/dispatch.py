"""From an HTTP request to a job and back, as plain ASGI: what is checked here is what needs no look into the body."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

from starlette.types import Receive, Scope, Send

from gradwire.contract import media
from gradwire.contract.frames import Job, Reply
from gradwire.contract.problems import problem
from gradwire.findings import Finding, Refusal
from gradwire.front.intake import ClientLeft, read_body
from gradwire.front.settings import Settings

# A job that is over by then needs nobody to watch whether the client is still there.
_WATCH_S = 0.004
RETRY_AFTER_S = 1
_READ = (media.JSON,)
_WRITTEN = (media.JSON,)


async def run(scope: Scope, receive: Receive, send: Send, job: Job) -> None:
    """Answer a request by running `job` with the request's body."""
    state = scope["app"].state
    try:
        body = await _body(scope, receive, state.settings)
        reply = await _submitted(receive, state.executor.submit(job, body))
    except Refusal as refusal:
        reply = refused(refusal.findings)
    except ClientLeft:
        return
    if reply is not None:
        await answer(send, reply)


def refused(findings: list[Finding]) -> Reply:
    """The problem document for `findings`."""
    status, document = problem(findings)
    return Reply(status=status, media_type=media.PROBLEM, body=document)


async def answer(send: Send, reply: Reply) -> None:
    """Send a finished reply."""
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    if reply.status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if reply.status in (408, 413):
        # The rest of the body will not be read.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _body(scope: Scope, receive: Receive, settings: Settings) -> bytes:
    """The body of a request whose headers are in order. Raises Refusal and ClientLeft."""
    kind = accept = coding = length = None
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value
        elif name == b"accept":
            accept = value if accept is None else accept + b"," + value
        elif name == b"content-encoding":
            coding = value
        elif name == b"content-length":
            length = value
    findings = _header_findings(kind, accept, coding) if scope["method"] == "POST" else []
    if findings:
        raise Refusal(findings)
    if scope["method"] != "POST":
        return b""
    return await read_body(receive, length, most=settings.max_body_bytes, pause_ms=settings.body_timeout_ms)


def _header_findings(kind: bytes | None, accept: bytes | None, coding: bytes | None) -> list[Finding]:
    findings: list[Finding] = []
    if media.readable(_text(kind), _READ) is None:
        message = "the body's Content-Type is not one that is read here"
        findings.append(Finding("unsupported_media_type", message, got=_text(kind), expected=list(_READ)))
    if coding is not None and coding.strip().lower() not in (b"", b"identity"):
        message = "the body's Content-Encoding is not one that is read here"
        findings.append(Finding("unsupported_media_type", message, got=_text(coding), expected=["identity"]))
    if media.negotiate(_text(accept), _WRITTEN) is None:
        message = "the reply cannot be written as Accept asks"
        findings.append(Finding("not_acceptable", message, got=_text(accept), expected=list(_WRITTEN)))
    return findings


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


async def _submitted(receive: Receive, job: Awaitable[Reply]) -> Reply | None:
    """The reply to a submitted job; None where the client left first, which stops the job."""
    current = asyncio.current_task()
    assert current is not None
    loop = asyncio.get_running_loop()
    watcher: asyncio.Task[None] | None = None
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            continue
        left = True
        current.cancel()

    def start_watching() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    timer = loop.call_later(_WATCH_S, start_watching)
    try:
        return await job
    except asyncio.CancelledError:
        if not left:
            raise
        current.uncancel()
        return None
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
