"""Arguments: references, literals and the one-key objects, and every mistake at its place."""

import json
import math

import pytest
import torch

from gradwire.engine.graph import Collection, Dictionary, Literal, Numbers, Ref, SliceOf, TensorDocument
from gradwire.findings import Source
from gradwire.wire.read.arguments import OBJECTS, read_argument
from gradwire.wire.read.skeleton import skeleton

PLACE = Source("/nodes/0/args/0")


def read(value, **more):
    findings = []
    expression = read_argument(value, PLACE, findings, **more)
    assert findings == []
    return expression


def literal(value):
    expression = read(value)
    assert isinstance(expression, Literal)
    return expression.value


def mistakes(value, **more):
    findings = []
    read_argument(value, PLACE, findings, **more)
    return [(finding.code, finding.source.pointer.removeprefix(PLACE.pointer)) for finding in findings]


@pytest.mark.parametrize("value", [2, 2.0, True, None, "mean", "", ":, 1", -(2**63), 2**64 - 1])
def test_json_values_are_themselves(value):
    assert literal(value) == value
    assert type(literal(value)) is type(value)


def test_references():
    assert read("$x") == Ref("x", PLACE)
    assert read("$x.grad") == Ref("x.grad", PLACE)
    assert read("$") == Ref("", PLACE)
    assert literal("$$x") == "$x"
    assert literal("$$") == "$"
    assert literal("x$y") == "x$y"


def test_lists_of_numbers_stay_numbers():
    for value in ([2, 3], [1.5], [True, 2], [[1, 2], [3, 4.5]], [[[1]]]):
        numbers = read(value)
        assert isinstance(numbers, Numbers)
        assert numbers.shape == torch.tensor(value).shape
        assert numbers.tolist() == value
        assert torch.equal(numbers.tensor(), torch.tensor(value))
        assert numbers.tensor().dtype == torch.tensor(value).dtype
        assert numbers.source == PLACE
    first, second = numbers.tolist(), numbers.tolist()
    first[0][0][0] = 7
    assert second == value == [[[1]]]
    assert numbers.tensor().data_ptr() != numbers.tensor().data_ptr()


def test_long_lists_of_numbers():
    values = [[i + 0.5 for i in range(1000)] for _ in range(3)]
    for given in (values, [[int(v) for v in row] for row in values]):
        numbers = read(skeleton(json.dumps(given).encode(), 9))
        assert isinstance(numbers, Numbers)
        assert numbers.shape == (3, 1000)
        assert numbers.tolist() == given
        assert torch.equal(numbers.tensor(), torch.tensor(given))
        assert numbers.tensor().dtype == torch.tensor(given).dtype


@pytest.mark.parametrize("value", [[], [[]], [[1], [2, 3]], [1, None], [1, [2]], ["a"], [[1], ["$x"]]], ids=str)
def test_other_lists_are_collections(value):
    found = read(value)
    assert isinstance(found, Collection)
    assert (found.kind, len(found.items)) == ("list", len(value))


def test_places_inside_lists():
    found = read(["$x", [1, "$y"]])
    assert found.items[0] == Ref("x", PLACE.at(0))
    assert found.items[1].items == (Literal(1, PLACE.at(1, 0)), Ref("y", PLACE.at(1, 1)))


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"dtype": "float64"}, torch.float64),
        ({"dtype": "torch.long"}, torch.int64),
        ({"dtype": "quint8"}, torch.quint8),
        ({"ellipsis": True}, ...),
        ({"float": "Infinity"}, math.inf),
        ({"float": "-Infinity"}, -math.inf),
        ({"float": "0.1"}, 0.1),
        ({"float": 2}, 2.0),
        ({"float": "1e400"}, math.inf),
        ({"complex": [1, -2.5]}, 1 - 2.5j),
        ({"complex": ["Infinity", 0]}, complex(math.inf, 0)),
        ({"memory_format": "channels_last"}, torch.channels_last),
        ({"memory_format": "torch.preserve_format"}, torch.preserve_format),
        ({"layout": "strided"}, torch.strided),
        ({"layout": "torch.sparse_coo"}, torch.sparse_coo),
        ({"device": "cpu"}, torch.device("cpu")),
        ({"int": "123456789012345678901"}, 123456789012345678901),
        ({"int": "-5"}, -5),
        ({"int": 7}, 7),
        ({"int": str(2**4096 - 1)}, 2**4096 - 1),
    ],
    ids=str,
)
def test_literals(document, value):
    found = literal(document)
    assert found == value
    assert type(found) is type(value)


def test_nans_keep_sign_and_payload():
    import struct

    for text, bits in (("NaN", 0x7FF8 << 48), ("-NaN", 0xFFF8 << 48), ("0x7ff8000000000001", (0x7FF8 << 48) + 1)):
        assert struct.pack(">d", literal({"float": text})) == struct.pack(">Q", bits)


def test_slices():
    left_out = Literal(None, PLACE.at("slice"))
    assert read({"slice": [None]}) == SliceOf(left_out, Literal(None, PLACE.at("slice", 0)), left_out, PLACE)
    found = read({"slice": [1, "$n", -1]})
    assert (found.start.value, found.stop, found.step.value) == (1, Ref("n", PLACE.at("slice", 1)), -1)
    found = read({"slice": [2, 5]})
    assert (found.start.value, found.stop.value, found.step.value) == (2, 5, None)


def test_composed_literals():
    found = read({"tuple": [1, "$x", {"dtype": "half"}, [2, 3]]})
    assert isinstance(found, Collection)
    assert found.kind == "tuple"
    assert [type(item) for item in found.items] == [Literal, Ref, Literal, Numbers]
    assert found.items[2].source.pointer == "/nodes/0/args/0/tuple/2"
    assert found.source == PLACE
    found = read({"size": [5, "$n"]})
    assert (found.kind, found.items[0].value, found.items[1].text) == ("size", 5, "n")
    found = read({"dict": {"a": 1, "b/c": "$x", "dtype": {"dict": {}}}})
    assert isinstance(found, Dictionary)
    assert found.items["b/c"].source.pointer == "/nodes/0/args/0/dict/b~1c"
    assert isinstance(found.items["dtype"], Dictionary)
    assert read({"tuple": []}).items == ()


def test_tensors():
    found = read({"tensor": {"data": [1.5], "requires_grad": True}})
    assert isinstance(found, TensorDocument)
    assert found.requires_grad
    assert found.source.pointer == "/nodes/0/args/0/tensor"
    assert read({"tensor": 5}).tensor.item() == 5
    assert read({"tensor": [[1, 2]]}).tensor.shape == (1, 2)
    bare = read({"data": [1, 2], "dtype": "half"}, bare_tensors=True)
    assert (bare.tensor.dtype, bare.source) == (torch.float16, PLACE)
    assert read({"data": 5}, bare_tensors=True).tensor.item() == 5
    assert read([{"data": 5}, 1], bare_tensors=True).items[0].tensor.item() == 5
    assert mistakes({"data": [1]}) == [("invalid_argument", "")]


WRONG = [
    ({}, ""),
    ({"tensr": 1}, ""),
    ({"slice": [1], "dtype": "half"}, ""),
    ({"shape": [1], "dtype": "half"}, ""),
    ({"dtype": "float"[:3]}, "/dtype"),
    ({"dtype": 5}, "/dtype"),
    ({"dtype": None}, "/dtype"),
    ({"layout": "x"}, "/layout"),
    ({"layout": "_mkldnn"}, "/layout"),
    ({"memory_format": ""}, "/memory_format"),
    ({"ellipsis": False}, "/ellipsis"),
    ({"ellipsis": 1}, "/ellipsis"),
    ({"float": "x"}, "/float"),
    ({"float": None}, "/float"),
    ({"float": "0x7fc00000"}, "/float"),
    ({"complex": [1]}, "/complex"),
    ({"complex": 1}, "/complex"),
    ({"complex": [1, "x"]}, "/complex/1"),
    ({"int": "1.0"}, "/int"),
    ({"int": 1.0}, "/int"),
    ({"int": ""}, "/int"),
    ({"int": "-"}, "/int"),
    ({"int": "--1"}, "/int"),
    ({"int": "١"}, "/int"),
    ({"int": True}, "/int"),
    ({"int": str(2**4096)}, "/int"),
    ({"int": "9" * 5000}, "/int"),
    ({"slice": []}, "/slice"),
    ({"slice": [1, 2, 3, 4]}, "/slice"),
    ({"slice": 1}, "/slice"),
    ({"slice": [1.5]}, "/slice/0"),
    ({"slice": [0, True]}, "/slice/1"),
    ({"slice": ["$$x"]}, "/slice/0"),
    ({"tuple": 1}, "/tuple"),
    ({"tuple": [{"dtype": "q"}]}, "/tuple/0/dtype"),
    ({"size": [1, "a"]}, "/size/1"),
    ({"size": 5}, "/size"),
    ({"size": [1.0]}, "/size/0"),
    ({"size": [True]}, "/size/0"),
    ({"dict": []}, "/dict"),
    ({"dict": {"a": {"b": 1}}}, "/dict/a"),
    ([1, [{"x": 1}]], "/1/0"),
    ({"device": 5}, "/device"),
]


@pytest.mark.parametrize(("document", "place"), WRONG, ids=str)
def test_wrong_literals(document, place):
    assert mistakes(document) == [("invalid_argument", place)]


def test_wrong_tensors_and_devices():
    assert mistakes({"tensor": {"data": [1, None], "dtype": "int8"}}) == [("invalid_tensor", "/tensor/data/1")]
    assert mistakes({"tensor": "x"}) == [("invalid_tensor", "/tensor")]
    assert mistakes({"device": "cuda:99"}) == [("unavailable_device", "/device")]
    assert mistakes({"data": [[1], [2, 3]]}, bare_tensors=True) == [("invalid_tensor", "/data/1")]


def test_several_mistakes_come_at_once():
    assert mistakes([{"dtype": "x"}, {"tuple": [{"layout": "y"}, {"slice": [1.5, "a"]}]}, 1]) == [
        ("invalid_argument", "/0/dtype"),
        ("invalid_argument", "/1/tuple/0/layout"),
        ("invalid_argument", "/1/tuple/1/slice/0"),
        ("invalid_argument", "/1/tuple/1/slice/1"),
    ]


def test_a_wrong_object_names_the_right_ones():
    findings = []
    read_argument({"tensr": 1}, PLACE, findings)
    assert findings[0].expected == OBJECTS
    assert set(OBJECTS) >= set(
        "tensor dtype slice ellipsis float complex memory_format layout tuple size dict int".split()
    )
    read_argument({"data": [1]}, PLACE, findings)
    assert '{"tensor": {"data"' in findings[1].hint
