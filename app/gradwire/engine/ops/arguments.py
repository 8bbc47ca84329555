"""Binding what a client sent to an op's overloads, before anything runs; and the way to call an op safely."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType

from gradwire.engine import devices
from gradwire.engine.graph import Collection, Expression, Literal, Numbers, Ref
from gradwire.engine.ops import numpy_ops, words
from gradwire.engine.ops.calling import invoke, second_try
from gradwire.engine.ops.fitting import Fit, Slot, convert, fit, shown, spoken
from gradwire.engine.ops.parameters import Overload, Parameter, ParamType, in_pytorchs_words
from gradwire.engine.ops.registry import Op
from gradwire.findings import Finding, Refusal, Source

__all__ = ["Prepared", "invoke", "prepare", "second_try"]

_MOST_OVERLOADS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Prepared:
    """Arguments with texts and lists turned into what the signature asks for; references are as they were.

    `op` is the one that takes them: the op itself, or the method that its bare name also means.
    """

    args: tuple[Expression, ...]
    kwargs: Mapping[str, Expression]
    op: Op


@dataclass(slots=True)
class _Bound:
    """One argument and the parameter that takes it. `place` is its position, or its keyword."""

    place: int | str
    expression: Expression
    parameter: Parameter
    fit: Fit


@dataclass(slots=True)
class _Attempt:
    """What came of binding a call to one overload."""

    op: Op
    overload: Overload
    bound: list[_Bound] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    missing: list[Parameter] = field(default_factory=list)
    surplus: int = 0

    @property
    def faults(self) -> int:
        """How wrong the call is; 0: the overload takes it. A wrong count is further off than a wrong type."""
        misfits = sum(one.fit is Fit.NO for one in self.bound)
        return 2 * misfits + 3 * (len(self.unknown) + len(self.doubled) + len(self.missing) + self.surplus)

    @property
    def conversions(self) -> int:
        """How many arguments only fit once they are tensors."""
        return sum(one.fit is Fit.AS_TENSOR for one in self.bound)


def prepare(
    op: Op, args: Sequence[Expression], kwargs: Mapping[str, Expression], source: Source, label: str | int | None
) -> Prepared | list[Finding]:
    """Bind a call to the overloads of `op`; its findings (`invalid_argument`) where none can take it.

    Where several overloads remain, PyTorch chooses among them when the op runs.
    """
    if op.is_method and "self" in kwargs and not args:
        args = [kwargs["self"]]
        kwargs = {name: value for name, value in kwargs.items() if name != "self"}
    kwargs = in_pytorchs_words(op, kwargs)
    findings = _without_generator(op, kwargs)
    if not findings:
        attempts = _attempts(op, args, kwargs)
        if not attempts:
            return Prepared(tuple(args), {name: _by_name(name, value) for name, value in kwargs.items()}, op)
        fitting = [attempt for attempt in attempts if attempt.faults == 0]
        if fitting:
            try:
                return _converted(fitting, args, kwargs)
            except Refusal as refusal:
                findings = refusal.findings
        else:
            findings = _explained(_nearest(attempts), attempts, source)
    for finding in findings:
        finding.node = label
    return findings


def _tried(op: Op) -> list[Op]:
    return [op] if op.alternative is None else [op, op.alternative]


def _attempts(op: Op, args: Sequence[Expression], kwargs: Mapping[str, Expression]) -> list[_Attempt]:
    """What comes of each overload, up to the first that takes everything as it is."""
    found: list[_Attempt] = []
    for one in _tried(op):
        for overload in one.overloads:
            found.append(_bind(one, overload, args, kwargs))
            if found[-1].faults == 0 and found[-1].conversions == 0:
                return found[-1:]
    return found


def _without_generator(op: Op, kwargs: Mapping[str, Expression]) -> list[Finding]:
    expression = kwargs.get("generator")
    if expression is None or isinstance(expression, Ref):
        return []
    if not any(one.named("generator") for each in _tried(op) for one in each.overloads):
        return []
    message = f"{op.name} takes a generator by reference only: the run has one of its own"
    hint = 'leave it out: the request\'s "seed" sets its state; or refer to a node with the op Generator'
    return [Finding("invalid_argument", message, expression.source, got=shown(expression), hint=hint)]


def _by_name(name: str, expression: Expression) -> Expression:
    """Without a signature, a keyword such as dtype still says what its text means."""
    if name in words.NAMED and isinstance(expression, Literal):
        return convert(expression, Slot(ParamType((name,))))
    return expression


def _bind(op: Op, overload: Overload, args: Sequence[Expression], kwargs: Mapping[str, Expression]) -> _Attempt:
    attempt = _Attempt(op, overload)
    loose = isinstance(op.call, FunctionType)
    positional = [one for one in overload.parameters if not one.keyword_only and not one.variadic]
    rest = next((one for one in overload.parameters if one.variadic), None)
    for index, expression in enumerate(args):
        parameter = positional[index] if index < len(positional) else rest
        if parameter is None:
            attempt.surplus += 1
        else:
            attempt.bound.append(_Bound(index, expression, parameter, fit(expression, Slot(parameter.type, loose))))
    taken = {one.name for one in positional[: len(args)]}
    for name, expression in kwargs.items():
        parameter = overload.named(name)
        if name in taken:
            attempt.doubled.append(name)
        elif parameter is not None:
            attempt.bound.append(_Bound(name, expression, parameter, fit(expression, Slot(parameter.type, loose))))
        elif not overload.open_keywords:
            attempt.unknown.append(name)
    given = taken | kwargs.keys()
    attempt.missing = [one for one in overload.parameters if one.required and one.name not in given]
    return attempt


def _converted(fitting: Sequence[_Attempt], args: Sequence[Expression], kwargs: Mapping[str, Expression]) -> Prepared:
    """The call, with each argument as the best overload wants it, unless another takes it as it is."""
    best = min(fitting, key=lambda attempt: attempt.conversions)
    loose = isinstance(best.op.call, FunctionType)
    as_is = {one.place for attempt in fitting for one in attempt.bound if one.fit is Fit.AS_IS}
    lists = any(isinstance(one.expression, Collection) and "Tensor[]" in one.parameter.type for one in best.bound)
    new: dict[int | str, Expression] = {}
    for one in best.bound:
        taken = one.fit is Fit.AS_TENSOR and one.place in as_is and isinstance(one.expression, Numbers)
        if taken or _is_numpys_word(best.op, one.expression):
            new[one.place] = one.expression
        else:
            new[one.place] = convert(one.expression, Slot(one.parameter.type, loose), as_list=lists)
    return Prepared(
        tuple(new.get(index, expression) for index, expression in enumerate(args)),
        {name: new.get(name, expression) for name, expression in kwargs.items()},
        best.op,
    )


def _is_numpys_word(op: Op, expression: Expression) -> bool:
    """Whether a text is a dtype that NumPy reads otherwise than PyTorch."""
    return op.is_numpy and isinstance(expression, Literal) and expression.value in numpy_ops.OWN_WORDS


def _nearest(attempts: Sequence[_Attempt]) -> _Attempt:
    """The overload that was probably meant: fewest faults, then the one with the likeliest names."""
    return min(attempts, key=lambda attempt: (attempt.faults, -_likeness(attempt)))


def _likeness(attempt: _Attempt) -> int:
    return sum(1 for name in attempt.unknown if _near_name(name, attempt.overload))


def _near_name(name: str, overload: Overload) -> str | None:
    if len(name) > 64:
        return None
    names = [one.name for one in overload.parameters if not one.variadic and one.name != "generator"]
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return close[0]
    return next((one for one in names if one.startswith(name) or name.startswith(one)), None)


def _explained(attempt: _Attempt, attempts: Sequence[_Attempt], source: Source) -> list[Finding]:
    """What is wrong with the call, seen from the nearest overload."""
    shapes = list(dict.fromkeys(one.op.last + one.overload.text for one in attempts))[:_MOST_OVERLOADS_SHOWN]
    name = attempt.op.name
    hint = f"{name} is called as {' or '.join(shapes)}"[:1000]
    found: list[Finding] = []
    for one in attempt.bound:
        if one.fit is Fit.NO:
            found.append(_misfit(name, one, hint))
    for keyword in (*attempt.unknown, *attempt.doubled):
        found.append(_wrong_keyword(name, keyword, attempt, attempts, source, shapes))
    if attempt.missing:
        missing = ", ".join(f"'{one.name}'" for one in attempt.missing)
        found.append(Finding("invalid_argument", f"{name} lacks {missing}", source, expected=shapes))
    if attempt.surplus:
        message = f"{name} takes fewer arguments: {attempt.surplus} too many"
        found.append(Finding("invalid_argument", message, source, expected=shapes))
    return found


def _misfit(name: str, one: _Bound, hint: str) -> Finding:
    declared, expression = one.parameter.type, one.expression
    expected: object = declared.text
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        named = [kind for kind in words.NAMED if kind in declared]
        if named == ["device"]:
            return _no_device(expression.value, expression.source)
        if named == ["dtype"] and name.startswith("numpy."):
            expected = numpy_ops.DTYPE_NAMES
        elif named:
            expected = [word for kind in named for word in words.known(kind)]
        if named:
            return _no_such_word(name, one, expected)
    elif declared.choices:
        expected = list(declared.choices)
    message = f"{name}: '{one.parameter.name}' must be {declared.text}, not {spoken(expression)}"
    return Finding("invalid_argument", message, expression.source, got=shown(expression), expected=expected, hint=hint)


def _no_such_word(name: str, one: _Bound, expected: object) -> Finding:
    """A text where a dtype, a layout or a memory format is wanted, and that is none."""
    text = shown(one.expression)
    kinds = [kind for kind in words.NAMED if kind in one.parameter.type and kind != "device"]
    known = [word for kind in kinds for word in words.table(kind)]
    close = difflib.get_close_matches(str(text), known, n=1) if len(str(text)) <= 64 else []
    message = f"{name}: '{one.parameter.name}' must be {one.parameter.type.text}, and {text!r} is none"
    hint = f"did you mean '{close[0]}'?" if close else None
    return Finding("invalid_argument", message, one.expression.source, got=text, expected=expected, hint=hint)


def _no_device(text: str, source: Source) -> Finding:
    try:
        devices.resolve(text, source)
    except Refusal as refusal:
        return refusal.findings[0]
    return Finding("invalid_argument", f"'{text}' stands for a device only at the top of a request", source, got=text)


def _wrong_keyword(
    name: str,
    keyword: str,
    attempt: _Attempt,
    attempts: Sequence[_Attempt],
    source: Source,
    shapes: list[str],
) -> Finding:
    place = source.at("kwargs", keyword)
    if keyword in attempt.doubled:
        message = f"{name} is given '{keyword[:64]}' twice: by position and by name"
        return Finding("invalid_argument", message, place, expected=shapes)
    near = next((found for each in attempts if (found := _near_name(keyword, each.overload))), None)
    message = f"{name} takes no argument called '{keyword[:64]}'"
    hint = f"did you mean '{near}'?" if near else None
    return Finding("invalid_argument", message, place, got=keyword, expected=shapes, hint=hint)
