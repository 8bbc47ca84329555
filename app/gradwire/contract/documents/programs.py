"""The bodies and replies of POST /v1/programs/compile and POST /v1/graphs/python."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field, StrictInt, StrictStr

from gradwire.contract.documents.graph import Inputs
from gradwire.contract.documents.names import Body, ReplyPart
from gradwire.contract.documents.nodes import Functions, Statement

Place: TypeAlias = Annotated[list[Annotated[StrictInt, Field(ge=1)]], Field(min_length=2, max_length=2)]


class ProgramBody(Body):
    """A program to be compiled, with the inputs and functions of the graph that it may read."""

    program: StrictStr = Field(description="The text of a PyTorch program.", examples=["y = (x * x).sum()\nprint(y)"])
    inputs: Inputs = Field(default_factory=dict)
    functions: Functions = Field(default_factory=dict)


class CompiledGraph(ReplyPart):
    """What POST /v1/graphs/run takes in place of the program."""

    inputs: dict[str, Any] = Field(description="The inputs, as they came.")
    nodes: list[Statement] = Field(description="The nodes that the program is.")
    functions: dict[str, Any] = Field(description="The functions; those that had a `program` have nodes now.")


class ProgramReply(ReplyPart):
    """A program as a graph."""

    graph: CompiledGraph
    lines: dict[str, Place] = Field(
        description="Where each node stands in the text: JSON pointer into `graph` to `[line, column]`, from 1.",
        examples=[{"/nodes/0": [2, 1]}],
    )


class PythonReply(ReplyPart):
    """A graph as a program."""

    program: StrictStr = Field(
        description="Text that runs in local Python with torch, and is a program here.",
        examples=["import torch\nx = torch.ones(2)\ny = torch.add(x, 2)\n"],
    )
    names: dict[str, StrictStr] = Field(
        description="The names that Python lacks, and what they are called in the text.", examples=[{"a.b": "a_b"}]
    )
