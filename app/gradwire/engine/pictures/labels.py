"""Where the labels of edges go: on their edge, clear of cells, of frames' titles and of each other.

The layout proposes a place for each, but takes no account of frames' titles. Where a proposed place is taken another
one on the way is looked for; a label that finds none is left out, and stands in the edge's own title.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradwire.engine.pictures.geometry import (
    HEADER,
    PAD_X,
    TEXT_WIDTH,
    TITLE_WIDTH,
    Laid,
    Placed,
    Point,
    Route,
    text_width,
)

HEIGHT = 13.0
_CLEAR = 2.0
_BESIDE = 8.0
# Parts of a stretch of an edge's way where a label may stand, the best first.
_SHARES = (0.5, 0.35, 0.65, 0.2, 0.8)

Box = tuple[float, float, float, float]


def width_of(route: Route) -> float:
    """How wide the patch of a label is."""
    return text_width(route.edge.label, TEXT_WIDTH) + 4.0


def place(laid: Laid) -> None:
    """Move labels that stand where something else does; those for which there is no place have none after."""
    taken = [_taken(placed) for placed in laid.placed]
    for route in laid.routes:
        if route.label is None:
            continue
        boxes = ((one, box(route, one)) for one in _candidates(route))
        route.label = next((one for one, room in boxes if _touches(room, route) and _is_free(room, taken)), None)
        if route.label is not None:
            taken.append(box(route, route.label))


def _taken(placed: Placed) -> Box:
    """A cell's place; of a frame only its title's."""
    if not placed.cell.is_frame:
        return placed.x, placed.y, placed.x + placed.width, placed.y + placed.height
    texts = sum(text_width(line, TEXT_WIDTH) for line in placed.cell.lines)
    right = placed.x + text_width(placed.cell.title, TITLE_WIDTH) + texts + 3 * PAD_X
    return placed.x, placed.y, right, placed.y + HEADER


def _candidates(route: Route) -> Iterator[Point]:
    assert route.label is not None
    yield route.label
    stretches = sorted(zip(route.points, route.points[1:], strict=False), key=_length, reverse=True)
    for start, end in stretches[:4]:
        for share in _SHARES:
            yield start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _length(stretch: tuple[Point, Point]) -> float:
    (x, y), (far_x, far_y) = stretch
    return abs(far_x - x) + abs(far_y - y)


def box(route: Route, middle: Point) -> Box:
    """The room of a label around its middle."""
    half = width_of(route) / 2 + _CLEAR
    return middle[0] - half, middle[1] - HEIGHT / 2 - _CLEAR, middle[0] + half, middle[1] + HEIGHT / 2 + _CLEAR


def _touches(room: Box, route: Route) -> bool:
    """Whether a label stands on its edge or close beside it."""
    left, top, right, bottom = room
    return any(
        left - _BESIDE < max(x, far_x)
        and min(x, far_x) < right + _BESIDE
        and top - _BESIDE < max(y, far_y)
        and min(y, far_y) < bottom + _BESIDE
        for (x, y), (far_x, far_y) in zip(route.points, route.points[1:], strict=False)
    )


def _is_free(room: Box, taken: list[Box]) -> bool:
    left, top, right, bottom = room
    return not any(left < one[2] and one[0] < right and top < one[3] and one[1] < bottom for one in taken)
