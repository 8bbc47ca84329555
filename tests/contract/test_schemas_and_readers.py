"""The schemas of arguments and tensors, which only describe, agree with `wire.read`, which reads them."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from gradwire.contract.documents.schemas import components
from gradwire.findings import Refusal, Source
from gradwire.wire.read.arguments import OBJECTS, read_argument
from gradwire.wire.read.tensor import read_tensor

SCHEMAS = components()


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}})


ARGUMENTS = [
    1,
    -2.5,
    True,
    None,
    "mean",
    "$x",
    "$$x",
    [],
    [1, ["$x", [None]]],
    {"tensor": {"data": [1], "dtype": "float32"}},
    {"tensor": [[1, 2], [3, 4]]},
    {"tensor": None},
    {"tensor": {}},
    {"dtype": "float64"},
    {"dtype": 1},
    {"dtype": "float64", "layout": "strided"},
    {"slice": [None]},
    {"slice": [1, "$n", -1]},
    {"slice": []},
    {"slice": [1, 2, 3, 4]},
    {"slice": [1.5]},
    {"slice": 1},
    {"ellipsis": True},
    {"ellipsis": False},
    {"ellipsis": 1},
    {"float": "NaN"},
    {"float": 1},
    {"float": None},
    {"float": []},
    {"complex": [1, "-Infinity"]},
    {"complex": [1]},
    {"complex": 1},
    {"memory_format": "channels_last"},
    {"memory_format": 1},
    {"layout": "strided"},
    {"layout": None},
    {"tuple": [1, {"tuple": []}]},
    {"tuple": 1},
    {"size": [5, 3]},
    {"size": ["$n"]},
    {"size": [1.5]},
    {"size": ["n"]},
    {"dict": {"a": [1], "b": "$x"}},
    {"dict": []},
    {"dict": {"a": {}}},
    {"int": "123456789012345678901"},
    {"int": 5},
    {"int": "1.5"},
    {"int": 1.5},
    {"device": "cpu"},
    {"device": 0},
    {"nothing": 1},
    {},
    {"data": [1]},
]


def is_read(value, bare_tensors=False):
    findings = []
    read_argument(value, Source("/args/0"), findings, bare_tensors=bare_tensors)
    return findings == []


@pytest.mark.parametrize("argument", ARGUMENTS, ids=str)
def test_the_schema_of_arguments_takes_what_the_reader_reads(argument):
    assert validator("Argument").is_valid(argument) == is_read(argument)
    assert validator("OpArgument").is_valid(argument) == is_read(argument, bare_tensors=True)


def test_the_schema_of_arguments_has_every_object_that_the_reader_knows():
    members = [SCHEMAS[name]["properties"] for name in SCHEMAS if name.endswith("Literal")]
    assert {name for properties in members for name in properties} == set(OBJECTS)


TENSORS = [
    1,
    False,
    "NaN",
    "0x7fc00001",
    [],
    [[], []],
    [1, 2],
    None,
    "one",
    [None],
    {},
    {"data": 1},
    {"data": None},
    {"data": 1, "dtype": "torch.float32"},
    {"data": 1, "dtype": "long"},
    {"data": 1, "dtype": 1},
    {"data": 1, "dtype": None},
    {"data": 1, "dtype": "float31"},
    {"data": [1], "shape": [1]},
    {"data": 1, "shape": [-1]},
    {"data": 1, "shape": 1},
    {"data": 1, "requires_grad": 1},
    {"data": 1, "requires_grad": False},
    {"data": 1, "device": 1},
    {"data": 1, "encoding": "hex"},
    {"data": "AACAPw==", "encoding": "base64"},
    {"data": "AACAPw==", "encoding": "base64", "dtype": "float32", "shape": [1]},
    {"data": [1], "encoding": "base64", "dtype": "float32", "shape": [1]},
    {"data": [1.5], "grad_fn": None, "kind": "tensor", "is_leaf": True, "strides": [1]},
]


@pytest.mark.parametrize("tensor", TENSORS, ids=str)
def test_the_schema_of_tensors_takes_what_the_reader_reads(tensor):
    try:
        read_tensor(tensor, Source("/inputs/x"))
        read = True
    except Refusal:
        read = False
    assert validator("Input").is_valid(tensor) == read
