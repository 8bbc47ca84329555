"""The `data` of a tensor document: exact JSON text, or base64."""

from __future__ import annotations

import numpy as np
import orjson
import pybase64
import torch

from gradwire.wire.formats import FORMAT_OF, Format
from gradwire.wire.write.floats import float_text, nested
from gradwire.wire.write.shortest import shortest

# NumPy has no more dimensions than this.
_MOST_DIMENSIONS = 64
_EXACT = 2**53 - 1
_NUMPY = orjson.OPT_SERIALIZE_NUMPY
# The shortest texts that elements can have, with their comma.
_LEAST = {"float": 4, "complex": 10, "int": 2, "uint": 2, "bool": 5}


def least_bytes(shape: tuple[int, ...], form: Format, encoding: str) -> int:
    """How many bytes the data of such a tensor has at least: known before anything is written."""
    lists, elements, total = 1, 1, 0
    if encoding != "json":
        for size in shape:
            elements *= size
        size = elements * form.spec.itemsize
        return size if encoding == "part" else (size + 2) // 3 * 4
    for size in shape:
        total += 3 * lists
        lists *= size
        if size == 0:
            break
    return total + lists * _LEAST[form.spec.kind]


def data_text(tensor: torch.Tensor, encoding: str) -> bytes:
    """The JSON value for `data`: nested lists, or one base64 string. `tensor` is dense and on the CPU."""
    plain = tensor.detach().resolve_conj().resolve_neg()
    if encoding == "base64":
        return _base64(plain)
    if plain.numel() == 0:
        return _empty(tuple(plain.shape))
    form = FORMAT_OF[plain.dtype]
    shape = tuple(plain.shape)
    plain = plain.contiguous()
    if form.real is not None:
        plain, form, shape = torch.view_as_real(plain), form.real, (*shape, 2)
    if not shape or len(shape) > _MOST_DIMENSIONS:
        # Neither can be an array for orjson: each element's text first, then the lists around them.
        return nested(_text(plain.reshape(-1), form)[1:-1].split(b","), shape)
    return _text(plain, form)


def _text(tensor: torch.Tensor, form: Format) -> bytes:
    """JSON of a contiguous tensor of a real dtype, nested as its shape."""
    if form.spec.kind == "float":
        return _floats(tensor, form)
    array = tensor.numpy()
    if form.spec.itemsize == 8 and not _exact(array):
        return _large_integers(array)
    return orjson.dumps(array, option=_NUMPY)


def _floats(tensor: torch.Tensor, form: Format) -> bytes:
    if form.spec.itemsize >= 4:
        array = tensor.numpy()
        return float_text(array, array.view(f"u{form.spec.itemsize}"), form.spec)
    words = tensor.view(form.word).numpy()
    return float_text(shortest(form.name)[words], words, form.spec)


def _exact(array: np.ndarray) -> bool:
    """Whether every integer is one that a float64, which many readers of JSON make of it, can hold."""
    return bool(array.max() <= _EXACT) and bool(array.min() >= -_EXACT)


def _large_integers(array: np.ndarray) -> bytes:
    """Integers, those beyond ±(2^53-1) as strings."""
    flat = array.reshape(-1)
    texts = orjson.dumps(flat, option=_NUMPY)[1:-1].split(b",")
    large = flat > _EXACT
    if array.dtype.kind == "i":
        large |= flat < -_EXACT
    for index in np.flatnonzero(large).tolist():
        texts[index] = b'"%b"' % texts[index]
    return nested(texts, array.shape)


def octets(tensor: torch.Tensor) -> np.ndarray:
    """The bytes of a dense tensor on the CPU, little-endian and in C order: its own memory where it is contiguous."""
    if tensor.numel() == 0:
        return np.empty(0, np.uint8)
    # A single element may have any stride and be contiguous; only stride 1 may be seen as bytes.
    return tensor.contiguous().as_strided((tensor.numel(),), (1,)).view(torch.uint8).numpy()


def _base64(tensor: torch.Tensor) -> bytes:
    return b'"%b"' % pybase64.b64encode(octets(tensor).data)


def _empty(shape: tuple[int, ...]) -> bytes:
    """The lists of a tensor without elements: nothing is written inside an empty one."""
    text = b"[]"
    for size in reversed(shape[: shape.index(0)]):
        text = b"[%b]" % b",".join([text] * size)
    return text
