"""What a program may call of Python itself, by name: builtins, math, operators, methods with a leading dot."""

from __future__ import annotations

import builtins
import functools
import math
import operator
from typing import Any

# Importing these fills the table of builtins.
from gradwire.engine.language import formatting, numbers, sequences, text
from gradwire.engine.language.functions import BUILTINS, Bounded, PythonFunction
from gradwire.engine.language.lazy import Run
from gradwire.engine.language.maths import CONSTANTS, FUNCTIONS
from gradwire.engine.language.methods import known, method
from gradwire.engine.language.operators import OPERATORS

__all__ = ["constant", "find", "names", "value"]

_FILLED_BY = (formatting, numbers, sequences, text)


def _table() -> dict[str, Bounded]:
    own = {f"builtins.{name}": function for name, function in BUILTINS.items() if name != "partial"}
    return {
        **own,
        **{f"math.{name}": function for name, function in FUNCTIONS.items()},
        **{f"operator.{name}": function for name, function in OPERATORS.items()},
        "functools.partial": BUILTINS["partial"],
        "print": BUILTINS["print"],
        "format": formatting.format_,
    }


_TABLE: dict[str, Bounded] = _table()


def names() -> list[str]:
    """All names without a leading dot, sorted."""
    return sorted(_TABLE)


@functools.cache
def _method(name: str) -> Bounded | None:
    return method(name) if known(name) else None


def find(op: str) -> Bounded | None:
    """What `op` calls, with the run ahead of its arguments; None where there is no such name.

    `.name` is the method of its first argument's type. The functions raise what Python raises for the same mistake, in
    the same words; NoOverload for what may not be called so, Refusal (`limit_exceeded`) beyond a limit.
    """
    if op.startswith("."):
        return _method(op[1:]) if op[1:].isidentifier() and len(op) < 65 else None
    return _TABLE.get(op)


def constant(name: str) -> float | None:
    """The value of `math.pi` and its kind; None where there is no such name."""
    return CONSTANTS.get(name.removeprefix("math.")) if name.startswith("math.") else None


def value(run: Run, name: str) -> Any:
    """What `name` stands for where it is no call: a type itself, else a function bound to the run.

    None where there is no such name, or where it is syntax rather than a function.
    """
    function = _TABLE.get(name)
    module, _, last = name.rpartition(".")
    home = {"builtins": builtins, "math": math, "operator": operator, "functools": functools}.get(module or "builtins")
    original = getattr(home, last, None)
    if function is None or original is None or name == "format":
        return None
    return original if isinstance(original, type) else PythonFunction(run, original, function)
