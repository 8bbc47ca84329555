"""uvicorn's HTTP protocol, with bounds on heads and on what slow clients may cost, and with problem documents."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gradwire.contract.media import PROBLEM
from gradwire.contract.problems import problem
from gradwire.findings import Finding

# The parser itself takes any number of header lines, and keeps them all.
_MOST_HEAD_BYTES = 65536
# Sizes of chunks and what stands beside them, and trailers: so much may come between two bytes of a body, and after it.
_MOST_FRAMING_BYTES = 65536
# A head that another follows.
_CONTINUE = b"HTTP/1.1 100 "
# Up to here copying a body is cheaper than writing from two places.
_JOINED = 65536
_FRAMING = (b"content-length", b"transfer-encoding")
# A client that takes less of its reply in a whole period is as good as gone.
_LEAST_TAKEN = 4096
# How often a connection is looked at that is not read, and the states of TCP in which the client has closed it.
_LOOK_S = 0.05
_ENDED = (7, 8)


class Protocol(HttpToolsProtocol):
    """Refuses what is no HTTP, heads and trailers over 64 KiB, and connections over `most_connections`; lets go of
    clients that send a head, or take a reply, too slowly. Trailers are forgotten, and no upgrade is taken.

    `patience_s` is the time for a whole head, from the connection or from its first byte, and the period in which some
    of a reply must be taken. Slow bodies are the application's matter, which waits for them.
    """

    patience_s = 30.0
    most_connections: int | None = None

    _head_bytes = 0
    _framing_bytes = 0
    _in_head = True
    _body_is_left_out = False
    _reads_framing_again = False
    _running: RequestResponseCycle | None = None
    _writer: _HeadWithBody | None = None
    _looking: asyncio.TimerHandle | None = None
    _refusal: tuple[int, Finding] | None = None
    _waiting_for_head: asyncio.TimerHandle | None = None
    _watching_reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.most_connections is not None and len(self.connections) > self.most_connections:
            self._refuse(503, Finding("overloaded", "there are too many connections", hint="try again later"))
        else:
            self._waiting_for_head = self.loop.call_later(self.patience_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting_for_head()
        self._stop_watching_reader()
        super().connection_lost(exc)
        self._give_up_running()

    # ---- heads

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        # A piece that begins within a body is not counted, whatever of the next head it holds.
        if self._in_head:
            self._head_bytes += len(data)
        else:
            self._framing_bytes += len(data)
        self._feed(data)
        if self.transport.is_closing() or self._refusal is not None:
            return
        if self._in_head and self._head_bytes > _MOST_HEAD_BYTES:
            self.send_400_response("the head of the request is too long")
        elif not self._in_head and self._framing_bytes > _MOST_FRAMING_BYTES:
            self.send_400_response("there is too much in the body that is none of its bytes")
        elif self._in_head and self._head_bytes and self._waiting_for_head is None:
            self._waiting_for_head = self.loop.call_later(self.patience_s, self._head_is_late)
        elif self.cycle is not None and self.cycle.response_complete and self.timeout_keep_alive_task is None:
            # What is left of a body that nobody reads: it must not keep the connection for ever.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _feed(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            while data:
                data = self._rest(data)
        except httptools.HttpParserError as error:
            told = isinstance(error.__context__, _WrongHead)
            self.send_400_response(str(error.__context__) if told else "Invalid HTTP request received.")

    def _rest(self, data: bytes) -> bytes:
        """Parse up to the end, or up to a head that asks for an upgrade: what comes after it.

        An upgrade that is not taken changes nothing (RFC 9110, section 7.8). But the parser leaves out the body of a
        request that asks for one, so a new parser reads it, behind a head that says how long it is.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._body_is_left_out:
                fields = (b"%s: %s\r\n" % field for field in self.scope["headers"] if field[0] in _FRAMING)
                self.parser = httptools.HttpRequestParser(self)
                self._body_is_left_out, self._reads_framing_again = False, True
                self.parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(fields))
                self._reads_framing_again = False
            return data[upgrade.args[0] :]
        return b""

    def on_headers_complete(self) -> None:
        if self._reads_framing_again:
            return
        _check_head(self.headers)
        self._in_head, self._framing_bytes = False, 0
        self._stop_waiting_for_head()
        super().on_headers_complete()
        if self.pipeline and self._looking is None and hasattr(socket, "TCP_INFO"):
            self._looking = self.loop.call_later(_LOOK_S, self._look_for_client)
        # The parser adds trailers to this list: they must not become fields of the head (RFC 9110, section 6.5.1).
        self.headers = []
        self._body_is_left_out = self.parser.should_upgrade() and any(
            name in _FRAMING and value != b"0" for name, value in self.scope["headers"]
        )

    def on_body(self, body: bytes) -> None:
        self._framing_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._body_is_left_out:
            return
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0

    def _head_is_late(self) -> None:
        self._waiting_for_head = None
        if self.transport.is_closing():
            return
        if self._head_bytes:
            message = f"the head of the request took longer than {1000 * self.patience_s:.0f} ms"
            self._refuse(408, Finding("request_timeout", message, hint="send the request again"))
        else:
            self.transport.close()

    def _stop_waiting_for_head(self) -> None:
        if self._waiting_for_head is not None:
            self._waiting_for_head.cancel()
            self._waiting_for_head = None

    # ---- readers

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader(None)

    def resume_writing(self) -> None:
        self._stop_watching_reader()
        super().resume_writing()

    def _watch_reader(self, before: int | None) -> None:
        """`before` is how much there was to take a period ago."""
        left = self.transport.get_write_buffer_size()
        if before is not None and before - left < _LEAST_TAKEN:
            self.transport.abort()
        else:
            self._watching_reader = self.loop.call_later(self.patience_s, self._watch_reader, left)

    def _stop_watching_reader(self) -> None:
        if self._watching_reader is not None:
            self._watching_reader.cancel()
            self._watching_reader = None

    # ---- requests that are sent ahead

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        self._writer = _HeadWithBody(self.transport)
        cycle.transport = self._writer  # type: ignore[assignment]  # all that a cycle asks of one
        super()._start_asgi_task(cycle, app)

    def _give_up_running(self) -> None:
        """The request under way need not be the last one that was read."""
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def _look_for_client(self) -> None:
        """While requests wait for the one before them nothing is read, so that the end is not seen either."""
        self._looking = None
        if self.transport.is_closing() or not self.pipeline:
            return
        connection = self.transport.get_extra_info("socket")
        if connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _ENDED:
            self.transport.abort()
        else:
            self._looking = self.loop.call_later(_LOOK_S, self._look_for_client)

    # ---- refusals

    def send_400_response(self, msg: str) -> None:
        """Answer what could not be parsed as HTTP, and close."""
        if self._in_head or self.cycle is None or not self.cycle.response_started:
            self._refuse(400, Finding("malformed_body", msg))
        else:
            # It is in the body of a request that has its answer.
            self._close()

    def _refuse(self, status: int, finding: Finding) -> None:
        """Answer without asking the application, and close; what came before it is answered first."""
        if self._owes_replies():
            self._refusal = (status, finding)
            self._stop_waiting_for_head()
            return
        _, document = problem([finding])
        head = [
            STATUS_LINE[status],
            *(b"%s: %s\r\n" % header for header in self.server_state.default_headers),
            b"content-type: %s\r\n" % PROBLEM.encode(),
            b"content-length: %d\r\n" % len(document),
            b"retry-after: 1\r\n" if status == 503 else b"",
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"".join(head) + document)
        self._close()

    def _close(self) -> None:
        """Let the client go, and tell so to whoever works for it."""
        self.transport.close()
        self._give_up_running()

    def _owes_replies(self) -> bool:
        """Whether there are requests that are whole and not yet answered."""
        whole = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        return whole or bool(self.pipeline)

    def on_response_complete(self) -> None:
        if self._writer is not None:
            self._writer.flush()
        super().on_response_complete()
        if self._refusal is not None and not self._owes_replies() and not self.transport.is_closing():
            self._refuse(*self._refusal)


class _HeadWithBody:
    """A transport for one response, which sends the head together with the first of the body: one system call less,
    and the client need not wake up twice."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None
        self._begun = False

    def write(self, data: bytes) -> None:
        """Send `data`; a head waits for what comes next."""
        if self._begun:
            self._transport.write(data)
        elif self._head is not None:
            head, self._head, self._begun = self._head, None, True
            if len(data) <= _JOINED:
                self._transport.write(head + data)
            else:
                self._transport.writelines((head, data))
        elif data.startswith(_CONTINUE):
            self._transport.write(data)
        else:
            self._head = data

    def flush(self) -> None:
        """Nothing comes behind the head."""
        if self._head is not None:
            self._transport.write(self._head)
            self._head, self._begun = None, True

    def close(self) -> None:
        """As the transport's."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _WrongHead(Exception):
    """A head that the parser takes and that RFC 9112 does not. The parser ends with an error of its own for it."""


def _check_head(fields: list[tuple[bytes, bytes]]) -> None:
    """Raises _WrongHead for more than one Host (section 3.2), and for codings of transfer that are not read."""
    if sum(name == b"host" for name, _ in fields) > 1:
        raise _WrongHead("a request has one Host field, not several")
    for name, value in fields:
        if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            raise _WrongHead("of transfer codings only chunked is read")


def protocol(patience_ms: int, connections: int | None) -> type[Protocol]:
    """The protocol with these bounds, as uvicorn takes one: a class."""
    bounds: dict[str, Any] = {"patience_s": patience_ms / 1000, "most_connections": connections}
    return type("BoundedProtocol", (Protocol,), bounds)
