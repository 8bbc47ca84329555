"""Hostile values: each is refused with limit_exceeded, at once, before time, memory or the stack are spent."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from pythons import Ours, Run, refusal

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.budget import Budget
from gradwire.engine.language.items import allow_assignment, allow_index, slice_of
from gradwire.engine.language.measure import allow_key, measure
from gradwire.engine.language.unpack import unpack
from gradwire.findings import Refusal

FAR = 10**12
BIG = 2**4000


def deep(levels, make=lambda inner: [inner]):
    value = make(0)
    for _ in range(levels):
        value = make(value)
    return value


def itself():
    value = [1]
    value.append(value)
    return value


def dict_of_itself():
    value = {}
    value["a"] = [value]
    return value


def doubled(make=lambda inner: [inner, inner]):
    value = make(0)
    for _ in range(60):
        value = make(value)
    return value


def lazy_chain(p, levels):
    value = p.zip([1])
    for _ in range(levels):
        value = p.zip(value)
    return value


TURNS = [
    lambda p: p.sum(p.range(FAR)),
    lambda p: p.list(p.range(FAR)),
    lambda p: p.tuple(p.range(2_000_000)),
    lambda p: p.sorted(p.range(FAR)),
    lambda p: p.min(p.range(FAR)),
    lambda p: p.max(p.range(FAR), key=p.abs),
    lambda p: p.any(p.map(bool, [0] * 600_000)) or p.any([0] * 600_000),
    lambda p: p.all(p.range(1, FAR)),
    lambda p: p.list(p.zip(p.range(FAR), p.range(FAR))),
    lambda p: p.list(p.enumerate(p.range(FAR))),
    lambda p: p.list(p.reversed(p.range(FAR))),
    lambda p: p.dict(p.zip(p.range(FAR), p.range(FAR))),
    lambda p: p.sum(p.map(p.abs, p.range(FAR))),
    lambda p: p.operator.contains(p.range(FAR), 0.5),
    lambda p: p.operator.contains(p.zip(p.range(FAR)), 0.5),
    lambda p: p.operator.contains([0] * 600_000, 1) or p.operator.contains([0] * 600_000, 1),
    lambda p: p.operator.countOf(p.range(FAR), 0.5),
    lambda p: p.operator.countOf(p.zip(p.range(FAR)), 0.5),
    lambda p: p.operator.indexOf(p.range(FAR), 0.5),
    lambda p: p.operator.iadd([], p.zip(p.range(FAR))),
    lambda p: p.operator.iadd([], p.range(FAR)),
    lambda p: p.operator.iadd([], torch.zeros(1).expand(FAR)),
    lambda p: p.operator.iadd([], np.broadcast_to(0, FAR)),
    lambda p: p.method([], "extend", p.range(FAR)),
    lambda p: p.method([], "extend", p.zip(p.range(FAR))),
    lambda p: p.method(p.range(FAR), "index", 0.5),
    lambda p: p.method(p.range(FAR), "count", 0.5),
    lambda p: p.method("", "join", p.map(str, p.range(FAR))),
    lambda p: p.method({}, "update", p.zip(p.range(FAR), p.range(FAR))),
    lambda p: p.list(torch.zeros(1).expand(FAR)),
    lambda p: p.sum(torch.zeros(1).expand(FAR)),
    lambda p: p.list(np.broadcast_to(0, FAR)),
    lambda p: p.sum([[0] * 1000] * 1000, []),
    lambda p: p.math.fsum(p.range(FAR)),
    lambda p: p.math.prod(p.range(FAR)),
    lambda p: p.math.dist(p.range(FAR), p.range(FAR)),
    lambda p: p.dict([p.range(FAR)]),
]
INTEGERS = [
    lambda p: p.pow(9, 9**9),
    lambda p: p.pow(2, BIG),
    lambda p: p.pow(-3, FAR),
    lambda p: p.operator.pow(10, 10**10),
    lambda p: p.operator.ipow(10, 10**10),
    lambda p: p.operator.mul(BIG, BIG),
    lambda p: p.operator.lshift(1, FAR),
    lambda p: p.operator.ilshift(1, FAR),
    lambda p: p.operator.lshift(1, BIG),
    lambda p: p.operator.add(2**4095, 2**4095),
    lambda p: p.int("9" * 100_000),
    lambda p: p.int("f" * 100_000, 16),
    lambda p: p.int("1" * 2000),
    lambda p: p.math.factorial(10**9),
    lambda p: p.math.factorial(BIG),
    lambda p: p.math.factorial(600),
    lambda p: p.math.perm(10**9),
    lambda p: p.math.perm(BIG, 10**9),
    lambda p: p.math.perm(10**6, 10**5),
    lambda p: p.math.comb(10**9, 10**8),
    lambda p: p.math.comb(BIG, 2),
    lambda p: p.math.comb(BIG, BIG // 2),
    lambda p: p.math.lcm(BIG, BIG + 1),
    lambda p: p.math.lcm(*range(1, 20_000)),
    lambda p: p.math.prod([BIG, BIG]),
    lambda p: p.math.prod([10] * 10_000),
    lambda p: p.math.prod([10**6, [0], 10]),
    lambda p: p.sum([2**4095] * 100),
    lambda p: p.operator.mul(-BIG, BIG),
]
TEXTS = [
    lambda p: p.operator.mul("a", FAR),
    lambda p: p.operator.mul(FAR, "a"),
    lambda p: p.operator.mul([0], FAR),
    lambda p: p.operator.mul((0,), torch.tensor(FAR)),
    lambda p: p.operator.mul([0], np.int64(FAR)),
    lambda p: p.operator.imul([0], FAR),
    lambda p: p.operator.add("a" * 600_000, "b" * 600_000),
    lambda p: p.operator.iadd("a" * 600_000, "b" * 600_000),
    lambda p: p.operator.add([0] * 600_000, [0] * 600_000),
    lambda p: p.operator.mod("%1000000000d", 1),
    lambda p: p.operator.mod("%.1000000000f", 1.0),
    lambda p: p.operator.mod("%01000d", 1),
    lambda p: p.operator.mod("%s" * 2000, ("a" * 1000,) * 2000),
    lambda p: p.format("{:1000000000}", 1),
    lambda p: p.format("{:.1000}", 1.0),
    lambda p: p.format("{:{w}}", 1, w=10**9),
    lambda p: p.format("{:{}}", 1, "0000001000"),
    lambda p: p.format("{:\u0661\u0660\u0660\u0660}", 1),
    lambda p: p.format("{0}" * 2000, "a" * 1000),
    lambda p: p.format("{:.2f}", torch.zeros(1).expand([2] * 40)),
    lambda p: p.method("a", "ljust", FAR),
    lambda p: p.method("a", "rjust", FAR, "x"),
    lambda p: p.method("a", "center", FAR),
    lambda p: p.method("a", "zfill", FAR),
    lambda p: p.method("\t" * 1000, "expandtabs", 10**9),
    lambda p: p.method("a" * 10_000, "replace", "a", "b" * 10_000),
    lambda p: p.method("a" * 10_000, "replace", "", "b" * 10_000),
    lambda p: p.method("a" * 10_000, "join", ["b"] * 10_000),
    lambda p: p.method("{:>999}" * 2000, "format", *[1] * 2000),
    lambda p: p.str(["a" * 1000] * 2000),
    lambda p: p.str(["\u0000" * 1000] * 500),
    lambda p: p.print("a" * 600_000, "b" * 600_000),
    lambda p: p.print(*["a"] * 10, sep="b" * 600_000),
    lambda p: [p.print("a" * 300_000) for _ in range(5)],
    lambda p: [p.print() for _ in range(100_001)],
    lambda p: p.print(torch.zeros(1).expand([2] * 40)),
    lambda p: p.print(torch.zeros(1).expand([6] * 12)),
    lambda p: p.print([torch.zeros(1).expand([2] * 40)]),
    lambda p: p.print(np.broadcast_to(0.0, [2] * 40)),
    lambda p: p.str(np.broadcast_to(0.0, [6] * 15)),
]
NESTED = [
    lambda p: p.str(itself()),
    lambda p: p.repr(dict_of_itself()),
    lambda p: p.print([itself()]),
    lambda p: p.str(deep(100_000)),
    lambda p: p.str(deep(100)),
    lambda p: p.str(doubled()),
    lambda p: p.str(doubled(lambda inner: {"a": inner, "b": inner})),
    lambda p: p.format("{}", itself()),
    lambda p: p.format("{!r:>5}", itself()),
    lambda p: p.operator.mod("%s", itself()),
    lambda p: p.operator.eq(itself(), itself()),
    lambda p: p.operator.eq(deep(100_000), deep(100_000)),
    lambda p: p.operator.lt(doubled(), doubled()),
    lambda p: p.operator.ne(doubled(lambda inner: (inner, inner)), doubled(lambda inner: (inner, inner))),
    lambda p: p.operator.contains([itself()], itself()),
    lambda p: p.operator.contains({}, deep(100_000, lambda inner: (inner,))),
    lambda p: p.method({}, "get", deep(100_000, lambda inner: (inner,))),
    lambda p: p.method({}, "setdefault", doubled(lambda inner: (inner, inner)), 1),
    lambda p: p.method([itself()], "index", itself()),
    lambda p: p.method([doubled()], "count", doubled()),
    lambda p: p.dict([(deep(100_000, lambda inner: (inner,)), 1)]),
    lambda p: p.dict(p.zip([doubled(lambda inner: (inner, inner))], [1])),
    lambda p: p.sorted([itself(), itself()]),
    lambda p: p.sorted([1, 2], key=lambda one: doubled()),
    lambda p: p.sorted(p.range(1000), key=lambda one, big=[0] * 10_000: [*big]),
    lambda p: p.min([doubled(), doubled()]),
    lambda p: p.max(doubled(), doubled()),
    lambda p: p.method([doubled(), doubled()], "sort"),
    lambda p: p.isinstance(1, doubled(lambda inner: (inner, inner) if inner else (str,))),
    lambda p: unpack(p.run, itself(), ("a", "b")),
    lambda p: unpack(p.run, doubled(), ("a", "b")),
    lambda p: unpack(p.run, range(FAR), ("a", "*b")),
    lambda p: lazy_chain(p, 101),
    lambda p: p.print(p.partial(p.len, itself())),
]


@pytest.mark.parametrize("program", [*TURNS, *INTEGERS, *TEXTS, *NESTED])
def test_hostile_programs_are_refused_at_once(program):
    started = time.monotonic()
    assert refusal(program)
    assert time.monotonic() - started < 20  # most take milliseconds; a million turns take a while


def test_indices_and_assignments_are_bounded():
    tuples = deep(100_000, lambda inner: (inner,))
    hostile = [
        lambda: allow_index(tuples),
        lambda: allow_index(itself()),
        lambda: allow_assignment({}, tuples, 1),
        lambda: allow_assignment([1], slice(0, 0), range(FAR)),
        lambda: allow_assignment([1], slice(0, 0), torch.zeros(1).expand(FAR)),
    ]
    for program in hostile:
        with pytest.raises(Refusal) as refused:
            program()
        assert refused.value.findings[0].code == "limit_exceeded"
    allow_assignment([1], slice(0, 1), [2, 3])
    allow_index((0, slice(1, 2), [1, 2]))


def test_slices_do_not_chain():
    assert slice_of([1, None, 2]) == slice(1, None, 2)
    with pytest.raises(NoOverload, match="from an integer to an integer"):
        slice_of([slice(1), None, None])


def test_refusals_say_what_the_limit_is():
    assert refusal(TURNS[0]) == "a run has at most 1000000 nodes and turns of loops"
    assert refusal(lambda p: p.pow(2, 5000)) == "the result would have some 5001 bits; integers have at most 4096"
    assert refusal(lambda p: p.operator.mul("ab", 10**6)) == (
        "the result would have 2000000 items; lists and texts have at most 1000000"
    )
    assert refusal(lambda p: p.str(itself())) == "a value holds itself"
    assert refusal(lambda p: p.str(deep(200))) == "a value nests more than 100 deep"
    assert refusal(lambda p: p.format("{:1000}", 1)) == "a width or precision is at most 999"
    assert "holds more than 1000000 items" in refusal(lambda p: p.operator.eq(doubled(), doubled()))


def test_the_limits_themselves_are_allowed():
    p = Ours()
    assert p.pow(2, 4094).bit_length() == 4095
    assert p.operator.sub(2**4095, 1).bit_length() == 4095
    assert len(p.operator.mul("a", 10**6)) == 10**6
    assert len(p.format("{:999}", 1)) == 999
    assert len(p.list(p.range(999_000))) == 999_000
    assert p.operator.contains(p.range(FAR), FAR - 1)
    assert p.str(deep(98)).count("[") == 99
    assert p.round(5, -FAR) == 0
    assert p.math.factorial(530) > 0
    assert p.list(lazy_chain(p, 98))


def test_turns_are_counted_as_they_are_taken():
    for program, turns in (
        (lambda p: p.sum(p.range(100)), 100),
        (lambda p: p.list(p.zip([1, 2, 3], [1, 2])), 2),
        (lambda p: p.any([0, 1, 0, 0]), 2),
        (lambda p: p.operator.contains([1, 2, 3], 2), 3),
        (lambda p: p.operator.contains({"a": 1}, "a"), 0),
        (lambda p: p.sorted([3, 2, 1]), 3),
        (lambda p: p.method([1], "extend", "abc"), 3),
        (lambda p: p.len([1, 2, 3]), 0),
    ):
        p = Ours(Budget())
        program(p)
        assert p.run.budget.most - p.run.budget.steps == turns


def test_measuring():
    assert measure(5) == measure([]) == measure([1]) == 1
    assert measure([1, 2, [3, 4], (5,)]) == 5
    assert measure({"ab": [1, 2]}) == 4
    shared = [0] * 10
    assert measure([shared, shared, [shared]]) == 30
    assert measure([torch.zeros(5), np.zeros(5)]) == 2
    assert measure("abc") == 3
    assert allow_key((1, (2, 3))) is None
    with pytest.raises(Refusal):
        measure([["a" * 600_000], ["b" * 600_000]])


def test_a_value_that_was_measured_deep_inside_is_too_deep_at_the_top_as_well():
    inner = deep(60)
    assert measure([inner]) == 1
    with pytest.raises(Refusal, match="100 deep"):
        measure([inner, deep(45, lambda one: [one or inner])])


def test_one_run_does_not_count_for_another():
    first, second = Run(), Run()
    first.budget.take(10)
    assert second.budget.steps == second.budget.most
