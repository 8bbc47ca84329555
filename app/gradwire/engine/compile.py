"""Expressions into getters: small functions that read a frame and give the argument's value.

What is constant is made once, while planning; what refers to names reads the frame's slots each time.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from gradwire.engine import references
from gradwire.engine.graph import (
    Collection,
    Dictionary,
    Expression,
    Literal,
    NamedFunction,
    Numbers,
    Ref,
    SliceOf,
    Star,
    TensorDocument,
)
from gradwire.engine.language.items import slice_of
from gradwire.engine.references import Getter
from gradwire.engine.scope import ENCLOSING, RUN, UNBOUND, Scope
from gradwire.findings import Finding, Refusal, Source, refuse


def _size(parts: list[Any]) -> torch.Size:
    """A torch.Size; what is no size is a mistake of the client's that only shows once references are read."""
    try:
        return torch.Size(parts)
    except (TypeError, OverflowError):
        raise refuse("invalid_argument", "a size is a list of integers", expected="integers of 64 bits") from None


# In place of a slot: a tensor that has none.
UNPLACED = -1

_BUILD: dict[str, Callable[[list[Any]], Any]] = {"list": list, "tuple": tuple, "size": _size}


def constant(value: Any) -> Getter:
    """A getter that always gives `value`."""
    return lambda frame: value


def compile_expression(expression: Expression, scope: Scope, findings: list[Finding]) -> Getter:
    """The getter of `expression`; what is wrong with its references goes into `findings`."""
    known, value = _fold(expression, scope, findings)
    return constant(value) if known else value


def _fold(expression: Expression, scope: Scope, findings: list[Finding]) -> tuple[bool, Any]:
    """(True, value) for what is constant and cannot be changed, else (False, getter).

    Lists and dicts are made anew each time: an op may change one, and a plan may run again for another request.
    """
    if isinstance(expression, Ref):
        return _reference(expression, scope, findings)
    if isinstance(expression, Literal):
        return True, expression.value
    if isinstance(expression, Numbers):
        return False, lambda frame: expression.tolist()
    if isinstance(expression, TensorDocument):
        return False, _document(expression, scope)
    if isinstance(expression, NamedFunction):
        return _named(expression, scope, findings)
    if isinstance(expression, Star):
        findings.append(
            Finding("invalid_argument", "a star stands only among the arguments of a call", expression.source)
        )
        return True, None
    if isinstance(expression, Collection):
        try:
            return _built(_BUILD[expression.kind], expression.items, scope, findings, expression.kind != "list")
        except Refusal as refusal:
            findings += [replace(finding, source=expression.source) for finding in refusal.findings]
            return True, None
    if isinstance(expression, SliceOf):
        bounds = (expression.start, expression.stop, expression.step)
        return _built(slice_of, bounds, scope, findings, True)
    keys, items = tuple(expression.items), tuple(expression.items.values())
    return _built(lambda parts: dict(zip(keys, parts, strict=True)), items, scope, findings, False)


def _document(document: TensorDocument, scope: Scope) -> Getter:
    """A tensor that stands in an argument: in a flat graph one slot, else made anew each time its node runs."""
    if scope.parent is None and not scope.dynamic:
        slot = scope.fresh()
        scope.documents.append((slot, document))
        scope.reads.add(slot)
        return operator.itemgetter(slot)
    root = list(scope.chain())[-1]
    root.documents.append((UNPLACED, document))
    return lambda frame: frame[RUN].place(document).clone()


def _named(function: NamedFunction, scope: Scope, findings: list[Finding]) -> tuple[bool, Any]:
    from gradwire.engine.callables import named_function

    try:
        return named_function(function)
    except Refusal as refusal:
        findings += refusal.findings
        return True, None


def _built(
    build: Callable[[list[Any]], Any],
    items: Sequence[Expression],
    scope: Scope,
    findings: list[Finding],
    lasting: bool,
) -> tuple[bool, Any]:
    """A value that is made of others; `lasting`: it cannot be changed once it is made."""
    folded = [_fold(item, scope, findings) for item in items]
    if lasting and all(known for known, _ in folded):
        return True, build([value for _, value in folded])
    getters = [constant(value) if known else value for known, value in folded]
    return False, lambda frame: build([get(frame) for get in getters])


def _reference(ref: Ref, scope: Scope, findings: list[Finding]) -> tuple[bool, Any]:
    if finding := reference_fault(ref, scope):
        findings.append(finding)
        return True, None
    parts = references.split(ref.text, scope.readable)
    if parts is None:  # a name that could not be read, already reported
        return True, None
    hops, slot, certain = scope.find(parts[0])
    read = _at(hops, slot)
    if not certain:
        read = _bound(read, parts[0], ref)
    return False, _along(read, parts[1], ref) if parts[1] else read


def _at(hops: int, slot: int) -> Getter:
    """Reads `slot` of the frame that is `hops` scopes further out."""
    if hops == 0:
        return operator.itemgetter(slot)
    if hops == 1:
        return lambda frame: frame[ENCLOSING][slot]

    def read(frame: list[Any]) -> Any:
        for _ in range(hops):
            frame = frame[ENCLOSING]
        return frame[slot]

    return read


def _bound(read: Getter, name: str, ref: Ref) -> Getter:
    """Reads a name that may have no value yet when its turn comes."""

    def checked(frame: list[Any]) -> Any:
        value = read(frame)
        if value is UNBOUND:
            message = f"'{name[:64]}' has no value here: nothing that ran before this node gives it one"
            raise refuse("unknown_reference", message, ref.source, got=f"${ref.text}")
        return value

    return checked


def _along(read: Getter, path: tuple[str, ...], ref: Ref) -> Getter:
    """Reads what lies at the end of a path."""

    def followed(frame: list[Any]) -> Any:
        value = read(frame)
        try:
            for step in path:
                value = references.follow(value, step)
        except references.PathError as error:
            raise Refusal([at_run_time(error, ref.text, ref.source)]) from error
        return value

    return followed


def reference_fault(ref: Ref, scope: Scope) -> Finding | None:
    """What is wrong with `ref`, as far as that can be known before running."""
    parts = references.split(ref.text, scope.readable)
    if parts is None:
        return _unknown_name(ref, scope)
    name, path = parts
    for place, step in enumerate(path):
        certain = place == 0 and name in scope.inputs and name in scope.certain
        wrong = step not in references.TENSOR_ATTRIBUTES if certain else not references.plausible(step)
        if wrong and (certain or not scope.has_dicts):
            return _unknown_step(ref, name, step)
    return None


def _unknown_name(ref: Ref, scope: Scope) -> Finding | None:
    if any(references.split(ref.text, one.faulty) for one in scope.chain()):
        return None
    known = scope.known
    late = references.split(ref.text, known)
    if late:
        message = f"'{late[0][:64]}' has no value yet: a node that comes later, or this one, gives it"
        return Finding("unknown_reference", message, ref.source, got=f"${ref.text}", hint="move that node up")
    word = ref.text.split(".")[0]
    close = references.nearest(ref.text, known) or references.nearest(word, known)
    return Finding(
        "unknown_reference",
        f"there is no input or node called '{word[:64]}'",
        ref.source,
        got=f"${ref.text}",
        expected=sorted(known)[:20],
        hint=f"did you mean '${close}'?" if close else _AS_TEXT if "/args/" in ref.source.pointer else None,
    )


_AS_TEXT = "a text that begins with $ and is no reference is written $$…"


def _unknown_step(ref: Ref, name: str, step: str) -> Finding:
    close = difflib.get_close_matches(step, references.KNOWN_STEPS, n=1) if len(step) <= 64 else []
    return Finding(
        "unknown_reference",
        f"'{step[:64]}' cannot be read of '{name[:64]}'",
        ref.source,
        got=f"${ref.text}",
        expected=sorted(references.TENSOR_ATTRIBUTES),
        hint=f"did you mean '{close[0]}'?" if close else None,
    )


def at_run_time(error: references.PathError, ref_text: str, source: Source) -> Finding:
    """The finding for a path that turned out to lead nowhere when its node ran."""
    return Finding(
        "unknown_reference",
        f"{error} (in '${ref_text[:128]}')",
        source,
        got=f"${ref_text}",
    )


def holds_dict(expressions: Iterable[Expression]) -> bool:
    """Whether a dict stands anywhere in `expressions`."""
    pending = list(expressions)
    while pending:
        expression = pending.pop()
        if isinstance(expression, Dictionary):
            return True
        if isinstance(expression, Collection):
            pending += expression.items
    return False


def refs_of(expressions: Sequence[Expression] | Mapping[str, Expression]) -> list[Ref]:
    """Every reference in `expressions`, in order."""
    found: list[Ref] = []
    pending = list(expressions.values() if isinstance(expressions, Mapping) else expressions)
    while pending:
        expression = pending.pop(0)
        if isinstance(expression, Ref):
            found.append(expression)
        elif isinstance(expression, Collection):
            pending[:0] = expression.items
        elif isinstance(expression, Dictionary):
            pending[:0] = expression.items.values()
        elif isinstance(expression, SliceOf):
            pending[:0] = (expression.start, expression.stop, expression.step)
    return found
