"""The nodes of a graph: operations, and nodes that hold nodes (contract sections 2, 3 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Discriminator, Field, Strict, StrictBool, StrictStr, Tag, WithJsonSchema
from typing_extensions import TypeAliasType

from gradwire.contract.documents.callees import Callee, Parameters, Returned, Target, Value
from gradwire.contract.documents.component import PLACEHOLDER, Component
from gradwire.contract.documents.names import LEFT_OUT, NAME_PATTERN, Body, Name, OpName

Args: TypeAlias = Annotated[
    Any,
    Component("Argument", many=True),
    Field(description="The positional arguments: literals, and references to values by name (`$x`)."),
]
Kwargs: TypeAlias = Annotated[
    dict[str, Annotated[Any, Component("Argument")]],
    Strict(),
    Field(description="The keyword arguments, by PyTorch's names.", examples=[{"dim": 0, "keepdim": True}]),
]


if TYPE_CHECKING:  # mypy has no recursive TypeAliasType
    Statement: TypeAlias = Any


class _Named(Body):
    id: Annotated[Name | None, LEFT_OUT] = None


class NodeBody(_Named):
    """One operation of a graph. Nodes run in order; each sees the inputs and the nodes before it."""

    let: Annotated[Target | None, LEFT_OUT] = None
    op: OpName
    of: Annotated[Callee | None, LEFT_OUT] = None
    args: Args = ()
    kwargs: Kwargs = Field(default_factory=dict)
    options: Annotated[
        dict[str, Value],
        Strict(),
        Field(description="The keyword arguments of a transform or of control flow.", examples=[{"argnums": 0}]),
    ] = Field(default_factory=dict)
    no_grad: StrictBool = Field(False, description="Run this node under `torch.no_grad()`.")


ProgramText: TypeAlias = Annotated[
    StrictStr | None,
    LEFT_OUT,
    Field(
        description="In place of `nodes`: the text of a PyTorch program. It is read as syntax and compiled to nodes; "
        "nothing of it is run as Python.",
        examples=["y = (x * x).sum()\nprint(y)"],
    ),
]


class FunctionBody(Body):
    """A function of nodes. It sees its parameters, the graph's inputs, the other functions, and names that the graph
    has bound when it is called."""

    params: Parameters = Field(default_factory=list)
    keyword_only: Parameters = Field(default_factory=list)
    nodes: Annotated[list[Statement] | None, LEFT_OUT] = Field(
        None, description="Its nodes, run in order at every call."
    )
    program: ProgramText = None
    returns: Returned = None


class BindBody(_Named):
    """A name for a literal or a value as it is: Python's `x = y`."""

    let: Annotated[Target | None, LEFT_OUT] = None
    value: Value


class ForBody(_Named):
    """Python's `for`."""

    op: Literal["for"] = Field(description="Always `for`.")
    let: Target
    over: Value = Field(alias="in", description="What to go through: a list, a tensor, a range …", examples=["$xs"])
    body: list[Statement] = Field(description="The nodes of each turn.")


class WhileBody(_Named):
    """Python's `while`."""

    op: Literal["while"] = Field(description="Always `while`.")
    before: list[Statement] = Field(default_factory=list, description="Nodes that run ahead of every test.")
    test: Value = Field(description="Goes on while this is true.", examples=["$c"])
    body: list[Statement] = Field(description="The nodes of each turn.")


class IfBody(_Named):
    """Python's `if`."""

    op: Literal["if"] = Field(description="Always `if`.")
    test: Value = Field(description="Decides.", examples=["$c"])
    then: list[Statement] = Field(default_factory=list, description="Nodes that run where it is true.")
    orelse: list[Statement] = Field(default_factory=list, alias="else", description="Nodes that run where it is not.")


class WithBody(_Named):
    """Python's `with` one of PyTorch's contexts."""

    op: Literal["with"] = Field(description="Always `with`.")
    of: StrictStr = Field(
        description="The context: no_grad, enable_grad, set_grad_enabled, inference_mode, "
        "autograd.forward_ad.dual_level.",
        examples=["no_grad"],
    )
    args: Annotated[Any, Component("Argument", many=True), Field(description="Its arguments.")] = ()
    let: Annotated[Target | None, LEFT_OUT] = None
    body: list[Statement] = Field(description="The nodes inside.")


class DefBody(_Named):
    """Python's `def`: a function bound to a name."""

    op: Literal["def"] = Field(description="Always `def`.")
    let: Name
    params: Parameters = Field(default_factory=list)
    keyword_only: Parameters = Field(default_factory=list)
    body: list[Statement] = Field(description='Its nodes; `{"op": "return", "value": …}` says what it gives.')


class ReturnBody(_Named):
    """Python's `return`."""

    op: Literal["return"] = Field(description="Always `return`.")
    value: Value = Field(None, description="What the function gives.", examples=["$y"])


class BreakBody(_Named):
    """Python's `break`."""

    op: Literal["break"] = Field(description="Always `break`.")


class ContinueBody(_Named):
    """Python's `continue`."""

    op: Literal["continue"] = Field(description="Always `continue`.")


class DelBody(_Named):
    """Python's `del`."""

    op: Literal["del"] = Field(description="Always `del`.")
    names: list[Name] = Field(description="The names to unbind.", examples=[["x"]])


class FailBody(_Named):
    """A failed `assert`: the run ends here with `op_failed`."""

    op: Literal["fail"] = Field(description="Always `fail`.")
    value: Value = Field(None, description="The message.", examples=["the loss is not finite"])


BLOCKS: dict[str, type[Body]] = {
    "for": ForBody,
    "while": WhileBody,
    "if": IfBody,
    "with": WithBody,
    "def": DefBody,
    "return": ReturnBody,
    "break": BreakBody,
    "continue": ContinueBody,
    "del": DelBody,
    "fail": FailBody,
}


def _statement_form(value: Any) -> str | None:
    if isinstance(value, dict):
        op = value.get("op")
        if isinstance(op, str):
            return f"\0{op}" if op in BLOCKS else "\0node"
        return "\0bind" if "value" in value and "op" not in value else "\0node"
    return "\0node"


if not TYPE_CHECKING:
    _FORMS = Annotated[NodeBody, Tag("\0node")] | Annotated[BindBody, Tag("\0bind")]
    for _op, _model in BLOCKS.items():
        _FORMS = _FORMS | Annotated[_model, Tag(f"\0{_op}")]
    _DESCRIBED = Field(description="A node: an operation, a name for a value, or a block of nodes.")
    Statement = TypeAliasType("Statement", Annotated[_FORMS, Discriminator(_statement_form), _DESCRIBED])


def body_of(document: Any) -> type[Body]:
    """The model of a node's document."""
    form = (_statement_form(document) or "").removeprefix("\0")
    return BLOCKS.get(form, BindBody if form == "bind" else NodeBody)


Functions: TypeAlias = Annotated[
    dict[Name, FunctionBody],
    Strict(),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": NAME_PATTERN},
            "additionalProperties": {PLACEHOLDER: "FunctionBody"},
        }
    ),
    Field(
        description="Functions by name, to be called, transformed and looped over by nodes (`of`).",
        examples=[{"f": {"params": ["x"], "nodes": [{"id": "y", "op": "sin", "args": ["$x"]}], "returns": "y"}}],
    ),
]

Nodes: TypeAlias = Annotated[
    Annotated[list[Statement], Strict()] | None,
    LEFT_OUT,
    Field(description="The operations, run in order. May be empty; then only filled gradients are returned."),
]

_MODELS: tuple[type[BaseModel], ...] = (NodeBody, FunctionBody, BindBody, *BLOCKS.values())
for _body in _MODELS:
    _body.model_rebuild()
