"""The dtypes of the wire contract (section 1): names, aliases, widths and default NaN bits.

A snapshot, so that the front needs no torch; `tests/wire/test_dtypes.py` compares every row with the installed torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["float", "complex", "int", "uint", "bool"]


@dataclass(frozen=True, slots=True)
class Dtype:
    """One dtype. `itemsize` is bytes; `real` is the name of a complex dtype's parts.

    `nan` holds the bits of the default NaN, `negative_nan` the same with its sign set; equal where a dtype has one NaN.
    """

    name: str
    kind: Kind
    itemsize: int
    aliases: tuple[str, ...] = ()
    nan: int | None = None
    negative_nan: int | None = None
    real: str | None = None

    @property
    def differentiable(self) -> bool:
        """Whether `requires_grad` may be set."""
        return self.kind in ("float", "complex")

    @property
    def lowest(self) -> int:
        """The least integer of an integer dtype."""
        return -(1 << (8 * self.itemsize - 1)) if self.kind == "int" else 0

    @property
    def highest(self) -> int:
        """The greatest integer of an integer dtype."""
        return (1 << (8 * self.itemsize - (self.kind == "int"))) - 1


def _float(name: str, itemsize: int, nan: int, negative_nan: int, *aliases: str) -> Dtype:
    return Dtype(name, "float", itemsize, aliases, nan, negative_nan)


DTYPES: dict[str, Dtype] = {
    dtype.name: dtype
    for dtype in (
        _float("float64", 8, 0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, "double"),
        _float("float32", 4, 0x7FC0_0000, 0xFFC0_0000, "float"),
        _float("float16", 2, 0x7E00, 0xFE00, "half"),
        _float("bfloat16", 2, 0x7FC0, 0xFFC0),
        _float("float8_e4m3fn", 1, 0x7F, 0xFF),
        _float("float8_e4m3fnuz", 1, 0x80, 0x80),
        _float("float8_e5m2", 1, 0x7F, 0xFF),
        _float("float8_e5m2fnuz", 1, 0x80, 0x80),
        _float("float8_e8m0fnu", 1, 0xFF, 0xFF),
        Dtype("complex128", "complex", 16, ("cdouble",), real="float64"),
        Dtype("complex64", "complex", 8, ("cfloat",), real="float32"),
        Dtype("complex32", "complex", 4, ("chalf",), real="float16"),
        Dtype("int64", "int", 8, ("long",)),
        Dtype("int32", "int", 4, ("int",)),
        Dtype("int16", "int", 2, ("short",)),
        Dtype("int8", "int", 1),
        Dtype("uint64", "uint", 8),
        Dtype("uint32", "uint", 4),
        Dtype("uint16", "uint", 2),
        Dtype("uint8", "uint", 1),
        Dtype("bool", "bool", 1),
    )
}
SPELLINGS: dict[str, Dtype] = {
    prefix + spelling: dtype
    for dtype in DTYPES.values()
    for spelling in (dtype.name, *dtype.aliases)
    for prefix in ("", "torch.")
}


def find(text: str) -> Dtype | None:
    """The dtype that `text` names: PyTorch's name or alias, with or without `torch.`."""
    return SPELLINGS.get(text)
