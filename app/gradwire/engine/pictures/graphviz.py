"""A picture in Graphviz's language (text/vnd.graphviz).

Every id is made here, and every text is a quoted string: in those a backslash, a quotation mark and an ampersand (the
begin of an HTML entity) are escaped, and line ends do not occur.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradwire.engine.pictures.picture import Cell, Edge, Part, Picture

_SHAPES = {"input": "box", "parameter": "box", "output": "note", "test": "diamond", "fold": "plaintext"}
_ROUNDED = frozenset(("input", "parameter"))
_STYLES = {"gradient": "color=seagreen", "function": "style=dotted", "next": "color=mediumpurple"}


def graphviz(picture: Picture) -> str:
    """The whole text: a cluster for each part and each frame, ties as dashed edges."""
    lines = [
        "digraph gradwire {",
        f"  graph [label={_quoted(picture.summary)} labelloc=t compound=true newrank=true fontname=monospace];",
        "  node [shape=box fontname=monospace fontsize=11]; edge [fontname=monospace fontsize=9];",
    ]
    for prefix, name, part in (("g", "graph", picture.graph), ("t", "tape", picture.tape)):
        if part is not None:
            lines += [f"  subgraph cluster_{name} {{", f"    label={name};"]
            lines += _cells(part, prefix, None, "    ")
            lines += [f"    {_edge(part, prefix, edge)}" for edge in part.edges]
            lines.append("  }")
    for graph_key, tape_key in picture.ties:
        lines.append(f"  g{graph_key} -> t{tape_key} [style=dashed dir=none constraint=false color=mediumpurple];")
    return "\n".join([*lines, "}\n"])


def _cells(part: Part, prefix: str, parent: int | None, indent: str) -> Iterator[str]:
    for cell in part.cells:
        if cell.parent != parent:
            continue
        if cell.is_frame and _first_in(part, cell.key) is not None:
            style = "rounded,dashed" if cell.kind == "function" else "rounded"
            yield f"{indent}subgraph cluster_{prefix}{cell.key} {{"
            yield f'{indent}  label={_label(cell)}; style="{style}";'
            yield from _cells(part, prefix, cell.key, indent + "  ")
            yield f"{indent}}}"
        else:
            yield f"{indent}{prefix}{cell.key} [{_attributes(cell)}];"


def _attributes(cell: Cell) -> str:
    styles = ["rounded"] * (cell.kind in _ROUNDED) + ["dashed"] * cell.idle + ["bold"] * (cell.leaf or cell.in_place)
    color = "color=seagreen" if cell.leaf else "color=darkorange" if cell.in_place else ""
    color = color or ("color=mediumpurple" if cell.tape is not None else "")
    shape = f"shape={_SHAPES[cell.kind]}" if cell.kind in _SHAPES else ""
    style = f'style="{",".join(styles)}"' if styles else ""
    name = "tape-node" if cell.tape is not None else "graph-node"
    return " ".join(one for one in (f"label={_label(cell)}", shape, style, color, f'class="{name}"') if one)


def _edge(part: Part, prefix: str, edge: Edge) -> str:
    """An edge at a frame goes to the first cell in it, and is cut at its border."""
    words = [f"label={_quoted(edge.label)}"] if edge.label else []
    words += [_STYLES[edge.kind]] if edge.kind in _STYLES else []
    ends: list[int] = []
    for key, border in ((edge.source, "ltail"), (edge.target, "lhead")):
        inner = _first_in(part, key)
        ends.append(key if inner is None else inner)
        words += [] if inner is None else [f"{border}=cluster_{prefix}{key}"]
    return f"{prefix}{ends[0]} -> {prefix}{ends[1]}" + (f" [{' '.join(words)}];" if words else ";")


def _first_in(part: Part, key: int) -> int | None:
    """The first cell in a frame that is no frame itself; None for other cells and for empty frames."""
    if not part.cells[key].is_frame:
        return None
    for cell in part.cells:
        if cell.parent == key:
            inner = _first_in(part, cell.key)
            return cell.key if inner is None else inner
    return None


def _label(cell: Cell) -> str:
    return _quoted(*[cell.title, *cell.lines])


def _quoted(*lines: str) -> str:
    """Lines as one quoted string."""
    escaped = [line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + r"\n".join(escaped) + '"'
