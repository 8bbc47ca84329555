"""A picture in Mermaid's language (text/vnd.mermaid), a flowchart.

Every id is made here, and every text is a quoted string in which all but letters, digits and a few marks are written
as Mermaid's own codes (`#35;`): nothing in it can end the string, be read as Markdown or HTML, or be a directive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gradwire.engine.pictures.picture import Cell, Part, Picture

_ARROWS = {"value": "-->", "gradient": "==>", "function": "-.->", "next": "-->"}
_CLASSES = (
    "classDef leaf stroke:#2b8a45,stroke-width:2px",
    "classDef inplace stroke:#b86e00,stroke-width:2px",
    "classDef tape stroke:#7a55b8",
    "classDef idle opacity:0.5",
)
_CODED = re.compile(r"[^A-Za-z0-9 ,=_\u00a1-\U0010ffff]")


def mermaid(picture: Picture) -> str:
    """The whole text: a subgraph for each part and each frame, ties as dotted lines."""
    lines = ["flowchart TB", f"  accTitle: {picture.title}", f"  accDescr: {picture.summary}"]
    for prefix, name, part in (("g", "graph", picture.graph), ("t", "tape", picture.tape)):
        if part is not None and part.cells:
            lines += [f'  subgraph part_{name}["{name}"]', *_cells(part, prefix, None, "    "), "  end"]
            for edge in part.edges:
                label = f'|"{_coded(edge.label)}"|' if edge.label else ""
                lines.append(f"  {prefix}{edge.source} {_ARROWS[edge.kind]}{label} {prefix}{edge.target}")
    lines += [f"  g{graph_key} -.- t{tape_key}" for graph_key, tape_key in picture.ties]
    lines += [f"  {one}" for one in (*_CLASSES, *_members(picture))]
    return "\n".join([*lines, ""])


def _cells(part: Part, prefix: str, parent: int | None, indent: str) -> Iterator[str]:
    frames = {cell.parent for cell in part.cells}
    for cell in part.cells:
        if cell.parent != parent:
            continue
        if cell.is_frame and cell.key in frames:
            yield f'{indent}subgraph {prefix}{cell.key}["{_label(cell)}"]'
            yield from _cells(part, prefix, cell.key, indent + "  ")
            yield f"{indent}end"
        else:
            opening, closing = _brackets(cell)
            yield f'{indent}{prefix}{cell.key}{opening}"{_label(cell)}"{closing}'


def _brackets(cell: Cell) -> tuple[str, str]:
    if cell.kind in ("input", "parameter"):
        return "([", "])"
    return ("{{", "}}") if cell.kind == "test" else ("[", "]")


def _members(picture: Picture) -> Iterator[str]:
    for prefix, part in (("g", picture.graph), ("t", picture.tape)):
        for cell in part.cells if part is not None else ():
            kinds = [("leaf", cell.leaf), ("inplace", cell.in_place), ("tape", cell.tape is not None and not cell.leaf)]
            yield from (f"class {prefix}{cell.key} {name}" for name, holds in [*kinds, ("idle", cell.idle)] if holds)


def _label(cell: Cell) -> str:
    return "<br/>".join(_coded(line) for line in [cell.title, *cell.lines])


def _coded(text: str) -> str:
    return _CODED.sub(lambda found: f"#{ord(found[0])};", text)
