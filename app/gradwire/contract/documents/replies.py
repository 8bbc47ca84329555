"""The replies of POST /v1/graphs/run and POST /v1/ops/{name}, and the document of every error."""

from __future__ import annotations

from pydantic import Field, StrictFloat, StrictInt, StrictStr

from gradwire.contract.documents.names import JsonValue, ReplyPart
from gradwire.contract.documents.tape import TapeReply
from gradwire.contract.documents.values import Value
from gradwire.contract.documents.variables import BriefValue
from gradwire.contract.problems import STATUSES


class Timing(ReplyPart):
    """Where the time went, in milliseconds."""

    queue: StrictInt | StrictFloat = Field(description="Waiting for a worker.")
    decode: StrictInt | StrictFloat = Field(description="Reading the body and planning the graph.")
    run: StrictInt | StrictFloat = Field(description="Running the graph.")
    encode: StrictInt | StrictFloat = Field(description="Writing the values.")


class RunFacts(ReplyPart):
    """What every reply of a computation says of it."""

    seed: StrictInt = Field(description="The seed of the run; sent again, it gives the same numbers.", examples=[1234])
    device: StrictStr = Field(description="Where the run took place.", examples=["cpu"])
    torch: StrictStr = Field(description="The version of PyTorch.", examples=["2.13.0"])
    timing_ms: Timing


class PrintedEntry(ReplyPart):
    """What one call of `print` wrote."""

    line: StrictInt | None = Field(None, ge=1, description="Its line, in a program.", examples=[6])
    node: StrictStr | StrictInt | None = Field(None, description="Its node, in a graph of nodes.", examples=[0])
    text: StrictStr = Field(description="The text as Python prints it, without the newline at its end.")
    end: StrictStr | None = Field(None, description="What ends it, where that is not a newline.")


class GraphReply(RunFacts):
    """What a graph returned."""

    outputs: dict[str, Value] = Field(description="The values asked for, by name.")
    tape: TapeReply | None = Field(None, description="The backward graph, where it was asked for.")
    printed: list[PrintedEntry] | None = Field(None, description="What `print` wrote, an entry for each call.")
    variables: dict[str, Value | BriefValue] | None = Field(
        None, description='What each name stood for at the end. With `"variables": true`.'
    )


class OpReply(RunFacts):
    """What one op returned."""

    result: Value


class ErrorEntry(ReplyPart):
    """One mistake, and where it is."""

    pointer: StrictStr = Field(
        description="JSON Pointer (RFC 6901) into the request; empty for the whole body, the path and the query.",
        examples=["/nodes/3/args/0"],
    )
    node: StrictStr | StrictInt | None = Field(
        None, description="The graph node: its id or, without one, its index.", examples=["out"]
    )
    code: StrictStr = Field(description="What kind of mistake it is.", json_schema_extra={"enum": list(STATUSES)})
    message: StrictStr = Field(description="What is wrong; of `op_failed`, PyTorch's own message.")
    got: JsonValue = Field(None, description="What came, shortened.")
    expected: JsonValue = Field(None, description="What would have been right.")
    hint: StrictStr | None = Field(None, description="What was probably meant, or which node is to blame.")
    line: StrictInt | None = Field(None, ge=1, description="Of a program: the line, from 1.", examples=[6])
    column: StrictInt | None = Field(None, ge=1, description="The column, from 1, in characters.", examples=[5])
    end_line: StrictInt | None = Field(None, ge=1, description="The line where it ends.")
    end_column: StrictInt | None = Field(None, ge=1, description="The column after its last character.")
    parameter: StrictStr | None = Field(None, description="The parameter of the path or query that is wrong.")


class ProblemDocument(ReplyPart):
    """A problem document (RFC 9457). Its first error decides `status` and `code`."""

    type: StrictStr = Field(
        description="A path that this server answers with an explanation.",
        examples=["/problems/unknown_reference"],
        json_schema_extra={"format": "uri-reference"},
    )
    title: StrictStr = Field(description="The code in words.")
    status: StrictInt = Field(ge=400, le=599, description="The HTTP status.")
    detail: StrictStr = Field(description="The first error's message.")
    code: StrictStr = Field(description="The first error's code.", json_schema_extra={"enum": list(STATUSES)})
    errors: list[ErrorEntry] = Field(
        min_length=1, description="All errors that could be found, in the request's order."
    )
    omitted: StrictInt | None = Field(None, description="How many errors did not fit into this document.")
