"""Memory that front and worker both see, for bodies and replies that are too long to be copied through a socket.

Each is a file without a name (memfd_create(2)) whose descriptor travels beside a frame. It is gone with the last
descriptor and mapping, so that a process that is killed leaves nothing behind.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterable
from typing import TypeAlias

Buffer: TypeAlias = bytes | memoryview

# From here on a file costs less time than the copies through a socket: benchmarks/README.md.
LONG = 1 << 20


class MappedBody(mmap.mmap):
    """A body in shared memory, as the worker sees it: what its readers ask of bytes, without a copy."""

    def startswith(self, prefix: bytes, start: int = 0, stop: int | None = None) -> bool:
        """As `bytes.startswith`."""
        end = start + len(prefix)
        return end <= (len(self) if stop is None else stop) and self[start:end] == prefix

    def release(self) -> None:
        """Give its memory back, in all processes; from now on it reads as zeros."""
        self.madvise(mmap.MADV_REMOVE)


# In a worker.
Body: TypeAlias = bytes | MappedBody


def create(what: str, size: int = 0, *, sealed: bool = False) -> int:
    """The descriptor of a new file of `size` bytes, of which those take memory that have been written.

    `what` is for people who look into /proc. `sealed`: nobody can make it longer or shorter, so that mapping it is safe
    whoever else has it.
    """
    descriptor = os.memfd_create(f"gradwire-{what}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    if sealed:
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return descriptor


def frozen(descriptor: int, size: int) -> memoryview:
    """The first bytes of a sealed file, which nobody can change from now on. Raises OSError where somebody still could:
    who has mapped it for writing.
    """
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)
    # A shared mapping of such a file is refused by kernels before 6.7. The pages are the file's own in this one too.
    return memoryview(mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ))


def write(descriptor: int, buffers: Iterable[Buffer], offset: int = 0) -> int:
    """Write `buffers` one behind the other from `offset` on; where they end."""
    for buffer in buffers:
        view = memoryview(buffer)
        while view:
            written = os.pwrite(descriptor, view, offset)
            offset += written
            view = view[written:]
    return offset


def read(descriptor: int, start: int, stop: int) -> bytes:
    """The bytes of a file from `start` to `stop`."""
    pieces = []
    while start < stop and (piece := os.pread(descriptor, stop - start, start)):
        pieces.append(piece)
        start += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class FiledBody:
    """A body in a file, as the front holds it until its request is over."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor = descriptor
        self._size = size

    def __len__(self) -> int:
        return self._size

    def piece(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`."""
        return read(self.descriptor, start, stop)

    def close(self) -> None:
        """Let go of it; a worker that has it keeps what it has."""
        os.close(self.descriptor)


def map_body(descriptor: int, size: int) -> MappedBody:
    """The body in a file. The descriptor can be closed after that."""
    return MappedBody(descriptor, size)
