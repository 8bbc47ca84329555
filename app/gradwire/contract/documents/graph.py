"""The bodies of POST /v1/graphs/run and POST /v1/ops/{name}."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Strict, StrictBool, StrictStr, Tag, WithJsonSchema

from gradwire.contract.documents.component import PLACEHOLDER, Component, is_list
from gradwire.contract.documents.names import (
    LEFT_OUT,
    NAME_PATTERN,
    Body,
    DeadlineMs,
    Describe,
    Device,
    Encoding,
    Name,
    Seed,
)
from gradwire.contract.documents.nodes import Functions, NodeBody, Nodes, ProgramText

# Tags of unions show up in the places of pydantic's errors, among the names that clients choose; the leading control
# character keeps them apart.
LIST, MAP, TEXT, OBJECT, WORD = "\0list", "\0map", "\0text", "\0object", "\0word"

Inputs: TypeAlias = Annotated[
    dict[Name, Any],
    Strict(),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": NAME_PATTERN},
            "additionalProperties": {PLACEHOLDER: "Input"},
        }
    ),
    Field(description="The tensors that the graph starts from, by name: tensor objects, or bare numbers and lists."),
]


class OutputRequest(Body):
    """One thing to return, with how to write it."""

    ref: StrictStr = Field(
        description="A reference, with or without the leading `$`: `y`, `x.grad`, `t.0`.", examples=["x.grad"]
    )
    encoding: Annotated[Encoding | None, LEFT_OUT] = None
    describe: Annotated[Describe | None, LEFT_OUT] = None


class TapeOptions(Body):
    """What the tape should hold."""

    gradients: StrictBool = Field(False, description="Add to every tape node the gradient that flowed into it.")


def _output_form(value: Any) -> str | None:
    return TEXT if isinstance(value, str) else OBJECT if isinstance(value, (dict, OutputRequest)) else None


def _returns_form(value: Any) -> str | None:
    return MAP if isinstance(value, dict) else LIST if is_list(value) else None


def _tape_form(value: Any) -> str | None:
    return WORD if isinstance(value, bool) else OBJECT if isinstance(value, (dict, TapeOptions)) else None


OutputForm: TypeAlias = Annotated[
    Annotated[StrictStr, Tag(TEXT)] | Annotated[OutputRequest, Tag(OBJECT)],
    Discriminator(
        _output_form,
        custom_error_type="output_type",
        custom_error_message='expected a reference such as "y", or an object such as {"ref": "y", "encoding": "json"}',
    ),
]
Returns: TypeAlias = Annotated[
    Annotated[list[OutputForm], Strict(), Tag(LIST)] | Annotated[dict[str, OutputForm], Strict(), Tag(MAP)],
    Discriminator(
        _returns_form,
        custom_error_type="returns_type",
        custom_error_message="expected a list of references, or an object that gives each its name in the reply",
    ),
    Field(
        description="What to return, as values stand when the graph has ended: a list of references without `$`, or "
        "an object from the reply's name to a reference. Left out, it is the last node that has an id and every "
        "gradient that was filled.",
        examples=[["y", "x.grad"], {"loss": "out", "gradient": "x.grad"}],
    ),
]
Tape: TypeAlias = Annotated[
    Annotated[StrictBool, Tag(WORD)] | Annotated[TapeOptions, Tag(OBJECT)],
    Discriminator(
        _tape_form,
        custom_error_type="tape_type",
        custom_error_message='expected true, false or {"gradients": true}',
    ),
    Field(description="Whether the reply shows the backward graph, and with it the gradients that flowed through."),
]


__all__ = ["GraphBody", "NodeBody", "OpBody", "OutputRequest", "TapeOptions"]


class GraphBody(Body):
    """A graph to run: tensors, operations on them in order, and what to return. It runs as one PyTorch program."""

    inputs: Inputs = Field(default_factory=dict)
    functions: Functions = Field(default_factory=dict)
    nodes: Nodes = None
    program: ProgramText = None
    returns: Annotated[Returns | None, LEFT_OUT] = None
    encoding: Encoding = "json"
    describe: Annotated[Describe | None, LEFT_OUT] = None
    tape: Tape = False
    variables: StrictBool = Field(
        False,
        description="Whether the reply shows every value that has a name when the graph has ended: all of a program's "
        "variables, or the values of all inputs and ids. Of large ones it tells shape, minimum, maximum and mean.",
    )
    device: Device = "auto"
    seed: Annotated[Seed | None, LEFT_OUT] = None
    deadline_ms: Annotated[DeadlineMs | None, LEFT_OUT] = None


class OpBody(Body):
    """A call of one op. Tensors among the arguments are `{"tensor": …}` or bare tensor objects."""

    args: Annotated[
        Any, Component("OpArgument", many=True), Field(description="The positional arguments: literals and tensors.")
    ] = ()
    kwargs: Annotated[
        dict[str, Annotated[Any, Component("OpArgument")]],
        Strict(),
        Field(description="The keyword arguments, by PyTorch's names."),
    ] = Field(default_factory=dict)
    seed: Annotated[Seed | None, LEFT_OUT] = None
    device: Device = "auto"
    encoding: Encoding = "json"
    describe: Annotated[Describe | None, LEFT_OUT] = None
    deadline_ms: Annotated[DeadlineMs | None, LEFT_OUT] = None
