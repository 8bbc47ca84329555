"""`multipart/form-data` (RFC 7578): the JSON in the part `request`, and bytes in parts that its tensors name."""

from __future__ import annotations

import logging
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gradwire.contract.memory import Body
from gradwire.findings import Refusal, refuse
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.skeleton import skeleton

REQUEST = "request"
# Each costs some microseconds, however little it holds.
_MOST_PARTS = 10_000
# RFC 2046, section 5.1.1.
_LONGEST_BOUNDARY = 70
_HINT = "parts end with CRLF, two hyphens and the boundary that Content-Type names; two more hyphens end the last"
# What the parser says of a broken body goes to the client, not to the log.
logging.getLogger("python_multipart.multipart").setLevel(logging.CRITICAL)


def read_multipart(body: Body, boundary: str, max_depth: int) -> tuple[Any, Parts]:
    """The document of the part `request`, and all other parts by name, as views of `body`.

    Raises Refusal (`malformed_body`) for what is no multipart body, for a part twice and for one too many.
    """
    if not boundary:
        hint = 'a Content-Type such as multipart/form-data; boundary="…", which HTTP clients write themselves'
        raise refuse("malformed_body", "the Content-Type of a multipart body names its boundary", hint=hint)
    if len(boundary) > _LONGEST_BOUNDARY:
        raise _broken(f"its boundary has more than {_LONGEST_BOUNDARY} characters")
    reader = _Parts(body)
    parser = MultipartParser(
        boundary.encode("latin-1"),
        {
            "on_part_begin": reader.begin,
            "on_header_field": reader.header_name,
            "on_header_value": reader.header_value,
            "on_header_end": reader.header_end,
            "on_headers_finished": reader.headers_end,
            "on_part_data": reader.data,
            "on_part_end": reader.end,
            "on_end": reader.finish,
        },
    )
    try:
        parser.write(body)  # type: ignore[arg-type]  # it looks into it as into bytes, and copies nothing
    except FormParserError as error:
        raise _broken(str(error)) from None
    return reader.document(max_depth)


class _Parts:
    """Is told by the parser what it finds. The whole body is parsed at once, so that all places are places in it."""

    def __init__(self, body: Body) -> None:
        self._body = memoryview(body)
        self.found: dict[str, memoryview] = {}
        self._count = 0
        self._whole = False
        self._fields: dict[bytes, bytes] = {}
        self._field = b""
        self._value = b""
        self._name = ""
        self._start = self._stop = 0

    def begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise _broken(f"it has more than {_MOST_PARTS} parts")
        self._fields = {}
        self._start = self._stop = 0

    def header_name(self, data: bytes, start: int, stop: int) -> None:
        self._field = data[start:stop].lower()
        self._value = b""

    def header_value(self, data: bytes, start: int, stop: int) -> None:
        self._value = data[start:stop]

    def header_end(self) -> None:
        if self._field in self._fields:
            raise _broken(f"a part has the field {_text(self._field)} twice")
        self._fields[self._field] = self._value

    def headers_end(self) -> None:
        kind, options = parse_options_header(self._fields.get(b"content-disposition"))
        if kind != b"form-data" or not options.get(b"name"):
            raise _broken('a part is named by Content-Disposition: form-data; name="…"')
        transfer = self._fields.get(b"content-transfer-encoding", b"binary").strip().lower()
        if transfer not in (b"binary", b"8bit", b"7bit"):
            raise _broken(f"a part has the Content-Transfer-Encoding {_text(transfer)}; bytes are sent as they are")
        try:
            self._name = options[b"name"].decode()
        except UnicodeDecodeError:
            raise _broken("the name of a part is not valid UTF-8") from None
        if self._name in self.found:
            raise _broken(f"it has the part '{self._name[:64]}' twice")

    def data(self, data: bytes, start: int, stop: int) -> None:
        self._start, self._stop = start, stop

    def end(self) -> None:
        self.found[self._name] = self._body[self._start : self._stop]

    def finish(self) -> None:
        self._whole = True

    def document(self, max_depth: int) -> tuple[Any, Parts]:
        """What was found. Raises Refusal where the body was cut off, or has no request."""
        if not self._whole:
            raise _broken("it ends before its last boundary")
        text = self.found.pop(REQUEST, None)
        if text is None:
            names = list(self.found)[:20]
            message = f"a multipart body has its JSON in the part `{REQUEST}`"
            raise refuse("malformed_body", message, got=names, expected=REQUEST)
        return skeleton(bytes(text), max_depth), self.found


def _text(field: bytes) -> str:
    return field[:64].decode("latin-1")


def _broken(why: str) -> Refusal:
    return refuse("malformed_body", f"the body is not multipart/form-data: {why}", hint=_HINT)
