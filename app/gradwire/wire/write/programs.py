"""The replies of POST /v1/programs/compile and POST /v1/graphs/python."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from gradwire.contract.limits import Limits
from gradwire.engine.graph import Def, Graph
from gradwire.findings import Source, refuse
from gradwire.program.documents import nodes_of
from gradwire.program.parse import read_program
from gradwire.program.show import python_of
from gradwire.program.syntax import MAX_TEXT_BYTES

# Each element of an input becomes an object of Python's syntax tree.
MOST_ELEMENTS = 1_000_000


class _Parts(msgspec.Struct):
    """The members of a request that the reply repeats as they came, to the digit."""

    inputs: msgspec.Raw = msgspec.Raw(b"{}")
    functions: dict[str, msgspec.Raw] = {}


def compiled_reply(graph: Graph, body: bytes, limits: Limits) -> bytes:
    """`graph`, compiled from the program in `body`, as a JSON client would write it; and the line of each node."""
    parts = msgspec.json.decode(body, type=_Parts)
    nodes, lines = nodes_of(graph.nodes)
    if len(lines) > limits.max_nodes:
        message = f"the graph would have {len(lines)} nodes; a document has at most {limits.max_nodes}"
        hint = "run the program as it is, which has no such limit, or write loops"
        raise refuse("limit_exceeded", message, Source("/program"), expected=f"at most {limits.max_nodes}", hint=hint)
    functions = {one.name: _function(one, bytes(parts.functions[one.name]), lines) for one in graph.functions}
    written = {"inputs": orjson.Fragment(bytes(parts.inputs)), "nodes": nodes, "functions": functions}
    return _bounded(orjson.dumps({"graph": written, "lines": lines}), limits)


def _function(one: Def, raw: bytes, lines: dict[str, list[int | None]]) -> dict[str, Any]:
    """A function as it came, but for a `program`, which becomes nodes."""
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    written: dict[str, Any] = {name: orjson.Fragment(bytes(value)) for name, value in members.items()}
    if written.pop("program", None) is not None:
        written["nodes"], places = nodes_of(one.body, Source("/functions").at(one.name, "nodes").pointer)
        lines.update(places)
    return written


def python_reply(graph: Graph, limits: Limits) -> bytes:
    """`graph` as the text of a program, and the names that had to be changed."""
    elements = sum(document.tensor.numel() for document in graph.inputs.values())
    if elements > MOST_ELEMENTS:
        message = f"the inputs have {elements} elements; as text, a program holds at most {MOST_ELEMENTS}"
        hint = "leave large inputs out: a notebook has its own"
        raise refuse("limit_exceeded", message, Source("/inputs"), expected=f"at most {MOST_ELEMENTS}", hint=hint)
    text, names = python_of(graph)
    if len(text) <= MAX_TEXT_BYTES and (wrong := read_program(text, "")[1]):
        reason = wrong[0].message.partition("\n")[0]
        raise refuse("invalid_argument", f"the graph has a value that no program can hold: {reason}", Source("/nodes"))
    return _bounded(orjson.dumps({"program": text, "names": names}), limits)


def _bounded(reply: bytes, limits: Limits) -> bytes:
    if len(reply) > limits.max_output_bytes:
        raise refuse("limit_exceeded", f"the reply would be over {limits.max_output_bytes} bytes")
    return reply
