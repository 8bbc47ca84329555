"""From a graph to a list of prepared steps, finding every mistake that can be found before running.

Names become slots of a frame, ops become calls with their arguments bound by signature, and each value's last use is
known, so that memory is given back as early as Python would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from gradwire.engine import devices, seeds, special
from gradwire.engine.binding import bind
from gradwire.engine.compile import Scope, compile_expression, holds_dict, reference_fault, refs_of
from gradwire.engine.graph import Expression, Graph, Literal, Node, Output, Ref, TensorDocument
from gradwire.engine.observe.inplace import Writes
from gradwire.engine.observe.tape import Tape
from gradwire.engine.ops import arguments, fences
from gradwire.engine.ops.registry import Excluded, Op, registry
from gradwire.engine.references import Getter
from gradwire.engine.watch import Wrap, watching
from gradwire.findings import Finding, Refusal, Source


@dataclass(slots=True)
class Step:
    """One node, ready to run: `call` with what the getters read from the frame; the value goes to slot `target`.

    `position` counts nodes from 1 and is what the watcher outside sees. `plain`: `call` is PyTorch's own function, so
    a second try with converted arguments is allowed. `free` are slots that nothing reads any more.
    """

    position: int
    node: Node
    op: Op
    call: Callable[..., Any]
    args: tuple[Getter, ...]
    kwargs: dict[str, Getter]
    target: int
    plain: bool
    wrap: Wrap | None = None
    free: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Bound:
    """What a node calls, and with what. `plain`: PyTorch's own parser sees the arguments. `writes`: it is in place."""

    op: Op
    function: Callable[..., Any]
    args: Sequence[Expression]
    kwargs: Mapping[str, Expression]
    plain: bool
    writes: bool


@dataclass(slots=True)
class Return:
    """One output: its getter, and the reference and the wishes of the client."""

    output: Output
    get: Getter
    node: Node | None


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
    makers: dict[int, Node] = field(default_factory=dict)
    writes: Writes = field(default_factory=Writes)
    tape: Tape | None = None

    @property
    def labels(self) -> list[str | int]:
        """What each step's node is called, by position."""
        return [node.label for node in self.graph.nodes]

    @property
    def reusable(self) -> bool:
        """Whether nothing but the inputs' tensors belongs to one run: no tape, no tensors among the arguments."""
        return self.tape is None and not self.documents

    def without_inputs(self) -> Plan:
        """This plan without the tensors that it was made with, to be kept until it is renewed."""
        return replace(self, graph=replace(self.graph, inputs={}))

    def renewed(self, inputs: dict[str, TensorDocument], seed: int | None, deadline_ms: int | None) -> Plan:
        """This plan for a graph that differs in its inputs' tensors, its seed and its deadline only."""
        self.writes.clear()
        return replace(self, graph=replace(self.graph, inputs=inputs, seed=seed, deadline_ms=deadline_ms))


def plan(graph: Graph) -> tuple[Plan, list[Finding]]:
    """Prepare `graph`. The plan may only be run where no finding came with it."""
    return _Planner(graph).whole()


class _Planner:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.findings: list[Finding] = []
        self.kept: set[int] = set()
        self.scope = Scope(faulty=set(graph.faulty_names), inputs=set(graph.inputs))
        self.plan = Plan(graph, self._device())
        if graph.tape is not None:
            self.plan.tape = Tape(gradients=graph.tape.gradients)

    def whole(self) -> tuple[Plan, list[Finding]]:
        self._inputs()
        self.scope.has_dicts = any(holds_dict((*node.args, *node.kwargs.values())) for node in self.graph.nodes)
        self.scope.later = {node.id for node in self.graph.nodes if node.id is not None}
        last_use: dict[int, Step] = {}
        for position, node in enumerate(self.graph.nodes, 1):
            self._node(position, node, last_use)
        self._returns()
        self._place_documents()
        self._free(last_use)
        self.plan.size = self.scope.size
        self.plan.names = self.scope.slots
        return self.plan, self.findings

    def _device(self) -> torch.device:
        try:
            return devices.resolve(self.graph.device, Source("/device"))
        except Refusal as refusal:
            self.findings += refusal.findings
            return torch.device("cpu")

    def _inputs(self) -> None:
        for name, document in self.graph.inputs.items():
            self._check_device(document)
            self.plan.inputs.append((self.scope.bind(name), name))

    def _check_device(self, document: TensorDocument) -> None:
        if document.device is None:
            return
        try:
            devices.resolve(document.device, document.source.at("device"))
        except Refusal as refusal:
            self.findings += refusal.findings

    def _place_documents(self) -> None:
        self.plan.documents = self.scope.documents
        for _, document in self.scope.documents:
            self._check_device(document)

    def _node(self, position: int, node: Node, last_use: dict[int, Step]) -> None:
        found: list[Finding] = []
        self.scope.reads = set()
        step = self._step(position, node, found)
        if node.id is not None:
            self.scope.later.discard(node.id)
            slot = self.scope.bind(node.id)
            self.plan.makers[slot] = node
        if step is not None:
            step.target = slot if node.id is not None else self.scope.fresh()
            self.plan.steps.append(step)
            last_use.update(dict.fromkeys((*self.scope.reads, step.target), step))
        for finding in found:
            finding.node = node.label if finding.node is None else finding.node
        self.findings += found

    def _step(self, position: int, node: Node, found: list[Finding]) -> Step | None:
        op = resolve(node, found)
        if node.faulty or op is None:
            self._check_references(node, found)
            return None
        try:
            bound = self._bound(op, node)
        except Refusal as refusal:
            self._check_references(node, found)
            found += refusal.findings
            return None
        step = Step(
            position,
            node,
            bound.op,
            bound.function,
            tuple([compile_expression(argument, self.scope, found) for argument in bound.args]),
            {name: compile_expression(argument, self.scope, found) for name, argument in bound.kwargs.items()},
            target=-1,
            plain=bound.plain,
            wrap=watching(node, bound.op, self.plan.tape, self.plan.writes, bound.writes),
        )
        found += _missing_devices((*bound.args, *bound.kwargs.values()))
        if isinstance(bound.kwargs.get("device"), Ref):
            step.call = fences.placed(step.call)
        if step.wrap is not None:
            step.call = step.wrap(step.call)
        return step

    def _bound(self, op: Op, node: Node) -> _Bound:
        if op.name in special.SPECIAL:
            made = special.SPECIAL[op.name](node, self.scope)
            return _Bound(op, made.call, made.args, {}, plain=False, writes=made.writes)
        call = bind(op, node)
        if call.op.name == "manual_seed":
            return _Bound(call.op, seeds.reseed, call.args, call.kwargs, plain=False, writes=False)
        writes = call.op.in_place or "out" in call.kwargs
        if call.op.plain:
            return _Bound(call.op, call.op.call, call.args, call.kwargs, plain=True, writes=writes)
        careful = partial(_invoke, call.op)
        guarded = fences.guarded(call.op, careful)
        return _Bound(call.op, guarded or careful, call.args, call.kwargs, plain=guarded is not None, writes=writes)

    def _check_references(self, node: Node, found: list[Finding]) -> None:
        """Report wrong references also where the node itself could not be prepared."""
        for ref in (*refs_of(node.args), *refs_of(node.kwargs)):
            if finding := reference_fault(ref, self.scope):
                found.append(finding)

    def _returns(self) -> None:
        """Prepare what the client asked for; by default the last named node and every filled gradient are wanted."""
        if self.graph.returns is None:
            named = [node.id for node in self.graph.nodes if node.id is not None]
            self.kept |= {self.scope.slots[name] for name in (*self.graph.inputs, *named[-1:])}
            return
        self.plan.returns = []
        for output in self.graph.returns:
            self.scope.reads = set()
            get = compile_expression(output.ref, self.scope, self.findings)
            maker = next((self.plan.makers[slot] for slot in self.scope.reads if slot in self.plan.makers), None)
            self.plan.returns.append(Return(output, get, maker))
            self.kept |= self.scope.reads

    def _free(self, last_use: dict[int, Step]) -> None:
        """Let each step give back the slots that it is the last to read and that are not returned."""
        by_step: dict[int, list[int]] = {}
        for slot, step in last_use.items():
            if slot not in self.kept:
                by_step.setdefault(step.position, []).append(slot)
        for step in self.plan.steps:
            step.free = tuple(by_step.get(step.position, ()))


def _invoke(op: Op, *args: Any, **kwargs: Any) -> Any:
    return arguments.invoke(op, list(args), kwargs)


def resolve(node: Node, found: list[Finding]) -> Op | None:
    """The op that `node` names; what is wrong with the name goes into `found`."""
    entry = registry().find(node.op)
    if isinstance(entry, Op):
        return entry
    source = node.source.at("op")
    if isinstance(entry, Excluded):
        found.append(Finding("excluded_op", f"{entry.name} cannot be called: {entry.reason}", source, got=node.op))
        return None
    found.append(unknown_op(node.op, source))
    return None


def unknown_op(name: str, source: Source) -> Finding:
    """The finding for a name that no op has, with the nearest names."""
    close = registry().nearest(name)
    hint = f"did you mean {' or '.join(close)}?" if close else "GET /v1/ops lists every op"
    return Finding("unknown_op", f"there is no op called '{name[:128]}'", source, got=name, hint=hint)


def _missing_devices(expressions: Iterable[Expression]) -> list[Finding]:
    """Devices that arguments name and that this machine lacks."""
    found: list[Finding] = []
    for expression in expressions:
        if isinstance(expression, Literal) and isinstance(expression.value, torch.device):
            try:
                devices.require(expression.value, expression.source)
            except Refusal as refusal:
                found += refusal.findings
    return found
