"""Devices that only come up while the graph runs: those that this machine lacks are refused, `meta` above all.

A tensor on `meta` has no memory, and kernels for the CPU that get one beside others read or leave what was there.
Devices that stand in the request are looked at when it is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from gradwire.engine import devices
from gradwire.engine.ops.fences.given import Concern, Fence, Given
from gradwire.findings import Source


def require(value: Any) -> None:
    """Raise Refusal (`unavailable_device`) where `value` names a device that is not present."""
    if isinstance(value, str):
        devices.resolve(value, Source())
    elif isinstance(value, torch.device):
        devices.require(value, Source())


def device(given: Given) -> None:
    """torch.device makes any device that PyTorch has a name for."""
    name = given.args[0] if given.args else given.kwargs.get("type", given.kwargs.get("device"))
    require(name)


def to(given: Given) -> None:
    """Tensor.to takes the device by position, too."""
    for value in (*given.args[1:], given.kwargs.get("device")):
        require(value)


def placed(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its keyword `device` looked at when it is called."""

    def careful(*args: Any, **kwargs: Any) -> Any:
        require(kwargs.get("device"))
        return function(*args, **kwargs)

    return careful


def _names_device(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    return "device" in kwargs or any(isinstance(one, (str, torch.device)) for one in args[1:])


FENCES: dict[str, Fence] = {"device": device, "to": to}
CONCERNS: dict[str, Concern] = {"to": _names_device}
