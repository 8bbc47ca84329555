"""A run that is watched for its picture gives the same as any other: values, tape, gradients, text, errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import torch

from gradwire.contract.limits import Limits
from gradwire.engine.graph import TapeRequest
from gradwire.engine.pictures.record import Record
from gradwire.engine.plan import plan
from gradwire.engine.run import run
from gradwire.engine.values import Outcome
from gradwire.findings import Refusal
from gradwire.wire.read.graph import read_graph
from gradwire.wire.read.skeleton import skeleton

PROGRAMS = Path(__file__).parents[1] / "program" / "programs"
NAMES = (
    *("in_place_and_views", "two_layer_net", "sgd_sine_fit", "jacobians_three_ways", "per_sample_gradients"),
    *("loops_of_every_kind", "recursion", "numpy_shares_memory", "autograd_double_backward", "closures"),
)


def ran(text: str, record: Record | None, max_steps: int = 1_000_000) -> Outcome:
    limits = Limits()
    graph, findings = read_graph(skeleton(orjson.dumps({"program": text}), limits.max_depth), limits)
    prepared, more = plan(replace(graph, tape=TapeRequest(gradients=True), seed=1), record)
    assert not findings
    assert not more
    return run(prepared, max_steps=max_steps)


def bits(value: Any) -> Any:
    """A value in a form that compares bit for bit."""
    if isinstance(value, torch.Tensor):
        dense = value.detach().resolve_conj().resolve_neg()
        return str(value.dtype), tuple(value.shape), dense.numpy().tobytes()
    if isinstance(value, dict):
        return {name: bits(one) for name, one in value.items()}
    return [bits(one) for one in value] if isinstance(value, (list, tuple)) else repr(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_watched_run_gives_the_same_bits(name: str) -> None:
    text = (PROGRAMS / f"{name}.py").read_text("utf-8")
    plain, watched = ran(text, None), ran(text, Record())
    assert bits(plain.tape) == bits(watched.tape)
    assert [one.text for one, _ in plain.printed or []] == [one.text for one, _ in watched.printed or []]
    assert bits({key: one.value for key, one in plain.outputs.items()}) == bits(
        {key: one.value for key, one in watched.outputs.items()}
    )


def test_steps_are_counted_the_same() -> None:
    text = "def f(x):\n    y = x + 1\n    return y\nx = 0\nfor i in range(10):\n    x = f(x)"
    least = next(most for most in range(1, 200) if not _is_refused(text, None, most))
    assert _is_refused(text, Record(), least - 1)
    assert not _is_refused(text, Record(), least)


def _is_refused(text: str, record: Record | None, most: int) -> bool:
    try:
        ran(text, record, most)
    except Refusal:
        return True
    return False
