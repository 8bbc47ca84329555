"""The body and the reply of POST /v1/graphs/batch."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictInt

from gradwire.contract.documents.component import Component
from gradwire.contract.documents.names import Body, ReplyPart
from gradwire.contract.documents.replies import GraphReply, ProblemDocument


class BatchBody(Body):
    """Many graphs. Each is run as if it had come alone."""

    graphs: Annotated[
        Any,
        Component("GraphBody", many=True),
        Field(description="Bodies as POST /v1/graphs/run takes them; `limits.max_batch` of GET /v1/server at most."),
    ]


class BatchResult(ReplyPart):
    """What became of one graph."""

    status: StrictInt = Field(ge=200, le=599, description="The status that the graph alone would have got.")
    body: GraphReply | ProblemDocument = Field(
        description="Its reply, or a problem document, whose pointers lead into this graph."
    )


class BatchReply(ReplyPart):
    """What became of each graph, in the order of the request."""

    results: list[BatchResult] = Field(description="A result for each graph.")
