"""Where the overloads of an op are declared: PyTorch's stubs, its schemas, or the Python function itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any

from gradwire.engine.ops import facts, schemas, signatures, stubs
from gradwire.engine.ops.parameters import ANY, Overload, Parameter, ParamType

_SELF = Parameter("self", ParamType(("Tensor",)))
# A method that nothing tells of takes what PyTorch lets it take.
_ANYTHING = Overload((_SELF, Parameter("args", ANY, variadic=True)), "Any", open_keywords=True)


_INDEX = Parameter("index", ANY)
# Python's syntax, which the engine carries out, by the last name.
SYNTAX: dict[str, tuple[Overload, ...]] = {
    "getitem": (Overload((Parameter("input", ANY), _INDEX), "Tensor"),),
    "setitem": (Overload((Parameter("input", ANY), _INDEX, Parameter("value", ANY)), "Tensor"),),
    "setattr": (
        Overload(
            (
                Parameter("input", ParamType(("Tensor",))),
                Parameter("name", ParamType(("str",), ("grad", "requires_grad"))),
                Parameter("value", ANY),
            ),
            "Tensor",
        ),
    ),
}


def of(name: str, call: Callable[..., Any]) -> tuple[Overload, ...]:
    """The overloads of the op `name`, whose public function is `call`; empty where nothing declares them."""
    found = _declared(name, call)
    doc = facts.doc(call, name)
    return tuple(_with_choices(one, (doc, *facts.told_elsewhere(name, doc))) for one in found)


def _with_choices(overload: Overload, docs: Sequence[str]) -> Overload:
    """Strings whose values a docstring lists carry them along; PyTorch itself is the judge of them."""
    if not any("str" in one.type and not one.type.choices for one in overload.parameters):
        return overload
    parameters = tuple(
        replace(one, type=ParamType(one.type.atoms, one.type.choices or _choices(one, docs)))
        if "str" in one.type
        else one
        for one in overload.parameters
    )
    return replace(overload, parameters=parameters)


def _choices(parameter: Parameter, docs: Sequence[str]) -> tuple[str, ...]:
    """The words that the first docstring tells which tells any, and the default, which may stand in the signature."""
    default = parameter.default
    for doc in docs:
        found = facts.choices(doc, parameter.name)
        if any(word != default for word in found):  # the default alone is no list of them
            return (*found, default) if isinstance(default, str) and default not in found else found
    return ()


def _declared(name: str, call: Callable[..., Any]) -> tuple[Overload, ...]:
    namespace, _, last = name.rpartition(".")
    if isinstance(call, FunctionType):
        found = signatures.overloads(call)
        return _with_self(found) if namespace == "Tensor" else found
    if namespace == "Tensor":
        found = stubs.method(last) or schemas.overloads(last, method=True)
        return _with_told(found, call, method=True) or (_ANYTHING,)
    if namespace == "":
        found = stubs.function(last) or stubs.module_function(last) or stubs.constructor(last)
        return _with_told(found or schemas.overloads(last), call, method=False)
    if namespace == "operator" or namespace.startswith("numpy"):
        return signatures.overloads(call)
    # linalg.svd is the builtin `linalg_svd`, whose schema has that name.
    return schemas.overloads(call.__name__) or stubs.function(call.__name__)


def _with_self(found: tuple[Overload, ...]) -> tuple[Overload, ...]:
    """Methods written in Python leave `self` without annotation."""
    return tuple(replace(one, parameters=(_SELF, *one.parameters[1:])) if one.parameters else one for one in found)


def _with_told(found: tuple[Overload, ...], call: Callable[..., Any], *, method: bool) -> tuple[Overload, ...]:
    """The overloads with the optional keywords that only the docstring tells of, such as memory_format of `bool`."""
    told = signatures.from_docstring(call)
    if told is None:
        return found
    if not found:
        return (replace(told, parameters=(_SELF, *told.parameters)) if method else told,)
    known = {one.name for overload in found for one in overload.parameters}
    more = tuple(
        replace(one, keyword_only=True) for one in told.parameters if one.name not in known and not one.required
    )
    return tuple(replace(one, parameters=(*one.parameters, *more)) for one in found) if more else found
