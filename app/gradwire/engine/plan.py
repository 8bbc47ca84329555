"""From a graph to a plan, finding every mistake that can be found before running."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import torch

from gradwire.engine import devices
from gradwire.engine.compile import compile_expression, holds_dict
from gradwire.engine.graph import Bind, Graph, Node, Output, Statement, TensorDocument, With
from gradwire.engine.observe.inplace import Writes
from gradwire.engine.observe.tape import Tape
from gradwire.engine.planner import Planner
from gradwire.engine.references import Getter
from gradwire.engine.scope import Scope
from gradwire.engine.statements import bound_names, deleted_names, has_blocks
from gradwire.engine.steps import Step
from gradwire.engine.watch import Watch
from gradwire.findings import Finding, Refusal, Source

if TYPE_CHECKING:
    from gradwire.engine.pictures.record import Record

# What a node is called: its id or its index; with its JSON pointer where it does not stand at /nodes/ and its position,
# and its line where it stands in a program.
Label: TypeAlias = "str | int | list[str | int]"


@dataclass(slots=True)
class Return:
    """One output: its getter, and the reference and the wishes of the client."""

    output: Output
    get: Getter
    node: Statement | None


@dataclass(slots=True)
class Plan:
    """A graph that can be run: once, and with other inputs again where it is `reusable` and has been `renewed`."""

    graph: Graph
    device: torch.device
    steps: list[Step] = field(default_factory=list)
    size: int = 0
    inputs: list[tuple[int, str]] = field(default_factory=list)
    documents: list[tuple[int, TensorDocument]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    returns: list[Return] | None = None
    makers: dict[int, Statement] = field(default_factory=dict)
    writes: Writes = field(default_factory=Writes)
    tape: Tape | None = None
    places: list[Statement] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    dual: bool = False

    @property
    def reusable(self) -> bool:
        """Whether nothing but the inputs' tensors belongs to one run: no tape, no tensors among the arguments."""
        return self.tape is None and not self.documents

    def renewed(self, inputs: dict[str, TensorDocument], seed: int | None, deadline_ms: int | None) -> Plan:
        """This plan, for a graph that differs in its inputs' tensors, its seed and its deadline only."""
        self.writes.clear()
        self.graph.inputs, self.graph.seed, self.graph.deadline_ms = inputs, seed, deadline_ms
        return self

    def forget_inputs(self) -> None:
        """Let go of the tensors that it was made or renewed with, to be kept until it is renewed."""
        self.graph.inputs = {}


def plan(graph: Graph, record: Record | None = None) -> tuple[Plan, list[Finding]]:
    """Prepare `graph`, its nodes watched by `record`. The plan may only be run where no finding came with it."""
    return _Whole(graph, record).planned()


class _Whole:
    """A graph's inputs, functions, nodes and returns, one after the other."""

    def __init__(self, graph: Graph, record: Record | None) -> None:
        self.graph = graph
        self.findings: list[Finding] = []
        self.plan = Plan(graph, self._device())
        if graph.tape is not None:
            self.plan.tape = Tape(gradients=graph.tape.gradients)
        self.scope = self._scope()
        self.planner = Planner(self.scope, Watch(self.plan.writes, self.plan.tape, record))

    def planned(self) -> tuple[Plan, list[Finding]]:
        plan, planner = self.plan, self.planner
        self._inputs()
        plan.steps = planner.statements([*self.graph.functions, *self.graph.nodes])
        self.findings += planner.findings
        self._returns()
        for _, document in self.scope.documents:
            self._check_device(document)
        planner.free()
        plan.documents, plan.names, plan.size = self.scope.documents, self.scope.slots, self.scope.size
        plan.makers, plan.places = planner.makers, planner.places
        plan.labels = [_label(place, node) for place, node in enumerate(plan.places)]
        bodies = [self.graph.nodes, *(function.body for function in self.graph.functions)]
        plan.dual = any(_is_dual(node) for body in bodies for node in body) and not any(map(_is_level, plan.places))
        return plan, self.findings

    def _scope(self) -> Scope:
        graph = self.graph
        dynamic = has_blocks(graph.nodes)
        scope = Scope(dynamic=dynamic, faulty=set(graph.faulty_names), inputs=set(graph.inputs))
        scope.declare(graph.inputs)
        scope.declare(function.name for function in graph.functions)
        if dynamic:
            scope.inputs -= set(bound_names(graph.nodes))
            scope.deleted = set(deleted_names(graph.nodes))
        scope.declare(bound_names(graph.nodes))
        scope.lasting = set(graph.inputs) | {function.name for function in graph.functions}
        scope.has_dicts = dynamic or bool(graph.functions) or _has_dicts(graph.nodes)
        return scope

    def _device(self) -> torch.device:
        try:
            return devices.resolve(self.graph.device, Source("/device"))
        except Refusal as refusal:
            self.findings += refusal.findings
            return torch.device("cpu")

    def _inputs(self) -> None:
        for name, document in self.graph.inputs.items():
            self._check_device(document)
            slot = self.scope.bind(name)
            self.scope.kept.add(slot)
            self.plan.inputs.append((slot, name))

    def _check_device(self, document: TensorDocument) -> None:
        if document.device is None:
            return
        try:
            devices.resolve(document.device, document.source.at("device"))
        except Refusal as refusal:
            self.findings += refusal.findings

    def _returns(self) -> None:
        """Prepare what the client asked for; by default the last named node and every filled gradient are wanted."""
        scope, makers = self.scope, self.planner.makers
        if self.graph.variables:
            scope.kept |= set(scope.slots.values())
        if self.graph.returns is None:
            last = default_name(self.graph)
            scope.kept |= {scope.slots[name] for name in (last,) if name is not None}
            return
        self.plan.returns = []
        for output in self.graph.returns:
            scope.reads = set()
            get = compile_expression(output.ref, scope, self.findings)
            maker = next((makers[slot] for slot in scope.reads if slot in makers), None)
            self.plan.returns.append(Return(output, get, maker))


def _label(place: int, node: Statement) -> Label:
    """What a node is called, with its pointer where that does not follow from its position, and its line."""
    source = node.source
    if source.line is not None:
        return [node.label, source.pointer, source.line]
    return node.label if source.pointer == f"/nodes/{place}" else [node.label, source.pointer]


def default_name(graph: Graph) -> str | None:
    """The name of the last node that has one."""
    for node in reversed(graph.nodes):
        target = getattr(node, "target", None)
        name = node.id if node.id is not None else target if isinstance(target, str) else None
        if name is not None and isinstance(node, (Node, Bind)):
            return name
    return None


def _has_dicts(nodes: Iterable[Statement]) -> bool:
    return any(holds_dict((*node.args, *node.kwargs.values())) for node in nodes if isinstance(node, Node))


def _is_level(node: Statement) -> bool:
    """Whether a node is a level of forward mode of its own; levels do not nest."""
    return isinstance(node, With) and node.of.removeprefix("torch.") == "autograd.forward_ad.dual_level"


def _is_dual(node: Statement) -> bool:
    """Whether a node makes or reads dual tensors, which only exist inside of a level of forward mode."""
    return isinstance(node, Node) and node.op.removeprefix("torch.").startswith("autograd.forward_ad.")
