"""The JSON `data` of a tensor document: how its lists nest, which shape that gives, and the tensor."""

from __future__ import annotations

from typing import Any

import torch

from gradwire.contract.dtypes import DTYPES, Dtype
from gradwire.findings import Finding, Source
from gradwire.wire.formats import FORMATS
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.conversion import Locate, WrongElements, inferred, tensor_of
from gradwire.wire.read.nesting import MOST_DIMENSIONS, Ragged, count, flatten, unravel, written_shape


class WrongData(Exception):
    """The data of a tensor is wrong; `findings` say how."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings[0].message)
        self.findings = findings


def read_data(
    data: Any, source: Source, steps: tuple[str, ...], dtype: Dtype | None, shape: tuple[int, ...] | None
) -> torch.Tensor:
    """The tensor of nested lists, or of a flat list where a `shape` is given.

    `source` is the place of the tensor document and `steps` lead from there to the data. Without `dtype` it is inferred
    as `torch.tensor` does; without `shape` it is the nesting. Raises WrongData with every element that is wrong.
    """
    try:
        nesting, elements = (data.shape, data) if type(data) is NumberArray else flatten(data)
    except Ragged as error:
        raise WrongData([error.finding(source.at(*steps))]) from None
    if len(nesting) > MOST_DIMENSIONS + (dtype is not None and dtype.real is not None):
        raise WrongData([_too_deep(nesting, source.at(*steps))])

    def locate(index: int) -> Source:
        return source.at(*steps, *unravel(index, nesting))

    try:
        if dtype is None:
            dtype = inferred(elements, locate)
        if dtype.real is not None:
            return _complex(elements, nesting, dtype, shape, source.at(*steps), locate)
        if shape is None or shape == nesting:
            if elements:
                return tensor_of(elements, nesting, dtype, locate, data)
            return empty(dtype, nesting, source)
        if not _fits(nesting, shape):
            raise _mismatch(elements, nesting, dtype, shape, source.at(*steps), locate)
        return tensor_of(elements, shape, dtype, locate) if elements else empty(dtype, shape, source)
    except WrongElements as error:
        raise WrongData(error.findings) from None


def nesting_fault(data: Any, source: Source) -> list[Finding]:
    """What is wrong with the nesting of data whose dtype or shape is not known."""
    try:
        flatten(data)
    except Ragged as error:
        return [error.finding(source)]
    return []


def empty(dtype: Dtype, shape: tuple[int, ...], source: Source) -> torch.Tensor:
    """A tensor without elements. Raises WrongData (`limit_exceeded`) for sizes that overflow."""
    try:
        return torch.empty(shape, dtype=FORMATS[dtype.name].dtype)
    except (RuntimeError, TypeError):
        message = "the sizes overflow: their product is over 2^63"
        raise WrongData([Finding("limit_exceeded", message, source.at("shape"), got=list(shape))]) from None


def _complex(
    elements: list[Any] | NumberArray,
    nesting: tuple[int, ...],
    dtype: Dtype,
    shape: tuple[int, ...] | None,
    source: Source,
    locate: Locate,
) -> torch.Tensor:
    """A complex tensor of pairs [re, im]; with a shape that the data nests as, of bare numbers."""
    real = DTYPES[dtype.real or ""]
    bare = shape is not None and _fits(nesting, shape)
    if shape is None:
        if not nesting or nesting[-1] not in (0, 2):
            raise WrongData([_no_pairs(nesting, source)])
        shape = nesting[:-1] if nesting[-1] else nesting
    elif not bare and nesting not in ((*shape, 2), (count(shape), 2)):
        raise _mismatch(elements, nesting, real, shape, source, locate, pairs=True)
    if not elements:
        return empty(dtype, shape, Source(source.pointer.removesuffix("/data")))
    parts = tensor_of(elements, (-1,) if bare else (-1, 2), real, locate)
    if bare:
        parts = torch.stack((parts, torch.zeros_like(parts)), dim=-1)
    return torch.view_as_complex(parts).reshape(shape)


def _too_deep(nesting: tuple[int, ...], source: Source) -> Finding:
    message = f"a tensor has at most {MOST_DIMENSIONS} dimensions"
    return Finding("invalid_tensor", message, source, got=len(nesting), expected=f"at most {MOST_DIMENSIONS}")


def _fits(nesting: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether data that nests so can have `shape`: nested as it is written, or flat with as many elements."""
    return nesting in (written_shape(shape), (count(shape),))


def _no_pairs(nesting: tuple[int, ...], source: Source) -> Finding:
    return Finding(
        "invalid_tensor",
        "the innermost lists of complex data are pairs [re, im]",
        source,
        got=f"data that nests as {list(nesting)}",
        expected="lists of 2 numbers innermost, or a `shape` that the data nests as",
    )


def _mismatch(
    elements: list[Any] | NumberArray,
    nesting: tuple[int, ...],
    real: Dtype,
    shape: tuple[int, ...],
    source: Source,
    locate: Locate,
    *,
    pairs: bool = False,
) -> WrongData:
    """The data does not have the shape; what is wrong with its elements is found all the same."""
    total = count(shape)
    also = f", or {[*shape, 2]} of pairs" if pairs else ""
    finding = Finding(
        "invalid_tensor",
        f"the data nests as {list(nesting)} ({count(nesting)} numbers), which does not match the shape {list(shape)}",
        source,
        got=list(nesting),
        expected=f"data that nests as {list(written_shape(shape))}, or a flat list of {total}{also}",
    )
    try:
        tensor_of(elements, nesting, real, locate)
    except WrongElements as error:
        return WrongData([finding, *error.findings])
    return WrongData([finding])
