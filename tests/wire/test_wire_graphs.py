"""Bodies of graphs and of single ops to the engine's record, and all that is wrong with them."""

import json

import pytest
import torch

from gradwire.contract.limits import Limits
from gradwire.engine.graph import Literal, Output, Ref, TapeRequest
from gradwire.findings import Source
from gradwire.wire.read.graph import read_graph, read_op
from gradwire.wire.read.skeleton import skeleton
from service import TUTORIAL_GRAPH

LIMITS = Limits()
TUTORIAL = TUTORIAL_GRAPH | {"returns": ["y", "out", "x.grad"], "tape": True}


def read(document, limits=LIMITS):
    return read_graph(skeleton(json.dumps(document).encode(), 200), limits)


def good(document):
    graph, findings = read(document)
    assert findings == []
    return graph


def mistakes(document):
    return [(finding.code, finding.source.pointer) for finding in read(document)[1]]


def test_the_tutorial():
    graph = good(TUTORIAL)
    x = graph.inputs["x"]
    assert torch.equal(x.tensor, torch.ones(2, 2))
    assert (x.requires_grad, x.device, x.source) == (True, None, Source("/inputs/x"))
    assert [(node.index, node.id, node.op, node.label) for node in graph.nodes] == [
        (0, "y", "add", "y"),
        (1, "yy", "mul", "yy"),
        (2, "z", "mul", "z"),
        (3, "out", "mean", "out"),
        (4, None, "backward", 4),
    ]
    assert graph.nodes[0].args == [Ref("x", Source("/nodes/0/args/0")), Literal(2, Source("/nodes/0/args/1"))]
    assert not any(node.faulty or node.no_grad or node.kwargs for node in graph.nodes)
    assert graph.returns == [
        Output(name, Ref(name, Source(f"/returns/{index}"))) for index, name in enumerate(["y", "out", "x.grad"])
    ]
    assert graph.tape == TapeRequest(gradients=False)
    assert (graph.encoding, graph.full, graph.device, graph.seed, graph.deadline_ms) == (
        "json",
        False,
        "auto",
        None,
        None,
    )
    assert graph.faulty_names == set()


def test_settings_of_a_run():
    graph = good(
        {
            "nodes": [],
            "encoding": "base64",
            "describe": "full",
            "device": "cpu",
            "seed": 2**64 - 1,
            "deadline_ms": 5,
            "tape": {"gradients": True},
        }
    )
    assert (graph.encoding, graph.full, graph.device) == ("base64", True, "cpu")
    assert (graph.seed, graph.deadline_ms, graph.tape) == (2**64 - 1, 5, TapeRequest(gradients=True))
    assert graph.returns is None
    assert good({"nodes": [], "tape": {}}).tape == TapeRequest(gradients=False)
    assert good({"nodes": [], "tape": False}).tape is None


def test_returns():
    assert good({"nodes": [], "returns": []}).returns == []
    wanted = good(
        {"nodes": [], "returns": {"a/b": "$y", "c": {"ref": "z.grad", "encoding": "base64", "describe": "full"}}}
    ).returns
    assert wanted == [
        Output("a/b", Ref("y", Source("/returns/a~1b"))),
        Output("c", Ref("z.grad", Source("/returns/c/ref")), "base64", True),
    ]
    wanted = good({"nodes": [], "returns": ["$t.0", {"ref": "$t.1"}]}).returns
    assert wanted == [
        Output("t.0", Ref("t.0", Source("/returns/0"))),
        Output("t.1", Ref("t.1", Source("/returns/1/ref"))),
    ]


def test_kwargs_and_no_grad():
    (node,) = good(
        {"nodes": [{"op": "sum", "args": [], "kwargs": {"dim": 0, "a/b": {"dtype": "half"}}, "no_grad": True}]}
    ).nodes
    assert node.no_grad
    assert node.kwargs["dim"] == Literal(0, Source("/nodes/0/kwargs/dim"))
    assert node.kwargs["a/b"] == Literal(torch.float16, Source("/nodes/0/kwargs/a~1b"))


@pytest.mark.parametrize("op", ["getitem", "setitem", "operator.getitem", "operator.setitem", "torch.getitem"])
def test_index_text_reaches_the_engine_as_it_is(op):
    for text in (":, 1", "$i, 1", "$i", ":, $i", "$$x", "..."):
        (node,) = good({"nodes": [{"op": op, "args": ["$x", text, "$v"]}]}).nodes
        assert node.args[1] == Literal(text, Source("/nodes/0/args/1"))
        assert [node.args[0].text, node.args[2].text] == ["x", "v"]


def test_a_typed_index_is_read_as_any_argument():
    (node,) = good({"nodes": [{"op": "getitem", "args": ["$x", [{"slice": [None]}, "$i"]]}]}).nodes
    assert node.args[1].items[1] == Ref("i", Source("/nodes/0/args/1/1"))
    (node,) = good({"nodes": [{"op": "add", "args": ["$x", "$i, 1"]}]}).nodes
    assert node.args[1] == Ref("i, 1", Source("/nodes/0/args/1"))


def test_long_arguments_of_a_node():
    body = f'{{"nodes": [{{"op": "f", "args": [{",".join(["7"] * 3000)}]}}]}}'.encode()
    graph, findings = read_graph(skeleton(body, 9), LIMITS)
    assert findings == []
    assert len(graph.nodes[0].args) == 3000
    assert graph.nodes[0].args[2999] == Literal(7, Source("/nodes/0/args/2999"))


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"x"', b"[" + b"1," * 3000 + b"1]"], ids=range(5))
def test_a_body_that_is_no_object(body):
    for graph, findings in (read_graph(skeleton(body, 9), LIMITS), read_op(skeleton(body, 9), "add", LIMITS)):
        assert [(finding.code, finding.source.pointer) for finding in findings] == [("invalid_request", "")]
        assert graph.nodes == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, [("invalid_request", "")]),
        ({"nodes": [], "node": []}, [("invalid_request", "/node")]),
        ({"nodes": {}}, [("invalid_request", "/nodes")]),
        ({"nodes": [5]}, [("invalid_request", "/nodes/0")]),
        ({"nodes": [{"id": "a"}]}, [("invalid_request", "/nodes/0")]),
        ({"nodes": [{"op": 5}]}, [("invalid_request", "/nodes/0/op")]),
        ({"nodes": [{"op": "add", "args": {}}]}, [("invalid_request", "/nodes/0/args")]),
        ({"nodes": [{"op": "add", "kwargs": []}]}, [("invalid_request", "/nodes/0/kwargs")]),
        ({"nodes": [{"op": "add", "no_grad": 1}]}, [("invalid_request", "/nodes/0/no_grad")]),
        ({"nodes": [{"op": "add", "idd": "x"}]}, [("invalid_request", "/nodes/0/idd")]),
        ({"nodes": [{"op": "add", "id": "$x"}]}, [("invalid_request", "/nodes/0/id")]),
        ({"nodes": [], "inputs": []}, [("invalid_request", "/inputs")]),
        ({"nodes": [], "seed": True}, [("invalid_request", "/seed")]),
        ({"nodes": [], "seed": -(2**63), "deadline_ms": 0}, [("invalid_request", "/deadline_ms")]),
        ({"nodes": [], "returns": [5]}, [("invalid_request", "/returns/0")]),
        ({"nodes": [], "encoding": "part"}, [("invalid_request", "/encoding")]),
        ({"nodes": [], "inputs": {"x": None}}, [("invalid_tensor", "/inputs/x")]),
        (
            {"nodes": [], "inputs": {"x": {"data": [1, None], "dtype": "int8"}}},
            [("invalid_tensor", "/inputs/x/data/1")],
        ),
        ({"nodes": [{"op": "f", "args": [1, {"dtype": "x"}]}]}, [("invalid_argument", "/nodes/0/args/1/dtype")]),
        ({"nodes": [{"op": "f", "kwargs": {"d": {"dtype": "x"}}}]}, [("invalid_argument", "/nodes/0/kwargs/d/dtype")]),
        ({"inputs": {"x": 1}, "nodes": [{"id": "x", "op": "f"}]}, [("duplicate_id", "/nodes/0/id")]),
        (
            {"nodes": [{"id": "a", "op": "f"}, {"id": "b", "op": "f"}, {"id": "a", "op": "f"}]},
            [("duplicate_id", "/nodes/2/id")],
        ),
    ],
    ids=str,
)
def test_mistakes(document, expected):
    assert mistakes(document) == expected


def test_reading_goes_on_after_mistakes():
    graph, findings = read(
        {
            "inputs": {"x": {"data": [[1], [2, 3]]}, "y": 1},
            "nodes": [
                {"id": "a", "op": "add", "args": ["$y", {"dtype": "x"}]},
                {"id": "b", "args": []},
                {"id": "y", "op": "mul"},
                {"id": "c", "op": "add", "args": ["$b", 1]},
                {"op": "f", "args": [{"q": 1}], "extra": 1},
            ],
        }
    )
    assert {(finding.code, finding.source.pointer, finding.node) for finding in findings} == {
        ("invalid_tensor", "/inputs/x/data/1", None),
        ("invalid_argument", "/nodes/0/args/1/dtype", "a"),
        ("invalid_request", "/nodes/1", "b"),
        ("duplicate_id", "/nodes/2/id", "y"),
        ("invalid_argument", "/nodes/4/args/0", 4),
        ("invalid_request", "/nodes/4/extra", 4),
    }
    assert [(node.id, node.faulty) for node in graph.nodes] == [("a", True), ("y", True), ("c", False), (None, True)]
    assert graph.faulty_names == {"x", "b"}
    assert set(graph.inputs) == {"y"}


def test_too_many_nodes():
    document = {"nodes": [{"op": "f"}] * 4}
    assert read(document, Limits(max_nodes=4))[1] == []
    graph, (finding,) = read(document, Limits(max_nodes=3))
    assert (finding.code, finding.source.pointer, finding.got) == ("limit_exceeded", "/nodes", 4)
    assert graph.nodes == []


def test_one_op():
    body = {
        "args": [{"data": [1.5, 2]}, {"tensor": {"data": 1}}, 2.0, {"dtype": "long"}],
        "kwargs": {"dim": 0},
        "seed": 7,
        "encoding": "base64",
        "describe": "full",
        "device": "cpu",
        "deadline_ms": 9,
    }
    graph, findings = read_op(skeleton(json.dumps(body).encode(), 9), "Tensor.add", LIMITS)
    assert findings == []
    (node,) = graph.nodes
    assert (node.op, node.id, node.index, node.source) == ("Tensor.add", "result", 0, Source(""))
    assert node.args[0].tensor.tolist() == [1.5, 2.0]
    assert [argument.source.pointer for argument in node.args] == ["/args/0", "/args/1/tensor", "/args/2", "/args/3"]
    assert node.kwargs["dim"].source.pointer == "/kwargs/dim"
    assert graph.returns == [Output("result", Ref("result", Source()))]
    assert (graph.seed, graph.encoding, graph.full, graph.device, graph.deadline_ms) == (7, "base64", True, "cpu", 9)
    graph, findings = read_op({}, "rand", LIMITS)
    assert findings == []
    assert graph.nodes[0].args == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"args": 5}, [("invalid_request", "/args")]),
        ({"arg": []}, [("invalid_request", "/arg")]),
        ({"no_grad": True}, [("invalid_request", "/no_grad")]),
        ({"args": [{"data": [1, None], "dtype": "int8"}]}, [("invalid_tensor", "/args/0/data/1")]),
        (
            {"args": [{"q": 1}], "kwargs": {"a": {"dtype": "x"}}},
            [("invalid_argument", "/args/0"), ("invalid_argument", "/kwargs/a/dtype")],
        ),
    ],
)
def test_mistakes_in_one_op(body, expected):
    graph, findings = read_op(body, "add", LIMITS)
    assert [(finding.code, finding.source.pointer) for finding in findings] == expected
    assert graph.nodes[0].faulty
