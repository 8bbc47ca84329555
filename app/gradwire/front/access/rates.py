"""How many requests, and how many seconds of workers, one client may have in a while.

The limits and their notation are those of the package `limits`; a window begins with a client's first request in it.
What is left is told in the header fields of draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict

import limits
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import Scope

from gradwire.findings import Finding

Fields = list[tuple[bytes, bytes]]

# Clients whose counts are kept; beyond that, those that have not come for longest are forgotten.
_MOST_CLIENTS = 100_000
_MS = 1000


def parse_rate(text: str) -> limits.RateLimitItem | None:
    """`100/minute`, `5 per 2 hours`, or a bare number: so many a minute; None where the text is empty or 0.

    Raises ValueError for anything else, several limits in one text included.
    """
    text = text.strip()
    if text in ("", "0"):
        return None
    items = limits.parse_many(f"{text}/minute" if text.isdecimal() else text)
    if len(items) != 1 or items[0].amount < 1:
        raise ValueError("not one rate")
    return items[0]


def client_of(scope: Scope) -> str:
    """The address that a request came from; of an IPv6 address the first 64 bits, as one client has all the rest."""
    address = (scope.get("client") or ("",))[0]
    if ":" in address:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    return str(address)


class Rates:
    """Counts by client: `requests` as they come, `compute` (seconds of workers) as they are spent."""

    def __init__(self, requests: limits.RateLimitItem | None, compute: limits.RateLimitItem | None) -> None:
        self._limiter = FixedWindowRateLimiter(_Counters())
        self._requests = requests
        self._compute = None if compute is None else type(compute)(compute.amount * _MS, compute.multiples)
        self._policy = ", ".join(
            f'"{name}";q={item.amount};w={item.get_expiry()}{unit}'
            for name, item, unit in (("requests", requests, ""), ("compute", compute, ';qu="seconds"'))
            if item is not None
        ).encode()

    def admit(self, client: str) -> tuple[Finding, int] | None:
        """Count a request. Where it is one too many: the finding (`rate_limited`), and the seconds to wait."""
        if self._requests is not None and not self._limiter.hit(self._requests, "requests", client):
            return self._refused(self._requests, "requests", client, f"{_spoken(self._requests)} are used up")
        if self._compute is not None and not self._limiter.test(self._compute, "compute", client):
            message = f"{self._compute.amount // _MS} s of workers in {self._compute.get_expiry()} s are used up"
            return self._refused(self._compute, "compute", client, message)
        return None

    def _refused(self, item: limits.RateLimitItem, name: str, client: str, message: str) -> tuple[Finding, int]:
        wait = self._wait(item, name, client)
        return Finding("rate_limited", message, hint=f"come again in {wait} s"), wait

    def spend(self, client: str, seconds: float) -> None:
        """A worker was held for `client` so long."""
        if self._compute is not None:
            self._limiter.hit(self._compute, "compute", client, cost=math.ceil(seconds * _MS))

    def fields(self, client: str) -> Fields:
        """RateLimit-Policy and RateLimit, as things stand for `client`."""
        left = []
        if self._requests is not None:
            left.append(self._left(self._requests, "requests", client, 1))
        if self._compute is not None:
            left.append(self._left(self._compute, "compute", client, _MS))
        return [(b"ratelimit-policy", self._policy), (b"ratelimit", ", ".join(left).encode())]

    def _left(self, item: limits.RateLimitItem, name: str, client: str, unit: int) -> str:
        remaining = self._limiter.get_window_stats(item, name, client).remaining // unit
        return f'"{name}";r={remaining};t={self._wait(item, name, client)}'

    def _wait(self, item: limits.RateLimitItem, name: str, client: str) -> int:
        """Whole seconds until the window ends; at least 1."""
        stats = self._limiter.get_window_stats(item, name, client)
        return max(1, math.ceil(stats.reset_time - time.time()))


def _spoken(item: limits.RateLimitItem) -> str:
    return f"{item.amount} requests in {item.get_expiry()} s"


class _Counters(Storage):
    """Counts that end with their window. Like the package's own storage in memory, but bounded, and without the thread
    that it starts to forget what is over.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        count, end = self._counts.get(key, (0, 0.0))
        if end <= now:
            count, end = 0, now + expiry
        self._counts[key] = count + amount, end
        self._counts.move_to_end(key)
        while len(self._counts) > _MOST_CLIENTS:
            self._counts.popitem(last=False)
        return count + amount

    def get(self, key: str) -> int:
        count, end = self._counts.get(key, (0, 0.0))
        return count if end > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._counts)
        self._counts.clear()
        return count

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)
