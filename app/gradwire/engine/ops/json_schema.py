"""JSON Schema of the body of POST /v1/ops/{name}, from the op's overloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradwire.engine.ops import words
from gradwire.engine.ops.parameters import Overload, Parameter, ParamType

_TENSOR_DOCUMENT = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": True,
        "dtype": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "requires_grad": {"type": "boolean"},
        "device": {"type": "string"},
        "encoding": {"type": "string"},
    },
}


def _literal(key: str, inner: Any) -> dict[str, Any]:
    """A one-key object, for what JSON has no word."""
    return {"type": "object", "required": [key], "properties": {key: inner}, "additionalProperties": False}


_DEFINITIONS: dict[str, Any] = {
    "Tensor": {
        "description": "A tensor: a document, or numbers as they are",
        "anyOf": [
            _literal("tensor", _TENSOR_DOCUMENT),
            _TENSOR_DOCUMENT,
            {"type": ["number", "boolean", "array"]},
            {"$ref": "#/$defs/Number"},
        ],
    },
    "Number": {
        "anyOf": [
            {"type": ["number", "boolean"]},
            _literal("float", {"type": "string"}),
            _literal("int", {"type": "string"}),
            _literal("complex", {"type": "array", "minItems": 2, "maxItems": 2}),
            _literal("tensor", _TENSOR_DOCUMENT),
        ]
    },
    "List": {
        "anyOf": [
            {"type": "array"},
            _literal("tuple", {"type": "array"}),
            _literal("size", {"type": "array"}),
        ]
    },
}
_INTEGER = {
    "anyOf": [{"type": "integer"}, {"type": "boolean"}, _literal("int", {"type": "string"}), {"$ref": "#/$defs/Tensor"}]
}
_TYPES: dict[str, Any] = {
    "Tensor": {"$ref": "#/$defs/Tensor"},
    "Number": {"$ref": "#/$defs/Number"},
    "complex": {"$ref": "#/$defs/Number"},
    "float": {"$ref": "#/$defs/Number"},
    "int": _INTEGER,
    "bool": {"$ref": "#/$defs/Number"},
    "str": {"type": "string"},
    "Dimname": {"type": "string"},
    "None": {"type": "null"},
    "dict": {"type": "object"},
}


def of(overloads: Sequence[Overload], *, loose: bool = False) -> dict[str, Any]:
    """The schema: one alternative per overload, the arguments by position or by name.

    `loose`: a Python function, whose annotations nothing enforces: where one says a list, a number may do as well.
    """
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "args": {"type": "array"},
            "kwargs": {"type": "object"},
            "seed": {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1},
            "device": {"type": "string"},
            "encoding": {"enum": ["json", "base64"]},
            "describe": {"enum": ["full"]},
            "deadline_ms": {"type": "integer", "minimum": 1},
        },
        "additionalProperties": False,
        "$defs": _DEFINITIONS,
    }
    if overloads:
        schema["anyOf"] = [_overload(one, loose) for one in overloads]
    return schema


def _overload(overload: Overload, loose: bool) -> dict[str, Any]:
    positional = [one for one in overload.parameters if not one.keyword_only and not one.variadic]
    rest = next((one for one in overload.parameters if one.variadic), None)
    args: dict[str, Any] = {"type": "array"}
    if positional:
        args["prefixItems"] = [_parameter(one, loose) for one in positional]
    args["items"] = False if rest is None else _parameter(rest, loose)
    named = [one for one in overload.parameters if not one.variadic and "Generator" not in one.type]
    kwargs = {
        "type": "object",
        "properties": {one.name: _parameter(one, loose) for one in named},
        "additionalProperties": overload.open_keywords,
    }
    required = [one.name for one in named if one.required and one.keyword_only]
    if required:
        kwargs["required"] = required
    alternative: dict[str, Any] = {"title": overload.text, "properties": {"args": args, "kwargs": kwargs}}
    if required:
        alternative["required"] = ["kwargs"]
    return alternative


def _parameter(parameter: Parameter, loose: bool) -> dict[str, Any]:
    declared = _type(parameter.type, loose)
    return {"title": parameter.name, **declared}


def _type(declared: ParamType, loose: bool) -> dict[str, Any]:
    if declared.is_any:
        return {}
    options: list[Any] = []
    for atom in declared.atoms:
        option = {"$ref": "#/$defs/List"} if atom.endswith("[]") else _named(atom) or _TYPES.get(atom)
        if option is not None and option not in options:
            options.append(option)
    if loose and options and any(atom in ("int", "float", "int[]", "float[]") for atom in declared.atoms):
        options.append({"$ref": "#/$defs/Number"})
    if declared.choices:
        options.append({"enum": list(declared.choices)})
    return options[0] if len(options) == 1 else {"anyOf": options} if options else {}


def _named(atom: str) -> dict[str, Any] | None:
    """dtypes and the like: a plain string, or the one-key object."""
    if atom not in words.NAMED:
        return None
    text: dict[str, Any] = {"type": "string", "examples": words.known(atom)}
    return {"anyOf": [text, _literal(atom, {"type": "string"})]}
