"""Reading a request's body into bounded memory."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive

from gradwire.findings import refuse


class ClientLeft(Exception):
    """The client has closed the connection: nobody waits for a reply."""


async def read_body(receive: Receive, declared: bytes | None, *, most: int, pause_ms: int) -> bytes:
    """The whole body. `declared` is its Content-Length, `most` the bytes allowed, `pause_ms` the wait between pieces.

    Raises Refusal (`body_too_large`, `request_timeout`) as soon as either limit is passed, and ClientLeft.
    """
    if declared is not None and declared.isdigit() and int(declared) > most:
        raise _too_large(most, int(declared))
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await _piece(receive, pause_ms)
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_large(most, None)
        if chunk:
            chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _piece(receive: Receive, pause_ms: int) -> Message:
    try:
        async with asyncio.timeout(pause_ms / 1000):
            return await receive()
    except TimeoutError:
        message = f"no part of the body came for {pause_ms} ms"
        raise refuse("request_timeout", message, hint="send the request again") from None


def _too_large(most: int, got: int | None) -> Exception:
    message = f"a body has at most {most} bytes"
    return refuse("body_too_large", message, got=got, expected=most, hint="send less, or base64 instead of numbers")
