"""Values in a reply (contract section 1): every kind that an output can have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr
from typing_extensions import TypeAliasType

from gradwire.contract.documents.names import ReplyPart
from gradwire.contract.documents.tensor import Data, Shape

BASE64 = r"^[A-Za-z0-9+/]*={0,2}$"
NON_FINITE_OR_HEX = r"^(-?NaN|-?Infinity|0x[0-9a-f]+)$"


class _Noted(ReplyPart):
    note: StrictStr | None = Field(
        None, description="What one should know about it, such as that a sparse result is written dense."
    )


class _Array(_Noted):
    """What tensors and NumPy arrays have in common."""

    dtype: StrictStr = Field(description="The dtype, by PyTorch's name.", examples=["float32"])
    shape: Shape
    encoding: Literal["json", "base64"] = Field(description="How `data` is written.")
    data: Data | Annotated[StrictStr, Field(pattern=BASE64)] = Field(
        description="Nested as `shape` says. Numbers have the fewest digits that read back to the same value in the "
        "dtype; NaN, infinities and integers beyond 2^53 are strings; a complex element is `[re, im]`. With base64, "
        "one text.",
        examples=[[[4.5, 4.5], [4.5, 4.5]]],
    )


class TensorOut(_Array):
    """A tensor. It may be sent back as an input as it is."""

    kind: Literal["tensor"] = Field(description="What the value is.")
    device: StrictStr = Field(description="Where it is.", examples=["cpu"])
    requires_grad: StrictBool = Field(description="Whether gradients are recorded for it.")
    is_leaf: StrictBool = Field(description="Whether it is a leaf of the backward graph.")
    grad_fn: StrictStr | None = Field(
        description="The backward node that made it, by its name; null for a leaf.", examples=["MulBackward0"]
    )
    strides: list[StrictInt] | None = Field(
        None, description='Elements to step over in each dimension. With `"describe": "full"`.'
    )
    storage_offset: StrictInt | None = Field(
        None, description='Where in its storage it begins, in elements. With `"describe": "full"`.'
    )
    storage: StrictInt | None = Field(
        None, description='A number that outputs of one storage share. With `"describe": "full"`.'
    )
    version: StrictInt | None = Field(None, description='How often it was changed in place. With `"describe": "full"`.')


class NdarrayOut(_Array):
    """A NumPy array."""

    kind: Literal["ndarray"] = Field(description="What the value is.")


class BoolOut(_Noted):
    """A Python bool."""

    kind: Literal["bool"] = Field(description="What the value is.")
    value: StrictBool = Field(description="The value.")


_Digits = StrictInt | Annotated[StrictStr, Field(pattern=r"^-?[0-9]+$")]


class IntOut(_Noted):
    """A Python int; beyond 2^53-1 its digits as a string."""

    kind: Literal["int"] = Field(description="What the value is.")
    value: _Digits = Field(description="The value.")


class FloatOut(_Noted):
    """A Python float; one that is not finite as a string."""

    kind: Literal["float"] = Field(description="What the value is.")
    value: StrictFloat | Annotated[StrictStr, Field(pattern=NON_FINITE_OR_HEX)] = Field(
        description="The value.", examples=[-1.874952793121338]
    )


class ComplexOut(_Noted):
    """A Python complex number."""

    kind: Literal["complex"] = Field(description="What the value is.")
    value: list[StrictFloat | Annotated[StrictStr, Field(pattern=NON_FINITE_OR_HEX)]] = Field(
        min_length=2, max_length=2, description="`[re, im]`.", examples=[[1.0, -1.0]]
    )


class StringOut(_Noted):
    """A string; of a `grad_fn`, the backward node's name."""

    kind: Literal["string"] = Field(description="What the value is.")
    value: StrictStr = Field(description="The text.")


class NoneOut(_Noted):
    """Python's None."""

    kind: Literal["none"] = Field(description="What the value is.")
    value: None = Field(description="Always null.")


class SizeOut(_Noted):
    """A `torch.Size`."""

    kind: Literal["size"] = Field(description="What the value is.")
    value: list[_Digits] = Field(description="Its numbers, as those of ints.", examples=[[5, 3]])


class NamedOut(_Noted):
    """A dtype, device, layout or memory format."""

    kind: Literal["dtype", "device", "layout", "memory_format"] = Field(description="What the value is.")
    value: StrictStr = Field(description="Its text, without `torch.`.", examples=["float32"])


class SequenceOut(_Noted):
    """A list or tuple. Named tuples also say their type and the names of their items."""

    kind: Literal["list", "tuple"] = Field(description="What the value is.")
    items: list[Value] = Field(description="The items.")
    type: StrictStr | None = Field(None, description="A named tuple's type.", examples=["torch.return_types.max"])
    names: list[StrictStr] | None = Field(None, description="A named tuple's names.", examples=[["values", "indices"]])


class DictOut(_Noted):
    """A dict with string keys."""

    kind: Literal["dict"] = Field(description="What the value is.")
    items: dict[str, Value] = Field(description="The items.")


Value = TypeAliasType(
    "Value",
    Annotated[
        TensorOut
        | NdarrayOut
        | BoolOut
        | IntOut
        | FloatOut
        | ComplexOut
        | StringOut
        | NoneOut
        | SizeOut
        | NamedOut
        | SequenceOut
        | DictOut,
        Field(discriminator="kind", description="A value; `kind` says which."),
    ],
)

for _model in (SequenceOut, DictOut):
    _model.model_rebuild()
