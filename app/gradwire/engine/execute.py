"""The loop over prepared steps: the same for a flat graph, a block and a function's body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gradwire.engine.failure import refused
from gradwire.engine.ops import arguments
from gradwire.engine.steps import Run, Step
from gradwire.engine.values import may_hold_gradient


class Signal(BaseException):
    """Leaves a block before its end. No error, so nothing that handles errors sees it."""


class BreakSignal(Signal):
    """`break`."""


class ContinueSignal(Signal):
    """`continue`."""


class ReturnSignal(Signal):
    """`return`, with its value."""

    def __init__(self, value: Any) -> None:
        self.value = value


def execute(steps: Sequence[Step], frame: list[Any], run: Run) -> None:
    """Run `steps` in order on `frame`. Raises Refusal with the node and what PyTorch said, and Signals."""
    word = run.word
    for step in steps:
        word[0] = step.position
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        try:
            args = [get(frame) for get in step.args]
            if step.kwargs:
                kwargs = {name: get(frame) for name, get in step.kwargs.items()}
            value = step.call(*args, **kwargs)
        except TypeError as error:
            value = _again(step, args, kwargs, error, run, frame)
        except Exception as error:
            raise refused(step, error, run, frame) from error
        frame[step.target] = value
        if step.free:
            _release(frame, step.free, run.keep_leaves and frame is run.frame)


def _release(frame: list[Any], slots: tuple[int, ...], keep_leaves: bool) -> None:
    """Forget values that nothing reads any more, but not those whose gradient may be returned by default."""
    for slot in slots:
        value = frame[slot]
        if not (keep_leaves and isinstance(value, torch.Tensor) and may_hold_gradient(value)):
            frame[slot] = None


def _again(step: Step, args: list[Any], kwargs: dict[str, Any], error: TypeError, run: Run, frame: list[Any]) -> Any:
    """PyTorch's parser refused the arguments as Python has them: try what the contract allows beside that."""
    op = step.op
    if not step.plain or op is None:
        raise refused(step, error, run, frame) from error

    def second(*args: Any, **kwargs: Any) -> Any:
        return arguments.second_try(op, list(args), kwargs, error)

    try:
        return (step.wrap(second) if step.wrap else second)(*args, **kwargs)
    except Exception as final:
        raise refused(step, final, run, frame) from final
