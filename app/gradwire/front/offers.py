"""Which media types each kind of job reads and writes, in the order of liking; kinds not named: JSON both ways."""

from __future__ import annotations

import msgspec

from gradwire.contract import media
from gradwire.contract.frames import Job
from gradwire.findings import Finding

_JSON = (media.JSON,)
_CALLS = (media.JSON, media.MULTIPART)
_GRAPHS = (*_CALLS, media.SAFETENSORS)
_TENSORS = (media.JSON, media.SAFETENSORS, media.NPZ)
_PICTURES = (media.SVG, media.GRAPHVIZ, media.MERMAID)

READ: dict[str, tuple[str, ...]] = {
    "graph.run": _GRAPHS,
    "graph.draw": _GRAPHS,
    "op.run": _CALLS,
    "autograd": _CALLS,
}
WRITTEN: dict[str, tuple[str, ...]] = {
    "graph.run": _TENSORS,
    "graph.draw": _PICTURES,
    "op.run": _TENSORS,
    "autograd": _TENSORS,
}

# RFC 2046, section 5.1.1. A longer one is handed on as far as the worker needs it to say so.
_LONGEST_BOUNDARY = 71


def reads(job: Job, content_type: str | None) -> Job | Finding:
    """`job` with the media type of its body; a finding where that is not read here."""
    if content_type == media.JSON:
        return job
    offered = READ.get(job.kind, _JSON)
    found = media.readable(content_type, offered)
    if found is None:
        message = "the body's Content-Type is not one that is read here"
        return Finding("unsupported_media_type", message, got=content_type, expected=list(offered))
    if found == media.JSON:
        return job
    parsed = media.parse(content_type or "")
    boundary = "" if parsed is None else parsed.parameters.get("boundary", "")
    return msgspec.structs.replace(job, media_type=found, boundary=boundary[:_LONGEST_BOUNDARY])


def writes(job: Job, accept: str | None) -> Job | Finding:
    """`job` with the media type of its reply; a finding where the client takes none that can be written."""
    offered = WRITTEN.get(job.kind, _JSON)
    found = media.negotiate(accept, offered)
    if found is None:
        message = "the reply cannot be written as Accept asks"
        return Finding("not_acceptable", message, got=accept, expected=list(offered))
    return job if found == job.accept else msgspec.structs.replace(job, accept=found)
