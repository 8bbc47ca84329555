"""The catalogue: every op and exclusion as JSON-ready documents (contract, section 5)."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

from gradwire.engine.ops import examples, facts, json_schema
from gradwire.engine.ops.parameters import Overload, Parameter
from gradwire.engine.ops.registry import Excluded, Op, registry

# Of a docstring, what explains the op; parameters and examples come later.
_SEARCHED = 1000


def summaries() -> list[dict[str, Any]]:
    """`name`, `summary`, `status` and `reason` of every entry, by name, and the `text` that a search looks through."""
    found = []
    for name in registry().names():
        entry = registry().find(name)
        if entry is not None:
            found.append(
                {
                    "name": name,
                    "summary": facts.summary(entry.doc),
                    "status": "callable" if isinstance(entry, Op) else "excluded",
                    "reason": entry.reason if isinstance(entry, Excluded) else None,
                    "text": entry.doc[:_SEARCHED],
                }
            )
    return found


def describe(name: str) -> dict[str, Any]:
    """All that is known of one op. Raises KeyError for a name that no entry has.

    `differentiable` and `example` come from a small call that is tried here, so this belongs in a worker.
    """
    entry = registry().find(name)
    if entry is None:
        raise KeyError(name)
    if isinstance(entry, Excluded):
        return _excluded(entry)
    found, seen = examples.example(entry), examples.observed(entry)
    return {
        "name": entry.name,
        "status": "callable",
        "reason": None,
        "summary": entry.summary,
        "overloads": [_overload(one) for one in entry.overloads],
        "differentiable": None if seen is None else seen.differentiable,
        "in_place": entry.in_place,
        "random": entry.random,
        "view": entry.view or (seen is not None and seen.shares_memory and not entry.in_place),
        "data_dependent_shape": entry.facts.dynamic_shape or (seen is not None and seen.dynamic_shape),
        "doc": entry.doc,
        "doc_url": entry.doc_url if entry.doc else None,
        "schema": json_schema.of(entry.overloads, loose=isinstance(entry.call, FunctionType)),
        "example": None if found is None else found.body,
        "example_graph": None if found is None else found.graph,
    }


def _excluded(entry: Excluded) -> dict[str, Any]:
    return {
        "name": entry.name,
        "status": "excluded",
        "reason": entry.reason,
        "summary": facts.summary(entry.doc),
        "overloads": [],
        "differentiable": None,
        "in_place": None,
        "random": None,
        "view": None,
        "data_dependent_shape": None,
        "doc": entry.doc,
        "doc_url": facts.doc_url(entry.name) if entry.doc else None,
        "schema": None,
        "example": None,
        "example_graph": None,
    }


def _overload(overload: Overload) -> dict[str, Any]:
    return {
        "text": overload.text,
        "parameters": [_parameter(one) for one in overload.parameters],
        "returns": overload.returns,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": parameter.name,
        "type": parameter.type.text,
        "optional": "None" in parameter.type,
        "required": parameter.required,
        "keyword_only": parameter.keyword_only,
        "variadic": parameter.variadic,
        "default": None if parameter.required or parameter.variadic else jsonable(parameter.default),
    }
    if parameter.type.choices:
        document["choices"] = list(parameter.type.choices)
    return document


def jsonable(default: Any) -> Any:
    """A default as strict JSON: numbers, text and lists as they are, the rest as Python writes it."""
    if isinstance(default, (list, tuple)):
        return [jsonable(one) for one in default]
    if isinstance(default, float) and not math.isfinite(default):
        return "NaN" if math.isnan(default) else "Infinity" if default > 0 else "-Infinity"
    if default is None or isinstance(default, (bool, int, float, str)):
        return default
    return str(default)
