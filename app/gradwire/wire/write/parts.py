"""Replies whose tensors travel beside their JSON: what goes into the file, and under which names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import torch

from gradwire.contract import media
from gradwire.contract.memory import Buffer
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire import file_dtypes
from gradwire.wire.formats import FORMAT_OF
from gradwire.wire.write.npz import npz
from gradwire.wire.write.numbers import octets
from gradwire.wire.write.safetensors import safetensors

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESERVED = ("__metadata__", "reply.json")
# The last part: no file could be named so, and no text of UTF-8 holds a lone surrogate.
_UNFIT = re.compile("[/\\\\]|\\.\\.|[\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST = 1024


class Part(NamedTuple):
    """A tensor in a file: its name, its dtype as the format spells it, its shape, its bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview


class Format(NamedTuple):
    """A file format: its dtypes by our names, and what makes a file of parts and the reply's JSON."""

    dtypes: Mapping[str, str]
    pack: Callable[[list[Part], bytes], list[Buffer]]


FORMATS = {
    media.SAFETENSORS: Format(file_dtypes.SAFETENSORS, safetensors),
    media.NPZ: Format(file_dtypes.NUMPY, npz),
}


@dataclass
class FileParts:
    """The tensors of one reply. `path` is the name of the value that is being written, in steps: `t`, `values`."""

    media_type: str
    path: list[str] = field(default_factory=list)
    _parts: list[Part] = field(default_factory=list)
    _lacking: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def inside(self, step: str | int) -> Iterator[None]:
        """One step further: an item of the value."""
        self.path.append(str(step))
        yield
        self.path.pop()

    def add(self, tensor: torch.Tensor) -> int:
        """Take the value that is being written, dense and on the CPU; how many bytes it has."""
        name = ".".join(self.path)
        dtype = FORMAT_OF[tensor.dtype].name
        word = FORMATS[self.media_type].dtypes.get(dtype)
        if word is None:
            self._lacking.append((name, dtype))
            return 0
        data = octets(tensor.detach().resolve_conj().resolve_neg())
        self._parts.append(Part(name, word, tuple(tensor.shape), data.data))
        return data.nbytes

    def packed(self, document: bytes) -> list[Buffer]:
        """The whole reply. Raises Refusal for names that the format lacks (`invalid_argument`) and for dtypes that it
        lacks (`not_acceptable`)."""
        if self._lacking:
            raise Refusal([self._cannot_hold()])
        check_names([part.name for part in self._parts])
        return FORMATS[self.media_type].pack(self._parts, document)

    def _cannot_hold(self) -> Finding:
        names = [name for name, _ in self._lacking[:20]]
        dtypes = sorted({dtype for _, dtype in self._lacking})
        message = f"{self.media_type} has no {' and no '.join(dtypes)}: {', '.join(name[:64] for name in names)}"
        hint = "ask for application/json, or return them in another dtype"
        return Finding("not_acceptable", message, got=names, expected=list(FORMATS[self.media_type].dtypes), hint=hint)


def check_names(names: list[str]) -> None:
    """Raises Refusal (`invalid_argument`) for names of outputs that no file should have, and for one that is there
    twice. NumPy takes `y` and `y.npy` for the same."""
    findings = []
    seen: set[str] = set()
    for name in names:
        key = name.removesuffix(".npy")
        if key in seen:
            findings.append(_unfit(name, "stands twice among the reply's tensors"))
        elif name in _RESERVED or _UNFIT.search(name) or len(name) > _LONGEST:
            findings.append(_unfit(name, "cannot be the name of a tensor in a file"))
        seen.add(key)
    if findings:
        raise Refusal(findings)


def _unfit(name: str, why: str) -> Finding:
    hint = 'give each output a name of its own: "returns": {"name": "reference"}'
    expected = f"a name without / \\ and .., and not {' or '.join(_RESERVED)}"
    return Finding(
        "invalid_argument", f"'{name[:64]}' {why}", Source("/returns"), got=name, expected=expected, hint=hint
    )
