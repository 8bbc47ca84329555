"""What names functions and what binds names: targets, callees, parameters (contract sections 3 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Strict, StrictStr, Tag
from typing_extensions import TypeAliasType

from gradwire.contract.documents.component import Component, is_list
from gradwire.contract.documents.names import Body, Name, OpName

# Tags of unions show up in the places of pydantic's errors, among the names that clients choose; the leading control
# character keeps them apart.
TEXT, LIST, OBJECT, ROLES = "\0text", "\0list", "\0object", "\0roles"

Value: TypeAlias = Annotated[Any, Component("Argument")]


def _target_form(value: Any) -> str | None:
    return TEXT if isinstance(value, str) else LIST if isinstance(value, list) else None


if TYPE_CHECKING:  # mypy has no recursive TypeAliasType
    Target: TypeAlias = Any
    Callee: TypeAlias = Any
    Returned: TypeAlias = Any
else:
    Target = TypeAliasType(
        "Target",
        Annotated[
            Annotated[Name, Tag(TEXT)] | Annotated[list["Target"], Tag(LIST)],
            Discriminator(
                _target_form,
                custom_error_type="target_type",
                custom_error_message='expected a name, or a list of names to unpack to, such as ["a", ["b", "*rest"]]',
            ),
            Field(
                description="A name that is bound as Python's `=` does, as often as one likes; or a list to unpack to, "
                "in which `*rest` takes what is left over.",
                examples=["x", ["a", ["b", "*rest"]]],
            ),
        ],
    )


class FunctionLiteral(Body):
    """A function of PyTorch's or Python's as a value."""

    function: StrictStr = Field(
        description="Its name: an op, a transform such as `func.grad`, or `builtins.float`.",
        examples=["nn.functional.relu"],
    )


class StarLiteral(Body):
    """The items of a value as so many arguments: Python's `*xs` in a call."""

    star: Value = Field(description="The value: a reference to a list, a tuple or a tensor.", examples=["$xs"])


class TransformBody(Body):
    """A transform of a function, as a function."""

    op: OpName
    of: Callee
    options: dict[str, Value] = Field(
        default_factory=dict, description="The transform's keyword arguments.", examples=[{"argnums": 0}]
    )


def _callee_form(value: Any) -> str | None:
    if isinstance(value, str):
        return TEXT
    if isinstance(value, dict):
        return OBJECT if "op" in value else LIST if "function" in value else ROLES
    return OBJECT if isinstance(value, TransformBody) else LIST if isinstance(value, FunctionLiteral) else None


if not TYPE_CHECKING:
    _FORMS = (
        Annotated[StrictStr, Tag(TEXT)]
        | Annotated[TransformBody, Tag(OBJECT)]
        | Annotated[FunctionLiteral, Tag(LIST)]
        | Annotated[dict[str, "Callee"], Tag(ROLES)]
    )
    Callee = TypeAliasType(
        "Callee",
        Annotated[
            _FORMS,
            Discriminator(
                _callee_form,
                custom_error_type="callee_type",
                custom_error_message="expected a function's name, a transform of one, or an object of two for control "
                "flow",
            ),
            Field(
                description="A function: its name, with or without `$`; a transform of one "
                '(`{"op": "func.grad", "of": "f"}`), to any depth; a function of PyTorch\'s (`{"function": …}`); for '
                '`cond` and `while_loop` an object of two (`{"then": "f", "else": "g"}`).',
                examples=["f", {"op": "func.grad", "of": "f", "options": {"argnums": 1}}],
            ),
        ],
    )


def _returned_form(value: Any) -> str | None:
    return LIST if is_list(value) else OBJECT if isinstance(value, dict) else TEXT


if not TYPE_CHECKING:
    Returned = TypeAliasType(
        "Returned",
        Annotated[
            Annotated[StrictStr | int | float | bool | None, Tag(TEXT)]
            | Annotated[list["Returned"], Tag(LIST)]
            | Annotated[dict[str, "Returned"], Tag(OBJECT)],
            Discriminator(_returned_form),
            Field(
                description="What the function gives: a reference (with or without `$`), a list (a tuple) or an "
                "object (a dict) of such, nested as one likes.",
                examples=["y", ["$carry", "$y"], {"loss": "$l"}],
            ),
        ],
    )


def _parameter_form(value: Any) -> str | None:
    return TEXT if isinstance(value, str) else LIST if is_list(value) else None


Parameter: TypeAlias = Annotated[
    Annotated[Name, Tag(TEXT)] | Annotated[list[Value], Tag(LIST), Field(min_length=2, max_length=2)],
    Discriminator(
        _parameter_form,
        custom_error_type="parameter_type",
        custom_error_message='expected a name, or a name and its default: ["k", 2]',
    ),
]
Parameters: TypeAlias = Annotated[
    list[Parameter],
    Strict(),
    Field(description="The parameters: names, or `[name, default]`.", examples=[["x", ["k", 2]]]),
]


TransformBody.model_rebuild()
