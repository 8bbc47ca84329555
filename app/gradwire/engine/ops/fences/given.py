"""A call that is about to be made, its arguments by the names of their parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from gradwire.engine.errors import NoOverload
from gradwire.engine.ops.parameters import Overload, ParamType

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

Place: TypeAlias = int | str


@dataclass(slots=True)
class Given:
    """The arguments of a call. `self` of a method and `input` of a function are both `input`."""

    op: Op
    args: list[Any]
    kwargs: dict[str, Any]
    _names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        overload = self._overload()
        if overload is not None:
            self._names = [one.name for one in overload.parameters if not one.keyword_only]
            if self._names and self._names[0] == "self":
                self._names[0] = "input"

    def _overload(self) -> Overload | None:
        """The overload that the call is meant for; the first where that cannot be told."""
        overloads = self.op.overloads
        for one in overloads if len(overloads) > 1 else ():
            positional = [parameter for parameter in one.parameters if not parameter.keyword_only]
            if len(self.args) <= len(positional) and all(one.named(name) for name in self.kwargs):
                pairs = zip(self.args, positional, strict=False)
                if all(_may_be(value, parameter.type) for value, parameter in pairs):
                    return one
        return overloads[0] if overloads else None

    def place(self, name: str) -> Place | None:
        """Where the argument `name` stands; None where it was left out."""
        if name in self.kwargs:
            return name
        if name in self._names and self._names.index(name) < len(self.args):
            return self._names.index(name)
        return "self" if name == "input" and "self" in self.kwargs else None

    def get(self, name: str, default: Any = None) -> Any:
        """The value given for the parameter `name`."""
        place = self.place(name)
        if place is None:
            return default
        return self.args[place] if isinstance(place, int) else self.kwargs[place]

    def put(self, name: str, value: Any) -> None:
        """Replace the argument `name`."""
        place = self.place(name)
        if isinstance(place, int):
            self.args[place] = value
        else:
            self.kwargs[name] = value

    def tensor(self, name: str) -> torch.Tensor | None:
        """The argument `name` where it is a tensor whose elements can be looked at.

        Within vmap it is all of the batch, whose dimensions come first; `get` gives the shape that the op sees.
        """
        return readable(self.get(name))

    def integer(self, name: str) -> int | None:
        """The argument `name` where it is an integer."""
        value = self.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def refusal(self, name: str | None, message: str, **more: Any) -> NoOverload:
        """What to raise because of the argument `name`; `more`: expected, got, hint."""
        place = None if name is None else self.place(name)
        return NoOverload(f"{self.op.last}: {message}", place, **more)


Fence: TypeAlias = Callable[[Given], None]
Concern: TypeAlias = Callable[[Sequence[Any], dict[str, Any]], bool]


def readable(value: Any) -> torch.Tensor | None:
    """`value` where it is a tensor whose elements are there to be compared, without the wrappers of torch.func."""
    if not isinstance(value, torch.Tensor):
        return None
    found = value.detach()
    while torch._C._functorch.is_functorch_wrapped_tensor(found):
        batched = torch._C._functorch.is_batchedtensor(found)
        dim = torch._C._functorch.maybe_get_bdim(found) if batched else 0
        found = torch._C._functorch.get_unwrapped(found)
        found = found.movedim(dim, 0) if batched else found
    odd = found.layout is not torch.strided or found.is_meta or found.is_nested or found.is_quantized
    return None if odd else found


def _may_be(value: Any, declared: ParamType) -> bool:
    if "Any" in declared:
        return True
    if isinstance(value, torch.Tensor):
        # A tensor of one element also stands for a number.
        return "Tensor" in declared or (value.dim() == 0 and not any(atom.endswith("[]") for atom in declared.atoms))
    if isinstance(value, (list, tuple)):
        return any(atom.endswith("[]") for atom in declared.atoms)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, (int, float)):
        return any(atom in declared for atom in ("int", "float", "Number", "complex", "device"))
    return True
