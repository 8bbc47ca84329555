"""Validates a decoded body against its model, and says what is wrong in the terms of the wire contract."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gradwire.contract.documents.batch import BatchBody
from gradwire.contract.documents.callees import FunctionLiteral, TransformBody
from gradwire.contract.documents.component import is_list
from gradwire.contract.documents.graph import GraphBody, OpBody, OutputRequest, TapeOptions
from gradwire.contract.documents.names import NAME_PATTERN, NAME_RULE, Body
from gradwire.contract.documents.nodes import BLOCKS, BindBody, FunctionBody, NodeBody, body_of
from gradwire.contract.documents.programs import ProgramBody
from gradwire.contract.documents.short_forms import BODIES
from gradwire.findings import Finding, Source

Model = TypeVar("Model", bound=BaseModel)

_MEMBERS: dict[type[BaseModel], str] = {
    GraphBody: "a graph",
    NodeBody: "a node",
    BindBody: "a node with `value`",
    FunctionBody: "a function",
    OpBody: "a call",
    ProgramBody: "the body",
    BatchBody: "a batch",
    OutputRequest: "an entry of returns",
    TapeOptions: "tape",
    TransformBody: "a transform",
    FunctionLiteral: "a named function",
    **dict.fromkeys(BODIES.values(), "the body"),
    **{model: f"`{op}`" for op, model in BLOCKS.items()},
}
# Members that hold lists of nodes.
LISTS = frozenset(("nodes", "body", "before", "then", "else"))
_NAME = re.compile(NAME_PATTERN)
_LONGEST_WITH_HINT = 64
# Documents with thousands of wrong members exist; a hint for each would take seconds and not fit in the reply.
_MOST_HINTS = 50
# Ones with a million exist too: no reply has room for so many findings, and each takes time to make.
_MOST_FINDINGS = 10_000


def validate(model: type[Model], skeleton: Any) -> tuple[Model | None, list[Finding]]:
    """The body as a `model`, or None and everything that is wrong with it (code `invalid_request`).

    About 10 microseconds for the tutorial's graph. Tensors and arguments are not looked into.
    """
    if isinstance(skeleton, dict) and len(skeleton) > _MOST_FINDINGS:
        skeleton = _without_most_unknown(skeleton, model)
    try:
        return model.__pydantic_validator__.validate_python(skeleton), []
    except ValidationError as error:
        return None, findings_of(error, skeleton, model)


def _without_most_unknown(skeleton: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """A document of which only as many unknown members are left as are reported."""
    unknown = itertools.islice((name for name in skeleton if name not in model.model_fields), _MOST_FINDINGS)
    known = [name for name in model.model_fields if name in skeleton]
    return {name: skeleton[name] for name in (*known, *unknown)}


def findings_of(error: ValidationError, skeleton: Any, model: type[BaseModel]) -> list[Finding]:
    """What pydantic found while validating `skeleton` as a `model`, one finding per place."""
    details = error.errors(include_url=False)[:_MOST_FINDINGS]
    return [_finding(detail, skeleton, model, place < _MOST_HINTS) for place, detail in enumerate(details)]


def _finding(detail: ErrorDetails, skeleton: Any, model: type[BaseModel], with_hint: bool) -> Finding:
    steps = _steps(detail, skeleton)
    finding = Finding("invalid_request", "", node=_label(steps, skeleton))
    kind = detail["type"]
    last = str(steps[-1]) if steps else ""
    if kind == "missing":
        steps = steps[:-1]
        finding.message = f"{_named(steps, skeleton, model)} must have `{last}`"
        finding.expected = last
    elif kind == "extra_forbidden":
        owner = _owner(steps[:-1], skeleton, model)
        known = [field.alias or name for name, field in owner.model_fields.items()]
        finding.message = f"{_MEMBERS[owner]} has no member `{last[:_LONGEST_WITH_HINT]}`"
        finding.got, finding.expected = last, known
        finding.hint = _nearest(last, known) if with_hint else None
    else:
        finding.message, finding.expected = _wrong(detail)
        finding.message = f"`{last[:_LONGEST_WITH_HINT]}`: {finding.message}" if _is_member(steps) else finding.message
        finding.got = detail["input"]
    finding.source = Source().at(*steps)
    return finding


def _steps(detail: ErrorDetails, skeleton: Any) -> list[str | int]:
    """The place of an error in the document: pydantic's, less the tags of unions and the mark for a member's name."""
    location = list(detail["loc"])
    if len(location) > 1 and location[-1] == "[key]" and detail["input"] == location[-2]:
        location.pop()
    steps = [step for step in location if not (isinstance(step, str) and step.startswith("\0"))]
    # A list of numbers arrives as an object of its own; what is wrong with it as a list is its first item already.
    return [*steps, 0] if detail["type"] == "list_type" and is_list(detail["input"]) else steps


def _is_member(steps: list[str | int]) -> bool:
    return bool(steps) and isinstance(steps[-1], str) and steps[-1] != ""


def _label(steps: list[str | int], skeleton: Any) -> str | int | None:
    """The innermost node that an error is in: its id, or its index where it has no usable one."""
    place = next((at for at in range(len(steps) - 1, 0, -1) if _is_node(steps, at)), None)
    if place is None:
        return None
    node = _reached(skeleton, steps[: place + 1])
    name = node.get("id") if isinstance(node, dict) else None
    usable = isinstance(name, str) and _NAME.fullmatch(name)
    return str(name) if usable else int(steps[place])


def _is_node(steps: list[str | int], at: int) -> bool:
    """Whether the step at `at` is the place of a node in its list."""
    if not isinstance(steps[at], int) or steps[at - 1] not in LISTS:
        return False
    # A function may bear the name of such a list, and so may a member of arguments.
    return at == 1 or _is_node(steps, at - 2) or (at == 3 and steps[0] == "functions")


def _reached(skeleton: Any, steps: list[str | int]) -> Any:
    """What lies at `steps`, None where nothing does."""
    for step in steps:
        if isinstance(skeleton, dict):
            skeleton = skeleton.get(step)
        elif isinstance(skeleton, list) and isinstance(step, int) and step < len(skeleton):
            skeleton = skeleton[step]
        else:
            return None
    return skeleton


def _owner(steps: list[str | int], skeleton: Any, model: type[BaseModel]) -> type[BaseModel]:
    """The model of the object at `steps`."""
    if not steps:
        return model
    if _is_node(steps, len(steps) - 1):
        return body_of(_reached(skeleton, steps))
    if "of" in steps:
        return TransformBody if "op" in (_reached(skeleton, steps) or ()) else FunctionLiteral
    return _PARTS[str(steps[0])]


_PARTS: dict[str, type[Body]] = {"returns": OutputRequest, "tape": TapeOptions, "functions": FunctionBody}


def _named(steps: list[str | int], skeleton: Any, model: type[BaseModel]) -> str:
    return _MEMBERS[_owner(steps, skeleton, model)]


def _nearest(name: str, known: list[str]) -> str | None:
    """The member that was probably meant, or all that there are; none for long names, which take long to compare."""
    if len(name) > _LONGEST_WITH_HINT:
        return None
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else f"leave it out; the members are {', '.join(known)}"


def _wrong(detail: ErrorDetails) -> tuple[str, Any]:
    """The message and `expected` for a member that is there and known, but wrong."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "list_type" and is_list(detail["input"]):
        return "expected no list of numbers", None
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}, got {_kind_of(detail['input'])}", _TYPES[kind]
    if kind in _RULES:
        return _RULES[kind](context)
    return detail["msg"], None


_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def _at_least(context: dict[str, Any]) -> tuple[str, Any]:
    least = str(context["ge"]).removesuffix(".0")
    return f"must be at least {least}", f"at least {least}"


def _one_of(context: dict[str, Any]) -> tuple[str, Any]:
    return f"expected {context['expected']}", re.findall(r"[^', ]+", re.sub(" or ", " ", str(context["expected"])))


_RULES: dict[str, Callable[[dict[str, Any]], tuple[str, Any]]] = {
    "string_pattern_mismatch": lambda _: (f"a name has {NAME_RULE}", NAME_RULE),
    "greater_than_equal": _at_least,
    "greater_than": lambda context: (f"must be above {context['gt']:g}", f"above {context['gt']:g}"),
    "too_short": lambda _: ("the list is empty", "at least one entry"),
    "less_than_equal": lambda context: (f"must be at most {context['le']}", f"at most {context['le']}"),
    "literal_error": _one_of,
}


def _kind_of(value: Any) -> str:
    """A decoded JSON value's type in JSON's words."""
    for kinds, words in _KINDS:
        if isinstance(value, kinds):
            return words
    return "a list"


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number with a fraction"),
    (str, "a string"),
    (dict, "an object"),
    (type(None), "null"),
)
