"""The cells and edges of a picture while it is put together, within its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradwire.engine.pictures.picture import MOST_LABEL, MOST_TEXT, MOST_TITLE, Cell, Edge, EdgeKind, Kind, cut

MOST_CELLS = 110
MOST_EDGES = 260


@dataclass(slots=True)
class Cells:
    """What has been drawn so far. Where `fold` is a cell's key, all that comes is put into that cell."""

    cells: list[Cell] = field(default_factory=list)
    edges: dict[tuple[int, int, EdgeKind], Edge] = field(default_factory=dict)
    fold: int | None = None
    folded: dict[int, int] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether no more cells should be drawn."""
        return len(self.cells) >= MOST_CELLS

    def cell(self, kind: Kind, title: str, parent: int | None, *lines: str, label: str = "") -> Cell:
        """A new cell; the one that is folded into, where one is."""
        if self.fold is not None:
            return self.cells[self.fold]
        made = Cell(len(self.cells), kind, cut(title, MOST_TITLE), parent=parent, label=cut(label, MOST_LABEL))
        made.lines = [cut(line, MOST_TEXT) for line in lines]
        self.cells.append(made)
        return made

    def begin_fold(self, parent: int | None) -> Cell:
        """A cell that stands for all that comes until the fold is ended."""
        made = self.cell("fold", "…", parent)
        self.fold = made.key
        self.folded.setdefault(made.key, 0)
        return made

    def count_folded(self) -> None:
        """One more node has gone into the fold."""
        if self.fold is not None:
            self.folded[self.fold] += 1

    def end_fold(self, outer: int | None) -> None:
        """Say how many went into the fold, and go on outside it, or in the fold around it."""
        if self.fold is not None and self.fold != outer:
            count = self.folded[self.fold]
            self.cells[self.fold].title = f"… {count:,} more node{'s' * (count != 1)}"
        self.fold = outer

    def edge(self, source: int, target: int, label: str = "", kind: EdgeKind = "value") -> None:
        """An edge; several between the same cells become one, whose label says so where they differ."""
        if source == target or self._within(source, target) or self._within(target, source):
            return
        label = cut(label, MOST_TEXT)
        known = self.edges.get((source, target, kind))
        if known is not None:
            if label and label != known.label and not known.label.endswith("…"):
                known.label = f"{known.label}, …"
        elif len(self.edges) < MOST_EDGES:
            self.edges[source, target, kind] = Edge(source, target, label, kind)

    def _within(self, inner: int, outer: int) -> bool:
        """Whether a cell stands in the frame `outer`."""
        at = self.cells[inner].parent
        while at is not None:
            if at == outer:
                return True
            at = self.cells[at].parent
        return False
