"""Graph records to the nodes that a JSON client would write (contract section 8, "Blocks")."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from gradwire.engine.graph import (
    Bind,
    Break,
    Callee,
    Collection,
    Continue,
    Def,
    Del,
    Dictionary,
    Expression,
    Fail,
    For,
    If,
    Literal,
    NamedFunction,
    Node,
    Numbers,
    Parameter,
    Ref,
    Return,
    SliceOf,
    Star,
    Statement,
    Target,
    Transform,
    While,
    With,
)
from gradwire.program import names

Document = dict[str, Any]
Lines = dict[str, list[int | None]]

_LARGEST_EXACT = 2**53 - 1


def nodes_of(statements: Sequence[Statement], pointer: str = "/nodes") -> tuple[list[Document], Lines]:
    """The documents of `statements`, and where each node came from: pointer → [line, column].

    `pointer` is where the list stands. Raises TypeError for a record that only a request's body can hold: a tensor.
    """
    lines: Lines = {}
    return _nodes(statements, pointer, lines), lines


def _nodes(statements: Sequence[Statement], pointer: str, lines: Lines) -> list[Document]:
    found: list[Document] = []
    for index, one in enumerate(statements):
        place = f"{pointer}/{index}"
        if one.source.line is not None:
            lines[place] = [one.source.line, one.source.column]
        found.append(_STATEMENTS[type(one)](one, place, lines))
        if one.id is not None:
            found[-1] = {"id": one.id, **found[-1]}
    return found


def _node(one: Node, place: str, lines: Lines) -> Document:
    written: Document = {} if one.target is None else {"let": _target(one.target)}
    written["op"] = one.op
    if one.of is not None:
        of = one.of
        written["of"] = {role: callee(each) for role, each in of.items()} if isinstance(of, Mapping) else callee(of)
    if one.args:
        written["args"] = _each(one.args)
    if one.kwargs:
        written["kwargs"] = _named(one.kwargs)
    if one.options:
        written["options"] = _named(one.options)
    return written | ({"no_grad": True} if one.no_grad else {})


def _bind(one: Bind, place: str, lines: Lines) -> Document:
    let = {} if one.target is None else {"let": _target(one.target)}
    return {**let, "value": expression(one.value)}


def _for(one: For, place: str, lines: Lines) -> Document:
    body = _nodes(one.body, f"{place}/body", lines)
    return {"op": "for", "let": _target(one.target), "in": expression(one.over), "body": body}


def _while(one: While, place: str, lines: Lines) -> Document:
    before = _nodes(one.before, f"{place}/before", lines)
    body = _nodes(one.body, f"{place}/body", lines)
    return {"op": "while", "before": before, "test": expression(one.test), "body": body}


def _if(one: If, place: str, lines: Lines) -> Document:
    then = _nodes(one.then, f"{place}/then", lines)
    written: Document = {"op": "if", "test": expression(one.test), "then": then}
    if one.orelse:
        written["else"] = _nodes(one.orelse, f"{place}/else", lines)
    return written


def _with(one: With, place: str, lines: Lines) -> Document:
    let = {} if one.target is None else {"let": _target(one.target)}
    body = _nodes(one.body, f"{place}/body", lines)
    return {"op": "with", "of": one.of, "args": _each(one.args), **let, "body": body}


def _def(one: Def, place: str, lines: Lines) -> Document:
    written: Document = {"op": "def", "let": one.name, "params": [_parameter(each) for each in one.params]}
    if one.keyword_only:
        written["keyword_only"] = [_parameter(each) for each in one.keyword_only]
    body = list(one.body)
    if one.returns is not None:
        body.append(Return(index=len(body), source=one.source, value=one.returns))
    return {**written, "body": _nodes(body, f"{place}/body", lines)}


def _parameter(one: Parameter) -> Any:
    return one.name if one.default is None else [one.name, expression(one.default)]


_STATEMENTS: dict[type, Callable[[Any, str, Lines], Document]] = {
    Node: _node,
    Bind: _bind,
    For: _for,
    While: _while,
    If: _if,
    With: _with,
    Def: _def,
    Return: lambda one, place, lines: {"op": "return", "value": expression(one.value)},
    Break: lambda one, place, lines: {"op": "break"},
    Continue: lambda one, place, lines: {"op": "continue"},
    Del: lambda one, place, lines: {"op": "del", "names": list(one.names)},
    Fail: lambda one, place, lines: {"op": "fail", "value": expression(one.value)},
}


def _target(target: Target) -> Any:
    return target if isinstance(target, str) else [_target(one) for one in target]


def callee(of: Callee) -> Any:
    """What stands in `of`."""
    if isinstance(of, Ref):
        return f"${of.text}"
    if isinstance(of, NamedFunction):
        return {"function": of.name}
    options = {"options": _named(of.options)} if of.options else {}
    return {"op": of.op, "of": callee(of.of), **options}


def expression(value: Expression) -> Any:
    """One argument. Raises TypeError for a tensor, which only a request's body can hold."""
    write = _EXPRESSIONS.get(type(value))
    if write is None:
        raise TypeError(f"a {type(value).__name__} is no part of a program")
    return write(value)


def _each(values: Sequence[Expression]) -> list[Any]:
    return [expression(one) for one in values]


def _named(values: Mapping[str, Expression]) -> Document:
    return {name: expression(one) for name, one in values.items()}


def _collection(value: Collection) -> Any:
    items = _each(value.items)
    return items if value.kind == "list" else {value.kind: items}


_EXPRESSIONS: dict[type, Callable[[Any], Any]] = {
    Ref: lambda value: f"${value.text}",
    Literal: lambda value: literal(value.value),
    Numbers: lambda value: value.tolist(),
    Collection: _collection,
    Dictionary: lambda value: {"dict": _named(value.items)},
    SliceOf: lambda value: {"slice": _each((value.start, value.stop, value.step))},
    NamedFunction: lambda value: {"function": value.name},
    Star: lambda value: {"star": expression(value.value)},
    Transform: callee,
}


def literal(value: Any) -> Any:
    """A literal, in an object of one member where JSON has no word for it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return f"${value}" if value.startswith("$") else value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_EXACT else {"int": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": _word(value)}
    if isinstance(value, complex):
        return {"complex": [_part(value.real), _part(value.imag)]}
    if value is ...:
        return {"ellipsis": True}
    if isinstance(value, type):
        return {"function": type_names()[value]}
    kinds = ((torch.dtype, "dtype"), (torch.layout, "layout"), (torch.memory_format, "memory_format"))
    for kind, word in kinds:
        if isinstance(value, kind):
            return {word: str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {"device": str(value)}
    raise TypeError(f"a {type(value).__name__} is no literal")


def _part(value: float) -> Any:
    return value if math.isfinite(value) else _word(value)


def _word(value: float) -> str:
    if math.isnan(value):
        return "NaN" if math.copysign(1.0, value) > 0 else "-NaN"
    return "Infinity" if value > 0 else "-Infinity"


@functools.cache
def type_names() -> dict[type, str]:
    """The name under which `{"function": …}` gives each type."""
    found = {value: name for name, value in names.constants().items() if isinstance(value, type)}
    found.update((value, f"torch.{value.__name__}") for value in (torch.Size, torch.device, torch.finfo, torch.iinfo))
    return {value: name.removeprefix("torch.") for value, name in found.items()}
