"""The parts of the OpenAPI document about pictures, and the parameter that says what they show."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from gradwire.contract.media import GRAPHVIZ, MERMAID, SVG
from gradwire.findings import Finding, Refusal
from gradwire.front.api.described import GRAPH_PROBLEMS, Responses, problems

SHOWN = ("both", "graph", "tape")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

Show = Annotated[
    str,
    Query(
        description="What is drawn: the graph, its tape, or both with the ties between them.",
        json_schema_extra={"enum": list(SHOWN)},
    ),
]

_SVG = (
    "A picture for browsers, without scripts, links and anything from outside. Nodes of the graph are "
    "`g.graph-node` with `data-node` and `data-line`, those of the tape `g.tape-node` with `data-tape` as well."
)
_TEXTS = {
    GRAPHVIZ: ("A digraph, for `dot`.", 'digraph gradwire {\n  g0 -> g1 [label="float32[2, 2]"];\n}\n'),
    MERMAID: ("A flowchart.", 'flowchart TB\n  g0 -->|"float32[2, 2]"| g1\n'),
}


def picture_reply() -> Responses:
    """The 200 of an operation that draws."""
    content: dict[str, Any] = {SVG: {"schema": {"type": "string", "description": _SVG}}}
    for media_type, (description, text) in _TEXTS.items():
        content[media_type] = {"schema": {"type": "string", "description": description}, "example": text}
    headers = {
        "X-Content-Type-Options": {"description": "Always.", "schema": {"type": "string", "const": "nosniff"}},
        "Content-Security-Policy": {"description": "Of SVG.", "schema": {"type": "string", "const": _POLICY}},
    }
    return {200: {"description": "The picture.", "content": content, "headers": headers}}


def picture_problems() -> Responses:
    """The errors of such an operation: those of a run, in other media types, and a wrong parameter."""
    refused = Finding("not_acceptable", "the reply cannot be written as Accept asks", got="image/png", expected=[SVG])
    return problems(*(one for one in GRAPH_PROBLEMS if one.code != refused.code), refused, wrong_show("picture"))


def wrong_show(show: str) -> Finding:
    """What is wrong with a `show` that is none of those known."""
    words = " or ".join(SHOWN)
    return Finding("invalid_request", f"`show` must be {words}", got=show[:100], expected=list(SHOWN), parameter="show")


def check_show(show: str) -> str:
    """`show` as it is. Raises `Refusal` (`invalid_request`) where it is none of those known."""
    if show not in SHOWN:
        raise Refusal([wrong_show(show)])
    return show
