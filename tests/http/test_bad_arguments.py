"""Arguments that no overload takes, literals that are none, and indices that are no indices."""

from __future__ import annotations

from typing import Any

import pytest
from bad import Bad, names, refuses

from service import Service, node

INPUTS = {
    "x": {"data": [[1.0, 2.0], [3.0, 4.0]], "requires_grad": True},
    "n": {"data": [1, 2]},
    "s": 2,
}
CODE = "invalid_argument"
NODE = "/nodes/0"


def call(name: str, op: str, pointer: str, *args: Any, kwargs: dict[str, Any] | None = None, **wanted: str) -> Bad:
    """One node `y`; the pointer is given from the node on."""
    made = node(op, *args, id="y", **(kwargs or {}))
    code = wanted.pop("code", CODE)
    return Bad(name, {"inputs": INPUTS, "nodes": [made]}, code, NODE + pointer, "y", **wanted)  # type: ignore[arg-type]


BINDING = [
    call("an unknown keyword", "sum", "/kwargs/dims", "$x", kwargs={"dims": 0}, hint="dim"),
    call("an unknown keyword, capitals", "sum", "/kwargs/keepDim", "$x", kwargs={"keepDim": True}, hint="keepdim"),
    call("a keyword far from all", "relu", "/kwargs/zzz", "$x", kwargs={"zzz": True}),
    call("an unknown keyword of a Python function", "nn.functional.softmax", "/kwargs/axes", "$x", kwargs={"axes": 1}),
    call("too few", "mm", "", "$x", expected="mat2"),
    call("none at all", "matmul", "", expected="other"),
    call("too few of a Python function", "nn.functional.linear", "", "$x", expected="weight"),
    call("too many", "relu", "", "$x", 1, 2, expected="input"),
    call("too many of a Python function", "nn.functional.gelu", "", "$x", 1, 2, expected="input"),
    call("twice", "mm", "/kwargs/mat2", "$x", "$x", kwargs={"mat2": "$x"}),
    call("text for a dim", "softmax", "/args/1", "$x", "first", got="first", expected="int"),
    call("a fraction for a dim", "cumsum", "/args/1", "$x", 0.5, got="0.5", expected="int"),
    call("a list for a bool", "var", "/kwargs/keepdim", "$x", kwargs={"dim": 0, "keepdim": [1]}, expected="bool"),
    call("text for a bool", "sum", "/kwargs/keepdim", "$x", kwargs={"dim": 0, "keepdim": "yes"}, expected="bool"),
    call("null for a dim", "cumsum", "/args/1", "$x", None, expected="int"),
    call("a dtype for a dim", "cumsum", "/args/1", "$x", {"dtype": "float32"}, expected="int"),
    call("a slice for a tensor", "relu", "/args/0", {"slice": [None]}, expected="Tensor"),
    call("a word for a tensor", "relu", "/args/0", "x", expected="Tensor"),
    call("text for a size", "zeros", "/args/0", "five"),
    call("a fraction for a size", "zeros", "/args/0", 2.5),
    call("a fraction in a size", "zeros", "/args/0", [2, 2.5]),
    call("a dtype that is none", "zeros", "/kwargs/dtype", 2, kwargs={"dtype": "float33"}, expected="float32"),
    call("a number for a dtype", "zeros", "/kwargs/dtype", 2, kwargs={"dtype": 32}, expected="dtype"),
    call("a layout that is none", "zeros", "/kwargs/layout", 2, kwargs={"layout": "dense"}, expected="strided"),
    call(
        "a memory format that is none",
        "clone",
        "/kwargs/memory_format",
        "$x",
        kwargs={"memory_format": "nhwc"},
        expected="channels_last",
    ),
    call("a generator", "rand", "/kwargs/generator", 2, kwargs={"generator": 0}, hint="seed"),
    call("a generator in place", "Tensor.uniform_", "/kwargs/generator", "$n", kwargs={"generator": None}, hint="seed"),
    call("a number for out", "add", "/kwargs/out", "$x", 1, kwargs={"out": 1}),
    call(
        "a device that is missing",
        "zeros",
        "/kwargs/device",
        2,
        kwargs={"device": "cuda:99"},
        code="unavailable_device",
        expected="cpu",
    ),
    call(
        "a device that is none",
        "zeros",
        "/kwargs/device",
        2,
        kwargs={"device": "gpu"},
        code="unavailable_device",
        expected="cpu",
    ),
]
LITERALS = [
    call("an object of two members", "relu", "/args/0", {"tensor": 1, "dtype": "float32"}, expected="tensor"),
    call("an object of none", "relu", "/args/0", {}, expected="tensor"),
    call("an object of another word", "relu", "/args/0", {"tensr": 1}, expected="tensor"),
    call("a bare tensor object in a graph", "relu", "/args/0", {"data": [1.0]}, expected="tensor"),
    call("a bare tensor object of one dtype too", "relu", "/args/0", {"data": [1.0], "dtype": "float32"}),
    call("a dtype that is none", "to", "/args/1/dtype", "$x", {"dtype": "float33"}, expected="float32"),
    call("a slice of four", "getitem", "/args/1/slice", "$x", {"slice": [0, 1, 2, 3]}),
    call("a slice of none", "getitem", "/args/1/slice", "$x", {"slice": []}),
    call("a slice that is no list", "getitem", "/args/1/slice", "$x", {"slice": 1}),
    call("a slice of text", "getitem", "/args/1/slice/0", "$x", {"slice": ["a", None]}),
    call("a slice of fractions", "getitem", "/args/1/slice/1", "$x", {"slice": [0, 1.5]}),
    call("an ellipsis that is false", "getitem", "/args/1/ellipsis", "$x", {"ellipsis": False}),
    call("a float in words", "mul", "/args/1/float", "$x", {"float": "one"}),
    call("a float as Python writes it", "mul", "/args/1/float", "$x", {"float": "nan"}),
    call("a complex of one", "mul", "/args/1/complex", "$x", {"complex": [1]}),
    call("a complex of words", "mul", "/args/1/complex/1", "$x", {"complex": [1, "i"]}),
    call("an int with a fraction", "mul", "/args/1/int", "$x", {"int": "1.5"}),
    call("an int in hex", "mul", "/args/1/int", "$x", {"int": "0x10"}),
    call(
        "a memory format that is none",
        "clone",
        "/kwargs/memory_format/memory_format",
        "$x",
        kwargs={"memory_format": {"memory_format": "nhwc"}},
    ),
    call("a layout that is none", "zeros", "/kwargs/layout/layout", 2, kwargs={"layout": {"layout": "dense"}}),
    call("a size with a fraction", "zeros", "/args/0/size/0", {"size": [1.5]}),
    call("a tuple that is no list", "zeros", "/args/0/tuple", {"tuple": 5}),
    call("a dict that is no object", "relu", "/args/0/dict", {"dict": []}),
    call("inside a list", "cat", "/args/0/1", ["$x", {"tensr": 1}]),
    call("inside a tuple inside a list", "cat", "/args/0/0/tuple/0", [{"tuple": [{"what": 1}]}]),
]
INDICES = [
    call(f"the text {text!r}", "getitem", "/args/1", "$x", text)
    for text in (
        "", " ", "x", "0; 1", "__import__('os')", "(0, 1)", "0x10", "1.5", "1e3", "0 1", "[0", "0]", "[[0], 1", "::::",
        ",", "0,,1", "a:b", "$", "$x.", "1 + 1", "lambda: 0", "'a'", "{0}", "slice(1)", "None:None:None:None", "0:'1'",
        "\u0663", "--1", "0" * 1025, ", ".join(["0"] * 600), "np.newaxis",
    )
]  # fmt: skip
ASSIGNMENTS = [
    call("data", "setattr", "/args/1", "$x", "data", {"tensor": 1.0}, hint="copy_"),
    call("an attribute of another name", "setattr", "/args/1", "$x", "shape", [1], expected="grad"),
    call("a private attribute", "setattr", "/args/1", "$x", "__class__", 1, expected="grad"),
    call("requires_grad in words", "setattr", "/args/2", "$x", "requires_grad", "yes"),
    call("setattr on a number", "setattr", "/args/0", 5, "grad", None),
]


@pytest.mark.parametrize("bad", BINDING, ids=names(BINDING))
def test_arguments_that_do_not_bind(service: Service, bad: Bad) -> None:
    refuses(service, bad)


@pytest.mark.parametrize("bad", LITERALS, ids=names(LITERALS))
def test_objects_that_are_no_literals(service: Service, bad: Bad) -> None:
    refuses(service, bad)


@pytest.mark.parametrize("bad", INDICES, ids=names(INDICES))
@pytest.mark.parametrize("op", ["getitem", "setitem"])
def test_text_that_is_no_index(service: Service, bad: Bad, op: str) -> None:
    made = bad.body["nodes"][0]
    changed = made | {"op": op, "args": [*made["args"], *([1] if op == "setitem" else [])]}
    problem = service.refused({"inputs": INPUTS, "nodes": [changed]})
    error = problem["errors"][0]
    assert error["code"] in (CODE, "unknown_reference") if "$" in changed["args"][1] else error["code"] == CODE
    assert (error["pointer"], error["node"]) == (bad.pointer, "y")


@pytest.mark.parametrize("bad", ASSIGNMENTS, ids=names(ASSIGNMENTS))
def test_attributes_that_cannot_be_assigned(service: Service, bad: Bad) -> None:
    refuses(service, bad)


def test_all_wrong_arguments_of_all_nodes_come_at_once(service: Service) -> None:
    nodes = [
        node("sum", "$x", id="a", dims=0),
        node("softmax", "$x", "first", id="b", dtype="float33"),
        node("mm", "$x"),
    ]
    problem = service.refused({"inputs": INPUTS, "nodes": nodes})
    found = [(error["pointer"], error["node"]) for error in problem["errors"]]
    assert found == [
        ("/nodes/0/kwargs/dims", "a"),
        ("/nodes/1/args/1", "b"),
        ("/nodes/1/kwargs/dtype", "b"),
        ("/nodes/2", 2),
    ]


@pytest.mark.parametrize(
    ("name", "body", "pointer"),
    [
        ("sum", {"args": [{"data": [1.0]}], "kwargs": {"dims": 0}}, "/kwargs/dims"),
        ("mm", {"args": [{"data": [[1.0]]}]}, ""),
        ("softmax", {"args": [{"data": [1.0]}, "first"]}, "/args/1"),
        ("zeros", {"args": [2], "kwargs": {"dtype": "float33"}}, "/kwargs/dtype"),
        ("rand", {"args": [2], "kwargs": {"generator": 1}}, "/kwargs/generator"),
        ("getitem", {"args": [{"data": [1.0]}, "x"]}, "/args/1"),
    ],
)
def test_the_same_by_the_op_route(service: Service, name: str, body: dict[str, Any], pointer: str) -> None:
    refuses(service, Bad(name, body, CODE, pointer, path=f"/v1/ops/{name}"))


def test_a_reference_has_nothing_to_name_in_the_body_of_one_op(service: Service) -> None:
    bad = Bad("", {"args": ["$x"]}, "unknown_reference", "/args/0", path="/v1/ops/relu")
    refuses(service, bad)
