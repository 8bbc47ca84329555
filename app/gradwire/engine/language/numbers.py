"""Python's numbers: the types that make them, and the builtins on them."""

from __future__ import annotations

from typing import Any

from gradwire.engine.language.budget import MAX_INT_BITS, exceeded
from gradwire.engine.language.functions import builtin
from gradwire.engine.language.lazy import Run
from gradwire.engine.language.limits import bounded
from gradwire.engine.language.operators import operate
from gradwire.engine.language.truth import truth

# Python reads no more decimal digits than this (sys.get_int_max_str_digits), which is beyond MAX_INT_BITS.
_MOST_DIGITS = 4300
# 10 to this power is beyond every integer that there may be.
_MOST_PLACES = 1300


@builtin("int")
def int_(run: Run, /, *args: Any, **kwargs: Any) -> int:
    """`int(x)` and `int(text, base)`."""
    if args and isinstance(args[0], str) and len(args[0].strip()) > _MOST_DIGITS:
        raise exceeded(f"integers have at most {MAX_INT_BITS} bits", "a shorter text")
    return bounded(int(*args, **kwargs))


@builtin("float")
def float_(run: Run, /, *args: Any) -> float:
    """`float(x)`."""
    return float(*args)


@builtin("bool")
def bool_(run: Run, value: Any = False, /) -> bool:
    """`bool(x)`."""
    return truth(value)


@builtin("complex")
def complex_(run: Run, /, *args: Any, **kwargs: Any) -> complex:
    """`complex(real, imag)` and `complex(text)`."""
    return complex(*args, **kwargs)


@builtin("abs")
def abs_(run: Run, value: Any, /) -> Any:
    """`abs(x)`."""
    return abs(value)


@builtin("round")
def round_(run: Run, number: Any, ndigits: Any = None) -> Any:
    """`round(x, n)`: half to even."""
    if type(number) in (int, bool) and type(ndigits) in (int, bool) and ndigits < -_MOST_PLACES:
        return 0  # Python would work out 10 to the power of -ndigits
    if type(ndigits) is int and not isinstance(number, int):
        # Neither a float nor an array has digits beyond these, and NumPy counts up to them.
        ndigits = max(-_MOST_PLACES, min(_MOST_PLACES, ndigits))
    return round(number) if ndigits is None else round(number, ndigits)


@builtin("pow")
def pow_(run: Run, base: Any, exp: Any, mod: Any = None) -> Any:
    """`pow(base, exp)` and `pow(base, exp, mod)`."""
    return operate("pow", base, exp) if mod is None else pow(base, exp, mod)


@builtin("divmod")
def divmod_(run: Run, one: Any, other: Any, /) -> Any:
    """`divmod(a, b)`."""
    return divmod(one, other)
