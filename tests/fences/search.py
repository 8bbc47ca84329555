# ruff: noqa: T201
"""Search for calls that kill a process, hang it, or touch foreign memory, and compare with what is known.

    python tests/fences/search.py --seconds 600 --ops 'linalg\\..*' --seed 0

Every op is called with legal-looking arguments and hostile variants of them, in children with 2 GiB of memory. A call
that a fence refuses is made all the same once per op, to see that the fence is still needed. The table at the end shows
what is new; docs/fences.md lists what is known.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
import zlib
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import guard
import torch
from bases import added, bases
from forked import Outcome, Watched
from hostile import Variant, later_variants, variants
from known import WAITING, listed

from gradwire.engine.ops import fences
from gradwire.engine.ops.registry import Op, registry

_KINDS = ("torch", "nn.functional", "linalg", "special", "fft", "Tensor", "numpy", "numpy.linalg", "numpy.ndarray")


def main() -> int:
    options = _options()
    if not guard.load():
        print("# no C compiler: only what is written around arguments will show", flush=True)
    guard.clean()
    torch.set_num_threads(1)
    ops = _ops(options.ops)
    deadline = time.monotonic() + options.seconds
    found: list[dict[str, Any]] = []
    totals = {"calls": 0, "returned": 0, "refused": 0, "ops": 0}
    for place, op in enumerate(ops):
        if place % 25 == 0:
            print(f"# {place} of {len(ops)} ops, {op.name}", file=sys.stderr, flush=True)
        if time.monotonic() > deadline:
            print(f"out of time at {op.name}", flush=True)
            break
        for key, value in _search(op, options, found).items():
            totals[key] += value
        totals["ops"] += 1
    print(json.dumps(totals))
    if options.write:
        Path(options.write).write_text("\n".join(json.dumps(one) for one in found) + "\n")
    new = [one for one in found if one["verdict"] == "NEW"]
    for one in new:
        print(f"NEW\t{one['op']}\t{one['kind']}\t{one['edits']}\t{one['call']}")
    return 1 if new else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ops", default=".*", help="a regular expression for whole names")
    parser.add_argument("--cases", type=int, default=300, help="calls per op")
    parser.add_argument("--later", action="store_true", help="only what changes between a call and its backward pass")
    parser.add_argument("--hang", type=float, default=3, help="seconds after which a call hangs")
    parser.add_argument("--write", help="a file for the findings, one JSON object a line")
    return parser.parse_args()


def _ops(pattern: str) -> list[Op]:
    wanted = re.compile(pattern)
    found = [one for one in registry().entries() if isinstance(one, Op) and wanted.fullmatch(one.name)]
    order = {name: place for place, name in enumerate(_KINDS)}
    return sorted(
        (one for one in found if one.name != "setattr"), key=lambda op: (order.get(op.namespace, 99), op.name)
    )


def _search(op: Op, options: argparse.Namespace, found: list[dict[str, Any]]) -> dict[str, int]:
    rng = random.Random(zlib.crc32(f"{options.seed} {op.name}".encode()))
    begun = time.monotonic()
    legal = bases(op, rng)
    cases = list(variants(legal, added(op), rng, options.cases)) if not options.later else []
    cases += later_variants(legal, rng, options.cases if options.later else options.cases // 4)
    ran = Watched(op, cases, options.hang).run()
    for outcome in ran.outcomes:
        confirmed = Watched(op, cases, options.hang * 2).run(indices=[outcome.index]).outcomes
        alone = any(one.kind == outcome.kind for one in confirmed)
        record = _record(op, cases[outcome.index], outcome, alone)
        found.append(record)
        row = (record["verdict"], op.name, outcome.kind, record["edits"], record["call"], outcome.said[:150])
        print("\t".join(map(str, row)), flush=True)
    took = time.monotonic() - begun
    if took > 20:
        print(f"# {op.name}: {took:.0f} s, {ran.calls} calls", file=sys.stderr, flush=True)
    return {"calls": ran.calls, "returned": ran.returned, "refused": ran.refused}


def _verdict(op: Op, outcome: Outcome, alone: bool) -> str:
    """What a finding is, compared with docs/fences.md: only NEW ones are to be looked into."""
    known, name = listed(), fences.key(op.name)
    if outcome.fenced:
        documented = any(name in names for section, names in known.items() if section != WAITING)
        return "fenced" if documented else "fenced, but not in docs/fences.md"
    if outcome.kind == "hang" and name in known[WAITING]:
        return "left to the deadline"
    return "NEW" if alone else "new, but not when alone"


def _record(op: Op, variant: Variant, outcome: Outcome, alone: bool) -> dict[str, Any]:
    try:
        args, kwargs = variant.made()
        call = ", ".join([*map(_shown, args), *(f"{name}={_shown(value)}" for name, value in kwargs.items())])
    except Exception as error:
        call = f"cannot be shown: {error}"
    return {
        "op": op.name, "kind": outcome.kind, "edits": variant.text, "call": call[:600], "said": outcome.said,
        "verdict": _verdict(op, outcome, alone), "torch": torch.__version__,
    }  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        kind = f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
        kind += "" if value.layout is torch.strided else f" {value.layout}"
        if value.layout is torch.strided and value.numel() <= 8 and not value.is_meta and not value.is_mkldnn:
            return f"{kind} {value.detach().tolist()}"
        return kind
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_shown(one) for one in value[:6]) + "]"
    return " ".join(repr(value).split())[:80]


if __name__ == "__main__":
    sys.exit(main())
