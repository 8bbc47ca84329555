"""Content codings (RFC 9110, section 8.4): choosing one by `Accept-Encoding`, and coding replies.

gzip is what every client asks for without being told to, and zlib's would take as long as the rest of a large reply:
ISA-L's writes the same format three to ten times as fast. zstd is as quick and packs numbers tighter.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from isal import isal_zlib
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradwire.contract.memory import Buffer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Codings of requests, in the order in which they are named to clients.
READ = ("gzip", "zstd")
IDENTITY = "identity"
# Below this, a reply goes as it is.
LEAST = 1024
# Up to this, coding takes less time than handing it to a thread: a third of a millisecond.
_AT_ONCE = 65536
# A long reply is tried on its first part; what shrinks by less than this is not worth a client's time.
_SAMPLE = 65536
_WORTH_IT = 0.95

_GZIP_WINDOW = 31
_ELEMENT = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;\s*[qQ]\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?\Z")

# RFC 9110, section 8.4.1.3; and an empty field names nothing.
_ALIASES = {"x-gzip": "gzip", "": IDENTITY}

_VARY = (b"vary", b"Accept-Encoding")
# Fields of a reply that are true of it without a coding only.
_OF_PLAIN = frozenset({b"content-length", b"accept-ranges"})


@dataclass(frozen=True, slots=True)
class Wish:
    """Which coding a client likes best (`identity`: none), and whether it takes replies without one."""

    coding: str
    plain: bool


PLAIN = Wish(IDENTITY, True)


def of_body(header: bytes | None) -> str | None:
    """The coding that a `Content-Encoding` names, `identity` for none; None where it is not read here, or several."""
    if header is None:
        return IDENTITY
    name = header.strip().lower().decode("latin-1")
    name = _ALIASES.get(name, name)
    return name if name in READ or name == IDENTITY else None


def _gzip(body: Buffer) -> bytes:
    packed: bytes = isal_zlib.compress(body, 1, _GZIP_WINDOW)
    return packed


def _zstd(body: Buffer) -> bytes:
    return zstd.compress(body, 1)


_CODERS: dict[str, Callable[[Buffer], bytes]] = {"gzip": _gzip, "zstd": _zstd}


def wish(header: bytes | None) -> Wish | None:
    """What an `Accept-Encoding` asks for; None where it takes nothing that can be written here."""
    return PLAIN if header is None else _wish(header[:1024])


@lru_cache(maxsize=256)
def _wish(header: bytes) -> Wish | None:
    liked = _qualities(header.decode("latin-1"))
    others = liked.get("*")
    plain = liked.get(IDENTITY, 1.0 if others is None else others) > 0
    # zstd for clients that name it: one that takes anything knows gzip, at least.
    order = ("zstd", "gzip") if "zstd" in liked else ("gzip", "zstd")
    best = max(order, key=lambda coding: liked.get(coding, others or 0.0))
    quality = liked.get(best, others or 0.0)
    if quality > 0 and (not plain or quality >= liked.get(IDENTITY, 0.0)):
        return Wish(best, plain)
    return PLAIN if plain else None


def _qualities(header: str) -> dict[str, float]:
    """Codings with their qualities; malformed elements are passed over."""
    liked: dict[str, float] = {}
    for element in header.split(","):
        match = _ELEMENT.match(element)
        if match is not None:
            name = match[1].lower()
            liked[_ALIASES.get(name, name)] = min(1.0, float(match[2] or 1))
    return liked


async def coded(body: Buffer, taken: bytes | None) -> tuple[Buffer, list[tuple[bytes, bytes]]]:
    """`body` as the client of this `Accept-Encoding` gets it, and the header fields that say so."""
    wished = wish(taken) or PLAIN
    if len(body) <= LEAST and wished.plain:
        return body, []
    if wished.coding == IDENTITY:
        return body, [_VARY]
    if len(body) <= _AT_ONCE:
        packed = _packed(body, wished)
    else:
        packed = await asyncio.to_thread(_packed, body, wished)
    if packed is None:
        return body, [_VARY]
    return packed, [_VARY, (b"content-encoding", wished.coding.encode())]


def _packed(body: Buffer, wished: Wish) -> bytes | None:
    """The coded body; None where that gains nothing and the client takes it plain."""
    code = _CODERS[wished.coding]
    if wished.plain and len(body) > _SAMPLE and len(code(body[:_SAMPLE])) > _WORTH_IT * _SAMPLE:
        return None
    packed = code(body)
    return None if wished.plain and len(packed) > _WORTH_IT * len(body) else packed


class Coded:
    """Codes what routes send that are no jobs: pages, the files of /docs, lists. Jobs code their own replies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
        await self._app(scope, receive, _Coding(send, taken or None))


class _Coding:
    """Holds a reply back until it is whole."""

    def __init__(self, send: Send, taken: bytes | None) -> None:
        self._send = send
        self._taken = taken
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or _is_coded(self._start):
            await self._pass(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish()

    async def _pass(self, message: Message) -> None:
        start, self._start = self._start, {"headers": [(b"vary", b"accept-encoding")]}
        if "type" in start:
            await self._send(start)
        await self._send(message)

    async def _finish(self) -> None:
        body, fields = await coded(self._body, self._taken)
        kept = self._start["headers"]
        if len(fields) > 1:
            kept = [_of_coded(name, value) for name, value in kept if name not in _OF_PLAIN]
            fields.append((b"content-length", str(len(body)).encode()))
        await self._send({**self._start, "headers": [*kept, *fields]})
        await self._send({"type": "http.response.body", "body": body})


def _is_coded(start: Message) -> bool:
    """Whether the coding of this reply has been chosen already, or is none of ours: a part of a file."""
    return start.get("status") == 206 or any(name in (b"vary", b"content-encoding") for name, _ in start["headers"])


def _of_coded(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A coded reply is not the file byte for byte, so its tag is a weak one (RFC 9110, section 8.8.3.3)."""
    return name, b"W/" + value if name == b"etag" and not value.startswith(b"W/") else value
