"""Small types that several documents share: names, seeds, encodings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StrictBool, StrictFloat, StrictInt, StrictStr
from pydantic_core import core_schema
from typing_extensions import TypeAliasType

NAME_PATTERN = r"^[^$\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]{0,255}$"
NAME_RULE = "1 to 256 characters, the first not `$`, no control characters"

Name: TypeAlias = Annotated[
    StrictStr,
    Field(pattern=NAME_PATTERN, description=f"A name for a value: {NAME_RULE}. Names hold any other text, dots too."),
]
OpName: TypeAlias = Annotated[
    StrictStr,
    Field(
        description="The op, named as in PyTorch's documentation; a leading `torch.` may be left out: `add`, "
        "`Tensor.add_`, `nn.functional.relu` (also `F.relu`), `linalg.svd`, `operator.add`, `getitem`.",
        examples=["add", "Tensor.add_", "nn.functional.relu"],
    ),
]
Seed: TypeAlias = Annotated[
    StrictInt,
    Field(
        ge=-(2**63),
        le=2**64 - 1,
        description="Seeds the run as `torch.manual_seed` before the first node would: an int64 or uint64. Left out, "
        "the service draws one below 2^53 and says which.",
        examples=[0],
    ),
]
DeadlineMs: TypeAlias = Annotated[
    StrictInt,
    Field(
        ge=1,
        description="The longest the run may take, in milliseconds, from when a worker takes it. Above the server's "
        "own limit that limit holds.",
        examples=[5000],
    ),
]
Device: TypeAlias = Annotated[
    StrictStr,
    Field(
        description="Where the run takes place: `auto` (CUDA where there is one), `cpu`, `cuda`, `cuda:1`. One that "
        "is missing is an error that lists those present.",
        examples=["auto", "cpu"],
    ),
]
Encoding: TypeAlias = Annotated[
    Literal["json", "base64"],
    Field(
        description="How tensors are written: `json` as nested lists of numbers, `base64` as one text of the "
        "little-endian bytes in C order."
    ),
]
Describe: TypeAlias = Annotated[
    Literal["full"],
    Field(description="`full` adds `strides`, `storage_offset`, `storage` and `version` to every tensor of the reply."),
]

if TYPE_CHECKING:  # mypy has no recursive TypeAliasType
    JsonValue: TypeAlias = Any
else:
    JsonValue = TypeAliasType(
        "JsonValue",
        Annotated[
            StrictInt | StrictFloat | StrictBool | StrictStr | list["JsonValue"] | dict[str, "JsonValue"] | None,
            Field(description="Any JSON value."),
        ],
    )


class Body(BaseModel):
    """A request's object: members that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class ReplyPart(BaseModel):
    """An object of a reply: it may hold more members than are described."""

    model_config = ConfigDict(extra="allow")


class LeftOut:
    """Annotation of `T | None`: a member that may be left out, for which null does not stand.

    None at run time says that it was left out; a null in the document is refused as any other wrong type.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        present = [kind for kind in get_args(source) if kind is not type(None)]
        return handler.generate_schema(Union[tuple(present)])  # noqa: UP007 - built at run time


LEFT_OUT = LeftOut()
