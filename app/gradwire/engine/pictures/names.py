"""Which cells a name's value comes from at a place in the graph: several, where branches and loops come together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gradwire.engine import references
from gradwire.engine.pictures.seen import Seen


@dataclass(frozen=True, slots=True)
class Origin:
    """A cell that gives a name its value, and what that value was."""

    cell: int
    seen: Seen | None = None


Origins = tuple[Origin, ...]


@dataclass(slots=True)
class Names:
    """The names of a scope by where their values come from. `gradients` are the backward passes that ran last, and
    `assigned` the `x.grad` that something else was assigned to since."""

    origins: dict[str, Origins] = field(default_factory=dict)
    gradients: Origins = ()
    assigned: set[str] = field(default_factory=set)

    def copy(self) -> Names:
        """As it is now, to go on from differently."""
        return Names(dict(self.origins), self.gradients, set(self.assigned))

    def went_backward(self, cell: int) -> None:
        """A backward pass has filled `.grad`s."""
        self.gradients = (Origin(cell),)
        for name in self.assigned:
            self.origins.pop(name, None)
        self.assigned = set()

    def assign_grad(self, name: str, cell: int) -> None:
        """The `.grad` of `name` is what a cell assigned, unless a node bears that name."""
        if f"{name}.grad" not in self.origins or f"{name}.grad" in self.assigned:
            self.bind(f"{name}.grad", Origin(cell))
            self.assigned.add(f"{name}.grad")

    def bind(self, name: str, origin: Origin) -> None:
        """`name` has its value from one place only."""
        self.origins[name] = (origin,)

    def written(self, name: str, cell: int, gave: Seen | None) -> None:
        """A cell has changed what `name` stands for: it is from there now, with all that shares its memory."""
        storages = {origin.seen.storage for origin in self.origins[name] if origin.seen is not None} - {None}
        for other, origins in list(self.origins.items()):
            shared = next((one.seen for one in origins if one.seen is not None and one.seen.storage in storages), None)
            if shared is not None:
                self.bind(other, Origin(cell, shared))
        if name in self.origins and self.origins[name][0].cell != cell:
            self.bind(name, Origin(cell, gave))

    def read(self, text: str) -> tuple[str, tuple[str, ...], Origins]:
        """The name in a reference, the path behind it, and where its value comes from."""
        parts = references.split(text, self.origins)
        if parts is None:
            return text, (), ()
        name, path = parts
        return name, path, self.origins[name]

    def merge(self, others: Iterable[Names]) -> None:
        """Go on where any of several ways may have been taken, this one among them."""
        for other in others:
            for name, origins in other.origins.items():
                self.origins[name] = _joined(self.origins.get(name, ()), origins)
            self.gradients = _joined(self.gradients, other.gradients)
            self.assigned |= other.assigned


def _joined(one: Origins, other: Origins) -> Origins:
    if one == other:
        return one
    return tuple({origin.cell: origin for origin in (*one, *other)}.values())[:8]
