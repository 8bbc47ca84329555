"""A program whose lines are watched by a tape, as the engine's run loop does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from gradwire.engine.observe.origins import Maker
from gradwire.engine.observe.tape import Tape


class Taped:
    """Runs one call at a time under `label`; `read` gives the tape."""

    def __init__(self, gradients: bool = False, **inputs: torch.Tensor) -> None:
        self.tape = Tape(gradients)
        self.tape.inputs(inputs)

    def __call__(self, label: str | int, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        value = call(*args, **kwargs)
        self.tape.after(Maker(label), value, [*args, *kwargs.values()])
        return value

    def write(self, label: str | int, name: str, *args: Any) -> Any:
        """An in-place method of the first argument, or `setitem`."""
        with self.tape.writing(name, args, {}):
            value = plain_write(name, *args)
        self.tape.after(Maker(label), value, args)
        return value

    def backward(self, label: str | int, root: str, tensor: torch.Tensor, **kwargs: Any) -> None:
        self.tape.starting([(root, tensor)], kwargs.get("inputs", ()))
        try:
            tensor.backward(**kwargs)
        finally:
            self.tape.finished()
        self.tape.after(Maker(label), None, [tensor, *kwargs.values()])

    def grad(self, label: str | int, root: str, output: torch.Tensor, inputs: Any, **kwargs: Any) -> Any:
        self.tape.starting([(root, output)], inputs)
        try:
            value = torch.autograd.grad(output, inputs, **kwargs)
        finally:
            self.tape.finished()
        self.tape.after(Maker(label), value, [output, inputs, *kwargs.values()])
        return value

    def read(self, **returned: torch.Tensor) -> dict[str, Any]:
        return self.tape.finish(returned)


def plain_write(name: str, tensor: torch.Tensor, *args: Any) -> Any:
    """An in-place method of `tensor`, or `setitem`; gives the tensor."""
    if name != "setitem":
        return getattr(tensor, name)(*args)
    index, value = args
    tensor[index] = value
    return tensor


def node_of(tape: dict[str, Any], name: str) -> dict[str, Any]:
    """The one tape node of this name."""
    (found,) = [node for node in tape["nodes"] if node["name"] == name]
    return found
