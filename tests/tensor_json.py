"""A client's own reader and writer of tensors on the wire, bit for bit and apart from gradwire's code."""

from __future__ import annotations

import base64
from typing import Any

import torch

Value = dict[str, Any]

SIZES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
    "complex128": 16, "complex64": 8, "complex32": 4,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1, "bool": 1,
}  # fmt: skip
FLOAT8 = [name for name in SIZES if name.startswith("float8")]
FLOATS = [name for name in SIZES if name.startswith(("float", "bfloat"))]
COMPLEX = [name for name in SIZES if name.startswith("complex")]
INTEGERS = [name for name in SIZES if "int" in name]

_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_PARTS = {"complex128": "float64", "complex64": "float32", "complex32": "float16"}
# The bits of "NaN" and of "-NaN".
_NAN = {
    "float64": (0x7FF8 << 48, 0xFFF8 << 48),
    "float32": (0x7FC00000, 0xFFC00000),
    "float16": (0x7E00, 0xFE00),
    "bfloat16": (0x7FC0, 0xFFC0),
    "float8_e5m2": (0x7F, 0xFF),
    "float8_e4m3fn": (0x7F, 0xFF),
    "float8_e5m2fnuz": (0x80, 0x80),
    "float8_e4m3fnuz": (0x80, 0x80),
    "float8_e8m0fnu": (0xFF, 0xFF),
}


def dtype_of(name: str) -> torch.dtype:
    """torch's dtype of a name."""
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)
    return dtype


def name_of(dtype: torch.dtype) -> str:
    """The contract's name of a dtype."""
    return str(dtype).removeprefix("torch.")


def to_torch(value: Value) -> torch.Tensor:
    """The tensor that a reply's `tensor` or `ndarray` value stands for."""
    assert value["kind"] in ("tensor", "ndarray")
    name, shape = value["dtype"], value["shape"]
    if value["encoding"] == "base64":
        raw = base64.b64decode(value["data"], validate=True)
        return from_bytes(raw, name, shape)
    parts = flat(value["data"], shape + ([2] if name in _PARTS else []))
    if name in _PARTS:
        pairs = _real(parts, _PARTS[name])
        return pairs.view(dtype_of(name)).reshape(shape)
    if name == "bool":
        assert all(isinstance(part, bool) for part in parts)
        return torch.tensor(parts, dtype=torch.bool).reshape(shape)
    if name in INTEGERS:
        return torch.tensor([_integer(part) for part in parts], dtype=dtype_of(name)).reshape(shape)
    return _real(parts, name).reshape(shape)


def flat(data: Any, shape: list[int]) -> list[Any]:
    """The elements of nested lists, which must nest exactly as `shape` says."""
    if not shape:
        assert not isinstance(data, list), f"{data!r} is nested deeper than its shape"
        return [data]
    assert isinstance(data, list), f"{data!r} should be a list of {shape[0]}"
    assert len(data) == shape[0]
    return [element for row in data for element in flat(row, shape[1:])]


def from_bytes(raw: bytes, name: str, shape: list[int]) -> torch.Tensor:
    """Little-endian, C-order bytes as a tensor."""
    if not raw:
        return torch.empty(shape, dtype=dtype_of(name))
    return torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(dtype_of(name)).reshape(shape)


def to_bytes(tensor: torch.Tensor) -> bytes:
    """A tensor's elements as little-endian, C-order bytes."""
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format).reshape(-1)
    return bytes(plain.view(torch.uint8).numpy()) if plain.numel() else b""


def document(tensor: torch.Tensor, **members: Any) -> dict[str, Any]:
    """A tensor as a request's tensor document in base64, so that nothing depends on a way of writing numbers."""
    data = base64.b64encode(to_bytes(tensor)).decode()
    shape = list(tensor.shape)
    return {"dtype": name_of(tensor.dtype), "shape": shape, "encoding": "base64", "data": data, **members}


def same_bits(value: Value, expected: torch.Tensor) -> None:
    """Assert that a reply's tensor has the dtype, shape and bits of a local one."""
    assert value["dtype"] == name_of(expected.dtype)
    assert value["shape"] == list(expected.shape)
    assert to_bytes(to_torch(value)) == to_bytes(expected), f"{value['data']} is not {expected}"


def same_tensor(value: Value, expected: torch.Tensor) -> None:
    """Assert that a reply's tensor is as a local one in all that the reply says of it, grad_fn included."""
    assert value["kind"] == "tensor"
    same_bits(value, expected)
    assert value["device"] == "cpu"
    assert value["requires_grad"] is expected.requires_grad
    assert value["is_leaf"] is expected.is_leaf
    assert value["grad_fn"] == (type(expected.grad_fn).__name__ if expected.grad_fn else None)


def _integer(part: Any) -> int:
    """An integer element: a number within ±(2^53-1), digits in a string beyond."""
    assert not isinstance(part, bool)
    if isinstance(part, str):
        assert abs(int(part)) > 2**53 - 1
        return int(part)
    assert isinstance(part, int)
    assert abs(part) <= 2**53 - 1
    return part


def _real(parts: list[Any], name: str) -> torch.Tensor:
    """Elements of a real floating dtype, set by bits where they are no finite numbers."""
    dtype = dtype_of(name)
    numbers = [part if isinstance(part, float) else 0.0 for part in parts]
    bits = torch.tensor(numbers, dtype=torch.float64).to(dtype).view(_BITS[SIZES[name]])
    for place, part in enumerate(parts):
        if isinstance(part, str):
            unsigned, half = _word(part, name), 1 << (8 * SIZES[name] - 1)
            bits[place] = unsigned - 2 * half if unsigned >= half else unsigned
        else:
            assert isinstance(part, float), f"{part!r} is no float"
    return bits.view(dtype)


def _word(part: str, name: str) -> int:
    if part.startswith("0x"):
        assert len(part) == 2 + 2 * SIZES[name]
        assert part == part.lower()
        return int(part, 16)
    if part in ("NaN", "-NaN"):
        return _NAN[name][part == "-NaN"]
    infinity = torch.tensor([float(part.replace("Infinity", "inf"))], dtype=torch.float64).to(dtype_of(name))
    return int.from_bytes(to_bytes(infinity), "little")
