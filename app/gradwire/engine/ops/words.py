"""Texts that stand for values JSON has no word for: dtypes, layouts, memory formats, devices."""

from __future__ import annotations

import functools
import re
from typing import Any

import torch

from gradwire.engine.ops.parameters import ParamType

_KINDS: dict[str, type] = {
    "dtype": torch.dtype,
    "layout": torch.layout,
    "memory_format": torch.memory_format,
}
# dtypes of whole bytes; the others are storage formats of quantised weights.
_WHOLE_BYTES = re.compile(r"(?:float|bfloat|complex|u?int)(?:8|16|32|64|128)|bool")
# Kinds of parameter that a plain string can mean.
NAMED = (*_KINDS, "device")


@functools.cache
def table(kind: str) -> dict[str, Any]:
    """Every name of one kind: `float64`, `double`, … for `dtype`."""
    values = {name: getattr(torch, name) for name in dir(torch) if not name.startswith("_")}
    return {name: value for name, value in values.items() if isinstance(value, _KINDS[kind])}


def known(kind: str) -> list[str]:
    """The names to suggest where a text is none of them."""
    if kind == "device":
        return ["cpu", "cuda"]
    names = {str(value).removeprefix("torch.") for value in table(kind).values()}
    return sorted(name for name in names if kind != "dtype" or _WHOLE_BYTES.match(name))


def read(text: str, declared: ParamType) -> tuple[bool, Any]:
    """(True, value) where `declared` has a kind that `text` names, else (False, None)."""
    for kind in declared.atoms:
        if kind in _KINDS and (value := table(kind).get(text.removeprefix("torch."))) is not None:
            return True, value
        if kind == "device":
            try:
                return True, torch.device(text)
            except RuntimeError:
                continue
    return False, None
