"""NumPy's .npz: a zip archive of .npy files, not compressed. Nothing in it is a pickle."""

from __future__ import annotations

import io
import zipfile
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from gradwire.contract.memory import Buffer

if TYPE_CHECKING:
    from gradwire.wire.write.parts import Part

REPLY = "reply.json"


class _Pieces(io.RawIOBase):
    """What is written, in pieces as they come: long ones are not copied. It cannot be read, nor be gone back in."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[Buffer] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:  # type: ignore[override]  # any buffer, which is kept as it is
        self.pieces.append(data)
        return memoryview(data).nbytes


def npz(parts: list[Part], document: bytes) -> list[Buffer]:
    """An archive of `parts`, with the reply's JSON as the member `reply.json`. The parts' bytes are not copied."""
    pieces = _Pieces()
    with zipfile.ZipFile(cast(IO[bytes], pieces), "w") as archive:
        for part in parts:
            _add(archive, f"{part.name}.npy", [_npy_head(part), part.data])
        _add(archive, REPLY, [document])
    return pieces.pieces


def _add(archive: zipfile.ZipFile, name: str, buffers: list[Buffer]) -> None:
    # Without a date of its own a member is of 1980: equal replies have equal bytes.
    member = zipfile.ZipInfo(name)
    member.file_size = sum(len(buffer) for buffer in buffers)
    with archive.open(member, "w") as file:
        for buffer in buffers:
            file.write(buffer)


def _npy_head(part: Part) -> bytes:
    head = io.BytesIO()
    described = {"descr": part.dtype, "fortran_order": False, "shape": part.shape}
    np.lib.format.write_array_header_1_0(head, described)
    return head.getvalue()
