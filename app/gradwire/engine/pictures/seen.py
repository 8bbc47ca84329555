"""What a picture tells of a value: its kind, dtype and shape, as text that fits on an edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gradwire.engine.references import fields_of

# How many items of a tuple, list or dict are told apart.
MOST_ITEMS = 16
_SAME_AS_TENSOR = frozenset(("grad", "data"))


@dataclass(frozen=True, slots=True)
class Seen:
    """A value's kind; dtype and shape of tensors and arrays; the items of what holds others, by index or key.

    `leaf`: it is a tensor where a gradient is left. `storage` tells tensors apart that share no memory.
    """

    kind: str
    shape: tuple[int, ...] | None = None
    items: tuple[tuple[str, Seen], ...] = ()
    leaf: bool = False
    storage: int | None = None

    @property
    def text(self) -> str:
        """`float32[2, 3]`, `int`, `tuple of 2`."""
        return self.kind if self.shape is None else f"{self.kind}[{', '.join(map(str, self.shape))}]"

    def along(self, path: tuple[str, ...]) -> str:
        """What lies at the end of a path behind this value: its own text where that is known, else the path."""
        seen: Seen | None = self
        for place, step in enumerate(path):
            seen = seen.follow(step) if seen is not None else None
            if seen is None:
                return "." + ".".join(path[place:])
        return self.text if seen is None else seen.text

    def follow(self, step: str) -> Seen | None:
        """One step of a path: an item, or what has this tensor's dtype and a shape that follows from its own."""
        if self.shape is not None:
            if step in _SAME_AS_TENSOR:
                return Seen(self.kind, self.shape)
            if step in ("T", "H"):
                return Seen(self.kind, self.shape[::-1])
            if step in ("mT", "mH") and len(self.shape) > 1:
                return Seen(self.kind, (*self.shape[:-2], self.shape[-1], self.shape[-2]))
            return None
        return dict(self.items).get(step)


def seen(value: Any, depth: int = 2) -> Seen:
    """What there is to see of `value`. Never asks a tensor for its grad_fn, which may make a new one."""
    if isinstance(value, torch.Tensor):
        leaf = value.requires_grad and value._base is None and value.is_leaf
        shape = (value.size(0),) if value.is_nested else tuple(value.shape)  # a nested one's parts differ in shape
        return Seen(dtype_name(value), shape, (), leaf, _storage(value))
    if isinstance(value, (np.ndarray, np.generic)):
        return Seen(f"numpy {value.dtype}", tuple(value.shape))
    if isinstance(value, (tuple, list, dict)):
        return _collection(value, depth)
    return Seen("None" if value is None else type(value).__name__)


def _collection(value: tuple[Any, ...] | list[Any] | dict[Any, Any], depth: int) -> Seen:
    if isinstance(value, torch.Size):
        return Seen(f"Size of {len(value)}")
    kind = next(kind for kind in (dict, tuple, list) if isinstance(value, kind))
    items: list[tuple[str, Seen]] = []
    if depth > 0:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for (key, item), _ in zip(pairs, range(MOST_ITEMS), strict=False):
            items.append((str(key), seen(item, depth - 1)))
    if isinstance(value, tuple) and type(value) is not tuple:
        items += [(name, one) for name, (_, one) in zip(fields_of(type(value)), items, strict=False)]
    return Seen(f"{kind.__name__} of {len(value)}", None, tuple(items))


def _storage(tensor: torch.Tensor) -> int | None:
    """A number that two tensors have in common while they share memory; None for those without memory of their own."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):  # sparse tensors, and those inside a transform
        return None


def dtype_name(tensor: torch.Tensor) -> str:
    """A dtype as replies name it."""
    return str(tensor.dtype).removeprefix("torch.")
