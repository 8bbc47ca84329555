"""Blocks run as Python's own statements do: names, scopes, loops, functions, and when memory is given back."""

import gc
import weakref

import pytest
import torch

from gradwire.contract.limits import Limits
from gradwire.engine.plan import plan
from gradwire.engine.run import run
from gradwire.findings import Refusal
from gradwire.wire.read.graph import read_graph


def planned(document):
    graph, findings = read_graph(document, Limits())
    prepared, more = plan(graph)
    return prepared, [*findings, *more]


def values(nodes, returns, **members):
    """What a graph gives, as Python has it."""
    prepared, findings = planned({"nodes": nodes, "returns": returns, **members})
    assert findings == []
    outputs = run(prepared).outputs
    return [outputs[name].value for name in returns]


def refusal(nodes, **members):
    """(code, pointer, node) of what is wrong first, before running or while it runs."""
    prepared, findings = planned({"nodes": nodes, **members})
    if not findings:
        with pytest.raises(Refusal) as caught:
            run(prepared)
        findings = caught.value.findings
    return findings[0].code, findings[0].source.pointer, findings[0].node


def bind(name, value):
    return {"let": name, "value": value}


def op(name, *args, let=None, **members):
    return {"op": name, "args": list(args), **({"let": let} if let else {}), **members}


ADD = op("operator.add", "$total", "$i", let="total")


def test_a_loop_rebinds_names_in_the_scope_around_it():
    nodes = [bind("total", 0), {"op": "for", "let": "i", "in": [1, 2, 3], "body": [ADD]}]
    assert values(nodes, ["total", "i"]) == [6, 3]


def test_break_and_continue():
    inner = [
        {"id": "odd", "op": "operator.mod", "args": ["$i", 2]},
        {"op": "if", "test": "$odd", "then": [{"op": "continue"}]},
        {"id": "far", "op": "operator.gt", "args": ["$i", 6]},
        {"op": "if", "test": "$far", "then": [{"op": "break"}], "else": [ADD]},
    ]
    nodes = [bind("total", 0), {"op": "for", "let": "i", "in": list(range(10)), "body": inner}]
    assert values(nodes, ["total", "i"]) == [12, 8]


def test_while_tests_what_runs_before_it():
    before = [{"id": "small", "op": "operator.lt", "args": ["$n", 5]}]
    nodes = [
        bind("n", 0),
        {"op": "while", "before": before, "test": "$small", "body": [op("operator.add", "$n", 1, let="n")]},
    ]
    assert values(nodes, ["n", "small"]) == [5, False]


def test_names_unpack_as_in_python():
    nodes = [bind(["a", ["b", "*rest"], "c"], [1, [2, 3, 4], 5])]
    assert values(nodes, ["a", "b", "rest", "c"]) == [1, 2, [3, 4], 5]


@pytest.mark.parametrize(
    ("target", "value"),
    [(["a", "b"], [1]), (["a", "b"], [1, 2, 3]), (["a"], 5)],
)
def test_what_does_not_unpack_is_refused_in_pythons_words(target, value):
    names = ", ".join(target) + ","
    with pytest.raises((ValueError, TypeError)) as expected:
        exec(f"{names} = value", {"value": value})  # noqa: S102 the test's own text
    prepared, findings = planned({"nodes": [bind(target, value)]})
    assert findings == []
    with pytest.raises(Refusal, match=str(expected.value).replace("(", r"\(").replace(")", r"\)")):
        run(prepared)


def test_functions_have_defaults_and_see_names_of_the_moment():
    body = [op("operator.mul", "$x", "$k", id="y"), op("operator.add", "$y", "$z", id="w")]
    nodes = [
        {"op": "def", "let": "f", "params": ["x", ["k", 10]], "body": [*body, {"op": "return", "value": "$w"}]},
        bind("z", 1),
        op("call", 2, of="f", id="a"),
        bind("z", 5),
        op("call", 2, of="$f", kwargs={"k": 3}, id="b"),
    ]
    assert values(nodes, ["a", "b"]) == [21, 11]


def test_a_closure_keeps_the_frame_that_it_was_made_in():
    inner = {"op": "def", "let": "add", "params": ["x"], "body": [
        op("operator.add", "$x", "$n", id="y"), {"op": "return", "value": "$y"}]}  # fmt: skip
    outer = {"op": "def", "let": "make", "params": ["n"], "body": [inner, {"op": "return", "value": "$add"}]}
    nodes = [outer, op("call", 1, of="make", let="one"), op("call", 7, of="make", let="seven")]
    nodes += [op("call", 10, of="one", id="a"), op("call", 10, of="seven", id="b")]
    assert values(nodes, ["a", "b"]) == [11, 17]


def test_a_name_bound_anywhere_in_a_function_is_local_to_it():
    body = [op("operator.add", "$x", 1, id="y"), bind("x", 2), {"op": "return", "value": "$y"}]
    nodes = [bind("x", 1), {"op": "def", "let": "f", "body": body}, op("call", of="f", id="a")]
    assert refusal(nodes) == ("unknown_reference", "/nodes/1/body/0/args/0", "y")


def test_return_leaves_loops_and_contexts():
    body = [
        {"op": "for", "let": "i", "in": [1, 2, 3], "body": [
            {"op": "with", "of": "no_grad", "body": [
                {"id": "two", "op": "operator.eq", "args": ["$i", 2]},
                {"op": "if", "test": "$two", "then": [{"op": "return", "value": "$i"}]}]}]},
    ]  # fmt: skip
    nodes = [
        {"op": "def", "let": "f", "body": body},
        op("call", of="f", id="a"),
        op("mul", "$x", 2, id="y"),
    ]
    a, y = values(nodes, ["a", "y"], inputs={"x": {"data": 1.0, "requires_grad": True}})
    assert a == 2
    assert y.requires_grad


def test_no_grad_holds_inside_of_its_block_only():
    nodes = [{"op": "with", "of": "no_grad", "body": [op("mul", "$x", 2, let="y")]}, op("mul", "$x", 2, let="z")]
    y, z = values(nodes, ["y", "z"], inputs={"x": {"data": 1.0, "requires_grad": True}})
    assert (y.requires_grad, z.requires_grad) == (False, True)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([{"op": "break"}], ("invalid_argument", "/nodes/0", 0)),
        ([{"op": "return", "value": 1}], ("invalid_argument", "/nodes/0", 0)),
        ([{"op": "if", "test": False, "then": [bind("u", 1)]}, op("add", "$u", 1)],
         ("unknown_reference", "/nodes/1/args/0", 1)),
        ([bind("u", 1), {"op": "del", "names": ["u"]}, op("add", "$u", 1)],
         ("unknown_reference", "/nodes/2/args/0", 2)),
        ([{"op": "for", "let": "i", "in": 5, "body": []}], ("op_failed", "/nodes/0", 0)),
        ([{"op": "for", "let": "i", "in": [1], "body": [op("mm", "$i", "$i")]}],
         ("op_failed", "/nodes/0/body/0", 0)),
        ([{"op": "fail", "value": "no good"}], ("op_failed", "/nodes/0", 0)),
        ([{"op": "with", "of": "open", "body": []}], ("invalid_argument", "/nodes/0/of", 0)),
        ([{"op": "while", "test": True, "body": []}], ("limit_exceeded", "/nodes/0", 0)),
        ([bind("f", 1), op("call", of="f")], ("invalid_argument", "/nodes/1/of", 1)),
        ([op("call", of="nothing")], ("unknown_reference", "/nodes/0/of", 0)),
    ],
)  # fmt: skip
def test_mistakes_name_the_innermost_node(nodes, expected):
    assert refusal(nodes) == expected


def test_nodes_and_turns_of_all_loops_are_counted_together():
    prepared, findings = planned({"nodes": [{"op": "for", "let": "i", "in": list(range(100)), "body": [bind("j", 1)]}]})
    assert findings == []
    run(prepared, max_steps=201)
    with pytest.raises(Refusal, match="at most 200 nodes"):
        run(prepared, max_steps=200)


def test_a_value_goes_with_its_last_reader_in_a_loop_too():
    """`big` of a turn is gone before the next statement of that turn; `kept` is read in the next turn."""
    nodes = [
        bind("kept", 0),
        {"op": "for", "let": "i", "in": [1, 2], "body": [
            {"id": "big", "op": "ones", "args": [3]}, {"id": "s", "op": "sum", "args": ["$big"]},
            op("operator.add", "$kept", "$s", let="kept")]},
    ]  # fmt: skip
    prepared, findings = planned({"nodes": nodes, "returns": ["kept"]})
    assert findings == []
    assert run(prepared).outputs["kept"].value == torch.tensor(6.0)
    loop = prepared.steps[1]
    alive = []

    def spy(*args):
        value = torch.ones(*args)
        alive.append(weakref.ref(value))
        return value

    inner = loop.call.__closure__
    steps = next(cell.cell_contents for cell in inner if isinstance(cell.cell_contents, list))
    assert [len(step.free) for step in steps] == [0, 1, 1]
    steps[0].call = spy
    run(prepared)
    assert [ref() for ref in alive] == [None, None]


def test_a_value_that_a_function_may_read_later_stays():
    nodes = [
        {"id": "y", "op": "mul", "args": ["$x", 2]},
        {"id": "z", "op": "add", "args": ["$y", 1]},
        {"op": "def", "let": "f", "body": [{"op": "return", "value": "$y"}]},
        op("call", of="f", id="a"),
    ]
    (a,) = values(nodes, ["a"], inputs={"x": 3.0})
    assert a == 6.0


def test_dual_tensors_live_in_a_level_of_their_own():
    nodes = [
        op("autograd.forward_ad.make_dual", "$x", "$t", id="d"),
        op("sin", "$d", id="s"),
        op("autograd.forward_ad.unpack_dual", "$s", id="u"),
    ]
    primal, tangent = values(nodes, ["u.primal", "u.tangent"], inputs={"x": 0.5, "t": 2.0})
    assert (primal, tangent) == (torch.sin(torch.tensor(0.5)), 2 * torch.cos(torch.tensor(0.5)))


def test_a_dual_level_is_a_block_too():
    inside = [
        op("autograd.forward_ad.make_dual", "$x", "$t", id="d"),
        op("sin", "$d", id="s"),
        op("autograd.forward_ad.unpack_dual", "$s", let="u"),
    ]
    nodes = [{"op": "with", "of": "autograd.forward_ad.dual_level", "body": inside}]
    (tangent,) = values(nodes, ["u.tangent"], inputs={"x": 0.5, "t": 2.0})
    assert tangent == 2 * torch.cos(torch.tensor(0.5))


def test_the_memory_of_a_run_is_free_when_it_ends():
    """Not when the garbage is collected next."""
    prepared, _ = planned({"nodes": [op("ones", 3, id="x"), {"op": "def", "let": "f", "body": []}], "returns": []})
    alive = []

    def spy(*args):
        value = torch.ones(*args)
        alive.append(weakref.ref(value))
        return value

    prepared.steps[0].call = spy
    gc.disable()
    try:
        run(prepared)
        assert alive[0]() is None
    finally:
        gc.enable()
