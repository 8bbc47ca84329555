"""Values that a person looks at: whole where they are small, else what can be said of them briefly."""

from __future__ import annotations

import math
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from gradwire.findings import Refusal
from gradwire.wire.write.room import Unwritable
from gradwire.wire.write.tensor import history
from gradwire.wire.write.value import ValueWriter, real

MOST_ELEMENTS = 1_000
MOST_ITEMS = 10_000
# Beyond this a summary takes longer than the value is worth; an expanded tensor may have any number of elements.
MOST_SUMMED = 1 << 24


def variable(value: Any, writer: ValueWriter) -> dict[str, Any]:
    """The document of `value`, as in `outputs` or brief. Raises room.Unwritable where the reply has no room for it."""
    try:
        return _brief(value) or writer.write(value, "json", False)
    except Unwritable:
        raise
    except Refusal as refusal:  # such as a view that PyTorch tells nothing of: no reason to refuse all the others
        return _head(value) | {"note": refusal.findings[0].message}


def _brief(value: Any) -> dict[str, Any] | None:
    """The document of a value that is too large to be shown whole; None for a smaller one."""
    if isinstance(value, torch.Tensor):
        return _tensor(value) if _count(value) > MOST_ELEMENTS else None
    if isinstance(value, np.ndarray):
        return _array(value) if _count(value) > MOST_ELEMENTS else None
    if isinstance(value, str):
        return _head(value) | {"note": _only("characters", MOST_ITEMS)} if len(value) > MOST_ITEMS else None
    if isinstance(value, (list, tuple, dict)) and _is_long(value):
        return _head(value) | {"note": _only("items", MOST_ITEMS)}
    return None


def _tensor(tensor: torch.Tensor) -> dict[str, Any]:
    return _head(tensor) | history(tensor) | _summed(tensor)


def _array(array: np.ndarray) -> dict[str, Any]:
    return _head(array) | _summed(torch.from_numpy(np.ascontiguousarray(array)))


def _head(value: Any) -> dict[str, Any]:
    """What can be said of any value that has parts."""
    if isinstance(value, torch.Tensor):
        dtype, device = str(value.dtype).removeprefix("torch."), str(value.device)
        shape = {} if value.is_nested else {"shape": list(value.shape)}
        return {"kind": "tensor", "dtype": dtype, **shape, "device": device, "requires_grad": value.requires_grad}
    if isinstance(value, np.ndarray):
        return {"kind": "ndarray", "dtype": value.dtype.name, "shape": list(value.shape)}
    words = {str: "string", tuple: "tuple", dict: "dict", list: "list"}
    return {"kind": next(words[kind] for kind in words if isinstance(value, kind)), "length": len(value)}


def _summed(tensor: torch.Tensor) -> dict[str, Any]:
    note = _only("elements", MOST_ELEMENTS)
    plain = tensor.layout is torch.strided and not tensor.is_quantized and not tensor.is_nested
    if not plain or tensor.is_complex() or tensor.device.type == "meta" or not 0 < tensor.numel() <= MOST_SUMMED:
        return {"note": note, "summary": None}
    values = tensor.detach().to(torch.float64)
    found = {"min": values.min(), "max": values.max(), "mean": values.mean()}
    return {"note": note, "summary": {name: _number(float(one)) for name, one in found.items()}}


def _number(value: float) -> Any:
    return "NaN" if math.isnan(value) else real(value)  # any NaN: a mean has no payload to keep


def _only(what: str, most: int) -> str:
    return f"not shown whole: it has more than {most:,} {what}"


def _count(value: Any) -> int:
    """How much of a reply a value takes: the elements of a tensor (where one of its sizes is 0, the empty lists that it
    is written as), the characters of a string, else 1."""
    if isinstance(value, torch.Tensor) and value.is_nested:
        return value.numel()
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return math.prod(takewhile(bool, value.shape))
    return len(value) if isinstance(value, str) else 1


def _is_long(value: Any) -> bool:
    """Whether a container has more than MOST_ITEMS parts, each counted as often as it occurs."""
    count, stack = 0, [value]
    while stack and count <= MOST_ITEMS:
        part = stack.pop()
        count += _count(part)
        if isinstance(part, (list, tuple, dict)):
            if len(part) > MOST_ITEMS:
                return True
            stack.extend(part.values() if isinstance(part, dict) else part)
    return count > MOST_ITEMS
