"""The models as JSON Schema (2020-12), ready to stand under `components/schemas` of an OpenAPI 3.1 document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gradwire.contract.documents import (
    arguments,
    batch,
    catalogue,
    graph,
    nodes,
    programs,
    replies,
    server,
    short_forms,
    tape,
    tensor,
    values,
)
from gradwire.contract.documents.component import PLACEHOLDER

PREFIX = "#/components/schemas/"

_REQUESTS: tuple[type[BaseModel], ...] = (
    graph.GraphBody,
    graph.OpBody,
    nodes.FunctionBody,
    programs.ProgramBody,
    batch.BatchBody,
    *dict.fromkeys(short_forms.BODIES.values()),
)
_REPLIES: tuple[type[BaseModel], ...] = (
    replies.GraphReply,
    replies.OpReply,
    programs.ProgramReply,
    programs.PythonReply,
    batch.BatchReply,
    replies.ProblemDocument,
    catalogue.OpsReply,
    catalogue.OpDescription,
    server.ServerReply,
    server.Alive,
    server.Ready,
    tape.TapeReply,
    *dict.fromkeys(short_forms.REPLIES.values()),
)
_ALIASES: dict[str, Any] = {
    "Input": tensor.Input,
    "OpArgument": arguments.OpArgument,
    "Value": values.Value,
    "CotangentsIn": short_forms.CotangentsIn,
}


# Unions of which two forms may fit the same document: `{"op": "break"}` has all that an operation must have.
_OVERLAPPING = ("Callee", "Statement")


def components() -> dict[str, Any]:
    """Every document on the wire by the name of its model, sorted; references point into `PREFIX`."""
    schemas: dict[str, Any] = {}
    _, models = models_json_schema(
        [(model, "validation") for model in (*_REQUESTS, *_REPLIES)], ref_template=f"{PREFIX}{{model}}"
    )
    schemas.update(models["$defs"])
    for name, alias in _ALIASES.items():
        schemas.update(_of_alias(name, alias, "validation"))
    tidied = {name: _tidy(schemas[name]) for name in sorted(schemas)}
    for name in _OVERLAPPING:
        tidied[name]["anyOf"] = tidied[name].pop("oneOf")
    return tidied


def _of_alias(name: str, alias: Any, mode: JsonSchemaMode) -> dict[str, Any]:
    """A named union and everything it refers to."""
    schema = TypeAdapter(alias).json_schema(ref_template=f"{PREFIX}{{model}}", mode=mode)
    inner: dict[str, Any] = schema.pop("$defs", {})
    if schema.get("$ref") != f"{PREFIX}{name}":
        inner[name] = schema
    return inner


def _tidy(schema: Any) -> Any:
    """Pydantic's schema without what says nothing to a reader, and with placeholders made references."""
    if isinstance(schema, list):
        return [_tidy(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if PLACEHOLDER in schema:
        schema = {"$ref": PREFIX + schema[PLACEHOLDER], **{k: v for k, v in schema.items() if k != PLACEHOLDER}}
    tidied = {key: _TIDY.get(key, _tidy)(entry) for key, entry in schema.items() if not _says_nothing(key, entry)}
    if tidied.pop("x-one-of", False):
        tidied["oneOf"] = tidied.pop("anyOf")
    return tidied


def _members(properties: dict[str, Any]) -> dict[str, Any]:
    """Members keep their names, whatever these are."""
    return {name: _tidy(schema) for name, schema in properties.items()}


def _as_it_is(value: Any) -> Any:
    return value


_TIDY: dict[str, Callable[[Any], Any]] = {
    "properties": _members,
    "examples": _as_it_is,
    "default": _as_it_is,
    "const": _as_it_is,
    "enum": _as_it_is,
}


def _says_nothing(key: str, entry: Any) -> bool:
    """Titles repeat the member's name; a default of null means that the member may be left out."""
    return (key == "title" and isinstance(entry, str)) or (key == "default" and entry is None)
