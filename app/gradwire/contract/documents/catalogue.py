"""The op catalogue's replies (contract section 5)."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictInt, StrictStr

from gradwire.contract.documents.names import JsonValue, ReplyPart

Status: TypeAlias = Annotated[
    Literal["callable", "excluded"], Field(description="Whether it can be called here.", examples=["callable"])
]
Reason: TypeAlias = Annotated[
    StrictStr | None, Field(description="Why it is excluded; null for a callable one.", examples=[None])
]


class OpSummary(ReplyPart):
    """One op in a list."""

    name: StrictStr = Field(description="The op, as `op` of a node and in the path.", examples=["nn.functional.relu"])
    summary: StrictStr = Field(description="The first sentence of its documentation; may be empty.")
    status: Status
    reason: Reason


class OpsReply(ReplyPart):
    """One page of ops."""

    ops: list[OpSummary] = Field(description="The ops of this page, best matches first.")
    total: StrictInt = Field(ge=0, description="How many match in all.", examples=[1])
    next_cursor: StrictStr | None = Field(description="Sent as `cursor`, it gives the next page; null on the last.")


class OpParameter(ReplyPart):
    """One parameter of an overload."""

    name: StrictStr = Field(description="Its name.", examples=["input"])
    type: StrictStr = Field(description="Its type.", examples=["Tensor"])
    default: JsonValue = Field(
        description="Its default. Null also where it has none: then it is `required` or `variadic`.", examples=[1]
    )
    keyword_only: StrictBool = Field(description="Whether it can be given by name only.")
    required: StrictBool = Field(True, description="Whether a call must give it.")
    optional: StrictBool = Field(False, description="Whether null may be given for it.")
    variadic: StrictBool = Field(False, description="Whether it takes all further positional arguments.")
    choices: list[StrictStr] | None = Field(
        None, description="The words that its documentation lists, where it is a string; there may be others."
    )


class OpOverload(ReplyPart):
    """One way to call an op."""

    text: StrictStr = Field("", description="The overload as a signature.", examples=["(Tensor input) -> Tensor"])
    parameters: list[OpParameter] = Field(description="The parameters, in order.")
    returns: StrictStr = Field(description="What it returns.", examples=["Tensor"])


class OpDescription(ReplyPart):
    """An op and how to call it."""

    name: StrictStr = Field(description="The op's name.", examples=["add"])
    status: Status
    reason: Reason = None
    summary: StrictStr | None = Field(None, description="The first sentence of its documentation.")
    overloads: list[OpOverload] = Field(description="The ways to call it.")
    differentiable: StrictBool | None = Field(description="Whether gradients flow through it; null if unknown.")
    in_place: StrictBool | None = Field(description="Whether it changes its first argument.")
    random: StrictBool | None = Field(description="Whether it draws random numbers.")
    view: StrictBool | None = Field(description="Whether its result may share its argument's memory.")
    data_dependent_shape: StrictBool | None = Field(
        None, description="Whether the shape of its result may depend on the values of its arguments."
    )
    doc: StrictStr | None = Field(description="PyTorch's documentation.")
    doc_url: StrictStr | None = Field(description="Where PyTorch's website documents it.")
    schema_: JsonValue = Field(alias="schema", description="JSON Schema of the body of POST /v1/ops/{name}.")
    example: JsonValue = Field(
        description="A body for POST /v1/ops/{name} that runs as it stands. Null if the op is excluded, or if it takes "
        "what no literal writes, such as a sparse tensor or an array."
    )
    example_graph: JsonValue = Field(
        None, description="A body for POST /v1/graphs/run whose last node is the op; null if it is excluded."
    )
