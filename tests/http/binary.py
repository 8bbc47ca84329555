"""Bodies that hold tensors as bytes, put together and taken apart byte by byte, with no library's help."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import httpx
import numpy as np
import torch

from service import RUN, Service

MULTIPART = "multipart/form-data"
SAFETENSORS = "application/x-safetensors"
NPZ = "application/x-npz"
WORDS = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2": "F8_E5M2",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
    "complex64": "C64",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
NUMPY = {name for name in WORDS if name not in ("bfloat16",) and not name.startswith("float8")} | {"complex128"}
DTYPES = [*WORDS, "complex128", "complex32"]
BOUNDARY = "xyz"


def itemsize(dtype: str) -> int:
    """Bytes of one element."""
    return torch.empty(0, dtype=getattr(torch, dtype)).element_size()


def any_bytes(dtype: str, shape: tuple[int, ...], seed: int = 0) -> bytes:
    """Bytes of a tensor: any bits at all, but for booleans."""
    count = math.prod(shape)
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.integers(0, 2, count, np.uint8).tobytes()
    return random.integers(0, 256, count * itemsize(dtype), np.uint8).tobytes()


def part(data: str, dtype: str, shape: tuple[int, ...], **members: Any) -> dict[str, Any]:
    """The document of a tensor whose bytes are a part of the body."""
    return {"encoding": "part", "data": data, "dtype": dtype, "shape": list(shape), **members}


def multipart(request: Any, **parts: bytes) -> bytes:
    """A multipart body; `request` is bytes or a JSON value."""
    text = request if isinstance(request, bytes) else json.dumps(request).encode()
    pieces = []
    for name, data in {"request": text, **parts}.items():
        pieces.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + data)
    return b"\r\n".join(pieces) + f"\r\n--{BOUNDARY}--\r\n".encode()


def safetensors(header: Any, data: bytes = b"") -> bytes:
    """A file of a header, bytes or a JSON value, and what follows it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def file_of(request: Any, **tensors: tuple[str, tuple[int, ...], bytes]) -> bytes:
    """A file of tensors (dtype, shape, bytes), one behind the other, with the graph in its metadata."""
    text = request if isinstance(request, str) else json.dumps(request)
    header: dict[str, Any] = {"__metadata__": {"request": text}}
    data = b""
    for name, (dtype, shape, octets) in tensors.items():
        offsets = [len(data), len(data) + len(octets)]
        header[name] = {"dtype": WORDS.get(dtype, dtype), "shape": shape, "data_offsets": offsets}
        data += octets
    return safetensors(header, data)


def post(
    service: Service, body: bytes, content_type: str = MULTIPART, path: str = RUN, **headers: str
) -> httpx.Response:
    """A POST of a body of bytes."""
    if content_type == MULTIPART:
        content_type += f"; boundary={BOUNDARY}"
    return service.post(path, body, **{"content-type": content_type, **headers})


def opened(reply: httpx.Response) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The JSON and the tensors' bytes of a reply in one of the two formats."""
    assert reply.status_code == 200, reply.text
    if reply.headers["content-type"] == NPZ:
        with np.load(io.BytesIO(reply.content)) as archive:
            document = json.loads(archive["reply.json"])
            return document, {name: archive[name].tobytes() for name in archive.files if name != "reply.json"}
    assert reply.headers["content-type"] == SAFETENSORS
    length = int.from_bytes(reply.content[:8], "little")
    header = json.loads(reply.content[8 : 8 + length])
    document = json.loads(header.pop("__metadata__")["reply"])
    data = reply.content[8 + length :]
    return document, {name: data[slice(*entry["data_offsets"])] for name, entry in header.items()}
