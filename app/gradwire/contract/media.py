"""Media types: reading `Content-Type`, and choosing a reply's type by `Accept` (RFC 9110, sections 8.3 and 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

JSON = "application/json"
PROBLEM = "application/problem+json"
HTML = "text/html"
MULTIPART = "multipart/form-data"
SAFETENSORS = "application/x-safetensors"
NPZ = "application/x-npz"
SVG = "image/svg+xml"
GRAPHVIZ = "text/vnd.graphviz"
MERMAID = "text/vnd.mermaid"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*")
_PARAMETER = re.compile(rf';\s*(?:({_TOKEN})=({_TOKEN}|"(?:[^"\\]|\\.)*")\s*)?')
_QUOTED_PAIR = re.compile(r"\\(.)")
# Outside quoted strings, a comma parts the elements of `Accept`.
_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_QVALUE = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\Z")


@dataclass(frozen=True, slots=True)
class MediaType:
    """A parsed media type; `essence` is `type/subtype` in lower case, parameter names are in lower case."""

    essence: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse(header: str) -> MediaType | None:
    """The media type that a `Content-Type` header or one element of `Accept` names; None where it is malformed."""
    match = _TYPE.match(header)
    if match is None:
        return None
    parameters: dict[str, str] = {}
    place = match.end()
    while place < len(header):
        more = _PARAMETER.match(header, place)
        if more is None:
            return None
        if more[1]:
            value = _QUOTED_PAIR.sub(r"\1", more[2][1:-1]) if more[2].startswith('"') else more[2]
            parameters.setdefault(more[1].lower(), value)
        place = more.end()
    return MediaType(f"{match[1]}/{match[2]}".lower(), parameters)


def readable(header: str | None, offered: Sequence[str]) -> str | None:
    """Which of the `offered` media types a request's `Content-Type` names; None where it is none of them.

    JSON is UTF-8 (RFC 8259, section 8.1), so a `charset` that says otherwise is not readable.
    """
    if header in offered:
        return header
    media = parse(header) if header is not None else None
    if media is None or media.essence not in offered:
        return None
    charset = media.parameters.get("charset", "utf-8").lower()
    return media.essence if charset in ("utf-8", "utf8") else None


def negotiate(header: str | None, offered: Sequence[str]) -> str | None:
    """The media type of `offered` that `Accept` likes best; equal likes go to the earlier one, None if none is taken.

    Without the header, or with an empty one, it is the first.
    """
    if header is None or header in ("", "*/*", offered[0]):
        return offered[0]
    return _negotiate(header[:4096], tuple(offered))


@lru_cache(maxsize=256)
def _negotiate(header: str, offered: tuple[str, ...]) -> str | None:
    ranges = _ranges(header)
    best, best_quality = None, 0.0
    for candidate in offered:
        quality = _quality(candidate, ranges)
        if quality > best_quality:
            best, best_quality = candidate, quality
    return best


def _ranges(header: str) -> dict[str, float]:
    """The media ranges of an `Accept` header with their qualities; malformed elements are passed over."""
    ranges: dict[str, float] = {}
    for element in _ELEMENT.findall(header):
        media = parse(element)
        if media is not None:
            weight = media.parameters.get("q", "1")
            ranges[media.essence] = float(weight) if _QVALUE.match(weight) else 0.0
    return ranges


def _quality(candidate: str, ranges: dict[str, float]) -> float:
    """The quality that the most specific matching range gives to `candidate`; 0 is not acceptable."""
    kind = candidate.partition("/")[0]
    for pattern in (candidate, f"{kind}/*", "*/*"):
        if pattern in ranges:
            return ranges[pattern]
    return 0.0
