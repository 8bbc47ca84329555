"""Overloads from the stub files that ship with PyTorch: what its own argument parser takes, as Python sees it.

The stubs are generated with the parser and know what schemas do not: that `add` takes numbers where a tensor stands,
that `view` takes its sizes one by one, and the functions and methods that have no schema. The files hold 1.5 MB, so
only the lines of the wanted function are parsed, when it is first asked for.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gradwire.engine.ops import declared_types
from gradwire.engine.ops.parameters import REQUIRED, Overload, Parameter, ParamType, distinct

_TENSOR = ParamType(("Tensor",))


def function(name: str) -> tuple[Overload, ...]:
    """The overloads of `torch.{name}`; empty where the stubs do not have it."""
    return _read("_VariableFunctions.pyi", "", name, method=False)


def method(name: str) -> tuple[Overload, ...]:
    """The overloads of `torch.Tensor.{name}`, with `self` as their first parameter."""
    return _read("__init__.pyi", "class TensorBase", name, method=True)


def module_function(name: str) -> tuple[Overload, ...]:
    """The overloads of a function that `torch/_C` itself defines, such as `get_default_dtype`."""
    return _read("__init__.pyi", "", name, method=False)


def constructor(name: str) -> tuple[Overload, ...]:
    """The ways to make a value of one of torch's own classes, such as `finfo`."""
    made = (_read("__init__.pyi", f"class {name}", each, method=True) for each in ("__init__", "__new__"))
    # The first parameter is the object, or the class, itself.
    return tuple(replace(one, parameters=one.parameters[1:], returns=name) for found in made for one in found)


def _read(file: str, section: str, name: str, *, method: bool) -> tuple[Overload, ...]:
    text, index = _index(file, section, "    " if method else "")
    found = (_overload(text[start : _end(text, start)], method) for start in index.get(name, ()))
    return distinct(found)


@functools.cache
def _index(file: str, section: str, indent: str) -> tuple[str, dict[str, list[int]]]:
    """The text of a stub file, or of one class in it, and where each function begins."""
    path = Path(torch.__file__).parent / "_C" / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if section:
        begin = text.find(f"\n{section}")
        after = re.compile(r"^(?:class|def|@)", re.MULTILINE).search(text, begin + len(section) + 1)
        text = text[begin : after.start() if after else len(text)] if begin >= 0 else ""
    index: dict[str, list[int]] = {}
    for match in re.finditer(rf"^{indent}def (\w+)\(", text, re.MULTILINE):
        index.setdefault(match[1], []).append(match.start())
    return text, index


def _end(text: str, start: int) -> int:
    """Where the header of the function that begins at `start` ends: at the colon outside of all brackets."""
    depth = 0
    for place in range(start, len(text)):
        character = text[place]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == ":" and depth == 0:
            return place + 1
    return len(text)


def _overload(header: str, method: bool) -> Overload | None:
    try:
        tree = ast.parse(f"{header.strip()} ...").body[0]
    except SyntaxError:
        return None
    if not isinstance(tree, ast.FunctionDef):
        return None
    returns = ast.unparse(tree.returns) if tree.returns else "Any"
    parameters = _parameters(tree.args, method)
    return Overload(parameters, returns.replace("torch.return_types.", ""), tree.args.kwarg is not None)


def _parameters(arguments: ast.arguments, method: bool) -> tuple[Parameter, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults += arguments.defaults
    found = [_parameter(one, default) for one, default in zip(positional, defaults, strict=True)]
    if method and found:
        found[0] = Parameter("self", _TENSOR)
    elif found and found[0].name == "self":
        # Deprecated overloads of functions; the parser calls it `input` there, too.
        found[0] = Parameter("input", found[0].type, found[0].default)
    if arguments.vararg is not None:
        found.append(Parameter(arguments.vararg.arg, _type(arguments.vararg), variadic=True))
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(_parameter(one, default, keyword_only=True))
    return tuple(found)


def _parameter(argument: ast.arg, default: ast.expr | None, *, keyword_only: bool = False) -> Parameter:
    value = REQUIRED if default is None else _value(default)
    return Parameter(argument.arg, _type(argument), value, keyword_only)


def _type(argument: ast.arg) -> ParamType:
    return declared_types.parse(ast.unparse(argument.annotation) if argument.annotation else "Any")


def _value(default: ast.expr) -> Any:
    """A default as a value where it is one, else as its text (`torch.strided`); `...` for one that is not told."""
    try:
        return ast.literal_eval(default)
    except ValueError:
        return ast.unparse(default)
