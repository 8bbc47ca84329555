"""What a write through a view saves for its backward pass.

PyTorch puts such a write on the graph as CopySlices, which keeps the op's own backward node to itself: what that node
saved cannot be read afterwards, only seen while it is saved. So for these writes alone saved-tensor hooks are used, and
the check for later in-place changes that they switch off is made here, in PyTorch's words.
"""

from __future__ import annotations

import contextlib
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch


class Packed:
    """A tensor as autograd keeps it, its version when it was saved, and what PyTorch would say of it in an error.

    `written_by` is the op where the tensor is the view that the op has just written, its own output.
    """

    __slots__ = ("__weakref__", "_name", "_node", "_original", "_output", "_written_by", "tensor", "version")

    def __init__(self, tensor: torch.Tensor, written_by: str | None) -> None:
        # Detached, as autograd's own save of an output is: with its graph it would hold the node that holds it.
        self.tensor = tensor.detach()
        self.version = tensor._version
        fn = tensor.grad_fn
        self._name = None if fn is None else str(fn.name())
        self._output = tensor.output_nr
        self._original = weakref.ref(tensor)
        self._written_by = written_by
        self._node = None if fn is None or written_by is None else _life_of(fn)

    def unpacked(self) -> torch.Tensor:
        """The tensor. Raises RuntimeError, worded as PyTorch does, if it was changed since."""
        tensor = self.tensor
        if tensor._version != self.version:
            raise RuntimeError(
                f"one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"[{tensor.type()} {list(tensor.shape)}]{self._maker()} is at version {tensor._version}; expected "
                f"version {self.version} instead. Hint: enable anomaly detection to find the operation that failed to "
                f"compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
            )
        return tensor

    def _maker(self) -> str:
        """As PyTorch: the node that the tensor comes from now; of a written view the one that it came from then."""
        name = self._name
        if self._written_by is not None:
            if self._node is not None and self._node() is None:
                name = "".join(word.capitalize() for word in self._written_by.split("_"))
        elif (original := self._original()) is not None and original.grad_fn is not None:
            name = str(original.grad_fn.name())
        if name is None:
            return ""
        return f", which is output {self._output} of {re.sub(r'Backward[0-9]*$', '', name)},"


class _Life:
    """Lives as long as the backward node that holds it."""


def _life_of(fn: Any) -> weakref.ref[_Life]:
    """A weak reference to a backward node, which cannot be had directly."""
    return weakref.ref(fn.metadata.setdefault(_Life, _Life()))


class Hidden:
    """Watches what in-place nodes save. `take` gives what the last of them did, without keeping it alive."""

    def __init__(self) -> None:
        self._seen: list[weakref.ref[Packed]] = []

    @contextlib.contextmanager
    def watching(self, op_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[None]:
        """Around the call of a node that writes through a view."""
        self._seen = []
        written = {id(tensor) for tensor in _written(args, kwargs)}
        method = op_name.rpartition(".")[2]

        def pack(tensor: torch.Tensor) -> Packed:
            packed = Packed(tensor, method if id(tensor) in written and tensor.grad_fn is not None else None)
            self._seen.append(weakref.ref(packed))
            return packed

        with torch.autograd.graph.saved_tensors_hooks(pack, Packed.unpacked):
            yield

    def take(self) -> list[weakref.ref[Packed]]:
        seen, self._seen = self._seen, []
        return seen


def hides(op_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether an in-place op will be on the graph as CopySlices: it writes a view, or makes one itself to write it."""
    enabled = torch._C._autograd._saved_tensors_hooks_is_enabled()  # type: ignore[attr-defined]
    if not (enabled and torch.is_grad_enabled()):
        return False
    through_view = any(tensor._base is not None for tensor in _written(args, kwargs))
    return through_view or op_name.endswith("setitem")


def _written(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
    """The tensors that an in-place op writes."""
    written = kwargs["out"] if "out" in kwargs else next(iter(args), None)
    parts = written if isinstance(written, (tuple, list)) else (written,)
    return [part for part in parts if isinstance(part, torch.Tensor)]
