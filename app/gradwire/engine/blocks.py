"""Nodes that hold nodes (contract section 8): loops, branches, contexts and functions, compiled to steps.

A block's step calls a closure with the frame; inside it the same loop runs the block's own steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import forward_ad

from gradwire.engine.errors import NoOverload
from gradwire.engine.execute import BreakSignal, ContinueSignal, ReturnSignal, execute
from gradwire.engine.functions import Code, Function
from gradwire.engine.graph import (
    Bind,
    Break,
    Continue,
    Def,
    Del,
    Fail,
    For,
    If,
    Labelled,
    Return,
    While,
    With,
)
from gradwire.engine.language import iterate
from gradwire.engine.language.functions import spoken
from gradwire.engine.language.text import str_of
from gradwire.engine.language.truth import truth
from gradwire.engine.scope import ENCLOSING, RUN, UNBOUND, Scope, whole_frame
from gradwire.engine.statements import has_blocks
from gradwire.engine.steps import Run, Step
from gradwire.findings import Finding, Refusal

if TYPE_CHECKING:
    from gradwire.engine.planner import Planner

CONTEXTS: dict[str, Callable[..., Any]] = {
    "no_grad": torch.no_grad,
    "enable_grad": torch.enable_grad,
    "set_grad_enabled": torch.set_grad_enabled,
    "inference_mode": torch.inference_mode,
    "autograd.forward_ad.dual_level": forward_ad.dual_level,
}
# How many arguments they take, all of them switches; the others none.
_TAKES = {"set_grad_enabled": (1,), "inference_mode": (0, 1)}
_TAKES_WORDS = {"set_grad_enabled": "one argument", "inference_mode": "at most one argument"}


def compile_bind(planner: Planner, node: Bind) -> None:
    """A name for a value as it is."""
    get = planner.expression(node.value)
    planner.add(node, lambda value: value, (get,))


def compile_for(planner: Planner, node: For) -> None:
    """`for`: the iterable is taken once, as Python does."""
    over = planner.expression(node.over)
    step = planner.add(node, _nothing, (whole_frame, over))
    with planner.body_of(node):
        bind = planner.binder(node, node.target)
        if planner.watch.record is not None and isinstance(node.target, str):
            bind = planner.watch.record.target(node, node.target, bind)
        inner = planner.statements(node.body)
    cost = 1 + len(node.body)

    def loop(frame: list[Any], values: Any) -> None:
        run = frame[RUN]
        take = run.budget.take
        for value in iterate.iterate(run, values):
            take(cost)
            bind(frame, value)
            if not _goes_on(inner, frame, run):
                break

    step.call = loop


def _goes_on(inner: Sequence[Step], frame: list[Any], run: Run) -> bool:
    """Run one turn of a loop; False where it breaks."""
    try:
        execute(inner, frame, run)
    except ContinueSignal:
        return True
    except BreakSignal:
        return False
    return True


def compile_while(planner: Planner, node: While) -> None:
    """`while`, with what runs ahead of every test."""
    step = planner.add(node, _nothing, (whole_frame,))
    with planner.body_of(node):
        before = planner.statements(node.before)
        test = planner.expression(node.test)
        inner = planner.statements(node.body)
    cost = 1 + len(node.before) + len(node.body)

    def loop(frame: list[Any]) -> None:
        run = frame[RUN]
        take = run.budget.take
        while True:
            take(cost)
            execute(before, frame, run)
            run.word[0] = step.position
            if not truth(test(frame)) or not _goes_on(inner, frame, run):
                break

    step.call = loop


def compile_if(planner: Planner, node: If) -> None:
    """`if` and `else`."""
    test = planner.expression(node.test)
    step = planner.add(node, _nothing, (whole_frame, test))
    with planner.body_of(node):
        then = planner.statements(node.then)
    with planner.body_of(node):
        orelse = planner.statements(node.orelse)

    def branch(frame: list[Any], value: Any) -> None:
        run = frame[RUN]
        chosen = then if truth(value) else orelse
        run.budget.take(len(chosen))
        execute(chosen, frame, run)

    step.call = branch


def compile_with(planner: Planner, node: With) -> None:
    """`with` one of the contexts above."""
    name = node.of.removeprefix("torch.")
    context = CONTEXTS.get(name)
    getters = tuple([planner.expression(one) for one in node.args])
    if context is None:
        message = f"'{node.of[:64]}' is no context that a graph can enter"
        known = sorted(CONTEXTS)
        planner.found.append(Finding("invalid_argument", message, node.source.at("of"), got=node.of, expected=known))
        context = torch.no_grad
    elif len(node.args) not in _TAKES.get(name, (0,)):
        message = f"{name} takes {_TAKES_WORDS.get(name, 'no argument')}, got {len(node.args)}"
        planner.found.append(Finding("invalid_argument", message, node.source, got=len(node.args)))
    step = planner.add(node, _nothing, (whole_frame, *getters))
    with planner.body_of(node):
        bind = planner.binder(node, node.target) if node.target is not None else None
        inner = planner.statements(node.body)
    enter = context

    def run_inside(frame: list[Any], *args: Any) -> None:
        run = frame[RUN]
        if args and not isinstance(args[0], bool):
            raise NoOverload(f"{name} is switched by true or false", 0, expected="true or false", got=spoken(args[0]))
        run.budget.take(len(inner))
        with enter(*args) as value:
            if bind is not None:
                bind(frame, value)
            execute(inner, frame, run)

    step.call = run_inside


def compile_def(planner: Planner, node: Def) -> None:
    """A function, closed over the frame in which its definition runs."""
    outer, name = planner.scope, "<lambda>" if node.name.startswith("<lambda>") else node.name
    scope = Scope(parent=outer, dynamic=has_blocks(node.body), has_dicts=outer.has_dicts)
    scope.within = f"{outer.within}{name}.<locals>."
    parameters = [*node.params, *node.keyword_only]
    defaults = [(one.name, planner.expression(one.default)) for one in parameters if one.default is not None]
    step = planner.add(node, _nothing, (whole_frame,))
    scope.declare(one.name for one in parameters)
    scope.certain.update(one.name for one in parameters)
    code = Code(
        name,
        outer.within + name,
        [(one.name, scope.slots[one.name]) for one in node.params],
        [(one.name, scope.slots[one.name]) for one in node.keyword_only],
    )
    with planner.inside(scope, node):
        body = list(node.body)
        last = body.pop() if body and isinstance(body[-1], Return) and node.returns is None else None
        code.steps = planner.statements(body)
        returns = last.value if isinstance(last, Return) else node.returns
        if last is not None:
            planner.place(last)
        if returns is not None:
            code.result = planner.expression(returns)
    code.size = scope.size
    if planner.watch.record is not None:
        code.note = planner.watch.record.parameters(node, [*code.positional, *code.keyword_only])

    def define(frame: list[Any]) -> Function:
        frame[RUN].holds_cycles |= frame[ENCLOSING] is not None
        return Function(code, frame, {name: get(frame) for name, get in defaults})

    step.call = define


def compile_return(planner: Planner, node: Return) -> None:
    """`return` from the middle of a function."""
    if planner.scope.parent is None:
        planner.found.append(Finding("invalid_argument", "return stands outside of a function", node.source))

    def leave(value: Any) -> None:
        raise ReturnSignal(value)

    planner.add(node, leave, (planner.expression(node.value),))


def compile_jump(planner: Planner, node: Break | Continue) -> None:
    """`break` and `continue`."""
    word, signal = ("break", BreakSignal) if isinstance(node, Break) else ("continue", ContinueSignal)
    if not planner.in_loop:
        planner.found.append(Finding("invalid_argument", f"{word} stands outside of a loop", node.source))

    def jump() -> None:
        raise signal

    planner.add(node, jump, ())


def compile_del(planner: Planner, node: Del) -> None:
    """`del names`; each must have a value then."""
    places = []
    for name in node.names:
        if name not in planner.scope.slots:
            message = f"'{name[:64]}' is no name of this scope"
            planner.found.append(Finding("unknown_reference", message, node.source, got=name))
            continue
        places.append((name, planner.scope.slots[name]))

    def delete(frame: list[Any]) -> None:
        for name, slot in places:
            if frame[slot] is UNBOUND:
                message = f"'{name[:64]}' has no value here, so it cannot be deleted"
                raise Refusal([Finding("unknown_reference", message, node.source, got=name)])
            frame[slot] = UNBOUND

    planner.add(node, delete, (whole_frame,))


def compile_fail(planner: Planner, node: Fail) -> None:
    """A failed `assert`, whose message is the text that `print` would print."""

    def fail(value: Any) -> None:
        raise AssertionError(str_of(value)[:1000] if value is not None else "")

    planner.add(node, fail, (planner.expression(node.value),))


def _nothing() -> None:
    raise AssertionError("a block's step is called before it is ready")


COMPILE: dict[type[Labelled], Callable[[Any, Any], None]] = {
    Bind: compile_bind,
    For: compile_for,
    While: compile_while,
    If: compile_if,
    With: compile_with,
    Def: compile_def,
    Return: compile_return,
    Break: compile_jump,
    Continue: compile_jump,
    Del: compile_del,
    Fail: compile_fail,
}
