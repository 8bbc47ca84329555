"""Run as a program: put a worker's walls around this process, try what a worker must not do, print what came of it.

python attempts.py PARENT FOLDER prints a JSON object: for each attempt `done`, or the name of the exception's errno.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gradwire.contract.limits import Limits
from gradwire.worker import memory, sandbox

PARENT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
FILE = FOLDER / "file"


def call(name: str, *arguments: Any) -> Callable[[], None]:
    """A call of the C library that fails with errno."""

    def attempt() -> None:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
        if function(*arguments) < 0:
            raise OSError(ctypes.get_errno(), name)

    return attempt


def run_mapped_code() -> None:
    """What libraries do that compile their kernels."""
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as memory_map:
        memory_map[0:1] = b"\xc3"


def start_thread() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def compute() -> None:
    x = torch.randn(64, 64, requires_grad=True)
    torch.linalg.svd(x @ x).S.sum().backward()
    torch.nn.functional.conv2d(torch.randn(1, 3, 32, 32), torch.randn(8, 3, 3, 3))


REFUSED: dict[str, Callable[[], Any]] = {
    "a TCP socket": lambda: socket.socket(socket.AF_INET),
    "a UDP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "an IPv6 socket": lambda: socket.socket(socket.AF_INET6),
    "a Unix socket": lambda: socket.socket(socket.AF_UNIX),
    "a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "a pair of sockets": socket.socketpair,
    "writing a file": lambda: FILE.write_text("changed"),
    "appending to a file": lambda: FILE.open("a"),
    "opening a file for both": lambda: FILE.open("r+"),
    "a new file": (FOLDER / "new").touch,
    "a nameless file": lambda: os.open(FOLDER, os.O_TMPFILE | os.O_RDWR),
    "a new folder": (FOLDER / "folder").mkdir,
    "a link": lambda: (FOLDER / "link").symlink_to(FILE),
    "a hard link": lambda: (FOLDER / "link").hardlink_to(FILE),
    "renaming": lambda: FILE.rename(FOLDER / "other"),
    "removing": FILE.unlink,
    "cutting": lambda: os.truncate(FILE, 0),
    "rights": lambda: FILE.chmod(0o777),
    "times": lambda: os.utime(FILE),
    "a pipe with a name": lambda: os.mkfifo(FOLDER / "pipe"),
    "a file in memory": lambda: os.memfd_create("more"),
    "a program": lambda: subprocess.run(["/bin/true"], check=False),
    "becoming a program": lambda: os.execv("/bin/true", ["true"]),
    "a fork": os.fork,
    "killing the parent": lambda: os.kill(PARENT, signal.SIGKILL),
    "stopping its group": lambda: os.killpg(0, signal.SIGSTOP),
    "a descriptor of a process": lambda: os.pidfd_open(PARENT),
    "tracing the parent": call("ptrace", 16, PARENT, 0, 0),
    "reading the parent's memory": call("process_vm_readv", PARENT, 0, 0, 0, 0, 0),
    "a mount": call("mount", b"none", b"/mnt", b"tmpfs", 0, 0),
    "namespaces": call("unshare", 0x10000000),
    "the kernel's ring": call("syscall", 425, 1, 0),
    "BPF": call("syscall", 321 if os.uname().machine == "x86_64" else 280, 0, 0, 0),
    "a larger limit": call("prlimit", 0, 4, (ctypes.c_uint64 * 2)(0, 0), 0),
    "being dumpable again": call("prctl", 4, 1, 0, 0, 0),
    "another root": lambda: os.chroot("/"),
    "another user": lambda: os.setuid(0),
}
REFUSED_BY_LANDLOCK: dict[str, Callable[[], Any]] = {
    "reading the users": Path("/etc/passwd").read_bytes,
    "reading a file outside": FILE.read_bytes,
    "reading the parent's environment": lambda: Path(f"/proc/{PARENT}/environ").read_bytes(),
    "listing the root": lambda: list(Path("/").iterdir()),
}
ALLOWED: dict[str, Callable[[], Any]] = {
    "computing": compute,
    "a thread": start_thread,
    "memory": lambda: bytearray(200_000_000),
    "mapped code": run_mapped_code,
    "reading a module": lambda: Path(str(torch.__file__)).read_bytes(),
    "importing one": lambda: __import__("colorsys"),
    "random bytes": lambda: os.urandom(8),
    "its own maps": Path("/proc/self/maps").read_bytes,
    "the processors": lambda: os.sched_getaffinity(0),
    "limits": lambda: resource.getrlimit(resource.RLIMIT_AS),
    "telling its operator": lambda: print("a line for the log", file=sys.stderr),
}


def outcome(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def main() -> None:
    limits = Limits(sandbox="required")
    memory.volunteer()
    sandbox.close_files(limits)
    memory.start_threads(2)
    memory.bound(limits)
    sandbox.filter_calls(limits)
    kinds = {"refused": REFUSED, "refused by landlock": REFUSED_BY_LANDLOCK, "allowed": ALLOWED}
    found = {kind: {name: outcome(attempt) for name, attempt in tries.items()} for kind, tries in kinds.items()}
    print(json.dumps({**found, "landlock": sandbox.active.landlock}))
    # The process must end by what a crash ends by, and leave nothing.
    os.abort()


if __name__ == "__main__":
    main()
