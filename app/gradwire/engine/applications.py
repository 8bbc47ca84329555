"""Nodes that apply something to a function: `call`, the transforms and control flow (contract section 3)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

import torch

from gradwire.engine.callables import callable_of
from gradwire.engine.calls import argument_getters, spreading
from gradwire.engine.compile import compile_expression, constant
from gradwire.engine.control import CONTROL, LEAST, OPTIONS, ROLES
from gradwire.engine.errors import NoOverload
from gradwire.engine.graph import Callee, Expression, NamedFunction, Node, Numbers, Ref, Transform
from gradwire.engine.observe.origins import Maker
from gradwire.engine.references import Getter
from gradwire.engine.scope import RUN, Scope, running
from gradwire.engine.steps import Step
from gradwire.engine.transforms import TRANSFORMS
from gradwire.engine.watch import Watch, is_transformed
from gradwire.findings import Finding, Refusal, Source

CALL = "call"
_NAMES = frozenset((CALL, *CONTROL, *TRANSFORMS))
# Which arguments are lists of numbers only as a way to write a tensor.
_TENSORS = {"scan": (1,), "map": (0,)}


def applies(node: Node) -> bool:
    """Whether `node` is one of these."""
    return node.op in _NAMES or node.op.removeprefix("torch.") in _NAMES


def misplaced(node: Node) -> list[Finding]:
    """What is wrong with a function or options for an op that takes none."""
    members = [name for name, given in (("of", node.of), ("options", node.options)) if given]
    text = f"{node.op[:64]} takes no"
    hint = "only transforms, call and control flow work on functions; arguments by name stand in `kwargs`"
    return [Finding("invalid_request", f"{text} `{one}`", node.source.at(one), hint=hint) for one in members]


def application_step(node: Node, position: int, scope: Scope, watch: Watch, found: list[Finding]) -> Step | None:
    """The step of such a node; None where it is wrong, with what is wrong in `found`."""
    before = len(found)
    name = node.op.removeprefix("torch.")
    of = _of(node, name, scope, found)
    options = _options(name, node.options, node.source.at("options"), scope, found)
    if name != CALL and node.kwargs:
        word, expression = next(iter(node.kwargs.items()))
        message = f"{name} takes no argument called '{word[:64]}'"
        found.append(Finding("invalid_argument", message, expression.source, hint="options stand in `options`"))
    if len(node.args) < LEAST.get(name, 0):
        found.append(Finding("invalid_argument", _needs(name), node.source, got=len(node.args)))
    args, spread = argument_getters(_as_tensors(name, node.args), scope, found)
    kwargs = {word: compile_expression(value, scope, found) for word, value in node.kwargs.items()}
    if len(found) > before or of is None or node.faulty:
        return None
    call = _calling(name, node, options)
    if spread:
        call = spreading(call)
    if node.no_grad:
        call = torch.no_grad()(call)
    if watch.tape is not None:
        call = _labelled(call, node, watch)
    return Step(position, node, call, (running, of, _all(options), *args), kwargs)


def _needs(name: str) -> str:
    first = {"cond": "a predicate", "while_loop": "at least one carry", "scan": "a carry, and xs", "map": "xs"}
    return f"{name} needs {first[name]} among its arguments"


def _all(options: Mapping[str, Getter]) -> Getter:
    if not options:
        return constant({})
    return lambda frame: {name: get(frame) for name, get in options.items()}


def _calling(name: str, node: Node, options: Mapping[str, Getter]) -> Callable[..., Any]:
    """The function that a step calls with the run, what `of` gives, the options, and the arguments."""
    if name == CALL:
        return lambda run, of, options, *args, **kwargs: of(*args, **kwargs)
    if name in CONTROL:
        control = CONTROL[name]
        return lambda run, of, options, *args: control(run, of, args, options)
    transform = TRANSFORMS[name]
    if node.args or transform.function is None:
        return lambda run, of, options, *args: transform.value(of, args, options)
    function = transform.function
    return lambda run, of, options: function(of, options)


def _labelled(call: Callable[..., Any], node: Node, watch: Watch) -> Callable[..., Any]:
    """On the tape what the inner nodes made is theirs; the rest is this node's."""
    tape = watch.tape
    assert tape is not None

    def labelled(run: Any, of: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        value = call(run, of, options, *args, **kwargs)
        if not is_transformed():
            tape.after(Maker.of(node), value, [*args, *kwargs.values()])
        return value

    return labelled


def _as_tensors(name: str, args: Sequence[Expression]) -> list[Expression]:
    """Transforms differentiate and map by tensors only: lists of numbers are such."""
    if name == CALL or (name in CONTROL and name not in _TENSORS):
        return list(args)
    places: Iterable[int] = _TENSORS.get(name, range(len(args)))
    return [_as_tensor(one) if place in places else one for place, one in enumerate(args)]


def _as_tensor(expression: Expression) -> Expression:
    if not isinstance(expression, Numbers):
        return expression
    return Numbers(expression.shape, expression.tensor, expression.tensor, expression.source)


# ---- what `of` says


def _of(node: Node, name: str, scope: Scope, found: list[Finding]) -> Getter | None:
    place = node.source.at("of")
    roles = ROLES.get(name)
    if node.of is None:
        if node.faulty:
            return None
        message = f"{name} needs `of`: the name of a function"
        found.append(Finding("invalid_argument", message, node.source, expected=list(roles) if roles else "of"))
        return None
    if roles is None:
        if isinstance(node.of, Mapping):
            found.append(Finding("invalid_argument", f"{name} takes one function", place, expected="a function's name"))
            return None
        get = callee(node.of, scope, found)
        written = _written(node.of)
        return lambda frame: callable_of(frame[RUN], get(frame), written)
    if not isinstance(node.of, Mapping) or set(node.of) != set(roles):
        got = sorted(node.of) if isinstance(node.of, Mapping) else None
        message = f"{name} takes two functions: `of` is an object with {' and '.join(roles)}"
        found.append(Finding("invalid_argument", message, place, got=got, expected=list(roles)))
        return None
    getters = {role: callee(one, scope, found) for role, one in node.of.items()}
    texts = {role: _written(one) for role, one in node.of.items()}
    return lambda frame: {role: callable_of(frame[RUN], get(frame), texts[role]) for role, get in getters.items()}


def _written(of: Callee) -> str:
    return of.text if isinstance(of, Ref) else of.name if isinstance(of, NamedFunction) else of.op


def callee(of: Callee, scope: Scope, found: list[Finding]) -> Getter:
    """A getter of the function that `of` says."""
    if isinstance(of, Transform):
        return _transformed(of, scope, found)
    before = len(found)
    get = compile_expression(of, scope, found)
    for finding in found[before:]:
        if isinstance(of, Ref) and finding.got == f"${of.text}":
            finding.message, finding.got = f"there is no function called '{of.text[:64]}'", of.text
    return get


def _transformed(of: Transform, scope: Scope, found: list[Finding]) -> Getter:
    name = of.op.removeprefix("torch.")
    transform = TRANSFORMS.get(name)
    if transform is None or transform.function is None:
        known = [one.name for one in TRANSFORMS.values() if one.function is not None]
        message = f"'{of.op[:64]}' is no transform that gives a function"
        found.append(Finding("invalid_argument", message, of.source.at("op"), got=of.op, expected=known))
        return constant(None)
    options = _options(name, of.options, of.source.at("options"), scope, found)
    inner, written, read = callee(of.of, scope, found), _written(of.of), _all(options)
    function = transform.function

    def get(frame: list[Any]) -> Callable[..., Any]:
        return _located(of, function(callable_of(frame[RUN], inner(frame), written), read(frame)))

    return get


def _located(of: Transform, transformed: Callable[..., Any]) -> Callable[..., Any]:
    """The transformed function, whose complaints about an option say where that stands."""

    @wraps(transformed)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return transformed(*args, **kwargs)
        except NoOverload as error:
            if not isinstance(error.place, str) or error.place not in of.options:
                raise
            source = of.options[error.place].source
            found = Finding("invalid_argument", error.message, source, got=error.got, expected=error.expected)
            raise Refusal([found]) from error

    return call


# ---- options


def _options(
    name: str, options: Mapping[str, Expression], source: Source, scope: Scope, found: list[Finding]
) -> dict[str, Getter]:
    known = TRANSFORMS[name].options if name in TRANSFORMS else OPTIONS.get(name, frozenset())
    getters: dict[str, Getter] = {}
    for word, expression in options.items():
        if word not in known:
            close = difflib.get_close_matches(word, known, n=1) if len(word) <= 64 else []
            found.append(
                Finding(
                    "invalid_argument",
                    f"{name} has no option '{word[:64]}'",
                    expression.source,
                    got=word,
                    expected=sorted(known),
                    hint=f"did you mean '{close[0]}'?" if close else None,
                )
            )
        else:
            getters[word] = compile_expression(expression, scope, found)
    return getters
