"""API keys: made at random, known to the server by their SHA-256 digests only."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from starlette.types import Scope

from gradwire.findings import Finding

# What may be asked for without a key: whether the server is there, and what it is.
_OPEN = frozenset({"/healthz", "/readyz", "/", "/docs", "/openapi.json", "/problems"})
_OPEN_FOLDERS = ("/docs/", "/problems/")
_BEARER = re.compile(rb"bearer +([A-Za-z0-9._~+/=-]+) *\Z", re.IGNORECASE)


def new_key() -> str:
    """A key with 256 bits of chance, which may stand in a header and in a shell without quotes."""
    return "gw_" + secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """What a server is told of a key: SHA-256 in 64 hex digits. The key cannot be had back from it."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_open(path: str) -> bool:
    """Whether `path` needs no key."""
    return path in _OPEN or path.startswith(_OPEN_FOLDERS)


class Keys:
    """The keys that a server accepts, given as digests in lower case."""

    def __init__(self, digests: tuple[str, ...]) -> None:
        self._digests = [bytes.fromhex(digest) for digest in digests]

    def holder(self, scope: Scope) -> str | Finding:
        """Whose request this is, as a name that is safe to keep; a finding (`unauthorized`) where no key fits."""
        fields = [value for name, value in scope["headers"] if name == b"authorization"]
        if not fields:
            return Finding("unauthorized", "this server asks for a key", expected="Authorization: Bearer KEY")
        bearer = _BEARER.match(fields[0]) if len(fields) == 1 else None
        if bearer is None:
            message = "the Authorization header is not of the form that is read here"
            return Finding("unauthorized", message, expected="Authorization: Bearer KEY")
        digest = hashlib.sha256(bearer[1]).digest()
        # Each is compared, and each as a whole: the time tells nothing of the digests.
        found = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(found):
            return Finding("unauthorized", "this server does not know the key")
        return digest.hex()
