"""What is said of a name that cannot be called: why the op is left out, or that there is none."""

from __future__ import annotations

from gradwire.engine.ops.registry import Entry, Excluded, registry
from gradwire.findings import Finding, Source


def uncallable(entry: Entry | None, name: str, source: Source = Source(), what: str = "op") -> Finding:
    """The finding for `name`, whose entry is excluded (`excluded_op`) or not there (`unknown_op`, with the nearest)."""
    if isinstance(entry, Excluded):
        return Finding("excluded_op", f"{entry.name} cannot be called: {entry.reason}", source, got=name)
    close = registry().nearest(name)
    hint = f"did you mean {' or '.join(close)}?" if close else "GET /v1/ops lists every op"
    return Finding("unknown_op", f"there is no {what} called '{name[:128]}'", source, got=name, hint=hint)
