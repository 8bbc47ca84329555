"""From a run to its picture."""

from __future__ import annotations

from collections.abc import Sequence

from gradwire.engine.pictures.cells import Cells
from gradwire.engine.pictures.graph_part import GraphPart
from gradwire.engine.pictures.picture import Part, Picture, size_of
from gradwire.engine.pictures.record import Record
from gradwire.engine.pictures.tape_part import TapePart
from gradwire.engine.plan import Plan
from gradwire.engine.values import Outcome


def picture(plan: Plan, record: Record, outcome: Outcome, show: str = "both") -> Picture:
    """The picture of a run of `plan` that `record` has watched; `show` is `both`, `graph` or `tape`."""
    graph, tape = Cells(), Cells()
    nodes = GraphPart(plan, record, graph)
    nodes.draw(outcome)
    pairs: Sequence[tuple[int, int]] = ()
    sentences = [f"A graph of {_count(len(plan.places), 'node')} and {_count(len(plan.graph.inputs), 'input')}."]
    if plan.tape is not None and outcome.tape is not None:
        on_tape = TapePart(outcome.tape, plan.tape.makers, tape)
        on_tape.draw()
        pairs = on_tape.ties(nodes.cell_of, nodes.input_cells)
        saved = size_of(outcome.tape["saved_bytes"])
        count = len(outcome.tape["nodes"])
        sentences.append(f"Its tape has {_count(count, 'node')} and keeps {saved}." if count else "Its tape is empty.")
    title = {"both": "Graph and tape", "graph": "Graph", "tape": "Tape"}[show]
    return Picture(
        title,
        " ".join(sentences),
        None if show == "tape" else Part(graph.cells, list(graph.edges.values())),
        None if show == "graph" else Part(tape.cells, list(tape.edges.values())),
        pairs if show == "both" else (),
    )


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
