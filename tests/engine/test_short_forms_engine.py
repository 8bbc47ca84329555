"""Short forms in the engine: how often the graph runs, and how memory and reply bound what is computed at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from graphs import graph

from gradwire.engine.derivatives.asked import Asked, Cotangents, Derivatives, Directions
from gradwire.engine.graph import Output, Ref, TensorDocument
from gradwire.engine.short_forms import ShortForm, derive, prepare
from gradwire.findings import Finding, Refusal, Source

X = torch.tensor([0.5, -1.0, 2.0, 3.0], dtype=torch.float64)
NODES = [("s", "sin", "$x"), ("y", "mul", "$s", "$x"), ("t", "sum", "$y")]
PLENTY = 2**30


def form(name: str, returns: str = "y", **asked: Any) -> ShortForm:
    made = graph({"x": X}, *NODES)
    made.returns = [Output("value", Ref(returns, Source("/returns")))]
    return ShortForm(name, made, asked=Asked(**asked))


def derived(wanted: ShortForm, steps: int = 1000, memory: int = PLENTY, text: int = PLENTY) -> Derivatives:
    prepared, found = prepare(wanted)
    assert found == []
    return derive(prepared, [0], steps, memory, text)


def refused(*args: Any, **kwargs: Any) -> Finding:
    with pytest.raises(Refusal) as caught:
        derived(*args, **kwargs)
    (finding,) = caught.value.findings
    return finding


def cotangents(count: int) -> Cotangents:
    return Cotangents(
        [TensorDocument(torch.full((4,), float(i)), Source(f"/cotangents/{i}")) for i in range(count)], True
    )


def directions(count: int) -> Directions:
    rows = [TensorDocument(torch.full((4,), float(i)), Source(f"/tangents/{i}/x")) for i in range(count)]
    return Directions([{"x": row} for row in rows], [Source(f"/tangents/{i}") for i in range(count)], True)


ONE_RUN = {
    "grad": form("grad", "t"),
    "vjp": form("vjp", cotangents=cotangents(50)),
    "jvp": form("jvp", directions=directions(50)),
    "hvp": form("hvp", "t", directions=directions(50)),
}
TWO_RUNS = {
    "jacobian": form("jacobian", mode="reverse"),
    "hessian": form("hessian", "t", mode="reverse"),
}


@pytest.mark.parametrize("wanted", ONE_RUN.values(), ids=list(ONE_RUN))
def test_the_graph_runs_once_however_many_directions_there_are(wanted: ShortForm) -> None:
    steps = len(NODES)
    assert derived(wanted, steps=steps).members["value"].shape in ((), (4,))
    assert refused(wanted, steps=steps - 1).code == "limit_exceeded"


@pytest.mark.parametrize("wanted", TWO_RUNS.values(), ids=list(TWO_RUNS))
def test_in_reverse_mode_it_runs_for_its_value_and_for_all_rows_together(wanted: ShortForm) -> None:
    steps = 2 * len(NODES)
    assert derived(wanted, steps=steps).members["mode"] == "reverse"
    assert derived(wanted, steps=steps).members["chunk_size"] == 4
    # Where there are steps for one run only, the transform's error is the answer.
    assert refused(wanted, steps=steps - 1).code == "limit_exceeded"


def test_forward_mode_runs_it_once_more_for_each_chunk() -> None:
    wanted = form("jacobian", mode="forward", chunk_size=2)
    assert derived(wanted, steps=3 * len(NODES)).members["chunk_size"] == 2
    assert refused(wanted, steps=3 * len(NODES) - 1).code == "limit_exceeded"


def test_finite_differences_count_as_runs_too() -> None:
    # The graph, each of four elements a step down and a step up, and once more to see whether the bits are the same.
    assert derived(form("gradcheck"), steps=10 * len(NODES)).members["passed"]
    assert refused(form("gradcheck"), steps=10 * len(NODES) - 1).code == "limit_exceeded"


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(("memory", "chunk"), [(PLENTY, 4), (4 * 2 * 128 * 3, 3), (4 * 2 * 128, 1), (300, 1)])
def test_the_chunk_size_follows_from_the_memory_of_a_worker(mode: str, memory: int, chunk: int) -> None:
    # The gradients of y, of s and of x, and x itself: 4 x 32 bytes a pass, twice; a chunk has a fourth of the memory.
    members = derived(form("jacobian", mode=mode), memory=memory).members
    assert members["chunk_size"] == chunk
    expected = torch.diag(X.cos() * X + X.sin())
    torch.testing.assert_close(members["jacobian"]["x"], expected)


def test_what_a_reply_cannot_hold_is_refused_before_it_is_computed() -> None:
    finding = refused(form("jacobian"), text=16 * 4 - 1)
    assert (finding.code, finding.source, finding.node, finding.got) == ("limit_exceeded", Source("/returns"), "y", 16)
    assert derived(form("jacobian"), text=16 * 4).members["mode"] == "reverse"
    assert refused(form("hessian", "t"), memory=16 * 8 - 1).message == (
        "the result has 16 elements, more than a reply holds"
    )


def test_the_inputs_are_left_as_they_came() -> None:
    made = graph({"x": X}, ("y", "mul", "$x", 2), ("z", "add_", "$y", "$x"))
    wanted = ShortForm("gradcheck", made)
    assert derived(wanted).members["passed"]
    assert derived(wanted).members["passed"]
    assert torch.equal(made.inputs["x"].tensor, X)
    assert not made.inputs["x"].tensor.requires_grad


def test_an_op_without_a_forward_mode_is_differentiated_in_reverse_mode() -> None:
    nodes = [("s", "autograd.grad", "$t", "$x", {"create_graph": True})]
    made = graph({"x": X}, *NODES, *nodes, ("g", "mul", "$s.0", 1.0), ("w", "getitem", "$g", "[0, 1, 2, 3, 0]"))
    found = derived(ShortForm("jacobian", made)).members
    assert found["mode"] == "reverse"
    expected = torch.diag(2 * X.cos() - X * X.sin())
    torch.testing.assert_close(found["jacobian"]["x"], torch.cat([expected, expected[:1]]))
    made = graph({"x": X}, *NODES, *nodes, ("g", "mul", "$s.0", 1.0))
    finding = refused(ShortForm("jacobian", made, asked=Asked(mode="forward")))
    assert (finding.code, finding.node) == ("op_failed", "s")
