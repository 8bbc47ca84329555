"""The shortest decimals of the narrow floating dtypes, found once for all their patterns."""

from __future__ import annotations

import functools

import numpy as np
import torch

from gradwire.wire.formats import FORMATS, Format

# Decimal digits that tell any two numbers of a dtype with 11 bits of precision apart.
_MOST_DIGITS = 5


@functools.cache
def shortest(name: str) -> np.ndarray:
    """For each bit pattern of a dtype of one or two bytes, the float64 nearest to its shortest decimal.

    That is the decimal with the fewest significant digits that rounds to the pattern's value in its dtype and, of
    those, the nearest to it. Written as a float64 it has exactly these digits. NaN and infinities stay what they are.
    """
    found = _values(FORMATS[name])
    numbers = np.isfinite(found) & (found != 0)
    magnitudes, back = np.unique(np.abs(found[numbers]), return_inverse=True)
    decimals = _shortest_of(magnitudes, has_zero=bool((found == 0).any()))
    found[numbers] = np.copysign(decimals[back.reshape(-1)], found[numbers])
    return found


def _values(form: Format) -> np.ndarray:
    """The value of every bit pattern."""
    patterns = torch.arange(1 << (8 * form.spec.itemsize), dtype=torch.int32).to(form.word)
    return patterns.view(form.dtype).to(torch.float64).numpy()


def _shortest_of(values: np.ndarray, *, has_zero: bool) -> np.ndarray:
    """The shortest decimals of `values`: all positive numbers of a dtype, ascending."""
    low, high = _between(values, has_zero=has_zero)
    # A tie goes to the number with an even last bit; the least positive one has an odd one. In float8_e8m0fnu, which
    # has no zero, PyTorch rounds ties up.
    takes_ties = np.arange(1, len(values) + 1) % 2 == 0
    takes_low = takes_ties if has_zero else np.ones_like(takes_ties)
    takes_high = takes_ties if has_zero else np.zeros_like(takes_ties)
    if not has_zero:
        # And everything between the least two, where it looks at no more than whether bits are left.
        high[0], takes_high[0] = values[0], True
    exponents = np.floor(np.log10(values)).astype(int)
    mantissas, powers = np.zeros_like(values), exponents.copy()
    missing = np.ones(len(values), dtype=bool)
    for digits in range(1, _MOST_DIGITS + 1):
        power = exponents - digits + 1
        below = np.floor(_scaled(values, -power))
        best = np.full(len(values), np.inf)
        for mantissa in (below, below + 1):
            decimal = _scaled(mantissa, power)
            inside = (decimal > low) & (decimal < high) | takes_low & (decimal == low) | takes_high & (decimal == high)
            hit = missing & inside & (np.abs(decimal - values) < best)
            best[hit] = np.abs(decimal - values)[hit]
            mantissas[hit], powers[hit] = mantissa[hit], power[hit]
        missing &= np.isinf(best)
    pairs = zip(mantissas.astype(int).tolist(), powers.tolist(), strict=True)
    return np.array([float(f"{mantissa}e{power}") for mantissa, power in pairs])


def _between(values: np.ndarray, *, has_zero: bool) -> tuple[np.ndarray, np.ndarray]:
    """The points halfway to the numbers below and above each; beyond the last one, as if there were one more."""
    middle = (values[:-1] + values[1:]) / 2
    first = values[0] * (0.5 if has_zero else 0.75)
    last = values[-1] + (values[-1] - values[-2]) / (2 if has_zero else 1)
    return np.concatenate(([first], middle)), np.concatenate((middle, [last]))


def _scaled(values: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """values × 10^power.

    Correctly rounded for powers up to 22 either way, so that a decimal that is a tie is seen as one: decimals of 5
    digits and numbers of 11 bits have no ties beyond.
    """
    factors = 10.0 ** np.abs(powers).astype(np.float64)
    scaled: np.ndarray = np.where(powers < 0, values / factors, values * factors)
    return scaled
