"""How much memory the front and a worker take for one large tensor, in and out as a binary body.

python benchmarks/memory.py [--megabytes N]

A tensor of 64 MB (16,000,000 float32) is sent and comes back negated, in each pair of formats. Shown is how far the
memory of a process rises above what it had before, as a multiple of the tensor's bytes: of the worker its peak resident
set, with all that it maps; of the front its own memory and, all of them added, the files that it shares with the worker
(sampled every millisecond), whoever maps them. All traffic stays on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import threading
import time
from pathlib import Path

import numpy as np

from services import Service

RUN = "/v1/graphs/run"
SAFETENSORS = "application/x-safetensors"
NPZ = "application/x-npz"
MULTIPART = "multipart/form-data; boundary=b"
NODES = [{"id": "y", "op": "neg", "args": ["$x"]}]
LIMITS = {"GRADWIRE_WORKERS": "1", "GRADWIRE_MAX_BODY_BYTES": str(2**30), "GRADWIRE_MAX_OUTPUT_BYTES": str(2**30)}


def as_safetensors(x: np.ndarray) -> bytes:
    """The whole body in the safetensors format."""
    entry = {"dtype": "F32", "shape": x.shape, "data_offsets": [0, x.nbytes]}
    header = json.dumps({"__metadata__": {"request": json.dumps({"nodes": NODES})}, "x": entry}).encode()
    return len(header).to_bytes(8, "little") + header + x.tobytes()


def as_multipart(x: np.ndarray) -> bytes:
    """The JSON in one part, the tensor in another."""
    tensor = {"encoding": "part", "data": "x", "dtype": "float32", "shape": x.shape}
    request = json.dumps({"inputs": {"x": tensor}, "nodes": NODES}).encode()
    disposition = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n'
    return disposition % b"request" + request + b"\r\n" + disposition % b"x" + x.tobytes() + b"\r\n--b--\r\n"


BODIES = {SAFETENSORS: as_safetensors, MULTIPART: as_multipart}


def kilobytes(pid: int, *names: str) -> int:
    """The sum of lines of /proc/PID/status."""
    lines = dict(line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(lines[name].split()[0]) for name in names)


def children(pid: int) -> list[int]:
    """The processes that `pid` has started."""
    text = "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(child) for child in text.split()]


def shared(pid: int) -> int:
    """Kilobytes in the files of shared memory that `pid` holds."""
    total = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(link.readlink()).startswith("/memfd:gradwire-"):
                total += link.stat().st_blocks // 2
        except OSError:  # closed in the meantime
            continue
    return total


class FrontWatch:
    """Samples the front while a request is under way: its own memory, and the files that it shares or has mapped."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.own = self.all = 0

    def _sample(self) -> None:
        while not self._over.is_set():
            own = kilobytes(self._pid, "RssAnon", "RssFile")
            # A reply's file is closed once it is mapped.
            files = max(shared(self._pid), kilobytes(self._pid, "RssShmem"))
            self.own, self.all = max(self.own, own), max(self.all, own + files)
            time.sleep(0.001)

    def __enter__(self) -> FrontWatch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


def ask(port: int, body: bytes, kind: str, accept: str) -> bytes:
    """One request; the reply's body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", RUN, body, {"Content-Type": kind, "Accept": accept})
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != 200:
        raise SystemExit(answer[:1000].decode())
    return answer


def measured(x: np.ndarray, kind: str, accept: str) -> tuple[float, float, float, float]:
    """Seconds, and the rise of the worker, of the front alone, and of the front with what it shares, in tensors."""
    settings = {"GRADWIRE_HOST": "127.0.0.1", "GRADWIRE_PORT": "{port}", "GRADWIRE_LOG_LEVEL": "warning", **LIMITS}
    with Service("gradwire", ["gradwire", "serve"], settings, ready="/readyz") as service:
        assert service.process is not None
        front = service.process.pid
        for _ in range(3):
            ask(service.port, BODIES[kind](x[:100]), kind, accept)
        workers = [pid for nursery in children(front) for pid in children(nursery)]
        body = BODIES[kind](x)
        before = {pid: kilobytes(pid, "VmRSS") for pid in workers}
        idle = kilobytes(front, "RssAnon", "RssFile"), kilobytes(front, "RssAnon", "RssFile") + shared(front)
        begun = time.perf_counter()
        with FrontWatch(front) as watch:
            answer = ask(service.port, body, kind, accept)
        took = time.perf_counter() - begun
        worker = max(kilobytes(pid, "VmHWM") - before[pid] for pid in workers)
    if (-x).tobytes() not in answer:
        raise SystemExit("the reply does not hold the tensor")
    tensor = x.nbytes / 1024
    return took, worker / tensor, (watch.own - idle[0]) / tensor, (watch.all - idle[1]) / tensor


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=64.0, help="how large the tensor is (10^6 bytes)")
    arguments = parser.parse_args()
    x = np.arange(int(arguments.megabytes * 1e6 / 4), dtype=np.float32)
    print(f"{x.nbytes / 1e6:.0f} MB in and out, on {os.cpu_count()} cores")
    print("| in | out | seconds | worker | front alone | front and shared files |\n|---|---|---|---|---|---|")
    for kind in BODIES:
        for accept in (SAFETENSORS, NPZ):
            took, *rises = measured(x, kind, accept)
            figures = " | ".join(f"{rise:.2f}" for rise in rises)
            print(f"| {kind.partition(';')[0]} | {accept} | {took:.2f} | {figures} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
