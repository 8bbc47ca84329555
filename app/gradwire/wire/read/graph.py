"""A decoded body to the engine's graph, with everything that is wrong in it."""

from __future__ import annotations

from typing import Any

from gradwire.contract.documents.check import validate
from gradwire.contract.documents.graph import GraphBody, OpBody
from gradwire.contract.limits import Limits
from gradwire.engine.graph import Expression, Graph, Literal, Node, Output, Ref, TapeRequest
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire.read.arguments import ArgumentReader
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.tensor import read_tensor

# The ops whose second argument may be Python's own text of an index, which the engine reads.
_INDEXED = frozenset(("getitem", "setitem", "operator.getitem", "operator.setitem"))
_ROOT = Source()


def read_graph(skeleton: Any, limits: Limits, parts: Parts | None = None) -> tuple[Graph, list[Finding]]:
    """The graph of a decoded body of POST /v1/graphs/run, and all that is wrong with it.

    Goes on after mistakes: nodes and names that could not be read are marked, so that `plan` can find what else is
    wrong. A graph that came with findings may not be run.
    """
    nodes = skeleton.get("nodes") if isinstance(skeleton, dict) else None
    if isinstance(nodes, list) and len(nodes) > limits.max_nodes:
        message = f"a graph has at most {limits.max_nodes} nodes"
        finding = Finding(
            "limit_exceeded", message, _ROOT.at("nodes"), got=len(nodes), expected=f"at most {limits.max_nodes}"
        )
        return Graph(), [finding]
    _, findings = validate(GraphBody, skeleton)
    if not isinstance(skeleton, dict):
        return Graph(), findings
    graph = Graph()
    _read_inputs(skeleton.get("inputs"), graph, findings, parts)
    _read_nodes(nodes, graph, findings, parts)
    _read_settings(skeleton, graph)
    graph.returns = _returns(skeleton.get("returns"))
    tape = skeleton.get("tape", False)
    if tape is True or isinstance(tape, dict):
        graph.tape = TapeRequest(isinstance(tape, dict) and tape.get("gradients") is True)
    return graph, findings


def read_op(skeleton: Any, name: str, limits: Limits, parts: Parts | None = None) -> tuple[Graph, list[Finding]]:
    """The graph of one node, `result`, that a decoded body of POST /v1/ops/{name} asks for, and what is wrong with it.

    Pointers lead into that body: its arguments are at /args/0 and so on, the node itself is "".
    """
    _, findings = validate(OpBody, skeleton)
    if not isinstance(skeleton, dict):
        return Graph(), findings
    graph = Graph(returns=[Output("result", Ref("result", _ROOT))])
    reader = ArgumentReader(findings, bare_tensors=True, parts=parts)
    graph.nodes.append(_node(skeleton, name, 0, "result", _ROOT, reader))
    graph.nodes[0].faulty = bool(findings)
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


def _read_nodes(nodes: Any, graph: Graph, findings: list[Finding], parts: Parts | None) -> None:
    if not isinstance(nodes, list):
        return
    refused = _refused_nodes(findings) if findings else ()
    taken = graph.inputs.keys() | graph.faulty_names
    reader = ArgumentReader([], parts=parts)
    for index, document in enumerate(nodes):
        if type(document) is not dict:
            continue
        source = Source(f"/nodes/{index}")
        name = document.get("id")
        identifier = name if type(name) is str else None
        if identifier is not None:
            if identifier in taken:
                reader.findings.append(_duplicate(identifier, source))
            taken.add(identifier)
        op = document.get("op")
        if type(op) is str:
            graph.nodes.append(_node(document, op, index, identifier, source, reader))
            graph.nodes[-1].faulty = bool(reader.findings) or index in refused
        elif identifier is not None:
            graph.faulty_names.add(identifier)
        if reader.findings:
            for finding in reader.findings:
                finding.node = index if identifier is None else identifier
            findings += reader.findings
            reader.findings = []


def _refused_nodes(findings: list[Finding]) -> set[int]:
    """The indices of nodes that have something wrong with their members."""
    found: set[int] = set()
    for finding in findings:
        steps = finding.source.pointer.split("/", 3)
        if len(steps) > 2 and steps[1] == "nodes" and steps[2].isdecimal():
            found.add(int(steps[2]))
    return found


def _duplicate(name: str, source: Source) -> Finding:
    return Finding(
        "duplicate_id",
        f"'{name[:64]}' is already the name of an input or of a node before this one",
        source.at("id"),
        got=name,
        hint="give one of them another name",
    )


def _node(
    document: dict[str, Any], op: str, index: int, identifier: str | None, source: Source, reader: ArgumentReader
) -> Node:
    """A node whose members are validated already; those of a wrong type are taken as left out."""
    args, kwargs = document.get("args", ()), document.get("kwargs")
    return Node(
        index,
        op,
        _args(args, op, source, reader) if args else [],
        _kwargs(kwargs, source, reader) if kwargs else {},
        source,
        identifier,
        document.get("no_grad") is True,
    )


def _args(args: Any, op: str, source: Source, reader: ArgumentReader) -> list[Expression]:
    if isinstance(args, NumberArray):
        args = args.tolist()
    if type(args) is not list:
        return []
    base = source.pointer + "/args/"
    read = [reader.read(value, Source(f"{base}{place}")) for place, value in enumerate(args)]
    if len(args) > 1 and type(args[1]) is str and op.removeprefix("torch.") in _INDEXED:
        read[1] = Literal(args[1], read[1].source)
    return read


def _kwargs(kwargs: Any, source: Source, reader: ArgumentReader) -> dict[str, Expression]:
    if type(kwargs) is not dict:
        return {}
    place = source.at("kwargs")
    return {name: reader.read(value, place.at(name)) for name, value in kwargs.items()}


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
