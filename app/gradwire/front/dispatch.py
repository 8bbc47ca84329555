"""From an HTTP request to a job and back, as plain ASGI: what is checked here is what needs no look into the body."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable

from starlette.types import Receive, Scope, Send

from gradwire.contract import media
from gradwire.contract.frames import Job, Reply
from gradwire.contract.problems import problem
from gradwire.findings import Finding, Refusal
from gradwire.front.intake import ClientLeft, discard, read_body
from gradwire.front.settings import Settings

_log = logging.getLogger("gradwire.front")

# A job that is over by then needs nobody to watch whether the client is still there.
_WATCH_S = 0.004
RETRY_AFTER_S = 1
# The rest of a body as short as this is in the server's buffers or about to be, and the connection can stay open.
_SHORT = 65536
_READ = (media.JSON,)
_WRITTEN = (media.JSON,)


async def run(scope: Scope, receive: Receive, send: Send, job: Job) -> None:
    """Answer a request by running `job` with the request's body."""
    state = scope["app"].state
    unread = False
    try:
        if scope["method"] == "POST":
            unread = True
            body = await _body(scope, receive, state.settings)
            unread = False
        else:
            body = b""
        reply = await _watched(receive, state.executor.submit(job, body))
    except Refusal as refusal:
        reply = refused(refusal.findings)
    except ClientLeft:
        return
    except asyncio.CancelledError:
        # The server gives up what is still under way when its time to stop is over.
        reply = refused([Finding("overloaded", "the server is stopping", hint="send the request to another server")])
    except Exception as error:
        reply = refused([bug(f"{scope['method']} {scope['path']}", error)])
    if unread and (reply.status == 408 or not _is_short(scope)):
        await _answer_and_close(receive, send, reply)
    else:
        await answer(send, reply)


def refused(findings: list[Finding]) -> Reply:
    """The problem document for `findings`."""
    status, document = problem(findings)
    return Reply(status=status, media_type=media.PROBLEM, body=document)


def bug(request: str, error: Exception) -> Finding:
    """Log an exception that nobody expected; what the client is told of it."""
    number = uuid.uuid4().hex
    _log.error("request %s: %s failed", number, request, exc_info=error)
    return Finding("internal_error", f"something went wrong in the server; the operator finds it under {number}")


async def answer(send: Send, reply: Reply) -> None:
    """Send a finished reply."""
    await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
    await send({"type": "http.response.body", "body": reply.body})


async def _answer_and_close(receive: Receive, send: Send, reply: Reply) -> None:
    """Send a reply to a request whose body has not been read to its end, and close the connection."""
    headers = [*_headers(reply), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    if reply.status != 408:
        await discard(receive)
    await send({"type": "http.response.body", "body": b""})


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    if reply.status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    return headers


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
    findings = _header_findings(kind, accept, coding)
    if findings:
        raise Refusal(findings)
    return await read_body(receive, length, most=settings.max_body_bytes, pause_ms=settings.body_timeout_ms)


def _is_short(scope: Scope) -> bool:
    """Whether the whole body is known to be short."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return length.isdigit() and int(length) <= _SHORT


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


async def _watched(receive: Receive, job: Awaitable[Reply]) -> Reply:
    """The reply to a submitted job. Raises ClientLeft where the client leaves first, which stops the job."""
    watch = _Watch(receive)
    try:
        return await job
    except asyncio.CancelledError:
        if watch.left and watch.current.uncancel() == 0:
            raise ClientLeft from None
        raise
    finally:
        watch.end()


class _Watch:
    """Cancels the task that made it when the client leaves. Only jobs that take a while are watched: small ones are
    over before it would matter, and a second task for each would cost them more than all else here."""

    def __init__(self, receive: Receive) -> None:
        current = asyncio.current_task()
        assert current is not None
        self.current = current
        self.left = False
        self._receive = receive
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_WATCH_S, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self.left = True
        self.current.cancel()

    def end(self) -> None:
        """The job is over; nobody watches any more, so nothing cancels the task after this."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
