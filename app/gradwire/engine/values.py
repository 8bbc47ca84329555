"""Values that only a reply holds: what an output is, and a None with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gradwire.engine.graph import Statement
from gradwire.engine.language.budget import Printed


@dataclass(frozen=True, slots=True)
class NoneBecause:
    """None in a reply, with a note that says why: an input that an output does not depend on."""

    note: str


@dataclass(slots=True)
class OutputValue:
    """One output: the value as it is when the graph has ended, and how the client wants it written.

    `encoding` is `json` or `base64`; `full` adds strides, storage and version.
    """

    value: Any
    encoding: str = "json"
    full: bool = False


@dataclass(slots=True)
class Outcome:
    """What a run gives.

    `tape` is None where none was asked for; so is `variables`, the values by name as they were at the end. `printed` is
    what each `print` wrote, and its node; None where nothing was to be printed.
    """

    outputs: dict[str, OutputValue]
    seed: int
    device: str
    tape: dict[str, Any] | None = None
    printed: list[tuple[Printed, Statement]] | None = None
    variables: dict[str, Any] | None = None


_KINDS = (
    *(torch.Tensor, np.ndarray, np.generic, bool, int, float, complex, str, type(None), list, tuple, dict),
    *(torch.dtype, torch.device, torch.layout, torch.memory_format, np.dtype),
)


def has_kind(value: Any) -> bool:
    """Whether a reply has a form for `value`: it is no function, type, iterator or name without a value."""
    return isinstance(value, _KINDS)


def may_hold_gradient(tensor: torch.Tensor) -> bool:
    """Whether a backward pass fills `tensor.grad`.

    `is_leaf` is not asked of a view of something that is differentiated: it would renew the view's grad_fn, which
    raises where PyTorch has ruled the view out and elsewhere may change the order in which gradients are added up.
    """
    if not tensor.requires_grad:
        return False
    base = tensor._base
    if base is not None and base.requires_grad:
        return tensor.retains_grad
    return tensor.is_leaf or tensor.retains_grad
