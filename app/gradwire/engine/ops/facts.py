"""What schemas, tags and docstrings tell of an op: in place, random, view; its text and its page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import torch

from gradwire.engine.ops import schemas

_DOCUMENTATION = "https://docs.pytorch.org/docs"
_NUMPY_DOCUMENTATION = "https://numpy.org/doc/stable/reference/generated"
_OPERATOR_DOCUMENTATION = "https://docs.python.org/3/library/operator.html"
_CALL_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """`in_place`: it changes its first argument. `view`: a result may share memory with an argument.

    `dynamic_shape`: how large a result is may depend on the values of the arguments.
    """

    in_place: bool
    random: bool
    view: bool
    dynamic_shape: bool = False


def of(name: str, call: Callable[..., Any]) -> Facts:
    """The facts of the op `name`, whose public function is `call`."""
    namespace, _, last = name.rpartition(".")
    if namespace == "operator":
        return Facts(_is_augmented(last), random=False, view=last == "getitem")
    if namespace.startswith("numpy"):
        return Facts(in_place=last == "shuffle", random=namespace == "numpy.random", view=False)
    known = _aten_name(last, call)
    in_place = last.endswith("_") or last in ("setitem", "setattr") or schemas.writes_first(known)
    view = last == "getitem" or schemas.is_view(known)
    return Facts(in_place, _is_random(known, call), view, schemas.has_tag(known, "dynamic_output_shape"))


def _aten_name(last: str, call: Callable[..., Any]) -> str:
    """`linalg.svd` is `linalg_svd` in the schemas; functions written in Python may have none."""
    own = getattr(call, "__name__", last)
    return own if schemas.is_known(own) else last


def _is_augmented(last: str) -> bool:
    """`iadd` is `+=`: Python's data model has `__iadd__` for it."""
    return last.startswith("i") and hasattr(torch.Tensor, f"__{last}__") and hasattr(torch.Tensor, f"__{last[1:]}__")


def _is_random(known: str, call: Callable[..., Any]) -> bool:
    if schemas.is_known(known):
        return schemas.has_tag(known, "nondeterministic_seeded")
    return isinstance(call, FunctionType) and any(
        schemas.has_tag(one, "nondeterministic_seeded") for one in _called(call, _CALL_DEPTH)
    )


def _called(function: FunctionType, depth: int) -> Iterator[str]:
    """The names that a Python function mentions, and those that the functions of its own module mention."""
    for code in _codes(function.__code__):
        for name in code.co_names:
            yield name
            inner = function.__globals__.get(name)
            if depth and isinstance(inner, FunctionType) and inner.__module__ == function.__module__:
                yield from _called(inner, depth - 1)
    for cell in function.__closure__ or ():
        if depth and isinstance(cell.cell_contents, FunctionType):
            yield from _called(cell.cell_contents, depth - 1)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def doc(value: Any, name: str) -> str:
    """The docstring as text without indentation; empty where there is none.

    An alias or in-place form without one of its own borrows nothing: its page says what it is.
    """
    text = getattr(value, "__doc__", None)
    if not isinstance(text, str) or text == getattr(type(value), "__doc__", None):
        return ""
    return inspect.cleandoc(text)


def summary(text: str) -> str:
    """The first sentence of a docstring, in plain words; empty for an empty one."""
    for paragraph in re.split(r"\n\s*\n", text):
        flat = " ".join(paragraph.split())
        if not flat or _is_signature(flat) or flat.startswith((".. ", ":", "..")):
            continue
        return _plain(re.split(r"(?<=[.!?])\s+(?=[A-Z:`.])", flat, maxsplit=1)[0])[:300]
    return ""


def _is_signature(text: str) -> bool:
    return re.match(r"[\w.]+\([^)]*\)?.*(?:->|\)$)", text) is not None and not text.endswith(".")


def _plain(text: str) -> str:
    """Text without Sphinx's marks: :attr:`x`, :func:`~torch.add`, ``x``."""
    text = re.sub(r":[\w:]+:`~?([^`<]+?)(?:\s*<[^`>]*>)?`", r"\1", text)
    return re.sub(r"``?([^`]*)``?(?:__?)?", r"\1", text).strip()


# Where the explanation of the next parameter begins, or the list ends.
_NEXT_PARAMETER = re.compile(r"^ *\w+ *\([^)]*\) *:|^\S", re.MULTILINE)
_LONGEST_TOLD = 1500


# Words in double backticks, listed: ``linear``, ``lower`` and ``nearest``.
_LISTED = re.compile(r"(?:``\w+``(?:,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+))+``\w+``")
_QUOTED = re.compile(r"""[`\s(|,]['"]([A-Za-z][\w-]*)['"]""")
# What a docstring refers to instead of explaining its parameters.
_REFERS = re.compile(r"(?:See|Alias (?:for|of)|version of)\s+:\w+:`~?(?:torch\.)?([\w.]+?)(?:\(\))?`")


def choices(text: str, parameter: str) -> tuple[str, ...]:
    """The words that a docstring puts in quotes where it explains a parameter: what a string may be."""
    start = re.search(rf"^ *{re.escape(parameter)} *(?:\([^)]*\))? *[:-]", text, re.MULTILINE)
    if start is None:
        return tuple(dict.fromkeys(re.findall(rf"{re.escape(parameter)} argument is '(\w+)'", text)))
    line_end = text.find("\n", start.end())
    end = _NEXT_PARAMETER.search(text, line_end) if line_end >= 0 else None
    told = text[start.start() : end.start() if end else len(text)][:_LONGEST_TOLD]
    if found := _QUOTED.findall(told):
        return tuple(dict.fromkeys(found))
    listed = _LISTED.search(told)
    return tuple(dict.fromkeys(re.findall(r"``(\w+)``", listed[0]))) if listed else ()


def told_elsewhere(name: str, text: str) -> Iterator[str]:
    """Docstrings that explain the parameters of the op `name`, too: its other spellings, and what `text` refers to."""
    last = name.rpartition(".")[2].removesuffix("_")
    for place, other in ((torch, last), (torch.Tensor, last), (torch.Tensor, f"{last}_")):
        if other != name and (told := getattr(getattr(place, other, None), "__doc__", None)):
            yield inspect.cleandoc(told)
    yield from _referred(text, 3)


def _referred(text: str, depth: int) -> Iterator[str]:
    """What `text` refers to, and what that refers to."""
    for reference in _REFERS.findall(text):
        place, _, other = reference.rpartition(".")
        owner = {"": torch, "nn": torch.nn, "Tensor": torch.Tensor}.get(place)
        if told := getattr(getattr(owner, other, None), "__doc__", None):
            yield inspect.cleandoc(told)
            if depth > 1:
                yield from _referred(told, depth - 1)


def doc_url(name: str) -> str | None:
    """The page that would document the op; None where there is no page per function."""
    namespace, _, last = name.rpartition(".")
    if namespace == "operator":
        return f"{_OPERATOR_DOCUMENTATION}#operator.{last}"
    if namespace.startswith("numpy"):
        return f"{_NUMPY_DOCUMENTATION}/{name}.html"
    if name in ("getitem", "setitem", "setattr"):
        return None
    version = ".".join(torch.__version__.split(".")[:2])
    if namespace == "special":  # one page for the whole namespace
        return f"{_DOCUMENTATION}/{version}/special.html#torch.{name}"
    return f"{_DOCUMENTATION}/{version}/generated/torch.{name}.html"
