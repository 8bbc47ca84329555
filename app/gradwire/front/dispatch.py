"""From an HTTP request to a job and back, as plain ASGI: what is checked here is what needs no look into the body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from gradwire.contract.frames import Job, Reply
from gradwire.contract.memory import FiledBody
from gradwire.findings import Finding, Refusal
from gradwire.front import batches, codings, offers
from gradwire.front.access.gate import SPENT
from gradwire.front.answering import answer, bug, decline, refused
from gradwire.front.executors import Spent
from gradwire.front.intake import ClientLeft, read_body
from gradwire.front.room import Place
from gradwire.front.settings import Settings

# A job that is over by then needs nobody to watch whether the client is still there.
_WATCH_S = 0.004


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
    body: bytes | FiledBody = b""
    try:
        if scope["method"] == "POST":
            unread = True
            job, body = await _body(job, head, receive, place, state.settings)
            unread = False
        else:
            job = _job(job, head, [])
        return await _watched(receive, _submitted(state, job, body, scope.get(SPENT), place)), unread
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
    finally:
        if isinstance(body, FiledBody):
            body.close()


def _submitted(state: State, job: Job, body: bytes | FiledBody, spent: Spent | None, place: Place) -> Awaitable[Reply]:
    if job.kind == batches.KIND:
        return batches.run(state.executor, state.settings, body, spent, place)
    submitted: Awaitable[Reply] = state.executor.submit(job, body, spent)
    return submitted


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


async def _body(
    job: Job, head: _Head, receive: Receive, place: Place, settings: Settings
) -> tuple[Job, bytes | FiledBody]:
    """The job and body of a request whose headers are in order. Raises Refusal and ClientLeft."""
    coding = codings.of_body(head.content_encoding)
    findings: list[Finding] = []
    read = offers.reads(job, _text(head.content_type))
    if isinstance(read, Finding):
        findings.append(read)
    else:
        job = read
    if coding is None:
        findings.append(_coding_finding(head))
    job = _job(job, head, findings)
    body = await read_body(
        receive,
        head.content_length,
        None if coding == codings.IDENTITY else coding,
        place,
        most=settings.max_body_bytes,
        pause_ms=settings.body_timeout_ms,
    )
    return job, body


def _coding_finding(head: _Head) -> Finding:
    message = "the body's Content-Encoding is not one that is read here"
    expected = [*codings.READ, codings.IDENTITY]
    return Finding("unsupported_media_type", message, got=_text(head.content_encoding), expected=expected)


def _job(job: Job, head: _Head, findings: list[Finding]) -> Job:
    """`job` with the reply's media type. Raises Refusal with `findings` and what the client will not take."""
    written = offers.writes(job, _text(head.accept))
    if isinstance(written, Finding):
        findings.append(written)
    if codings.wish(head.accept_encoding) is None:
        message = "the reply cannot be coded as Accept-Encoding asks"
        expected = [*codings.READ, codings.IDENTITY]
        findings.append(Finding("not_acceptable", message, got=_text(head.accept_encoding), expected=expected))
    if findings or isinstance(written, Finding):
        raise Refusal(findings)
    return written


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
