"""Sending finished replies, coded as the client takes them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from gradwire.contract import media
from gradwire.contract.frames import Reply
from gradwire.contract.problems import problem
from gradwire.findings import Finding
from gradwire.front import codings
from gradwire.front.intake import discard

_log = logging.getLogger("gradwire.front")

RETRY_AFTER_S = 1
# The rest of a body as short as this is in the server's buffers or about to be, and the connection can stay open.
_SHORT = 65536
_BY_STATUS = {
    401: (b"www-authenticate", b"Bearer"),
    415: (b"accept-encoding", b", ".join(coding.encode() for coding in codings.READ)),
    503: (b"retry-after", str(RETRY_AFTER_S).encode()),
}
# A picture is opened by browsers, and holds words of a client's: it may not do anything.
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_BY_MEDIA = {
    media.SVG: (_NOSNIFF, (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")),
    media.GRAPHVIZ: (_NOSNIFF,),
    media.MERMAID: (_NOSNIFF,),
}

Fields = Iterable[tuple[bytes, bytes]]


def refused(findings: list[Finding]) -> Reply:
    """The problem document for `findings`."""
    status, document = problem(findings)
    return Reply(status=status, media_type=media.PROBLEM, body=document)


def bug(request: str, error: Exception) -> Finding:
    """Log an exception that nobody expected; what the client is told of it."""
    number = uuid.uuid4().hex
    _log.error("request %s: %s failed", number, request, exc_info=error)
    return Finding("internal_error", f"something went wrong in the server; the operator finds it under {number}")


async def answer(send: Send, reply: Reply, taken: bytes | None, fields: Fields = ()) -> None:
    """Send a reply; `taken` is the request's `Accept-Encoding`.

    Returns once all but the last of a long reply is on its way, so that who counts it knows how long it was held.
    """
    body, coded = await codings.coded(reply.body, taken)
    headers = [*_headers(reply, len(body)), *coded, *fields]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if len(body) <= _SHORT:
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def decline(scope: Scope, receive: Receive, send: Send, reply: Reply, fields: Fields = ()) -> None:
    """Send a reply to a request whose body, if it has one, has not been read to its end."""
    if scope["method"] in ("GET", "HEAD") or (reply.status != 408 and _is_short(scope)):
        await answer(send, reply, None, fields)
        return
    headers = [*_headers(reply, len(reply.body)), *fields, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": True})
    if reply.status != 408:
        await discard(receive)
    await send({"type": "http.response.body", "body": b""})


def _headers(reply: Reply, length: int) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", reply.media_type.encode()), (b"content-length", str(length).encode())]
    if reply.timing:
        headers.append((b"server-timing", reply.timing.encode()))
    if reply.status in _BY_STATUS:
        headers.append(_BY_STATUS[reply.status])
    headers += _BY_MEDIA.get(reply.media_type, ())
    return headers


def _is_short(scope: Scope) -> bool:
    """Whether the whole body is known to be short."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return length.isdigit() and int(length) <= _SHORT
