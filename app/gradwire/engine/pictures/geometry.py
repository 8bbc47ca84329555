"""Sizes and places: what a laid out picture is made of, in pixels."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from gradwire.engine.pictures.picture import Cell, Edge

# Widths of a character in a monospaced font of the sizes that the SVG uses, and heights, in pixels.
TITLE_WIDTH, TEXT_WIDTH = 7.3, 6.1
TITLE_HEIGHT, TEXT_HEIGHT = 16.0, 14.0
PAD_X, PAD_Y = 10.0, 6.0
HEADER = 24.0

Point = tuple[float, float]


@dataclass(slots=True)
class Placed:
    """A cell with its upper left corner and its size."""

    cell: Cell
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Route:
    """An edge with its way, and where the middle of its label goes."""

    edge: Edge
    points: list[Point]
    label: Point | None


@dataclass(slots=True)
class Laid:
    """One part of a picture, from (0, 0) to (`width`, `height`)."""

    placed: list[Placed] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def text_width(text: str, character: float) -> float:
    """How wide `text` is in a monospaced font; East Asian wide characters take two places."""
    return character * sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
