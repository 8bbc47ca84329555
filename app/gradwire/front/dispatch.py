"""From an HTTP request to a job and back, as plain ASGI: what is checked here is what needs no look into the body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from gradwire.contract import media
from gradwire.contract.frames import Job, Reply
from gradwire.findings import Finding, Refusal
from gradwire.front import codings
from gradwire.front.access.gate import SPENT
from gradwire.front.answering import answer, bug, decline, refused
from gradwire.front.intake import ClientLeft, read_body
from gradwire.front.room import Place
from gradwire.front.settings import Settings

# A job that is over by then needs nobody to watch whether the client is still there.
_WATCH_S = 0.004
_READ = (media.JSON,)
_WRITTEN = (media.JSON,)


async def run(scope: Scope, receive: Receive, send: Send, job: Job) -> None:
    """Answer a request by running `job` with the request's body."""
    head = _head(scope)
    place: Place = scope["app"].state.room.place()
    try:
        reply, unread = await _reply(scope, receive, job, head, place)
        if reply is None:
            return
        if unread:
            await decline(scope, receive, send, reply)
        else:
            place.hold_reply(len(reply.body))
            await answer(send, reply, head.accept_encoding)
    finally:
        place.leave()


async def _reply(scope: Scope, receive: Receive, job: Job, head: _Head, place: Place) -> tuple[Reply | None, bool]:
    """The reply, whatever happens, and whether some of the body is still unread; None where the client has left."""
    state = scope["app"].state
    unread = False
    try:
        if scope["method"] == "POST":
            unread = True
            body = await _body(head, receive, place, state.settings)
            unread = False
        else:
            _raise_if_any(_taken_findings(head))
            body = b""
        return await _watched(receive, state.executor.submit(job, body, scope.get(SPENT))), unread
    except Refusal as refusal:
        return refused(refusal.findings), unread
    except ClientLeft:
        return None, unread
    except asyncio.CancelledError:
        # The server gives up what is still under way when its time to stop is over.
        stopping = Finding("overloaded", "the server is stopping", hint="send the request to another server")
        return refused([stopping]), unread
    except Exception as error:
        return refused([bug(f"{scope['method']} {scope['path']}", error)]), unread


@dataclass(slots=True)
class _Head:
    """The header fields that matter here; those that may stand several times joined."""

    content_type: bytes | None = None
    content_encoding: bytes | None = None
    content_length: bytes | None = None
    accept: bytes | None = None
    accept_encoding: bytes | None = None


def _head(scope: Scope) -> _Head:
    head = _Head()
    for name, value in scope["headers"]:
        if name == b"content-type":
            head.content_type = value
        elif name == b"content-length":
            head.content_length = value
        elif name == b"accept":
            head.accept = value if head.accept is None else head.accept + b"," + value
        elif name == b"accept-encoding":
            head.accept_encoding = value if head.accept_encoding is None else head.accept_encoding + b"," + value
        elif name == b"content-encoding":
            head.content_encoding = value if head.content_encoding is None else head.content_encoding + b"," + value
    return head


async def _body(head: _Head, receive: Receive, place: Place, settings: Settings) -> bytes:
    """The body of a request whose headers are in order. Raises Refusal and ClientLeft."""
    coding = codings.of_body(head.content_encoding)
    _raise_if_any([*_body_findings(head, coding), *_taken_findings(head)])
    return await read_body(
        receive,
        head.content_length,
        None if coding == codings.IDENTITY else coding,
        place,
        most=settings.max_body_bytes,
        pause_ms=settings.body_timeout_ms,
    )


def _raise_if_any(findings: list[Finding]) -> None:
    if findings:
        raise Refusal(findings)


def _body_findings(head: _Head, coding: str | None) -> list[Finding]:
    """What cannot be read of a body, by what its headers say."""
    findings: list[Finding] = []
    kind = _text(head.content_type)
    if media.readable(kind, _READ) is None:
        message = "the body's Content-Type is not one that is read here"
        findings.append(Finding("unsupported_media_type", message, got=kind, expected=list(_READ)))
    if coding is None:
        message = "the body's Content-Encoding is not one that is read here"
        expected = [*codings.READ, codings.IDENTITY]
        got = _text(head.content_encoding)
        findings.append(Finding("unsupported_media_type", message, got=got, expected=expected))
    return findings


def _taken_findings(head: _Head) -> list[Finding]:
    """What the client will not take of the reply."""
    findings: list[Finding] = []
    if media.negotiate(_text(head.accept), _WRITTEN) is None:
        message = "the reply cannot be written as Accept asks"
        findings.append(Finding("not_acceptable", message, got=_text(head.accept), expected=list(_WRITTEN)))
    if codings.wish(head.accept_encoding) is None:
        message = "the reply cannot be coded as Accept-Encoding asks"
        expected = [*codings.READ, codings.IDENTITY]
        findings.append(Finding("not_acceptable", message, got=_text(head.accept_encoding), expected=expected))
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
