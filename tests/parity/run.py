"""PyTorch's own test data, op_db, sent over HTTP and held to local PyTorch bit for bit.

    python tests/parity/run.py                      everything: a table, and figures in build/parity.json
    python tests/parity/run.py --only 'linalg.*'    the entries whose full name matches
    python tests/parity/run.py --resume             those that the figures lack
    python tests/parity/run.py --sample             the first sample of every entry
    python tests/parity/run.py --errors             error inputs instead of samples

Each entry is compared in a process of its own, forked from one that has imported op_db; exit status 1 where an entry
differs.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.setdefault("OMP_NUM_THREADS", "1")

import httpx
import torch

from server import Server

torch.set_num_threads(1)

from torch.testing._internal.common_methods_invocations import op_db

from parity_entry import Entry, Figures
from parity_errors import ErrorEntry

_SECONDS_AN_ENTRY = 600
_SAMPLE_SECONDS = 30
_ENTRIES_A_CHILD = 12
_COUNTS = (
    *("samples", "methods", "in_place", "gradients", "local_errors"),
    *("cases", "alike", "refused_before", "as_tensors", "no_error"),
)


def main() -> int:
    """Compare, print and write; the exit status."""
    options = _options()
    gc.freeze()
    figures: dict[str, dict[str, Any]] = {}
    path = Path(options.figures)
    if options.resume and path.exists():
        figures = {record["entry"]: record for record in json.loads(path.read_text())["entries"]}
    wanted = [info for info in op_db if re.fullmatch(options.only, info.full_name) and info.full_name not in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    if options.url:
        _all(wanted, options.url, options, figures)
    else:
        with Server(workers=options.jobs, threads=1, deadline_ms=60_000) as server:
            _all(wanted, server.url, options, figures)
            lost = server.workers()
            print(f"workers lost: {lost['lost']}, killed: {lost['killed']}, retired: {lost['retired']}")
    seconds = time.monotonic() - started
    _write(path, figures, seconds)
    return report(figures, seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=".*", help="a regular expression for full names of op_db")
    parser.add_argument("--resume", action="store_true", help="go on from the figures that are there")
    parser.add_argument("--sample", action="store_true", help="one sample of each entry")
    parser.add_argument("--errors", action="store_true", help="the error inputs")
    parser.add_argument("--jobs", type=int, default=2, help="entries at once")
    parser.add_argument("--url", help="a server that runs already, with one thread an op")
    parser.add_argument("--figures", default="build/parity.json")
    return parser.parse_args()


def _all(wanted: list[Any], url: str, options: argparse.Namespace, figures: dict[str, dict[str, Any]]) -> None:
    """Every entry, some after the other in a child process, `jobs` children at once.

    What a child had not compared when it died is compared by another, but for the entry that it died of.
    """
    waiting = [wanted[start : start + _ENTRIES_A_CHILD] for start in range(0, len(wanted), _ENTRIES_A_CHILD)]
    running: dict[int, tuple[list[Any], Path]] = {}
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < options.jobs:
                infos = waiting.pop(0)
                path = Path(folder, infos[0].full_name)
                running[_child(infos, url, options, path)] = (infos, path)
            child, status = os.wait()
            infos, path = running.pop(child)
            records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            if len(records) < len(infos):
                records.append(_lost(infos[len(records)], status))
                if rest := infos[len(records) :]:
                    waiting.insert(0, rest)
            for record in records:
                _keep(record, figures, options)


def _keep(record: dict[str, Any], figures: dict[str, dict[str, Any]], options: argparse.Namespace) -> None:
    figures[record["entry"]] = record
    if record["verdict"] == "differs":
        print(f"{record['entry']}: {'; '.join(record['differences'][:2])}", flush=True)
    if len(figures) % 50 == 0:
        _write(Path(options.figures), figures, 0)


def _child(infos: list[Any], url: str, options: argparse.Namespace, path: Path) -> int:
    """The pid of a process that compares entries, writes a line for each to `path` and ends whatever happens."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    with httpx.Client(base_url=url, timeout=120) as client, path.open("w") as lines:
        for info in infos:
            signal.alarm(_SAMPLE_SECONDS if options.sample else _SECONDS_AN_ENTRY)
            try:
                record = _compared(info, client, options)
            except Exception as error:
                record = Figures(info.full_name, differences=[f"{type(error).__name__}: {error}"[:500]]).record()
            lines.write(json.dumps(record) + "\n")
            lines.flush()
    os._exit(0)


def _compared(info: Any, client: httpx.Client, options: argparse.Namespace) -> dict[str, Any]:
    if options.errors:
        return ErrorEntry(info, client, most=2 if options.sample else None).compare().record()
    return Entry(info, client, most=1 if options.sample else None).compare().record()


def _lost(info: Any, status: int) -> dict[str, Any]:
    return Figures(info.full_name, differences=[f"the local process ended with status {status}"]).record()


def _write(path: Path, figures: dict[str, dict[str, Any]], seconds: float) -> None:
    known = [info.full_name for info in op_db]
    entries = sorted(figures.values(), key=lambda record: known.index(record["entry"]))
    whole = {"torch": torch.__version__, "seconds": round(seconds), "total": len(known), "entries": entries}
    path.write_text(json.dumps(whole, indent=1))


def report(figures: dict[str, dict[str, Any]], seconds: float) -> int:
    """Print the table; 1 where an entry differs."""
    verdicts = Counter(record["verdict"] for record in figures.values())
    print(f"\n{len(figures)} of {len(op_db)} entries of op_db in {seconds:.0f} s")
    for verdict, count in verdicts.most_common():
        print(f"  {verdict:12} {count:4}")
    for key in _COUNTS:
        if any(key in record for record in figures.values()):
            print(f"  {key:14} {sum(record.get(key, 0) for record in figures.values())}")
    unwritable: Counter[str] = Counter()
    for record in figures.values():
        unwritable.update(record["unwritable"])
    for cause, count in unwritable.most_common():
        print(f"  JSON cannot carry {cause}: {count}")
    for record in figures.values():
        if record["verdict"] not in ("passed", "no samples") or record["unwritable"]:
            shown = record["note"] or "; ".join((record["differences"] or record["varying"])[:3])
            print(f"  {record['verdict']:10} {record['entry']}: {shown or record['unwritable']}")
    return 1 if verdicts["differs"] else 0


if __name__ == "__main__":
    sys.exit(main())
