"""Tensors and NumPy arrays to documents (contract section 1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import torch

from gradwire.engine import errors
from gradwire.findings import Refusal, refuse
from gradwire.wire.formats import FORMAT_OF
from gradwire.wire.write.numbers import data_text, least_bytes
from gradwire.wire.write.parts import FileParts
from gradwire.wire.write.room import Room

_CPU = torch.device("cpu")


class TensorWriter:
    """Writes the tensors of one reply. Storages are numbered as they are met, for `"describe": "full"`."""

    def __init__(self, room: Room, parts: FileParts | None = None) -> None:
        self.room = room
        self.parts = parts
        self._storages: dict[tuple[str, int], int] = {}

    def tensor(self, tensor: torch.Tensor, encoding: str, full: bool) -> dict[str, Any]:
        """The document of a tensor of any layout and dtype; what JSON cannot say of it stands in `note`.

        Raises Refusal (`limit_exceeded`) before anything of a tensor that is too large is written.
        """
        dense, note = (tensor, None) if _is_plain(tensor) else self._made_dense(tensor, encoding)
        document: dict[str, Any] = {
            "kind": "tensor",
            "dtype": FORMAT_OF[dense.dtype].name,
            "shape": list(dense.shape),
            "device": str(tensor.device),
            "requires_grad": tensor.requires_grad,
            **history(tensor),
            "encoding": encoding,
            **self._data(dense, encoding),
        }
        if note is not None:
            document["note"] = note
        if full:
            document.update(self._description(tensor, dense))
        return document

    def array(self, array: np.ndarray, encoding: str, full: bool) -> dict[str, Any]:
        """The document of a NumPy array. Its dtype is one that torch has too."""
        self.room.need(array.size * 2)
        # By its name, for C's integers have two dtypes of each width, of which torch takes one only; and by a view,
        # for NumPy holds the two for equal when it copies.
        native = np.dtype(array.dtype.name)
        values = torch.from_numpy(np.array(array, dtype=native, order="C").view(native))
        document: dict[str, Any] = {
            "kind": "ndarray",
            "dtype": FORMAT_OF[values.dtype].name,
            "shape": list(array.shape),
            "device": "cpu",
            "requires_grad": False,
            "is_leaf": True,
            "grad_fn": None,
            "encoding": encoding,
            **self._data(values, encoding),
        }
        if full:
            owner = array
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            start = owner.__array_interface__["data"][0]
            document["strides"] = [step // array.itemsize for step in array.strides]
            document["storage_offset"] = (array.__array_interface__["data"][0] - start) // array.itemsize
            document["storage"] = self._number("cpu", start)
            document["version"] = None
        return document

    def _data(self, dense: torch.Tensor, encoding: str) -> dict[str, orjson.Fragment]:
        """The member `data`; none of a tensor that travels beside the JSON (`part`)."""
        self.room.need(least_bytes(tuple(dense.shape), FORMAT_OF[dense.dtype], encoding))
        if dense._is_zerotensor():  # gradients that are 0 by definition have no memory until they are copied
            dense = dense.detach().clone()
        if dense.device != _CPU:
            dense = dense.cpu()
        if encoding == "part":
            assert self.parts is not None
            self.room.take(self.parts.add(dense))
            return {}
        text = data_text(dense, encoding)
        self.room.take(len(text))
        return {"data": orjson.Fragment(text)}

    def _made_dense(self, tensor: torch.Tensor, encoding: str) -> tuple[torch.Tensor, str]:
        """As _dense; what PyTorch refuses there is the client's to know, such as offsets that lie."""
        try:
            return self._dense(tensor, encoding)
        except (RuntimeError, TypeError) as error:  # TypeError: offsets of a jagged tensor that are no integers
            if errors.is_out_of_memory(error):
                raise
            raise Refusal([errors.finding_of(error, "the output")]) from error

    def _dense(self, tensor: torch.Tensor, encoding: str) -> tuple[torch.Tensor, str]:
        """A strided tensor of a dtype that the wire has, with the same values, and what it was."""
        if tensor.device.type == "meta":
            raise refuse("invalid_argument", "a tensor on the device meta has no data to return")
        plain = tensor.detach()
        if plain.is_nested:
            return self._padded(plain)
        note = _kind_of(plain)
        if plain.layout is not torch.strided:
            # Made dense it may be far larger than it was.
            form = FORMAT_OF.get(plain.dtype)
            if form is not None:
                self.room.need(least_bytes(tuple(plain.shape), form, encoding))
            plain = plain.to_dense()
        if plain.is_quantized:
            plain = plain.dequantize()
        if plain.dtype not in FORMAT_OF:
            raise refuse("invalid_argument", f"a tensor of dtype {plain.dtype} cannot be written")
        return plain, note

    def _padded(self, nested: torch.Tensor) -> tuple[torch.Tensor, str]:
        """A nested tensor as one dense one, zeros where a part is shorter."""
        parts = nested.unbind()
        largest = [max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True)] if parts else []
        self.room.need(least_bytes((len(parts), *largest), FORMAT_OF[nested.dtype], "json"))
        dense = torch.zeros((len(parts), *largest), dtype=nested.dtype)
        for index, part in enumerate(parts):
            corner = dense[index]
            for dimension, size in enumerate(part.shape):
                corner = corner.narrow(dimension, 0, size)
            corner.copy_(part)
        return (
            dense,
            f"a nested tensor with parts of shapes {[list(part.shape) for part in parts[:20]]}, written padded with 0",
        )

    def _description(self, tensor: torch.Tensor, dense: torch.Tensor) -> dict[str, Any]:
        """What `"describe": "full"` adds; of a tensor that has no strides, its dense form's."""
        of = tensor if tensor.layout is torch.strided and not tensor.is_nested else dense
        storage = of.untyped_storage()
        address = 0 if of._is_zerotensor() else storage.data_ptr()
        return {
            "strides": list(of.stride()),
            "storage_offset": of.storage_offset(),
            "storage": self._number(str(of.device), address or -storage._cdata),
            "version": None if tensor.is_inference() else tensor._version,
        }

    def _number(self, device: str, address: int) -> int:
        return self._storages.setdefault((device, address), len(self._storages))


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor can be written as it is; quantized dtypes and those of parts of bytes are in no format."""
    return (
        tensor.layout is torch.strided
        and tensor.dtype in FORMAT_OF
        and not tensor.is_nested
        and tensor.device.type != "meta"
    )


def _kind_of(tensor: torch.Tensor) -> str:
    """What a tensor that is not written as it is was, in words."""
    words = []
    if tensor.layout is not torch.strided:
        words.append(f"{str(tensor.layout).removeprefix('torch.')} layout")
    if tensor.is_quantized:
        words.append(f"quantized dtype {str(tensor.dtype).removeprefix('torch.')}")
    return f"a tensor of {' and '.join(words)}, written dense" if words else "written dense"


def history(tensor: torch.Tensor) -> dict[str, Any]:
    """`is_leaf` and `grad_fn`, which PyTorch refuses to tell of some views whose base was changed in place."""
    try:
        return {"is_leaf": tensor.is_leaf, "grad_fn": grad_fn_name(tensor.grad_fn)}
    except RuntimeError as error:
        raise refuse("op_failed", str(error), hint="clone the view before its base is changed in place") from None


def grad_fn_name(node: Any) -> str | None:
    """A backward node's name as PyTorch prints it; None for none."""
    if node is None:
        return None
    name = type(node).__name__
    if name == "CppFunction":
        return str(node.name()).rpartition("::")[2]
    return name
