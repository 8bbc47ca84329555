"""contract/documents: bodies are validated to the place, and the schemas say what the wire takes."""

from __future__ import annotations

import copy
import timeit

import pytest
from jsonschema import Draft202012Validator

from gradwire.contract.documents.check import validate
from gradwire.contract.documents.graph import GraphBody, NodeBody, OpBody, OutputRequest, TapeOptions
from gradwire.contract.documents.schemas import components
from service import TUTORIAL_GRAPH

TUTORIAL = TUTORIAL_GRAPH | {"returns": ["y", "out", "x.grad"], "tape": True}


class LazyNumbers:
    """Stands where a long list of numbers was read without making Python numbers of it."""


def body(**members):
    return {"nodes": [], **members}


def node(**members):
    return body(nodes=[{"op": "add", **members}])


def found(document, model=GraphBody):
    return [(finding.code, finding.source.pointer) for finding in validate(model, document)[1]]


def test_the_tutorials_body_is_read_with_its_defaults():
    graph, findings = validate(GraphBody, TUTORIAL)
    assert findings == []
    assert graph.inputs is not None
    assert [each.id for each in graph.nodes] == ["y", "yy", "z", "out", None]
    assert graph.nodes[0].args == ["$x", 2]
    assert graph.nodes[0].kwargs == {}
    assert graph.nodes[0].no_grad is False
    assert graph.returns == ["y", "out", "x.grad"]
    assert (graph.encoding, graph.describe, graph.device) == ("json", None, "auto")
    assert (graph.seed, graph.deadline_ms, graph.tape) == (None, None, True)


def test_validation_is_quick():
    """About 7 microseconds on the machine of docs/architecture.md; the bound only catches a change of kind."""
    each = min(timeit.repeat(lambda: validate(GraphBody, TUTORIAL), number=500, repeat=5)) / 500
    assert each < 100e-6


@pytest.mark.parametrize(
    "document",
    [
        body(),
        body(seed=-(2**63)),
        body(seed=2**64 - 1),
        body(seed=0, deadline_ms=1, device="cuda:1", encoding="base64", describe="full"),
        body(tape=False, inputs={"a.b c": 1, "\u00fc" * 256: [1]}),
        body(returns={"": "x", "any name": {"ref": "x", "encoding": "json", "describe": "full"}}),
        body(returns=[]),
        node(args=LazyNumbers(), kwargs={"dims": LazyNumbers()}),
        node(id="a$b", no_grad=True),
    ],
)
def test_what_the_contract_allows_is_taken(document):
    assert found(document) == []


def test_options_are_read_into_their_models():
    graph, _ = validate(GraphBody, body(tape={"gradients": True}, returns=[{"ref": "y", "encoding": "base64"}]))
    assert graph.tape == TapeOptions(gradients=True)
    assert graph.returns == [OutputRequest(ref="y", encoding="base64")]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (None, ""),
        (3, ""),
        ([], ""),
        ("text", ""),
        (LazyNumbers(), ""),
        ({"node": [], "nodes": []}, "/node"),
        ({"nodes": {}}, "/nodes"),
        ({"nodes": None}, "/nodes"),
        ({"nodes": LazyNumbers()}, "/nodes/0"),
        ({"nodes": [1]}, "/nodes/0"),
        ({"nodes": [{}]}, "/nodes/0"),
        (node(op=1), "/nodes/0/op"),
        (node(args={}), "/nodes/0/args"),
        (node(args=None), "/nodes/0/args"),
        (node(args="$x"), "/nodes/0/args"),
        (node(kwargs=[]), "/nodes/0/kwargs"),
        (node(no_grad=1), "/nodes/0/no_grad"),
        (node(no_grad="true"), "/nodes/0/no_grad"),
        (node(id=""), "/nodes/0/id"),
        (node(id="$y"), "/nodes/0/id"),
        (node(id="a\nb"), "/nodes/0/id"),
        (node(id="a\x7f"), "/nodes/0/id"),
        (node(id="a\x85"), "/nodes/0/id"),
        (node(id="a" * 257), "/nodes/0/id"),
        (node(id=1), "/nodes/0/id"),
        (node(id=None), "/nodes/0/id"),
        (node(**{"a/b~c": 1}), "/nodes/0/a~1b~0c"),
        (body(inputs=[]), "/inputs"),
        (body(inputs={"$x": 1}), "/inputs/$x"),
        (body(inputs={"": 1}), "/inputs/"),
        (body(inputs={"a/b\t": 1}), "/inputs/a~1b\t"),
        (body(returns="y"), "/returns"),
        (body(returns=None), "/returns"),
        (body(returns=[1]), "/returns/0"),
        (body(returns=LazyNumbers()), "/returns/0"),
        (body(returns=["y", {}]), "/returns/1"),
        (body(returns=[{"ref": 1}]), "/returns/0/ref"),
        (body(returns={"list": {"ref": "y", "encodin": "json"}}), "/returns/list/encodin"),
        (body(returns={"map": {"ref": "y", "encoding": "hex"}}), "/returns/map/encoding"),
        (body(returns={"text": None}), "/returns/text"),
        (body(encoding="part"), "/encoding"),
        (body(encoding=None), "/encoding"),
        (body(describe="all"), "/describe"),
        (body(describe=True), "/describe"),
        (body(tape=1), "/tape"),
        (body(tape="true"), "/tape"),
        (body(tape={"gradients": 1}), "/tape/gradients"),
        (body(tape={"gradient": True}), "/tape/gradient"),
        (body(device=1), "/device"),
        (body(seed=True), "/seed"),
        (body(seed="0"), "/seed"),
        (body(seed=0.0), "/seed"),
        (body(seed=None), "/seed"),
        (body(seed=2**64), "/seed"),
        (body(seed=-(2**63) - 1), "/seed"),
        (body(deadline_ms=0), "/deadline_ms"),
        (body(deadline_ms=True), "/deadline_ms"),
        (body(deadline_ms=10.0), "/deadline_ms"),
        (body(deadline_ms="10"), "/deadline_ms"),
    ],
)
def test_what_is_wrong_is_found_at_its_place(document, pointer):
    assert found(document) == [("invalid_request", pointer)]


def test_all_mistakes_are_found_at_once_with_their_nodes():
    document = body(nodes=[{"id": "y", "op": 1, "arg": []}, {"args": 3}, {"op": "add", "id": "$"}], seed="0", tpae=True)
    findings = validate(GraphBody, document)[1]
    assert [(finding.source.pointer, finding.node) for finding in findings] == [
        ("/nodes/0/op", "y"),
        ("/nodes/0/arg", "y"),
        ("/nodes/1", 1),
        ("/nodes/1/args", 1),
        ("/nodes/2/id", 2),
        ("/seed", None),
        ("/tpae", None),
    ]
    unknown = findings[1]
    assert unknown.got == "arg"
    assert unknown.expected == ["id", "let", "op", "of", "args", "kwargs", "options", "no_grad"]
    assert unknown.hint == "did you mean `args`?"
    assert findings[-1].hint == "did you mean `tape`?"
    assert findings[2].message == "a node must have `op`"
    assert findings[0].message == "`op`: expected a string, got an integer"


def test_an_unknown_member_like_no_other_gets_the_list_of_members():
    finding = validate(NodeBody, {"op": "ones", "zzzz": 1})[1][0]
    assert finding.hint == "leave it out; the members are id, let, op, of, args, kwargs, options, no_grad"


def test_a_long_unknown_member_gets_no_hint():
    assert validate(GraphBody, body(**{"n" * 100_000: 1}))[1][0].hint is None


def test_the_body_of_one_op():
    call, findings = validate(OpBody, {"args": [{"data": [1]}, 2], "kwargs": {"alpha": 3}, "seed": 1})
    assert findings == []
    assert (call.args, call.kwargs, call.seed) == ([{"data": [1]}, 2], {"alpha": 3}, 1)
    assert found({}, OpBody) == []
    assert found({"returns": [], "args": 1}, OpBody) == [("invalid_request", "/args"), ("invalid_request", "/returns")]


# The schemas: what they say is what a client may rely on.

SCHEMAS = components()


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}})


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_component_is_a_valid_schema_and_says_what_it_is(name):
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["description"]


def fields():
    return [(name, field) for name, schema in SCHEMAS.items() for field in schema.get("properties", {})]


@pytest.mark.parametrize(("name", "field"), fields())
def test_every_field_is_described_and_has_a_type(name, field):
    schema = SCHEMAS[name]["properties"][field]
    target = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    assert schema.get("description") or target.get("description")
    assert {"type", "anyOf", "oneOf", "const", "enum"} & target.keys()


def test_every_reference_leads_to_a_component():
    def references(schema):
        if isinstance(schema, dict):
            yield from [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
            for inner in schema.values():
                yield from references(inner)
        elif isinstance(schema, list):
            for inner in schema:
                yield from references(inner)

    assert set(references(SCHEMAS)) <= {f"#/components/schemas/{name}" for name in SCHEMAS}


def test_every_kind_of_value_has_its_schema():
    kinds = "tensor ndarray bool int float complex string none size dtype device layout memory_format list tuple dict"
    assert set(SCHEMAS["Value"]["discriminator"]["mapping"]) == set(kinds.split())


ARGUMENTS = [
    1,
    -2.5,
    True,
    None,
    "mean",
    "",
    "$x",
    "$$x",
    [1, ["$x", [None]]],
    {"tensor": {"data": [1], "dtype": "float32"}},
    {"tensor": [[1, 2], [3, 4]]},
    {"dtype": "float64"},
    {"slice": [None]},
    {"slice": [1, "$n", -1]},
    {"ellipsis": True},
    {"float": "NaN"},
    {"complex": [1, "-Infinity"]},
    {"memory_format": "channels_last"},
    {"layout": "strided"},
    {"tuple": [1, {"tuple": []}]},
    {"size": [5, 3]},
    {"dict": {"a": [1], "b": "$x"}},
    {"int": "123456789012345678901"},
    {"device": "cpu"},
]
NO_ARGUMENTS = [
    "$",
    {},
    {"data": [1]},
    {"dtype": 1},
    {"dtype": "float64", "size": [1]},
    {"slice": []},
    {"slice": [1, 2, 3, 4]},
    {"ellipsis": False},
    {"complex": [1]},
    {"int": "1.5"},
    {"nothing": 1},
]


@pytest.mark.parametrize("argument", ARGUMENTS, ids=str)
def test_the_schema_of_arguments_takes(argument):
    assert validator("Argument").is_valid(argument)
    assert validator("GraphBody").is_valid(node(args=[argument], kwargs={"k": argument}))
    assert validator("OpBody").is_valid({"args": [argument]})


@pytest.mark.parametrize("argument", NO_ARGUMENTS, ids=str)
def test_the_schema_of_arguments_refuses(argument):
    assert not validator("Argument").is_valid(argument)
    assert not validator("GraphBody").is_valid(node(args=[argument]))


def test_a_bare_tensor_is_an_argument_of_one_op_only():
    tensor = {"data": [1, 2]}
    assert validator("OpArgument").is_valid(tensor)
    assert not validator("Argument").is_valid(tensor)


@pytest.mark.parametrize(
    "value",
    [
        1,
        False,
        ["NaN", "0x7fc00001", "-1.5e-3"],
        [],
        [[], []],
        [1, [2]],
        {"data": 1},
        {"data": "AACAPw==", "encoding": "base64", "dtype": "float32", "shape": [1]},
        {"data": [1], "encoding": "json", "grad_fn": None, "kind": "tensor", "is_leaf": True},
    ],
    ids=str,
)
def test_the_schema_of_inputs_takes(value):
    assert validator("Input").is_valid(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "one",
        "NaN",
        [None],
        ["one"],
        {},
        {"data": None},
        {"data": 1, "dtype": 1},
        {"data": 1, "dtype": "float31"},
        {"data": 1, "shape": [-1]},
        {"data": "AACAPw==", "encoding": "base64"},
        {"data": 1, "encoding": "hex"},
        {"data": 1, "requires_grad": "yes"},
    ],
    ids=str,
)
def test_the_schema_of_inputs_refuses(value):
    assert not validator("Input").is_valid(value)


def test_the_schema_and_the_validation_agree_on_graphs():
    schema = validator("GraphBody")
    assert schema.is_valid(TUTORIAL)
    for member, wrong in {
        "nodes": 1,
        "seed": True,
        "seed ": 1,
        "tape": 1,
        "deadline_ms": 0,
        "encoding": "hex",
        "describe": "all",
        "returns": "y",
        "inputs": {"$x": 1},
        "device": None,
    }.items():
        changed = {**copy.deepcopy(TUTORIAL), member: wrong}
        assert not schema.is_valid(changed), member
        assert validate(GraphBody, changed)[1], member
