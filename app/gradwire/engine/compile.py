"""Expressions into getters: small functions that read a frame and give the argument's value.

What is constant is made once, while planning; what refers to names reads the frame's slots each time.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from gradwire.engine import references
from gradwire.engine.graph import (
    Collection,
    Dictionary,
    Expression,
    Literal,
    Numbers,
    Ref,
    SliceOf,
    TensorDocument,
)
from gradwire.engine.references import Getter
from gradwire.findings import Finding, Refusal, Source, refuse


def _size(parts: list[Any]) -> torch.Size:
    """A torch.Size; what is no size is a mistake of the client's that only shows once references are read."""
    try:
        return torch.Size(parts)
    except (TypeError, OverflowError):
        raise refuse("invalid_argument", "a size is a list of integers", expected="integers of 64 bits") from None


_BUILD: dict[str, Callable[[list[Any]], Any]] = {"list": list, "tuple": tuple, "size": _size}


@dataclass(slots=True)
class Scope:
    """The names bound so far, each with its slot; `later` are those that nodes further down bind.

    `documents` collects tensors that stand in arguments; each has a slot that the run fills on its device.
    `reads` notes which slots the expression that is being compiled reads. `has_dicts`: a value may be a dict, so any
    word may be a step of a path.
    """

    slots: dict[str, int] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    documents: list[tuple[int, TensorDocument]] = field(default_factory=list)
    reads: set[int] = field(default_factory=set)
    size: int = 0
    has_dicts: bool = False

    def fresh(self) -> int:
        """A new slot."""
        self.size += 1
        return self.size - 1

    def bind(self, name: str) -> int:
        """A slot for `name`."""
        self.slots[name] = self.fresh()
        return self.slots[name]


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
        slot = scope.fresh()
        scope.documents.append((slot, expression))
        scope.reads.add(slot)
        return False, references.getter(slot, ())
    if isinstance(expression, Collection):
        try:
            return _built(_BUILD[expression.kind], expression.items, scope, findings, expression.kind != "list")
        except Refusal as refusal:
            findings += [replace(finding, source=expression.source) for finding in refusal.findings]
            return True, None
    if isinstance(expression, SliceOf):
        bounds = (expression.start, expression.stop, expression.step)
        return _built(lambda parts: slice(*parts), bounds, scope, findings, True)
    keys, items = tuple(expression.items), tuple(expression.items.values())
    return _built(lambda parts: dict(zip(keys, parts, strict=True)), items, scope, findings, False)


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
    parts = references.split(ref.text, scope.slots)
    if parts is None:  # a name that could not be read, already reported
        return True, None
    slot = scope.slots[parts[0]]
    scope.reads.add(slot)
    return False, references.getter(slot, parts[1])


def reference_fault(ref: Ref, scope: Scope) -> Finding | None:
    """What is wrong with `ref`, as far as that can be known before running."""
    parts = references.split(ref.text, scope.slots)
    if parts is None:
        return _unknown_name(ref, scope)
    name, path = parts
    for place, step in enumerate(path):
        certain = place == 0 and name in scope.inputs
        wrong = step not in references.TENSOR_ATTRIBUTES if certain else not references.plausible(step)
        if wrong and (certain or not scope.has_dicts):
            return _unknown_step(ref, name, step)
    return None


def _unknown_name(ref: Ref, scope: Scope) -> Finding | None:
    if references.split(ref.text, scope.faulty):
        return None
    late = references.split(ref.text, scope.later)
    if late:
        message = f"'{late[0][:64]}' has no value yet: a node that comes later, or this one, gives it"
        return Finding("unknown_reference", message, ref.source, got=f"${ref.text}", hint="move that node up")
    known = scope.slots.keys() | scope.later
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
