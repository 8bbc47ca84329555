"""Overloads of functions that PyTorch and NumPy write in Python, from their signatures and annotations."""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Callable
from typing import Any

from gradwire.engine.ops import declared_types
from gradwire.engine.ops.parameters import ANY, REQUIRED, Overload, Parameter, ParamType, distinct

# What a parameter without annotation is, where PyTorch always gives its name the same meaning.
_BY_NAME = {name: declared_types.parse(f"{name} | None") for name in ("dtype", "device", "layout", "memory_format")}
_BY_NAME |= {"generator": declared_types.parse("Generator | None")}
_BY_NAME |= {name: declared_types.parse("Tensor") for name in ("self", "input", "tensor", "tangent")}

# A parameter in a docstring's list: its name, and its type up to "optional".
_TOLD = re.compile(r"^ +(\w+) \(([^)]*?)(?:, *optional)?\)\s*:", re.MULTILINE)


def overloads(function: Callable[..., Any]) -> tuple[Overload, ...]:
    """The overloads of a Python function; empty where it has no signature to read.

    Functions that PyTorch picks by a flag (`max_pool2d` with `return_indices`) have one for each.
    """
    branches = _branches(function)
    if branches:
        return distinct(one for branch in branches for one in overloads(branch))
    own = _overload(function)
    if own is None or not own.open_keywords or not inspect.isfunction(function):
        return distinct([own])
    # What takes anything may say elsewhere what it means.
    return distinct([*(_overload(one) for one in typing.get_overloads(function)), own])


def from_docstring(function: Callable[..., Any]) -> Overload | None:
    """The signature that a C function's docstring begins with: `bool(memory_format=torch.preserve_format) -> Tensor`.

    Parameters that it only hints at (`*args`, `...`) are left out.
    """
    line, _, returns = (inspect.getdoc(function) or "").partition("\n")[0].partition(" -> ")
    try:
        tree = ast.parse(f"def {line.strip()}: ...").body[0]
    except SyntaxError:
        return None
    if not isinstance(tree, ast.FunctionDef):
        return None
    told = _told(function)
    declared = tree.args
    defaults: list[ast.expr | None] = [None] * (len(declared.args) - len(declared.defaults))
    pairs = [*zip(declared.args, [*defaults, *declared.defaults], strict=True)]
    found = [_told_parameter(one.arg, default, told, keyword_only=False) for one, default in pairs]
    named = zip(declared.kwonlyargs, declared.kw_defaults, strict=True)
    found += [_told_parameter(one.arg, default, told, keyword_only=True) for one, default in named]
    return Overload(tuple(found), returns.strip() or "Any")


def _told_parameter(
    name: str, default: ast.expr | None, told: dict[str, ParamType], *, keyword_only: bool
) -> Parameter:
    value = REQUIRED if default is None else ast.unparse(default)
    return Parameter(name, _BY_NAME.get(name) or told.get(name, ANY), value, keyword_only)


def _branches(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The functions between which `torch._jit_internal.boolean_dispatch` chooses, the default one first."""
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    if code is None or not cells:
        return []
    held = dict(zip(code.co_freevars, (cell.cell_contents for cell in cells), strict=True))
    if not {"if_true", "if_false", "default"} <= held.keys():
        return []
    first, second = ("if_true", "if_false") if held["default"] else ("if_false", "if_true")
    return [held[first], held[second]]


def _overload(function: Callable[..., Any]) -> Overload | None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    told = _told(function)
    parameters = [_parameter(one, told) for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    open_keywords = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    returns = signature.return_annotation
    said = "Any" if returns is inspect.Signature.empty else _text(returns)
    return Overload(tuple(parameters), said.replace("torch.", ""), open_keywords)


def _told(function: Callable[..., Any]) -> dict[str, ParamType]:
    """The types that the docstring tells: `gradient (Tensor, optional): …`."""
    found: dict[str, ParamType] = {}
    for name, text in _TOLD.findall(inspect.getdoc(function) or ""):
        declared = declared_types.parse(text.replace(" or ", " | "))
        if not declared.is_any:
            found.setdefault(name, declared)
    return found


def _parameter(one: inspect.Parameter, told: dict[str, ParamType]) -> Parameter:
    variadic = one.kind is one.VAR_POSITIONAL
    default = REQUIRED if one.default is one.empty else one.default
    declared = _declared(one, told)
    if default is None and "None" not in declared and not declared.is_any:
        declared = ParamType((*declared.atoms, "None"), declared.choices)
    return Parameter(one.name, declared, default, one.kind is one.KEYWORD_ONLY, variadic)


def _declared(one: inspect.Parameter, told: dict[str, ParamType]) -> ParamType:
    # TorchScript has no type for a dtype and calls it an int.
    if one.annotation is one.empty or one.name in _BY_NAME:
        return _BY_NAME.get(one.name) or told.get(one.name, ANY)
    declared = declared_types.parse(_text(one.annotation))
    # TorchScript's BroadcastingList2[int] is None when Python evaluates it, and tells nothing.
    return ANY if set(declared.atoms) == {"None"} else declared


def _text(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__qualname__
    return str(annotation).replace("NoneType", "None").replace("<class '", "").replace("'>", "")
