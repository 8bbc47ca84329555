"""A tape as cells and edges: its nodes with what they saved, and ties to the graph nodes that made them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from gradwire.engine.graph import Statement
from gradwire.engine.pictures.cells import Cells
from gradwire.engine.pictures.picture import MOST_LABEL, MOST_TEXT, MOST_TITLE, Kind, cut, size_of
from gradwire.engine.pictures.words import HIDDEN, shown

# All nodes up to the first number are drawn, of up to so many roots; else the second of them from the last root on, as
# of a node that ran often the last time is drawn, and the leaves that those lead to.
_MOST, _FIRST, _LEAVES = 48, 32, 8
_MOST_ROOTS = 4
_MOST_SAVED = 4
_LEAF = "AccumulateGrad"


class TapePart:
    """Draws the tape of a run, as the reply would hold it, into `cells`. `cell_of` gives a tape node's cell.

    `makers` are the graph nodes that made its nodes.
    """

    def __init__(self, tape: dict[str, Any], makers: Sequence[Statement | None], cells: Cells) -> None:
        self._makers = makers
        self._nodes: list[dict[str, Any]] = tape["nodes"]
        self._roots: dict[str, int] = tape["roots"]
        self._cells = cells
        self.cell_of: dict[int, int] = {}

    def draw(self) -> None:
        """The nodes, then the edges between them; what is left out goes into one cell."""
        drawn = self._drawn()
        for number in sorted(drawn):
            self.cell_of[number] = self._node(self._nodes[number])
        left = [entry for entry in self._nodes if entry["id"] not in drawn]
        if left:
            fold = self._cells.cell("fold", f"… {len(left):,} more tape nodes", None)
            fold.lines.append(f"saved: {size_of(sum(entry['saved_bytes'] for entry in left))}")
            self.cell_of.update({entry["id"]: fold.key for entry in left})
        for entry in self._nodes:
            for following in entry["next"]:
                if following is not None:
                    number, place = following
                    label = f"input {place}" if place else ""
                    self._cells.edge(self.cell_of[entry["id"]], self.cell_of[number], label, "next")

    def _drawn(self) -> set[int]:
        """The tape nodes that are drawn."""
        if len(self._nodes) <= _MOST and len(self._roots) <= _MOST_ROOTS:
            return set(range(len(self._nodes)))
        found: dict[int, None] = {}
        queue = deque([list(self._roots.values())[-1]])
        leaves = 0
        while queue:
            number = queue.popleft()
            entry = self._nodes[number]
            is_leaf = entry["name"] == _LEAF
            if number in found or (leaves >= _LEAVES if is_leaf else len(found) - leaves >= _FIRST):
                continue
            found[number] = None
            leaves += is_leaf
            queue.extend(following[0] for following in entry["next"] if following is not None)
        return set(found)

    def _node(self, entry: dict[str, Any]) -> int:
        kind: Kind = "accumulate" if entry["name"] == _LEAF else "tape"
        cell = self._cells.cell(kind, entry["name"], None)
        cell.tape, cell.line, cell.leaf = entry["id"], entry.get("line"), kind == "accumulate"
        maker = entry.get("node", entry.get("input"))
        cell.label = "" if maker is None else cut(str(maker), MOST_LABEL)
        cell.title = cut(entry["name"], MOST_TITLE)
        roots = [name for name, number in self._roots.items() if number == entry["id"]]
        cell.lines += [f"root: {', '.join(map(shown, roots))}"] if roots else []
        cell.lines += _saved(entry["saved"])
        if entry["saved_bytes"]:
            cell.lines.append(f"keeps {size_of(entry['saved_bytes'])}")
        if kind == "accumulate":
            cell.lines.append(f"into {self._leaf(entry)}")
        cell.lines = [cut(line, MOST_TEXT) for line in cell.lines]
        return cell.key

    def _leaf(self, entry: dict[str, Any]) -> str:
        """The `.grad` that an AccumulateGrad adds to."""
        maker = self._makers[entry["id"]]
        name = getattr(maker, "target", None) or getattr(maker, "id", None) or entry.get("input")
        word = shown(name) if isinstance(name, str) else HIDDEN
        return "a leaf's .grad" if word == HIDDEN else f"{word}.grad"

    def ties(self, cell_of: dict[int, int], input_cells: dict[str, int]) -> list[tuple[int, int]]:
        """Pairs of a graph node's cell and a tape node's, each once. `cell_of` gives the cell of a graph node by its
        identity, `input_cells` those of inputs."""
        found: dict[tuple[int, int], None] = {}
        for entry, maker in zip(self._nodes, self._makers, strict=True):
            graph_cell = input_cells.get(entry["input"]) if "input" in entry else cell_of.get(id(maker))
            tape_cell = self.cell_of[entry["id"]]
            if graph_cell is not None and self._cells.cells[tape_cell].kind != "fold":
                found[graph_cell, tape_cell] = None
        return list(found)


def _saved(saves: list[dict[str, Any]]) -> list[str]:
    """What a node saved: tensors first, then numbers; sizes that only repeat a shape last."""
    tensors = [f"{save['name']}: {_tensor(save)}" for save in saves if "dtype" in save]
    others = [f"{save['name']} = {_value(save)}" for save in saves if "dtype" not in save and save["value"] is not None]
    freed = [f"{save['name']}: freed" for save in saves if save.get("freed")]
    lines = [*tensors, *freed, *others]
    if len(lines) > _MOST_SAVED:
        return [*lines[: _MOST_SAVED - 1], f"… {len(lines) - _MOST_SAVED + 1} more saved"]
    return lines


def _tensor(save: dict[str, Any]) -> str:
    shape = ", ".join(map(str, save["shape"]))
    return f"{save['dtype']}[{shape}] {size_of(save['bytes'])}"


def _value(save: dict[str, Any]) -> str:
    value = save["value"]
    if isinstance(value, list):
        return f"[{', '.join(map(str, value[:6]))}{', …' * (len(value) > 6)}]"
    return str(value)[:MOST_TEXT]
