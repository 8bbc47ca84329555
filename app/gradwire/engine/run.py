"""Running a plan once, and reading what it gives."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch.autograd import forward_ad

from gradwire.engine import seeds
from gradwire.engine.execute import execute
from gradwire.engine.language.budget import MAX_STEPS, Budget
from gradwire.engine.outputs import outputs, returned_tensors, variables
from gradwire.engine.plan import Plan
from gradwire.engine.scope import ENCLOSING, RUN, UNBOUND
from gradwire.engine.steps import Run, Word
from gradwire.engine.values import Outcome

FRAMES = 3_000


def run(plan: Plan, word: Word | None = None, max_steps: int = MAX_STEPS) -> Outcome:
    """Run `plan` once and read its outputs.

    `word[0]` is set to the position of the node that is running (from 1; 0: none), for a watcher in another process.
    At most `max_steps` nodes and turns of loops are run. Raises Refusal with the node and what PyTorch said; its
    subclass failure.OutOfMemoryRefusal when memory ran out.
    """
    state = Run(plan, [0] if word is None else word, Budget(max_steps, max_steps))
    seed = seeds.begin(plan.graph.seed)
    try:
        with surroundings(plan):
            frame = _frame(plan, state)
            state.budget.take(len(plan.steps))
            execute(plan.steps, frame, state)
            state.word[0] = 0
            found = outputs(plan, frame)
            named = variables(plan, frame) if plan.graph.variables else None
    finally:
        state.close()
    tape = plan.tape.finish(returned_tensors(plan, found)) if plan.tape is not None else None
    wrote = [(entry, plan.places[entry.position - 1]) for entry in state.budget.printed]
    printed = wrote if wrote or plan.graph.assigned is not None else None
    return Outcome(found, seed, str(plan.device), tape, printed, named)


@contextlib.contextmanager
def surroundings(plan: Plan) -> Iterator[None]:
    """What must hold while the steps of `plan` run: grad mode, the device, the level of forward mode, deep calls."""
    torch.set_grad_enabled(True)
    before = sys.getrecursionlimit()
    # A transform of a function of transforms takes dozens of Python's frames.
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        if plan.device.type == "cpu" and not plan.dual:
            yield
        else:
            with _default_device(plan.device), _dual_level(plan.dual):
                yield
    finally:
        sys.setrecursionlimit(before)


def _default_device(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Creation ops without a device make tensors on the run's device; on the CPU that is so anyway, and free."""
    return contextlib.nullcontext() if device.type == "cpu" else device


def _dual_level(wanted: bool) -> contextlib.AbstractContextManager[Any]:
    """The level of forward mode that dual tensors of a flat graph live in."""
    return forward_ad.dual_level() if wanted else contextlib.nullcontext()


def _frame(plan: Plan, state: Run) -> list[Any]:
    """The slots, with inputs and the tensors that stand in arguments in their places."""
    frame: list[Any] = [UNBOUND] * plan.size
    frame[RUN], frame[ENCLOSING] = state, None
    state.frame = frame
    for slot, name in plan.inputs:
        frame[slot] = state.place(plan.graph.inputs[name])
        if plan.tape is not None:
            plan.tape.inputs({name: frame[slot]})
    for slot, document in plan.documents:
        if slot >= 0:
            frame[slot] = state.place(document)
    return frame
