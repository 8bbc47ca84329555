"""PyTorch's own test data, op_db, sent over HTTP and held to local PyTorch bit for bit.

    python tests/parity/run.py                      samples and error inputs: a table, and figures in build/parity.json
    python tests/parity/run.py --only 'linalg.*'    the entries whose full name matches
    python tests/parity/run.py --resume             those that the figures lack
    python tests/parity/run.py --sample             one sample and two error inputs of every entry
    python tests/parity/run.py --docs               write the figures into docs/parity.md, too

Entries are compared in processes forked from one that has imported op_db, so that memory is bounded and an op that ends
its process costs one entry. The exit status is 1 where an entry differs.
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
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.setdefault("OMP_NUM_THREADS", "1")

import httpx
import torch
from parity_entry import Entry, Figures
from parity_errors import ErrorEntry, ErrorFigures
from parity_report import documented, table
from torch.testing._internal.common_methods_invocations import op_db

from server import Server

_KINDS = ("samples", "errors")
_SECONDS_AN_ENTRY = 600
_ENTRIES_A_CHILD = 12
_DOCS = HERE.parent.parent / "docs" / "parity.md"

Record = dict[str, Any]


def main() -> int:
    """Compare, print and write; the exit status."""
    torch.set_num_threads(1)
    gc.freeze()
    options = _options()
    run = Run(options)
    if options.url:
        run.everything(options.url)
    else:
        with Server(workers=options.jobs, threads=1, deadline_ms=60_000) as server:
            run.everything(server.url)
            run.whole["workers"] = server.workers()
    run.write()
    print(table(run.whole))
    if options.docs:
        _DOCS.write_text(documented(_DOCS.read_text(), run.whole))
    return int(any(record["verdict"] == "differs" for kind in _KINDS for record in run.whole[kind]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=".*", help="a regular expression for full names of op_db")
    parser.add_argument("--what", choices=_KINDS, nargs="*", default=_KINDS, help="both, if left out")
    parser.add_argument("--resume", action="store_true", help="go on from the figures that are there")
    parser.add_argument("--sample", action="store_true", help="one sample and two error inputs of each entry")
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/parity.md")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once, and workers")
    parser.add_argument("--url", help="a server that runs already, with one thread an op")
    parser.add_argument("--figures", type=Path, default=Path("build/parity.json"))
    return parser.parse_args()


class Run:
    """One run over op_db; `whole` is what is written."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.whole: Record = {
            "torch": torch.__version__,
            "total": len(op_db),
            "seconds": 0,
            "samples": [],
            "errors": [],
        }
        if options.resume and options.figures.exists():
            self.whole |= json.loads(options.figures.read_text())
        self.before = self.whole["seconds"]
        self.started = time.monotonic()
        self.url = ""

    def everything(self, url: str) -> None:
        """Samples, then error inputs, of all entries that are wanted and not yet known."""
        self.url = url
        for kind in self.options.what:
            known = {record["entry"] for record in self.whole[kind]}
            wanted = [info for info in op_db if re.fullmatch(self.options.only, info.full_name)]
            self._all(kind, [info for info in wanted if info.full_name not in known])

    def _all(self, kind: str, infos: list[Any]) -> None:
        """Every entry, some after the other in a child process, `jobs` children at once.

        What a child had not compared when it died is compared by another, but for the entry that it died of.
        """
        waiting = [infos[start : start + _ENTRIES_A_CHILD] for start in range(0, len(infos), _ENTRIES_A_CHILD)]
        running: dict[int, tuple[list[Any], Path]] = {}
        with tempfile.TemporaryDirectory() as folder:
            while waiting or running:
                while waiting and len(running) < self.options.jobs:
                    chunk = waiting.pop(0)
                    path = Path(folder, chunk[0].full_name)
                    running[self._child(kind, chunk, path)] = (chunk, path)
                child, status = os.wait()
                chunk, path = running.pop(child)
                records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
                if len(records) < len(chunk):
                    records.append(_lost(kind, chunk[len(records)], status))
                    if rest := chunk[len(records) :]:
                        waiting.insert(0, rest)
                self._keep(kind, records)

    def _child(self, kind: str, infos: list[Any], path: Path) -> int:
        """The pid of a process that compares entries, writes a line for each to `path` and ends whatever happens."""
        sys.stdout.flush()
        if pid := os.fork():
            return pid
        with httpx.Client(base_url=self.url, timeout=120) as client, path.open("w") as lines:
            for info in infos:
                signal.alarm(_SECONDS_AN_ENTRY)
                try:
                    record = self._compared(kind, info, client)
                except Exception as error:
                    record = _figures(kind, info, f"{type(error).__name__}: {error}"[:500])
                lines.write(json.dumps(record) + "\n")
                lines.flush()
        os._exit(0)

    def _compared(self, kind: str, info: Any, client: httpx.Client) -> Record:
        if kind == "errors":
            return ErrorEntry(info, client, most=2 if self.options.sample else None).compare().record()
        return Entry(info, client, most=1 if self.options.sample else None).compare().record()

    def _keep(self, kind: str, records: list[Record]) -> None:
        self.whole[kind] += records
        for record in records:
            if record["verdict"] == "differs":
                print(f"{record['entry']}: {'; '.join(record['differences'][:2])}", flush=True)
        self.write()

    def write(self) -> None:
        """Write the figures so far, in op_db's order."""
        places = {info.full_name: place for place, info in enumerate(op_db)}
        for kind in _KINDS:
            self.whole[kind].sort(key=lambda record: places[record["entry"]])
        self.whole["seconds"] = round(self.before + time.monotonic() - self.started)
        self.options.figures.parent.mkdir(parents=True, exist_ok=True)
        self.options.figures.write_text(json.dumps(self.whole, indent=1))


def _lost(kind: str, info: Any, status: int) -> Record:
    return _figures(kind, info, f"the local process ended with status {status}")


def _figures(kind: str, info: Any, difference: str) -> Record:
    made = ErrorFigures if kind == "errors" else Figures
    return made(info.full_name, differences=[difference]).record()


if __name__ == "__main__":
    sys.exit(main())
