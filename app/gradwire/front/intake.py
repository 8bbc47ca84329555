"""Reading a request's body into bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable

from starlette.types import Receive

from gradwire.contract import memory
from gradwire.contract.memory import FiledBody
from gradwire.findings import Refusal, refuse
from gradwire.front.decoding import Decoder
from gradwire.front.room import Place

# How long the rest of a refused body is read and forgotten: a connection that is closed with bytes unread is reset, and
# the client may never see why.
_LINGER_S = 2.0
# An object of Python's is larger by some 40 bytes than what it holds: shorter pieces are put together.
_SHORT_PIECE = 4096
# After so much decoded, others have their turn. A member that holds nothing takes as long as so many bytes.
_TURN = 2**18
_OF_MEMBER = 2**13


class ClientLeft(Exception):
    """The client has closed the connection: nobody waits for a reply."""


async def read_body(
    receive: Receive, declared: bytes | None, coding: str | None, place: Place, *, most: int, pause_ms: int
) -> bytes | FiledBody:
    """The whole body, decoded; a long one in a file, the caller's to close.

    `declared` is its Content-Length, `coding` its only coding if it has one, `most` the bytes allowed before and after
    decoding, `pause_ms` the wait between pieces; `place` counts what is held.

    Raises Refusal (`body_too_large`, `request_timeout`, `malformed_body`, `overloaded`) as soon as it is due, and
    ClientLeft.
    """
    if declared is not None and declared.isdigit() and int(declared) > most:
        raise _too_large(most, int(declared))
    body = _Body(most, place)
    decoder = None if coding is None else Decoder(coding)
    try:
        async with asyncio.timeout(pause_ms / 1000) as pause:
            place.leave_by(pause)
            await _fill(body, receive, decoder, pause, pause_ms / 1000)
        return body.taken()
    except TimeoutError:
        message = f"no part of the body came for {pause_ms} ms"
        if place.given_up:
            message = f"the body took more than {pause_ms} ms, and others need the room"
        raise refuse("request_timeout", message, hint="send the request again") from None
    finally:
        place.leave_by(None)
        body.close()


class _Body:
    """The pieces of a body as they come."""

    def __init__(self, most: int, place: Place) -> None:
        self._most = most
        self._place = place
        self._pieces: list[bytes] = []
        self._size = 0
        # Where a long body is written as it comes.
        self._file: int | None = None

    def add(self, piece: bytes) -> None:
        """Raises Refusal (`body_too_large`, `overloaded`)."""
        before = self._size
        self._size += len(piece)
        self.within(self._size)
        self._place.hold(self._size)
        if self._size > memory.LONG:
            if self._file is None:
                self._file = memory.create("body")
                memory.write(self._file, self._pieces)
                self._pieces = []
            memory.write(self._file, (piece,), before)
        elif self._pieces and len(self._pieces[-1]) < _SHORT_PIECE:
            self._pieces[-1] += piece
        else:
            self._pieces.append(piece)

    def within(self, size: int) -> None:
        """Raises Refusal where `size` is over the limit, be it before or after decoding."""
        if size > self._most:
            raise _too_large(self._most, None)

    def taken(self) -> bytes | FiledBody:
        """The whole; a file is the taker's to close."""
        if self._file is not None:
            file, self._file = self._file, None
            return FiledBody(file, self._size)
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def close(self) -> None:
        """Let go of what has not been taken."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


async def _fill(body: _Body, receive: Receive, decoder: Decoder | None, pause: asyncio.Timeout, pause_s: float) -> None:
    """Read to the end; each piece that comes sets `pause` back."""
    sent = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        piece: bytes = message.get("body", b"")
        if piece and decoder is None:
            body.add(piece)
        elif piece and decoder is not None:
            sent += len(piece)
            body.within(sent)
            await _add_in_turns(body, decoder.feed(piece))
        if not message.get("more_body", False):
            if decoder is not None:
                decoder.end()
            return
        pause.reschedule(asyncio.get_running_loop().time() + pause_s)


async def _add_in_turns(body: _Body, pieces: Iterable[bytes]) -> None:
    """Add what a decoder makes; where it makes much of little, other requests have their turns in between."""
    since = 0
    for piece in pieces:
        body.add(piece)
        since += len(piece) or _OF_MEMBER
        if since > _TURN:
            since = 0
            await asyncio.sleep(0)


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
