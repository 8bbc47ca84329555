"""A tensor document (contract section 1) to a tensor on the CPU, with everything that is wrong in it."""

from __future__ import annotations

import difflib
from typing import Any

import torch

from gradwire.contract.dtypes import DTYPES, Dtype, find
from gradwire.engine import devices
from gradwire.engine.graph import TensorDocument
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire.formats import base
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.binary import BINARY, Parts
from gradwire.wire.read.data import WrongData, nesting_fault, read_data
from gradwire.wire.read.nesting import MOST_DIMENSIONS

ENCODINGS = ("json", *BINARY)
_MAX_SIZE = 2**63 - 1
_NO_PARTS: Parts = {}


def read_tensor(document: Any, source: Source, parts: Parts | None = None) -> TensorDocument:
    """The tensor that `document` spells out, in memory that torch allocated; `source` is its place in the request.

    A bare number, boolean or nested list stands for its data. `parts` are the body's binary parts by name, for
    `"encoding": "part"`. Raises Refusal with all that is wrong inside the document (`invalid_tensor`, a device that is
    no text `unavailable_device`). Whether the device exists is for the engine to say, which looks into documents that
    are right otherwise; beside other mistakes it is found here. Members not known are ignored.
    """
    if type(document) is dict:
        return _Document(document, source, parts or _NO_PARTS).read()
    if isinstance(document, str) or document is None:
        got = "null" if document is None else "a string"
        expected = 'a tensor such as {"data": [1.5, 2]}, a number, a boolean or a (nested) list'
        finding = Finding("invalid_tensor", f"{got} is no tensor", source, got=document, expected=expected)
        raise Refusal([finding])
    try:
        return TensorDocument(base(read_data(document, source, (), None, None)), source)
    except WrongData as error:
        raise Refusal(error.findings) from None


class _Document:
    """One document while it is read; `findings` collects what is wrong."""

    def __init__(self, members: dict[str, Any], source: Source, parts: Parts) -> None:
        self.members = members
        self.source = source
        self.parts = parts
        self.findings: list[Finding] = []

    def read(self) -> TensorDocument:
        members = self.members
        encoding = self._encoding() if "encoding" in members else "json"
        dtype = self._dtype() if "dtype" in members else None
        shape = self._shape() if "shape" in members else None
        requires_grad = self._requires_grad(dtype) if "requires_grad" in members else False
        device = self._device() if "device" in members else None
        tensor = None
        if "data" not in members:
            self._wrong("a tensor document has `data`", self.source, expected="data")
        elif encoding is not None:
            tensor = self._tensor(encoding, dtype, shape)
        if requires_grad and tensor is not None and not (tensor.is_floating_point() or tensor.is_complex()):
            self._no_gradient(str(tensor.dtype).removeprefix("torch."))
        if self.findings:
            self._also_the_device(device)
            raise Refusal(self.findings)
        assert tensor is not None
        return TensorDocument(base(tensor), self.source, requires_grad, device)

    def _wrong(self, message: str, where: Source | str, **more: Any) -> None:
        source = self.source.at(where) if isinstance(where, str) else where
        self.findings.append(Finding("invalid_tensor", message, source, **more))

    def _encoding(self) -> str | None:
        text = self.members["encoding"]
        if isinstance(text, str) and text in ENCODINGS:
            return text
        self._wrong("an encoding that is not known", "encoding", got=text, expected=list(ENCODINGS))
        return None

    def _dtype(self) -> Dtype | None:
        text = self.members["dtype"]
        dtype = find(text) if isinstance(text, str) else None
        if dtype is None:
            near = difflib.get_close_matches(text[:64], DTYPES, n=1) if isinstance(text, str) else []
            hint = f'did you mean "{near[0]}"?' if near else None
            self._wrong("this is no dtype of a tensor", "dtype", got=text, expected=list(DTYPES), hint=hint)
        return dtype

    def _shape(self) -> tuple[int, ...] | None:
        sizes = self.members["shape"]
        if isinstance(sizes, NumberArray):
            sizes = sizes.tolist()
        if not isinstance(sizes, list):
            self._wrong("a shape is a list of sizes", "shape", got=sizes, expected="a list of integers from 0")
            return None
        if len(sizes) > MOST_DIMENSIONS:
            message = f"a shape has at most {MOST_DIMENSIONS} dimensions"
            self._wrong(message, "shape", got=len(sizes), expected=f"at most {MOST_DIMENSIONS}")
            return None
        wrong = [i for i, size in enumerate(sizes) if type(size) is not int or not 0 <= size <= _MAX_SIZE]
        for index in wrong:
            place = self.source.at("shape", index)
            self._wrong("a size is an integer from 0", place, got=sizes[index], expected="an integer from 0")
        return None if wrong else tuple(sizes)

    def _requires_grad(self, dtype: Dtype | None) -> bool:
        value = self.members["requires_grad"]
        if type(value) is not bool:
            self._wrong("requires_grad is true or false", "requires_grad", got=value, expected="true or false")
            return False
        if value and dtype is not None and not dtype.differentiable:
            self._no_gradient(dtype.name)
            return False
        return value

    def _no_gradient(self, name: str) -> None:
        self._wrong(
            f"only tensors of floating and complex dtypes can require gradients, not {name}",
            "requires_grad",
            got=True,
            expected=False,
            hint='say a floating dtype, such as "dtype": "float32"',
        )

    def _device(self) -> str | None:
        text = self.members["device"]
        if isinstance(text, str):
            return text
        self.findings.append(
            Finding(
                "unavailable_device", "a device is named by a text", self.source.at("device"), got=text, expected="cpu"
            )
        )
        return None

    def _also_the_device(self, device: str | None) -> None:
        if device is None:
            return
        try:
            devices.resolve(device, self.source.at("device"))
        except Refusal as refusal:
            self.findings += refusal.findings

    def _tensor(self, encoding: str, dtype: Dtype | None, shape: tuple[int, ...] | None) -> torch.Tensor | None:
        data = self.members["data"]
        if encoding == "json":
            return self._from_json(data, dtype, shape)
        for member in ("dtype", "shape"):
            if member not in self.members:
                self._wrong(f'a tensor in "{encoding}" must have `{member}`', self.source, expected=member)
        if dtype is None or shape is None:
            return None
        try:
            return BINARY[encoding](data, self.source, dtype, shape, self.parts)
        except WrongData as error:
            self.findings += error.findings
            return None

    def _from_json(self, data: Any, dtype: Dtype | None, shape: tuple[int, ...] | None) -> torch.Tensor | None:
        if (dtype is None and "dtype" in self.members) or (shape is None and "shape" in self.members):
            # What the elements should be is not known, but their nesting can still be looked at.
            self.findings += nesting_fault(data, self.source.at("data"))
            return None
        try:
            return read_data(data, self.source, ("data",), dtype, shape)
        except WrongData as error:
            self.findings += error.findings
            return None
