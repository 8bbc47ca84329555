"""Loops and unpacking go over everything that Python's go over, and fail in Python's words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pythons import Ours, Run

from gradwire.engine.language.iterate import iterate
from gradwire.engine.language.truth import truth
from gradwire.engine.language.unpack import unpack
from gradwire.findings import Refusal

M = torch.arange(6.0).reshape(3, 2)


def pair(value):
    a, b = value
    return [("a", a), ("b", b)]


def nested(value):
    a, (b, *rest) = value
    return [("a", a), ("b", b), ("rest", rest)]


def middle(value):
    a, *rest, z = value
    return [("a", a), ("rest", rest), ("z", z)]


def single(value):
    (a,) = value
    return [("a", a)]


def nothing(value):
    () = value
    return []


TARGETS = {
    pair: ("a", "b"),
    nested: ("a", ("b", "*rest")),
    middle: ("a", "*rest", "z"),
    single: ("a",),
    nothing: (),
}
VALUES = [
    [1, 2],
    (1, 2, 3),
    [1, [2, 3, 4]],
    [1, "x"],
    [1],
    [],
    "ab",
    "abc",
    {"a": 1, "b": 2},
    range(2),
    range(5),
    range(10**12),
    5,
    None,
    1.5,
    torch.Size([3, 4]),
    np.array([1, 2]),
    np.array(1),
    np.float64(1),
    len,
    torch.float32,
    {"a": 1}.items(),
]


def happened(call):
    try:
        return call()
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("python", TARGETS, ids=lambda python: python.__name__)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_unpacking_as_python_does(python, value):
    if python is middle and isinstance(value, range) and len(value) > 10:
        with pytest.raises(Refusal):
            unpack(Run(), value, TARGETS[python])
    else:
        assert happened(lambda: unpack(Run(), value, TARGETS[python])) == happened(lambda: python(value))


def test_unpacking_tensors_gives_rows():
    (_, first), (_, rest) = unpack(Run(), M.clone().requires_grad_(), ("first", "*rest"))
    assert first.tolist() == [0.0, 1.0]
    assert [one.tolist() for one in rest] == [[2.0, 3.0], [4.0, 5.0]]
    assert first.grad_fn.name() == "UnbindBackward0"
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        unpack(Run(), torch.tensor(1), ("a", "b"))
    with pytest.raises(ValueError, match=r"too many values to unpack \(expected 2\)"):
        unpack(Run(), M, ("a", "b"))


def test_unpacking_lazy_values_takes_no_more_than_needed():
    ours = Ours()
    numbers = ours.map(lambda x: x, [1, 2, 3, 4])
    with pytest.raises(ValueError, match="too many values"):
        unpack(ours.run, numbers, ("a", "b"))
    assert ours.list(numbers) == [4]
    assert unpack(ours.run, ours.zip("ab", [1, 2]), (("a", "b"), "c")) == [("a", "a"), ("b", 1), ("c", ("b", 2))]
    assert unpack(ours.run, 5, "x") == [("x", 5)]
    function = ours.len
    with pytest.raises(TypeError, match="cannot unpack non-iterable builtin_function_or_method object"):
        unpack(ours.run, function, ("a", "b"))


@pytest.mark.parametrize(
    "value",
    [[1, 2], (1,), "ab", {"a": 1}, range(3), M, np.ones((2, 2)), M.shape, {"a": 1}.items(), reversed([1, 2])],
    ids=lambda value: type(value).__name__,
)
def test_loops_see_the_items_and_count_nothing(value):
    run = Run()
    expected = [1, 2][::-1] if isinstance(value, type(reversed([]))) else list(value)
    assert repr(list(iterate(run, value))) == repr(expected)
    assert run.budget.steps == run.budget.most


def test_a_loop_sees_the_list_change():
    items, seen = [1, 2], []
    for one in iterate(Run(), items):
        seen.append(one)
        if len(items) < 5:
            items.append(one * 10)
    assert seen == [1, 2, 10, 20, 100]
    sizes = {"a": 1}
    keys = iterate(Run(), sizes)
    sizes["b"] = 2
    with pytest.raises(RuntimeError, match="dictionary changed size during iteration"):
        next(keys)


def test_lazy_values_are_used_up():
    ours = Ours()
    pairs = ours.zip([1, 2, 3])
    assert next(iterate(ours.run, pairs)) == (1,)
    assert ours.list(pairs) == [(2,), (3,)]
    assert ours.run.budget.steps == ours.run.budget.most - 2


@pytest.mark.parametrize("value", [5, None, 1.5, torch.tensor(1), np.array(1), torch.float32, np.float64(1), len, int])
def test_what_cannot_be_iterated(value):
    assert happened(lambda: iterate(Run(), value)) == happened(lambda: iter(value))


@pytest.mark.parametrize(
    "value", [0, 1, "", [], [0], None, M[0, 0], M, M[:0], np.ones(2), np.float64(0), range(0), len]
)
def test_truth(value):
    assert happened(lambda: truth(value)) == happened(lambda: bool(value))
