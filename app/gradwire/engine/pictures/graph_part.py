"""A graph that ran as cells and edges: what each node read, which node gave it, and what it was.

Names are followed through blocks as they are read: at most a few origins for each, since every branch and turn may
have bound it. Long bodies, deep blocks and what goes over the bounds of a picture are folded into one cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from gradwire.engine.compile import refs_of
from gradwire.engine.graph import (
    Bind,
    Def,
    Expression,
    For,
    If,
    Node,
    Ref,
    Return,
    Statement,
    While,
    With,
)
from gradwire.engine.pictures.cells import Cells
from gradwire.engine.pictures.facts import (
    assigns_grad,
    binds_tight,
    functions_of,
    starts_backward,
    targets_of,
    written_by,
)
from gradwire.engine.pictures.names import Names, Origin, Origins
from gradwire.engine.pictures.picture import MOST_TITLE, Cell, EdgeKind, Kind, cut
from gradwire.engine.pictures.record import Noted, Record
from gradwire.engine.pictures.seen import Seen, seen
from gradwire.engine.pictures.words import HIDDEN, target_text, text, words
from gradwire.engine.plan import Plan
from gradwire.engine.statements import bodies, bound_by, bound_names, every, names_of, of_scope
from gradwire.engine.values import Outcome

# How many nodes of a body are drawn: all up to the first number, else the second of them, then a fold, then the third.
_TOP = (64, 48, 8)
_INNER = (12, 9, 1)
_DEEPEST = 5
_MOST_INPUTS = 24
_MOST_OUTPUTS = 16


@dataclass(slots=True)
class _Loop:
    """A loop around: its frame's cell, and the names that a turn leaves to the next, with their origins before it.

    `carried` are those that a turn reads before it binds them, each with the cell that stands for it.
    """

    frame: int
    before: dict[str, Origins]
    carried: dict[str, Cell] = field(default_factory=dict)


class GraphPart:
    """Draws one graph into `cells`. `cell_of` gives the cell of a node by identity, `input_cells` those of inputs."""

    def __init__(self, plan: Plan, record: Record, cells: Cells) -> None:
        self.plan = plan
        self.record = record
        self.cells = cells
        self.cell_of: dict[int, int] = {}
        self.input_cells: dict[str, int] = {}
        self._names = Names()
        self._parent: int | None = None
        self._depth = 0
        self._loops: list[_Loop] = []
        # what the compiler's own names stand for, in words
        self._spoken: dict[str, str] = {}

    def draw(self, outcome: Outcome) -> None:
        """Inputs, functions and nodes, and what was returned."""
        self._inputs()
        graph = self.plan.graph
        self._body([*graph.functions, *graph.nodes], _TOP)
        self._outputs(outcome)

    # ---- inputs and outputs

    def _inputs(self) -> None:
        inputs = self.plan.graph.inputs
        outer = self.cells.fold
        for place, (name, document) in enumerate(inputs.items()):
            if place == _MOST_INPUTS - 1 and len(inputs) > _MOST_INPUTS:
                self.cells.begin_fold(None)
            self.cells.count_folded()
            given = seen(document.tensor)
            cell = self.cells.cell("input", name, None, label=name)
            cell.leaf |= document.requires_grad
            if self.cells.fold is None:
                cell.lines.append("leaf, requires grad" if cell.leaf else "input")
            self.input_cells[name] = cell.key
            self._names.bind(name, Origin(cell.key, given))
        self.cells.end_fold(outer)

    def _outputs(self, outcome: Outcome) -> None:
        returns = self.plan.returns
        refs = None if returns is None else {one.output.name: one.output.ref.text for one in returns}
        for place, (name, output) in enumerate(outcome.outputs.items()):
            if place >= _MOST_OUTPUTS:
                left = len(outcome.outputs) - place
                self.cells.cell("output", f"… {left:,} more", None, "outputs")
                return
            cell = self.cells.cell("output", name, None, "output")
            self._read(name if refs is None else refs[name], cell, seen(output.value).text)

    # ---- bodies

    def _body(self, statements: Sequence[Statement], bounds: tuple[int, int, int]) -> None:
        most, head, tail = bounds
        folds = range(0)
        if len(statements) > most:
            folds = range(head, len(statements) - tail)
        outer = self.cells.fold
        for place, node in enumerate(statements):
            if place == folds.stop and folds:
                self.cells.end_fold(outer)
            if self.cells.fold is None and (place in folds or self.cells.is_full):
                self.cells.begin_fold(self._parent)
            self._statement(node)
        self.cells.end_fold(outer)

    @contextmanager
    def _frame(self, node: Statement) -> Iterator[Cell]:
        """A frame around what is drawn inside; too deep ones are folded."""
        kind: Kind = "function" if isinstance(node, Def) else "block"
        cell = self.cells.cell(kind, words(node, self._say), self._parent, label=str(node.label))
        self._marked(cell, node)
        parent, outer = self._parent, self.cells.fold
        self._parent, self._depth = cell.key if cell.is_frame else parent, self._depth + 1
        if self._depth > _DEEPEST and outer is None:
            self.cells.begin_fold(self._parent)
        yield cell
        self.cells.end_fold(outer)
        self._parent, self._depth = parent, self._depth - 1

    def _statement(self, node: Statement) -> None:
        self.cells.count_folded()
        if self.cells.fold is not None and bodies(node):
            self._folded(node, self.cells.fold)
        elif isinstance(node, For):
            self._for(node)
        elif isinstance(node, While):
            self._while(node)
        elif isinstance(node, If):
            self._if(node)
        elif isinstance(node, With):
            with self._frame(node) as frame:
                self._reads(node.args, frame)
                self._body(node.body, _INNER)
        elif isinstance(node, Def):
            self._def(node)
        else:
            self._simple(node)

    # ---- blocks

    def _folded(self, node: Statement, fold: int) -> None:
        """A block in a fold: nothing inside is drawn, so by which way a name came does not matter."""
        self.cell_of[id(node)] = fold
        for name in bound_by(node):
            self._names.bind(name, Origin(fold))
        if isinstance(node, Def):  # its names are its own
            for one in every(node.body):
                self.cells.count_folded()
                self.cell_of[id(one)] = fold
            return
        for body in bodies(node):
            for one in body:
                self._statement(one)

    def _for(self, node: For) -> None:
        given = self.record.of(node).given
        with self._frame(node) as frame, self._loop(node, frame):
            turn = self.cells.cell("parameter", target_text(node.target), self._parent, "each turn")
            self._reads([node.over], turn)
            for name in names_of(node.target):
                self._names.bind(name, Origin(turn.key, given.get(name)))
            self._body(node.body, _INNER)

    def _while(self, node: While) -> None:
        with self._frame(node) as frame, self._loop(node, frame):
            self._body(node.before, _INNER)
            frame.title = cut(words(node, self._say), MOST_TITLE) if frame.is_frame else frame.title
            test = self.cells.cell("test", self._say(node.test), self._parent, "goes on while true")
            self._reads([node.test], test)
            self._body(node.body, _INNER)

    @contextmanager
    def _loop(self, node: For | While, frame: Cell) -> Iterator[None]:
        """What a turn binds or changes, and the next one reads first, gets a cell of its own in the loop."""
        before = self._names.copy()
        loop = _Loop(frame.key, {name: before.origins.get(name, ()) for name in self._left_by(node)})
        self._loops.append(loop)
        yield
        self._loops.pop()
        for name, cell in loop.carried.items():
            last = [self.cells.cells[origin.cell] for origin in self._names.origins.get(name, ())]
            lines = sorted({one.line for one in last if one.line is not None})
            if lines and cell.kind != "fold":
                cell.lines.append(f"then from line {' or '.join(map(str, lines[:3]))}")
        if not self._times(node.body):
            self._names.merge([before])

    def _left_by(self, node: For | While) -> set[str]:
        """The names that a turn leaves another value: bound in it, or changed in place."""
        names = {name for body in bodies(node) for name in bound_names(body)} - set(targets_of(node))
        for one in of_scope([node]):
            if isinstance(one, Node) and self.record.of(one).in_place:
                written = written_by(one)
                names |= {written.text} if written is not None else set()
        return names

    def _if(self, node: If) -> None:
        """After it a name comes from each of the ways that were taken."""
        with self._frame(node) as frame:
            self._reads([node.test], frame)
            before = self._names.copy()
            self._body(node.then, _INNER)
            then, self._names = self._names, before.copy()
            if node.orelse:
                self._else(node)
        first, second = self._times(node.then), self._times(node.orelse)
        neither = self.record.of(node).times > first + second
        ways = [names for names, taken in ((then, first), (self._names, second), (before, neither)) if taken]
        self._names, *others = ways or [then, self._names]
        self._names.merge(others)

    def _else(self, node: If) -> None:
        frame = self.cells.cell("block", "else", self._parent)
        parent, self._parent = self._parent, frame.key if frame.is_frame else self._parent
        self._body(node.orelse, _INNER)
        self._parent = parent

    def _times(self, body: Sequence[Statement]) -> int:
        """How often a body ran: as often as its first node."""
        return self.record.of(body[0]).times if body else 0

    def _def(self, node: Def) -> None:
        """A function: its names are its own, and it reads those around it as they are by now."""
        outer, loops, self._loops = self._names, self._loops, []
        self._names = outer.copy()
        with self._frame(node) as frame:
            given = self.record.of(node).given
            for parameter in (*node.params, *node.keyword_only):
                cell = self.cells.cell("parameter", parameter.name, self._parent, "parameter")
                self._names.bind(parameter.name, Origin(cell.key, given.get(parameter.name)))
                if parameter.default is not None:
                    self._reads([parameter.default], cell)
            self._body(node.body, _INNER)
            if node.returns is not None:
                self._reads([node.returns], self.cells.cell("output", text(node.returns), self._parent, "return"))
        self._names, self._loops = outer, loops
        self._names.bind(node.name, Origin(frame.key, Seen("function")))

    # ---- nodes

    def _simple(self, node: Statement) -> None:
        """A node without a body."""
        kind: Kind = "output" if isinstance(node, Return) else "op"
        said = words(node, self._say)
        cell = self.cells.cell(kind, said, self._parent, label=str(node.label))
        self._marked(cell, node)
        if node.id is not None and node.id.startswith("%"):
            self._spoken[node.id] = self._spelled(node, said)
        if isinstance(node, Node):
            self._reads([*node.args, *node.kwargs.values(), *node.options.values()], cell)
            for of in functions_of(node):
                self._read(of.text, cell, "", "function")
        elif isinstance(node, (Bind, Return)):
            self._reads([node.value], cell)
        note = self.record.of(node)
        origin = Origin(cell.key, note.gave)
        target = getattr(node, "target", None)
        for name in (*([node.id] if node.id is not None else []), *names_of(target)):
            self._names.bind(name, origin if isinstance(target, (str, type(None))) else Origin(cell.key))
        if isinstance(node, Node):
            self._changed(node, cell, note)

    def _changed(self, node: Node, cell: Cell, note: Noted) -> None:
        """What is read after an in-place step is what that left; after a backward pass there are gradients."""
        if starts_backward(node):
            self._names.went_backward(cell.key)
        written = written_by(node)
        name, path, origins = self._names.read(written.text) if written is not None else ("", (), ())
        if not origins or path:
            return
        if assigns_grad(node):
            self._names.assign_grad(name, cell.key)
        elif note.in_place:
            self._names.written(name, cell.key, note.gave)

    def _marked(self, cell: Cell, node: Statement) -> None:
        """Ties the node to its cell, and writes on it what is known of its run."""
        self.cell_of[id(node)] = cell.key
        if cell.kind == "fold":
            return
        note = self.record.of(node)
        cell.line = node.source.line
        cell.leaf, cell.in_place, cell.idle = note.leaf, note.in_place, note.times == 0
        told = [f"line {cell.line}"] if cell.line is not None else []
        told += ["never ran"] if cell.idle else [f"ran {note.times:,} times"] if note.times > 1 else []
        told += ["in place"] if cell.in_place else []
        told += ["leaf"] if cell.leaf else []
        if told:
            cell.lines.append(" · ".join(told))

    # ---- reading

    def _reads(self, expressions: Iterable[Expression], cell: Cell) -> None:
        for ref in refs_of([*expressions]):
            self._read(ref.text, cell)

    def _read(self, written: str, cell: Cell, label: str | None = None, kind: EdgeKind = "value") -> None:
        """Edges from where a reference's value comes from; `label` where that is known better."""
        name, path, origins = self._names.read(written)
        if path and path[0] == "grad" and self._names.gradients:
            of = next((origin.seen for origin in origins if origin.seen is not None), None)
            shown = label if label is not None else of.along(path) if of is not None else ""
            for origin in self._names.gradients:
                self.cells.edge(origin.cell, cell.key, shown, "gradient")
            return
        for origin in self._carried(name, origins):
            told = origin.seen.along(path) if origin.seen is not None else ""
            function = origin.seen is not None and origin.seen.kind == "function"
            shown = "" if function else told if label is None else label
            self.cells.edge(origin.cell, cell.key, shown, "function" if function else kind)

    def _carried(self, name: str, origins: Origins) -> Origins:
        """The origins of a name that is read: in a loop whose turns leave it to each other, a cell for what they do."""
        given = origins
        for loop in self._loops:
            if loop.before.get(name) not in (given, origins) or self.cells.fold is not None:
                continue
            if name not in loop.carried:
                cell = self.cells.cell("parameter", name, loop.frame, "from turn to turn")
                loop.carried[name] = cell
                for origin in origins:
                    self.cells.edge(origin.cell, cell.key, origin.seen.text if origin.seen is not None else "")
            origins = (Origin(loop.carried[name].key, origins[0].seen if origins else None),)
            self._names.origins[name] = origins
        return origins

    def _spelled(self, node: Statement, said: str) -> str:
        """A node's words with the compiler's own names in it spelled out, where that is still short."""
        longer = said
        for ref in refs_of(node.args) if isinstance(node, Node) else []:
            inner = self._spoken.get(ref.text)
            if inner is not None:
                longer = longer.replace(HIDDEN, f"({inner})" if " " in inner and binds_tight(node) else inner, 1)
        return longer if len(longer) <= MOST_TITLE - 8 else said

    def _say(self, expression: Expression) -> str:
        """An expression in words, the compiler's own names spelled out."""
        if isinstance(expression, Ref):
            return self._spoken.get(expression.text, text(expression))
        return text(expression)
