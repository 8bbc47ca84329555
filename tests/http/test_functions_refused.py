"""What is wrong with functions and transforms is told with its place: in the node, in `options`, or in `functions`."""

from __future__ import annotations

import time
from typing import Any

import pytest
from bad import Bad, names, refuses

from applying import apply, function
from service import Service, node

FUNCTIONS = {
    "total": function("x", [node("sin", "$x", id="s"), node("sum", "$s", id="y")], "y"),
    "sines": function("x", [node("sin", "$x", id="s")], "s"),
    "pair": function("x", [node("sum", "$x", id="s")], ["s", "s"]),
    "square": function("x", [node("mm", "$x", "$x", id="m")], "m"),
    "noisy": function("x", [node("rand_like", "$x", id="n")], "n"),
    "choose": function(
        "x", [node("gt", "$x", 0, id="c"), apply("cond", {"then": "sines", "else": "total"}, "$c", "$x", id="y")], "y"
    ),
    "until": function("x", [apply("while_loop", {"while": "small", "do": "twice"}, "$x", id="y")], "y"),
    "branch": function("x", [{"op": "if", "test": "$x", "then": [{"op": "return", "value": 1}]}], "x"),
    "number": function("x", [node("item", "$x", id="y")], "y"),
    "places": function("x", [node("nonzero", "$x", id="y")], "y"),
    "small": function("x", [node("lt", "$x", 9, id="c")], "c"),
    "twice": function("x", [node("mul", "$x", 2, id="y")], "y"),
}
ROW = [1.0, 2.0]


def bad(name: str, code: str, pointer: str, made: dict[str, Any], **said: Any) -> Bad:
    """A graph of one node, `r`, that must be refused."""
    body = {"functions": FUNCTIONS, "nodes": [made | {"id": "r"}]}
    return Bad(name, body, code, pointer, node=said.pop("node", "r"), **said)


def grad(**options: Any) -> dict[str, Any]:
    """`func.grad` of `total`."""
    return apply("func.grad", "total", ROW, **options)


def inner(op: str, of: Any, **options: Any) -> dict[str, Any]:
    """A transform for `of`."""
    return {"op": op, "of": of, "options": options}


OF = [
    bad(
        "a missing function",
        "unknown_reference",
        "/nodes/0/of",
        apply("func.grad", "totl", ROW),
        message="there is no function called 'totl'",
        got="totl",
        hint="total",
    ),
    bad(
        "a missing function in a transform",
        "unknown_reference",
        "/nodes/0/of/of",
        apply("call", inner("func.grad", "nope"), ROW),
    ),
    bad(
        "a missing branch",
        "unknown_reference",
        "/nodes/0/of/else",
        apply("cond", {"then": "total", "else": "nope"}, True, ROW),
    ),
    bad("a missing op", "unknown_op", "/nodes/0/of", apply("func.grad", {"function": "nope"}, ROW)),
    bad("an op that is left out", "excluded_op", "/nodes/0/of", apply("call", {"function": "save"}, ROW)),
    bad("no function", "invalid_argument", "/nodes/0", {"op": "func.grad", "args": [ROW]}, message="needs `of`"),
    bad(
        "two functions",
        "invalid_argument",
        "/nodes/0/of",
        apply("func.grad", {"then": "total"}, ROW),
        message="takes one function",
    ),
    bad(
        "one of two",
        "invalid_argument",
        "/nodes/0/of",
        apply("cond", {"then": "total"}, True, ROW),
        expected='["then", "else"]',
    ),
    bad(
        "one for two", "invalid_argument", "/nodes/0/of", apply("while_loop", "total", ROW), expected='["while", "do"]'
    ),
    bad("a number", "invalid_request", "/nodes/0/of", apply("call", 5, ROW)),
    bad("a transform without a function", "invalid_request", "/nodes/0/of", apply("call", {"op": "func.grad"}, ROW)),
    bad(
        "no transform",
        "invalid_argument",
        "/nodes/0/of/op",
        apply("call", {"op": "func.vjp", "of": "total"}, ROW),
        expected="func.jacrev",
    ),
    bad("vmap without func.", "excluded_op", "/nodes/0/op", apply("vmap", "sines", ROW)),
    bad("a misspelt transform", "unknown_op", "/nodes/0/op", apply("func.gradd", "total", ROW)),
    bad(
        "an op that takes none",
        "invalid_request",
        "/nodes/0/of",
        apply("sin", "total", ROW),
        message="sin takes no `of`",
    ),
]
COUNTS = [
    bad(
        "too many",
        "invalid_argument",
        "/nodes/0",
        apply("call", "total", ROW, ROW),
        message="total takes 1 argument (x), got 2",
    ),
    bad("too few", "invalid_argument", "/nodes/0", apply("call", "total"), message="got 0 and lacks 'x'"),
    bad(
        "too many for a transform",
        "invalid_argument",
        "/nodes/0",
        apply("func.jacrev", "sines", ROW, ROW),
        message="got 2",
    ),
    bad(
        "a name that it lacks",
        "invalid_argument",
        "/nodes/0/kwargs/z",
        apply("call", "total", ROW) | {"kwargs": {"z": 1}},
    ),
    bad(
        "twice",
        "invalid_argument",
        "/nodes/0/kwargs/x",
        apply("call", "total", ROW) | {"kwargs": {"x": 1}},
        message="'x' twice",
    ),
    bad(
        "options among kwargs",
        "invalid_argument",
        "/nodes/0/kwargs/argnums",
        grad() | {"kwargs": {"argnums": 0}},
        hint="`options`",
    ),
]
OPTIONS = [
    bad(
        "a misspelt option",
        "invalid_argument",
        "/nodes/0/options/argnum",
        grad(argnum=0),
        hint="did you mean 'argnums'?",
    ),
    bad(
        "one of PyTorch's own",
        "invalid_argument",
        "/nodes/0/options/_preallocate_and_copy",
        apply("func.jacrev", "sines", ROW, _preallocate_and_copy=True),
    ),
    bad("argnums out of range", "invalid_argument", "/nodes/0/options/argnums", grad(argnums=1), expected="-1 to 0"),
    bad("argnums as text", "invalid_argument", "/nodes/0/options/argnums", grad(argnums="x"), got="x"),
    bad("a fraction", "invalid_argument", "/nodes/0/options/argnums", grad(argnums=0.5)),
    bad("no argnums", "invalid_argument", "/nodes/0/options/argnums", grad(argnums=[])),
    bad("argnums in a list", "invalid_argument", "/nodes/0/options/argnums", grad(argnums=[0, 3])),
    bad(
        "argnums of an inner transform",
        "invalid_argument",
        "/nodes/0/of/options/argnums",
        apply("func.jacrev", inner("func.grad", "total", argnums=2), ROW),
    ),
    bad(
        "has_aux as a number", "invalid_argument", "/nodes/0/options/has_aux", grad(has_aux=1), expected="true or false"
    ),
    bad(
        "chunks of nothing",
        "invalid_argument",
        "/nodes/0/options/chunk_size",
        apply("func.jacrev", "sines", ROW, chunk_size=0),
    ),
    bad(
        "in_dims out of range",
        "invalid_argument",
        "/nodes/0/options/in_dims",
        apply("func.vmap", "sines", ROW, in_dims=3),
    ),
    bad(
        "in_dims of another structure",
        "invalid_argument",
        "/nodes/0/options/in_dims",
        apply("func.vmap", "sines", ROW, in_dims=[0, 0]),
    ),
    bad(
        "out_dims out of range",
        "invalid_argument",
        "/nodes/0/options/out_dims",
        apply("func.vmap", "sines", ROW, out_dims=5),
    ),
    bad(
        "out_dims as text",
        "invalid_argument",
        "/nodes/0/options/out_dims",
        apply("func.vmap", "sines", ROW, out_dims="a"),
    ),
    bad(
        "randomness",
        "invalid_argument",
        "/nodes/0/options/randomness",
        apply("func.vmap", "sines", ROW, randomness="odd"),
        expected="different",
    ),
    bad("no tangents", "invalid_argument", "/nodes/0", apply("func.jvp", "sines", ROW), expected="tangents"),
    bad(
        "a tangent of another shape",
        "invalid_argument",
        "/nodes/0/options/tangents",
        apply("func.jvp", "sines", ROW, tangents=[1, 2, 3]),
        got="[3]",
        expected="[2]",
    ),
    bad(
        "too many tangents",
        "invalid_argument",
        "/nodes/0/options/tangents",
        apply("func.jvp", {"function": "mul"}, ROW, ROW, tangents=[ROW]),
        expected="a list of 2",
    ),
    bad(
        "a cotangent of another shape",
        "invalid_argument",
        "/nodes/0/options/cotangents",
        apply("func.vjp", "total", ROW, cotangents=ROW),
        got="[2]",
        expected="[]",
    ),
    bad(
        "v of another shape",
        "invalid_argument",
        "/nodes/0/options/v",
        apply("autograd.functional.hvp", "total", ROW, v=[1]),
    ),
    bad(
        "a strategy",
        "invalid_argument",
        "/nodes/0/options/strategy",
        apply("autograd.functional.jacobian", "sines", ROW, strategy="best"),
        expected="forward-mode",
    ),
    bad(
        "a reference in options",
        "unknown_reference",
        "/nodes/0/options/tangents",
        apply("func.jvp", "sines", ROW, tangents="$nope"),
    ),
    bad("options for an op", "invalid_request", "/nodes/0/options", node("sin", ROW) | {"options": {"argnums": 0}}),
    bad(
        "options that are a list",
        "invalid_request",
        "/nodes/0/options",
        apply("func.grad", "total", ROW) | {"options": []},
    ),
]
REFUSED = [
    bad("grad of many numbers", "op_failed", "/nodes/0", apply("func.grad", "sines", ROW), hint="func.jacrev"),
    bad("has_aux without aux", "op_failed", "/nodes/0", grad(has_aux=True), hint="returns two values"),
    bad("forward mode by integers", "op_failed", "/nodes/0", apply("func.jacfwd", "sines", [1, 2]), hint="float32"),
    bad(
        "random numbers in vmap",
        "op_failed",
        "/functions/noisy/nodes/0",
        apply("func.vmap", "noisy", ROW),
        node="n",
        hint="randomness",
    ),
    bad(
        "cond in vmap",
        "op_failed",
        "/functions/choose/nodes/1",
        apply("func.vmap", "choose", ROW),
        node="y",
        hint="where",
    ),
    bad(
        "while_loop in vmap",
        "op_failed",
        "/functions/until/nodes/0",
        apply("func.vmap", "until", ROW),
        node="y",
        hint='{"op": "map"}',
    ),
    bad(
        "if in vmap", "op_failed", "/functions/branch/nodes/0", apply("func.vmap", "branch", ROW), node=0, hint="where"
    ),
    bad(
        "item in vmap",
        "op_failed",
        "/functions/number/nodes/0",
        apply("func.vmap", "number", ROW),
        node="y",
        hint="keep it a tensor",
    ),
    bad(
        "a size that depends on data in vmap",
        "op_failed",
        "/functions/places/nodes/0",
        apply("func.vmap", "places", ROW),
        node="y",
        hint="mask",
    ),
    bad(
        "an inner node",
        "op_failed",
        "/functions/square/nodes/0",
        apply("call", "square", {"tensor": {"data": ROW}}),
        node="m",
    ),
    bad(
        "an inner node of a transform",
        "op_failed",
        "/functions/square/nodes/0",
        apply("func.jacrev", "square", ROW),
        node="m",
    ),
]
BODIES = [
    Bad(
        "an unknown op inside",
        {"functions": {"f": function("x", [node("sinn", "$x", id="s")], "s")}, "nodes": []},
        "unknown_op",
        "/functions/f/nodes/0/op",
        node="s",
        hint="sin",
    ),
    Bad(
        "an unknown name inside",
        {"functions": {"f": function("x", [node("sin", "$y", id="s")], "s")}, "nodes": []},
        "unknown_reference",
        "/functions/f/nodes/0/args/0",
        node="s",
        got="$y",
    ),
    Bad(
        "an unknown name returned",
        {"functions": {"f": function("x", [], ["x", "y"])}, "nodes": []},
        "unknown_reference",
        "/functions/f/returns/1",
        node="f",
    ),
    Bad(
        "a parameter twice",
        {"functions": {"f": function("x x", [], "x")}, "nodes": []},
        "duplicate_id",
        "/functions/f/params/1",
    ),
    Bad(
        "an id like a parameter",
        {"functions": {"f": function("x", [node("ones", id="x")], "x")}, "nodes": []},
        "duplicate_id",
        "/functions/f/nodes/0/id",
    ),
    Bad(
        "a function like an input",
        {"inputs": {"f": 1}, "functions": {"f": function("", [], 1)}, "nodes": []},
        "duplicate_id",
        "/functions/f",
    ),
    Bad(
        "a node like a function",
        {"functions": {"f": function("", [], 1)}, "nodes": [node("ones", id="f")]},
        "duplicate_id",
        "/nodes/0/id",
    ),
    Bad("no object", {"functions": {"f": 5}, "nodes": []}, "invalid_request", "/functions/f"),
    Bad(
        "a member that functions lack",
        {"functions": {"f": {"args": []}}, "nodes": []},
        "invalid_request",
        "/functions/f/args",
    ),
    Bad("a list of functions", {"functions": [], "nodes": []}, "invalid_request", "/functions"),
]
ALL = [*OF, *COUNTS, *OPTIONS, *REFUSED, *BODIES]


@pytest.mark.parametrize("bad", ALL, ids=names(ALL))
def test_it_is_refused_with_its_place(service: Service, bad: Bad) -> None:
    refuses(service, bad)


def test_all_that_is_wrong_is_told_at_once(service: Service) -> None:
    functions = {"f": function("x", [node("sinn", "$x", id="s"), node("add", "$s", "$q", id="t")], "nope")}
    nodes = [apply("func.grad", "f", ROW, argnum=1), apply("func.grad", "g", ROW), node("add", 1, "$h")]
    problem = service.refused({"functions": functions, "nodes": nodes})
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("/functions/f/nodes/0/op", "unknown_op"),
        ("/functions/f/nodes/1/args/1", "unknown_reference"),
        ("/functions/f/returns", "unknown_reference"),
        ("/nodes/0/options/argnum", "invalid_argument"),
        ("/nodes/1/of", "unknown_reference"),
        ("/nodes/2/args/1", "unknown_reference"),
    ]


def test_the_node_that_ran_at_the_deadline_is_named_inside_a_function(service: Service) -> None:
    slow = function(
        "x", [node("add", "$x", 1, id="a"), node("linalg.svd", "$a", id="svd"), node("sum", "$svd.1", id="y")], "y"
    )
    nodes = [node("rand", 2500, 2500, id="m"), apply("func.grad", "slow", "$m", id="g")]
    began = time.monotonic()
    problem = service.refused({"functions": {"slow": slow}, "nodes": nodes, "deadline_ms": 400})
    assert time.monotonic() - began < 20
    assert problem["status"] == 504
    (error,) = problem["errors"]
    assert (error["code"], error["node"]) == ("deadline_exceeded", "svd")
    assert error["pointer"] == "/functions/slow/nodes/1"
    service.still_works()
