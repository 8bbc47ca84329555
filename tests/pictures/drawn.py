"""Pictures as tests read them: SVG by its elements, Graphviz by a parser of the language, Mermaid by its lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import httpx
import pydot

from service import Service

DRAW = "/v1/graphs/draw"
SVG, GRAPHVIZ, MERMAID = "image/svg+xml", "text/vnd.graphviz", "text/vnd.mermaid"
_NAMESPACE = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def draw(service: Service, body: Any, accept: str = SVG, show: str = "") -> httpx.Response:
    """The reply with a picture, which must be one."""
    reply = service.post(DRAW + (f"?show={show}" if show else ""), body, accept=accept)
    assert reply.status_code == 200, reply.text[:2000]
    assert reply.headers["content-type"] == accept
    return reply


def program(*lines: str, **members: Any) -> dict[str, Any]:
    """A body with a program, of these lines after the import."""
    return {"program": "\n".join(("import torch", *lines)), **members}


@dataclass
class Drawn:
    """One cell of an SVG: its title and lines, its marks, and where it stands."""

    texts: list[str]
    classes: set[str]
    attributes: dict[str, str]
    box: Box

    @property
    def title(self) -> str:
        return self.texts[0] if self.texts else ""


@dataclass
class Svg:
    """An SVG, parsed."""

    root: ElementTree.Element
    cells: list[Drawn] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Svg:
        found = cls(ElementTree.fromstring(text))
        titles = {_place(group): _texts(group) for group in found.all("g") if group.get("class") == "frame-title"}
        for group in found.all("g"):
            classes = set((group.get("class") or "").split())
            if classes & {"graph-node", "tape-node", "aside"}:
                rect = group.find(f"{_NAMESPACE}rect")
                assert rect is not None
                texts = titles.get(_place(group), []) if "frame" in classes else _texts(group)
                found.cells.append(Drawn(texts, classes, dict(group.attrib), _box(rect)))
        return found

    def all(self, tag: str) -> list[ElementTree.Element]:
        return list(self.root.iter(_NAMESPACE + tag))

    @property
    def graph(self) -> list[Drawn]:
        """Its nodes and inputs, and what stands beside them: outputs, parameters, folds."""
        return [cell for cell in self.cells if "tape-node" not in cell.classes]

    @property
    def nodes(self) -> list[Drawn]:
        """Nodes and inputs of the graph only."""
        return [cell for cell in self.cells if "graph-node" in cell.classes]

    @property
    def tape(self) -> list[Drawn]:
        return [cell for cell in self.cells if "tape-node" in cell.classes]

    def cell(self, title: str) -> Drawn:
        """The only cell with this title."""
        (found,) = [cell for cell in self.cells if cell.title == title]
        return found

    @property
    def labels(self) -> list[str]:
        """What stands on edges."""
        return [one.text or "" for one in self.all("text") if one.get("class") == "label"]

    @property
    def label_boxes(self) -> list[Box]:
        """The room of each text on an edge."""
        return [_text_box(one) for one in self.all("text") if one.get("class") == "label"]

    @property
    def ties(self) -> int:
        return sum(path.get("class") == "tie" for path in self.all("path"))


def _texts(group: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in group.findall(f"{_NAMESPACE}text")]


def _place(group: ElementTree.Element) -> tuple[int, int]:
    """The upper left corner of a frame, by its box or by the patch behind its title."""
    rect = group.find(f"{_NAMESPACE}rect")
    assert rect is not None
    aside = (5.0, 5.0) if rect.get("class") == "patch" else (0.0, 0.0)
    return round(float(rect.get("x", 0)) - aside[0]), round(float(rect.get("y", 0)) - aside[1])


def _box(rect: ElementTree.Element) -> Box:
    x, y, width, height = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _text_box(text: ElementTree.Element) -> Box:
    x, y, width = (float(text.get(name, 0)) for name in ("x", "y", "textLength"))
    return x - width / 2, y - 9, x + width / 2, y + 2


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# ---- Graphviz


@dataclass
class Dot:
    """A Graphviz text, parsed: labels by id, edges as (from, to, label), clusters by name with their labels."""

    nodes: dict[str, str]
    edges: list[tuple[str, str, str]]
    clusters: dict[str, str]

    @classmethod
    def of(cls, text: str) -> Dot:
        graphs = pydot.graph_from_dot_data(text)
        assert graphs is not None
        assert len(graphs) == 1
        found = cls({}, [], {})
        pending: list[Any] = [graphs[0]]
        while pending:
            graph = pending.pop(0)
            pending += graph.get_subgraphs()
            for node in graph.get_nodes():
                if node.get_name() not in ("graph", "node", "edge"):
                    found.nodes[node.get_name()] = _unquoted(node.get_label())
            for edge in graph.get_edges():
                found.edges.append((edge.get_source(), edge.get_destination(), _unquoted(edge.get_label())))
            if graph.get_name().startswith("cluster_"):
                found.clusters[graph.get_name()] = _unquoted(graph.get_label())
        return found


def _unquoted(label: str | None) -> str:
    """A quoted string's text, its lines parted by line ends."""
    if label is None:
        return ""
    inner = label[1:-1] if label.startswith('"') else label
    meaning = {r"\n": "\n", r"\"": '"', r"\\": "\\"}
    return re.sub(r'\\[n"\\]', lambda found: meaning[found[0]], inner).replace("&amp;", "&")


# ---- Mermaid

_NODE = re.compile(r'^([gt]\d+)(\(\[|\[|\{\{)"([^"]*)"(\]\)|\]|\}\})$')
_FRAME = re.compile(r'^subgraph (\w+)\["([^"]*)"\]$')
_EDGE = re.compile(r'^([gt]\d+) (-->|==>|-\.->|-\.-)(?:\|"([^"]*)"\|)? ([gt]\d+)$')
_OTHER = re.compile(r"^(flowchart TB|accTitle: [\w ]+|accDescr: [\w ,.]+|end|classDef [\w :#,.-]+|class [gt]\d+ \w+)$")
_CODE = re.compile(r"#(\d+);")


@dataclass
class Mermaid:
    """A Mermaid text; each line must be of one of the kinds that we write."""

    nodes: dict[str, str] = field(default_factory=dict)
    frames: dict[str, str] = field(default_factory=dict)
    edges: list[tuple[str, str, str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Mermaid:
        found = cls()
        depth = 0
        for line in map(str.strip, text.splitlines()):
            if match := _NODE.match(line):
                found.nodes[match[1]] = _decoded(match[3])
            elif match := _FRAME.match(line):
                found.frames[match[1]] = _decoded(match[2])
                depth += 1
            elif match := _EDGE.match(line):
                found.edges.append((match[1], match[2], _decoded(match[3] or ""), match[4]))
            else:
                assert _OTHER.match(line), line
                depth -= line == "end"
            assert depth >= 0
        assert depth == 0
        return found


def _decoded(text: str) -> str:
    return _CODE.sub(lambda found: chr(int(found[1])), text.replace("<br/>", "\n"))
