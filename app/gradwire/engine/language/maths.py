"""Python's module `math`: its functions and constants, derived from the module, the unbounded ones with bounds."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from gradwire.engine.language.budget import MAX_INT_BITS
from gradwire.engine.language.functions import Bounded, in_pythons_words
from gradwire.engine.language.iterate import drained
from gradwire.engine.language.lazy import Run
from gradwire.engine.language.limits import allow_bits, bounded
from gradwire.engine.language.operators import operate

_EXACT = 2**53  # as far as lgamma tells integers apart
_SEQUENCES = ("dist", "sumprod")


def factorial(run: Run, n: Any, /) -> int:
    """`math.factorial(n)`."""
    number = _index(n)
    if number is not None and number > 1:
        allow_bits(_bits_of_factorial(min(number, _EXACT)))
    return math.factorial(n)


def _bits_of_factorial(n: int) -> float:
    return math.lgamma(n + 1) / math.log(2)


def _index(value: Any) -> int | None:
    """`value` as Python's C code takes it for an integer; None where it does not."""
    try:
        return int(value.__index__())
    except (AttributeError, TypeError, RuntimeError, ValueError):
        return None


def comb(run: Run, n: Any, k: Any, /) -> int:
    """`math.comb(n, k)`."""
    total, chosen = _index(n), _index(k)
    if total is not None and chosen is not None and 0 < chosen < total:
        fewer = min(chosen, total - chosen)
        # (n/k)^k is never more than the result, and e^k times it never less; n/k is at least 2.
        far = fewer > MAX_INT_BITS
        allow_bits(fewer if far else fewer * (math.log2(total) - math.log2(fewer)))
    return bounded(math.comb(n, k))


def perm(run: Run, n: Any, k: Any = None, /) -> int:
    """`math.perm(n, k)`."""
    if k is None:
        return factorial(run, n)
    total, chosen = _index(n), _index(k)
    if total is not None and chosen is not None and 0 < chosen <= total:
        if chosen > MAX_INT_BITS:
            allow_bits(chosen)  # the result is no less than k!
        elif total < _EXACT:
            allow_bits(_bits_of_factorial(total) - _bits_of_factorial(total - chosen) - 64)
        else:
            # The larger half of the factors is each at least half of n.
            allow_bits(chosen / 2 * (math.log2(total) - 1))
    return bounded(math.perm(n, k))


def prod(run: Run, iterable: Any, /, *, start: Any = 1) -> Any:
    """`math.prod(xs, start=1)`."""
    result = start
    for one in drained(run, iterable):
        result = operate("mul", result, one)
    return result


def lcm(run: Run, /, *integers: Any) -> int:
    """`math.lcm(*integers)`."""
    return functools.reduce(_lcm, integers[1:], math.lcm(*integers[:1]))


def _lcm(one: int, other: Any) -> int:
    number = _index(other)
    if number:
        allow_bits((one // math.gcd(one, number) * number).bit_length() if one else 0)
    return math.lcm(one, other)


def fsum(run: Run, iterable: Any, /) -> float:
    """`math.fsum(xs)`."""
    return math.fsum(drained(run, iterable))


def _of_sequences(name: str) -> Bounded:
    """`math.dist` and `math.sumprod`, which go through their arguments."""
    native = getattr(math, name)

    def function(run: Run, one: Any, other: Any, /) -> Any:
        return bounded(native(drained(run, one), drained(run, other)))

    return function


def _plain(native: Callable[..., Any]) -> Bounded:
    """A function of single numbers, whose results are no larger than what it is given."""

    def function(run: Run, /, *args: Any, **kwargs: Any) -> Any:
        return bounded(native(*args, **kwargs))

    return function


def _functions() -> dict[str, Bounded]:
    found: dict[str, Bounded] = {}
    for name in dir(math):
        value = getattr(math, name)
        if not name.startswith("_") and callable(value):
            found[name] = _of_sequences(name) if name in _SEQUENCES else _plain(value)
    for function in (factorial, comb, perm, prod, lcm, fsum):
        found[function.__name__] = in_pythons_words(function, getattr(math, function.__name__))
    return found


FUNCTIONS: dict[str, Bounded] = _functions()
CONSTANTS: dict[str, float] = {
    name: value for name, value in vars(math).items() if not name.startswith("_") and isinstance(value, float)
}
