"""A decoded body to the engine's graph, with everything that is wrong in it."""

from __future__ import annotations

from typing import Any

from gradwire.contract.documents.check import validate
from gradwire.contract.documents.graph import GraphBody, OpBody
from gradwire.contract.documents.programs import ProgramBody
from gradwire.contract.limits import Limits
from gradwire.engine.graph import Graph, Output, Ref, TapeRequest
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire.read.arguments import ArgumentReader
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.nodes import NodeReader, read_node
from gradwire.wire.read.programs import missing_nodes, read_body
from gradwire.wire.read.tensor import read_tensor

_ROOT = Source()


def read_graph(skeleton: Any, limits: Limits, parts: Parts | None = None) -> tuple[Graph, list[Finding]]:
    """The graph of a decoded body of POST /v1/graphs/run, and all that is wrong with it.

    Goes on after mistakes: nodes and names that could not be read are marked, so that `plan` can find what else is
    wrong. A graph that came with findings may not be run.
    """
    if finding := too_many_nodes(skeleton, limits):
        return Graph(), [finding]
    _, findings = validate(GraphBody, skeleton)
    if not isinstance(skeleton, dict):
        return Graph(), findings
    try:
        graph = fill_graph(skeleton, findings, limits, parts)
    except Refusal as refusal:
        return Graph(), refusal.findings
    graph.returns = _returns(skeleton.get("returns"))
    tape = skeleton.get("tape", False)
    if tape is True or isinstance(tape, dict):
        graph.tape = TapeRequest(isinstance(tape, dict) and tape.get("gradients") is True)
    graph.variables = skeleton.get("variables") is True
    return graph, findings


def read_own_part(skeleton: dict[str, Any], parts: Parts | None = None) -> tuple[Graph, list[Finding]]:
    """The inputs and the settings of a body of which all else is known to be in order."""
    _, findings = validate(GraphBody, skeleton)
    graph = Graph()
    _read_inputs(skeleton.get("inputs"), graph, findings, parts)
    _read_settings(skeleton, graph)
    return graph, findings


def read_program_body(skeleton: Any, limits: Limits) -> tuple[Graph, list[Finding]]:
    """The graph of a decoded body of POST /v1/programs/compile, and all that is wrong with it."""
    if finding := too_many_nodes(skeleton, limits):
        return Graph(), [finding]
    _, findings = validate(ProgramBody, skeleton)
    if not isinstance(skeleton, dict) or not isinstance(skeleton.get("program"), str):
        return Graph(), findings
    return fill_graph(skeleton, findings, limits), findings


def fill_graph(skeleton: dict[str, Any], findings: list[Finding], limits: Limits, parts: Parts | None = None) -> Graph:
    """The graph of a body whose members are validated, without its outputs; `findings` holds what that found.

    Raises Refusal (`limit_exceeded`) for too many nodes.
    """
    graph = Graph()
    _read_inputs(skeleton.get("inputs"), graph, findings, parts)
    reader = NodeReader(graph.inputs.keys() | graph.faulty_names, findings, parts)
    graph.functions = reader.functions(skeleton.get("functions"))
    if isinstance(skeleton.get("program"), str):
        names = (*graph.inputs, *graph.faulty_names)
        graph.nodes, graph.assigned = read_body(skeleton, _ROOT, names, skeleton.get("functions"), findings)
    else:
        graph.nodes = reader.nodes(skeleton.get("nodes"), _ROOT.at("nodes"))
        findings += missing_nodes(skeleton, "a graph")
    graph.faulty_names |= reader.faulty_names
    if reader.count > limits.max_nodes:
        raise Refusal([_too_many(reader.count, limits)])
    _read_settings(skeleton, graph)
    return graph


def read_op(skeleton: Any, name: str, limits: Limits, parts: Parts | None = None) -> tuple[Graph, list[Finding]]:
    """The graph of one node, `result`, that a decoded body of POST /v1/ops/{name} asks for, and what is wrong with it.

    Pointers lead into that body: its arguments are at /args/0 and so on, the node itself is "".
    """
    _, findings = validate(OpBody, skeleton)
    if not isinstance(skeleton, dict):
        return Graph(), findings
    graph = Graph(returns=[Output("result", Ref("result", _ROOT))])
    reader = ArgumentReader(findings, bare_tensors=True, parts=parts)
    node = read_node(skeleton, name, 0, "result", _ROOT, reader)
    node.faulty = bool(findings)
    graph.nodes.append(node)
    _read_settings(skeleton, graph)
    return graph, findings


def _read_settings(skeleton: dict[str, Any], graph: Graph) -> None:
    """The members about the whole run; those of a wrong type are reported already and left at their defaults."""
    encoding, device = skeleton.get("encoding"), skeleton.get("device")
    seed, deadline = skeleton.get("seed"), skeleton.get("deadline_ms")
    if isinstance(encoding, str):
        graph.encoding = encoding
    if isinstance(device, str):
        graph.device = device
    if type(seed) is int:
        graph.seed = seed
    if type(deadline) is int and deadline > 0:
        graph.deadline_ms = deadline
    graph.full = skeleton.get("describe") == "full"


def too_many_nodes(skeleton: Any, limits: Limits) -> Finding | None:
    """The finding for more nodes, inputs or functions than are looked into."""
    for member, kind in (("nodes", list), ("inputs", dict), ("functions", dict)):
        found = skeleton.get(member) if isinstance(skeleton, dict) else None
        if isinstance(found, kind) and len(found) > limits.max_nodes:
            return _too_many(len(found), limits, member)
    return None


def _too_many(count: int, limits: Limits, member: str = "nodes") -> Finding:
    message = f"a graph has at most {limits.max_nodes} {member}"
    expected = f"at most {limits.max_nodes}"
    return Finding("limit_exceeded", message, _ROOT.at(member), got=count, expected=expected)


def _read_inputs(inputs: Any, graph: Graph, findings: list[Finding], parts: Parts | None) -> None:
    if not isinstance(inputs, dict):
        return
    place = _ROOT.at("inputs")
    for name, document in inputs.items():
        try:
            graph.inputs[name] = read_tensor(document, place.at(name), parts)
        except Refusal as refusal:
            findings += refusal.findings
            graph.faulty_names.add(name)


def _returns(returns: Any) -> list[Output] | None:
    """The outputs asked for; None where that is left to the engine. Wrong entries are reported already."""
    if type(returns) is list:
        found = [_output(None, value, Source(f"/returns/{index}")) for index, value in enumerate(returns)]
    elif type(returns) is dict:
        place = Source("/returns")
        found = [_output(name, value, place.at(name)) for name, value in returns.items()]
    else:
        return None
    return [output for output in found if output is not None]


def _output(name: str | None, value: Any, source: Source) -> Output | None:
    encoding, full = None, None
    if type(value) is dict:
        encoding, full = value.get("encoding"), (True if value.get("describe") == "full" else None)
        value, source = value.get("ref"), source.at("ref")
    if type(value) is not str:
        return None
    text = value.removeprefix("$")
    return Output(text if name is None else name, Ref(text, source), encoding, full)
