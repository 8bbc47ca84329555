"""Nodes that call an op: from names and expressions to steps, with the arguments bound by signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from gradwire.engine import devices, seeds, special
from gradwire.engine.binding import bind
from gradwire.engine.compile import compile_expression, reference_fault, refs_of
from gradwire.engine.graph import Expression, Literal, Node, Ref, Star
from gradwire.engine.language import iterate, names
from gradwire.engine.ops import arguments, fences
from gradwire.engine.ops.registry import Op, registry
from gradwire.engine.ops.uncallable import uncallable
from gradwire.engine.references import Getter
from gradwire.engine.scope import RUN, Scope, running
from gradwire.engine.steps import Step
from gradwire.engine.watch import Watch, watching
from gradwire.findings import Finding, Refusal


@dataclass(frozen=True, slots=True)
class _Bound:
    """What a node calls, and with what. `plain`: PyTorch's own parser sees the arguments. `writes`: it is in place."""

    op: Op
    function: Callable[..., Any]
    args: Sequence[Expression]
    kwargs: Mapping[str, Expression]
    plain: bool
    writes: bool


def call_step(node: Node, position: int, scope: Scope, watch: Watch, found: list[Finding]) -> Step | None:
    """The step of a node that calls an op; None where it is wrong, with what is wrong in `found`."""
    entry = registry().find(node.op)
    op = entry if isinstance(entry, Op) else None
    if op is None or node.op.partition(".")[0] in _PYTHONS:
        own = names.find(node.op)
        if own is not None and not node.faulty:
            return _own_step(node, position, own, scope, watch, found)
        op = resolve(node, found)
    if node.faulty or op is None:
        check_references(node, scope, found)
        return None
    if any(isinstance(one, Star) for one in node.args):
        return _starred_step(node, position, op, scope, watch, found)
    try:
        bound = _bound(op, node, scope)
    except Refusal as refusal:
        check_references(node, scope, found)
        found += refusal.findings
        return None
    step = Step(
        position,
        node,
        bound.function,
        tuple([compile_expression(argument, scope, found) for argument in bound.args]),
        {name: compile_expression(argument, scope, found) for name, argument in bound.kwargs.items()},
        op=bound.op,
        plain=bound.plain,
        wrap=watching(node, bound.op, watch, bound.writes),
    )
    found += _missing_devices((*bound.args, *bound.kwargs.values()))
    if isinstance(bound.kwargs.get("device"), Ref):
        step.call = fences.placed(step.call)
    if step.wrap is not None:
        step.call = step.wrap(step.call)
    return step


# Names of Python's own functions, also where an op bears them.
_PYTHONS = frozenset(("builtins", "print", "format", "math", "functools"))


def _own_step(
    node: Node, position: int, own: Callable[..., Any], scope: Scope, watch: Watch, found: list[Finding]
) -> Step:
    """Python's own functions get the run first: they count turns and text."""
    getters, spread = argument_getters(node.args, scope, found)
    kwargs = {name: compile_expression(argument, scope, found) for name, argument in node.kwargs.items()}
    call = _watched_method(node, own, watch)
    return Step(position, node, spreading(call) if spread else call, (running, *getters), kwargs)


def _watched_method(node: Node, own: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    """`own` as the tape and the record of in-place writes see it, where it may be a tensor's method."""
    method = registry().find(f"Tensor{node.op}") if node.op.startswith(".") else None
    if not isinstance(method, Op):
        return torch.no_grad()(own) if node.no_grad else own
    wrap = watching(node, method, watch, method.in_place)
    if wrap is None:
        return own
    return lambda run, *args, **kwargs: wrap(partial(own, run))(*args, **kwargs)


def spreading(call: Callable[..., Any]) -> Callable[..., Any]:
    """`call` for a single list of all arguments, which comes last."""
    return lambda *given, **more: call(*given[:-1], *given[-1], **more)


def argument_getters(args: Sequence[Expression], scope: Scope, found: list[Finding]) -> tuple[tuple[Getter, ...], bool]:
    """A getter for each argument; where one has a star a single getter of the whole list, and True."""
    if not any(isinstance(one, Star) for one in args):
        return tuple([compile_expression(one, scope, found) for one in args]), False
    getters = [
        (True, compile_expression(one.value, scope, found))
        if isinstance(one, Star)
        else (False, compile_expression(one, scope, found))
        for one in args
    ]

    def whole(frame: list[Any]) -> list[Any]:
        given: list[Any] = []
        for starred, get in getters:
            if starred:
                given += iterate.drained(frame[RUN], get(frame))
            else:
                given.append(get(frame))
        return given

    return (whole,), True


def _starred_step(node: Node, position: int, op: Op, scope: Scope, watch: Watch, found: list[Finding]) -> Step:
    """A call whose count of arguments only the run knows: bound by PyTorch alone."""
    getters, _ = argument_getters(node.args, scope, found)
    kwargs = {name: compile_expression(argument, scope, found) for name, argument in node.kwargs.items()}
    wrap = watching(node, op, watch, op.in_place or "out" in node.kwargs)
    call = partial(_invoke, op)
    return Step(position, node, spreading(wrap(call) if wrap is not None else call), getters, kwargs, op=op, wrap=wrap)


def _bound(op: Op, node: Node, scope: Scope) -> _Bound:
    if op.name in special.SPECIAL:
        made = special.SPECIAL[op.name](node, scope)
        return _Bound(op, made.call, made.args, {}, plain=False, writes=made.writes)
    call = bind(op, node)
    if call.op.name == "manual_seed":
        return _Bound(call.op, seeds.manual_seed, call.args, call.kwargs, plain=False, writes=False)
    writes = call.op.in_place or "out" in call.kwargs
    if call.op.plain:
        return _Bound(call.op, call.op.call, call.args, call.kwargs, plain=True, writes=writes)
    careful = partial(_invoke, call.op)
    guarded = fences.guarded(call.op, careful)
    return _Bound(call.op, guarded or careful, call.args, call.kwargs, plain=guarded is not None, writes=writes)


def check_references(node: Node, scope: Scope, found: list[Finding]) -> None:
    """Report wrong references also where the node itself could not be prepared."""
    for ref in (*refs_of(node.args), *refs_of(node.kwargs)):
        if finding := reference_fault(ref, scope):
            found.append(finding)


def _invoke(op: Op, *args: Any, **kwargs: Any) -> Any:
    return arguments.invoke(op, list(args), kwargs)


def resolve(node: Node, found: list[Finding]) -> Op | None:
    """The op that `node` names; what is wrong with the name goes into `found`."""
    entry = registry().find(node.op)
    if isinstance(entry, Op):
        return entry
    found.append(uncallable(entry, node.op, node.source.at("op")))
    return None


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
