"""docs/ops.md: every op in a line, and what is excluded with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import torch

from gradwire.engine.ops.registry import Entry, Excluded, Op, registry

_LONGEST_SUMMARY = 110
_HEAD = """# Ops

Written by `make docs`; do not edit. As of PyTorch {torch} (CPU) and NumPy {numpy}:
{callable} ops can be called; {excluded} names are excluded, each with the reason (last section).

`GET /v1/ops/{{name}}` describes one with its overloads, its JSON Schema and an example. Names are those of PyTorch's
documentation without the leading `torch.`; each spelling is an op of its own.
"""


def page() -> str:
    """The whole page."""
    entries = sorted(registry().entries(), key=lambda one: one.name)
    ops = [one for one in entries if isinstance(one, Op)]
    excluded = [one for one in entries if isinstance(one, Excluded)]
    head = _HEAD.format(
        torch=torch.__version__.partition("+")[0],
        numpy=np.__version__,
        callable=len(ops),
        excluded=len(excluded),
    )
    parts = [head, _counts(ops, excluded), *_namespaces(ops), _excluded(excluded)]
    return "\n".join(parts)


def _namespace(entry: Entry) -> str:
    return entry.name.rpartition(".")[0] or "torch"


def _grouped(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for one in entries:
        found[_namespace(one)].append(one)
    return found


def _counts(ops: list[Op], excluded: list[Excluded]) -> str:
    mine, others = _grouped(ops), _grouped(excluded)
    lines = ["| namespace | callable | excluded |", "| --- | ---: | ---: |"]
    lines += [
        f"| `{name}` | {len(mine.get(name, ()))} | {len(others.get(name, ()))} |" for name in sorted({*mine, *others})
    ]
    return "\n".join(lines) + "\n"


def _namespaces(ops: list[Op]) -> Iterable[str]:
    for name, members in sorted(_grouped(ops).items()):
        lines = "\n".join(_line(one) for one in members if isinstance(one, Op))
        yield f"## {name}\n\n{lines}\n"


def _line(op: Op) -> str:
    words = [word for word, holds in (("in place", op.in_place), ("random", op.random), ("view", op.view)) if holds]
    flags = f" ({', '.join(words)})" if words else ""
    summary = op.summary
    if len(summary) > _LONGEST_SUMMARY:
        summary = summary[:_LONGEST_SUMMARY].rpartition(" ")[0] + " …"
    return f"- `{op.name}`{flags}{': ' + summary if summary else ''}"


def _excluded(excluded: list[Excluded]) -> str:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for one in excluded:
        # Attributes each say which reference reads them; the name says it here.
        reason = one.reason.replace(f"$x.{one.name.rpartition('.')[2]}", "$x.name")
        by_reason[reason].append(f"`{one.name}`")
    sections = [f"**{reason}** ({len(names)}): {', '.join(names)}\n" for reason, names in sorted(by_reason.items())]
    return "## Excluded\n\n" + "\n".join(sections)
