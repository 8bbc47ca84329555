"""What must be true of every reply, whatever was asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from openapi_check import check_reply

from service import LEAKS, read

# What may go wrong on the server's side without being a bug of it.
FORGIVEN = {"worker_lost", "deadline_exceeded", "overloaded"}
_MOST_KEPT = 200


@dataclass
class Tally:
    """Counts, and what was found."""

    statuses: Counter[str] = field(default_factory=Counter)
    # A reply that breaks a promise: what is wrong, the path, the body.
    broken: list[tuple[str, str, str]] = field(default_factory=list)
    # Requests that cost a worker: each is to become a refusal before it runs.
    lost: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.statuses.update(other.statuses)
        self.broken += other.broken
        self.lost += other.lost

    @property
    def requests(self) -> int:
        return self.statuses.total()


def judge(tally: Tally, method: str, path: str, body: bytes, ask: Callable[[], httpx.Response]) -> None:
    """Send a request and count what comes of it."""
    try:
        reply = ask()
    except httpx.TransportError as error:
        tally.statuses["no reply"] += 1
        _note(tally.broken, (f"no reply: {error!r}", path, _text(body)))
        return
    code = _code(reply)
    tally.statuses[f"{reply.status_code} {code}".strip()] += 1
    if code == "worker_lost":
        _note(tally.lost, (path, _text(body)))
    wrong = _wrong(reply, method, path, code)
    if wrong is not None:
        _note(tally.broken, (wrong, path, _text(body)))


def _code(reply: httpx.Response) -> str:
    if reply.headers.get("content-type") != "application/problem+json":
        return ""
    try:
        return str(json.loads(reply.content)["code"])
    except (ValueError, KeyError):
        return "unreadable"


def _wrong(reply: httpx.Response, method: str, path: str, code: str) -> str | None:
    """What is wrong with a reply."""
    if reply.status_code >= 500 and code not in FORGIVEN:
        return f"{reply.status_code} {code}: {reply.text[:300]}"
    if reply.status_code >= 400 and LEAKS.search(reply.text):
        return f"a leak: {reply.text[:1000]}"
    media_type = reply.headers.get("content-type", "")
    try:
        if media_type.partition(";")[0].endswith("json"):
            read(reply)
        check_reply(method, path, reply.status_code, media_type, reply.content)
    except (AssertionError, ValueError) as error:
        return f"not as openapi.json says: {str(error)[:500]}"
    return None


def _note(notes: list[Any], note: Any) -> None:
    if len(notes) < _MOST_KEPT:
        notes.append(note)


def _text(body: bytes) -> str:
    return body[:4000].decode("utf-8", "backslashreplace")
