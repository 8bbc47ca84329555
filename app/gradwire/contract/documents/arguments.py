"""What stands in `args` and `kwargs` (contract section 2). Read by `wire.read.arguments`; described here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr
from typing_extensions import TypeAliasType

from gradwire.contract.documents.callees import FunctionLiteral, StarLiteral
from gradwire.contract.documents.names import Body
from gradwire.contract.documents.tensor import Element, Input, TensorIn

Reference = TypeAliasType(
    "Reference",
    Annotated[
        StrictStr,
        Field(
            pattern=r"^\$[^$]",
            description="A value by name: `$x`, then any path of `.grad`, an item (`.0`, `.key`, `.values`), or an "
            "attribute such as `.shape`, `.dtype`, `.T`. A name may hold dots; the longest that exists wins.",
            examples=["$x", "$x.grad", "$t.0"],
        ),
    ],
)
Text = TypeAliasType(
    "Text",
    Annotated[
        StrictStr,
        Field(
            pattern=r"^([^$]|\$\$|$)",
            description="A string as it is; `$$` at its beginning is a literal `$`. Where the op's parameter is a "
            "dtype, device, layout or memory format, this is its name.",
            examples=["float64", "mean", ":, 1"],
        ),
    ],
)
Bound: TypeAlias = StrictInt | Reference | None


class TensorLiteral(Body):
    """A tensor, spelled out."""

    tensor: Annotated[Input, Field(description="The tensor.")]


class DtypeLiteral(Body):
    """A dtype, such as `torch.float64`."""

    dtype: StrictStr = Field(
        pattern=r"^(torch\.)?[a-z][a-z0-9_]*$", description="PyTorch's name for it.", examples=["float64"]
    )


class SliceLiteral(Body):
    """Python's `start:stop:step`; null leaves a bound out."""

    slice: list[Bound] = Field(
        min_length=1, max_length=3, description="Start, stop and step, as for Python's `slice`.", examples=[[None, 2]]
    )


class EllipsisLiteral(Body):
    """Python's `...`."""

    ellipsis: Literal[True] = Field(description="Always true.")


class FloatLiteral(Body):
    """A float that JSON has no number for."""

    float: StrictInt | StrictFloat | StrictStr = Field(
        description="`NaN`, `-NaN`, `Infinity`, `-Infinity`, or a number.", examples=["NaN", "-Infinity"]
    )


class IntLiteral(Body):
    """A Python int of any size."""

    int: StrictInt | Annotated[StrictStr, Field(pattern=r"^-?[0-9]+$")] = Field(
        description="The integer, as digits.", examples=["123456789012345678901"]
    )


class ComplexLiteral(Body):
    """A Python complex number."""

    complex: list[Element] = Field(min_length=2, max_length=2, description="`[re, im]`.", examples=[[1, -1]])


class MemoryFormatLiteral(Body):
    """A memory format, such as `torch.channels_last`."""

    memory_format: StrictStr = Field(
        description="PyTorch's name for it: contiguous_format, preserve_format, channels_last, channels_last_3d.",
        examples=["channels_last"],
    )


class LayoutLiteral(Body):
    """A layout, such as `torch.strided`."""

    layout: StrictStr = Field(description="PyTorch's name for it.", examples=["strided"])


class DeviceLiteral(Body):
    """A device."""

    device: StrictStr = Field(description="PyTorch's name for it.", examples=["cpu"])


class TupleLiteral(Body):
    """A Python tuple."""

    tuple: list[Argument] = Field(description="Its items.", examples=[[1, 2]])


class SizeLiteral(Body):
    """A `torch.Size`."""

    size: list[StrictInt | Reference] = Field(description="Its numbers.", examples=[[5, 3]])


class DictLiteral(Body):
    """A Python dict with string keys."""

    items: dict[str, Argument] = Field(alias="dict", description="Its items.", examples=[{"a": 1}])


Literals: TypeAlias = (
    TensorLiteral
    | DtypeLiteral
    | SliceLiteral
    | EllipsisLiteral
    | FloatLiteral
    | IntLiteral
    | ComplexLiteral
    | MemoryFormatLiteral
    | LayoutLiteral
    | DeviceLiteral
    | TupleLiteral
    | SizeLiteral
    | DictLiteral
    | FunctionLiteral
    | StarLiteral
)
if TYPE_CHECKING:  # mypy has no recursive TypeAliasType
    Argument: TypeAlias = Any
else:
    Argument = TypeAliasType(
        "Argument",
        Annotated[
            StrictInt | StrictFloat | StrictBool | Reference | Text | list["Argument"] | Literals | None,
            Field(
                description="An argument: a number, boolean, null (None), list, string, reference, or an object of "
                "one member where JSON has no word for the value. Numbers and lists are what Python would pass; only "
                "where no overload of the op takes them so do they become tensors.",
                examples=["$x", 2, [2, 3], {"dtype": "float64"}, {"slice": [None, 2]}],
            ),
        ],
    )
OpArgument = TypeAliasType(
    "OpArgument",
    Annotated[
        Argument | TensorIn,
        Field(
            description="An argument of a single op: as in a graph, without references, and a tensor object may stand "
            "as it is.",
            examples=[{"data": [1.0, 2.0]}, 2],
        ),
    ],
)

for _model in (TupleLiteral, DictLiteral):
    _model.model_rebuild()
