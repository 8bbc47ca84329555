"""Running a plan: a bare loop over prepared steps, with what a failure means worked out only when one happens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

import torch

from gradwire.engine import devices, seeds
from gradwire.engine.failure import refused, refused_at
from gradwire.engine.graph import TensorDocument
from gradwire.engine.ops import arguments
from gradwire.engine.outputs import outputs, returned_tensors
from gradwire.engine.plan import Plan, Step
from gradwire.engine.values import Outcome, may_hold_gradient


class Word(Protocol):
    """One integer that a watcher may see, such as a word of shared memory."""

    def __setitem__(self, index: int, value: int, /) -> None: ...


def run(plan: Plan, word: Word | None = None) -> Outcome:
    """Run `plan` once and read its outputs.

    `word[0]` is set to the position of the node that is running (from 1; 0: none), for a watcher in another process.
    Raises Refusal with the node and what PyTorch said; its subclass failure.OutOfMemoryRefusal when memory ran out.
    """
    word = [0] if word is None else word
    seed = seeds.begin(plan.graph.seed)
    torch.set_grad_enabled(True)
    with _default_device(plan.device):
        frame = _frame(plan)
        _loop(plan, frame, word)
        word[0] = 0
        found = outputs(plan, frame)
    tape = plan.tape.finish(returned_tensors(plan, found)) if plan.tape is not None else None
    return Outcome(found, seed, str(plan.device), tape)


@contextlib.contextmanager
def _default_device(device: torch.device) -> Iterator[None]:
    """Creation ops without a device make tensors on the run's device; on the CPU that is so anyway, and free."""
    if device.type == "cpu":
        yield
    else:
        with device:
            yield


def _frame(plan: Plan) -> list[Any]:
    """The slots, with inputs and the tensors that stand in arguments in their places."""
    frame: list[Any] = [None] * plan.size
    for slot, name in plan.inputs:
        frame[slot] = _placed(plan.graph.inputs[name], plan)
        if plan.tape is not None:
            plan.tape.inputs({name: frame[slot]})
    for slot, document in plan.documents:
        frame[slot] = _placed(document, plan)
    return frame


def _placed(document: TensorDocument, plan: Plan) -> torch.Tensor:
    """The tensor on its device, a leaf there."""
    wanted = document.device
    if wanted is None or (wanted == "cpu" and plan.graph.device == "auto"):
        device = plan.device
    else:
        device = devices.resolve(wanted, document.source.at("device"))
    try:
        tensor = document.tensor.to(device)
    except RuntimeError as error:
        raise refused_at(error, document.source) from error
    return tensor.requires_grad_(True) if document.requires_grad else tensor


def _loop(plan: Plan, frame: list[Any], word: Word) -> None:
    keep_leaves = plan.returns is None
    for step in plan.steps:
        word[0] = step.position
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        try:
            args = [get(frame) for get in step.args]
            if step.kwargs:
                kwargs = {name: get(frame) for name, get in step.kwargs.items()}
            value = step.call(*args, **kwargs)
        except TypeError as error:
            value = _again(step, args, kwargs, error, plan, frame)
        except Exception as error:
            raise refused(step, error, plan, frame) from error
        frame[step.target] = value
        if step.free:
            _release(frame, step.free, keep_leaves)


def _release(frame: list[Any], slots: tuple[int, ...], keep_leaves: bool) -> None:
    """Forget values that nothing reads any more, but not those whose gradient may be returned by default."""
    for slot in slots:
        value = frame[slot]
        if not (keep_leaves and isinstance(value, torch.Tensor) and may_hold_gradient(value)):
            frame[slot] = None


def _again(step: Step, args: list[Any], kwargs: dict[str, Any], error: TypeError, plan: Plan, frame: list[Any]) -> Any:
    """PyTorch's parser refused the arguments as Python has them: try what the contract allows beside that."""
    if not step.plain:
        raise refused(step, error, plan, frame) from error

    def second(*args: Any, **kwargs: Any) -> Any:
        return arguments.second_try(step.op, list(args), kwargs, error)

    try:
        return (step.wrap(second) if step.wrap else second)(*args, **kwargs)
    except Exception as final:
        raise refused(step, final, plan, frame) from final
