"""A picture before anyone has said where things go or how they are written: cells, edges, and the ties between."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "input", "op", "output", "parameter", "test", "fold", "block", "function", "tape", "accumulate"
]
EdgeKind: TypeAlias = Literal["value", "gradient", "function", "next"]
MOST_TITLE = 44
MOST_TEXT = 40
# Labels stand in attributes too, for scripts of a page: long enough to be told apart.
MOST_LABEL = 256


@dataclass(slots=True)
class Cell:
    """A box of the picture, or a frame around others (`block`, `function`).

    `title` is its first line, `lines` are those below it. `label` is what errors and the tape call the node, `line` its
    line in a program; `tape` the number of a tape node. `parent` is the frame that it stands in. `leaf`: a gradient is
    left here; `in_place`: it changed an argument; `idle`: it never ran.
    """

    key: int
    kind: Kind
    title: str
    lines: list[str] = field(default_factory=list)
    label: str = ""
    line: int | None = None
    tape: int | None = None
    parent: int | None = None
    leaf: bool = False
    in_place: bool = False
    idle: bool = False

    @property
    def is_frame(self) -> bool:
        """Whether others may stand in it."""
        return self.kind in ("block", "function")


@dataclass(slots=True)
class Edge:
    """From one cell to another, by key. `label` is the dtype and shape of what flows along it, where that is known.

    `kind`: a value; a `gradient` that a backward pass left in `.grad`; a `function` that is used; or, on the tape, the
    `next` node that gradients flow on to.
    """

    source: int
    target: int
    label: str = ""
    kind: EdgeKind = "value"


@dataclass(frozen=True, slots=True)
class Part:
    """The graph or the tape; `cells` stand at their keys, frames before what stands in them."""

    cells: Sequence[Cell]
    edges: Sequence[Edge]


@dataclass(frozen=True, slots=True)
class Picture:
    """All there is to draw. `ties` join a cell of the graph with one of the tape that it made; `summary` tells it."""

    title: str
    summary: str
    graph: Part | None
    tape: Part | None
    ties: Sequence[tuple[int, int]] = ()


def cut(text: str, most: int) -> str:
    """`text` in one line of at most `most` characters.

    What would not show, or would turn the direction of what follows, becomes a visible mark.
    """
    short = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(_visible(one) for one in short)


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return "\ufffd" if unicodedata.category(character).startswith("C") else character


def size_of(count: int) -> str:
    """A count of bytes for people."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
