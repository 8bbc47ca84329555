"""Graphs that are wrong in their members, ids, ops, references and returns: found before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from bad import Bad, names, refuses

from service import Service

X = {"x": {"data": [1.0, 2.0], "requires_grad": True}}
ONES = {"id": "a", "op": "ones", "args": [2]}


def graph(name: str, nodes: Any, code: str, pointer: str, node: str | int | None = None, **more: Any) -> Bad:
    """A graph with the input `x`, and further members of the body."""
    wanted = {key: more.pop(key) for key in ("status", "got", "expected", "hint", "message") if key in more}
    return Bad(name, {"inputs": X, "nodes": nodes, **more}, code, pointer, node, **wanted)


def op(name: str, op: Any, code: str, *args: Any, hint: str | None = None, node: str | int = 1, id: Any = None) -> Bad:
    """A wrong op at the second node."""
    body = [ONES, {"op": op, "args": ["$x", *args]} | ({"id": id} if id else {})]
    return graph(name, body, code, "/nodes/1/op", node, **({"hint": hint} if hint else {}))


MEMBERS = [
    Bad("no nodes", {"inputs": X}, "invalid_request", "", message="nodes"),
    Bad("nodes an object", {"nodes": {}}, "invalid_request", "/nodes"),
    Bad("nodes null", {"nodes": None}, "invalid_request", "/nodes"),
    graph("a node that is text", ["add"], "invalid_request", "/nodes/0", 0),
    graph("a node that is a list", [["add", 1]], "invalid_request", "/nodes/0", 0),
    graph("a node that is null", [ONES, None], "invalid_request", "/nodes/1", 1),
    graph("a node without op", [{"id": "y", "args": []}], "invalid_request", "/nodes/0", "y"),
    graph("an op that is a number", [{"op": 5}], "invalid_request", "/nodes/0/op", 0),
    graph("an op that is null", [{"id": "y", "op": None}], "invalid_request", "/nodes/0/op", "y"),
    graph("args an object", [{"op": "ones", "args": {}}], "invalid_request", "/nodes/0/args", 0),
    graph("args a number", [{"op": "ones", "args": 2}], "invalid_request", "/nodes/0/args", 0),
    graph("kwargs a list", [{"op": "ones", "args": [2], "kwargs": []}], "invalid_request", "/nodes/0/kwargs", 0),
    graph("no_grad in words", [ONES | {"no_grad": "yes"}], "invalid_request", "/nodes/0/no_grad", "a"),
    graph("no_grad 1", [ONES | {"no_grad": 1}], "invalid_request", "/nodes/0/no_grad", "a"),
    graph("an unknown member", [], "invalid_request", "/retruns", retruns=["x"], hint="returns"),
    graph("an unknown member of a node", [ONES | {"arg": [2]}], "invalid_request", "/nodes/0/arg", "a", hint="args"),
    graph("an unknown member, far from all", [], "invalid_request", "/zzz", zzz=1),
    Bad("inputs a list", {"inputs": [1], "nodes": []}, "invalid_request", "/inputs"),
    Bad("a member that an op's body has", {"nodes": [], "args": [1]}, "invalid_request", "/args"),
    Bad(
        "an unknown member of an op's body",
        {"args": [2], "kwarg": {}},
        "invalid_request",
        "/kwarg",
        hint="kwargs",
        path="/v1/ops/ones",
    ),
    Bad("an op's args an object", {"args": {"data": [1]}}, "invalid_request", "/args", path="/v1/ops/relu"),
    graph("a seed with a fraction", [], "invalid_request", "/seed", seed=1.5),
    graph("a seed in a string", [], "invalid_request", "/seed", seed="0"),
    graph("a seed that is true", [], "invalid_request", "/seed", seed=True),
    graph("a seed over uint64", [], "malformed_body", "", seed=2**64, status=400),
    graph("a seed that is a list", [], "invalid_request", "/seed", seed=[1]),
    graph("a deadline of 0", [], "invalid_request", "/deadline_ms", deadline_ms=0),
    graph("a deadline under 0", [], "invalid_request", "/deadline_ms", deadline_ms=-5),
    graph("a deadline with a fraction", [], "invalid_request", "/deadline_ms", deadline_ms=10.5),
    graph("a deadline that is true", [], "invalid_request", "/deadline_ms", deadline_ms=True),
    graph("an encoding that is none", [], "invalid_request", "/encoding", encoding="hex", expected="base64"),
    graph("describe in other words", [], "invalid_request", "/describe", describe="all", expected="full"),
    graph("a tape in words", [], "invalid_request", "/tape", tape="yes"),
    graph(
        "a tape with an unknown member",
        [],
        "invalid_request",
        "/tape/gradient",
        tape={"gradient": True},
        hint="gradients",
    ),
    graph("a device that is none", [], "unavailable_device", "/device", device="gpu", expected="cpu"),
    graph("a device that is missing", [], "unavailable_device", "/device", device="cuda:99", expected="cpu"),
    graph("an empty id", [{"id": "", "op": "ones", "args": [2]}], "invalid_request", "/nodes/0/id", 0),
    graph("an id with a dollar", [{"id": "$a", "op": "ones", "args": [2]}], "invalid_request", "/nodes/0/id", 0),
    graph(
        "an id of 257 characters", [{"id": "a" * 257, "op": "ones", "args": [2]}], "invalid_request", "/nodes/0/id", 0
    ),
    graph(
        "an id with a control character",
        [{"id": "a\n", "op": "ones", "args": [2]}],
        "invalid_request",
        "/nodes/0/id",
        0,
    ),
    graph("an id with DEL", [{"id": "a\x7f", "op": "ones", "args": [2]}], "invalid_request", "/nodes/0/id", 0),
    graph("an id that is a number", [{"id": 5, "op": "ones", "args": [2]}], "invalid_request", "/nodes/0/id", 0),
    Bad("an input with a dollar", {"inputs": {"$x": 1}, "nodes": []}, "invalid_request", "/inputs/$x"),
    Bad("an input without a name", {"inputs": {"": 1}, "nodes": []}, "invalid_request", "/inputs/"),
]
NAMES = [
    graph("two nodes of one id", [ONES, ONES], "duplicate_id", "/nodes/1/id", "a"),
    graph("a node named as an input", [ONES | {"id": "x"}], "duplicate_id", "/nodes/0/id", "x"),
    graph("three of one id", [ONES, {"op": "ones", "args": [1]}, ONES, ONES], "duplicate_id", "/nodes/2/id", "a"),
    op("a typo", "ad", "unknown_op", 1, hint="add"),
    op("a typo in a method", "Tensor.ad_", "unknown_op", 1, hint="add_"),
    op("a typo in a module", "nn.functional.rellu", "unknown_op", hint="nn.functional.relu"),
    op("capitals", "Add", "unknown_op", 1, hint="add"),
    op("a blank op", " ", "unknown_op"),
    op("a module", "linalg", "unknown_op"),
    op("no op at all", "definitely_not_an_op_of_pytorch", "unknown_op"),
    op("a way to the operating system", "nn.functional.torch.os.system", "unknown_op"),
    op("a way through overrides", "overrides.torch.os.getcwd", "unknown_op"),
    op("an id is named", "ad", "unknown_op", 1, id="y", node="y", hint="add"),
    op("a very long name", "a" * 100_000, "unknown_op"),
    op("save", "save", "excluded_op"),
    op("load", "load", "excluded_op"),
    op("from_file", "from_file", "excluded_op"),
    op("set_default_dtype", "set_default_dtype", "excluded_op"),
    op("set_num_threads", "set_num_threads", "excluded_op"),
    op("set_printoptions", "set_printoptions", "excluded_op"),
    op("set_", "Tensor.set_", "excluded_op"),
    op("data_ptr", "Tensor.data_ptr", "excluded_op"),
    op("untyped_storage", "Tensor.untyped_storage", "excluded_op"),
    op("register_hook", "Tensor.register_hook", "excluded_op"),
    op("map_", "Tensor.map_", "excluded_op"),
    op("numpy.load", "numpy.load", "excluded_op"),
    op("numpy.save", "np.save", "excluded_op"),
    op("numpy.frompyfunc", "numpy.frompyfunc", "excluded_op"),
    op("numpy.memmap", "numpy.memmap", "excluded_op"),
    op("numpy.frombuffer", "numpy.frombuffer", "excluded_op"),
]
NODE = "/nodes/0/args/0"
ADD = {"id": "y", "op": "add"}
REFERENCES = [
    graph("unknown", [ADD | {"args": ["$nothing", 1]}], "unknown_reference", NODE, "y"),
    graph(
        "a typo",
        [{"id": "weights", "op": "ones", "args": [2]}, ADD | {"args": ["$x", "$wieghts"]}],
        "unknown_reference",
        "/nodes/1/args/1",
        "y",
        hint="weights",
    ),
    graph("itself", [ADD | {"args": ["$y", 1]}], "unknown_reference", NODE, "y"),
    graph("forward", [ADD | {"args": ["$a", 1]}, ONES], "unknown_reference", NODE, "y", hint=""),
    graph("only a dollar", [ADD | {"args": ["$", 1]}], "unknown_reference", NODE, "y"),
    graph("a blank", [ADD | {"args": ["$x ", 1]}], "unknown_reference", NODE, "y"),
    graph("in a list", [{"id": "y", "op": "cat", "args": [["$x", "$nothing"]]}], "unknown_reference", NODE + "/1", "y"),
    graph(
        "in kwargs",
        [ADD | {"args": ["$x"], "kwargs": {"other": "$nothing"}}],
        "unknown_reference",
        "/nodes/0/kwargs/other",
        "y",
    ),
    graph(
        "in a tuple",
        [{"id": "y", "op": "cat", "args": [{"tuple": ["$x", "$nothing"]}]}],
        "unknown_reference",
        NODE + "/tuple/1",
        "y",
    ),
    graph(
        "in a slice",
        [{"id": "y", "op": "getitem", "args": ["$x", {"slice": ["$nothing", None]}]}],
        "unknown_reference",
        "/nodes/0/args/1/slice/0",
        "y",
    ),
    graph(
        "in index text",
        [{"id": "y", "op": "getitem", "args": ["$x", "$nothing, 1"]}],
        "unknown_reference",
        "/nodes/0/args/1",
        "y",
    ),
    graph(
        "in out",
        [ADD | {"args": ["$x", 1], "kwargs": {"out": "$nothing"}}],
        "unknown_reference",
        "/nodes/0/kwargs/out",
        "y",
    ),
    graph("a path that no value has", [ADD | {"args": ["$x.nothing", 1]}], "unknown_reference", NODE, "y"),
    graph("a private path", [ADD | {"args": ["$x.__class__", 1]}], "unknown_reference", NODE, "y"),
    graph("another private path", [ADD | {"args": ["$x._base", 1]}], "unknown_reference", NODE, "y"),
    graph("a method as a path", [ADD | {"args": ["$x.sum", 1]}], "unknown_reference", NODE, "y"),
    graph("a path of an empty step", [ADD | {"args": ["$x.", 1]}], "unknown_reference", NODE, "y"),
    graph("two dots", [ADD | {"args": ["$x..grad", 1]}], "unknown_reference", NODE, "y"),
    graph("a path below a number", [ADD | {"args": ["$x.ndim.shape", 1]}], "unknown_reference", NODE, "y"),
    graph(
        "an item that a tuple lacks",
        [{"id": "m", "op": "max", "args": ["$x", 0]}, ADD | {"args": ["$m.2", 1]}],
        "unknown_reference",
        "/nodes/1/args/0",
        "y",
    ),
    graph(
        "a field that a named tuple lacks",
        [{"id": "m", "op": "max", "args": ["$x", 0]}, ADD | {"args": ["$m.value", 1]}],
        "unknown_reference",
        "/nodes/1/args/0",
        "y",
    ),
    graph("returns", [ONES], "unknown_reference", "/returns/1", returns=["a", "b"]),
    graph("returns with a dollar", [ONES], "unknown_reference", "/returns/0", returns=["$b"]),
    graph("returns in a map", [ONES], "unknown_reference", "/returns/loss", returns={"loss": "los"}),
    graph("returns in an object", [ONES], "unknown_reference", "/returns/0/ref", returns=[{"ref": "b"}]),
    graph("returns a bad path", [ONES], "unknown_reference", "/returns/0", returns=["a.nothing"]),
    graph("returns a number", [ONES], "invalid_request", "/returns/0", returns=[1]),
    graph("returns text", [ONES], "invalid_request", "/returns", returns="a"),
    graph(
        "returns an unknown encoding",
        [ONES],
        "invalid_request",
        "/returns/0/encoding",
        returns=[{"ref": "a", "encoding": "hex"}],
    ),
    graph(
        "returns an unknown member",
        [ONES],
        "invalid_request",
        "/returns/0/encode",
        returns=[{"ref": "a", "encode": "json"}],
        hint="encoding",
    ),
    graph("returns without ref", [ONES], "invalid_request", "/returns/0", returns=[{"encoding": "json"}]),
]


@pytest.mark.parametrize("bad", MEMBERS, ids=names(MEMBERS))
def test_wrong_members(service: Service, bad: Bad) -> None:
    refuses(service, bad)


@pytest.mark.parametrize("bad", NAMES, ids=names(NAMES))
def test_wrong_ids_and_ops(service: Service, bad: Bad) -> None:
    refuses(service, bad)


@pytest.mark.parametrize("bad", REFERENCES, ids=names(REFERENCES))
def test_wrong_references(service: Service, bad: Bad) -> None:
    refuses(service, bad)


def test_an_unknown_op_in_a_path_is_404_and_names_the_nearest(service: Service) -> None:
    problem = service.refused({"args": [1]}, "/v1/ops/rellu")
    error = problem["errors"][0]
    assert (problem["status"], problem["code"], error["pointer"], error["parameter"]) == (404, "unknown_op", "", "name")
    assert "relu" in error["hint"]


def test_an_excluded_op_in_a_path_is_422_with_its_reason(service: Service) -> None:
    problem = service.refused({"args": ["a"]}, "/v1/ops/from_file")
    assert (problem["status"], problem["code"]) == (422, "excluded_op")
    assert "file" in problem["detail"].lower()


def test_several_errors_come_at_once_in_the_requests_order(service: Service) -> None:
    body = {
        "seed": "zero",
        "nodes": [
            {"id": "a", "op": "adde", "args": ["$x", 1]},
            {"id": "b", "op": "add", "args": ["$x", "$nothing"]},
            {"id": "b", "op": "mul", "args": ["$c", {"dtype": "float33"}]},
            {"id": "c", "op": "sum", "args": ["$x"], "kwargs": {"dims": 1}},
            {"op": "load", "args": ["f"]},
        ],
        "inputs": {"x": {"data": [1, None]}},
        "returns": ["d"],
    }
    errors = service.refused(body)["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [
        ("/seed", "invalid_request"),
        ("/nodes/0/op", "unknown_op"),
        ("/nodes/1/args/1", "unknown_reference"),
        ("/nodes/2/id", "duplicate_id"),
        ("/nodes/2/args/0", "unknown_reference"),
        ("/nodes/2/args/1/dtype", "invalid_argument"),
        ("/nodes/3/kwargs/dims", "invalid_argument"),
        ("/nodes/4/op", "excluded_op"),
        ("/inputs/x/data/1", "invalid_tensor"),
        ("/returns/0", "unknown_reference"),
    ]
    assert [error.get("node") for error in errors] == [None, "a", "b", "b", "b", "b", "c", 4, None, None]


def test_a_faulty_node_or_input_is_not_also_an_unknown_reference(service: Service) -> None:
    body = {
        "inputs": {"x": {"data": [[1], [2, 3]]}},
        "nodes": [{"id": "y", "op": "rellu", "args": ["$x"]}, {"id": "z", "op": "add", "args": ["$y", "$x"]}],
        "returns": ["z", "x.grad"],
    }
    errors = service.refused(body)["errors"]
    assert [(error["pointer"], error["code"]) for error in errors] == [
        ("/inputs/x/data/1", "invalid_tensor"),
        ("/nodes/0/op", "unknown_op"),
    ]


def test_a_problem_document_of_thousands_of_errors_stays_small(service: Service) -> None:
    nodes = [{"id": f"n{i}", "op": "ad" * 50, "args": ["$" + "q" * 200]} for i in range(5000)]
    problem = service.refused({"nodes": nodes})
    assert 20 < len(problem["errors"]) < 5000
    service.still_works()


def test_too_many_nodes(service: Service) -> None:
    limit = service.client.get("/v1/server").json()["limits"]["max_nodes"]
    nodes = [{"op": "ones", "args": [1]}] * (limit + 1)
    refuses(service, Bad("", {"nodes": nodes}, "limit_exceeded", "/nodes"))
    assert service.run(nodes[:-1], []) == {}
