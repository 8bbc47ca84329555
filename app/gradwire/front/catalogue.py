"""Search and pages over the ops, as a worker described them once."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
# Every word is looked for in every op, in the process that serves everyone.
MAX_WORDS = 256
_MOST_IN_TEXT = 8

# How PyTorch's users write what the documentation names otherwise.
_SHORT_FOR = {"F": "nn.functional", "np": "numpy"}


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for: words, a namespace (`torch` for names without a dot), a status; then which page."""

    q: str = ""
    namespace: str = ""
    status: str = ""
    limit: int = DEFAULT_LIMIT
    offset: int = 0

    @property
    def fingerprint(self) -> int:
        """Ties a cursor to its query, so that it cannot be used with another."""
        return zlib.crc32("\0".join((self.q, self.namespace, self.status)).encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the `total` ops that match, and where the next page begins (None: there is none)."""

    ops: Sequence[dict[str, Any]]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    document: dict[str, Any]
    name: str
    namespace: str
    last: str
    summary: str
    text: str


class Catalogue:
    """All ops by name, as `{"name", "summary", "status", "reason"}`; the `text` of each is searched, not shown."""

    def __init__(self, documents: Iterable[dict[str, Any]]) -> None:
        self._entries = [_entry(document) for document in sorted(documents, key=_by_name)]

    def __len__(self) -> int:
        return len(self._entries)

    def page(self, query: Query) -> Page:
        """The page of `query`: with words, best matches first, else by name."""
        found = [entry for entry in self._entries if _admits(query, entry)]
        phrase = spelled_out(query.q).lower()
        if phrase:
            words = phrase.split()
            ranked = [(rank, entry) for entry in found if (rank := _rank(phrase, words, entry)) is not None]
            # Among equals the shorter name is the more basic op; sorting keeps the rest in order.
            found = [entry for _, entry in sorted(ranked, key=lambda pair: (pair[0], len(pair[1].name)))]
        end = query.offset + query.limit
        more = cursor_of(query, end) if end < len(found) else None
        return Page([entry.document for entry in found[query.offset : end]], len(found), more)


def spelled_out(name: str) -> str:
    """An op's name or namespace as PyTorch's documentation has it: `F.relu` is `nn.functional.relu`."""
    name = name.strip().removeprefix("torch.")
    first, dot, rest = name.partition(".")
    return _SHORT_FOR.get(first, first) + dot + rest


def cursor_of(query: Query, offset: int) -> str:
    """An opaque text that stands for `offset` in the results of `query`."""
    return base64.urlsafe_b64encode(f"{offset}.{query.fingerprint}".encode()).decode().rstrip("=")


def offset_of(query: Query, cursor: str) -> int | None:
    """Where `cursor` leads in the results of `query`; None where it is not a cursor of that query."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    offset, _, fingerprint = text.partition(".")
    if not offset.isdecimal() or len(offset) > 9 or fingerprint != str(query.fingerprint):
        return None
    return int(offset)


def _by_name(document: dict[str, Any]) -> str:
    return str(document["name"])


def _entry(document: dict[str, Any]) -> _Entry:
    shown = {key: value for key, value in document.items() if key != "text"}
    name, summary = document["name"], (document["summary"] or "").lower()
    namespace, _, last = name.rpartition(".")
    return _Entry(shown, name.lower(), namespace or "torch", last.lower(), summary, document.get("text", "").lower())


def _admits(query: Query, entry: _Entry) -> bool:
    if query.status and entry.document["status"] != query.status:
        return False
    return not query.namespace or entry.namespace == spelled_out(query.namespace)


def _rank(phrase: str, words: list[str], entry: _Entry) -> int | None:
    """How well an op matches, smaller is better: its whole name, the last part of it, how either begins, what the name
    holds, then its summary, with other endings of the words, too, then the text. None: not at all."""
    tests = (
        entry.name == phrase,
        entry.last == phrase,
        entry.name.startswith(phrase),
        entry.last.startswith(phrase),
        phrase in entry.name,
        phrase in entry.summary,
        all(word in entry.name or word in entry.summary for word in words),
        all(_stem(word) in entry.name or _stem(word) in entry.summary for word in words),
    )
    found = next((rank for rank, passed in enumerate(tests) if passed), None)
    if found is None and entry.text and len(words) <= _MOST_IN_TEXT:
        found = len(tests) if all(_stem(word) in entry.text or _stem(word) in entry.name for word in words) else None
    return found


def _stem(word: str) -> str:
    """`multip` for multiply and multiplication; short words whole."""
    return word if len(word) < 6 else word[: max(5, len(word) - 3)]
