"""Taking the coding off a request's body, piece by piece, in bounded memory."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from gradwire.findings import Refusal, refuse

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# What comes out at once: a kilobyte of compressed zeros makes a megabyte, and other requests wait meanwhile.
_STEP = 2**20
# A member costs time however little it holds. Block gzip has one for 64 KiB.
_MOST_MEMBERS = 10_000
_GZIP_WINDOW = 31
# The most that a decoder must take (RFC 9659, section 3), and more would be memory that nobody counts.
_ZSTD_WINDOW_LOG = 23


class Decoder:
    """Both codings are a row of members (gzip) or frames (zstd), each of which ends where it says so."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._new = _MEMBERS[coding]
        self._member: Any = None
        self._count = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What the next piece of the body decodes to, at most a MiB at a time; of each member something, be it empty.
        Raises Refusal (`malformed_body`).
        """
        while piece:
            if self._member is None:
                self._begin()
            yield from self._of_member(piece)
            yield b""
            if self._member.eof:
                piece = self._member.unused_data
                self._member = None
            else:
                piece = b""

    def _begin(self) -> None:
        self._count += 1
        if self._count > _MOST_MEMBERS:
            raise self._broken(f"it has more than {_MOST_MEMBERS} members")
        self._member = self._new()

    def _of_member(self, piece: bytes) -> Iterator[bytes]:
        member = self._member
        while True:
            try:
                decoded = member.decompress(piece, _STEP)
            except (zlib.error, zstd.ZstdError) as error:
                raise self._broken(str(error)) from None
            if decoded:
                yield decoded
            # zlib gives back what it has not looked at; zstd keeps it.
            piece = getattr(member, "unconsumed_tail", b"")
            if member.eof or (not piece and len(decoded) < _STEP):
                return

    def end(self) -> None:
        """The body is over. Raises Refusal where it was cut off."""
        if self._member is not None or self._count == 0:
            raise self._broken("it ends too soon")

    def _broken(self, why: str) -> Refusal:
        message = f"the body is not what its Content-Encoding says: {why}"
        return refuse("malformed_body", message, got=self._coding)


def _gzip_member() -> Any:
    return zlib.decompressobj(_GZIP_WINDOW)


def _zstd_frame() -> Any:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


_MEMBERS: dict[str, Callable[[], Any]] = {"gzip": _gzip_member, "zstd": _zstd_frame}
