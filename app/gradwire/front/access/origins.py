"""Which web pages may drive the service, and by which names it may be reached.

A browser lets any page send a POST to any server, the user's own machine included; what it adds is the `Origin` of the
page. A page of the service itself and pages of CORS_ORIGINS may; programs send no Origin and are not meant.

A page may also have its own name lead to the user's machine (DNS rebinding): then its `Origin` equals the `Host`. So a
server that listens on a loopback address takes no name but localhost for its own, unless ALLOWED_HOSTS has it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from starlette.types import Scope

from gradwire.findings import Finding

_ANY = "*"
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+,;=-]+)(?::([0-9]{0,5}))?\Z")
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#@\s]+)\Z")
_PORTS = {"http": "80", "https": "443"}
# These change nothing and start nothing; a page cannot read what they give.
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Authority:
    """`host` in lower case, an IPv6 address in brackets; `port` empty where none is said."""

    host: str
    port: str


def authority(text: str) -> Authority | None:
    """What a `Host` header names; None where it is malformed."""
    match = _AUTHORITY.match(text.strip().lower())
    return None if match is None else Authority(match[1].rstrip(".") or match[1], match[2] or "")


def split_origin(text: str) -> tuple[str, Authority] | None:
    """Scheme and authority of an `Origin`; None for `null` and for what is no origin."""
    match = _ORIGIN.match(text.strip().lower())
    place = authority(match[2]) if match is not None else None
    return None if match is None or place is None else (match[1], place)


def canonical_origin(text: str) -> str | None:
    """An origin as browsers write it, without the scheme's own port; `*` and `null` as they are; None: no origin."""
    text = text.strip().lower().rstrip("/")
    if text in (_ANY, "null"):
        return text
    parts = split_origin(text)
    if parts is None:
        return None
    scheme, place = parts
    port = "" if place.port == _PORTS.get(scheme) else place.port
    return f"{scheme}://{place.host}:{port}" if port else f"{scheme}://{place.host}"


class Origins:
    """`hosts`: names the service goes by, with or without a port, `*.` before a domain for all below it; empty: any.
    `friends`: canonical origins whose pages may send requests; `*`: all.
    """

    def __init__(self, hosts: tuple[str, ...], friends: tuple[str, ...]) -> None:
        self._hosts = tuple(place for host in hosts if (place := authority(host)) is not None)
        self._friends = frozenset(friends)

    def finding(self, scope: Scope) -> Finding | None:
        """What is wrong with where a request comes from or goes to (`forbidden`)."""
        if scope["method"] in _HARMLESS:
            return None
        host, origin = _fields(scope)
        if origin is None and not self._hosts:
            return None
        reached = authority(host) if host is not None else None
        if self._hosts and not self._serves(reached):
            return Finding("forbidden", "this server does not go by that Host", got=host)
        if origin is None or self._is_friend(origin) or self._is_own(origin, reached, scope):
            return None
        hint = "the operator lists pages that may ask in CORS_ORIGINS, and names of the server in ALLOWED_HOSTS"
        return Finding("forbidden", "pages of that Origin may not send requests here", got=origin, hint=hint)

    def _serves(self, reached: Authority | None) -> bool:
        return reached is not None and any(_covers(allowed, reached) for allowed in self._hosts)

    def _is_friend(self, origin: str) -> bool:
        return _ANY in self._friends or canonical_origin(origin) in self._friends

    def _is_own(self, origin: str, reached: Authority | None, scope: Scope) -> bool:
        """Whether the page came from this server. A proxy may have spoken TLS with the browser: any scheme will do."""
        parts = split_origin(origin)
        if parts is None or reached is None or parts[0] not in _PORTS:
            return False
        scheme, page = parts
        usual = _PORTS[scheme]
        same = page.host == reached.host and (page.port or usual) == (reached.port or usual)
        return same and (bool(self._hosts) or not _is_loopback(scope) or not _is_rebindable(page.host))


def _fields(scope: Scope) -> tuple[str | None, str | None]:
    """`Host` and `Origin`. Two of a kind contradict each other: they are joined, and match nothing."""
    host: bytes | None = None
    origin: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"host":
            host = value if host is None else host + b", " + value
        elif name == b"origin":
            origin = value if origin is None else origin + b", " + value
    return _text(host), _text(origin)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _covers(allowed: Authority, reached: Authority) -> bool:
    if allowed.port and allowed.port != reached.port:
        return False
    if allowed.host == _ANY or allowed.host == reached.host:
        return True
    return allowed.host.startswith("*.") and reached.host.endswith(allowed.host[1:])


def _is_loopback(scope: Scope) -> bool:
    """Whether the request came in on an address that only this machine reaches."""
    server = scope.get("server")
    try:
        return server is not None and ipaddress.ip_address(server[0]).is_loopback
    except ValueError:
        return False


def _is_rebindable(host: str) -> bool:
    """Whether somebody's DNS says where this name leads."""
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return True
    return False
