"""A picture as SVG: no script, no link, nothing from outside; readable in light and in dark.

Labels lie on patches of the paper's colour, so that no line runs through a text; frames are below lines, lines below
cells. Every text is escaped; there is no attribute or style that a client's word gets into but `data-node`.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

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
from gradwire.engine.pictures.layout import laid_out
from gradwire.engine.pictures.picture import Cell, Picture

_MARGIN = 20.0
_HEADING = 40.0

_STYLE = """
.gradwire{--paper:#fff;--ink:#1c2430;--soft:#5b6675;--line:#8a94a3;--cell:#f4f6f9;--frame:#fafbfc;--frame-line:#c3cad4;
--input:#e7f0fb;--input-line:#3b78c3;--leaf:#e6f6ea;--leaf-line:#2b8a45;--place:#fdf0dc;--place-line:#b86e00;
--tape:#f3eefb;--tape-line:#7a55b8;--output:#eef1f4;--output-line:#4a5462;--tie:#7a55b8;background:var(--paper);
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
@media (prefers-color-scheme:dark){.gradwire{--paper:#14181f;--ink:#e6eaf0;--soft:#a3adbb;--line:#77828f;--cell:#222933;
--frame:#191e26;--frame-line:#3d4754;--input:#1b2d45;--input-line:#6ba4ea;--leaf:#183021;--leaf-line:#58c078;
--place:#38290f;--place-line:#e0a03c;--tape:#2a2140;--tape-line:#b394ea;--output:#252c36;--output-line:#a9b3c0;
--tie:#b394ea}}
.gradwire .paper{fill:var(--paper)}
.gradwire text{fill:var(--ink);font-size:12px;white-space:pre}
.gradwire .heading{font-size:13px;font-weight:600}
.gradwire .note,.gradwire .label{fill:var(--soft);font-size:10px}
.gradwire .patch{fill:var(--paper)}
.gradwire .box{fill:var(--cell);stroke:var(--line);stroke-width:1}
.gradwire .frame>.box{fill:var(--frame);stroke:var(--frame-line);fill-opacity:.6}
.gradwire .function>.box{stroke-dasharray:6 3}
.gradwire .input>.box,.gradwire .parameter>.box{fill:var(--input);stroke:var(--input-line)}
.gradwire .output>.box{fill:var(--output);stroke:var(--output-line)}
.gradwire .fold>.box{stroke-dasharray:2 3}
.gradwire .tape>.box{fill:var(--tape);stroke:var(--tape-line)}
.gradwire .leaf>.box{fill:var(--leaf);stroke:var(--leaf-line);stroke-width:2}
.gradwire .in-place>.box{fill:var(--place);stroke:var(--place-line);stroke-width:2}
.gradwire .idle{opacity:.55}
.gradwire .edge{fill:none;stroke:var(--line);stroke-width:1.2}
.gradwire .next{stroke:var(--tape-line)}
.gradwire .gradient{stroke:var(--leaf-line)}
.gradwire .function-edge{stroke-dasharray:1 3}
.gradwire .tie{fill:none;stroke:var(--tie);stroke-width:1;stroke-dasharray:3 4;opacity:.75}
.gradwire .knot{fill:var(--tie)}
.gradwire .head{fill:var(--line)}
.gradwire .head.next{fill:var(--tape-line);stroke:none}
.gradwire .head.gradient{fill:var(--leaf-line);stroke:none}
"""


def svg(picture: Picture) -> str:
    """The whole document."""
    graph, tape = laid_out(picture)
    width = max(_right(graph), _right(tape), 320.0, text_width(picture.summary, TEXT_WIDTH)) + 2 * _MARGIN
    height = max(graph.height, tape.height) + _HEADING + 2 * _MARGIN
    name = escape(f"{picture.title}. {picture.summary}")
    size = f'width="{width:.0f}" height="{height:.0f}"'
    box = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="gradwire" role="img" aria-label="{name}" {size} {box}>',
            f"<title>{escape(picture.title)}</title><desc>{escape(picture.summary)}</desc><style>{_STYLE}</style>",
            f'<rect class="paper" {size}/>',
            f'<text class="note" x="{_MARGIN:.0f}" y="{_MARGIN + 4:.0f}">{escape(picture.summary)}</text>',
            f'<g transform="translate({_MARGIN:.0f} {_MARGIN + _HEADING:.0f})">',
            *_layers(picture, graph, tape),
            "</g></svg>\n",
        )
    )


def _layers(picture: Picture, graph: Laid, tape: Laid) -> Iterator[str]:
    """Everything, the lowest first."""
    ties = [(graph.placed[one], tape.placed[other], number) for number, (one, other) in enumerate(picture.ties)]
    parts = ((graph, "graph"), (tape, "tape"))
    for laid, name in parts:
        if laid.placed and picture.ties:
            yield _heading(laid, name)
        yield from (_cell(placed) for placed in laid.placed if placed.cell.is_frame)
    yield from (_tie(*tie) for tie in ties)
    for laid, _ in parts:
        yield from map(_route, laid.routes)
    for laid, _ in parts:
        yield from (_frame_title(placed) for placed in laid.placed if placed.cell.is_frame)
        yield from (_cell(placed) for placed in laid.placed if not placed.cell.is_frame)
        yield from (_label(route) for route in laid.routes if route.label is not None)
    yield from (_knots(*tie) for tie in ties)


def _right(laid: Laid) -> float:
    return min((placed.x for placed in laid.placed), default=0.0) + laid.width


def _heading(laid: Laid, text: str) -> str:
    x = min(placed.x for placed in laid.placed)
    return f'<text class="heading" x="{x:.1f}" y="-12">{text}</text>'


# ---- cells


def _cell(placed: Placed) -> str:
    cell = placed.cell
    corner = {"input": 14, "parameter": 14, "output": 2, "test": 12}.get(cell.kind, 5)
    box = (
        f'<rect class="box" x="{placed.x:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}" '
        f'height="{placed.height:.1f}" rx="{corner}"/>'
    )
    texts = "" if cell.is_frame else _texts(placed)
    told = " — ".join([cell.title, *cell.lines])
    return f"<g {_attributes(cell)}><title>{escape(told)}</title>{box}{texts}</g>"


def _attributes(cell: Cell) -> str:
    """What a page finds a cell by: a node of the tape, a node or input of the graph, or something beside those."""
    words = ["tape-node", "tape"] if cell.tape is not None else ["graph-node"] if cell.label else ["aside"]
    words += ["frame"] * cell.is_frame + [cell.kind] * (cell.tape is None)
    marks = (("leaf", cell.leaf), ("in-place", cell.in_place), ("idle", cell.idle))
    words += [word for word, holds in marks if holds]
    found = f'class="{" ".join(words)}"'
    if words[0] != "aside":
        found += f' data-node="{escape(cell.label)}"'
    if cell.tape is not None:
        found += f' data-tape="{cell.tape}"'
    return found if cell.line is None else f'{found} data-line="{cell.line}"'


def _texts(placed: Placed) -> str:
    """The title and the lines below it, in the middle."""
    middle = placed.x + placed.width / 2
    y = placed.y + PAD_Y + TITLE_HEIGHT - 4
    found = [_text(placed.cell.title, middle, y, "", "middle", TITLE_WIDTH)]
    for line in placed.cell.lines:
        y += TEXT_HEIGHT
        found.append(_text(line, middle, y, "note", "middle", TEXT_WIDTH))
    return "".join(found)


def _frame_title(placed: Placed) -> str:
    """A frame's title and its lines beside it, at the upper left, above what runs into the frame."""
    cell = placed.cell
    y = placed.y + HEADER - 8
    title = text_width(cell.title, TITLE_WIDTH)
    lines = sum(text_width(line, TEXT_WIDTH) for line in cell.lines)
    texts = _text(cell.title, placed.x + PAD_X, y, "", "start", TITLE_WIDTH)
    x = placed.x + 2 * PAD_X + title
    texts += "".join(_text(line, x, y, "note", "start", TEXT_WIDTH) for line in cell.lines)
    width = title + lines + PAD_X * (2 if cell.lines else 1)
    patch = f'<rect class="patch" x="{placed.x + 5:.1f}" y="{y - 11:.1f}" width="{width:.1f}" height="15"/>'
    return f'<g class="frame-title">{patch}{texts}</g>'


def _text(text: str, x: float, y: float, kind: str, anchor: str, character: float) -> str:
    """A text that is as wide as the layout took it to be, whatever font there is."""
    style = f' class="{kind}"' if kind else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    width = f'textLength="{text_width(text, character):.1f}" lengthAdjust="spacingAndGlyphs"'
    return f"<text{style} {place} {width}>{escape(text)}</text>"


# ---- lines


def _route(route: Route) -> str:
    kind = {"value": "", "function": " function-edge"}.get(route.edge.kind, f" {route.edge.kind}")
    points = route.points
    told = f"<title>{escape(route.edge.label)}</title>" if route.edge.label else ""
    way = f'<path class="edge{kind}" d="{_way(points)}">{told}</path>'
    return way + _head(points[-2], points[-1], kind) if len(points) > 1 else way


def _way(points: list[Point], corner: float = 6.0) -> str:
    """A line through `points` with its corners rounded."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(at, before, corner), _towards(at, after, corner)
        parts.append(f"L{near[0]:.1f} {near[1]:.1f}Q{at[0]:.1f} {at[1]:.1f} {far[0]:.1f} {far[1]:.1f}")
    return "".join([*parts, f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"])


def _towards(start: Point, end: Point, distance: float) -> Point:
    x, y = end[0] - start[0], end[1] - start[1]
    length = (x * x + y * y) ** 0.5
    share = min(0.5, distance / length) if length else 0.0
    return start[0] + share * x, start[1] + share * y


def _head(before: Point, tip: Point, kind: str) -> str:
    """An arrow's head at `tip`."""
    x, y = before[0] - tip[0], before[1] - tip[1]
    length = (x * x + y * y) ** 0.5 or 1.0
    x, y = x / length, y / length
    left = (tip[0] + 7 * x - 3.2 * y, tip[1] + 7 * y + 3.2 * x)
    right = (tip[0] + 7 * x + 3.2 * y, tip[1] + 7 * y - 3.2 * x)
    corners = " ".join(f"{px:.1f},{py:.1f}" for px, py in (tip, left, right))
    return f'<polygon class="head{kind}" points="{corners}"/>'


def _label(route: Route) -> str:
    assert route.label is not None
    x, y = route.label
    width = labels.width_of(route)
    patch = f'<rect class="patch" x="{x - width / 2:.1f}" y="{y - 7:.1f}" width="{width:.1f}" height="13"/>'
    return patch + _text(route.edge.label, x, y + 3.5, "label", "middle", TEXT_WIDTH)


def _tie(graph: Placed, tape: Placed, number: int) -> str:
    """A dashed curve from the right of a graph node to the left of a tape node.

    Ties of one row would lie on each other: each is a little higher or lower than the one before.
    """
    aside = 5.0 * (number % 3 - 1)
    x, y = graph.x + graph.width, graph.y + graph.height / 2 + aside
    far_x, far_y = tape.x, tape.y + tape.height / 2 + aside
    bend = max(30.0, (far_x - x) / 2)
    curve = f"M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {far_x - bend:.1f} {far_y:.1f} {far_x:.1f} {far_y:.1f}"
    return f'<path class="tie" d="{curve}"/>'


def _knots(graph: Placed, tape: Placed, number: int) -> str:
    """The ends of a tie, above the cells: a tie may run behind others."""
    aside = 5.0 * (number % 3 - 1)
    ends = ((graph.x + graph.width, graph.y + graph.height / 2), (tape.x, tape.y + tape.height / 2))
    return "".join(f'<circle class="knot" cx="{x:.1f}" cy="{y + aside:.1f}" r="2.6"/>' for x, y in ends)
