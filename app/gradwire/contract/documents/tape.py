"""The backward graph in a reply (contract section 4)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, StrictInt, StrictStr

from gradwire.contract.documents.names import JsonValue, ReplyPart
from gradwire.contract.documents.tensor import Shape
from gradwire.contract.documents.values import Value

Edge: TypeAlias = Annotated[list[StrictInt], Field(min_length=2, max_length=2)]


class SavedTensor(ReplyPart):
    """A tensor that a backward node keeps."""

    name: StrictStr = Field(description="PyTorch's name for it.", examples=["self"])
    dtype: StrictStr = Field(description="Its dtype.", examples=["float32"])
    shape: Shape
    bytes: StrictInt = Field(ge=0, description="Number of elements times the size of one.")
    storage: StrictInt = Field(description="A number that saves of one storage share.")


class SavedOther(ReplyPart):
    """Something else that a backward node keeps."""

    name: StrictStr = Field(description="PyTorch's name for it; `other` for a number.", examples=["self_sym_sizes"])
    value: JsonValue = Field(description="The number, text, list or the like.", examples=[[2, 2]])


class TapeNode(ReplyPart):
    """One node of the backward graph."""

    id: StrictInt = Field(ge=0, description="Its number in this tape.")
    name: StrictStr = Field(description="PyTorch's name for it.", examples=["MulBackward0"])
    node: StrictStr | StrictInt | None = Field(
        None, description="The graph node that made it: its id or, without one, its index."
    )
    line: StrictInt | None = Field(None, ge=1, description="The line of the program that made it.", examples=[5])
    input: StrictStr | None = Field(None, description="Of an AccumulateGrad: the graph's input.")
    next: list[Edge | None] = Field(
        description="Where gradients flow on to: `[tape node, its input number]`, null where none flows.",
        examples=[[[1, 0], None]],
    )
    saved: list[SavedTensor | SavedOther] = Field(description="What it keeps for the backward pass.")
    saved_bytes: StrictInt = Field(ge=0, description="Bytes of the storages that it keeps.")
    grad: list[Value | None] | None = Field(
        None, description='The gradients that flowed into it, null for none. With `"tape": {"gradients": true}`.'
    )


class TapeReply(ReplyPart):
    """The backward graph as it stood before it was freed."""

    roots: dict[str, StrictInt] = Field(
        description="Where the backward pass began: references as written, and their tape nodes.", examples=[{"out": 0}]
    )
    nodes: list[TapeNode] = Field(description="The nodes that can be reached from a root.")
    saved_bytes: StrictInt = Field(ge=0, description="Bytes of all storages kept, each counted once and whole.")
