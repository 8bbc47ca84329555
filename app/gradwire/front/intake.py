"""Reading a request's body into bounded memory."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.types import Receive

from gradwire.findings import Refusal, refuse

# How long the rest of a refused body is read and forgotten: a connection that is closed with bytes unread is reset, and
# the client may never see why.
_LINGER_S = 2.0


class ClientLeft(Exception):
    """The client has closed the connection: nobody waits for a reply."""


async def read_body(receive: Receive, declared: bytes | None, *, most: int, pause_ms: int) -> bytes:
    """The whole body. `declared` is its Content-Length, `most` the bytes allowed, `pause_ms` the wait between pieces.

    Raises Refusal (`body_too_large`, `request_timeout`) as soon as either limit is passed, and ClientLeft.
    """
    if declared is not None and declared.isdigit() and int(declared) > most:
        raise _too_large(most, int(declared))
    try:
        async with asyncio.timeout(pause_ms / 1000) as pause:
            return await _pieces(receive, most, pause, pause_ms / 1000)
    except TimeoutError:
        message = f"no part of the body came for {pause_ms} ms"
        raise refuse("request_timeout", message, hint="send the request again") from None


async def _pieces(receive: Receive, most: int, pause: asyncio.Timeout, pause_s: float) -> bytes:
    """The body, joined; each piece that comes sets `pause` back."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise _too_large(most, None)
        if piece:
            pieces.append(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pause.reschedule(asyncio.get_running_loop().time() + pause_s)


async def discard(receive: Receive) -> None:
    """Read what is left of a body for a moment, and forget it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


def _too_large(most: int, got: int | None) -> Refusal:
    message = f"a body has at most {most} bytes"
    return refuse("body_too_large", message, got=got, expected=most, hint="send less, or base64 instead of numbers")
