"""uvicorn's HTTP protocol, with a bound on the head of a request and with refusals as problem documents."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gradwire.contract.media import PROBLEM
from gradwire.contract.problems import problem
from gradwire.findings import Finding

# The parser itself takes any number of header lines, and keeps them all.
_MOST_HEAD_BYTES = 65536


class Protocol(HttpToolsProtocol):
    """Refuses what is no HTTP, and heads over 64 KiB."""

    _head_bytes = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        # A piece that begins within a body is not counted, whatever of the next head it holds.
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > _MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("the head of the request is too long")

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0

    def send_400_response(self, msg: str) -> None:
        """Answer what could not be parsed as HTTP, and close."""
        _, document = problem([Finding("malformed_body", msg)])
        head = [
            STATUS_LINE[400],
            *(b"%s: %s\r\n" % header for header in self.server_state.default_headers),
            b"content-type: %s\r\n" % PROBLEM.encode(),
            b"content-length: %d\r\n" % len(document),
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"".join(head) + document)
        self.transport.close()
