"""The bodies of POST /v1/autograd/{name} and their replies (contract section 3, last part)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Strict, StrictBool, StrictFloat, StrictInt, StrictStr, Tag
from typing_extensions import TypeAliasType

from gradwire.contract.documents.component import Component, is_list
from gradwire.contract.documents.graph import Inputs
from gradwire.contract.documents.names import LEFT_OUT, Body, DeadlineMs, Device, Encoding, Name, ReplyPart, Seed
from gradwire.contract.documents.nodes import Functions, Nodes, ProgramText
from gradwire.contract.documents.replies import RunFacts
from gradwire.contract.documents.tensor import Input, TensorIn
from gradwire.contract.documents.values import NON_FINITE_OR_HEX, TensorOut

OBJECT, LIST = "\0object", "\0list"

Wrt: TypeAlias = Annotated[
    list[StrictStr],
    Strict(),
    Field(
        min_length=1,
        description="The inputs to differentiate by, with or without the leading `$`. Left out, it is every input of "
        "a floating or complex dtype. `requires_grad` need not be set.",
        examples=[["x"]],
    ),
]
CotangentsIn = TypeAliasType(
    "CotangentsIn",
    Annotated[
        Input | list[TensorIn],
        Field(
            description="A tensor like the output, or a list of tensor objects, each like it. A bare nested list of "
            "numbers is one tensor. Numbers without a dtype take the output's. Only an output of one number goes "
            "without.",
            examples=[[0.1, 1, 0.0001], [{"data": [1, 0, 0]}, {"data": [0, 1, 0]}]],
        ),
    ],
)
DirectionIn: TypeAlias = Annotated[dict[Name, Annotated[Any, Component("Input")]], Strict()]


def _directions_form(value: Any) -> str | None:
    return OBJECT if isinstance(value, dict) else LIST if is_list(value) else None


DirectionsIn: TypeAlias = Annotated[
    Annotated[DirectionIn, Tag(OBJECT)] | Annotated[list[DirectionIn], Strict(), Field(min_length=1), Tag(LIST)],
    Discriminator(
        _directions_form,
        custom_error_type="directions_type",
        custom_error_message='expected an object of tensors by input, such as {"x": [1, 0]}, or a list of such objects',
    ),
]
_SHAPED = "each tensor has the shape of its input. An input that is left out does not move, unless `wrt` names it."


class _ShortForm(Body):
    inputs: Inputs = Field(default_factory=dict)
    functions: Functions = Field(default_factory=dict)
    nodes: Nodes = None
    program: ProgramText = None
    returns: Annotated[StrictStr | None, LEFT_OUT] = Field(
        None,
        description="The output to differentiate, a tensor, with or without the leading `$`. Left out, it is the last "
        "node that has an id.",
        examples=["y"],
    )
    wrt: Annotated[Wrt | None, LEFT_OUT] = None
    device: Device = "auto"
    seed: Annotated[Seed | None, LEFT_OUT] = None
    encoding: Encoding = "json"
    deadline_ms: Annotated[DeadlineMs | None, LEFT_OUT] = None


class GradBody(_ShortForm):
    """A graph whose output is one number, to be differentiated by its inputs."""


class VjpBody(_ShortForm):
    """A graph, and cotangents of its output."""

    cotangents: Annotated[Any, Component("CotangentsIn")] = None


class JvpBody(_ShortForm):
    """A graph, and tangents of its inputs."""

    tangents: DirectionsIn = Field(
        description=f"One direction, or a list of them: {_SHAPED}", examples=[{"x": [1, 0, 0]}]
    )


class JacobianBody(_ShortForm):
    """A graph whose Jacobian or Hessian is wanted."""

    mode: Literal["auto", "forward", "reverse"] = Field(
        "auto",
        description="`forward` takes a pass for each element of the inputs, `reverse` one for each element of the "
        "output (of a Hessian: of the gradient). `auto` takes what needs fewer; Hessians are forward over reverse.",
    )
    chunk_size: Annotated[StrictInt, Field(ge=1)] | None = Field(
        None,
        description="How many passes are made at a time; null: all. Left out, it is as many as the memory of a worker "
        "has room for. 1 makes each alone, without vmap.",
        examples=[16],
    )


class HvpBody(_ShortForm):
    """A graph whose output is one number, and vectors for its Hessian."""

    vector: DirectionsIn = Field(description=f"One vector, or a list of them: {_SHAPED}", examples=[{"x": [1, 0, 0]}])


class GradcheckBody(_ShortForm):
    """A graph whose derivatives are to be compared with finite differences."""

    order: Literal[1, 2] = Field(1, description="1: the gradients; 2: the gradients of the gradients.")
    eps: Annotated[float, Strict(), Field(gt=0, description="How far each element is moved.")] = 1e-6
    atol: Annotated[float, Strict(), Field(ge=0, description="The absolute tolerance.")] = 1e-5
    rtol: Annotated[float, Strict(), Field(ge=0, description="The relative tolerance.")] = 1e-3


BODIES: dict[str, type[_ShortForm]] = {
    "value_and_grad": GradBody,
    "grad": GradBody,
    "vjp": VjpBody,
    "jvp": JvpBody,
    "jacobian": JacobianBody,
    "hessian": JacobianBody,
    "hvp": HvpBody,
    "gradcheck": GradcheckBody,
}

# ---- replies

ByInput: TypeAlias = dict[str, TensorOut]


class _Derivative(RunFacts):
    value: TensorOut = Field(description="The output.")
    notes: dict[str, StrictStr] | None = Field(
        None, description="What one should know of the derivatives by an input, such as that the output ignores it."
    )


class GradReply(_Derivative):
    """A number and its gradients."""

    grads: ByInput = Field(description="The gradient by each input, of its shape.")


class VjpReply(_Derivative):
    """Cotangents times Jacobian."""

    vjp: ByInput | list[ByInput] = Field(description="By input, each of its shape; a list where cotangents are one.")


class JvpReply(_Derivative):
    """Jacobian times tangents."""

    jvp: TensorOut | list[TensorOut] = Field(description="Like the output; a list where tangents are one.")
    mode: Literal["forward", "reverse"] = Field(
        description="`reverse` where PyTorch has no forward mode for something in the graph."
    )


class _Matrix(_Derivative):
    mode: Literal["forward", "reverse"] = Field(description="How it was computed.")
    chunk_size: Annotated[StrictInt, Field(ge=0)] = Field(description="How many passes were made at a time.")


class JacobianReply(_Matrix):
    """Jacobians."""

    jacobian: ByInput = Field(description="By input, of shape output.shape + input.shape.")


class HessianReply(_Matrix):
    """Hessians."""

    hessian: dict[str, ByInput] = Field(
        description="By two inputs, of shape output.shape + first.shape + second.shape: first the gradient's, then "
        "what that is differentiated by."
    )


class HvpReply(GradReply):
    """Hessian times vectors, and the gradients."""

    hvp: ByInput | list[ByInput] = Field(description="By input, each of its shape; a list where vectors are one.")


NumberOut: TypeAlias = StrictFloat | StrictInt | Annotated[StrictStr, Field(pattern=NON_FINITE_OR_HEX)]


class Failure(ReplyPart):
    """A derivative that is not what finite differences say."""

    input: StrictStr = Field(description="The input that was moved.", examples=["x"])
    index: list[StrictInt] = Field(description="The element of it.", examples=[[0, 1]])
    analytic: NumberOut | list[NumberOut] = Field(
        description="What PyTorch computes; `[re, im]` for a complex input, of df/da + i df/db."
    )
    numerical: NumberOut | list[NumberOut] = Field(description="What finite differences give.")
    difference: NumberOut = Field(description="How far they are apart.")
    output_index: list[StrictInt] = Field(
        description="The element of the output, or for order 2 of the gradient. A complex one ends with 0 for its real "
        "part, 1 for its imaginary part.",
        examples=[[2]],
    )
    gradient_of: StrictStr | None = Field(None, description="For order 2: by which input the gradient is.")


class GradcheckReply(_Derivative):
    """Whether derivatives agree with finite differences."""

    passed: StrictBool = Field(description="Whether all agree, and a second run gives the same bits.")
    failures: list[Failure] = Field(max_length=100, description="Where they do not agree: the first 100.")
    failed: StrictInt = Field(description="How many do not agree.")
    deterministic: StrictBool = Field(description="Whether a second run, and its backward pass, gave the same bits.")
    order: StrictInt = Field(description="The order that was checked.")


REPLIES: dict[str, type[_Derivative]] = {
    "value_and_grad": GradReply,
    "grad": GradReply,
    "vjp": VjpReply,
    "jvp": JvpReply,
    "jacobian": JacobianReply,
    "hessian": HessianReply,
    "hvp": HvpReply,
    "gradcheck": GradcheckReply,
}
