"""Tensors in a request (contract section 1). Read by `wire.read.tensor`; these models describe what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr
from typing_extensions import TypeAliasType

from gradwire.contract.documents.names import LEFT_OUT
from gradwire.contract.dtypes import DTYPES

ELEMENT_PATTERN = r"^(-?NaN|-?Infinity|0x[0-9a-f]+|-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)$"

Element = TypeAliasType(
    "Element",
    Annotated[
        StrictInt | StrictFloat | StrictBool | Annotated[StrictStr, Field(pattern=ELEMENT_PATTERN, max_length=1100)],
        Field(
            description="One element: a number, a boolean, or a string where JSON has no number for it, read exactly "
            "for the dtype: `NaN`, `-NaN`, `Infinity`, `-Infinity`, the raw bits of the storage type in hex "
            "(`0x7fc00001`), decimal text, or an integer that the dtype holds.",
            examples=[1.5, "NaN", "0x7fc00001", "18446744073709551615"],
        ),
    ],
)
if TYPE_CHECKING:  # mypy has no recursive TypeAliasType
    Data: TypeAlias = Any
else:
    Data = TypeAliasType(
        "Data",
        Annotated[
            Element | list["Data"],
            Field(description="An element, or a (nested) list of them.", examples=[[[1, 2], [3, 4]], 27.0]),
        ],
    )

Shape: TypeAlias = Annotated[
    list[Annotated[StrictInt, Field(ge=0)]],
    Field(
        description="The size of each dimension; `[]` is a single number. Left out of a request, it is the nesting of "
        "`data`.",
        examples=[[2, 2]],
    ),
]
_NAMES = [name for dtype in DTYPES.values() for name in (dtype.name, *dtype.aliases)]
DtypeName: TypeAlias = Annotated[
    StrictStr,
    Field(
        pattern=rf"^(torch\.)?({'|'.join(_NAMES)})$",
        description="A dtype by PyTorch's name, or one of its aliases; a leading `torch.` is accepted. Left out, it is "
        "inferred as `torch.tensor` does.",
        examples=["float32"],
    ),
]


class _TensorDocument(BaseModel):
    """Members of every tensor document. Others are ignored, so that a tensor of a reply can be sent back."""

    model_config = ConfigDict(extra="allow")

    requires_grad: StrictBool = Field(
        False, description="Whether gradients are recorded for it; floating and complex dtypes only."
    )
    device: Annotated[StrictStr | None, LEFT_OUT] = Field(
        None, description="Where the tensor is put. Left out, it is the run's device.", examples=["cpu"]
    )


class TensorJson(_TensorDocument):
    """A tensor with its numbers as JSON."""

    data: Annotated[
        Data,
        Field(
            description="Nested lists, or a flat list when `shape` is given. A complex element is `[re, im]`.",
            examples=[[[1, 2], [3, 4]]],
        ),
    ]
    dtype: Annotated[DtypeName | None, LEFT_OUT] = None
    shape: Annotated[Shape | None, LEFT_OUT] = None
    encoding: Literal["json"] = Field("json", description="`data` is JSON numbers.")


class TensorBase64(_TensorDocument):
    """A tensor with its bytes as base64 text."""

    data: StrictStr = Field(
        description="Base64 of the little-endian bytes, in C order.",
        examples=["AACAPwAAAEA="],
        json_schema_extra={"contentEncoding": "base64"},
    )
    dtype: DtypeName
    shape: Shape
    encoding: Literal["base64"] = Field(description="`data` is base64.")


class TensorPart(_TensorDocument):
    """A tensor with its bytes in a part of a `multipart/form-data` body."""

    data: StrictStr = Field(
        description="The name of the part. It holds the little-endian bytes, in C order.", examples=["x"]
    )
    dtype: DtypeName
    shape: Shape
    encoding: Literal["part"] = Field(description="`data` names a part of the body.")


TensorIn = TypeAliasType(
    "TensorIn",
    Annotated[
        TensorJson | TensorBase64 | TensorPart,
        Field(
            description="A tensor. `data` is the only member that must be there, unless `encoding` says base64 or "
            "part.",
            examples=[{"data": [[1, 2], [3, 4]], "dtype": "float32", "requires_grad": True}],
            json_schema_extra={"x-one-of": True},
        ),
    ],
)
Input = TypeAliasType(
    "Input",
    Annotated[
        TensorIn | StrictInt | StrictFloat | StrictBool | list[Data],
        Field(
            description="A tensor object, or a bare number, boolean or (nested) list whose dtype is inferred as "
            "`torch.tensor` infers it.",
            examples=[{"data": [[1, 1], [1, 1]], "requires_grad": True}, [5.5, 3], 2],
        ),
    ],
)
