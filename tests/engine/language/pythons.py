"""Two ways to call the same things: plain Python, and what a program is given of it. Tests compare what they do."""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gradwire.engine.language import names
from gradwire.engine.language.budget import Budget
from gradwire.engine.ops.calling import invoke
from gradwire.engine.ops.registry import registry
from gradwire.findings import Refusal


@dataclass
class Run:
    """A run that only counts."""

    budget: Budget = field(default_factory=Budget)
    position: int = 7


class Plain:
    """Python itself."""

    math = math
    operator = operator
    partial = functools.partial

    def __getattr__(self, name: str) -> Any:
        return getattr(builtins, name)

    def method(self, value: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(value, name)(*args, **kwargs)

    def format(self, template: str, /, *args: Any, **kwargs: Any) -> str:
        return template.format(*args, **kwargs)

    def print(self, *args: Any, **kwargs: Any) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            print(*args, **kwargs)  # noqa: T201 - what Python prints
        return out.getvalue()


class Ours:
    """The functions of engine/language, by name, for one run. Functions given as values are bound to it."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.run = Run(budget or Budget())
        self.math = SimpleNamespace(**{name[5:]: self.named(name) for name in names.names() if name[:5] == "math."})
        self.operator = _Operators(self)
        self.partial = self.named("functools.partial")

    def __getattr__(self, name: str) -> Any:
        original = getattr(builtins, name)
        return _Type(self, original) if isinstance(original, type) else names.value(self.run, f"builtins.{name}")

    def named(self, name: str) -> Callable[..., Any]:
        found = names.find(name)
        assert found is not None, name
        return functools.partial(found, self.run)

    def method(self, value: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
        return self.named(f".{name}")(value, *args, **kwargs)

    def format(self, template: str, /, *args: Any, **kwargs: Any) -> str:
        return self.named("format")(template, *args, **kwargs)

    def print(self, *args: Any, **kwargs: Any) -> str:
        count = len(self.run.budget.printed)
        assert self.named("print")(*args, **kwargs) is None
        (entry,) = self.run.budget.printed[count:]
        assert entry.position == 7
        return entry.text + entry.end


class _Type:
    """A builtin type: called it goes through our table, `.value` is what a program passes on."""

    def __init__(self, ours: Ours, original: type) -> None:
        self._call = ours.named(f"builtins.{original.__name__}")
        self.value = original

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)


class _Operators:
    """operator.x: ours where a run is asked for, else the registry's op."""

    def __init__(self, ours: Ours) -> None:
        self._ours = ours

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found = names.find(f"operator.{name}")
        if found is not None:
            return functools.partial(found, self._ours.run)
        op = registry().find(f"operator.{name}")
        return lambda *args: invoke(op, list(args), {})


Program = Callable[[Any], Any]


def outcome(program: Program, side: Any) -> tuple[Any, ...]:
    """What a program gives: its value's type and text, or the exception's type and words."""
    try:
        value = program(side)
    except Exception as error:
        return type(error), str(error)
    return type(value), value if isinstance(value, str) else plain_text(value)


def plain_text(value: Any) -> str:
    """`repr(value)`, with 0x0 for addresses, of a value that Python made or we did."""
    if isinstance(value, (list, tuple, dict, torch.Tensor, np.ndarray)):
        torch.set_printoptions(precision=17)
    try:
        return re.sub(r"0x[0-9a-f]{6,}", "0x0", repr(value))
    finally:
        torch.set_printoptions(profile="default")


def same_as_python(program: Program) -> None:
    """Ours does what Python does, to the letter."""
    ours, pythons = outcome(program, Ours()), outcome(program, Plain())
    assert ours == pythons, (ours, pythons)


def refusal(program: Program, budget: Budget | None = None) -> str:
    """The message with which ours refuses a program for a limit."""
    with pytest.raises(Refusal) as refused:
        program(Ours(budget))
    (finding,) = refused.value.findings
    assert finding.code == "limit_exceeded"
    return finding.message
