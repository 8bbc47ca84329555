"""The files that a worker may reach, by Landlock: the kernel lets it read below some folders and write nowhere.

With newer kernels it also refuses TCP, and signals and abstract sockets of processes outside (landlock(7)).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_TELL_VERSION, _BENEATH_A_PATH = 1, 1
_WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE, _DEVICE_IOCTL = 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_FOR_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_IOCTL


def version() -> int:
    """Which Landlock the kernel has; 0 where it has none."""
    return max(0, _call(_CREATE_RULESET, None, 0, _TELL_VERSION))


def install(readable: Iterable[Path], writable: Iterable[Path] = ()) -> bool:
    """Let this thread, and those that it starts, read below `readable`, also write below `writable`, and no more.

    Whether the kernel does so. The process must have no_new_privs.
    """
    abi = version()
    if abi < 1:
        return False
    handled = _handled(abi)
    attributes = struct.pack("=QQQ", handled, 0b11 if abi >= 4 else 0, 0b11 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _call(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(ruleset, path, handled & (_READ_FILE | _READ_FOLDER))
        for path in writable:
            _allow(ruleset, path, handled & (_FOR_FILES | _READ_FOLDER))
        return _call(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _handled(abi: int) -> int:
    """All rights on files that this version knows."""
    return (1 << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """Allow `rights` below `path`; a path that is not there needs none."""
    with contextlib.suppress(FileNotFoundError, PermissionError, NotADirectoryError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                rights &= _FOR_FILES
            _call(_ADD_RULE, ruleset, _BENEATH_A_PATH, struct.pack("=Qi", rights, descriptor), 0)
        finally:
            os.close(descriptor)


def _call(number: int, *arguments: bytes | int | None) -> int:
    """The system call's result; -1 where it failed."""
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = ctypes.CDLL(None).syscall(ctypes.c_long(number), *passed)
    return result
