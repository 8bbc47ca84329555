"""Reading a run's outputs when the graph has ended, as Python names would be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from gradwire.engine import compile as expressions
from gradwire.engine import references
from gradwire.engine.failure import refused_at
from gradwire.engine.graph import Node, Ref, Statement
from gradwire.engine.language.measure import measure
from gradwire.engine.plan import Plan, default_name
from gradwire.engine.scope import UNBOUND
from gradwire.engine.values import NoneBecause, OutputValue, has_kind, may_hold_gradient
from gradwire.findings import Refusal, Source


def outputs(plan: Plan, frame: list[Any]) -> dict[str, OutputValue]:
    """The values to return, read now that the graph has ended."""
    graph = plan.graph
    found: dict[str, OutputValue] = {}
    if plan.returns is None:
        for name, value in _default(plan, frame):
            # A node may bear the name of a gradient; then the node is meant.
            found.setdefault(name, OutputValue(value, graph.encoding, graph.full))
    else:
        for wanted in plan.returns:
            output = wanted.output
            try:
                value = wanted.get(frame)
            except Refusal:
                raise
            except Exception as error:  # PyTorch refuses some attributes of some tensors: .imag of a real one
                raise refused_at(error, output.ref.source) from error
            full = graph.full if output.full is None else output.full
            noted = _noted(value, wanted.node, output.ref)
            found[output.name] = OutputValue(noted, output.encoding or graph.encoding, full)
    return found


def _default(plan: Plan, frame: list[Any]) -> Iterator[tuple[str, Any]]:
    """The last named node or variable, and the gradient of every input, node and variable that has one."""
    last = _last(plan, frame)
    if last is not None:
        slot = plan.names[last]
        yield last, _noted(frame[slot], plan.makers.get(slot), None)
    assigned = plan.graph.assigned
    shown = plan.names if assigned is None else {*plan.graph.inputs, *assigned}
    for name, slot in plan.names.items():
        value = frame[slot]
        if name in shown and isinstance(value, torch.Tensor) and may_hold_gradient(value) and value.grad is not None:
            yield f"{name}.grad", value.grad


def variables(plan: Plan, frame: list[Any]) -> dict[str, Any]:
    """What each name stands for now that the graph has ended: inputs, then what was bound, in the order of binding.

    Functions and other values that a reply has no form for are left out.
    """
    graph = plan.graph
    values = {name: frame[plan.names[name]] for name in (*graph.inputs, *_bound(plan))}
    return {name: value for name, value in values.items() if has_kind(value)}


def _last(plan: Plan, frame: list[Any]) -> str | None:
    """The name whose value is returned where nothing was asked for."""
    assigned = plan.graph.assigned
    if assigned is None:
        last = default_name(plan.graph)
        return last if last is not None and frame[plan.names[last]] is not UNBOUND else None
    return next((name for name in reversed(_bound(plan)) if has_kind(frame[plan.names[name]])), None)


def _bound(plan: Plan) -> list[str]:
    """The names that may have a value, in the order of their binding. `x: int` alone names one that never has."""
    assigned = plan.graph.assigned
    return list(plan.names) if assigned is None else [name for name in assigned if name in plan.names]


def _noted(value: Any, node: Statement | None, ref: Ref | None) -> Any:
    """Gradients that `autograd.grad` left out get the reason beside the None."""
    if not isinstance(node, Node) or not node.op.endswith("autograd.grad"):
        return value
    if value is None and ref is not None:
        place = ref.text.rpartition(".")[2]
        return NoneBecause(_unused(node, int(place))) if place.isdecimal() else value
    if isinstance(value, tuple) and any(part is None for part in value):
        return tuple(NoneBecause(_unused(node, i)) if part is None else part for i, part in enumerate(value))
    return value


def _unused(node: Node, index: int) -> str:
    inputs = node.args[1] if len(node.args) > 1 else node.kwargs.get("inputs")
    named = expressions.refs_of([inputs]) if inputs is not None else []
    which = f"'{named[index].text}'" if index < len(named) else f"input {index}"
    return f"the outputs do not depend on {which}"


def source_of(plan: Plan, name: str) -> tuple[Source, str | int | None]:
    """Where the output `name` comes from, for errors about it: its node's place and label, or its input's place."""
    text = name
    for wanted in plan.returns or ():
        if wanted.output.name == name:
            if wanted.node is not None:
                return wanted.node.source, wanted.node.label
            text = wanted.output.ref.text
    parts = references.split(text, plan.names)
    if parts is None:
        return Source(), None
    node = plan.makers.get(plan.names[parts[0]])
    return (Source().at("inputs", parts[0]), None) if node is None else (node.source, node.label)


def returned_tensors(plan: Plan, found: dict[str, OutputValue]) -> dict[str, torch.Tensor]:
    """The returned tensors by the reference as the client wrote it; a tuple's items as `t.0`."""
    texts = {wanted.output.name: wanted.output.ref.text for wanted in plan.returns or ()}
    tensors: dict[str, torch.Tensor] = {}
    for name, output in found.items():
        try:
            measure(output.value)
        except Refusal:  # it holds itself, or too much: whoever writes the outputs says so, with or without a tape
            continue
        _collect(texts.get(name, name), output.value, tensors)
    return tensors


def _collect(text: str, value: Any, found: dict[str, torch.Tensor]) -> None:
    if isinstance(value, torch.Tensor):
        found[text] = value
    elif isinstance(value, (tuple, list)):
        for index, part in enumerate(value):
            _collect(f"{text}.{index}", part, found)
