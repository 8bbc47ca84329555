"""Tensors whose data is bytes: in base64, or in a part of the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pybase64
import torch

from gradwire.contract.dtypes import Dtype
from gradwire.contract.memory import Buffer
from gradwire.findings import Finding, Source
from gradwire.wire.formats import FORMATS, owned
from gradwire.wire.read.data import WrongData, empty
from gradwire.wire.read.nesting import count

Parts: TypeAlias = Mapping[str, Buffer]


def _wrong(message: str, source: Source, got: Any, expected: Any, hint: str | None = None) -> WrongData:
    return WrongData([Finding("invalid_tensor", message, source.at("data"), got=got, expected=expected, hint=hint)])


def _base64(data: Any, source: Source, dtype: Dtype, shape: tuple[int, ...], parts: Parts) -> torch.Tensor:
    """The tensor whose bytes `data` spells in base64."""
    if not isinstance(data, str):
        raise _wrong("data in base64 is one text", source, _shown(data), "a string")
    try:
        raw = pybase64.b64decode(data, validate=True)
    except ValueError:
        expected = "base64 with + and /, padded, without white space"
        raise _wrong("this is not base64", source, data[:64], expected) from None
    return from_bytes(raw, source, dtype, shape)


def _part(data: Any, source: Source, dtype: Dtype, shape: tuple[int, ...], parts: Parts) -> torch.Tensor:
    """The tensor whose bytes are the part of the body that `data` names."""
    raw = parts.get(data) if isinstance(data, str) else None
    if raw is None:
        hint = None if parts else 'a body of JSON alone has no parts: use "encoding": "base64"'
        raise _wrong("the body has no part of this name", source, _shown(data), sorted(parts)[:20] or None, hint)
    return from_bytes(raw, source, dtype, shape)


Reader: TypeAlias = Callable[[Any, Source, Dtype, tuple[int, ...], Parts], torch.Tensor]
BINARY: dict[str, Reader] = {"base64": _base64, "part": _part}


def from_bytes(raw: Buffer, source: Source, dtype: Dtype, shape: tuple[int, ...]) -> torch.Tensor:
    """A tensor of little-endian bytes in C order, copied into memory that torch allocated.

    `source` is the place of the tensor document. Raises WrongData for a wrong count, and for bytes beyond 0 and 1 in a
    bool, which PyTorch would take for anything.
    """
    size = count(shape) * dtype.itemsize
    if len(raw) != size:
        message = f"{len(raw)} bytes, where {dtype.name} of shape {list(shape)} has {size}"
        raise _wrong(message, source, len(raw), size)
    if not size:
        return empty(dtype, shape, source)
    octets = np.frombuffer(raw, np.uint8)
    if dtype.kind == "bool" and octets.max() > 1:
        index = int(np.argmax(octets > 1))
        raise _wrong(f"byte {index} is no boolean", source, int(octets[index]), "bytes 0 and 1")
    return owned(octets, FORMATS[dtype.name].dtype, shape)


def _shown(data: Any) -> Any:
    return data if isinstance(data, (str, int, float, type(None))) else "a list or an object"
