"""What a worker cannot do, whatever runs in it: reach a network, write a file, start a program, touch other processes.

Three walls, all of which an ordinary process may put around itself: no_new_privs (no program could gain rights),
Landlock (which files) and seccomp (which system calls). docs/promises.md says what each of them holds off.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from pathlib import Path

import msgspec
import torch

from gradwire.contract.limits import Limits
from gradwire.worker import landlock, seccomp

_PR_SET_NO_NEW_PRIVS = 38
# What PyTorch, the C library and Python read of the machine while they run; below folders everything.
_MACHINE = """
/usr/lib /lib /lib64 /etc/ld.so.cache /sys/devices/system /sys/fs/cgroup /proc/self /proc/cpuinfo /proc/meminfo
/proc/stat /proc/sys/vm /dev/null /dev/urandom /dev/random
""".split()
_HAS_IT = "it has it"
_CUDA_READABLE = "/usr /etc /opt /sys /proc /dev".split()


class Walls(msgspec.Struct, kw_only=True):
    """Which walls stand."""

    seccomp: bool = False
    landlock: bool = False
    no_new_privs: bool = False


class SandboxMissing(Exception):
    """The sandbox is required, and this system does not give it."""


# Of this process.
active = Walls()


def uses_device() -> bool:
    """Whether CUDA may be used, whose driver needs more than the plain walls leave."""
    return torch.backends.cuda.is_built() and Path("/dev/nvidiactl").exists()


def close_files(limits: Limits) -> None:
    """Gain no more privileges, and reach only the files that are needed. Threads that are started later inherit it."""
    if limits.sandbox == "off":
        return
    active.no_new_privs = ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    if active.no_new_privs:
        active.landlock = landlock.install(readable(), _writable())


def filter_calls(limits: Limits) -> None:
    """Make no system calls but those that computing needs, in all threads. Raises SandboxMissing where required."""
    if limits.sandbox == "off":
        return
    reason = "no_new_privs is refused"
    if active.no_new_privs:
        try:
            seccomp.install(device=uses_device())
            active.seccomp = True
        except seccomp.Unsupported as error:
            reason = f"seccomp: {error.strerror} ({os.strerror(error.errno or 0)})"
    if limits.sandbox != "required":
        return
    if not active.seccomp:
        raise SandboxMissing(reason)
    if uses_device() and not active.landlock:
        raise SandboxMissing("landlock: the kernel has none, and seccomp alone cannot keep CUDA's driver from files")


def missing(limits: Limits) -> str | None:
    """Why workers could not have the sandbox that `limits` require; None where they can. Tried out in a fork."""
    if limits.sandbox != "required":
        return None
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = _HAS_IT
        try:
            close_files(limits)
            filter_calls(limits)
        except BaseException as error:
            said = str(error)
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read().decode()
    os.waitpid(pid, 0)
    return None if said == _HAS_IT else said or "the process that tried it was killed"


@functools.cache
def readable() -> tuple[Path, ...]:
    """Where Python's modules, PyTorch's libraries and the machine's description lie; asked first when all is loaded."""
    files = [Path(file) for name, module in list(sys.modules.items()) if "." not in name and (file := _file(module))]
    packages = {file.parent.parent if file.name.startswith("__init__.") else file.parent for file in files}
    maps = Path("/proc/self/maps").read_text(errors="replace").splitlines()
    libraries = {Path(line.split(maxsplit=5)[5]).parent for line in maps if "/" in line and ".so" in line}
    found = {*packages, *libraries, *map(Path, _MACHINE)}
    if uses_device():
        found |= set(map(Path, _CUDA_READABLE))
    return tuple(sorted(path for path in found if path != Path("/")))


def _file(module: object) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) and file.startswith("/") else None


def _writable() -> list[Path]:
    """Nothing; with CUDA its devices, its cache, and the names of its threads."""
    if not uses_device():
        return []
    return [*Path("/dev").glob("nvidia*"), Path("/dev/shm"), Path("/proc/self"), Path.home() / ".nv"]
