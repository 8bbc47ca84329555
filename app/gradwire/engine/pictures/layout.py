"""Where the cells of a picture go, and the ways of its edges; the layered layout is graphlay's.

The graph runs from top to bottom. The tape stands to its right, turned round, so that each of its nodes is about as
high as the node that made it and ties run across.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphlay

from gradwire.engine.pictures import labels
from gradwire.engine.pictures.geometry import (
    HEADER,
    PAD_X,
    PAD_Y,
    TEXT_HEIGHT,
    TEXT_WIDTH,
    TITLE_HEIGHT,
    TITLE_WIDTH,
    Laid,
    Placed,
    Point,
    Route,
    text_width,
)
from gradwire.engine.pictures.picture import Cell, Edge, Part, Picture

_BETWEEN_PARTS = 110.0
# How far two rows are pulled apart at most, so that cells that are tied stand side by side.
_MOST_APART = 160.0
_ROUND = 0.1
# Above this many edges the layout looks less hard for fewer crossings: it would take seconds.
_EASY_EDGES = 90


def laid_out(picture: Picture) -> tuple[Laid, Laid]:
    """The graph and the tape, the tape already where it stands beside the graph; one that is not drawn is empty."""
    graph = _laid(picture.graph) if picture.graph is not None else Laid()
    tape = _laid(picture.tape) if picture.tape is not None else Laid()
    _turn(tape)
    if graph.placed and tape.placed:
        _align(graph, tape, picture.ties)
    for laid in (graph, tape):
        labels.place(laid)
        _fit(laid)
    _move(tape, graph.width + _BETWEEN_PARTS if graph.placed else 0.0, 0.0)
    return graph, tape


def _fit(laid: Laid) -> None:
    """Measure a part with its labels, and move it to where it begins."""
    boxes = [(one.x, one.y, one.x + one.width, one.y + one.height) for one in laid.placed]
    boxes += [labels.box(route, route.label) for route in laid.routes if route.label is not None]
    boxes += [(x, y, x, y) for route in laid.routes for x, y in route.points]
    left = min((box[0] for box in boxes), default=0.0)
    _move(laid, -left, 0.0)
    laid.width = max((box[2] for box in boxes), default=0.0) - left
    laid.height = max((box[3] for box in boxes), default=0.0)


def _laid(part: Part) -> Laid:
    if not part.cells:
        return Laid()
    nodes = [_node(cell) for cell in part.cells]
    edges = [_edge(edge) for edge in part.edges]
    spacing = {"layer_gap": 38.0, "node_gap": 26.0, "dummy_gap": 18.0, "edge_label_margin": 8.0}
    options = {
        "direction": "topbottom",
        "effort": "balanced" if len(edges) <= _EASY_EDGES else "fast",
        "spacing": {**spacing, "compound_padding": 14.0, "compound_header": HEADER},
    }
    drawn = graphlay.layout({"nodes": nodes, "edges": edges}, options=options).raw
    low = drawn["bounds"]["min"]
    laid = Laid(width=drawn["bounds"]["max"]["x"] - low["x"], height=drawn["bounds"]["max"]["y"] - low["y"])
    for cell, node in zip(part.cells, drawn["nodes"], strict=True):
        width, height = node["size"]["width"], node["size"]["height"]
        x, y = node["center"]["x"] - width / 2, node["center"]["y"] - height / 2
        laid.placed.append(Placed(cell, x, y, width, height))
    for edge, way in zip(part.edges, drawn["edges"], strict=True):
        points = _ended([(point["x"], point["y"]) for point in way["points"]], laid.placed[edge.target])
        anchor = way.get("label_anchor")
        laid.routes.append(Route(edge, points, (anchor["x"], anchor["y"]) if anchor and edge.label else None))
    _move(laid, -low["x"], -low["y"])
    return laid


def _node(cell: Cell) -> dict[str, Any]:
    texts = [text_width(line, TEXT_WIDTH) for line in cell.lines]
    if cell.is_frame:  # its lines stand beside its title
        width, height = text_width(cell.title, TITLE_WIDTH) + sum(texts) + 3 * PAD_X, HEADER + 20.0
    else:
        width = max([text_width(cell.title, TITLE_WIDTH), *texts]) + 2 * PAD_X
        height = TITLE_HEIGHT + TEXT_HEIGHT * len(cell.lines) + 2 * PAD_Y
    node: dict[str, Any] = {"size": {"width": max(width, 46.0), "height": height}, "shape": "box", "key": str(cell.key)}
    if cell.parent is not None:
        node["parent"] = cell.parent
    return node


def _edge(edge: Edge) -> dict[str, Any]:
    made: dict[str, Any] = {"source": edge.source, "target": edge.target}
    if edge.label:
        made["label_size"] = {"width": text_width(edge.label, TEXT_WIDTH) + 8.0, "height": TEXT_HEIGHT + 2.0}
    return made


def _ended(points: list[Point], target: Placed) -> list[Point]:
    """A way that ends at a frame stops at its border."""
    if target.cell.is_frame and points and points[-1][1] > target.y:
        return [point for point in points if point[1] < target.y] + [(points[-1][0], target.y)]
    return points


def _move(laid: Laid, x: float, y: float) -> None:
    for placed in laid.placed:
        placed.x, placed.y = placed.x + x, placed.y + y
    for route in laid.routes:
        route.points = [(px + x, py + y) for px, py in route.points]
        if route.label is not None:
            route.label = (route.label[0] + x, route.label[1] + y)


# ---- the tape beside the graph


def _turn(laid: Laid) -> None:
    """Upside down, without turning the cells."""
    for placed in laid.placed:
        placed.y = laid.height - placed.y - placed.height
    for route in laid.routes:
        route.points = [(x, laid.height - y) for x, y in route.points]
        if route.label is not None:
            route.label = (route.label[0], laid.height - route.label[1])


def _align(graph: Laid, tape: Laid, ties: Sequence[tuple[int, int]]) -> None:
    """Pull the rows of both apart until what is tied stands side by side, as far as their orders let it."""
    _follow(tape, _heights(graph, ties, 0))
    _follow(graph, _heights(tape, ties, 1))
    low = min(placed.y for laid in (graph, tape) for placed in laid.placed)
    for laid in (graph, tape):
        _move(laid, 0.0, -low)
        laid.height = max(placed.y + placed.height for placed in laid.placed)


def _follow(laid: Laid, wanted: dict[int, float]) -> None:
    """Lower each row until it is as low as it is wanted to be; `wanted` are the middles of cells by key."""
    shift = 0.0
    moved: list[tuple[float, float, float]] = []  # of each row: its top and bottom, and how far it moves
    for row in _rows(laid):
        places = [wanted[placed.cell.key] - placed.y - placed.height / 2 for placed in row if placed.cell.key in wanted]
        if places:
            mean = sum(places) / len(places)
            shift = min(max(shift, mean), shift + _MOST_APART) if moved else mean
        moved.append((min(one.y for one in row), max(one.y + one.height for one in row), shift))
    for placed in laid.placed:
        if placed.cell.is_frame:
            top, bottom = placed.y, placed.y + placed.height
            placed.y = top + _shift(top, moved)
            placed.height = bottom + _shift(bottom, moved) - placed.y
        else:
            placed.y += _shift(placed.y + placed.height / 2, moved)
    for route in laid.routes:
        route.points = [(x, y + _shift(y, moved)) for x, y in route.points]
        if route.label is not None:
            route.label = (route.label[0], route.label[1] + _shift(route.label[1], moved))


def _rows(laid: Laid) -> list[list[Placed]]:
    """Cells that overlap in height, from top to bottom; frames span rows and are none."""
    rows: list[list[Placed]] = []
    bottom = 0.0
    for placed in sorted((one for one in laid.placed if not one.cell.is_frame), key=lambda one: one.y):
        if rows and placed.y < bottom - _ROUND:
            rows[-1].append(placed)
        else:
            rows.append([placed])
            bottom = placed.y
        bottom = max(bottom, placed.y + placed.height)
    return rows


def _heights(laid: Laid, ties: Sequence[tuple[int, int]], side: int) -> dict[int, float]:
    """How high the cells of the other part would stand, by key: as high as those of `laid`, on `side` of their ties."""
    found: dict[int, list[float]] = {}
    for tie in ties:
        placed = laid.placed[tie[side]]
        found.setdefault(tie[1 - side], []).append(placed.y + placed.height / 2)
    return {key: sum(heights) / len(heights) for key, heights in found.items()}


def _shift(y: float, rows: Sequence[tuple[float, float, float]]) -> float:
    """How far what stands at `y` moves: with its row, or in between by its share."""
    before = rows[0]
    for top, bottom, shift in rows:
        if y < top:
            share = (y - before[1]) / (top - before[1]) if top > before[1] else 0.0
            return before[2] + max(0.0, share) * (shift - before[2]) if y > before[1] else before[2]
        if y <= bottom:
            return shift
        before = (top, bottom, shift)
    return rows[-1][2]
