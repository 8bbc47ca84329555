"""The words that a parameter takes, told after PyTorch refused the one that it was given.

They come from docstrings, which may leave some out: so they are never a reason to refuse a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gradwire.engine.graph import Expression, Literal
from gradwire.engine.ops.parameters import Parameter
from gradwire.engine.ops.registry import Op


@dataclass(frozen=True, slots=True)
class WrongWord:
    """A string that the documentation of its parameter does not have."""

    parameter: str
    got: str
    allowed: tuple[str, ...]


def wrong_word(op: Op, args: Sequence[Expression], kwargs: Mapping[str, Expression]) -> WrongWord | None:
    """The first argument of a call that is a word unknown for its parameter; None where there is none."""
    for parameter, expression in _pairs(op, args, kwargs):
        if not isinstance(expression, Literal) or not isinstance(expression.value, str):
            continue
        allowed = parameter.type.choices
        if allowed and expression.value not in allowed:
            return WrongWord(parameter.name, expression.value, allowed)
    return None


def _pairs(
    op: Op, args: Sequence[Expression], kwargs: Mapping[str, Expression]
) -> Iterator[tuple[Parameter, Expression]]:
    for overload in op.overloads:
        positional = [one for one in overload.parameters if not one.keyword_only and not one.variadic]
        yield from zip(positional, args, strict=False)
        for name, expression in kwargs.items():
            if (parameter := overload.named(name)) is not None:
                yield parameter, expression
